"""The wheel, in an empty environment of every interpreter of this machine."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import CHEAP
from pythons import WHEELS, installed, pythons
from served import Served

PACKAGE = Path(__file__).resolve().parents[1]


def snippets(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", page.read_text(), re.M | re.S)


@pytest.mark.parametrize("version", pythons())
def test_the_wheel_runs_the_snippets_of_its_page(version: str, tmp_path: Path) -> None:
    """Each snippet is a whole program. Those for a framework run where the frameworks are."""
    found = snippets(PACKAGE / "README.md")
    assert len(found) >= 4
    # Not in conformance mode: what the page shows is what a new user does.
    with Served(**CHEAP) as server:
        for number, snippet in enumerate(found):
            framework = re.search(r"authkit\.(fastapi|django)", snippet)
            python = sys.executable if framework else installed(version)
            if framework and version != ".".join(map(str, sys.version_info[:2])):
                continue
            script = tmp_path / f"snippet{number}.py"
            script.write_text(snippet.replace("https://id.example.com", server.url))
            ran = subprocess.run([python, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=120)
            assert ran.returncode == 0, f"{snippet}\n{ran.stderr}"


def test_the_wheel_is_one_for_all_interpreters_and_holds_what_it_should() -> None:
    (wheel,) = WHEELS.glob("authkit-*.whl")
    assert "-cp310-abi3-" in wheel.name
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"authkit/_native.abi3.so", "authkit/_native.pyi", "authkit/py.typed", "authkit/fastapi.py"} <= names
    assert not [name for name in names if "test_" in name or "__pycache__" in name]


@pytest.mark.parametrize("version", pythons())
def test_importing_it_starts_nothing(version: str) -> None:
    ask = "import authkit, os; print(len(os.listdir('/proc/self/task')))"
    ran = subprocess.run([installed(version), "-W", "error", "-c", ask], capture_output=True, text=True)
    assert ran.stdout.strip() == "1", ran.stderr
