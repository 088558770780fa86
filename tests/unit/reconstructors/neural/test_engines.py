"""The engines, from pictures to a scene; with networks too small to know anything."""

import subprocess
import sys

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image

from sightline import weights, wiring
from sightline.errors import EngineError, OptionError, ReconstructionError, WeightsError
from sightline.jobs.rebuild import RebuildJob, run
from sightline.model.shots import Shot, Shots
from sightline.reconstructors.looks.found import found
from sightline.reconstructors.looks.loading import ready
from sightline.reconstructors.looks.memory import together
from sightline.reconstructors.networks.block import Mlp
from sightline.reconstructors.networks.precision import Rounded, lighten


def tell(step, done, total):
    pass


def never():
    return False


def pictures(n, size=(60, 80), *, is_sequence=False):
    def shot(number):
        height, width = size if number else (size[0] + 10, size[1])
        rgb = np.random.default_rng(number).integers(0, 255, (height, width, 3), np.uint8)
        return Shot(f"{number}.png", lambda: rgb)

    return Shots(tuple(map(shot, range(n))), is_sequence)


def build(name, **options):
    return wiring.build("reconstructor", name, {"side_px": 56, "device": "cpu", "precision": "float32", **options})


@pytest.mark.parametrize(("engine", "kind"), [("vggt", "vggt"), ("da3", "da3"), ("neural", "vggt"), ("neural", "da3")])
def test_pictures_become_a_scene_that_says_what_made_it(engine, kind, files):
    scene = build(engine, weights=str(files[kind])).reconstruct(pictures(3), tell, never)
    assert scene.views.names == ("0.png", "1.png", "2.png")
    assert scene.views.is_registered.all()
    assert (scene.lenses[0].height, scene.lenses[1].height) == (70, 60)
    assert all((one.depth > 0).all() for one in scene.maps)
    assert scene.made_by.engine == kind
    assert scene.made_by.weights == f"{kind}.pt, sha256 {weights.sha256_of(files[kind])}"
    assert scene.made_by.weights_licence == "unknown"


def test_the_network_says_points_if_asked(files):
    scene = build("vggt", weights=str(files["vggt"]), points=True).reconstruct(pictures(2), tell, never)
    assert scene.maps[0].xyz_scene.shape == (*scene.maps[0].depth.shape, 3)
    assert build("vggt", weights=str(files["vggt"])).reconstruct(pictures(2), tell, never).maps[0].xyz_scene is None


def test_a_long_video_is_looked_at_in_parts_and_is_one_scene(files):
    steps = []
    engine = build("vggt", weights=str(files["vggt"]), chunk=4)
    scene = engine.reconstruct(pictures(9, is_sequence=True), lambda *step: steps.append(step), never)
    assert scene.views.is_registered.all()
    assert scene.made_by.settings["looks"] == 4
    assert ("looking", 4, 4) in steps


@pytest.mark.parametrize("n", [1, 2])
def test_few_pictures_are_enough(n, files):
    assert len(build("da3", weights=str(files["da3"])).reconstruct(pictures(n), tell, never).views) == n


def test_no_picture_is_told(files):
    with pytest.raises(ReconstructionError, match="no pictures"):
        build("da3", weights=str(files["da3"])).reconstruct(Shots(()), tell, never)


def test_ten_thousand_pictures_are_told_before_they_are_all_read(files):
    read = []
    one = Shot("0.png", lambda: np.zeros((1000, 1000, 3), np.uint8))

    def later():
        read.append(None)
        return one.read()

    many = Shots((one, *(Shot(f"{n}.png", later) for n in range(1, 10_000))))
    with pytest.raises(EngineError, match=r"10000 pictures take \d+\.\d GB at this size.* give at most \d+"):
        build("da3", weights=str(files["da3"]), side_px=4998).reconstruct(many, tell, never)
    assert not read


def test_too_little_memory_is_told(files):
    net = ready(found(str(files["da3"])), None, "float32", "cpu", points=False)
    with pytest.raises(EngineError, match=r"not enough memory on cpu: 0\.4 GB free, about \d\.\d needed"):
        together(net, (504, 504), 10, 400 << 20, points=False)
    plenty = together(net, (504, 504), 10_000, 40 << 30, points=False)
    assert 4 <= together(net, (504, 504), 10_000, 2 << 30, points=False) < plenty < 10_000
    assert together(net, (504, 504), 3, 40 << 30, points=False) == 3


def test_it_ends_when_asked(files):
    with pytest.raises(EngineError, match="stopped"):
        build("vggt", weights=str(files["vggt"])).reconstruct(pictures(2), tell, lambda: True)


@pytest.mark.parametrize(
    "option", [{"side_px": 20}, {"chunk": 1}, {"chunk": -3}, {"device": "cuda:9"}, {"device": "quantum"}]
)
def test_options_that_will_not_do_are_told(option, files):
    with pytest.raises(OptionError, match=str(next(iter(option.values())))):
        build("da3", weights=str(files["da3"]), **option).reconstruct(pictures(2), tell, never)


def test_weights_of_the_other_network_are_told(files):
    with pytest.raises(WeightsError, match=r"da3\.pt: weights for the engine da3, not vggt; --engine da3"):
        build("vggt", weights=str(files["da3"])).reconstruct(pictures(2), tell, never)


