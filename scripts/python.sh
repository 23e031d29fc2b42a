#!/usr/bin/env bash
# Builds the Python package as a wheel and runs Python with it: scripts/python.sh <arguments of python>. The wheel stays in
# target/python/wheels. AUTHKIT_PYTHON_BUILD are arguments of maturin, in the place of a quick build.
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
python="${AUTHKIT_PYTHON:-${XDG_CACHE_HOME:-$HOME/.cache}/authkit/venv/bin/python}"
target="$(realpath -m "${CARGO_TARGET_DIR:-$root/target}")/python"
quiet=(--quiet --disable-pip-version-check --no-deps)
rm -rf "$target"
mkdir -p "$target/wheels"
# The environment's own maturin, so that nothing is downloaded.
PATH="$(dirname "$python"):$PATH" "$python" -m pip wheel "${quiet[@]}" --no-build-isolation --wheel-dir "$target/wheels" \
  --config-settings=build-args="${AUTHKIT_PYTHON_BUILD:---profile dev --compression-level 1}" "$root/bindings/python" >&2
"$python" -m pip install "${quiet[@]}" --no-index --target "$target/package" "$target"/wheels/authkit-*.whl >&2
export AUTHKIT_WHEELS="$target/wheels" PYTHONPATH="$target/package${PYTHONPATH:+:$PYTHONPATH}" PYTHONDONTWRITEBYTECODE=1
exec "$python" "$@"
