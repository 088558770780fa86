"""What clients are told when something is wrong."""

import asyncio

import httpx
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError

from sightline.server.errors import RUNS, add_error_answers


async def answers(app, *paths):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
        return [await client.get(path) for path in paths]


def test_a_database_that_is_away_is_no_fault_of_the_request():
    app = FastAPI()
    add_error_answers(app)

    @app.get("/jobs")
    @app.get(f"{RUNS}/1")
    def jobs():
        raise OperationalError("SELECT secret", {}, Exception("connection refused at 10.0.0.7"))

    answer, run = asyncio.run(answers(app, "/jobs", f"{RUNS}/1"))
    why = "the database does not answer just now; try again in a moment"
    assert (answer.status_code, answer.json(), answer.headers["retry-after"]) == (503, {"detail": why}, "2")
    assert (run.status_code, run.json()["details"]) == (503, why)
