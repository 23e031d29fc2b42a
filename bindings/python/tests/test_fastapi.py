"""Routes of FastAPI that `require` guards, with an engine and with a client."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from conftest import PASSWORD, ROOT, Place
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient

from authkit import AsyncClient, AuthKit
from authkit.fastapi import AnyPrincipal, install, lifespan, require


def guarded(auth: AuthKit | AsyncClient) -> FastAPI:
    app = FastAPI()
    install(app, auth)

    @app.get("/me")
    async def me(caller: Annotated[AnyPrincipal, Depends(require())]) -> dict[str, Any]:
        return {"user_id": caller.user_id, "session_id": caller.session_id, "tenant_id": caller.tenant_id}

    @app.get("/users", dependencies=[Depends(require("users:read"))])
    async def users() -> list[str]:
        return []

    return app


@pytest.fixture
def web(place: Place, request: pytest.FixtureRequest) -> Iterator[TestClient]:
    auth = place.client() if place.kind == "http" else request.getfixturevalue("engine").auth
    with TestClient(guarded(auth)) as web:
        yield web


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def test_whoever_is_signed_in_is_let_in(place: Place, web: TestClient) -> None:
    client = place.sign_up()
    answer = web.get("/me", headers=bearer(client.access_token()))
    (session,) = client.list_sessions()
    me = client.get_me()
    assert answer.status_code == 200
    assert answer.json() == {"user_id": me.id, "session_id": session.id, "tenant_id": me.tenant_id}


def test_nobody_else_is(place: Place, web: TestClient) -> None:
    client = place.sign_up()
    token = client.access_token()
    client.logout()
    for headers in (bearer(token), bearer("a.b.c"), bearer("a b\tc"), bearer(token + "A")):
        answer = web.get("/me", headers=headers)
        assert answer.status_code == 401, answer.text
        assert answer.headers["www-authenticate"] == 'Bearer realm="authkit", error="invalid_token"'
        assert token not in answer.text
    for headers in ({}, {"authorization": "Basic YTpi"}):
        answer = web.get("/me", headers=headers)
        assert answer.status_code == 401 and answer.headers["www-authenticate"] == 'Bearer realm="authkit"'


def test_a_permission_is_asked_for(place: Place, web: TestClient) -> None:
    admin = place.administrator()
    assert web.get("/users", headers=bearer(admin.access_token())).json() == []
    email = "bob@example.com"
    admin.register(email, PASSWORD)
    place.prove(admin, email)
    bob = place.blocking_client()
    bob.login(email, PASSWORD)
    answer = web.get("/users", headers=bearer(bob.access_token()))
    assert answer.status_code == 403 and "users:read" in answer.text
    assert "insufficient_scope" in answer.headers["www-authenticate"]


def test_a_server_that_cannot_be_asked_lets_nobody_in() -> None:
    with TestClient(guarded(AsyncClient("http://127.0.0.1:9", retries=0, timeout=5))) as web:
        assert web.get("/me", headers=bearer("a.b.c")).status_code == 503


def test_an_app_that_nothing_guards_says_so() -> None:
    app = guarded(AsyncClient("http://127.0.0.1:9"))
    del app.state.authkit
    with TestClient(app) as web, pytest.raises(RuntimeError, match="lifespan"):
        web.get("/me", headers=bearer("a.b.c"))


def test_the_lifespan_opens_and_closes_the_engine() -> None:
    app = FastAPI(lifespan=lifespan("sqlite::memory:"))

    @app.get("/me")
    async def me(caller: Annotated[AnyPrincipal, Depends(require())]) -> str:
        return caller.user_id

    with TestClient(app) as web:
        assert web.get("/me", headers=bearer("a.b.c")).status_code == 401
        auth = app.state.authkit
    assert web.get("/openapi.json").json()["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    with pytest.raises(Exception, match="closed"):
        auth.blocking_client().list_outbox()


def test_the_example_walks_from_sign_up_to_a_guarded_route(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(ROOT / "bindings/python/examples/fastapi")
    import app as example

    with TestClient(example.app) as web:
        account = {"email": "ada@example.com", "password": "violet tractor 12 umbrella"}
        assert web.post("/sign-up", json=account).status_code == 202
        while not (mails := web.get("/mail", params={"to": account["email"]}).json()):
            time.sleep(0.05)
        assert web.post("/verify", json={"token": mails[0]["links"][0].partition("token=")[2]}).status_code == 200
        tokens = web.post("/sign-in", json=account).json()
        assert web.get("/notes").status_code == 401
        signed_in = bearer(tokens["access_token"])
        assert web.post("/notes", json={"text": "Buy milk"}, headers=signed_in).status_code == 201
        assert web.get("/notes", headers=signed_in).json() == ["Buy milk"]
        assert web.get("/admin/users", headers=signed_in).status_code == 403
        assert web.post("/sign-in", json={**account, "password": "wrong"}).status_code == 401
        assert web.post("/sign-up", json={"email": "x", "password": "y"}).status_code == 422
        assert web.post("/sign-out", headers=signed_in).status_code == 204
        assert web.get("/notes", headers=signed_in).status_code == 401
