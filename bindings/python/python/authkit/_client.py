"""The clients: `AsyncClient`, and `Client`, which waits."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from . import _loop, _native
from ._arguments import to_json
from ._events import EventHandler, TokenStorage, tell
from ._operations_async import AsyncOperations
from ._operations_blocking import BlockingOperations
from ._reading import read, read_login, read_page
from .models import LoginView, MfaMethod, MfaRequiredView, Page, TokensView

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T")
Storage: TypeAlias = str | os.PathLike[str] | TokenStorage


class _Shared:
    """What both clients are made of."""

    __slots__ = ("_inner", "_on_event", "_where")

    _inner: _native.Client
    _on_event: EventHandler | None
    _where: str

    def __init__(
        self,
        base_url: str,
        *,
        tenant: str | None = None,
        storage: Storage | None = None,
        timeout: float | None = None,
        retries: int | None = None,
        allow_insecure: bool = False,
        on_event: EventHandler | None = None,
    ) -> None:
        """A client of the server at `base_url`. Nothing is sent yet.

        Args:
            base_url: For example `https://id.example.com`. Plain `http` is taken for this machine only.
            tenant: Its id or short name, where the server's host does not name it.
            storage: Where tokens are kept: in memory unless it is said, in the file of that path, or in an object.
            timeout: How many seconds a call may take, with its repeats; 30 unless it is said.
            retries: How often a call is repeated that failed and may be repeated; twice unless it is said.
            allow_insecure: Takes plain `http` to other machines too. Whoever is on the way reads passwords and tokens.
            on_event: Hears when somebody is signed in, renewed and signed out.
        """
        settings = {
            "base_url": base_url,
            "allow_insecure": allow_insecure,
            "tenant": tenant,
            "timeout": timeout,
            "retries": retries,
        }
        self._inner = _native.Client.connect(json.dumps(settings), storage)
        self._on_event = on_event
        self._where = "over HTTP"

    @classmethod
    def _over(cls, inner: _native.Client, on_event: EventHandler | None, where: str) -> Self:
        client = cls.__new__(cls)
        client._inner, client._on_event, client._where = inner, on_event, where
        return client

    def with_bearer(self, access_token: str) -> Self:
        """The same client for somebody else: it presents this access token, never refreshes, and leaves the session of
        this one alone. For servers that call on behalf of a request, and for devices."""
        return self._over(self._inner.with_bearer(access_token), self._on_event, self._where)

    def _come(self, outcome: _loop.Outcome) -> Any:
        if self._on_event is not None:
            tell(self._on_event, self._inner.events())
        return json.loads(_loop.result(outcome))

    def __repr__(self) -> str:
        return f"<{type(self).__module__.partition('.')[0]}.{type(self).__name__} {self._where}>"


def _attempt(attempt: MfaRequiredView | str) -> str:
    return attempt if isinstance(attempt, str) else attempt.mfa_token


class AsyncClient(_Shared, AsyncOperations):
    """A client of AuthKit for asyncio, and one session at most.

    It may be shared by tasks, loops and threads. A task that is cancelled gives its call up.
    """

    __slots__ = ()

    async def call(
        self,
        operation: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Calls an operation by its `operationId`, with the arguments of path, query and body in one mapping, and
        returns the JSON of the answer."""
        inner, text = self._inner, to_json(arguments)
        return self._come(
            await _loop.wait(lambda inbox, number: inner.call(inbox, number, operation, text, idempotency_key, timeout))
        )

    async def login(self, email: str, password: str) -> LoginView:
        """Signs in. The client keeps the tokens, in place of those it had; after an `MfaRequiredView` go on with
        `verify_mfa`."""
        return read_login(await self.call("login", {"email": email, "password": password}))

    async def verify_mfa(self, attempt: MfaRequiredView | str, method: MfaMethod, code: str) -> TokensView:
        """Answers the second factor. The client keeps the tokens."""
        arguments = {"mfa_token": _attempt(attempt), "method": method, "code": code}
        return await self._read(TokensView, "verifyMfa", arguments)

    async def refresh(self) -> TokensView:
        """Renews the tokens now. There is no need to: calls do it in time by themselves. A refusal signs out."""
        return await self._read(TokensView, "refresh", {})

    async def logout(self) -> None:
        """Signs out. The tokens are gone from here whether or not the server is reached."""
        await self.call("logout")

    async def access_token(self) -> str:
        """An access token that counts for a while yet, for calls of other services."""
        return str(await self.call("client.accessToken"))

    async def is_signed_in(self) -> bool:
        """Whether there are tokens. Whether they count, the next call finds out."""
        return bool(await self.call("client.isSignedIn"))

    async def _read(self, result: type[T], operation: str, arguments: Mapping[str, Any], key: str | None = None) -> T:
        return read(result, await self.call(operation, arguments, idempotency_key=key))

    async def _page(self, item: type[T], operation: str, arguments: Mapping[str, Any]) -> Page[T]:
        return read_page(item, await self.call(operation, arguments))

    async def _all(self, item: type[T], operation: str, arguments: Mapping[str, Any]) -> AsyncIterator[T]:
        page = await self._page(item, operation, arguments)
        while True:
            for each in page.data:
                yield each
            if page.next_cursor is None:
                return
            page = await self._page(item, operation, {**arguments, "cursor": page.next_cursor})


class Client(_Shared, BlockingOperations):
    """A client of AuthKit that waits, and one session at most. It may be shared by threads."""

    __slots__ = ()

    def call(
        self,
        operation: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Calls an operation by its `operationId`, with the arguments of path, query and body in one mapping, and
        returns the JSON of the answer."""
        return self._come(self._inner.call_blocking(operation, to_json(arguments), idempotency_key, timeout))

    def login(self, email: str, password: str) -> LoginView:
        """Signs in. The client keeps the tokens, in place of those it had; after an `MfaRequiredView` go on with
        `verify_mfa`."""
        return read_login(self.call("login", {"email": email, "password": password}))

    def verify_mfa(self, attempt: MfaRequiredView | str, method: MfaMethod, code: str) -> TokensView:
        """Answers the second factor. The client keeps the tokens."""
        arguments = {"mfa_token": _attempt(attempt), "method": method, "code": code}
        return self._read(TokensView, "verifyMfa", arguments)

    def refresh(self) -> TokensView:
        """Renews the tokens now. There is no need to: calls do it in time by themselves. A refusal signs out."""
        return self._read(TokensView, "refresh", {})

    def logout(self) -> None:
        """Signs out. The tokens are gone from here whether or not the server is reached."""
        self.call("logout")

    def access_token(self) -> str:
        """An access token that counts for a while yet, for calls of other services."""
        return str(self.call("client.accessToken"))

    def is_signed_in(self) -> bool:
        """Whether there are tokens. Whether they count, the next call finds out."""
        return bool(self.call("client.isSignedIn"))

    def _read(self, result: type[T], operation: str, arguments: Mapping[str, Any], key: str | None = None) -> T:
        return read(result, self.call(operation, arguments, idempotency_key=key))

    def _page(self, item: type[T], operation: str, arguments: Mapping[str, Any]) -> Page[T]:
        return read_page(item, self.call(operation, arguments))

    def _all(self, item: type[T], operation: str, arguments: Mapping[str, Any]) -> Iterator[T]:
        page = self._page(item, operation, arguments)
        while True:
            yield from page.data
            if page.next_cursor is None:
                return
            page = self._page(item, operation, {**arguments, "cursor": page.next_cursor})
