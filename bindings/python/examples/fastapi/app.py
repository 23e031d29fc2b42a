"""Notes of those who are signed in: FastAPI with AuthKit's engine in the same process."""

from __future__ import annotations

from collections import defaultdict
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from authkit import AsyncClient, AuthKit, AuthKitError, Principal
from authkit.fastapi import get_auth, lifespan, require

app = FastAPI(title="Notes", lifespan=lifespan("sqlite://notes.db", public_url="http://127.0.0.1:8000"))
notes: defaultdict[str, list[str]] = defaultdict(list)


class Account(BaseModel):
    email: str
    password: str


class Token(BaseModel):
    token: str


class Note(BaseModel):
    text: str


def new_client(auth: Annotated[AuthKit, Depends(get_auth)]) -> AsyncClient:
    """One for each request, since a client keeps the session of whoever signs in."""
    return auth.client()


AnyClient = Annotated[AsyncClient, Depends(new_client)]
SignedIn = Annotated[Principal, Depends(require())]


@app.exception_handler(AuthKitError)
async def refused(request: Request, error: AuthKitError) -> JSONResponse:
    fields = {field.field: field.detail for field in error.fields}
    return JSONResponse({"code": error.code, "detail": error.message, "fields": fields}, error.status or 500)


@app.post("/sign-up", status_code=202)
async def sign_up(account: Account, client: AnyClient) -> None:
    await client.register(account.email, account.password)


@app.get("/mail")
async def mail(to: str, client: AnyClient) -> list[dict[str, Any]]:
    """What AuthKit mailed; in development it is only shown."""
    return [{"subject": mail.subject, "links": mail.links} for mail in (await client.list_outbox(to=to)).data]


@app.post("/verify")
async def verify(proof: Token, client: AnyClient) -> str:
    return (await client.verify_email(proof.token)).user.id


@app.post("/sign-in")
async def sign_in(account: Account, client: AnyClient) -> Any:
    return await client.login(account.email, account.password)


@app.post("/sign-out", status_code=204)
async def sign_out(caller: SignedIn, client: AnyClient, request: Request) -> None:
    await client.with_bearer(request.headers["authorization"].partition(" ")[2]).logout()


@app.get("/notes")
async def read(caller: SignedIn) -> list[str]:
    return notes[caller.user_id]


@app.post("/notes", status_code=201)
async def write(note: Note, caller: SignedIn) -> None:
    notes[caller.user_id].append(note.text)


@app.get("/admin/users", dependencies=[Depends(require("users:read"))])
async def users() -> list[str]:
    return sorted(notes)
