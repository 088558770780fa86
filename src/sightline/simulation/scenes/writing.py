"""A photographed place as files: the pictures, and the truth about them."""

from pathlib import Path

import cv2
import numpy as np

from sightline.errors import FormatError
from sightline.files import whole
from sightline.model.lens import Lens, LensModel
from sightline.model.scene import MadeBy, Maps, Scale, Scene, Views
from sightline.simulation.scenes.stage import Stage

TRUTH = "truth.npz"
_ARRAYS = ("names", "cam_from_scene", "lens_model", "lens_params", "size", "px_from_cam", "depth", "made_by")


def write(stage: Stage, folder: Path) -> list[Path]:
    """The pictures as PNG in ``images``, and ``truth.npz``; those that were there are replaced.

    Raises:
        OSError: a file cannot be written.
    """
    paths = [folder / "images" / name for name in stage.names]
    for view, path in enumerate(paths):
        encoded = cv2.imencode(".png", cv2.cvtColor(stage.picture(view), cv2.COLOR_RGB2BGR))[1]
        with whole(path) as file:
            file.write_bytes(encoded.tobytes())
    with whole(folder / TRUTH) as file:
        _put(stage.truth(), file)
    return [*paths, folder / TRUTH]


def _put(truth: Scene, path: Path) -> None:
    """The cameras, the lens and the depth."""
    lens, maps = truth.lenses[0], [one for one in truth.maps if one is not None]
    np.savez(
        path,
        names=np.array(truth.views.names),
        cam_from_scene=truth.views.cam_from_scene,
        lens_model=np.array(lens.model.value),
        lens_params=lens.params,
        size=np.array([lens.width, lens.height]),
        px_from_cam=maps[0].lens.px_from_cam,
        depth=np.stack([one.depth for one in maps if one.depth is not None]),
        made_by=np.array([truth.made_by.engine, truth.made_by.version]),
    )


def read(path: Path) -> Scene:
    """The truth in such a file.

    Raises:
        FormatError: the file is not one of these.
        OSError: it cannot be read.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            said = {name: file[name] for name in _ARRAYS}
    except (ValueError, KeyError, EOFError) as error:
        raise FormatError(f"{path}: not the truth about a made-up place ({str(error).splitlines()[0]})") from None
    width, height = said["size"].tolist()
    lens = Lens(LensModel(str(said["lens_model"])), width, height, said["lens_params"])
    straight = Lens.pinhole(width, height, said["px_from_cam"])
    n = len(said["names"])
    views = Views(tuple(said["names"].tolist()), np.zeros(n, np.int64), said["cam_from_scene"], np.ones(n, bool))
    engine, version = said["made_by"].tolist()
    maps = tuple(Maps(straight, depth=depth) for depth in said["depth"])
    return Scene((lens,), views, MadeBy(engine, version), maps, scale=Scale.POSES)
