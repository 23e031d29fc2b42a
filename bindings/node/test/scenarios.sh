#!/usr/bin/env bash
# Builds the package and plays the scenarios with it; called by `make conformance`.
set -euo pipefail
cd "$(dirname "$0")/../../.."
scripts/build-node.sh >&2
export PATH="${XDG_CACHE_HOME:-$HOME/.cache}/authkit/node/node_modules/.bin:$PATH"
AUTHKIT_NODE_PACKAGE="$(realpath "${CARGO_TARGET_DIR:-target}")/node/package" exec node bindings/node/test/scenarios.mjs
