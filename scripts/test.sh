#!/usr/bin/env bash
# Runs every test and ends with one line: `N passed, N failed`. Every runner reports as cargo's does:
# `test result: ok. N passed; N failed; …`. AUTHKIT_SOAK=1 runs the full counts.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
scripts/setup.sh test || exit 1
export AUTHKIT_PYTHON="${XDG_CACHE_HOME:-$HOME/.cache}/authkit/venv/bin/python"
export CARGO_TERM_COLOR=never

log="$(mktemp)"
trap 'rm -f "$log"' EXIT
broken=0

runner() { # runner <name> <command…>: a runner that fails without saying so in its results counts as one failure
  local name="$1" out status
  shift
  out="$(mktemp)"
  echo "== $name"
  "$@" </dev/null 2>&1 | tee "$out"
  status="${PIPESTATUS[0]}"
  grep -E '^test result: ' "$out" >>"$log"
  if [ "$status" -ne 0 ] && ! grep -qE '^test result: .* [1-9][0-9]* failed' "$out"; then
    echo "!! $name failed with status $status"
    broken=$((broken + 1))
  elif ! grep -qE '^test result: ' "$out"; then
    echo "!! $name reported no result"
    broken=$((broken + 1))
  fi
  rm -f "$out"
}

if [ "${AUTHKIT_SOAK:-}" = 1 ]; then
  # A million users want the machine for themselves: other tests would push their pages out of memory.
  runner "cargo test" cargo test --workspace --no-fail-fast -- --skip scale::
  runner "a million users" cargo test -p authkit-tests --test system -- scale:: --test-threads=1
else
  runner "cargo test" cargo test --workspace --no-fail-fast
fi
runner "conformance" cargo run --quiet -p authkit-tests --bin conformance -- --check
for suite in scripts/run-guide.sh scripts/walk-pages.py scripts/test-node.sh scripts/test-python.sh scripts/test-firmware.sh tests/suites/*; do
  [ -x "$suite" ] && [ -f "$suite" ] && runner "$suite" "$suite"
done

read -r passed failed < <(awk '{
  for (i = 2; i <= NF; i++) { if ($i ~ /^passed/) p += $(i - 1); if ($i ~ /^failed/) f += $(i - 1) }
} END { print p + 0, f + 0 }' "$log")
failed=$((failed + broken))
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
