"""Checked by mypy, never run: what it finds."""

from __future__ import annotations

from authkit import AsyncClient, Client, models


async def mistakes(client: AsyncClient, blocking: Client, user: models.UserView) -> None:
    await client.create_role()  # wrong
    await client.create_role("editor", permission=["users:read"])  # wrong
    await client.list_users(status="asleep")  # wrong
    await client.verify_mfa("token", "sms", "123456")  # wrong
    user.name = "Ada"  # wrong
    (await client.get_me()).nmae  # wrong
    for _ in client.iterate_roles():  # wrong
        pass
    await blocking.get_me()  # wrong
