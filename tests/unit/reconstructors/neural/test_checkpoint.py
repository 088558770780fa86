"""Checkpoints read whole, or refused with the reason."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from sightline.errors import WeightsError
from sightline.reconstructors.networks.checkpoint import fitted, opened
from sightline.reconstructors.networks.da3 import Da3Size
from sightline.reconstructors.networks.vggt import VggtSize

NAMES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64"}


def write_safetensors(path, tensors):
    """As the format's description says, not as our reader reads it."""
    table, data = {"__metadata__": {"format": "pt"}}, b""
    for key, tensor in tensors.items():
        raw = tensor.contiguous().view(torch.uint8).numpy().tobytes()
        table[key] = {
            "dtype": NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    header = json.dumps(table).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + data)


def write_pytorch(path, tensors):
    torch.save(tensors, path)


def write_wrapped(path, tensors):
    torch.save({"model": tensors, "epoch": 3}, path)


WAYS = [write_safetensors, write_pytorch, write_wrapped]
TENSORS = {
    "a.weight": torch.arange(12.0).view(3, 4),
    "half": torch.arange(3).half(),
    "a.bias": torch.tensor([1.5, -2.0]),
    "small": torch.tensor([[0.25]]).bfloat16(),
    "count": torch.tensor([7]),
}


@pytest.mark.parametrize("write", WAYS)
def test_what_was_written_is_read(write, tmp_path):
    write(tmp_path / "net", TENSORS)
    read = opened(tmp_path / "net")
    assert read.keys() == TENSORS.keys()
    for key, tensor in TENSORS.items():
        assert read[key].dtype == tensor.dtype
        assert torch.equal(read[key], tensor)


@pytest.mark.parametrize("write", WAYS)
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.97])
def test_a_file_that_is_cut_off_is_refused(write, share, tmp_path):
    write(tmp_path / "net", {"a": torch.zeros(1000), "b": torch.zeros(10)})
    raw = (tmp_path / "net").read_bytes()
    (tmp_path / "net").write_bytes(raw[: int(share * len(raw))])
    with pytest.raises(WeightsError, match="net: not a checkpoint, or cut off") as told:
        opened(tmp_path / "net")
    assert "\n" not in str(told.value)


class Runs:
    def __reduce__(self):
        return Path.touch, (Path(self.where),)

    def __init__(self, where):
        self.where = str(where)


def test_a_pickle_that_would_run_code_is_refused_and_does_not(tmp_path):
    torch.save({"a": Runs(tmp_path / "ran")}, tmp_path / "net.pt")
    with pytest.raises(WeightsError, match=r"net\.pt: .*run code"):
        opened(tmp_path / "net.pt")
    (tmp_path / "bare.pt").write_bytes(pickle.dumps(Runs(tmp_path / "ran")))
    with pytest.raises(WeightsError, match=r"bare\.pt: not a checkpoint"):
        opened(tmp_path / "bare.pt")
    assert not (tmp_path / "ran").exists()


def test_an_unwrapped_list_has_no_names(tmp_path):
    torch.save([torch.zeros(3)], tmp_path / "net.pt")
    with pytest.raises(WeightsError, match="no tensors by name"):
        opened(tmp_path / "net.pt")


@pytest.mark.parametrize(
    "header",
    [
        b"{",
        b'{"a": 3}',
        b'{"a": {"dtype": "F99", "shape": [1], "data_offsets": [0, 4]}}',
        b'{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}',
        b'{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}',
        b'{"a": {"dtype": "F32", "shape": [-1], "data_offsets": [4, 0]}}',
    ],
)
def test_headers_that_say_nonsense_are_refused(header, tmp_path):
    (tmp_path / "net").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    with pytest.raises(WeightsError, match="not a checkpoint"):
        opened(tmp_path / "net")


def test_a_folder_or_nothing_is_refused(tmp_path):
    with pytest.raises(WeightsError, match="cannot be read: Is a directory"):
        opened(tmp_path)
    with pytest.raises(WeightsError, match="cannot be read: No such file"):
        opened(tmp_path / "absent")


@pytest.fixture
def net():
    return torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 2))


def test_half_the_keys_are_told(net):
    half = {key: tensor for key, tensor in net.state_dict().items() if key.startswith("0")}
    with pytest.raises(WeightsError, match=r"file: .*2 missing \(1\.weight, 1\.bias\)$"):
        fitted(net, half, [], Path("file"))


def test_keys_too_many_are_told_unless_they_may_be_left_out(net):
    more = {**net.state_dict(), "head.a": torch.zeros(1), "tail.b": torch.zeros(1)}
    with pytest.raises(WeightsError, match=r"1 unexpected \(tail\.b\)$"):
        fitted(net, more, ["head."], Path("file"))
    fitted(net, more, ["head.", "tail."], Path("file"))


def test_another_shape_is_told(net):
    with pytest.raises(WeightsError, match=r"1\.bias is \(5,\), the network's is \(2,\)"):
        fitted(net, {**net.state_dict(), "1.bias": torch.zeros(5)}, [], Path("file"))


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_are_told(net, number):
    broken = {key: tensor.clone() for key, tensor in net.state_dict().items()}
    broken["1.weight"][1, 2] = number
    with pytest.raises(WeightsError, match=r"1\.weight holds NaN or infinity"):
        fitted(net, broken, [], Path("file"))


@pytest.mark.parametrize("size", [VggtSize, Da3Size])
def test_a_checkpoint_of_something_else_is_told(size):
    with pytest.raises(WeightsError, match="not a "):
        size.of({"layer1.0.conv1.weight": (64, 3, 7, 7)})
