#!/usr/bin/env bash
# Runs the benchmarks side by side in one run and writes docs/benchmarks.md. Arguments name sections to run alone.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release -p authkit-server -p authkit-benches
target="${CARGO_TARGET_DIR:-target}/release"
exec "$target/bench" "$target/authkit" "$@"
