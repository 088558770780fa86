"""Who is who on a site, read from files and written to files some rows at a time."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from sightline.identifiers import parts
from sightline.identifiers.ground import Ground
from sightline.identifiers.moments import known
from sightline.jobs.sites import messages, recorded, rows
from sightline.jobs.sites.naming import lasting
from sightline.jobs.sites.recorded import Recorded
from sightline.jobs.sites.settling import settled
from sightline.model.identities import NOBODY, Sightings
from sightline.model.site import Site, SiteMap, Watch

TASK = "0" * 32
CAMERAS = ("a", "b")
SITE = Site("yard", "The yard", SiteMap(2.0), tuple(Watch(name, (f"{name}.mp4",)) for name in CAMERAS))


def walkers(n_moments, fps, seed=0):
    """Three people 4 m apart, whom both cameras see now and then, with tracks that break; one has no place."""
    rng = np.random.default_rng(seed)
    moment, who, camera = (one.ravel() for one in np.meshgrid(range(n_moments), range(3), range(2), indexing="ij"))
    there = rng.random(len(moment)) > 0.2
    moment, who, camera = moment[there], who[there], camera[there]
    t_s, n = moment / fps, len(moment)
    xy_m = np.column_stack([2 * np.sin(t_s / 9), 4.0 * who]) + rng.normal(0, 0.05, (n, 2))
    xy_m[rng.random(n) < 0.05] = np.nan
    look = np.eye(3)[who] + rng.normal(0, 0.1, (n, 3))
    look[rng.random(n) < 0.8] = np.nan
    track = 10 * (t_s // 8).astype(np.int64) + who
    shares = np.full((n, 4), 0.5)
    cov = np.tile(0.01 * np.eye(2), (n, 1, 1))
    look = look.astype(np.float32).astype(float)
    return moment, Sightings(CAMERAS, camera, t_s, track, xy_m, cov, np.ones(n, bool), look, shares)


def written(folder, moment, seen, *cuts):
    """The same in files of some moments each; who is called 1 at once turns out to be 3."""
    paths = []
    for number, some in enumerate(np.split(np.arange(len(seen)), np.searchsorted(moment, cuts)), start=1):
        paths.append(folder / f"seen-{number}.parquet")
        with rows.SeenFile(paths[-1], CAMERAS) as file:
            for here in np.split(some, np.flatnonzero(np.diff(moment[some])) + 1) if len(some) else []:
                said = 3 - seen.track[here] % 10
                file.add(int(moment[here[0]]), seen.rows(here), said, np.zeros((len(here), 4)), np.ones(len(here)))
    return paths


@pytest.fixture
def short(monkeypatch):
    """Groups of rows, pieces and parts of a recording that are so short that a small one has several."""
    monkeypatch.setattr(rows, "_AT_ONCE", 100)
    monkeypatch.setattr(recorded, "_AT_ONCE", 2)
    monkeypatch.setattr(recorded, "_PIECE_S", 4.0)
    monkeypatch.setattr(parts, "PART_S", 6.0)
    monkeypatch.setattr(parts, "OVERLAP_S", 3.0)


def test_what_is_read_in_pieces_is_settled_as_if_it_were_read_at_once(short, tmp_path):
    moment, seen = walkers(130, 11.0)
    paths = written(tmp_path, moment, seen, 50, 50, 100)
    _, counts = settled(SITE, paths, {}, TASK, tmp_path)
    found = Ground().identify(seen)
    said = 3 - seen.track % 10
    both = np.column_stack([said, found.number])[found.number != NOBODY]
    each, n = np.unique(both, axis=0, return_counts=True)
    name = np.append(lasting(np.column_stack([each, n]), 3, int(found.number.max())), NOBODY)
    number = name[np.maximum(found.number, 0) - 1]  # as they were called at once
    assert (number == said).mean() > 0.95
    table = pq.read_table(tmp_path / "sightings.parquet")
    assert np.array_equal(table["identity"].to_numpy(), number)
    assert table["global_id"].to_pylist() == [messages.identity(TASK, who) for who in number.tolist()]
    assert np.array_equal(table["t_s"].to_numpy(), seen.t_s)
    went = csv.read_csv(tmp_path / "paths.csv")
    order = np.lexsort((went["global_id"].to_numpy(zero_copy_only=False), went["t_s"].to_numpy()))
    who = name[found.paths.number - 1].tolist()
    mine = np.lexsort(([str(messages.identity(TASK, one)) for one in who], found.paths.t_s))
    np.testing.assert_allclose(went["x_m"].to_numpy()[order], found.paths.xy_enu_m[mine, 0], atol=1e-4)  # as written
    assert {tuple(row) for row in counts.tolist()} == {(*row, k) for row, k in zip(_named(each, name), n, strict=True)}
    assert {path.name for path in tmp_path.iterdir()} == {
        *(path.name for path in paths),
        "sightings.parquet",
        "paths.csv",
    }


def _named(pairs, name):
    """What was said, and the number that who it was goes on under."""
    return np.column_stack([pairs[:, 0], name[pairs[:, 1] - 1]]).tolist()


def test_a_recording_tells_of_a_part_what_is_in_it(short, tmp_path):
    moment, seen = walkers(200, 10.0)
    kept = Recorded(written(tmp_path, moment, seen, 100), CAMERAS)
    whole = parts.Whole(seen)
    assert (len(kept), kept.spell()) == (len(seen), whole.spell())
    for part in parts.parts(*whole.spell()):
        here, there = kept.looked_at(part), whole.looked_at(part)
        assert np.array_equal(here.row, there.row)
        assert np.array_equal(here.middle_m, there.middle_m)
        assert np.array_equal(here.glances.row, there.glances.row)
        np.testing.assert_array_equal(here.glances.look, there.glances.look)
        assert len(here.glances.row) > 1.3 * known(seen.look[here.row]).sum()  # those just after count, too
        assert len(here.row) < part.holds(seen.t_s).sum()
        inner = np.concatenate([piece.row[piece.inner] for piece in kept.pieces(part)])
        assert np.array_equal(inner, np.flatnonzero(part.holds(seen.t_s)))


def test_where_nobody_was_seen_nobody_is_settled(tmp_path):
    moment, seen = walkers(3, 2.0)
    nobody = seen.rows(slice(0, 0))
    (tmp_path / ".settling-killed").mkdir()
    summary, counts = settled(SITE, written(tmp_path, moment[:0], nobody), {}, TASK, tmp_path)
    assert (summary["sightings"], summary["identities"], counts.shape) == (0, 0, (0, 3))
    assert pq.read_table(tmp_path / "sightings.parquet").num_rows == 0
    assert (tmp_path / "paths.csv").read_text().startswith('"global_id","t_s"')
    assert not list(tmp_path.glob(".settling-*"))


def placed_by(cameras, seen):
    """The same, but others than these cameras cannot place anybody."""
    columns = {name: getattr(seen, name) for name in Sightings.__slots__}
    there = np.isin(seen.camera, [CAMERAS.index(name) for name in cameras])
    return Sightings(**columns | {"xy_enu_m": np.where(there[:, None], seen.xy_enu_m, np.nan)})


def test_whom_no_camera_can_place_is_who_was_said_at_once(tmp_path):
    moment, seen = walkers(30, 2.0)
    summary, counts = settled(SITE, written(tmp_path, moment, placed_by((), seen)), {}, TASK, tmp_path)
    said = (3 - seen.track % 10).tolist()
    assert pq.read_table(tmp_path / "sightings.parquet")["identity"].to_pylist() == said
    assert (summary["identities"], summary["sightings_of_nobody"]) == (3, 0)
    assert counts.tolist() == [[who, who, said.count(who)] for who in (1, 2, 3)]


def test_a_camera_that_places_nobody_sees_those_whom_others_place(tmp_path):
    moment, seen = walkers(130, 11.0)
    paths = written(tmp_path, moment, placed_by(("a",), seen))
    settled(SITE, paths, {}, TASK, tmp_path)
    table = pq.read_table(tmp_path / "sightings.parquet")
    of_b = np.array(table["camera"].to_pylist()) == "b"
    assert np.array_equal(table["identity"].to_numpy()[of_b], (3 - seen.track % 10)[of_b])
    assert (table["identity"].to_numpy() == 3 - seen.track % 10).mean() > 0.95
