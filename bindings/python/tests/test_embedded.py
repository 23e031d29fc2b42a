"""The engine inside this process."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest
from conftest import CHEAP, PASSWORD, Place
from served import Served

import authkit
from authkit import AuthKit, Principal
from authkit.testing import Engine

ARGON = {"memory_kib": 64, "iterations": 1}


def test_it_opens_and_closes_its_database(tmp_path: Path) -> None:
    def open_files() -> list[str]:
        links = []
        for number in os.listdir("/proc/self/fd"):
            try:
                links.append(os.readlink(f"/proc/self/fd/{number}"))
            except FileNotFoundError:
                pass
        return [link for link in links if link.startswith(str(tmp_path))]

    async def program() -> None:
        async with AuthKit.open(f"sqlite://{tmp_path}/app.db", argon2=ARGON) as auth:
            assert open_files()
            client = auth.client()
            await client.list_outbox()
        with pytest.raises(authkit.ValidationError, match="closed"):
            await client.list_outbox()
        with pytest.raises(authkit.AuthKitError):
            auth.verify("x.y.z")

    asyncio.run(program())
    assert not open_files()
    with AuthKit.open(f"sqlite://{tmp_path}/app.db", argon2=ARGON) as auth:
        assert auth.blocking_client().list_outbox().data == () and open_files()
    assert not open_files()


def test_an_engine_that_nobody_holds_lets_go_of_its_database(tmp_path: Path) -> None:
    AuthKit.open(f"sqlite://{tmp_path}/app.db", argon2=ARGON).now()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        links = {os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")}
        if not any(link.startswith(str(tmp_path)) for link in links):
            return
        time.sleep(0.05)
    raise AssertionError("the database is open still")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"database": "sqlite::memory:", "tokens": {"acess": "5m"}}, "tokens.acess"),
        ({"database": "sqlite::memory:", "listen": "hunter2"}, "listen"),
        ({"database": "mysql://root:hunter2@localhost/x"}, "database_url"),
    ],
)
def test_wrong_settings_are_named_and_not_repeated(settings: dict[str, object], named: str) -> None:
    with pytest.raises(authkit.ValidationError) as refused:
        AuthKit.open(**settings).now()  # type: ignore[arg-type]
    assert "hunter2" not in str(refused.value)
    assert named in str(refused.value)


def test_a_principal_says_who_calls_and_what_is_granted(embedded: Place, auth: AuthKit) -> None:
    client = embedded.sign_up()
    token, me = client.access_token(), client.get_me()
    principal = auth.verify(token)
    assert isinstance(principal, Principal)
    (session,) = client.list_sessions()
    assert (principal.user_id, principal.tenant_id, principal.session_id) == (me.id, me.tenant_id, session.id)
    assert principal.auth_time < principal.expires_at and principal.amr == ("pwd",)
    assert not principal.has("users:read") and principal.permissions == ()
    with pytest.raises(authkit.PermissionDenied, match="users:read"):
        principal.require("users:read")
    assert token not in repr(principal) and me.id in repr(principal)
    assert principal.to_dict()["user_id"] == me.id


def test_permissions_count_as_they_are_granted(embedded: Place, auth: AuthKit) -> None:
    admin = embedded.administrator()
    email = "bob@example.com"
    admin.register(email, PASSWORD)
    embedded.prove(admin, email)
    bob = embedded.blocking_client()
    bob.login(email, PASSWORD)
    role = admin.create_role("reader", permissions=["roles:read"])
    before = bob.access_token()
    admin.assign_role(bob.get_me().id, role.id)
    principal = auth.verify(before)
    assert principal.has("roles:read") and not principal.has("users:read")
    assert principal.has("roles:read", owner_id=admin.get_me().id)
    assert not principal.has("users:read", owner_id=principal.user_id)
    assert not principal.has("roles:read", owner_id="nonsense")
    with pytest.raises(authkit.ValidationError):
        principal.require("users:read", owner_id="nonsense")
    assert role.id in principal.roles and principal.permissions == ("roles:read",)


def test_a_token_stops_counting_with_its_session(embedded: Place, auth: AuthKit) -> None:
    client = embedded.sign_up()
    token = client.access_token()
    assert auth.verify(token).user_id
    client.logout()
    for bad in (token, token[:-2] + "AA", "", "a.b.c", "\n"):
        with pytest.raises(authkit.AuthError) as refused:
            auth.verify(bad)
        assert refused.value.code == "auth.invalid_token"


def test_it_may_share_its_database_with_a_server() -> None:
    with Served(**CHEAP) as server:
        url = server.env["AUTHKIT_DATABASE_URL"]
        with AuthKit.open(url, argon2=ARGON, listen=server.url.removeprefix("http://")) as auth:
            token = server.administrator()["access_token"]
            assert auth.verify(token).has("users:read")
            assert server.call("POST", "/v1/auth/logout", {}, token)[0] == 204
            time.sleep(1)
            with pytest.raises(authkit.AuthError):
                auth.verify(token)


def test_tests_get_a_fresh_state_and_a_clock() -> None:
    with Engine() as engine:
        first = engine.reset()
        client = engine.auth.blocking_client()
        client.login(first.email, first.password)
        began = engine.now()
        engine.advance(600)
        assert 600 <= engine.now() - began < 660
        engine.reset()
        with pytest.raises(authkit.AuthError):
            client.get_me()
        assert first.password not in repr(first)


def test_the_first_administrator_is_made_by_the_application(auth: AuthKit) -> None:
    first = auth.create_user_blocking("root@example.com", PASSWORD, name="Root", roles=["admin"])
    second = asyncio.run(auth.create_user("ada@example.com", PASSWORD))
    client = auth.blocking_client()
    client.login("root@example.com", PASSWORD)
    assert {first, second} <= {user.id for user in client.iterate_users()}
    with pytest.raises(authkit.NotFound):
        auth.create_user_blocking("bob@example.com", PASSWORD, roles=["nobody"])
