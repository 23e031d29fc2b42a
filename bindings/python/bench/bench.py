"""What the binding costs beside its raw bound, interleaved in one run: machines are noisy, ratios are not. Prints rows for
docs/benchmarks.md, and fails when a bound is broken. Run it with `bindings/python/bench/run.sh`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from authkit import AuthKit, _native

PASSWORD = "violet tractor 12 umbrella"
EMAIL = "ada@example.com"


def lasts(work: Callable[[], object], times: int) -> float:
    """Seconds of one of so many turns."""
    start = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - start) / times


def costs(work: Callable[[], object]) -> float:
    """CPU seconds of this process, all threads together."""
    start = time.process_time()
    work()
    return time.process_time() - start


def micro(seconds: float) -> str:
    return f"{seconds * 1e9:.0f} ns" if seconds < 1e-6 else f"{seconds * 1e6:.2f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.2f} ms"


def main() -> int:
    broken = 0
    with AuthKit.open("sqlite::memory:", rate_limits={"enabled": False}) as auth:
        client = auth.blocking_client()
        client.register(EMAIL, PASSWORD)
        while not (mail := client.list_outbox(to=EMAIL).data):
            time.sleep(0.05)
        client.verify_email(mail[0].links[0].partition("token=")[2])
        client.login(EMAIL, PASSWORD)
        token, engine = client.access_token(), auth._engine

        rounds = []
        for _ in range(30):
            bare = lasts(lambda: _native.nothing(token), 20_000)
            core = _native.time_verify(engine, token, 20_000)
            rounds.append((lasts(lambda: auth.verify(token), 20_000), bare + core))
        ours, raw = (median(column) for column in zip(*rounds))
        broken += row("`auth.verify` of a session from Python, beside a native call that does nothing and the core's own check", ours, raw, 5)

        times = 20
        rounds = []
        for _ in range(8):
            hashing = costs(lambda: _native.hash_alone(engine, times))
            signing = costs(lambda: [auth.blocking_client().login(EMAIL, PASSWORD) for _ in range(times)])
            rounds.append((signing / times, hashing / times))
        ours, raw = (median(column) for column in zip(*rounds))
        broken += row("CPU of an embedded sign-in from Python, beside its hash", ours, raw, 1.05)
    for wheel in sorted(Path(os.environ["AUTHKIT_WHEELS"]).glob("*.whl")):
        print(f"| size of the Python wheel | {wheel.stat().st_size / 1e6:.1f} MB | | | | |")
    return 1 if broken else 0


def row(what: str, ours: float, raw: float, bound: float) -> bool:
    ratio = ours / raw
    print(f"| {what} | {micro(ours)} | {micro(raw)} | {ratio:.2f} | ≤ {bound} | {'holds' if ratio <= bound else 'BROKEN'} |")
    return ratio > bound


if __name__ == "__main__":
    sys.exit(main())
