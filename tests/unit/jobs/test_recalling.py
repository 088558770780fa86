"""What an identifier knows when a part is done, written down and known again."""

import numpy as np
import pytest

from sightline.errors import FormatError
from sightline.identifiers.gallery import Gallery
from sightline.jobs.sites.recalling import keep, recall
from sightline.jobs.sites.rows import SeenFile
from sightline.model.identities import NOBODY, Identities, Sightings, Trajectories

CAMERAS, FPS, N_PARTS, N = ("a", "b"), 2.0, 3, 40
FACES = np.random.default_rng(5).normal(0, 0.3, (16, 12))


def moment(index):
    """Sixteen people in a light that is most of what is seen; they change cameras in every part."""
    rng, part = np.random.default_rng(index), index // N
    who = np.flatnonzero((index + np.arange(16)) % 5 > 0)
    light = 2 + rng.normal(0, 1, (len(who), 1))
    look = FACES[who] + light * (np.arange(12) == 0) + rng.normal(0, 0.05, (len(who), 12))
    look = (look / np.linalg.norm(look, axis=1, keepdims=True)).astype(np.float32).astype(float)
    n = len(who)
    return Sightings(
        CAMERAS, (who + part) % 2, np.full(n, index / FPS), who + 100 * part, np.full((n, 2), np.nan),
        np.full((n, 2, 2), np.nan), np.ones(n, bool), look, np.tile([0.1, 0.1, 0.3, 0.6], (n, 1)),
    )  # fmt: skip


def watched(identifier, part, path):
    """What an engine says of a part; everything is written down."""
    said = []
    with SeenFile(path, CAMERAS) as file:
        for index in range(part * N, (part + 1) * N):
            seen = moment(index)
            said.append(identifier.identify(seen).number)
            file.add(index, seen, said[-1], np.zeros((len(seen), 4)), np.ones(len(seen)))
    return np.concatenate(said)


@pytest.fixture
def at_once():
    """Who is who for a gallery that never rests; it has learnt what sets people apart by then."""
    gallery = Gallery()
    said = np.concatenate([gallery.identify(moment(index)).number for index in range(N_PARTS * N)])
    assert gallery._contrast.is_known
    return said


@pytest.mark.parametrize("lost", [None, 0, 1])
def test_a_run_cut_in_three_is_as_one_in_one_piece_even_where_what_was_known_is_lost(tmp_path, at_once, lost):
    paths, said = [tmp_path / f"seen-{part}.parquet" for part in range(N_PARTS)], []
    for part, path in enumerate(paths):
        gallery = Gallery()
        recall(gallery, "gallery", paths[:part], CAMERAS)
        said.append(watched(gallery, part, path))
        if part != lost:
            keep(gallery, "gallery", path)
    np.testing.assert_array_equal(np.concatenate(said), at_once)
    assert len(np.unique(at_once)) < 3 * 16


def test_what_was_seen_is_not_read_again_where_it_is_known_who_was_there(tmp_path, at_once):
    first, gallery = tmp_path / "seen-0.parquet", Gallery()
    said = watched(gallery, 0, first)
    keep(gallery, "gallery", first)
    first.write_bytes(b"")
    other = Gallery()
    recall(other, "gallery", [first], CAMERAS)
    said = np.concatenate([said, watched(other, 1, tmp_path / "seen-1.parquet")])
    np.testing.assert_array_equal(said, at_once[: len(said)])


class Counting:
    """An engine of somebody else, who cannot tell what it knows."""

    def __init__(self):
        self.n = 0

    def identify(self, sightings):
        self.n += len(sightings)
        return Identities(np.full(len(sightings), NOBODY), Trajectories.none())


def test_engines_that_cannot_tell_are_shown_everything_again(tmp_path):
    first, counting = tmp_path / "seen-0.parquet", Counting()
    n = len(watched(Counting(), 0, first))
    keep(counting, "counting", first)
    assert [path.name for path in tmp_path.iterdir()] == ["seen-0.parquet"]
    recall(counting, "counting", [first], CAMERAS)
    assert counting.n == n


@pytest.mark.parametrize("how", ["cut", "text", "other", "code"])
def test_a_file_that_cannot_be_used_is_named_with_what_to_do(tmp_path, how):
    first, gallery = tmp_path / "seen-0.parquet", Gallery()
    watched(gallery, 0, first)
    keep(gallery, "mine" if how == "other" else "gallery", first)
    known = tmp_path / "seen-0.known.npz"
    whole = known.read_bytes()
    if how in {"cut", "text"}:
        known.write_bytes(whole[: len(whole) // 2] if how == "cut" else b"nothing")
    if how == "code":
        np.savez(known, cameras=np.array([{}]))
    with pytest.raises(FormatError, match=r"seen-0\.known\.npz: [^\n]*; remove it, and what was seen before") as caught:
        recall(Gallery(), "gallery", [first], CAMERAS)
    assert "\n" not in str(caught.value)
