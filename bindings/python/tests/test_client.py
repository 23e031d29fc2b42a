"""The clients, over HTTP and over an engine in this process."""

from __future__ import annotations

import asyncio
import base64
import hmac
import os
import stat
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from conftest import PASSWORD, Place

import authkit
from authkit import UNSET, AuthKit, Event, models


def test_a_user_signs_up_in_and_out(place: Place) -> None:
    async def program() -> None:
        heard: list[str] = []
        client = place.client(on_event=lambda event: heard.append(event.name))
        answer = await client.register("ada@example.com", PASSWORD, name="Ada")
        assert answer.status == "verification_required"
        proof = place.mails("ada@example.com")[0].links[0].partition("token=")[2]
        verified = await client.verify_email(proof)
        assert not await client.is_signed_in()
        tokens = await client.login("ada@example.com", PASSWORD)
        assert isinstance(tokens, models.TokensView)
        assert tokens.user == verified.user or tokens.user.id == verified.user.id
        me = await client.get_me()
        assert (me.id, me.name, me.email_verified) == (verified.user.id, "Ada", True)
        assert me.created_at.tzinfo is not None and me.created_at <= datetime.now(timezone.utc) + timedelta(days=1)
        assert await client.access_token()
        await client.logout()
        assert heard == ["signed_in", "signed_out"]
        with pytest.raises(authkit.SignedOut):
            await client.get_me()

    asyncio.run(program())


def test_the_blocking_client_does_the_same(place: Place) -> None:
    heard: list[Event] = []
    client = place.sign_up(on_event=heard.append)
    assert client.is_signed_in() and client.get_me().email == "ada@example.com"
    assert [session.current for session in client.list_sessions()] == [True]
    client.logout()
    assert [event.name for event in heard] == ["signed_in", "signed_out"]
    with pytest.raises(authkit.SignedOut):
        client.get_me()


def test_ten_calls_with_an_expired_token_make_one_refresh(place: Place) -> None:
    heard: list[str] = []
    signed_in = place.sign_up()
    stored = signed_in.refresh()
    place.advance(16 * 60)

    async def program() -> None:
        client = place.client(on_event=lambda event: heard.append(event.name))
        await client.call("refresh", {"refresh_token": stored.refresh_token})
        place.advance(16 * 60)
        found = await asyncio.gather(*(client.get_me() for _ in range(10)))
        assert len({me.id for me in found}) == 1

    asyncio.run(program())
    assert heard == ["signed_in", "refreshed"]


def test_a_refused_refresh_signs_out_once(place: Place) -> None:
    heard: list[Event] = []
    client = place.sign_up(on_event=heard.append)
    place.advance(365 * 24 * 3600)
    with pytest.raises(authkit.AuthError):
        client.get_me()
    with pytest.raises(authkit.SignedOut):
        client.get_me()
    assert [event.name for event in heard] == ["signed_in", "signed_out"]
    assert heard[1].reason is not None and heard[1].reason.status == 401


def test_a_network_that_fails_keeps_the_tokens(remote: Place, tmp_path: Path) -> None:
    file = tmp_path / "session.json"
    remote.sign_up(storage=file)
    elsewhere = authkit.Client("http://127.0.0.1:9", storage=file, retries=0, timeout=5)
    with pytest.raises(authkit.NetworkError) as failed:
        elsewhere.get_me()
    assert failed.value.code == "client.network" and failed.value.retryable
    assert elsewhere.is_signed_in()


