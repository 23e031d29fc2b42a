"""Checked by mypy, never run: what programs may rely on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Any

from typing_extensions import assert_type

import authkit
from authkit import AsyncClient, AuthKit, Client, Principal, models


async def over_http() -> None:
    client = AsyncClient("https://id.example.com", tenant="acme", storage="session.json")
    assert_type(await client.get_me(), models.UserView)
    assert_type((await client.get_me()).created_at, datetime)
    assert_type(await client.login("ada@example.com", "…"), models.TokensView | models.MfaRequiredView)
    assert_type(await client.list_roles(), models.Page[models.RoleView])
    assert_type((await client.list_roles()).data, tuple[models.RoleView, ...])
    assert_type(client.iterate_roles(), AsyncIterator[models.RoleView])
    assert_type(client.with_bearer("…"), AsyncClient)
    assert_type(await client.call("getMe"), Any)
    await client.update_me(name=None, locale=authkit.UNSET)


def blocking(client: Client) -> None:
    assert_type(client.get_user("usr_…"), models.AdminUserView)
    assert_type(client.iterate_users(status="active"), Iterator[models.AdminUserView])
    try:
        client.logout()
    except authkit.RateLimited as error:
        assert_type(error.retry_after, float | None)


async def embedded() -> None:
    async with AuthKit.open("sqlite::memory:", tokens={"access": "5m"}) as auth:
        assert_type(auth, AuthKit)
        assert_type(auth.verify("…"), Principal)
        assert_type(auth.client(), AsyncClient)
    with AuthKit.open("sqlite::memory:") as auth:
        assert_type(auth.blocking_client(), Client)
    assert_type(await AuthKit.open("sqlite::memory:"), AuthKit)
