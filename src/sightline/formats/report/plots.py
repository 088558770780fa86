"""Small drawings as inline SVG, coloured by the page's own style sheet."""

from base64 import b64encode
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float
from markupsafe import Markup

from sightline.formats.report.page import Chart, Curve, GroundMap, MapPicture, Trail

_MOST_POINTS = 600
"""Of one line; more cannot be seen and make the page heavy."""
_MAP_PX = 720.0
_WIDE, _HIGH, _LEFT, _BELOW = 440.0, 150.0, 30.0, 22.0
_GOLDEN_DEG = 137.508
"""Turning the hue by this keeps neighbouring numbers apart."""


def ground_map(ground: GroundMap) -> Markup:
    """Tracks from above, north up, on a grid in metres; nothing if no track has a place."""
    reach = _extent(ground)
    if reach is None:
        return Markup()
    low, high = reach
    scale = _MAP_PX / float(high[0] - low[0])
    tall = min(float(high[1] - low[1]) * scale, _MAP_PX)
    scale = min(scale, tall / float(high[1] - low[1]))
    shift = np.array([(_MAP_PX - (high[0] - low[0]) * scale) / 2, 0.0])

    def px(xy_m: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
        return shift + (xy_m - low) * [scale, -scale] + [0.0, tall]

    step_m = _step(float((high - low).max()) / 6)
    grid = _grid(px, low, high, step_m)
    drawn = [_line(px(trail.xy_m), "truth") for trail in ground.truth]
    drawn += [_trail(trail, px(trail.xy_m), scale) for trail in ground.found]
    return Markup(
        '<svg class="plot map" viewBox="0 0 {w:.0f} {h:.0f}" role="img" aria-label="Tracks from above">'
        "{under}{grid}{drawn}</svg>"
        "<figcaption>{caption} {north}{a} square is {step} m wide.</figcaption>"
    ).format(
        w=_MAP_PX,
        h=tall,
        under=_under(ground.under, px),
        grid=grid,
        drawn=Markup().join(drawn),
        caption=ground.caption,
        north="North is up; " if ground.is_north_up else "",
        a="a" if ground.is_north_up else "A",
        step=f"{step_m:g}",
    )


def hue(number: int) -> str:
    """The colour of a track's number, as degrees; the same wherever it is shown."""
    return f"{number * _GOLDEN_DEG % 360:.0f}"


def inlined(jpeg: bytes) -> str:
    """A picture as an address that holds it."""
    return f"data:image/jpeg;base64,{b64encode(jpeg).decode()}"


def chart(shown: Chart) -> Markup:
    """Step lines over seconds, from 0 up; nothing if no curve has a point."""
    curves = [curve for curve in shown.curves if len(curve.t_s)]
    if not curves:
        return Markup()
    first, last = min(float(c.t_s[0]) for c in curves), max(float(c.t_s[-1]) for c in curves)
    top = max(1.0, *(float(np.nanmax(c.n)) for c in curves))
    right, bottom = _WIDE - 8, _HIGH - _BELOW

    def px(xy: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
        across = _LEFT + (xy[:, 0] - first) / max(last - first, 1e-9) * (right - _LEFT)
        return np.stack([across, bottom - xy[:, 1] / (1.08 * top) * (bottom - 8)], axis=1)

    rows = np.arange(0, 1.08 * top, max(_step(top / 3), 1.0))
    columns = _ticks(first, last, _step((last - first) / 5))
    marks = [_mark(px(np.array([[first, y]]))[0], f"{y:g}", horizontal=True) for y in rows]
    marks += [_mark(px(np.array([[x, 0.0]]))[0], f"{x:g} s", horizontal=False) for x in columns]
    lines = [_line(px(_stairs(curve)), f"curve curve{k}") for k, curve in enumerate(curves[:4])]
    return Markup(
        '<svg class="plot chart" viewBox="0 0 {w:.0f} {h:.0f}" role="img" aria-label="{title}">{marks}{lines}</svg>'
    ).format(w=_WIDE, h=_HIGH, title=shown.title, marks=Markup().join(marks), lines=Markup().join(reversed(lines)))


def _stairs(curve: Curve) -> Float[np.ndarray, "n 2"]:
    """Corners of the line that holds each value until the next, thinned to what can be seen."""
    keep = _thinned(len(curve.t_s))
    t_s, n = curve.t_s[keep].astype(float), curve.n[keep].astype(float)
    return np.stack([np.repeat(t_s, 2)[1:], np.repeat(n, 2)[:-1]], axis=1)


def _extent(ground: GroundMap) -> tuple[Float[np.ndarray, " 2"], Float[np.ndarray, " 2"]] | None:
    """Lower left and upper right corner of what is drawn; None where there is nothing."""
    if ground.under is not None:
        return np.array(ground.under.low_m), np.array(ground.under.high_m)
    points = np.concatenate([np.zeros((0, 2)), *(_reach(trail) for trail in (*ground.truth, *ground.found))])
    if not len(points):
        return None
    low, high = points.min(axis=0), points.max(axis=0)
    margin = max(0.04 * float((high - low).max()), 0.5)
    return low - margin, high + margin


def _under(picture: MapPicture | None, px: Callable[[np.ndarray], np.ndarray]) -> Markup:
    """The picture beneath."""
    if picture is None:
        return Markup()
    (left, top), (right, bottom) = px(
        np.array([[picture.low_m[0], picture.high_m[1]], [picture.high_m[0], picture.low_m[1]]])
    )
    return Markup(
        '<image x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" preserveAspectRatio="none" href="{uri}"/>'
    ).format(x=left, y=top, w=right - left, h=bottom - top, uri=inlined(picture.jpeg))


def _reach(trail: Trail) -> Float[np.ndarray, "m 2"]:
    """What must be on the map: its points, and the circle about its end."""
    there = trail.xy_m[np.isfinite(trail.xy_m).all(axis=1)]
    if trail.circle_m is None or not len(there):
        return there
    return np.concatenate([there, there[-1] + trail.circle_m * np.array([[-1.0, -1.0], [1.0, 1.0]])])


def _trail(trail: Trail, xy_px: Float[np.ndarray, "n 2"], scale: float) -> Markup:
    """A found track in its colour, with its number and circle where it ends."""
    there = np.flatnonzero(np.isfinite(xy_px).all(axis=1))
    if not len(there):
        return Markup()
    x, y = xy_px[there[-1]]
    end = Markup('<circle cx="{x:.1f}" cy="{y:.1f}" r="4"/><text x="{tx:.1f}" y="{y:.1f}">{number}</text>')
    doubt = Markup()
    if trail.circle_m is not None:
        doubt = Markup('<circle class="doubt" cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}"/>').format(
            x=x, y=y, r=trail.circle_m * scale
        )
    return Markup('<g class="found" style="--hue:{hue}">{doubt}{line}{end}</g>').format(
        hue=hue(trail.number),
        doubt=doubt,
        line=_line(xy_px, "trail"),
        end=end.format(x=x, y=y, tx=x + 7, number=trail.number),
    )


def _line(xy_px: Float[np.ndarray, "n 2"], kind: str) -> Markup:
    """A line through the points, broken at NaN."""
    xy_px = xy_px[_thinned(len(xy_px))]
    there = np.isfinite(xy_px).all(axis=1)
    begins = there & ~np.concatenate([[False], there[:-1]])
    words = [
        f"{'M' if begin else 'L'}{x:.1f} {y:.1f}" for (x, y), begin in zip(xy_px[there], begins[there], strict=True)
    ]
    return Markup('<path class="{kind}" d="{d}"/>').format(kind=kind, d="".join(words))


def _grid(px: Callable[[np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray, step: float) -> Markup:
    """Lines every ``step`` metres."""
    lines = [np.array([[x, low[1]], [x, high[1]]]) for x in _ticks(low[0], high[0], step)]
    lines += [np.array([[low[0], y], [high[0], y]]) for y in _ticks(low[1], high[1], step)]
    return Markup().join(_line(px(line), "grid") for line in lines)


def _mark(at_px: np.ndarray, text: str, *, horizontal: bool) -> Markup:
    """A tick's label, and for rows its line."""
    if not horizontal:
        return Markup('<text class="x" x="{x:.1f}" y="{y:.1f}">{text}</text>').format(
            x=at_px[0], y=_HIGH - 6, text=text
        )
    line = _line(np.array([[_LEFT, at_px[1]], [_WIDE - 8, at_px[1]]]), "grid")
    return Markup('{line}<text class="y" x="{x:.1f}" y="{y:.1f}">{text}</text>').format(
        line=line, x=_LEFT - 6, y=at_px[1] + 4, text=text
    )


def _thinned(n: int) -> slice:
    """Every k-th of ``n`` points, so that not too many are left."""
    return slice(None, None, max(1, -(-n // _MOST_POINTS)))


def _step(about: float) -> float:
    """1, 2 or 5 times a power of ten, nearest above."""
    power = 10.0 ** np.floor(np.log10(max(about, 1e-9)))
    return float(next(k * power for k in (1, 2, 5, 10) if k * power >= about * (1 - 1e-9)))


def _ticks(low: float, high: float, step: float) -> Sequence[float]:
    """Multiples of ``step`` from ``low`` to ``high``."""
    return [float(x) for x in step * np.arange(np.ceil(low / step), np.floor(high / step) + 1)]
