"""Programs that end right after their last call, in every interpreter that is there: cleanly, with their own code."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import SOAK
from pythons import installed, pythons
from served import Served

TIMES = 200 if SOAK else 10

HEAD = """import asyncio, sys, threading
from authkit import AsyncClient, AuthKit, AuthKitError, Client
url = sys.argv[1]
"""
OPEN = 'AuthKit.open("sqlite::memory:", argon2={"memory_kib": 64, "iterations": 1})'
SCRIPTS = {
    "after a blocking call": ("Client(url).get_discovery()", 0),
    "after a coroutine": ("asyncio.run(AsyncClient(url).get_discovery())", 0),
    "with calls on the way": (
        "async def main():\n"
        "    for _ in range(5): asyncio.ensure_future(AsyncClient(url).get_jwks())\n"
        "    await asyncio.sleep(0)\n"
        "    sys.exit(3)\n"
        "asyncio.run(main())",
        3,
    ),
    "with a thread that waits": (
        "def ask():\n"
        "    while True: Client(url).get_jwks()\n"
        "threading.Thread(target=ask, daemon=True).start()\n"
        "Client(url).get_jwks()",
        0,
    ),
    "with an engine closed": (f"with {OPEN} as auth: auth.blocking_client().list_outbox()", 0),
    "with an engine left open": (
        f"async def main():\n    auth = await {OPEN}\n    await auth.client().list_outbox()\nasyncio.run(main())",
        0,
    ),
    "with threads that work an engine": (
        f"auth = {OPEN}.now()\n"
        "def ask():\n"
        "    while True:\n"
        "        try: auth.blocking_client().list_outbox()\n"
        "        except AuthKitError: pass\n"
        "for _ in range(2): threading.Thread(target=ask, daemon=True).start()\n"
        "auth.blocking_client().list_outbox()",
        0,
    ),
    "with an exception": ("Client(url).get_jwks()\nraise SystemExit(7)", 7),
}


@pytest.mark.parametrize("version", pythons())
@pytest.mark.parametrize("kind", SCRIPTS)
def test_a_program_ends_cleanly(server: Served, version: str, kind: str, tmp_path: Path) -> None:
    body, code = SCRIPTS[kind]
    script = tmp_path / "script.py"
    script.write_text(HEAD + body)

    def end(_: int) -> tuple[int, str]:
        ran = subprocess.run([installed(version), str(script), server.url], capture_output=True, text=True, timeout=60)
        return ran.returncode, ran.stderr

    # Some at once, since what goes wrong at the end is often a race.
    with ThreadPoolExecutor(4) as several:
        ends = set(several.map(end, range(TIMES)))
    assert ends == {(code, "")}
