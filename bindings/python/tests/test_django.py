"""Views of Django that the middleware and `require` guard, blocking and async, with an engine and with a base URL."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import django
import pytest
from conftest import Place
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["testserver"],
    MIDDLEWARE=["authkit.django.AuthKitMiddleware"],
    ROOT_URLCONF="notes_urls",
    SECRET_KEY="of this test only",
    AUTHKIT={"database": "sqlite::memory:"},
)
django.setup()

import authkit.django as guard  # noqa: E402: it reads the settings
from authkit import Client as AuthKitClient  # noqa: E402


@guard.require()
def me(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.authkit.principal.user_id)  # type: ignore[attr-defined]


@guard.require("users:read")
def users(request: HttpRequest) -> HttpResponse:
    return HttpResponse("users")


@guard.require()
async def waiting(request: HttpRequest) -> HttpResponse:
    return HttpResponse((await request.authkit.arequire()).user_id)  # type: ignore[attr-defined]


@guard.require("users:read")
async def waiting_users(request: HttpRequest) -> HttpResponse:
    return HttpResponse("users")


def bare(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.authkit.require("users:read").user_id)  # type: ignore[attr-defined]


def public(request: HttpRequest) -> HttpResponse:
    return HttpResponse("public")


views = {"me": me, "users": users, "bare": bare, "public": public, "waiting": waiting, "waiting_users": waiting_users}
urls = ModuleType("notes_urls")
setattr(urls, "urlpatterns", [path(name, view) for name, view in views.items()])
sys.modules["notes_urls"] = urls


@pytest.fixture(autouse=True)
def guarded(place: Place, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if place.kind == "http":
        auth: Any = (place.blocking_client(), place.client())
    else:
        auth = request.getfixturevalue("engine").auth
    monkeypatch.setattr(guard, "_auth", auth)
    yield


def get(name: str, token: str | None = None, scheme: str = "Bearer") -> Any:
    headers = {} if token is None else {"authorization": f"{scheme} {token}"}
    if name.startswith("waiting"):
        return asyncio.run(AsyncClient().get(f"/{name}", headers=headers))
    return Client().get(f"/{name}", headers=headers)


@pytest.mark.parametrize("name", ["me", "waiting"])
def test_whoever_is_signed_in_is_let_in_and_nobody_else(place: Place, name: str) -> None:
    client = place.sign_up()
    token, user = client.access_token(), client.get_me().id
    answer = get(name, token)
    assert (answer.status_code, answer.content.decode()) == (200, user)
    assert get(name, token, "bearer").status_code == 200
    client.logout()
    for bad in (token, token + "A", "a.b.c", "a b", "a\tb"):
        answer = get(name, bad)
        assert answer.status_code == 401 and 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
        assert answer.headers["content-type"] == "application/problem+json"
        assert token not in answer.content.decode()
    for answer in (get(name), get(name, "YTpi", "Basic"), get(name, "")):
        assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == 'Bearer realm="authkit"'
        assert answer.json()["code"] == "auth.unauthenticated"


@pytest.mark.parametrize("name", ["users", "waiting_users", "bare"])
def test_a_permission_is_asked_for(place: Place, name: str) -> None:
    admin = place.administrator()
    assert get(name, admin.access_token()).status_code == 200
    answer = get(name, place.sign_up().access_token())
    assert answer.status_code == 403 and answer.json()["code"] == "auth.forbidden"


def test_views_without_a_guard_ask_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "get_auth", lambda: pytest.fail("somebody was asked"))
    assert get("public", "a.b.c").content == b"public"


def test_the_settings_open_an_engine_or_a_client(monkeypatch: pytest.MonkeyPatch, place: Place) -> None:
    monkeypatch.setattr(guard, "_auth", None)
    opened = guard.get_auth()
    assert opened is guard.get_auth() and isinstance(opened, guard.AuthKit)
    opened.close()
    monkeypatch.setattr(guard, "_auth", None)
    monkeypatch.setattr(settings, "AUTHKIT", {"base_url": "https://id.example.com"})
    clients = guard.get_auth()
    assert isinstance(clients, tuple) and isinstance(clients[0], AuthKitClient)
    monkeypatch.setattr(guard, "_auth", None)
    monkeypatch.setattr(settings, "AUTHKIT", {})
    with pytest.raises(guard.ImproperlyConfigured):
        guard.get_auth()
