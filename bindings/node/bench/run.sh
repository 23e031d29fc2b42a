#!/usr/bin/env bash
# Builds the package for production with what it is compared with, and measures. Prints rows for docs/benchmarks.md.
set -euo pipefail
cd "$(dirname "$0")/../../.."
scripts/build-node.sh release bench >&2
cache="${XDG_CACHE_HOME:-$HOME/.cache}/authkit/node-bench"
tools="better-auth@1.7.5 better-sqlite3@12"
if [ "$(cat "$cache/versions" 2>/dev/null)" != "$tools" ]; then
  rm -rf "$cache"
  mkdir -p "$cache"
  # Where no built one can be fetched, it is compiled against the headers that came with Node.
  export npm_config_nodedir="${npm_config_nodedir:-$(dirname "$(dirname "$(command -v node)")")}"
  # shellcheck disable=SC2086 # one word each
  npm install --silent --no-fund --no-audit --prefix "$cache" $tools >&2
  echo "$tools" >"$cache/versions"
fi
cp bindings/node/bench/{bench.mjs,package.json} "$cache/"
target="$(realpath "${CARGO_TARGET_DIR:-target}")"
export AUTHKIT_NODE_PACKAGE="$target/node/package"
AUTHKIT_NODE_LIBRARY="$(ls "$AUTHKIT_NODE_PACKAGE"/prebuilds/*/authkit.node)"
export AUTHKIT_NODE_LIBRARY
exec node "$cache/bench.mjs"
