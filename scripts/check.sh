#!/usr/bin/env bash
# Everything that must be clean before a change lands. Runs every check and names those that failed.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
scripts/setup.sh check || exit 1
export CARGO_TERM_COLOR=never
failed=()

step() { # step <name> <command…>
  local name="$1"
  shift
  echo "== $name"
  "$@" </dev/null || failed+=("$name")
}

wasm() {
  if ! rustup target list --installed 2>/dev/null | grep -q '^wasm32-unknown-unknown$' &&
    ! rustup target add wasm32-unknown-unknown 2>/dev/null; then
    echo "the target wasm32-unknown-unknown cannot be added here; not checked"
    return 0
  fi
  cargo check --quiet -p authkit-core --target wasm32-unknown-unknown
}

shell() {
  bash -n scripts/*.sh .ci/run || return 1
  if command -v shellcheck >/dev/null; then shellcheck -x scripts/*.sh .ci/run; fi
}

step "rustfmt" cargo fmt --all --check
step "clippy" cargo clippy --quiet --workspace --all-targets -- -D warnings
step "rustdoc" env RUSTDOCFLAGS="-D warnings" cargo doc --quiet --workspace --no-deps
step "wire without a heap" cargo check --quiet -p authkit-wire --no-default-features
step "core for wasm32" wasm
step "licences, bans, sources" cargo deny -L error check licenses bans sources
step "generated files" scripts/generate.sh --check
step "shell scripts" shell

if [ ${#failed[@]} -gt 0 ]; then
  echo "check failed: $(printf '%s, ' "${failed[@]}" | sed 's/, $//')"
  exit 1
fi
echo "check is clean"
