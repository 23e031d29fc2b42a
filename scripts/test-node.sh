#!/usr/bin/env bash
# Builds @authkit/node, installs what `npm pack` makes of it into an empty folder, and tests it there: against a real
# server, with the engine inside, behind real frameworks, by `tsc --strict`, and by running its README and its example.
# Reports like cargo.
set -euo pipefail
cd "$(dirname "$0")/.."
root="$PWD"
scripts/build-node.sh
export PATH="${XDG_CACHE_HOME:-$HOME/.cache}/authkit/node/node_modules/.bin:$PATH"
target="$(realpath "${CARGO_TARGET_DIR:-target}")"
tools="${XDG_CACHE_HOME:-$HOME/.cache}/authkit/node-tools/node_modules"

folder="$(mktemp -d)"
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT

# As somebody who uses it has it; the frameworks beside it are a user's own.
(cd "$folder" && npm pack --silent "$target/node/package" >/dev/null)
npm install --silent --no-fund --no-audit --offline --prefix "$folder" "$folder"/*.tgz
for name in express hono next; do
  [ ! -e "$folder/node_modules/$name" ] || { echo "the package brings $name along" >&2; exit 1; }
done
for module in "$tools"/*; do
  [ -e "$folder/node_modules/${module##*/}" ] || ln -s "$module" "$folder/node_modules/"
done
export AUTHKIT_NODE_HOME="$folder"

cargo build --quiet -p authkit-server --bin authkit
export AUTHKIT_SERVER="$target/debug/authkit"
env -i PATH="$PATH" HOME="$folder" AUTHKIT_LISTEN=127.0.0.1:0 AUTHKIT_ARGON2__MEMORY_KIB=64 AUTHKIT_ARGON2__ITERATIONS=1 \
  "$AUTHKIT_SERVER" serve --conformance >"$folder/server.out" 2>"$folder/server.log" &
server=$!
for _ in $(seq 300); do
  url="$(sed 's/\x1b\[[0-9;]*m//g' "$folder/server.out" | grep -o 'listening on http[^ ]*' | head -1 | cut -d' ' -f3 || true)"
  [ -z "$url" ] || break
  sleep 0.1
done
[ -n "$url" ] || { cat "$folder/server.log"; exit 1; }
export AUTHKIT_CONFORMANCE_URL="$url"

failed=0
cp bindings/node/test/types.ts "$folder/"
cat >"$folder/tsconfig.json" <<END
{
  "extends": "$root/bindings/javascript/tsconfig.json",
  "compilerOptions": { "noEmit": true, "types": ["node"], "verbatimModuleSyntax": false },
  "files": ["types.ts"]
}
END
echo '{ "private": true, "type": "module" }' >"$folder/package.json"
if "$tools/.bin/tsc" --project "$folder/tsconfig.json"; then
  echo "test result: ok. 1 passed; 0 failed; 0 ignored"
else
  echo "test result: FAILED. 0 passed; 1 failed; 0 ignored"
  failed=1
fi

node --test --test-reporter=spec --test-concurrency=1 bindings/node/test/*.test.mjs >"$folder/node.out" 2>&1 || failed=1
cat "$folder/node.out"
count() { sed 's/\x1b\[[0-9;]*m//g' "$folder/node.out" | sed -n "s/^. $1 //p" | tail -1; }
echo "test result: $([ "$failed" = 0 ] && echo ok || echo FAILED). $(count pass) passed; $(count fail) failed; $(count skipped) ignored"
exit "$failed"
