"""Guards routes of FastAPI.

```python
app = FastAPI(lifespan=lifespan(database="sqlite://app.db"))

@app.get("/orders")
async def orders(caller: Annotated[Principal, Depends(require("orders:read"))]) -> list[str]: ...
```

With an embedded engine each request costs about a microsecond, and a session that has ended is refused at once. With a
client the server is asked, in one request each: as current, but it costs the way there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Annotated, Any, TypeAlias

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from ._client import AsyncClient
from ._embedded import AuthKit
from ._native import Principal
from ._remote import RemotePrincipal, authenticate, refuse_invisible
from .errors import AuthError, AuthKitError, PermissionDenied

__all__ = ["AnyPrincipal", "Principal", "RemotePrincipal", "get_auth", "install", "lifespan", "require"]

AnyPrincipal: TypeAlias = Principal | RemotePrincipal
"""Who calls: a `Principal` of an embedded engine, a `RemotePrincipal` of a client."""

_bearer = HTTPBearer(bearerFormat="JWT", description="An access token of AuthKit.", auto_error=False)


def install(app: FastAPI, auth: AuthKit | AsyncClient) -> None:
    """Lets the routes of `app` be guarded by `auth`."""
    app.state.authkit = auth


def lifespan(database: str, **settings: Any) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """The lifespan of an app that embeds an engine with these settings: opened before the first request, closed after
    the last. An app with a lifespan of its own calls `install` in it."""

    @asynccontextmanager
    async def open(app: FastAPI) -> AsyncIterator[None]:
        async with AuthKit.open(database, **settings) as auth:
            install(app, auth)
            yield

    return open


def get_auth(request: Request) -> AuthKit | AsyncClient:
    """What guards the app, as a dependency."""
    auth = getattr(request.app.state, "authkit", None)
    if not isinstance(auth, (AuthKit, AsyncClient)):
        raise RuntimeError("Nothing guards this app: give it `lifespan=authkit.fastapi.lifespan(…)` or call `install`.")
    return auth


def require(permission: str | None = None) -> Callable[..., Coroutine[Any, Any, AnyPrincipal]]:
    """A dependency that is who calls.

    Whoever is not signed in is answered with 401, whoever lacks the permission with 403, and when the server cannot be
    asked with 503.
    """

    async def caller(
        request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
    ) -> AnyPrincipal:
        auth = get_auth(request)
        if credentials is None:
            raise _refusal(401, "Send an access token: `Authorization: Bearer <access token>`.", "")
        try:
            refuse_invisible(credentials.credentials)
            if isinstance(auth, AsyncClient):
                return await authenticate(auth, credentials.credentials, permission)
            principal = await auth.authenticate(credentials.credentials)
            if permission is not None:
                principal.require(permission)
            return principal
        except PermissionDenied as error:
            raise _refusal(403, error.message, ', error="insufficient_scope"') from None
        except AuthError as error:
            raise _refusal(401, error.message, ', error="invalid_token"') from None
        except AuthKitError as error:
            raise HTTPException(503, "It cannot be found out who calls; try again later.") from error

    return caller


def _refusal(status: int, detail: str, error: str) -> HTTPException:
    # RFC 6750, section 3: without a token there is no error to name.
    return HTTPException(status, detail, headers={"WWW-Authenticate": f'Bearer realm="authkit"{error}'})