def test_tokens_are_kept_in_a_file_that_only_its_owner_reads(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "session.json"
    place.sign_up(storage=file)
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    assert place.blocking_client(storage=str(file)).get_me().email == "ada@example.com"


class Shelf:
    """A storage of the application's own."""

    def __init__(self) -> None:
        self.tokens: str | None = None
        self.broken = False

    def load(self) -> str | None:
        if self.broken:
            raise RuntimeError(f"cannot read {self.tokens}")
        return self.tokens

    def save(self, tokens: str, /) -> None:
        self.tokens = tokens

    def clear(self) -> None:
        self.tokens = None


def test_tokens_are_kept_by_an_object(place: Place) -> None:
    shelf = Shelf()
    client = place.sign_up(storage=shelf)
    assert shelf.tokens is not None

    async def program() -> str:
        return (await place.client(storage=shelf).get_me()).email

    assert asyncio.run(program()) == "ada@example.com"
    client.logout()
    assert shelf.tokens is None


def test_a_storage_that_fails_is_told_without_the_tokens(place: Place) -> None:
    shelf = Shelf()
    place.sign_up(storage=shelf)
    shelf.broken = True
    assert shelf.tokens is not None
    with pytest.raises(authkit.AuthKitError) as failed:
        place.blocking_client(storage=shelf).get_me()
    assert failed.value.code == "client.storage" and "RuntimeError" in str(failed.value)
    assert shelf.tokens not in str(failed.value)


def test_an_absent_field_stays_and_none_clears(place: Place) -> None:
    client = place.sign_up()
    assert client.update_me(name="Ada", locale="de").name == "Ada"
    assert client.update_me(name=UNSET, locale=None).name == "Ada"
    assert client.get_me().locale is None
    assert client.update_me(name=None).name is None


def test_lists_are_walked_page_after_page(place: Place) -> None:
    client = place.administrator()
    for number in range(5):
        client.create_role(f"role-{number}", permissions=["users:read"])
    names = [role.name for role in client.iterate_roles(name="role-", limit=2)]
    assert sorted(names) == [f"role-{number}" for number in range(5)]
    page = client.list_roles(name="role-", limit=2)
    assert len(page) == 2 and page.next_cursor is not None

    async def program() -> list[str]:
        walker = place.client()
        await walker.call("refresh", {"refresh_token": client.refresh().refresh_token})
        return [role.name async for role in walker.iterate_roles(name="role-", limit=2)]

    assert sorted(asyncio.run(program())) == sorted(names)


def test_times_are_arguments_with_a_zone_only(place: Place) -> None:
    client = place.administrator()
    now = datetime.now(timezone.utc)
    assert client.list_audit(from_=now - timedelta(days=9), until=now + timedelta(days=9)).data
    with pytest.raises(TypeError, match="time zone"):
        client.list_audit(from_=datetime(2026, 1, 1))


def test_one_client_stands_for_others(place: Place) -> None:
    client, other = place.sign_up(), place.sign_up("bob@example.com")
    assert client.with_bearer(other.access_token()).get_me().email == "bob@example.com"
    assert client.get_me().email == "ada@example.com"


def test_a_second_factor_is_asked_for(place: Place) -> None:
    client = place.sign_up()
    secret = client.enrol_totp().secret
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, (int(time.time()) // 30).to_bytes(8, "big"), "sha1")
    code = (int.from_bytes(digest[digest[-1] & 15 :][:4], "big") & 0x7FFFFFFF) % 10**6
    confirmed = client.confirm_totp(f"{code:06}")
    codes = confirmed.backup_codes
    assert codes[0] not in repr(confirmed)
    attempt = place.blocking_client()
    first = attempt.login("ada@example.com", PASSWORD)
    assert isinstance(first, models.MfaRequiredView) and set(first.methods) == {"totp", "backup_code"}
    assert first.mfa_token not in repr(first)
    with pytest.raises(authkit.SignedOut):
        attempt.get_me()
    assert attempt.verify_mfa(first, "backup_code", codes[0]).user.email == "ada@example.com"
    assert attempt.get_mfa().backup_codes_left == len(codes) - 1


def test_a_repeat_under_the_same_key_gets_the_first_answer(remote: Place, auth: AuthKit) -> None:
    client = remote.administrator()
    first = client.create_role("editor", idempotency_key="k-1")
    assert client.create_role("editor", idempotency_key="k-1").id == first.id
    with pytest.raises(authkit.ValidationError, match="no idempotency key"):
        auth.blocking_client().register("ada@example.com", PASSWORD, idempotency_key="k-1")


def test_an_unknown_operation_is_refused(place: Place) -> None:
    with pytest.raises(authkit.ValidationError, match="getYou"):
        place.blocking_client().call("getYou")
