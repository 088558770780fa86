"""The history, in both databases: what was seen, by weeks, and what people put right."""

import numpy as np
import pyarrow as pa
import pytest
from sqlalchemy import create_engine, inspect, make_url, text

from sightline.errors import ConflictError, StoreError, UnknownError
from sightline.model.history import Correction, WatchedTask
from sightline.stores.sql.bulk import columns, put
from sightline.stores.sql.corrections import Corrections
from sightline.stores.sql.history import History
from sightline.stores.sql.tables import ONLINE_IDENTITIES

TASK = WatchedTask(
    task_id="a" * 32, site="yard", footage="f" * 64, begins_utc_s=1.7e9, asked_utc_s=1.75e9, ends_s=1.2, firsts=(0, 6)
)


@pytest.fixture
def history(engine):
    return History(engine)


def seen(n=6, identity=1, begin_s=0.0):
    t_s = begin_s + np.arange(n) / 5
    return columns(
        moment=np.arange(n), t_s=t_s, camera=["gate"] * n, track=np.full(n, 3), score=np.full(n, 0.5, np.float32),
        **{name: t_s + k for k, name in enumerate(("x1_px", "y1_px", "x2_px", "y2_px"))},
        x_m=np.where(t_s > begin_s, t_s, np.nan), y_m=t_s, xx_m2=t_s, xy_m2=t_s, yy_m2=t_s,
        online=np.full(n, 7), identity=np.full(n, identity),
    )  # fmt: skip


def settled(history, task=TASK, n=6):
    t_s = np.arange(n) / 5
    one = np.ones(n, np.int64)
    places = columns(identity=one, t_s=t_s, x_m=t_s, y_m=t_s, n_cameras=one)
    people = columns(number=[1], id=["p" * 36], first_s=[0.0], last_s=[1.0], n_sightings=[n])
    history.begin(task)
    history.note_part(task, 1, [seen(n)])
    history.settle(task, [places], people, columns(online=[7], number=[1], n_sightings=[n]))


def test_what_was_seen_comes_back_as_it_was(history):
    settled(history)
    found = history.sightings(TASK.task_id)
    assert np.array_equal(found["moment"], np.arange(6))
    assert np.isnan(found["x_m"][0])
    assert found["x_m"][1] == pytest.approx(0.2)
    assert found["camera"].tolist() == ["gate"] * 6
    assert found["utc_ms"][-1] == 1_700_000_001_000
    assert history.places(TASK.task_id, 0.2, 0.6)["t_s"].tolist() == [0.2, 0.4]
    assert history.boxes(TASK, 0.2, 0.6)["t_s"].tolist() == [0.2, 0.4]
    assert history.identities([TASK.task_id])["id"].tolist() == ["p" * 36]
    assert history.online(TASK.task_id)["online"].tolist() == [7]
    assert history.with_identity("p" * 36) == [(TASK.task_id, 1)]


def test_doing_a_part_again_doubles_nothing(history):
    history.begin(TASK)
    for _ in range(2):
        history.note_part(TASK, 1, [seen()])
        history.note_part(TASK, 2, [seen(4, begin_s=2.0)])
    assert len(history.sightings(TASK.task_id)["t_s"]) == 10
    assert history.tasks("yard") == []
    settled(history)
    settled(history)
    assert len(history.places(TASK.task_id)["t_s"]) == 6
    (found,) = history.tasks("yard")
    assert (found.ends_s, found.firsts, found.fps, found.is_settled) == (1.2, (0, 6), None, True)


def test_years_apart_there_is_room_for_both(history, engine):
    old = WatchedTask(task_id="b" * 32, site="yard", footage="f", begins_utc_s=1e9, asked_utc_s=1.75e9)
    settled(history)
    settled(history, old)
    assert len(history.sightings(old.task_id)["t_s"]) == 6
    if engine.dialect.name == "postgresql":
        weeks = {name for name in inspect(engine).get_table_names() if name.startswith("sightings_w")}
        assert weeks == {"sightings_w2810", "sightings_w1653"}
        history.forget(old.task_id)
        assert "sightings_w1653" not in inspect(engine).get_table_names()


