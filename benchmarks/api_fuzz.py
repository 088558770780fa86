"""What anybody may send: requests made from the API's own description, right and wrong ones, for as long as asked.

    .venv/bin/python benchmarks/api_fuzz.py --seconds 600

A server of its own is started three times: open to all, with a viewer's key, and with an operator's. Fails when any
answer is a fault of the server's or unlike its description, or when the server or its worker did not live through it.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "allow_header_conformance",
    "missing_required_header",
)
ENDLESS = ("/api/v1/jobs/events", "/api/v1/jobs/{job_id}/events")
"""Streams without an end, which nobody can wait for."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=300, help="altogether")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="one surface")
    asked = parser.parse_args()
    failed = False
    for role in (None, "viewer", "operator"):
        with tempfile.TemporaryDirectory() as folder:
            failed |= not fuzzed(Path(folder), role, asked)
    sys.exit(failed)


def fuzzed(folder, role, asked):
    """Whether a server got through its share of the seconds."""
    key = None
    environment = os.environ | {
        "SIGHTLINE_DATA_FOLDER": str(folder / "data"),
        "SIGHTLINE_LIMITS__REQUESTS_PER_MINUTE": "0",
        "SIGHTLINE_AUTH__LOGINS_PER_MINUTE": "100000",
        "SIGHTLINE_AUTH__MODE": "on" if role else "off",
    }
    if role:
        command = [sys.executable, "-m", "sightline", "keys", "create", "fuzz", "--role", role]
        said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        key = re.search(r"slk_\S+", said.stdout)[0]
    log = folder / "log"
    with log.open("wb") as file:
        command = [sys.executable, "-m", "sightline", "serve", "--port", "0"]
        command += ["--only", asked.only] if asked.only else []
        server = subprocess.Popen(command, env=environment, stdout=file, stderr=file, start_new_session=True)
    try:
        while not ("ready" in log.read_text() or server.poll() is not None):
            time.sleep(0.1)
        url = re.search(r"listening on (http://\S+)", log.read_text())[1]
        checks = (*CHECKS, "ignored_auth") if role else CHECKS
        result = subprocess.run(schemathesis(url, checks, key, asked), cwd=folder, check=False)
        alive = server.poll() is None and httpx.get(f"{url}/health/ready").status_code == 200
    finally:
        server.terminate()
        code = server.wait(60)
    faults = [line for line in log.read_text().splitlines() if "fault=" in line or "Traceback" in line]
    print(f"{role or 'open'}: exit {result.returncode}, alive {alive}, ended with {code}, faults in the log: {faults}")
    return result.returncode == 0 and alive and code == 0 and not faults


def schemathesis(url, checks, key, asked):
    """The command."""
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{url}/openapi.json"]
    command += ["--max-time", str(asked.seconds // 3), "--seed", str(asked.seed), "--checks", ",".join(checks)]
    command += ["--max-examples", "100000", "--request-timeout", "40", "--no-color", "--continue-on-failure"]
    command += ["--warnings", "off", "--generation-database", "none"]
    for path in ENDLESS:
        command += ["--exclude-path", path]
    return command + (["--header", f"X-API-Key: {key}"] if key else [])


if __name__ == "__main__":
    main()