def test_weights_of_another_thing_are_told(shelf, tmp_path):
    torch.save({"conv1.weight": torch.zeros(3)}, tmp_path / "resnet.pt")
    with pytest.raises(WeightsError, match=r"resnet\.pt: neither VGGT nor Depth Anything 3.*conv1\.weight"):
        build("neural", weights=str(tmp_path / "resnet.pt")).reconstruct(pictures(2), tell, never)


@pytest.mark.parametrize("kind", ["vggt", "da3"])
def test_half_a_checkpoint_is_told(kind, files):
    tensors = torch.load(files[kind])
    torch.save(dict(list(tensors.items())[: len(tensors) // 2]), files[kind])
    with pytest.raises(WeightsError, match=rf"{kind}\.pt: not "):
        build(kind, weights=str(files[kind])).reconstruct(pictures(2), tell, never)


def test_without_weights_it_says_which_it_would_take_and_how_to_get_them(shelf):
    with pytest.raises(WeightsError, match=r"Depth Anything 3 Base.*Apache-2\.0, any use.*models pull da3-base"):
        build("neural").reconstruct(pictures(2), tell, never)
    with pytest.raises(WeightsError, match=r"CC-BY-NC-4\.0, NOT for commercial use.*models pull vggt-1b"):
        build("vggt").reconstruct(pictures(2), tell, never)
    with pytest.raises(WeightsError, match="ask for access"):
        build("vggt", weights="vggt-1b-commercial").reconstruct(pictures(2), tell, never)
    with pytest.raises(WeightsError, match="no such file, and no weights of that name; known are da3-small"):
        build("vggt", weights="vggt-2b").reconstruct(pictures(2), tell, never)


def test_weights_on_the_shelf_are_known_by_name_with_their_licence(files):
    weights.add("da3-small", files["da3"])
    there = found("")
    assert (there.name, there.licence, there.path.suffix) == ("da3-small", "Apache-2.0", ".pt")
    scene = build("neural").reconstruct(pictures(2), tell, never)
    assert scene.made_by.weights_licence == "Apache-2.0"
    weights.remove("da3-small")
    assert not there.path.exists()


def test_a_repository_that_was_fetched_before_is_found(files, tmp_path):
    there = tmp_path / "hub" / "hub" / "models--facebook--VGGT-1B" / "snapshots" / "abc"
    there.mkdir(parents=True)
    (there / "model.pt").write_bytes(files["vggt"].read_bytes())
    one = found("facebook/VGGT-1B")
    assert (one.path, one.name, one.licence) == (there / "model.pt", "facebook/VGGT-1B", "CC-BY-NC-4.0")
    with pytest.raises(WeightsError, match=r"nothing is fetched unasked; .*da3-small"):
        found("depth-anything/DA3-SMALL")
    with pytest.raises(WeightsError, match="huggingface-cli download some/thing"):
        found("some/thing")


def test_bytes_are_as_good_as_their_rounding():
    torch.manual_seed(0)
    exact = torch.nn.Linear(256, 128).requires_grad_(False)
    x = torch.randn(2, 40, 256)
    off = (Rounded(exact)(x) - exact(x)).abs().max() / exact(x).abs().max()
    assert off < 0.02
    assert torch.equal(Rounded(exact)(torch.zeros(1, 3, 256)), exact.bias.expand(1, 3, 128))


@pytest.mark.parametrize(("precision", "most_off"), [("bfloat16", 0.05), ("int8", 0.15)])
def test_rougher_reckoning_gives_nearly_the_same_depth(precision, most_off, small_vggt, pictures_of, copied):
    rough = copied(small_vggt)
    lighten(rough.aggregator, precision, torch.device("cpu"))
    assert any(isinstance(part, Mlp) and part.fc1.weight.dtype != torch.float32 for part in rough.aggregator.modules())
    exact, found_ = (net(pictures_of(3), 3, lambda: None) for net in (small_vggt, rough))
    off = ((found_.depth - exact.depth).abs() / exact.depth).median()
    assert 0 < off < most_off


def test_one_picture_in_a_folder_is_enough(files, tmp_path):
    (tmp_path / "one").mkdir()
    Image.fromarray(pictures(1).shots[0].read()).save(tmp_path / "one" / "a.png")
    options = {"weights": str(files["da3"]), "side_px": 56, "device": "cpu", "precision": "float32"}
    job = RebuildJob(sources=(tmp_path / "one",), folder=tmp_path / "out", engine="da3", options=options)
    assert run(job, tell, never)["views_registered"] == 1


def test_colmap_is_not_loaded_for_a_network():
    code = "import sys, sightline.reconstructors.looks.rebuilding; sys.exit('pycolmap' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_files_come_out_as_from_any_engine(files, tmp_path):
    for number, shot in enumerate(pictures(3).shots):
        Image.fromarray(shot.read()).save(tmp_path / f"{number}.png")
    options = {"weights": str(files["vggt"]), "side_px": 56, "device": "cpu", "precision": "float32"}
    sources = tuple(tmp_path / f"{number}.png" for number in range(3))
    job = RebuildJob(sources=sources, folder=tmp_path / "out", engine="vggt", options=options, forms=("colmap",))
    result = run(job, tell, never)
    assert (result["views_registered"], result["engine"]) == (3, "vggt")
    assert result["points"] > 100
    said = trimesh.load(tmp_path / "out" / "scene.glb")
    assert any(isinstance(part, trimesh.PointCloud) for part in said.geometry.values())
    assert (tmp_path / "out" / "colmap.zip").stat().st_size > 1000
