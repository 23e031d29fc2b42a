#!/usr/bin/env bash
# Builds the Python package, and tests it in every interpreter from 3.10 on that is there. Reports as cargo does.
set -euo pipefail
cd "$(dirname "$0")/.."
exec scripts/python.sh -m pytest -c bindings/python/pyproject.toml bindings/python/tests "$@"
