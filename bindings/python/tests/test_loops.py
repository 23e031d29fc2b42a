"""Event loops and threads: cancelling, waiting without the interpreter's lock, several loops, uvloop."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
import uvloop
from conftest import Place

from authkit import AsyncClient, AuthKit, Client, NetworkError, _native

RUNNERS: dict[str, Callable[[Coroutine[Any, Any, Any]], Any]] = {"asyncio": asyncio.run, "uvloop": uvloop.run}


@pytest.fixture(params=RUNNERS)
def run(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    return RUNNERS[request.param]


class Silent:
    """A server that takes requests and never answers."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.closed = threading.Semaphore(0)
        self.asked = threading.Semaphore(0)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._hear, args=(connection,), daemon=True).start()

    def _hear(self, connection: socket.socket) -> None:
        with connection:
            connection.recv(65536)
            self.asked.release()
            try:
                while connection.recv(65536):
                    pass
            except OSError:
                pass
            self.closed.release()


@pytest.fixture
def silent() -> Iterator[Silent]:
    server = Silent()
    yield server
    server.listener.close()


def settled() -> int:
    """How much work is left once what was given up is gone."""
    deadline = time.monotonic() + 10
    while _native.alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    return _native.alive()


def test_cancelling_a_task_gives_the_call_up_and_leaks_nothing(
    run: Callable[[Coroutine[Any, Any, Any]], Any], silent: Silent
) -> None:
    async def program() -> None:
        client = AsyncClient(silent.url, retries=0)
        tasks = [asyncio.create_task(client.get_discovery()) for _ in range(20)]
        for _ in tasks:
            await asyncio.to_thread(silent.asked.acquire)
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client.get_discovery(), 0.05)

    assert settled() == 0
    run(program())
    for _ in range(20):
        assert silent.closed.acquire(timeout=10), "the connection stays open"
    assert settled() == 0


def test_a_call_that_was_given_up_disturbs_no_later_one(
    run: Callable[[Coroutine[Any, Any, Any]], Any], embedded: Place
) -> None:
    async def program() -> None:
        client = embedded.client()
        for _ in range(200):
            task = asyncio.create_task(client.list_outbox())
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert (await client.list_outbox(to="nobody@example.com")).data == ()

    run(program())
    assert settled() == 0


def test_waiting_holds_no_lock_of_the_interpreter(silent: Silent) -> None:
    counted = 0

    def count() -> None:
        nonlocal counted
        while not done.is_set():
            counted += 1

    done = threading.Event()
    counter = threading.Thread(target=count)
    counter.start()
    before = counted
    with pytest.raises(NetworkError) as failed:
        Client(silent.url, retries=0, timeout=0.5).get_discovery()
    after = counted
    done.set()
    counter.join()
    assert failed.value.code == "client.timeout"
    assert after - before > 10_000


def test_one_client_serves_several_loops_and_threads(
    run: Callable[[Coroutine[Any, Any, Any]], Any], embedded: Place
) -> None:
    client, answers, failures = embedded.client(), [], []
    blocking = embedded.blocking_client()

    async def program() -> None:
        answers.extend(await asyncio.gather(*(client.list_outbox() for _ in range(20))))

    def thread() -> None:
        try:
            for _ in range(3):
                run(program())
                answers.append(blocking.list_outbox())
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=thread) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert not failures and not any(each.is_alive() for each in threads)
    assert len(answers) == 6 * 3 * 21


def test_loops_leave_no_open_socket_behind(run: Callable[[Coroutine[Any, Any, Any]], Any], embedded: Place) -> None:
    client = embedded.client()

    async def program() -> None:
        await client.list_outbox()

    run(program())
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        run(program())
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= before + 2


def test_the_check_of_a_session_is_the_same_for_both(
    run: Callable[[Coroutine[Any, Any, Any]], Any], embedded: Place, auth: AuthKit
) -> None:
    token = embedded.sign_up().access_token()
    assert run(auth.authenticate(token)).user_id == auth.verify(token).user_id


def test_an_interrupt_ends_a_blocking_call(silent: Silent) -> None:
    # Whoever runs the tests in the background has interrupts ignored, and so would their children.
    heed = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    script = f"{heed}from authkit import Client\nClient({silent.url!r}, retries=0).get_discovery()"
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True)
    assert silent.asked.acquire(timeout=30)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == -signal.SIGINT and "KeyboardInterrupt" in errors
