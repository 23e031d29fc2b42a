"""For tests of programs that embed AuthKit: an engine that begins anew for each of them, with a clock that is moved by
hand. It is refused in production, and over a database that somebody uses; its tokens can be foretold.

```python
with Engine() as engine:
    administrator = engine.reset()
    client = engine.auth.blocking_client()
    client.login(administrator.email, administrator.password)
    engine.advance(15 * 60)
```
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any

from . import _loop, _native
from ._embedded import AuthKit
from .models import OutboxMailView

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Administrator", "Engine"]


@dataclass(frozen=True, slots=True)
class Administrator:
    """The administrator of a fresh state."""

    email: str
    password: str = field(repr=False)


class Engine:
    """An engine for tests. Passwords cost little in it."""

    __slots__ = ("_state", "auth")

    auth: AuthKit

    def __init__(self, database: str = "sqlite::memory:", **settings: Any) -> None:
        """Opens it and waits. Its settings are those of `AuthKit.open`."""
        settings.setdefault("argon2", {"memory_kib": 64, "iterations": 1})
        self._state = _native.Conformance(json.dumps({**settings, "database": database}))
        _loop.result(self._state.open_blocking())
        self.auth = AuthKit(self._state.engine())

    def reset(self) -> Administrator:
        """Deletes everything and begins anew. Sessions of clients that were made before do not count any more."""
        return Administrator(**json.loads(_loop.result(self._state.reset_blocking())))

    def advance(self, seconds: int) -> None:
        """Moves the engine's clock, and does what would have been done by then: mail, clean-up, keys."""
        _loop.result(self._state.advance_blocking(seconds))

    def mails(self, to: str) -> tuple[OutboxMailView, ...]:
        """What was mailed to that address, the newest first, without waiting for it."""
        self.advance(0)
        return self.auth.blocking_client().list_outbox(to=to).data

    def now(self) -> int:
        """What the engine's clock shows, in seconds since 1970."""
        return self._state.now()

    def close(self) -> None:
        """Closes it."""
        self.auth.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
