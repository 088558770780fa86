"""Who is who across cameras, decided at once, by looks and by where people may be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import takewhile
from typing import Final, final

import numpy as np
from jaxtyping import Bool, Float, Int

from sightline.errors import OptionError
from sightline.estimation.assignment import assigned
from sightline.estimation.walk import surprise
from sightline.identifiers import contrast
from sightline.identifiers.contrast import Contrast
from sightline.identifiers.passage import Passage
from sightline.identifiers.remembered import State, checked
from sightline.model.identities import NOBODY, Identities, Sightings, Trajectories
from sightline.model.site import Watch

_FASTEST_MPS = 3.0
"""Nobody runs faster through a place where people walk."""
_RECENT_S = 2.0
"""So long a place tells who somebody is; later it only tells who somebody cannot be."""
_STROLL_MPS, _SWAY_M = 1.0, 0.2
"""How far people go meanwhile, more or less, and what places of different cameras are off by."""
_REACH_M = 1.0
"""What places may be wrong by beyond what they say."""
_DENSE_PER_M2 = 0.02
"""People not seen by a camera until now: one on 7 by 7 metres, in a crowd."""
_GATE = 16.0
_MOST = 6.0
"""Log odds that a place can count for at most: boxes err for seconds on end."""
_LOOK_WEIGHT = 20.0
"""Log odds per unit of cosine: a tenth more than the threshold is 7 to 1."""
_APART_WEIGHT, _APART = 10.0, 0.2
"""The same, and the threshold, once it is known what sets people apart: two are about 0 alike then, one 0.6."""
_REFRESH_S = 0.5
"""Looks in quicker succession show the same again."""
_VERSION: Final = 1
"""Of the state that a gallery gives."""
_LAYOUT: Final = {
    "version": "i",
    "cameras": "U c",
    "n_numbers": "i",
    "known_number": "i g",
    "known_look": "f g d",
    "known_looked_s": "f g",
    "known_seen_s": "f g",
    "known_camera": "i g",
    "known_xy_enu_m": "f g 2",
    "known_cov_enu_m2": "f g 2 2",
    "known_xyxy_share": "f g 4",
    "owner": "i o 3",
    "owner_seen_s": "f o",
    "holder": "i h 3",
    "person": "U p",
    "person_number": "i p",
}
_LEARNT: Final = "contrast_"
"""Begins the names of what the gallery's contrast knows."""


@dataclass(slots=True, eq=False)
class _Known:
    """G identities and what was last seen of them, column by column."""

    number: Int[np.ndarray, " g"]
    look: Float[np.ndarray, "g d"]
    looked_s: Float[np.ndarray, " g"]
    seen_s: Float[np.ndarray, " g"]
    camera: Int[np.ndarray, " g"]
    xy_enu_m: Float[np.ndarray, "g 2"]
    cov_enu_m2: Float[np.ndarray, "g 2 2"]
    xyxy_share: Float[np.ndarray, "g 4"]

    @classmethod
    def none(cls, n: int) -> "_Known":
        """Nobody, with looks of ``n`` numbers."""
        no, empty = np.zeros(0, np.int64), np.zeros(0)
        return cls(no, np.zeros((0, n)), empty, empty, no, np.zeros((0, 2)), np.zeros((0, 2, 2)), np.zeros((0, 4)))

    def rows(self, which: np.ndarray) -> "_Known":
        return _Known(*(getattr(self, field.name)[which] for field in fields(self)))

    def with_more(self, number: int, n: int, seen: Sightings, row: int) -> "_Known":
        """One more identity, begun with a sighting."""
        new = (
            np.array([number]), np.full((1, n), np.nan), np.array([-np.inf]), seen.t_s[[row]], seen.camera[[row]],
            np.full((1, 2), np.nan), np.full((1, 2, 2), np.nan), seen.xyxy_share[[row]],
        )  # fmt: skip
        return _Known(*(np.concatenate([getattr(self, f.name), x]) for f, x in zip(fields(self), new, strict=True)))


