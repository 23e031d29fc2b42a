"""AuthKit for Python: a client over HTTP, and the whole engine inside your process.

```python
async with AuthKit.open(database="sqlite://app.db") as auth:
    client = auth.client()
    await client.register("ada@example.com", "violet tractor 12 umbrella")
```

- `AsyncClient` and `Client` speak to a server; `AuthKit.open` opens an engine here, and makes the same clients of it.
- `authkit.models` is what operations result in, `authkit.errors` is why they fail.
- `authkit.fastapi` and `authkit.django` guard routes and views; `authkit.testing` helps to test what they guard.
"""

from __future__ import annotations

import atexit as _atexit
import os as _os

from . import _native, errors, models
from ._arguments import UNSET, Unset
from ._client import AsyncClient, Client
from ._embedded import AuthKit, Opening
from ._events import Event, EventHandler, TokenStorage
from ._native import Principal
from .errors import (
    AuthError,
    AuthKitError,
    Conflict,
    NetworkError,
    NotFound,
    PermissionDenied,
    RateLimited,
    ServerError,
    SignedOut,
    ValidationError,
)

__all__ = [
    "UNSET",
    "AsyncClient",
    "AuthError",
    "AuthKit",
    "AuthKitError",
    "Client",
    "Conflict",
    "Event",
    "EventHandler",
    "NetworkError",
    "NotFound",
    "Opening",
    "PermissionDenied",
    "Principal",
    "RateLimited",
    "ServerError",
    "SignedOut",
    "TokenStorage",
    "Unset",
    "ValidationError",
    "errors",
    "models",
]


_atexit.register(_native.shutdown)
_os.register_at_fork(before=_native.before_fork)
