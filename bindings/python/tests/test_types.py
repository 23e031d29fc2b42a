"""What type checkers find."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
CACHE = Path(os.environ["AUTHKIT_WHEELS"]).parent / "mypy"
ENVIRONMENT = {**os.environ, "MYPYPATH": str(PACKAGE / "python"), "MYPY_CACHE_DIR": str(CACHE)}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=PACKAGE, env=ENVIRONMENT, capture_output=True, text=True)


def finds_nothing(*arguments: str) -> None:
    done = run(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr


def test_mypy_finds_nothing() -> None:
    finds_nothing("mypy", "--strict", "-p", "authkit")
    for program in ("tests/typed.py", "examples/fastapi/app.py", "../../tests/runners/python/run.py"):
        finds_nothing("mypy", "--strict", program)


def test_wrong_programs_are_found() -> None:
    done = run("mypy", "--strict", "--no-error-summary", "tests/mistyped.py")
    found = {line.split(":")[1] for line in done.stdout.splitlines() if ": error:" in line}
    source = (PACKAGE / "tests/mistyped.py").read_text().splitlines()
    assert found == {str(number) for number, line in enumerate(source, 1) if line.endswith("# wrong")}, done.stdout


def test_stubs_are_what_the_native_module_is() -> None:
    # The one module that has a stub; what the others say is their own source.
    finds_nothing("mypy.stubtest", "authkit._native", "--mypy-config-file", "pyproject.toml")
