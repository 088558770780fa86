"""Runs as their clients make them, with an engine whose answers are known."""

import io
import json
import runpy
import struct
from pathlib import Path

import numpy as np
from PIL import Image

from .conftest import wait_for

ENGINE = Path(__file__).parents[1] / "scripted_reconstructor.py"
SCRIPTED = {"engine": "scripted"}


def environment(folder):
    """What a server needs to know the scripted engine."""
    site = folder / "site"
    site.mkdir()
    runpy.run_path(str(ENGINE))["install"](site)
    return {"PYTHONPATH": site}


def n_files(client):
    return len(client.get("/api/v1/artifacts", params={"limit": 500}).json()["artifacts"])


def picture(seed=0, kind="JPEG", size=(64, 48), **more):
    rng = np.random.default_rng(seed)
    file = io.BytesIO()
    Image.fromarray(rng.integers(30, 220, (size[1], size[0], 3), np.uint8)).save(file, kind, **more)
    return file.getvalue()


def photos(n=3):
    return {f"image{i}.jpg": picture(i) for i in range(1, n + 1)}


def made(client, **settings):
    answer = client.post("/api/runs", json={"settings": SCRIPTED | settings})
    assert answer.status_code == 200, answer.text
    return answer.json()["runId"]


def bring(client, run, files, field="images"):
    parts = [(field, (name, content)) for name, content in files]
    return client.post(f"/api/runs/{run}/images", files=parts)


def brought(client, run, files=None):
    answer = bring(client, run, (files or photos()).items())
    assert answer.status_code == 200, answer.text
    return answer.json()


def ended(client, run, seconds=60):
    def look():
        found = client.get(f"/api/runs/{run}").json()
        return found if found["status"] in {"completed", "failed"} else None

    return wait_for(look, seconds, "the end of the run")


def done(client, files=None, **settings):
    """A run from its beginning to its end."""
    run = made(client, **settings)
    brought(client, run, files)
    assert client.post(f"/api/runs/{run}/process").status_code == 200
    return ended(client, run)


def glb_of(client, run):
    answer = client.get(f"/api/runs/{run}/artifacts/glb")
    assert answer.status_code == 200
    return answer.content


def n_points(glb):
    length = struct.unpack_from("<I", glb, 12)[0]
    document = json.loads(glb[20 : 20 + length])
    clouds = [m["primitives"][0] for m in document["meshes"] if m["primitives"][0]["mode"] == 0]
    return document["accessors"][clouds[0]["attributes"]["POSITION"]]["count"]
