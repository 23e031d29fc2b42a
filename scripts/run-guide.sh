#!/usr/bin/env bash
# Runs the ```sh blocks of docs/guide/getting-started.md as they stand, in one shell, against a fresh server, and reports
# like cargo: each block counts as one test.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
guide=docs/guide/getting-started.md

work="$(mktemp -d)"
server=""
stop() {
  if [ -n "$server" ] && kill "$server" 2>/dev/null; then wait "$server" 2>/dev/null; fi
  rm -rf "$work"
}
trap stop EXIT

cargo build --quiet -p authkit-server --bin authkit || exit 1

awk -v out="$work/block" '
  /^```sh$/ { inside = 1; n++; file = sprintf("%s-%02d.sh", out, n); printf "" > file; next }
  /^```$/ { inside = 0 }
  inside { print > file }
' "$guide"

# The server refuses settings that it does not know; ours are for the tests.
for name in $(compgen -e AUTHKIT); do unset "$name"; done
export AUTHKIT_DATABASE_URL="sqlite://$work/authkit.db" AUTHKIT_LISTEN=127.0.0.1:0
"${CARGO_TARGET_DIR:-target}/debug/authkit" serve >"$work/server.out" 2>"$work/server.log" </dev/null &
server=$!
for _ in $(seq 300); do
  url="$(sed -nE 's/.*listening on (http[^ ]+).*/\1/p' "$work/server.out" | head -n 1)"
  [ -n "$url" ] && break
  kill -0 "$server" 2>/dev/null || break
  sleep 0.1
done
if [ -z "${url:-}" ]; then
  cat "$work/server.out" "$work/server.log"
  echo "test result: FAILED. 0 passed; 1 failed; the server did not start"
  exit 1
fi

{
  echo 'set -euo pipefail'
  for block in "$work"/block-*.sh; do
    echo "source '$block' >'$block.log' 2>&1; touch '$block.passed'"
  done
} >"$work/all.sh"
AUTHKIT="${url%/}" bash "$work/all.sh" </dev/null

passed=0 failed=0
for block in "$work"/block-*.sh; do
  if [ -e "$block.passed" ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    if [ "$failed" = 1 ]; then
      echo "--- this block failed; those after it did not run"
      cat "$block"
      echo "--- it printed"
      cat "$block.log"
      echo "--- the server's log"
      tail -n 20 "$work/server.log"
    fi
  fi
done
if [ "$failed" = 0 ]; then result=ok; else result=FAILED; fi
echo "test result: $result. $passed passed; $failed failed; blocks of $guide"
[ "$failed" = 0 ]
