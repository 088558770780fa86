"""What all tests share: the folder of real data, and a skip that says why it is absent."""

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("SIGHTLINE_SHARED", Path(__file__).parents[2] / "shared"))


def pytest_collection_modifyitems(items):
    if SHARED.is_dir():
        return
    absent = pytest.mark.skip(reason=f"no real data at {SHARED}; set SIGHTLINE_SHARED to its folder")
    for item in items:
        if "shared" in item.keywords:
            item.add_marker(absent)


@pytest.fixture(scope="session")
def shared():
    """The folder of real videos, truth and weights."""
    return SHARED
