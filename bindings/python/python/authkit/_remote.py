"""Who presents an access token, as a server says."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ._client import AsyncClient, Client
from .errors import AuthError, AuthKitError, PermissionDenied


@dataclass(frozen=True, slots=True, kw_only=True)
class RemotePrincipal:
    """Who presents an access token that a server has just accepted."""

    user_id: str
    tenant_id: str
    session_id: str
    roles: tuple[str, ...]
    amr: tuple[str, ...]
    auth_time: datetime
    expires_at: datetime


def _claims(access_token: str) -> RemotePrincipal:
    """What the token says. It proves nothing: ask the server first."""
    try:
        payload = access_token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return RemotePrincipal(
            user_id=claims["sub"],
            tenant_id=claims["tid"],
            session_id=claims["sid"],
            roles=tuple(claims["roles"]),
            amr=tuple(claims["amr"]),
            auth_time=datetime.fromtimestamp(claims["auth_time"], timezone.utc),
            expires_at=datetime.fromtimestamp(claims["exp"], timezone.utc),
        )
    except (ArithmeticError, AttributeError, IndexError, KeyError, TypeError, ValueError):
        message = "The server accepted an access token that this version of authkit cannot read."
        raise AuthKitError(message, code="client.unexpected_answer", status=200) from None


def refuse_invisible(access_token: str) -> None:
    """What no header can hold is no token, and nobody needs to be asked."""
    if not all("!" <= character <= "~" for character in access_token):
        raise AuthError("The access token is not valid.", code="auth.invalid_token", status=401)


def _require(decision: dict[str, Any], permission: str) -> None:
    if decision.get("allowed") is not True:
        raise PermissionDenied(f"This needs the permission `{permission}`.", code="auth.forbidden", status=403)


async def authenticate(client: AsyncClient, access_token: str, permission: str | None) -> RemotePrincipal:
    """Asks the server, in one request, whether the token counts and grants the permission."""
    caller = client.with_bearer(access_token)
    if permission is None:
        await caller.call("getMe")
    else:
        _require(await caller.call("checkPermission", {"permission": permission}), permission)
    return _claims(access_token)


def authenticate_blocking(client: Client, access_token: str, permission: str | None) -> RemotePrincipal:
    """The same, waiting."""
    caller = client.with_bearer(access_token)
    if permission is None:
        caller.call("getMe")
    else:
        _require(caller.call("checkPermission", {"permission": permission}), permission)
    return _claims(access_token)
