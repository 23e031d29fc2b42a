#!/usr/bin/env bash
# Builds the package, makes an environment in .venv, and serves the example on port 8000.
set -euo pipefail
cd "$(dirname "$0")"
if ! command -v cargo >/dev/null || ! command -v python3 >/dev/null; then
  echo "This needs Rust (https://rustup.rs) and Python 3.10 or newer with venv (Debian: python3-venv)." >&2
  exit 1
fi
[ -x .venv/bin/python ] || python3 -m venv .venv
.venv/bin/pip install --quiet --disable-pip-version-check --config-settings=build-args="--profile dev" ../.. -r requirements.txt
exec .venv/bin/python -m uvicorn app:app --host 127.0.0.1 --port "${PORT:-8000}"
