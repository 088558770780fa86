"""The kind ``reconstruct``: what it takes, its steps, and what comes of them."""

import json
import runpy
import zipfile
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from sightline.errors import EngineError, FormatError, OptionError, SourceError
from sightline.formats.scenes import npz, ply
from sightline.jobs import kinds
from sightline.jobs.album import enu_m, of_pictures, of_video
from sightline.jobs.kinds import Task
from sightline.jobs.kinds.kind import KeptFile
from sightline.jobs.kinds.reconstruct import export, prepare, reconstruct
from sightline.jobs.worker import _plain
from sightline.model.scene import DensePoints, MadeBy, Scene, Views
from sightline.settings import load
from sightline.stores.artifacts import artifacts_at

ENGINE = Path(__file__).parents[2] / "scripted_reconstructor.py"
KIND = "reconstruct"


def never():
    return False


def quiet(*_):
    pass


def photo(path, seed=0, size=(48, 32), **more):
    rng = np.random.default_rng(seed)
    Image.fromarray(rng.integers(30, 220, (size[1], size[0], 3), np.uint8)).save(path, **more)
    return path


@pytest.fixture
def scripted(tmp_path, monkeypatch):
    """The scripted engine, installed; the file in which its calls are noted."""
    site = tmp_path / "site"
    site.mkdir()
    runpy.run_path(str(ENGINE))["install"](site)
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("SCRIPTED_CALLS", str(tmp_path / "calls.txt"))
    return tmp_path / "calls.txt"


@pytest.fixture
def job(tmp_path, scripted):
    """Does all steps of a job on some files, given as names and paths: what each came to, and the work folder."""
    settings = _plain(load(None, data_folder=tmp_path / "data"))
    store = artifacts_at(settings.artifacts_url())

    def do(files, work="work", until=3, **params):
        sources = [f"artifact:{number:032x}" for number in range(len(files))]
        kept = dict(zip(sources, [KeptFile(store.put(path).key, name) for name, path in files], strict=True))
        if "scene" in params:
            kept["artifact:" + "a" * 32] = KeptFile(store.put(params["scene"]).key, "kept.npz")
            params["scene"] = "artifact:" + "a" * 32
        given = kinds.kind(KIND).checked({"sources": sources, "engine": "scripted", **params})
        done = {}
        for step in kinds.kind(KIND).steps_for({})[:until]:
            folder = tmp_path / work / step.name
            folder.mkdir(parents=True)
            task = Task(job_id="1", params=given, folder=folder, settings=settings, files=kept, earlier=dict(done))
            done[step.name] = json.loads(json.dumps(step.work(task, quiet, never)))
        return done, tmp_path / work

    return do


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    return [(f"{n}.jpg", photo(folder / f"{n}.jpg", seed=n)) for n in range(3)]


def test_pictures_go_in_and_a_scene_comes_out(job, photos):
    done, folder = job(photos, formats=["ply", "colmap", "nerfstudio"])
    names = [file["name"] for file in done["export"]["artifacts"]]
    assert names == ["scene.glb", "cameras.json", "points.ply", "colmap.zip", "nerfstudio.zip", "predictions.npz"]
    assert done["export"]["summary"]["pictures"] == ["0.jpg", "1.jpg", "2.jpg"]
    assert (done["export"]["summary"]["engine"], done["export"]["summary"]["views_registered"]) == ("scripted", 3)
    scene = npz.read(folder / "reconstruct" / "predictions.npz")
    assert len(scene.views) == 3
    # Half of the confidence is low: of 3 x 12 x 16 points, that half goes.
    assert len(ply.read(folder / "export" / "points.ply")) == 3 * 12 * 8
    assert {"images/0.jpg", "sparse/0/cameras.bin"} <= set(zipfile.ZipFile(folder / "export/colmap.zip").namelist())
    straight = zipfile.ZipFile(folder / "export/nerfstudio.zip")
    frames = json.loads(straight.read("transforms.json"))["frames"]
    assert {frame["file_path"] for frame in frames} <= set(straight.namelist())
    assert len(frames) == 3


def test_the_cameras_are_told_as_three_js_wants_them(job, photos):
    _, folder = job(photos)
    said = json.loads((folder / "export" / "cameras.json").read_text())
    assert (said["numFrames"], said["hasDepth"], said["hasWorldPoints"]) == (3, True, False)
    assert (said["imageShape"], said["depthShape"]) == ([3, 3, 12, 16], [3, 12, 16, 1])
    camera = said["cameras"][2]
    assert camera["position"] == [2.0, 0.0, 0.0]
    assert np.shape(camera["extrinsic"]) == (3, 4)
    matrix = np.array(camera["threeMatrix"]).reshape(4, 4).T
    assert np.allclose(matrix[:3, 3], camera["position"])
    assert np.allclose(matrix[:3, :3], np.diag([1.0, -1.0, -1.0]) @ np.diag([-1.0, 1.0, -1.0]))


