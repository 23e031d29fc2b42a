#!/usr/bin/env bash
# Everything that must be clean before a change lands. Runs every check and names those that failed.
# AUTHKIT_ALLOW_NO_WASM=1 leaves out the check for wasm32 where its target cannot be installed.
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

wasm() { # scripts/setup.sh has added the target, or has said why it could not
  if [ "${AUTHKIT_ALLOW_NO_WASM:-}" = 1 ] && ! scripts/setup.sh wasm 2>/dev/null; then
    echo "not checked: AUTHKIT_ALLOW_NO_WASM is set"
    return 0
  fi
  scripts/setup.sh wasm || return 1
  cargo check --quiet -p authkit-core -p authkit-client --target wasm32-unknown-unknown
}

images() { # the images of devices are workspaces of their own
  local image
  for image in firmware-client/examples/*/; do
    cargo fmt --check --manifest-path "$image/Cargo.toml" || return 1
  done
}

step "rustfmt" cargo fmt --all --check
step "rustfmt of images" images
step "clippy" cargo clippy --quiet --workspace --all-targets -- -D warnings
step "rustdoc" env RUSTDOCFLAGS="-D warnings" cargo doc --quiet --workspace --no-deps
step "wire without a heap" cargo check --quiet -p authkit-wire --no-default-features
step "client without HTTP and Tokio" cargo check --quiet -p authkit-client --no-default-features
step "core and client for wasm32" wasm
step "licences, bans, sources" cargo deny -L error check licenses bans sources
step "generated files" scripts/generate.sh --check
step "shell scripts" shellcheck -x scripts/*.sh bindings/*/bench/*.sh bindings/node/test/*.sh bindings/python/examples/*/*.sh .ci/run \
  tests/suites/property-based

if [ ${#failed[@]} -gt 0 ]; then
  echo "check failed: $(printf '%s, ' "${failed[@]}" | sed 's/, $//')"
  exit 1
fi
echo "check is clean"
