"""From the JSON of answers and errors to the classes of `models` and `errors`."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar, Union

from . import errors, models

T = TypeVar("T")
Reader = Callable[[Any], Any]

_readers: dict[type, Reader] = {}


def _same(value: Any) -> Any:
    return value


def _time(value: Any) -> Any:
    # Python 3.10 knows neither the `Z` nor any other number of digits than three or six.
    whole, dot, rest = value.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{rest[:6]:0<6}+00:00" if dot else f"{whole}+00:00")


def _reader(kind: Any) -> Reader:
    """What reads a value of this annotation."""
    if kind is datetime:
        return _time
    if dataclasses.is_dataclass(kind):
        return _class_reader(typing.cast(type, kind))
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        item = _reader(inner[0])
        return lambda value: tuple(map(item, value))
    if origin in (Union, types.UnionType):
        some = [_reader(part) for part in inner if part is not type(None)]
        if len(some) == 1 and some[0] is not _same:
            return lambda value: None if value is None else some[0](value)
    return _same


def _class_reader(kind: type) -> Reader:
    if (known := _readers.get(kind)) is not None:
        return known
    hints = typing.get_type_hints(kind)
    fields = [(field.name, field.name.rstrip("_"), _reader(hints[field.name])) for field in dataclasses.fields(kind)]

    def read(value: Any) -> Any:
        return kind(**{name: reader(value[wire]) for name, wire, reader in fields if wire in value})

    return _readers.setdefault(kind, read)


def _unexpected() -> errors.AuthKitError:
    message = "The answer is not what this version of authkit expects. Is the server a newer one?"
    return errors.AuthKitError(message, code="client.unexpected_answer", status=200)


def read(kind: type[T], value: Any) -> T:
    """An answer as `kind`. Fields that are not known are left out."""
    try:
        return typing.cast(T, _class_reader(kind)(value))
    except (AttributeError, KeyError, TypeError, ValueError):
        # Without their words, which quote what they stumble over.
        raise _unexpected() from None


def read_page(item: type[T], value: Any) -> models.Page[T]:
    """An answer as a page of `item`."""
    try:
        reader = _class_reader(item)
        return models.Page(data=tuple(map(reader, value["data"])), next_cursor=value.get("next_cursor"))
    except (AttributeError, KeyError, TypeError, ValueError):
        raise _unexpected() from None


def read_login(value: Any) -> models.LoginView:
    """The answer to a first factor."""
    second = isinstance(value, dict) and value.get("mfa_required") is True
    return read(models.MfaRequiredView, value) if second else read(models.TokensView, value)


def read_error(text: str) -> errors.AuthKitError:
    """The exception of an error, by its code, or by its status when a newer server made up the code."""
    value = json.loads(text)
    kind = errors.CLASS_BY_CODE.get(value["code"]) or errors.CLASS_BY_STATUS.get(value["status"], errors.AuthKitError)
    return kind(
        value["message"],
        code=value["code"],
        status=value["status"],
        retryable=value["retryable"],
        retry_after=value["retry_after"],
        trace_id=value["trace_id"],
        fields=tuple(read(models.FieldError, field) for field in value["fields"]),
    )