def test_the_same_pictures_give_the_same_files(job, photos):
    first, _ = job(photos, formats=["ply", "colmap"])
    second, _ = job(photos, work="again", formats=["ply", "colmap"])
    assert first["export"]["artifacts"] == second["export"]["artifacts"]


def test_other_filters_need_no_inference(job, photos, scripted):
    _, folder = job(photos, formats=["ply"])
    kept = folder / "reconstruct" / "predictions.npz"
    filters = {"confidence_percentile": 0.0, "view": 1, "show_cameras": False}
    done, again = job([], work="again", scene=kept, formats=["ply"], filters=filters)
    assert done["reconstruct"] == {}
    assert scripted.read_text().split() == ["3"]
    assert len(ply.read(again / "export" / "points.ply")) == 12 * 16
    assert done["export"]["artifacts"][-1]["name"] == "predictions.npz"


def test_a_known_distance_makes_metres(job, photos):
    done, folder = job(photos, known={"distance": {"images": ["0.jpg", "2.jpg"], "metres": 5}})
    assert (done["export"]["summary"]["scale"], done["export"]["summary"]["is_metric"]) == ("distance", True)
    cameras = json.loads((folder / "export" / "cameras.json").read_text())["cameras"]
    assert [camera["position"][0] for camera in cameras] == [0.0, 2.5, 5.0]


def test_a_surface_is_made_of_a_kept_scene(job, tmp_path):
    rows, columns = np.mgrid[:40, :40].astype(np.float32) / 20
    flat = np.stack([columns, rows, np.ones_like(rows)], axis=-1).reshape(-1, 3)
    normal = np.tile(np.float32([0, 0, -1]), (len(flat), 1))
    nothing = Views((), np.zeros(0, np.int64), np.zeros((0, 4, 4)), np.zeros(0, bool))
    points = DensePoints(flat, np.full(flat.shape, 90, np.uint8), normal)
    npz.write(Scene((), nothing, MadeBy("sfm", "1"), dense=points), tmp_path / "kept.npz")
    _, folder = job([], scene=tmp_path / "kept.npz", mesh=True)
    glb = (folder / "export" / "scene.glb").read_bytes()
    named = {mesh["name"] for mesh in json.loads(glb[20 : 20 + int.from_bytes(glb[12:16], "little")])["meshes"]}
    assert named == {"points", "surface"}
    npz.write(Scene((), nothing, MadeBy("sfm", "1")), tmp_path / "empty.npz")
    with pytest.raises(OptionError, match="mesh: 0 points with normals"):
        job([], work="again", scene=tmp_path / "empty.npz", mesh=True)


def test_forms_made_with_pictures_say_that_they_need_them(job, photos):
    _, folder = job(photos)
    with pytest.raises(OptionError, match="formats: colmap is made with the pictures"):
        job([], work="again", scene=folder / "reconstruct" / "predictions.npz", formats=["colmap"])


def test_a_scene_that_is_none_is_named_as_it_was_brought(job, photos, tmp_path):
    with pytest.raises(FormatError, match=r"^kept.npz: not an NPZ file"):
        job([], scene=photos[0][1])


def test_pictures_that_make_no_scene_fail_with_the_reason_and_leave_what_there_is(job, photos):
    done, folder = job(photos, until=2, options={"blind": True})
    assert [file["name"] for file in done["reconstruct"]["artifacts"]] == ["partial.npz"]
    assert len(npz.read(folder / "reconstruct" / "partial.npz").views) == 3
    task = Task(job_id="1", params={}, folder=folder, settings=load(None), earlier=done)
    with pytest.raises(EngineError, match="do not overlap; take them closer together"):
        export(task, quiet, never)


