"""Waiting for native calls in an event loop."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from . import _native
from ._reading import read_error

Outcome = tuple[bool, Any]
Start = Callable[[_native.Inbox, int], _native.Call]


class _Results:
    """The calls of one event loop that have no result yet."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._inbox = _native.Inbox()
        self._waiting: dict[int, asyncio.Future[Outcome]] = {}
        self._ids = itertools.count()
        self.process = os.getpid()
        # The loop holds its reader, so the reader must not hold the loop.
        loop.add_reader(self._inbox.fileno(), self._deliver)

    def _deliver(self) -> None:
        for number, outcome in self._inbox.take():
            future = self._waiting.pop(number, None)
            if future is not None and not future.done():
                future.set_result(outcome)

    async def wait(self, loop: asyncio.AbstractEventLoop, start: Start) -> Outcome:
        number = next(self._ids)
        future: asyncio.Future[Outcome] = loop.create_future()
        self._waiting[number] = future
        call: _native.Call | None = None
        try:
            call = start(self._inbox, number)
            return await future
        finally:
            if self._waiting.pop(number, None) is not None and call is not None:
                call.cancel()


_by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, _Results] = WeakKeyDictionary()


async def wait(start: Start) -> Outcome:
    """Starts a call and waits for its outcome: whether it succeeded, and its answer or error. A task that is cancelled
    gives the call up."""
    loop = asyncio.get_running_loop()
    results = _by_loop.get(loop)
    if results is None or results.process != os.getpid():
        results = _by_loop[loop] = _Results(loop)
    return await results.wait(loop, start)


def result(outcome: Outcome) -> Any:
    """The answer, or the error as an exception."""
    succeeded, value = outcome
    if not succeeded:
        raise read_error(value)
    return value
