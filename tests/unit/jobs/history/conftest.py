"""A history with known people: who walked where is written down as a task would write it."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from sightline.jobs.history.answers import Answers
from sightline.jobs.history.exporting import tracking_data
from sightline.jobs.history.story import Chronicle, Span
from sightline.jobs.sites import messages
from sightline.model.history import WatchedTask
from sightline.model.site import Line, Site, SiteMap, Zone
from sightline.stores.sql.bulk import columns
from sightline.stores.sql.database import database_at
from sightline.stores.sql.history import History

BEGIN_S = 1_700_000_000.0
FPS = 5
SITE = Site(
    "yard",
    "The yard",
    SiteMap(metres_per_unit=0.5),
    (),
    zones=(
        Zone("west", "West", ((0.0, -20.0), (20.0, -20.0), (20.0, 20.0), (0.0, 20.0))),
        Zone("east", "East", ((20.0, -20.0), (60.0, -20.0), (60.0, 20.0), (20.0, 20.0))),
    ),
    lines=(Line("gate", "The gate", ((20.0, -20.0), (20.0, 20.0)), (30.0, 0.0)),),
)
"""One unit of the map is half a metre: the gate is at 10 m."""
TASK = WatchedTask(
    task_id="0" * 31 + "1",
    site="yard",
    footage="f" * 64,
    begins_utc_s=BEGIN_S,
    asked_utc_s=1.75e9,
    ends_s=20.0,
    fps=5.0,
    firsts=(0,),
)


def walk(number, camera, start_m, end_m, begin_s=0.0, seconds=20.0):
    """One person on a straight line, seen by one camera."""
    n = int(seconds * FPS)
    part = np.arange(n) / n
    xy_m = np.array(start_m, float) + part[:, None] * (np.array(end_m, float) - np.array(start_m, float))
    return {"number": np.full(n, number), "t_s": begin_s + np.arange(n) / FPS, "xy_m": xy_m, "camera": [camera] * n}


def noted(history, task, *walks, where=True):
    """Writes walks down as what a task saw and settled; ``where`` says whether anybody's place is known."""
    number, t_s, xy_m = (np.concatenate([one[name] for one in walks]) for name in ("number", "t_s", "xy_m"))
    camera = [name for one in walks for name in one["camera"]]
    left = 100.0 * number + t_s
    seen = columns(
        moment=np.rint(t_s * FPS).astype(np.int64), t_s=t_s, camera=camera, track=number, score=np.full(len(t_s), 0.9),
        x1_px=left, y1_px=left, x2_px=left + 40, y2_px=left + 90, x_m=xy_m[:, 0], y_m=xy_m[:, 1],
        xx_m2=np.full(len(t_s), 0.04), xy_m2=np.zeros(len(t_s)), yy_m2=np.full(len(t_s), 0.04),
        online=number + 10, identity=number,
    )  # fmt: skip
    who = np.unique(number)
    people = columns(
        number=who,
        id=[messages.identity(task.task_id, one) for one in who.tolist()],
        first_s=np.array([t_s[number == one].min() for one in who]),
        last_s=np.array([t_s[number == one].max() for one in who]),
        n_sightings=np.array([(number == one).sum() for one in who]),
    )
    places = columns(identity=number, t_s=t_s, x_m=xy_m[:, 0], y_m=xy_m[:, 1], n_cameras=np.ones(len(t_s), np.int64))
    history.begin(task)
    history.note_part(task, 1, [seen])
    places = places if where else places.slice(0, 0)
    online = columns(online=who + 10, number=who, n_sightings=np.full(len(who), 5))
    history.settle(task, [places], people, online)


def boxes(*asked, **only):
    """What is exported of tracking data, as one table."""
    return pa.concat_tables(tracking_data(*asked, **only))


@pytest.fixture
def engine(tmp_path):
    engine = database_at(f"sqlite:///{tmp_path / 'rows.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def walked(engine):
    """Number 1 walks from west to east at 1 m/s, 2 beside it, 3 stands far away in the west for ten seconds."""
    three = (
        walk(1, "cam1", (0, 0), (20, 0)),
        walk(2, "cam1", (0, 1), (20, 1)),
        walk(3, "cam2", (5, 8), (5, 8), begin_s=5.0, seconds=10.0),
    )
    noted(History(engine), TASK, *three)
    return engine


@pytest.fixture
def ask(walked):
    """Answers about the task, or another part of the history."""

    def make(**span):
        chronicle = Chronicle(walked)
        return Answers(chronicle, chronicle.story(Span(**(span or {"task_id": TASK.task_id}))), SITE)

    return make


@pytest.fixture
def ids():
    """Ids of the three."""
    return {number: messages.identity(TASK.task_id, number) for number in (1, 2, 3)}


def later(task=TASK, number=2, **changes):
    """Another task over the same site."""
    return replace(task, task_id="0" * 31 + str(number), **changes)
