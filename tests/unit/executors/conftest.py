"""Work that other processes can import, too."""

import importlib
import os
import sys
from contextlib import contextmanager

import pytest


@pytest.fixture(scope="module")
def importable(tmp_path_factory):
    """Makes a module of a text, here and in processes that begin meanwhile."""

    @contextmanager
    def make(name, text):
        folder = tmp_path_factory.mktemp("work")
        (folder / f"{name}.py").write_text(text)
        sys.path.insert(0, str(folder))
        before = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = str(folder)
        yield importlib.import_module(name)
        sys.path.remove(str(folder))
        os.environ.pop("PYTHONPATH") if before is None else os.environ.update(PYTHONPATH=before)

    return make
