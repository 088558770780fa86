"""An installation with a real worker process, and kinds of jobs that another package brings."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sightline import settings as all_settings
from sightline.jobs.desk import Desk
from sightline.model.job import Job
from sightline.stores.sql.database import database_at
from sightline.stores.sql.jobs import Jobs

KINDS = '''
"""Jobs that leave traces."""

import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

from sightline.errors import SourceError
from sightline.jobs.kinds import Kind, Params, Step


class Told(Params):
    file: str
    pace_s: float = 0.1


def line(task, tell, stopped):
    file, end_s = Path(task.params["file"]), time.monotonic() + task.params["pace_s"]
    (task.folder / "half").write_text("half")
    while (left_s := end_s - time.monotonic()) > 0:
        tell("writing", int((task.params["pace_s"] - left_s) * 100), int(task.params["pace_s"] * 100) or None)
        if stopped():
            return {}
        time.sleep(min(0.02, left_s))
    with file.open("a") as lines:
        lines.write(task.folder.name + "\\n")
    return {"before": sorted(task.earlier), "folder": str(task.folder)}


def deaf(task, tell, stopped):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(task.params["file"]).write_text(f"{os.getpid()} {child.pid}")
    tell("deaf", 0, None)
    time.sleep(600)


def once_bad(task, tell, stopped):
    if not Path(task.params["file"]).with_suffix(".good").exists():
        raise SourceError("cam: nobody there")
    return {"good": True}


def slip(task, tell, stopped):
    raise ZeroDivisionError("by zero")


def vanish(task, tell, stopped):
    os.kill(os.getpid(), 9)


def nothing(task, tell, stopped):
    return {}


def a_kind(name, *works, queue="heavy"):
    steps = tuple(Step(name=f"{w.__name__}{n}", shown=w.__name__, share=1.0, work=w) for n, w in enumerate(works))
    return Kind(name=name, about="A test.", queue=queue, params=Told, steps=steps)


LINES = a_kind("lines", line, line, line, line, line)
QUICK = a_kind("quick", line, queue="light")
DEAF = a_kind("deaf", deaf)
FLAKY = a_kind("flaky", line, once_bad, line)
SLIP = a_kind("slip", slip)
VANISH = a_kind("vanish", vanish)
EMPTY = a_kind("empty", nothing, queue="light")
'''
NAMES = ("lines", "quick", "deaf", "flaky", "slip", "vanish", "empty")
POINTS = "[sightline.job]\n" + "".join(f"{name} = yard_jobs:{name.upper()}\n" for name in NAMES)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """A package with kinds of jobs, installed as pip would leave it."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "yard_jobs.py").write_text(KINDS)
    info = folder / "yard_jobs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: yard-jobs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    return folder


@pytest.fixture
def kinds_installed(site, monkeypatch):
    monkeypatch.syspath_prepend(site)
    return site


@dataclass
class Installation:
    """One data folder, a desk, and workers that come and go."""

    folder: Path
    site: Path
    settings: Any
    desk: Desk
    jobs: Jobs
    workers: list = field(default_factory=list)

    def start(self, *, name="yard", **more):
        """Another worker."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("SIGHTLINE_")}
        environment |= {"PYTHONPATH": str(self.site), "SIGHTLINE_DATABASE": self.settings.database_url(), **more}
        environment["SIGHTLINE_FETCHING__MEDIA_FOLDERS"] = str(self.folder)
        command = [sys.executable, "-m", "sightline", "worker", "--data", str(self.folder / "data"), "--name", name]
        with (self.folder / "worker.log").open("ab") as log:
            worker = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)
        self.workers.append(worker)
        return worker

    def submit(self, kind, **params) -> Job:
        return self.desk.submit(kind, {"file": str(self.folder / "lines.txt"), **params}, "ann")

    def lines(self) -> list[str]:
        file = self.folder / "lines.txt"
        return file.read_text().split() if file.exists() else []

    def log(self) -> str:
        return (self.folder / "worker.log").read_text()


def until(holds, within_s=60.0, what="what was waited for"):
    """Waits until ``holds()``; what it returned."""
    end_s = time.monotonic() + within_s
    while not (found := holds()):
        assert time.monotonic() < end_s, f"{what} did not come in {within_s} s"
        time.sleep(0.01)
    return found


@pytest.fixture
def wait_until():
    return until


@pytest.fixture
def installation_at(tmp_path, kinds_installed):
    """Makes an installation on a database; all of its workers are gone after the test."""
    made = []

    def make(url=None):
        settings = all_settings.load(None, data_folder=tmp_path / "data", database=url)
        engine = database_at(settings.database_url())
        one = Installation(tmp_path, kinds_installed, settings, Desk(engine), Jobs(engine))
        made.append((one, engine))
        return one

    yield make
    for one, engine in made:
        engine.dispose()
        for worker in one.workers:
            if worker.poll() is None:
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait(10)


@pytest.fixture
def installation(installation_at):
    return installation_at()
