"""What the tests share: a server in conformance mode, an engine in this process, and somebody who is signed in."""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from authkit import AsyncClient, AuthKit, Client
from authkit.models import OutboxMailView
from authkit.testing import Engine

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/suites"))
from served import OPENER, Served  # noqa: E402: it lies with the suites

PASSWORD = "violet tractor 12 umbrella"
SOAK = os.environ.get("AUTHKIT_SOAK") == "1"
CHEAP = {"AUTHKIT_ARGON2__MEMORY_KIB": "64", "AUTHKIT_ARGON2__ITERATIONS": "1"}


@dataclass
class Place:
    """Where calls go, on a state that begins anew for each test."""

    kind: str
    reset: Callable[[], tuple[str, str]]
    advance: Callable[[int], None]
    mails: Callable[[str], Sequence[OutboxMailView]]
    client: Callable[..., AsyncClient]
    blocking_client: Callable[..., Client]

    def administrator(self, **options: Any) -> Client:
        email, password = self.reset()
        client = self.blocking_client(**options)
        client.login(email, password)
        return client

    def sign_up(self, email: str = "ada@example.com", **options: Any) -> Client:
        """A client of a new user."""
        client = self.blocking_client(**options)
        client.register(email, PASSWORD)
        self.prove(client, email)
        client.login(email, PASSWORD)
        return client


    def prove(self, client: Client, email: str) -> None:
        """Follows the link of the newest mail."""
        client.verify_email(self.mails(email)[0].links[0].partition("token=")[2])


@pytest.fixture(scope="session")
def server() -> Iterator[Served]:
    with Served("--conformance", **CHEAP, AUTHKIT_DATABASE_URL="sqlite::memory:") as served:
        yield served


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    with Engine() as engine:
        yield engine


@pytest.fixture
def auth(engine: Engine) -> AuthKit:
    engine.reset()
    return engine.auth


@pytest.fixture
def embedded(engine: Engine) -> Place:
    def reset() -> tuple[str, str]:
        administrator = engine.reset()
        return administrator.email, administrator.password

    reset()
    return Place("embedded", reset, engine.advance, engine.mails, engine.auth.client, engine.auth.blocking_client)


@pytest.fixture
def remote(server: Served) -> Place:
    def ask(path: str, body: dict[str, Any]) -> Any:
        data = json.dumps(body).encode()
        request = urllib.request.Request(server.url + path, data, {"content-type": "application/json"})
        with OPENER.open(request, timeout=30) as answer:
            return json.load(answer)

    def reset() -> tuple[str, str]:
        fresh = ask("/conformance/reset", {})
        return fresh["email"], fresh["password"]

    def advance(seconds: int) -> None:
        ask("/conformance/clock", {"advance": seconds})

    reset()
    return Place(
        "http",
        reset,
        advance,
        lambda to: Client(server.url).list_outbox(to=to).data,
        lambda **options: AsyncClient(server.url, **options),
        lambda **options: Client(server.url, **options),
    )


@pytest.fixture(params=["http", "embedded"])
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.getfixturevalue("remote" if request.param == "http" else "embedded")
    return found


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The line that scripts/test.sh sums up."""
    count = {kind: len(terminalreporter.stats.get(kind, ())) for kind in ("passed", "failed", "error", "skipped")}
    failed = count["failed"] + count["error"]
    verdict = "FAILED" if failed else "ok"
    terminalreporter.write_line(
        f"test result: {verdict}. {count['passed']} passed; {failed} failed; {count['skipped']} ignored"
    )
