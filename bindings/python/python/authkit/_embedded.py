"""The engine inside this process."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from . import _loop, _native
from ._client import AsyncClient, Client, Storage
from ._events import EventHandler
from ._native import Principal

if TYPE_CHECKING:
    from typing_extensions import Self


class Opening:
    """An engine that is about to be opened: `async with` and `with` open it and close it in the end, `await` opens it,
    and `now` opens it and waits."""

    __slots__ = ("_auth", "_engine")

    def __init__(self, settings: dict[str, Any]) -> None:
        self._engine = _native.Engine(json.dumps(settings))
        self._auth: AuthKit | None = None

    def __await__(self) -> Generator[Any, None, AuthKit]:
        return self._wait().__await__()

    async def _wait(self) -> AuthKit:
        _loop.result(await _loop.wait(self._engine.open))
        return AuthKit(self._engine)

    def now(self) -> AuthKit:
        """Opens it and waits."""
        _loop.result(self._engine.open_blocking())
        return AuthKit(self._engine)

    async def __aenter__(self) -> AuthKit:
        self._auth = await self._wait()
        return self._auth

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._auth is not None:
            await self._auth.aclose()

    def __enter__(self) -> AuthKit:
        self._auth = self.now()
        return self._auth

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._auth is not None:
            self._auth.close()

    def __repr__(self) -> str:
        return "<authkit.Opening>"


class AuthKit:
    """The engine inside this process, with its database and its background worker. `open` makes one.

    It may be shared by threads and event loops, and by processes that are forked from this one: each opens the database
    for itself. Several processes and servers may share one database.
    """

    __slots__ = ("__weakref__", "_engine")

    def __init__(self, engine: _native.Engine) -> None:
        """Use `AuthKit.open`."""
        self._engine = engine

    @staticmethod
    def open(database: str, **settings: Any) -> Opening:
        """Opens an engine.

        ```python
        async with AuthKit.open(database="sqlite://app.db") as auth: ...
        with AuthKit.open(database="postgres://localhost/app", tokens={"access": "5m"}) as auth: ...
        ```

        Args:
            database: `sqlite://path`, `sqlite::memory:` or `postgres://user:password@host/database`.
            **settings: Those of docs/configuration.md, sections as mappings. `database_url` and a mapping `database` go
                into `database_options`.
        """
        if (options := settings.pop("database_options", None)) is not None:
            return Opening({**settings, "database_url": database, "database": options})
        return Opening({**settings, "database": database})

    def client(
        self,
        *,
        tenant: str | None = None,
        storage: Storage | None = None,
        timeout: float | None = None,
        on_event: EventHandler | None = None,
    ) -> AsyncClient:
        """A client of this engine for asyncio, with a session of its own. Its arguments are those of `AsyncClient`."""
        return AsyncClient._over(self._client(tenant, storage, timeout), on_event, "within this process")

    def blocking_client(
        self,
        *,
        tenant: str | None = None,
        storage: Storage | None = None,
        timeout: float | None = None,
        on_event: EventHandler | None = None,
    ) -> Client:
        """A client of this engine that waits, with a session of its own."""
        return Client._over(self._client(tenant, storage, timeout), on_event, "within this process")

    def _client(self, tenant: str | None, storage: Storage | None, timeout: float | None) -> _native.Client:
        return self._engine.client(json.dumps({"tenant": tenant, "timeout": timeout}), storage)

    def verify(self, access_token: str) -> Principal:
        """Who presents the access token, from what this process knows: about a microsecond, revocations included. It
        waits only while this process may know too little, for one reading of the database.

        Raises:
            AuthError: The token does not count (any more).
        """
        principal = self._engine.verify(access_token)
        if principal is None:
            principal = _loop.result(self._engine.authenticate_blocking(access_token))
        return principal

    async def authenticate(self, access_token: str) -> Principal:
        """The same for asyncio, whose loop goes on while the database is read."""
        principal = self._engine.verify(access_token)
        if principal is None:
            engine = self._engine
            principal = _loop.result(await _loop.wait(lambda inbox, id: engine.authenticate(inbox, id, access_token)))
        return principal

    async def create_user(
        self, email: str, password: str, *, name: str | None = None, roles: Sequence[str] = ()
    ) -> str:
        """Makes an account whose address needs no proof, with roles by their names (`admin` is one), and returns its
        id. For the application's own set-up, like `authkit user create`."""
        engine, wanted = self._engine, list(roles)
        outcome = await _loop.wait(lambda inbox, id: engine.create_user(inbox, id, email, password, name, wanted))
        return str(json.loads(_loop.result(outcome)))

    def create_user_blocking(
        self, email: str, password: str, *, name: str | None = None, roles: Sequence[str] = ()
    ) -> str:
        """The same, waiting."""
        return str(json.loads(_loop.result(self._engine.create_user_blocking(email, password, name, list(roles)))))

    def close(self) -> None:
        """Ends the worker and lets go of the database, once what runs is finished."""
        _loop.result(self._engine.close_blocking())

    async def aclose(self) -> None:
        """The same for asyncio."""
        _loop.result(await _loop.wait(self._engine.close))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return "<authkit.AuthKit>"