def test_damaged_pictures_are_left_out_and_told(job, photos, tmp_path):
    whole = photo(tmp_path / "large.jpg", size=(400, 300)).read_bytes()
    (tmp_path / "half.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "page.jpg").write_text("<html>")
    done, _ = job([*photos, ("half.jpg", tmp_path / "half.jpg"), ("page.jpg", tmp_path / "page.jpg")])
    left_out = done["export"]["summary"]["left_out"]
    assert [line.partition(":")[0] for line in left_out] == ["half.jpg", "page.jpg"]
    assert done["export"]["summary"]["pictures"] == ["0.jpg", "1.jpg", "2.jpg"]


def test_too_few_pictures_say_why(job, photos, tmp_path):
    (tmp_path / "page.jpg").write_text("<html>")
    with pytest.raises(SourceError, match=r"1 of 2 pictures can be used, it takes at least two; page.jpg: no picture"):
        job([photos[0], ("page.jpg", tmp_path / "page.jpg")])


def test_names_are_safe_and_not_there_twice(job, photos):
    paths = [path for _, path in photos]
    done, _ = job(list(zip(["../../a.jpg", "/b/a.jpg", "c:\\d\n.jpg"], paths, strict=True)), formats=["colmap"])
    assert done["export"]["summary"]["pictures"] == ["a.jpg", "a-2.jpg", "c__d_.jpg"]


def test_turned_pictures_stand_upright_with_what_the_camera_noted(job, tmp_path):
    noted = Image.Exif()
    noted[0x112], noted[0x110] = 6, "X1"
    noted.get_ifd(0x8769)[0xA405] = 36
    files = [(f"{n}.jpg", photo(tmp_path / f"{n}.jpg", seed=n, exif=noted)) for n in range(2)]
    done, folder = job(files)
    (first, _) = done["prepare"]["pictures"]
    assert (first["width"], first["height"], first["focal_sides"]) == (32, 48, 1.0)
    scene = npz.read(folder / "reconstruct" / "predictions.npz")
    assert (scene.lenses[0].width, scene.lenses[0].height) == (32, 48)


@pytest.fixture(scope="module")
def pan(tmp_path_factory):
    """Six seconds: the camera is at rest for three, then pans."""
    path = tmp_path_factory.mktemp("pan") / "pan.mp4"
    rng = np.random.default_rng(0)
    wall = cv2.GaussianBlur(rng.integers(0, 256, (240, 960, 3)).astype(np.uint8), (0, 0), 1.5)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=12, options={"g": "12"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(72):
            left = max(number - 36, 0) * 8
            picture = np.ascontiguousarray(wall[:, left : left + 320])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def test_of_a_video_pictures_are_taken_that_show_something_new(pan, tmp_path):
    album = of_video(pan, tmp_path / "pictures", None, 100, quiet, never)
    numbers = [int(one.name[6:-4]) for one in album.pictures]
    assert album.is_sequence
    assert numbers[0] == 0
    assert all(number >= 36 for number in numbers[1:])
    assert len(numbers) >= 8
    assert all(Path(one.path).is_file() for one in album.pictures)


def test_no_more_pictures_are_taken_than_asked(pan, tmp_path):
    every = of_video(pan, tmp_path / "pictures", 2.0, 100, quiet, never).pictures
    numbers = [int(one.name[6:-4]) for one in every]
    assert min(np.diff(numbers)) >= 6


def test_a_long_video_gives_no_more_than_was_asked(pan, tmp_path):
    assert len(of_video(pan, tmp_path / "pictures", None, 3, quiet, never).pictures) <= 3


def test_one_video_among_uploads_is_known_by_what_is_in_it(job, pan):
    done, _ = job([("upload", pan)], video_fps=10.0)
    assert done["prepare"]["is_sequence"]
    assert done["export"]["summary"]["pictures"][0].startswith("frame_0000")


def test_a_video_that_is_none_is_named_as_it_was_brought(job, tmp_path):
    (tmp_path / "a").write_bytes(b"\0\1\2" * 1000)
    with pytest.raises(SourceError, match=r"^holiday\.mp4: "):
        job([("holiday.mp4", tmp_path / "a")])


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({}, "give pictures or one video"),
        ({"sources": ["artifact:" + "0" * 32], "source": "x.mp4"}, "give pictures or one video"),
        ({"sources": ["/etc/passwd"]}, r"sources.0"),
        ({"source": "rtsp://cam/1"}, "a stream does not end"),
        ({"source": "x.mp4", "engine": "magic"}, "no reconstructor 'magic'; there are: sfm"),
        ({"source": "x.mp4", "options": {"weights": "/etc/passwd"}}, "options.weights: paths are not taken"),
        ({"source": "x.mp4", "formats": ["exe"]}, "formats.0"),
        ({"source": "x.mp4", "filters": {"confidence_percentile": 101}}, "filters.confidence_percentile"),
        ({"source": "x.mp4", "filters": {"mode": "guess"}}, "filters.mode"),
    ],
)
def test_what_makes_no_sense_is_named(params, why):
    with pytest.raises(OptionError, match=why):
        kinds.kind(KIND).checked(params)


def test_places_on_earth_become_metres():
    metres = enu_m([None, (51.0, 0.0, 10.0), (51.001, 0.0, 10.0), (51.0, 0.001, 30.0)])
    assert metres[0] is None
    assert np.allclose(metres[1], 0)
    assert np.allclose(metres[2], [0.0, 111.257, 0.0], atol=0.01)
    assert np.allclose(metres[3], [70.197, 0.0005, 20.0], atol=0.01)
    without = enu_m([(51.0, 0.0, None), (51.0, 0.001, 30.0)])
    assert abs(without[1][2]) < 0.01


def test_stopping_ends_the_gathering(tmp_path):
    assert of_pictures([("a.jpg", tmp_path / "a.jpg")], "sfm", quiet, lambda: True).pictures == ()


def test_the_steps_are_those_that_the_run_server_tells_apart():
    assert [step.work for step in kinds.kind(KIND).steps_for({})] == [prepare, reconstruct, export]
