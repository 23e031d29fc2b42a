#!/usr/bin/env bash
# Runs the benchmarks side by side in one run and writes docs/benchmarks.md.
set -euo pipefail
cd "$(dirname "$0")/.."
exec cargo bench --workspace "$@"
