"""Starts a task of the multi-camera service and prints what is said of it, until it ends.

    python scripts/websocket_client_test.py [--environment factory] [--url http://localhost:8000] [--detector motion]

Needs httpx and websockets. Ends with 0 when the task is completed, with 1 when it failed or nobody answers.
"""
# ruff: noqa: INP001  (a script, of no package)

import argparse
import asyncio
import json
import logging
import sys
from typing import Any
from urllib.parse import urlsplit

import httpx
import websockets

log = logging.getLogger("websocket_client")


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--url", default="http://localhost:8000", help="where the server is")
    parser.add_argument("--environment", default="factory", help="id of the site to watch")
    parser.add_argument("--api-key", help="where the server wants to know who asks")
    parser.add_argument("--detector", help="name of the detector; unsaid, the server chooses")
    parser.add_argument("--fps", type=float, help="moments per second; unsaid, 23")
    parser.add_argument("--speed", type=float, help="how much faster than real time; unsaid, as fast as can be")
    parser.add_argument("--images", action="store_true", help="have the pictures sent, too")
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s:%(name)s:%(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        return asyncio.run(watched(asked))
    except httpx.HTTPStatusError as error:
        detail = error.response.json().get("detail", error.response.text)
        log.error("%s answered %d: %s", error.request.url, error.response.status_code, detail)  # noqa: TRY400
    except (httpx.HTTPError, OSError, websockets.WebSocketException) as error:
        log.error("%s: %s; is the server running?", asked.url, error)  # noqa: TRY400
    return 1


async def watched(asked: argparse.Namespace) -> int:
    """Starts a task and prints everything; 0 when it was completed, else 1."""
    headers = {} if asked.api_key is None else {"X-API-Key": asked.api_key}
    body = {"environment_id": asked.environment, "detector": asked.detector, "fps": asked.fps, "speed": asked.speed}
    body["images"] = asked.images or None
    log.info("Starting a processing task for environment '%s' at %s", asked.environment, asked.url)
    async with httpx.AsyncClient(base_url=asked.url, headers=headers, timeout=30) as client:
        known = {name: value for name, value in body.items() if value is not None}
        answer = await client.post("/api/v1/processing-tasks/start", json=known)
        answer.raise_for_status()
    task = answer.json()
    log.info("Task %s: %s", task["task_id"], task["message"])
    at = urlsplit(asked.url)
    url = f"{'wss' if at.scheme == 'https' else 'ws'}://{at.netloc}{task['websocket_url']}"
    connection = websockets.connect(
        url,
        origin=websockets.Origin(f"{at.scheme}://{at.netloc}"),
        additional_headers=headers,
        ping_interval=20,
        ping_timeout=20,
        max_size=None,
    )
    async with connection as socket:
        log.info("Connected to %s", url)
        async for text in socket:
            message = json.loads(text)
            tell(task["task_id"], message["type"], message["payload"])
            if message["type"] == "status_update" and message["payload"]["status"] in {"COMPLETED", "FAILED"}:
                return 0 if message["payload"]["status"] == "COMPLETED" else 1
    log.error("The server closed the connection before the task ended")
    return 1


def tell(task_id: str, kind: str, payload: dict[str, Any]) -> None:
    """Prints a message for people."""
    log.info("[TASK %s][%s]", task_id, kind.upper())
    if kind == "status_update":
        log.info("  Status: %s", payload["status"])
        log.info("  Progress: %.2f%%", 100 * payload["progress"])
        log.info("  Current Step: %s", payload["current_step"])
        if payload["details"]:
            log.info("  Details: %s", payload["details"])
    elif kind == "tracking_update":
        log.info(
            "  Frame: %d  Scene: %s  Processed: %s",
            payload["frame_index"],
            payload["scene_id"],
            payload["timestamp_processed_utc"],
        )
        for name, camera in payload["cameras"].items():
            picture = f", picture of {len(camera['frame_image_base64'])} characters" * ("frame_image_base64" in camera)
            log.info("  Camera %s (%s): %d tracks%s", name, camera["image_source"], len(camera["tracks"]), picture)
            for track in camera["tracks"]:
                log.info(
                    "    Track %d: global_id %s, bbox %s, confidence %.2f, map %s",
                    track["track_id"],
                    track["global_id"],
                    track["bbox_xyxy"],
                    track["confidence"],
                    track["map_coords"],
                )
    else:
        log.info("  %s", json.dumps(payload))


if __name__ == "__main__":
    sys.exit(main())