def test_an_identity_is_erased_and_nothing_else(history):
    settled(history)
    history.note_part(TASK, 2, [seen(4, identity=2, begin_s=2.0)])
    history.erase(TASK.task_id, 1, to_s=0.5)
    assert history.sightings(TASK.task_id)["t_s"].min() == pytest.approx(0.6)
    history.erase(TASK.task_id, 1)
    assert set(history.sightings(TASK.task_id)["identity"]) == {2}
    assert not len(history.places(TASK.task_id)["t_s"])
    assert not len(history.identities([TASK.task_id])["id"])


def test_what_is_old_goes_as_a_whole(history, engine):
    settled(history)
    assert history.forget_before(0.0) == []
    assert history.forget_before(1e11) == [TASK.task_id]
    with engine.connect() as connection:
        for table in ("sightings", "places", "identities", "online_identities", "watched_tasks"):
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0
    with pytest.raises(UnknownError, match="no task"):
        history.task(TASK.task_id)


def test_spells_are_counted_before_and_after_cuts(history):
    settled(history)
    history.note_part(TASK, 2, [seen(4, begin_s=2.0)])
    found = history.spells(TASK.task_id, 0.2, 2.3, cuts_s=(0.5, 2.1))
    assert sorted(zip(found["n"], found["first_s"].round(3), found["last_s"].round(3), strict=True)) == [
        (1, 2.2, 2.2), (2, 0.2, 0.4), (4, 0.6, 2.0)
    ]  # fmt: skip
    assert set(found["camera"]) == {"gate"}


def test_nothing_seen_is_nothing_kept(history):
    history.begin(TASK)
    history.note_part(TASK, 1, [seen(0)])
    empty = history.sightings(TASK.task_id)
    assert len(empty["t_s"]) == 0
    assert empty["t_s"].dtype == np.float64


def test_texts_with_anything_in_them_come_back(history):
    history.begin(TASK)
    rows = seen(2)
    odd = rows.set_column(rows.column_names.index("camera"), "camera", pa.array(['a,"b"\n\\N', ""]))
    history.note_part(TASK, 1, [odd])
    assert set(history.sightings(TASK.task_id)["camera"]) == {'a,"b"\n\\N', ""}


def test_corrections_are_kept_in_order_and_can_be_taken_back(engine):
    corrections = Corrections(engine)
    made = [
        corrections.add(Correction(id=letter * 32, site="yard", kind="rename", identity="p", name=letter))
        for letter in "ab"
    ]
    assert corrections.of("yard") == made
    assert corrections.of("moon") == []
    undone = corrections.undo(made[0].id)
    assert undone.undone_utc_s is not None
    assert corrections.undo(made[0].id) == undone
    assert corrections.of("yard") == made[1:]
    assert corrections.of("yard", undone=True) == [undone, made[1]]
    gone = corrections.add(Correction(id="c" * 32, site="yard", kind="erase", identity="p"))
    with pytest.raises(ConflictError, match="gone"):
        corrections.undo(gone.id)
    corrections.note_done(gone.id)
    assert corrections.get(gone.id).is_done
    corrections.forget([gone.id])
    with pytest.raises(UnknownError, match="no correction"):
        corrections.get(gone.id)


def test_a_database_that_goes_away_while_rows_are_copied_says_so(postgres_url):
    engine = create_engine(make_url(postgres_url).set(drivername="postgresql+psycopg"))
    rows = columns(task_id=["t"], online=[7], number=[1], n_sightings=[5])
    with engine.connect() as connection:
        number = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with engine.begin() as other:
            other.execute(text("SELECT pg_terminate_backend(:n, 5000)"), {"n": number})
        with pytest.raises(StoreError, match=r"database: .*terminat"):
            put(connection, ONLINE_IDENTITIES, rows)
        connection.invalidate()
    engine.dispose()
