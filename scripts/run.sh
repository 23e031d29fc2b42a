#!/usr/bin/env bash
# Builds the server quickly (dev profile: hashing and SQLite are optimised all the same) and starts it.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! command -v cargo >/dev/null; then
  echo "make run needs Rust: https://rustup.rs" >&2
  exit 1
fi
if ! command -v cc >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    scripts/setup.sh build
  else
    echo "make run needs a C compiler (Debian: apt-get install build-essential)" >&2
    exit 1
  fi
fi
exec cargo run --package authkit-server --bin authkit -- serve "$@"
