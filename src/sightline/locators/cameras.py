"""Focal lengths of drones' cameras by name, for whoever knows the model and nothing else.

Source: "format equivalent" in the makers' own data sheets, in millimetres; facts put together here. They are those of
photos: a video mode that crops, or stabilisation that does, makes them longer.
"""

import re
from difflib import get_close_matches

from sightline.errors import OptionError

_NAMED: dict[float, tuple[str, ...]] = {
    20.0: (
        "Phantom 3 Standard", "Phantom 3 Advanced", "FC300S", "Phantom 3 Professional", "FC300X", "Phantom 4", "FC330",
        "Inspire 1", "Zenmuse X3", "FC350",
    ),
    22.0: ("Air 2S", "FC3411"),
    24.0: (
        "Phantom 4 Pro", "FC6310", "Phantom 4 RTK", "FC6310R", "Phantom 4 Advanced", "Mavic Air", "FC230",
        "Mavic Air 2", "FC3170", "Air 3", "FC8282", "Air 3S", "FC9113", "Mini", "Mavic Mini", "FC7203", "Mini SE",
        "Mini 2", "FC7303", "Mini 2 SE", "Mini 3", "Mini 3 Pro", "FC3582", "Mini 4 Pro", "FC8482", "Mini 4K",
        "Mini 5 Pro", "Flip", "Mavic 3", "L2D-20c", "Mavic 3 Classic", "Mavic 3 Pro", "Mavic 3E", "M3E",
        "Mavic 3 Enterprise", "Mavic 3T", "M3T", "Mavic 3 Thermal", "Mavic 3M", "M3M", "Mavic 3 Multispectral",
        "Matrice 30", "M30", "M30T", "Matrice 4E", "M4E", "Matrice 4T", "M4T", "Zenmuse H20", "Zenmuse H20T",
        "Mavic 2 Zoom",
    ),
    25.0: ("Spark", "FC1102"),
    26.0: ("Mavic Pro", "FC220", "Mavic Pro Platinum"),
    28.0: ("Mavic 2 Pro", "L1D-20c", "Mavic 4 Pro"),
    35.0: ("Zenmuse P1 35 mm",),
    40.0: ("Mavic 3T thermal", "M30T thermal"),
    48.0: ("Mavic 2 Zoom tele",),
    58.0: ("Zenmuse H20T thermal",),
    70.0: ("Air 3 tele", "Air 3S tele", "Mavic 3 Pro medium tele", "Mavic 4 Pro medium tele", "Matrice 4E medium tele"),
    162.0: ("Mavic 3 tele", "Mavic 3E tele", "Mavic 3T tele"),
    166.0: ("Mavic 3 Pro tele",),
    168.0: ("Mavic 4 Pro tele", "Matrice 4E tele"),
}  # fmt: skip
_PLAIN = re.compile(r"[^a-z0-9]|^dji")


def names() -> list[str]:
    """All that are known."""
    return [name for group in _NAMED.values() for name in group]


def focal_35mm_of(camera: str) -> float:
    """Focal length of a picture 36 mm wide, of the camera of that name, such as ``Mavic 3E`` or ``FC3582``.

    Capitals, blanks, hyphens and "DJI" before it change nothing.

    Raises:
        OptionError: it is not known; names those that are called alike.
    """
    known = {_plain(name): (name, focal) for focal, group in _NAMED.items() for name in group}
    wanted = _plain(camera)
    if wanted in known:
        return known[wanted][1]
    near = [known[plain][0] for plain in get_close_matches(wanted, known, n=3, cutoff=0.6)]
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
    raise OptionError(
        f"camera {camera[:60]!r} is not known{hint}; else give fov_deg or focal_35mm, from its data sheet"
    )


def _plain(name: str) -> str:
    """Letters and digits."""
    return _PLAIN.sub("", name.strip().lower())
