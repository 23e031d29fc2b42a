"""What happens to the tokens of a client."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from ._error import AuthKitError
from ._reading import read_error


@dataclass(frozen=True, slots=True)
class Event:
    """Somebody signed in, was renewed, or signed out."""

    name: Literal["signed_in", "refreshed", "signed_out"]
    """What happened."""

    reason: AuthKitError | None = None
    """The refusal that ended the session; `None` after a sign-out."""


EventHandler: TypeAlias = Callable[[Event], object]
"""It is called by the thread or the loop that made the call, before the call returns."""


class TokenStorage(Protocol):
    """Keeps the tokens of one session, for example in a database.

    Its methods are called by threads of their own, and may wait. What they are given is secret.
    """

    def load(self) -> str | None:
        """What was last saved, and `None` after `clear`. What cannot be read is an exception, not `None`."""

    def save(self, tokens: str, /) -> object:
        """Replaces everything or nothing, and has lasted when it returns."""

    def clear(self) -> object:
        """Forgets the tokens; of nothing it is no error."""


def tell(handler: EventHandler, events: Iterable[str]) -> None:
    """Tells the handler."""
    for text in events:
        event = json.loads(text)
        reason = event["reason"]
        handler(Event(event["name"], None if reason is None else read_error(json.dumps(reason))))
