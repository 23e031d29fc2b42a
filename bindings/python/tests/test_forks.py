"""An engine that crosses a fork."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import PASSWORD
from served import OPENER

APP = '''
import json, os
from authkit import AuthKit, AuthKitError

auth = AuthKit.open("sqlite://app.db", argon2={"memory_kib": 64, "iterations": 1}).now()
auth.create_user_blocking("ada@example.com", "violet tractor 12 umbrella")

def app(environ, start_response):
    status, body = "200 OK", {"pid": os.getpid(), "parent": os.getppid()}
    try:
        if environ["PATH_INFO"] == "/login":
            body["token"] = auth.blocking_client().login("ada@example.com", "violet tractor 12 umbrella").access_token
        else:
            body["user"] = auth.verify(environ["HTTP_AUTHORIZATION"].removeprefix("Bearer ")).user_id
            if environ["PATH_INFO"] == "/end":
                auth.blocking_client().with_bearer(environ["HTTP_AUTHORIZATION"].removeprefix("Bearer ")).logout()
    except AuthKitError as error:
        status, body = f"{error.status or 500} Refused", {**body, "code": error.code, "message": str(error)}
    start_response(status, [("content-type", "application/json")])
    return [json.dumps(body).encode()]
'''


@pytest.fixture(params=[["--worker-class=sync"], ["--threads=2"]], ids=["processes", "threads"])
def gunicorn(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    (tmp_path / "app.py").write_text(APP)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    arguments = ["--preload", "--no-control-socket", "--workers=3", *request.param, f"--bind=127.0.0.1:{port}"]
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen([sys.executable, "-m", "gunicorn", *arguments, "app:app"], cwd=tmp_path, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(30)
        text = (tmp_path / "log").read_text()
        assert code == 0 and "Traceback" not in text, text


def ask(url: str, token: str = "") -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(url, headers={"authorization": f"Bearer {token}", "connection": "close"})
    for _ in range(100):
        try:
            with OPENER.open(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)
        except OSError:
            time.sleep(0.1)
    raise AssertionError("gunicorn does not answer")


def test_gunicorn_with_preload_serves_from_every_worker(gunicorn: tuple[str, subprocess.Popen[bytes]]) -> None:
    url, process = gunicorn
    status, signed_in = ask(f"{url}/login")
    assert status == 200 and signed_in["parent"] == process.pid, signed_in
    workers = {signed_in["pid"]}
    deadline = time.monotonic() + 60
    while len(workers) < 3 and time.monotonic() < deadline:
        status, seen = ask(f"{url}/me", signed_in["token"])
        assert status == 200, seen
        workers.add(seen["pid"])
    assert len(workers) == 3
    # What one worker ends, every other one refuses within a second.
    assert ask(f"{url}/end", signed_in["token"])[0] == 200
    time.sleep(1)
    for _ in range(30):
        status, refused = ask(f"{url}/me", signed_in["token"])
        assert (status, refused.get("code")) == (401, "auth.invalid_token"), refused


def test_parent_and_child_go_on_with_one_engine(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import os, sys\n"
        "from authkit import AuthKit\n"
        f"auth = AuthKit.open('sqlite://{tmp_path}/app.db', argon2={{'memory_kib': 64, 'iterations': 1}}).now()\n"
        "client = auth.blocking_client()\n"
        f"client.register('ada@example.com', {PASSWORD!r})\n"
        "child = os.fork()\n"
        "auth.blocking_client().list_outbox(); client.list_outbox()\n"
        "if child:\n"
        "    _, status = os.waitpid(child, 0)\n"
        "    client.list_outbox()\n"
        "    sys.exit(os.waitstatus_to_exitcode(status))\n"
        "sys.exit(0)\n"
    )
    for _ in range(5):
        ran = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0, ran.stderr


def test_a_client_over_http_crosses_a_fork(server: Any) -> None:
    from authkit import Client

    client = Client(server.url)
    assert client.get_discovery().issuer
    child = os.fork()
    if child == 0:
        os._exit(0 if client.get_discovery().issuer else 1)
    assert client.get_discovery().issuer
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
