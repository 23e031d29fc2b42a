#!/usr/bin/env bash
# Builds the package as it is released, with what benchmarks compare with, and measures it.
set -euo pipefail
cd "$(dirname "$0")/../../.."
export AUTHKIT_PYTHON_BUILD="--profile release --features bench"
exec scripts/python.sh bindings/python/bench/bench.py
