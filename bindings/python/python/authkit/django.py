"""Guards views of Django, blocking and async ones.

```python
MIDDLEWARE = [..., "authkit.django.AuthKitMiddleware"]
AUTHKIT = {"database": "postgres://localhost/app"}  # or {"base_url": "https://id.example.com"}

@require("orders:read")
def orders(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.authkit.principal.user_id)
```

A database opens an engine in each process: a check costs about a microsecond, and a session that has ended is refused at
once. With a base URL the server is asked, in one request for each check.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from threading import Lock
from typing import Any, TypeAlias, TypeVar, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponseBase, JsonResponse

from ._client import AsyncClient, Client
from ._embedded import AuthKit
from ._native import Principal
from ._remote import RemotePrincipal, authenticate, authenticate_blocking, refuse_invisible
from .errors import AuthError, PermissionDenied

__all__ = ["AuthKitMiddleware", "Caller", "get_auth", "require"]

AnyPrincipal: TypeAlias = Principal | RemotePrincipal
"""Who calls: a `Principal` of an embedded engine, a `RemotePrincipal` of a base URL."""

View = TypeVar("View", bound=Callable[..., Any])
Auth: TypeAlias = AuthKit | tuple[Client, AsyncClient]

_lock = Lock()
_auth: Auth | None = None


def get_auth() -> Auth:
    """What guards this project, opened when it is first asked for: an engine, or a client that waits and one for
    asyncio. A project that wants the engine for more, such as its clients, takes it from here too."""
    global _auth
    with _lock:
        if _auth is None:
            wanted: dict[str, Any] = dict(getattr(settings, "AUTHKIT", {}))
            if "database" in wanted:
                _auth = AuthKit.open(**wanted).now()
            elif "base_url" in wanted:
                _auth = (Client(**wanted), AsyncClient(**wanted))
            else:
                raise ImproperlyConfigured("AUTHKIT needs a `database` (an engine in each process) or a `base_url`.")
        return _auth


class Caller:
    """Who makes a request, found out when it is first asked for."""

    __slots__ = ("_principal", "_token")

    def __init__(self, token: str | None) -> None:
        self._token = token
        self._principal: AnyPrincipal | None = None

    @property
    def principal(self) -> AnyPrincipal:
        """Who calls.

        Raises:
            AuthError: Nobody who is signed in.
        """
        return self.require()

    def require(self, permission: str | None = None) -> AnyPrincipal:
        """Who calls, and may do this."""
        token, auth = self._presented(), get_auth()
        if not isinstance(auth, AuthKit):
            if self._principal is None or permission is not None:
                self._principal = authenticate_blocking(auth[0], token, permission)
            return self._principal
        return self._with(auth.verify(token), permission)

    async def arequire(self, permission: str | None = None) -> AnyPrincipal:
        """The same for asyncio."""
        token, auth = self._presented(), get_auth()
        if not isinstance(auth, AuthKit):
            if self._principal is None or permission is not None:
                self._principal = await authenticate(auth[1], token, permission)
            return self._principal
        return self._with(await auth.authenticate(token), permission)

    def _presented(self) -> str:
        if self._token is None:
            message = "Send an access token: `Authorization: Bearer <access token>`."
            raise AuthError(message, code="auth.unauthenticated", status=401)
        refuse_invisible(self._token)
        return self._token

    def _with(self, principal: Principal, permission: str | None) -> AnyPrincipal:
        if permission is not None:
            principal.require(permission)
        return principal

    def __repr__(self) -> str:
        return "<authkit.django.Caller>"


def _presented(request: HttpRequest) -> Caller:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return Caller(token.strip() if scheme.lower() == "bearer" and token.strip() else None)


def _caller(request: HttpRequest) -> Caller:
    """The middleware's, if it is there."""
    caller = getattr(request, "authkit", None)
    return caller if isinstance(caller, Caller) else _presented(request)


def _refusal(error: AuthError | PermissionDenied) -> JsonResponse:
    """The answer to whoever may not, as a problem document (RFC 9457)."""
    if isinstance(error, PermissionDenied):
        status, challenge = 403, ', error="insufficient_scope"'
    else:
        # RFC 6750, section 3: without a token there is no error to name.
        status, challenge = 401, "" if error.code == "auth.unauthenticated" else ', error="invalid_token"'
    kind = f"urn:authkit:problem:{error.code}"
    problem = {"type": kind, "status": status, "code": error.code, "detail": error.message}
    response = JsonResponse(problem, status=status, content_type="application/problem+json")
    response.headers["WWW-Authenticate"] = f'Bearer realm="authkit"{challenge}'
    return response


class AuthKitMiddleware:
    """Gives each request an `authkit`, a `Caller`, and answers 401 and 403 for views that raise `AuthError` and
    `PermissionDenied`."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        setattr(request, "authkit", _presented(request))
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Answers for views."""
        return _refusal(exception) if isinstance(exception, (AuthError, PermissionDenied)) else None


def require(permission: str | None = None) -> Callable[[View], View]:
    """Lets only those call a view who are signed in and hold the permission."""

    def guard(view: View) -> View:
        if iscoroutinefunction(view):

            @wraps(view)
            async def waiting(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
                try:
                    await _caller(request).arequire(permission)
                except (AuthError, PermissionDenied) as error:
                    return _refusal(error)
                return await view(request, *args, **kwargs)

            return cast(View, waiting)

        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            try:
                _caller(request).require(permission)
            except (AuthError, PermissionDenied) as error:
                return _refusal(error)
            return view(request, *args, **kwargs)

        return cast(View, guarded)

    return guard
