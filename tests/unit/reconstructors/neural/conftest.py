"""Networks small enough for tests, with weights drawn by chance or as the golden numbers were made."""

import importlib.util
import json
from copy import deepcopy
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from sightline.reconstructors.networks.da3 import Da3Net, Da3Size
from sightline.reconstructors.networks.vggt import VggtNet, VggtSize

torch.set_num_threads(1)  # threads that wait for one another on a busy machine cost more than they bring
SMALL = VggtSize(64, 4, 4, 64, 2, 4, 37, 1, 16, (8, 8, 8, 8))
SMALL_DA3 = Da3Size(64, 37, 16, (8, 8, 8, 8))


def drawn(net):
    """The network with numbers that do not let pictures vanish or burst."""
    torch.manual_seed(1)
    for key, tensor in net.state_dict().items():
        if tensor.dim() > 1 and "token" not in key:
            torch.nn.init.normal_(tensor, std=(tensor[0].numel()) ** -0.5)
        elif key.endswith("gamma"):
            torch.nn.init.normal_(tensor, 0.3, 0.03)
        else:
            torch.nn.init.normal_(tensor, 1.0 if key.endswith("weight") else 0.0, 0.1)
    return net.requires_grad_(False).eval()


@pytest.fixture(scope="session")
def small_vggt():
    net = drawn(VggtNet(SMALL, points=True))
    net.camera_head.pose_branch.fc2.weight[7:] *= 0.05  # angles of view that lenses have
    net.camera_head.pose_branch.fc2.bias[7:] = 0.3
    return net


@pytest.fixture(scope="session")
def small_da3():
    net = drawn(Da3Net(SMALL_DA3))
    net.cam_dec.fc_fov[0].weight *= 0.05
    net.cam_dec.fc_fov[0].bias[:] = 1.2
    return net


@pytest.fixture(scope="session")
def made_up():
    """Fills a network with numbers drawn by chance."""
    return drawn


@pytest.fixture(scope="session")
def copied():
    """Makes a network of its own from another, to be changed."""
    return deepcopy


@pytest.fixture
def shelf(monkeypatch, tmp_path):
    """An empty shelf, and no place where others fetched anything."""
    monkeypatch.setenv("SIGHTLINE_MODELS", str(tmp_path / "shelf"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    return tmp_path / "shelf"


@pytest.fixture
def files(small_vggt, small_da3, tmp_path, shelf):
    """Checkpoints of the small networks, named as the published ones name their tensors."""
    made = {"vggt": tmp_path / "vggt.pt", "da3": tmp_path / "da3.pt"}
    torch.save(small_vggt.state_dict(), made["vggt"])
    torch.save({f"model.{key}": tensor for key, tensor in small_da3.state_dict().items()}, made["da3"])
    return made


@pytest.fixture(scope="session")
def pictures_of():
    """Makes n pictures of 42 x 56, all different."""

    def make(n):
        rng = np.random.default_rng(n)
        return torch.from_numpy(rng.random((n, 3, 42, 56), np.float32))

    return make


@pytest.fixture(scope="session")
def golden(shared):
    """Gives a set of golden numbers: ``weights`` by name, ``pictures(n)``, and the ``answers``."""
    spec = importlib.util.spec_from_file_location("stand_in_weights", shared / "golden" / "weights.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)

    @cache
    def give(name):
        shapes = json.loads((shared / "golden" / f"{name}.shapes.json").read_text())
        return SimpleNamespace(
            weights={key: torch.from_numpy(array) for key, array in made.state_dict(shapes).items()},
            pictures=lambda n: torch.from_numpy(made.images(n, 112, 154)),
            answers=dict(np.load(shared / "golden" / f"{name}.npz")),
        )

    return give


@pytest.fixture(scope="session")
def alike():
    """Says how far an array is from another: the largest difference, where the other is finite, to its largest."""

    def off(found, wanted):
        found, wanted = np.asarray(found), np.asarray(wanted).reshape(np.shape(found))
        known = np.isfinite(wanted) & (np.abs(wanted) < 1e6)  # an angle of view near 0 has no focal length
        assert known.mean() > 0.5
        return np.abs(found - wanted)[known].max() / np.abs(wanted[known]).max()

    return off
