"""Between Python's values and the JSON of arguments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from enum import Enum
from typing import Any, Final


class Unset(Enum):
    """The type of `UNSET`."""

    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET
"""Leaves a field as it is, where `None` clears it."""


def given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Without those that were left out."""
    return {name: value for name, value in arguments.items() if value is not None}


def changed(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The same for changes, in which `None` clears."""
    return {name: value for name, value in arguments.items() if value is not UNSET}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError("A time needs a time zone, for example `datetime.now(timezone.utc)`.")
        return value.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"A value of type {type(value).__name__} cannot be an argument.")


def to_json(arguments: Mapping[str, Any] | None) -> str:
    """The arguments of a call."""
    return json.dumps({} if arguments is None else arguments, default=_plain, allow_nan=False)
