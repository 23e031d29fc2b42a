"""The Python runner of tests/scenarios, over HTTP and over an engine in this process."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import os
import re
import struct
import urllib.request
from pathlib import Path
from typing import Any, Protocol

from authkit import AsyncClient, AuthKitError
from authkit.testing import Engine

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback needs no proxy


class Place(Protocol):
    mode: str
    offers: tuple[str, ...]

    def client(self, tenant: str | None) -> AsyncClient: ...
    def reset(self) -> dict[str, str]: ...
    def advance(self, seconds: int) -> None: ...
    def now(self) -> int: ...
    async def mails(self, to: str) -> list[dict[str, Any]]: ...


class Server:
    """A server in conformance mode."""

    mode = "client, HTTP"
    offers: tuple[str, ...] = ("http",)

    def __init__(self, url: str) -> None:
        self.url = url

    def client(self, tenant: str | None) -> AsyncClient:
        return AsyncClient(self.url, tenant=tenant)

    def _ask(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"content-type": "application/json"})
        with OPENER.open(request, timeout=30) as answer:
            return json.load(answer)

    def reset(self) -> dict[str, str]:
        fresh = self._ask("/conformance/reset", {})
        return {"email": fresh["email"], "password": fresh["password"]}

    def advance(self, seconds: int) -> None:
        self._ask("/conformance/clock", {"advance": seconds})

    def now(self) -> int:
        return int(self._ask("/conformance/clock")["unix"])

    async def mails(self, to: str) -> list[dict[str, Any]]:
        return list(self._ask(f"/v1/dev/outbox?to={to}")["data"])


class Embedded:
    """An engine inside this process."""

    mode = "embedded, memory"
    offers: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.engine = Engine()

    def client(self, tenant: str | None) -> AsyncClient:
        return self.engine.auth.client(tenant=tenant)

    def reset(self) -> dict[str, str]:
        administrator = self.engine.reset()
        return {"email": administrator.email, "password": administrator.password}

    def advance(self, seconds: int) -> None:
        self.engine.advance(seconds)

    def now(self) -> int:
        return self.engine.now()

    async def mails(self, to: str) -> list[dict[str, Any]]:
        return [{"kind": mail.kind, "links": mail.links, "subject": mail.subject} for mail in self.engine.mails(to)]


class Wrong(Exception):
    pass


def code(secret: str, now: int) -> str:
    """RFC 6238 with SHA-1, 30 seconds and six digits."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, struct.pack(">Q", now // 30), hashlib.sha1)
    (number,) = struct.unpack(">I", digest[digest[-1] & 15 :][:4])
    return f"{(number & 0x7FFFFFFF) % 1_000_000:06}"


def compare(wanted: Any, found: Any, at: str) -> None:
    """Whether `found` has the parts that `wanted` names."""
    if wanted == "*":
        if found is None:
            raise Wrong(f"{at} is not there")
    elif isinstance(wanted, dict) and isinstance(found, dict):
        for name, part in wanted.items():
            if name not in found:
                raise Wrong(f"{at}.{name} is not there: {found}")
            compare(part, found[name], f"{at}.{name}")
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for number, (item, other) in enumerate(zip(wanted, found)):
            compare(item, other, f"{at}.{number}")
    elif wanted != found or type(wanted) is not type(found):
        raise Wrong(f"{at} is {found}, not {wanted}")


class Play:
    """One scenario on a fresh state."""

    def __init__(self, place: Place) -> None:
        self.place, self.admin = place, place.reset()
        self.clients: dict[str, AsyncClient] = {}
        self.saved: dict[str, str] = {}

    def fill(self, value: Any) -> Any:
        if isinstance(value, str):
            return re.sub(r"\$\{(\w+)\}", lambda name: self.saved[name[1]], value)
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        if isinstance(value, dict):
            return {name: self.fill(part) for name, part in value.items()}
        return value

    async def step(self, step: dict[str, Any]) -> None:
        for result in await self.perform(step):
            if isinstance(result, BaseException):
                if "fails" not in step or not isinstance(result, AuthKitError):
                    raise result
                fields = [{"field": field.field, "code": field.code, "detail": field.detail} for field in result.fields]
                result = {"code": result.code, "status": result.status, "fields": fields}
                compare(self.fill(step["fails"]), result, "error")
            elif "fails" in step:
                raise Wrong(f"it succeeds: {result}")
            if "expect" in step:
                compare(self.fill(step["expect"]), result, "result")
            for name, path in step.get("save", {}).items():
                value = result
                for part in path.split("."):
                    value = value[int(part) if isinstance(value, list) else part]
                self.saved[name] = value

    async def perform(self, step: dict[str, Any]) -> list[Any]:
        if "as" in step:
            name = step["as"]
            if name not in self.clients:
                self.clients[name] = self.place.client(step.get("tenant"))
                if name == "admin":
                    await self.clients[name].login(**self.admin)
            arguments, key = self.fill(step.get("with", {})), step.get("key")
            ask = self.clients[name].call
            calls = [ask(step["call"], arguments, idempotency_key=key) for _ in range(step.get("times", 1))]
            results = await asyncio.gather(*calls, return_exceptions=True)
            return results
        if "mail" in step:
            mails = await self.place.mails(self.fill(step["mail"]["to"]))
            mail = next((mail for mail in mails if mail["kind"] == step["mail"]["kind"]), None)
            if mail is None:
                raise Wrong(f"no such mail: {[mail['kind'] for mail in mails]}")
            tokens = [found[1] for link in mail["links"] if (found := re.search(r"token=([^&]*)", link))]
            return [{"token": tokens[0] if tokens else None, "subject": mail["subject"]}]
        if "totp" in step:
            return [{"code": code(self.fill(step["totp"]["secret"]), self.place.now())}]
        self.place.advance(step["advance"])
        return [None]


async def main() -> None:
    places: list[Place] = [Server(os.environ["AUTHKIT_CONFORMANCE_URL"]), Embedded()]
    for place in places:
        for file in sorted(Path(os.environ["AUTHKIT_SCENARIOS"]).glob("*.json")):
            scenario = json.loads(file.read_text())
            missing = [f"needs {need}" for need in scenario.get("needs", []) if need not in place.offers]
            reason = scenario.get("skip", {}).get("python") or next(iter(missing), None)
            outcome, number = "skipped" if reason else "passed", 0
            try:
                if reason is None:
                    play = Play(place)
                    for number, step in enumerate(scenario["steps"], 1):
                        await play.step(step)
            except Exception as error:
                outcome, reason = "failed", f"step {number}: {type(error).__name__}: {error}"
            record = {"language": "python", "mode": place.mode, "scenario": file.stem, "outcome": outcome, "reason": reason}
            print(json.dumps(record), flush=True)


asyncio.run(main())
