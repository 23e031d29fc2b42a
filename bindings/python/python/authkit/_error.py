"""The base of every exception."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .models import FieldError


class AuthKitError(Exception):
    """Why a call failed. It never holds a secret."""

    code: str
    """Stable: one of docs/errors.md, or `client.…` for what never reached a server."""

    status: int
    """The HTTP status; 0 when nothing answered."""

    message: str
    """What happened, and what to do next."""

    retryable: bool
    """Whether the same call may succeed later."""

    retry_after: float | None
    """How many seconds the server asks to wait before that."""

    trace_id: str | None
    """Finds the request in the server's logs."""

    fields: tuple[FieldError, ...]
    """The refused arguments, when there are any."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        status: int = 0,
        retryable: bool = False,
        retry_after: float | None = None,
        trace_id: str | None = None,
        fields: tuple[FieldError, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status
        self.retryable = retryable
        self.retry_after = retry_after
        self.trace_id = trace_id
        self.fields = fields

    def __str__(self) -> str:
        refused = "".join(f"; `{field.field}`: {field.detail}" for field in self.fields)
        return f"{self.message} ({self.code}{refused})"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(code={self.code!r}, status={self.status})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self), self.message, self.__dict__.copy())


def _rebuilt(kind: type[AuthKitError], message: str, state: dict[str, Any]) -> AuthKitError:
    """Exceptions with named arguments do not cross processes by themselves."""
    error = kind(message, code=state["code"])
    error.__dict__.update(state)
    return error
