"""Every example runs as its first lines say, and every link in the documents leads somewhere."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sightline import wiring

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "benchmarks" / "README.md"]


@pytest.mark.parametrize("example", sorted(ROOT.glob("examples/*.py")), ids=lambda path: path.stem)
def test_examples_run(example, clip, tmp_path):
    words = [] if "simulate" in example.stem else [str(clip)]
    command = [sys.executable, "-W", "error", str(example), *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)", page.read_text())
    assert not [link for link in links if "://" not in link and not (page.parent / link).exists()]


def test_the_engines_command_tells_every_engine_and_option(sightline):
    done = sightline("engines", "--json")
    assert done.returncode == 0, done.stderr
    told = {(e["kind"], e["name"]): e for e in json.loads(done.stdout)["engines"]}
    assert set(told) >= {(kind, name) for kind, table in wiring.ENGINES.items() for name in table}
    assert all(engine["what"] for engine in told.values())
    assert "lost_s" in {option["name"] for option in told["tracker", "botsort"]["options"]}


def test_one_engine_is_explained_for_people(here):
    done = here("engines", "detector", "people_hog")
    assert done.returncode == 0, done.stderr
    assert "detector.person_px" in done.stdout
    assert here("engines", "detector", "yolo").stderr.startswith("sightline: no detector 'yolo'; there are: motion")
