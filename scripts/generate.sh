#!/usr/bin/env bash
# Writes the generated files: docs/openapi.json, docs/errors.md, docs/configuration.md and its schema, and of
# authkit-client operations.rs, methods.rs and operations.json. Each is a test that compares, and writes when
# AUTHKIT_UPDATE is set; and what TypeScript and Python know of operations and settings. --check: only compare.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${1:-}" = --check ]; then unset AUTHKIT_UPDATE; else export AUTHKIT_UPDATE=1; fi
cargo test --quiet -p authkit-server openapi
cargo test --quiet -p authkit-tests --test docs
node scripts/generate-typescript.mjs authkit-core/client/operations.json bindings/javascript/src/operations.ts "${1:-}"
node scripts/generate-settings.mjs docs/configuration.schema.json bindings/node/js/settings.ts "${1:-}"
python3 bindings/generate/python.py "$@"
