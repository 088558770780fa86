"""All the numbers for one sequence, or for several taken together."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import SupportsFloat

from sightline.evaluation.clear import Clear, clear
from sightline.evaluation.hota import Hota, hota
from sightline.evaluation.identity import Identity, identity
from sightline.evaluation.pairing import Pairing, paired
from sightline.model.tracks import Tracks


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """How good tracks are. Shares lie in [0, 1], 1 is best; only MOTA and MODA can fall below 0."""

    hota: float
    """Detection and association weighed alike, averaged over 19 thresholds of overlap."""
    deta: float
    """Detection alone: boxes right, of all boxes found or true."""
    assa: float
    """Association alone: how well whole tracks keep to one object."""
    loca: float
    """Mean overlap of the matched boxes; 1 where there are none."""
    detre: float
    """Share of the true boxes found."""
    detpr: float
    """Share of the found boxes that are true."""
    assre: float
    """Share of a true track that one found track covers."""
    asspr: float
    """Share of a found track that lies on one true track."""
    idf1: float
    """Boxes under the right number, over the whole sequence (F1 of ``idp`` and ``idr``)."""
    idp: float
    """Share of the found boxes under the right number."""
    idr: float
    """Share of the true boxes under the right number."""
    mota: float
    """1 less misses, false boxes and id switches per true box."""
    moda: float
    """1 less misses and false boxes per true box."""
    motp: float
    """Mean overlap of the boxes that match at the threshold."""
    recall: float
    """Share of the true boxes found, at the threshold."""
    precision: float
    """Share of the found boxes that are true, at the threshold."""
    n_truth_boxes: int
    """True boxes."""
    n_found_boxes: int
    """Found boxes."""
    n_truth_ids: int
    """True tracks."""
    n_found_ids: int
    """Found tracks."""
    by_alpha: Hota
    """HOTA's parts at each threshold."""
    clear: Clear
    """Counts: fp, fn, idsw, mt, pt, ml, frag."""
    identity: Identity
    """Counts: tp, fn, fp of identities."""

    def numbers(self) -> dict[str, float | int]:
        """All single numbers by their usual names: HOTA, IDF1, MOTA, FP, IDSW and so on."""
        usual = {"deta": "DetA", "assa": "AssA", "loca": "LocA", "detre": "DetRe", "detpr": "DetPr"}
        usual |= {"assre": "AssRe", "asspr": "AssPr", "recall": "Recall", "precision": "Precision"}
        plain = [f.name for f in fields(self) if f.type in (float, int)]
        shares = {usual.get(n, n.upper()): getattr(self, n) for n in plain if not n.startswith("n_")}
        counts = {f.name.upper(): getattr(self.clear, f.name) for f in fields(Clear) if f.type is int}
        counts |= {"Frag": counts.pop("FRAG")}
        ids = {f"ID{f.name.upper()}": getattr(self.identity, f.name) for f in fields(Identity)}
        return shares | counts | ids | {n: getattr(self, n) for n in plain if n.startswith("n_")}


def evaluate(truth: Tracks, found: Tracks, *, iou: float = 0.5) -> Scores:
    """How well ``found`` agrees with ``truth``, whatever the labels, numbers and order of rows.

    ``iou`` is the overlap from which boxes match in MOTA, IDF1 and their counts; HOTA takes 19 of its own.
    Rows with number -1 are left out on both sides. Without truth or without anything found, shares are 0.

    Raises:
        ValueError: ``iou`` is not in (0, 1], or a track has two boxes in one picture.
    """
    if not 0 < iou <= 1:
        raise ValueError(f"iou must be above 0 and at most 1, not {iou}")
    pairing = paired(truth, found)
    return _scores(hota(pairing), clear(pairing, iou), identity(pairing, iou), _sizes(pairing))


def combined(scores: Sequence[Scores]) -> Scores:
    """The scores of several sequences as if they were one: counts add up, shares follow from the sums.

    Raises:
        ValueError: there are none.
    """
    if not scores:
        raise ValueError("no scores to combine")
    first, *others = scores
    by_alpha, of_clear, of_identity, sizes = first.by_alpha, first.clear, first.identity, _sizes_of(first)
    for other in others:
        by_alpha, of_clear, of_identity = (
            by_alpha + other.by_alpha,
            of_clear + other.clear,
            of_identity + other.identity,
        )
        sizes = {name: n + _sizes_of(other)[name] for name, n in sizes.items()}
    return _scores(by_alpha, of_clear, of_identity, sizes)


def _sizes(pairing: Pairing) -> dict[str, int]:
    return {
        "n_truth_boxes": len(pairing.truth_track),
        "n_found_boxes": len(pairing.found_track),
        "n_truth_ids": len(pairing.n_truth_of_track),
        "n_found_ids": len(pairing.n_found_of_track),
    }


def _sizes_of(scores: Scores) -> dict[str, int]:
    return {f.name: getattr(scores, f.name) for f in fields(scores) if f.name.startswith("n_")}


def _scores(by_alpha: Hota, of_clear: Clear, of_identity: Identity, sizes: dict[str, int]) -> Scores:
    a, c, i = by_alpha, of_clear, of_identity
    return Scores(
        hota=float(a.hota.mean()),
        deta=float(a.deta.mean()),
        assa=float(a.assa.mean()),
        loca=float(a.loca.mean()),
        detre=float(a.detre.mean()),
        detpr=float(a.detpr.mean()),
        assre=float(a.assre.mean()),
        asspr=float(a.asspr.mean()),
        idf1=_share(i.tp, i.tp + (i.fp + i.fn) / 2),
        idp=_share(i.tp, i.tp + i.fp),
        idr=_share(i.tp, i.tp + i.fn),
        mota=_share(c.tp - c.fp - c.idsw, c.tp + c.fn),
        moda=_share(c.tp - c.fp, c.tp + c.fn),
        motp=_share(c.overlap, c.tp),
        recall=_share(c.tp, c.tp + c.fn),
        precision=_share(c.tp, c.tp + c.fp),
        by_alpha=a,
        clear=c,
        identity=i,
        **sizes,
    )


def _share(part: SupportsFloat, whole: SupportsFloat) -> float:
    """``part / whole``; 0 where there is nothing to share."""
    return float(part) / float(whole) if whole else 0.0
