"""The interpreters of this machine, and the installed wheel in an empty environment of each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

WHEELS = Path(os.environ["AUTHKIT_WHEELS"])


@lru_cache(maxsize=None)
def pythons() -> dict[str, str]:
    """The newest interpreter of each version from 3.10 on, by version."""
    found: dict[str, str] = {}
    candidates = [sys.executable, *(shutil.which(f"python3.{minor}") for minor in range(10, 15))]
    candidates += map(str, sorted(Path.home().glob(".pyenv/versions/3.*/bin/python")))
    for candidate in candidates:
        if candidate is None:
            continue
        ask = "import sys; print(sys.implementation.name, *sys.version_info[:2])"
        asked = subprocess.run([candidate, "-c", ask], capture_output=True, text=True)
        name, major, minor = asked.stdout.split() if asked.returncode == 0 else ("", "0", "0")
        if name == "cpython" and (int(major), int(minor)) >= (3, 10):
            found.setdefault(f"{major}.{minor}", candidate)
    return found


@lru_cache(maxsize=None)
def installed(version: str) -> str:
    """The interpreter of an environment that holds the wheel and nothing else."""
    folder = WHEELS / f"empty-{version}"
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([pythons()[version], "-m", "venv", "--without-pip", folder], check=True)
    (wheel,) = WHEELS.glob("authkit-*.whl")
    installing = [sys.executable, "-m", "pip", "--python", str(folder / "bin/python"), "install", "--quiet"]
    subprocess.run([*installing, "--no-index", "--disable-pip-version-check", str(wheel)], check=True)
    return str(folder / "bin/python")