@final
class Gallery:
    """Online: each new track of a camera is compared with everybody known, and becomes one of them or somebody new.

    Who is known has a look, a moving average in which the past weighs ``memory``. A track is taken for whoever looks
    like it by more than ``threshold`` (cosine; choose about 0.85 for ``colour``; once a dozen tracks were looked at
    often enough, it is learnt from them what sets people apart, and ``threshold`` is not used), was last seen where one
    gets from to there in the time, at 3 m/s at most and by the overlaps and hand-overs of ``watches``, and is not in
    this camera at this time. Places seen within 2 seconds count for or against, too: looks need not decide between two
    in black.
    Tracks keep their identity while they last. Who was not seen for ``forget_s`` is forgotten, and so are tracks, so
    memory is bounded.

    Sightings without a track number, and those with neither look nor place so far, are nobody's.
    """

    def __init__(
        self,
        *,
        watches: Sequence[Watch] = (),
        threshold: float = 0.65,
        memory: float = 0.9,
        forget_s: float = 1800.0,
    ) -> None:
        if not -1 <= threshold <= 1:
            raise OptionError(f"identifier gallery: threshold={threshold} is a cosine, from -1 to 1")
        if not 0 <= memory < 1:
            raise OptionError(f"identifier gallery: memory={memory}: from 0 to less than 1")
        if not forget_s > 0:
            raise OptionError(f"identifier gallery: forget_s={forget_s} is in seconds; more than 0 is needed")
        self._passage = Passage(watches)
        self._threshold, self._memory, self._forget_s = threshold, memory, forget_s
        self._cameras: tuple[str, ...] | None = None
        self._known = _Known.none(0)
        # By camera and track, the identity and when it was last seen, oldest first; by identity and camera, the track.
        self._owner: dict[tuple[int, int], tuple[int, float]] = {}
        self._holder: dict[tuple[int, int], int] = {}
        self._n_numbers = 0
        self._contrast = Contrast()
        self._believed: dict[tuple[int, int], str] = {}
        self._person: dict[str, int] = {}

    def identify(self, sightings: Sightings) -> Identities:
        """Who each sighting is of. Ask again with what came since; nothing said before is taken back.

        Raises:
            ValueError: the cameras or the length of looks are not those of the times before.
        """
        number = np.full(len(sightings), NOBODY)
        self._check(sightings)
        order = np.argsort(sightings.t_s, kind="stable")
        order = order[(sightings.track[order] >= 0) & np.isfinite(sightings.t_s[order])]
        moments = np.split(order, np.flatnonzero(np.diff(sightings.t_s[order])) + 1) if len(order) else []
        for rows in moments:
            self._forget(float(sightings.t_s[rows[0]]))
            for camera in np.unique(sightings.camera[rows]):
                here = rows[sightings.camera[rows] == camera]
                _, first = np.unique(sightings.track[here], return_index=True)
                self._decide(sightings, here[np.sort(first)], number)
        return Identities(number, Trajectories.none())

    def believe(self, people: Mapping[tuple[int, int], str]) -> None:
        """From now on, the tracks in ``people``, by camera's index and number, are those people; all others nobody's.

        A person has one identity, whatever their tracks look like, and no two have the same. Of two tracks in one
        camera at one time, one is believed.
        """
        self._believed = dict(people)

    def people(self) -> Mapping[int, str]:
        """By number of identities, whose they are of those people who were believed."""
        return {number: person for person, number in self._person.items()}

    def state(self) -> State:
        """All that is known by now, to go on with another time."""
        known = {f"known_{field.name}": getattr(self._known, field.name) for field in fields(self._known)}
        owner = [(*key, number) for key, (number, _) in self._owner.items()]
        holder = [(*key, track) for key, track in self._holder.items()]
        return {
            "version": np.array(_VERSION),
            "cameras": np.array(self._cameras or (), np.str_),
            "n_numbers": np.array(self._n_numbers),
            **{name: array.copy() for name, array in known.items()},
            "owner": np.array(owner, np.int64).reshape(-1, 3),
            "owner_seen_s": np.array([seen_s for _, seen_s in self._owner.values()], np.float64),
            "holder": np.array(holder, np.int64).reshape(-1, 3),
            "person": np.array(list(self._person), np.str_),
            "person_number": np.array(list(self._person.values()), np.int64),
            **{_LEARNT + name: array for name, array in self._contrast.state().items()},
        }

    def resume(self, state: Mapping[str, np.ndarray]) -> None:
        """Goes on as the gallery would have that gave ``state``, in place of what is known here.

        Raises:
            ValueError: it is no such state, or one of another version; names what is wrong.
        """
        if "version" in state and np.ndim(state["version"]) == 0 and state["version"] != _VERSION:
            raise ValueError(f"version {state['version']} is not known here; this one reads {_VERSION}")
        told = checked(state, _LAYOUT)
        learnt = checked(state, {_LEARNT + name: said for name, said in contrast.LAYOUT.items()})
        self._cameras = tuple(told["cameras"].tolist()) or None
        self._known = _Known(*(told[f"known_{field.name}"].copy() for field in fields(_Known)))
        self._n_numbers = int(told["n_numbers"])
        owner = zip(told["owner"].tolist(), told["owner_seen_s"].tolist(), strict=True)
        self._owner = {(camera, track): (number, seen_s) for (camera, track, number), seen_s in owner}
        self._holder = {(number, camera): track for number, camera, track in told["holder"].tolist()}
        self._person = dict(zip(told["person"].tolist(), told["person_number"].tolist(), strict=True))
        self._contrast.resume({name.removeprefix(_LEARNT): array for name, array in learnt.items()})

    def _check(self, sightings: Sightings) -> None:
        n = sightings.look.shape[1]
        if self._cameras is None:
            self._cameras, self._known = sightings.cameras, _Known.none(n)
        if sightings.cameras != self._cameras or self._known.look.shape[1] != n:
            raise ValueError("a gallery goes on with the cameras and the embedder that it began with")

    def _forget(self, t_s: float) -> None:
        """Lets go of those not seen for long, and of tracks not seen for long."""
        limit_s = t_s - self._forget_s
        for key in [key for key, _ in takewhile(lambda one: one[1][1] < limit_s, self._owner.items())]:
            del self._owner[key]
        stale = self._known.seen_s < limit_s
        if stale.any():
            self._drop(set(self._known.number[stale].tolist()))

    def _drop(self, gone: set[int]) -> None:
        """Lets go of identities, and of their tracks."""
        self._known = self._known.rows(~np.isin(self._known.number, list(gone)))
        self._owner = {key: owned for key, owned in self._owner.items() if owned[0] not in gone}
        self._holder = {key: held for key, held in self._holder.items() if key[0] not in gone}
        self._person = {person: number for person, number in self._person.items() if number not in gone}

    def _decide(self, seen: Sightings, rows: Int[np.ndarray, " r"], number: Int[np.ndarray, " n"]) -> None:
        """Identities for the tracks of one camera at one moment."""
        camera, new = int(seen.camera[rows[0]]), []
        self._take_word(seen, rows, number)
        for row in rows[number[rows] == NOBODY]:
            number[row] = self._owned(camera, int(seen.track[row]))
            if number[row] == NOBODY and (np.isfinite(seen.look[row]).any() or np.isfinite(seen.xy_enu_m[row]).all()):
                new.append(int(row))
        here = set(number[rows].tolist()) - {NOBODY}
        if new:
            number[new] = self._matched(seen, np.array(new), here)
        for row in new:
            if number[row] == NOBODY:
                number[row] = self._begin(seen, row)
        for row in rows[number[rows] != NOBODY]:
            key = camera, int(seen.track[row])
            self._owner.pop(key, None)  # so that the newest come last
            self._owner[key] = int(number[row]), float(seen.t_s[row])
            self._holder[int(number[row]), camera] = key[1]
            self._refresh(seen, int(row), int(number[row]))

    def _owned(self, camera: int, track: int) -> int:
        """Whose a track is.

        Whoever was taken for somebody else meanwhile, since its track had been lost, is looked at anew.
        """
        owner, _ = self._owner.get((camera, track), (NOBODY, 0.0))
        return owner if owner != NOBODY and self._holder[owner, camera] == track else NOBODY

    def _take_word(self, seen: Sightings, rows: Int[np.ndarray, " r"], number: Int[np.ndarray, " n"]) -> None:
        """Gives those tracks of one camera at one moment their identities of which it was said who they are."""
        camera = int(seen.camera[rows[0]])
        told: dict[str, list[int]] = {}
        for row in rows.tolist() if self._believed else ():
            if (person := self._believed.get((camera, int(seen.track[row])))) is not None:
                told.setdefault(person, []).append(row)
        for person, several in told.items():
            held = self._holder.get((self._person.get(person, NOBODY), camera))
            row = next((row for row in several if seen.track[row] == held), several[0])
            number[row] = self._number_of(person, seen, row)
            self._holder[int(number[row]), camera] = int(seen.track[row])

    def _number_of(self, person: str, seen: Sightings, row: int) -> int:
        """The identity of somebody who is seen; what their track was taken for belongs to others, or to nobody."""
        key = int(seen.camera[row]), int(seen.track[row])
        own, number = self._owned(*key), self._person.get(person, NOBODY)
        is_free = own != NOBODY and own not in self._person.values()
        if number == NOBODY:
            number = self._person[person] = own if is_free else self._begin(seen, row)
        elif is_free and not any(owner == own and other != key for other, (owner, _) in self._owner.items()):
            self._drop({own})
        return number

    def _begin(self, seen: Sightings, row: int) -> int:
        self._n_numbers += 1
        self._known = self._known.with_more(self._n_numbers, seen.look.shape[1], seen, row)
        return self._n_numbers

    def _matched(self, seen: Sightings, rows: Int[np.ndarray, " r"], here: set[int]) -> Int[np.ndarray, " r"]:
        """Who of those known each new track is; -1: none of them."""
        known = self._known
        found = np.full(len(rows), NOBODY)
        if not len(known.number):
            return found
        t_s, camera = float(seen.t_s[rows[0]]), int(seen.camera[rows[0]])
        last = [seen.cameras[k] for k in known.camera]
        may = self._passage.open(seen.cameras[camera], last, known.xyxy_share, t_s - known.seen_s)
        may &= ~np.isin(known.number, list(here))
        # Of whom it was said who they are, and who cannot be here twice, is nobody else of whom it was said either.
        is_told = np.array([(camera, track) in self._believed for track in seen.track[rows].tolist()], bool)
        may = may & ~(is_told[:, None] & np.isin(known.number, list(self._person.values())))
        by_place, possible = _by_place(known, seen, rows)
        odds = by_place + self._by_look(seen.look[rows])
        who, which = assigned(np.where(possible & may, -odds, np.inf), 0.0)
        found[who] = known.number[which]
        return found

    def _by_look(self, look: Float[np.ndarray, "r d"]) -> Float[np.ndarray, "r g"]:
        """Log odds of being each of those known, by looks; 0 where either was never looked at."""
        if not look.shape[1]:
            return np.zeros((len(look), len(self._known.number)))
        if self._contrast.is_known:
            return np.nan_to_num(_APART_WEIGHT * (self._contrast.cosines(look, self._known.look) - _APART))
        return np.nan_to_num(_LOOK_WEIGHT * (look @ self._known.look.T - self._threshold))

    def _refresh(self, seen: Sightings, row: int, number: int) -> None:
        """Takes in what a sighting shows of somebody."""
        known = self._known
        k = int(np.searchsorted(known.number, number))
        t_s = float(seen.t_s[row])
        known.seen_s[k], known.camera[k], known.xyxy_share[k] = t_s, seen.camera[row], seen.xyxy_share[row]
        if np.isfinite(seen.xy_enu_m[row]).all():
            known.xy_enu_m[k], known.cov_enu_m2[k] = seen.xy_enu_m[row], seen.cov_enu_m2[row]
        look = seen.look[row]
        if not np.isfinite(look).any() or t_s - known.looked_s[k] < _REFRESH_S:
            return
        self._contrast.add((int(seen.camera[row]), int(seen.track[row])), look)
        mixed = look if np.isinf(known.looked_s[k]) else self._memory * known.look[k] + (1 - self._memory) * look
        known.look[k], known.looked_s[k] = mixed / np.linalg.norm(mixed), t_s


def _by_place(
    known: _Known, seen: Sightings, rows: Int[np.ndarray, " r"]
) -> tuple[Float[np.ndarray, "r g"], Bool[np.ndarray, "r g"]]:
    """Log odds of being each of those known, by where they were last, and who can be there at all."""
    gone_s = seen.t_s[rows[0]] - known.seen_s
    offset = seen.xy_enu_m[rows, None] - known.xy_enu_m
    moved = np.square(_SWAY_M + _STROLL_MPS * gone_s)[:, None, None] * np.eye(2)
    spread = seen.cov_enu_m2[rows, None] + known.cov_enu_m2 + moved
    density, squared = surprise(offset, spread)
    known_places = np.isfinite(squared)
    recent = known_places & (gone_s <= _RECENT_S)
    odds = np.where(recent, np.clip(density - np.log(_DENSE_PER_M2), -_MOST, _MOST), 0.0)
    reach = _FASTEST_MPS * gone_s + 3 * np.sqrt(np.trace(spread - moved, axis1=2, axis2=3)) + _REACH_M
    too_far = known_places & (np.linalg.norm(offset, axis=2) > reach)
    return odds, ~too_far & ~(recent & (squared > _GATE))
