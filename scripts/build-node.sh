#!/usr/bin/env bash
# Builds @authkit/node for this machine into target/node/package, ready for `npm pack`, and prints its size.
# Usage: build-node.sh [debug|release] [features]; debug unless it is said.
set -euo pipefail
cd "$(dirname "$0")/.."
profile="${1:-debug}" features="${2:-}"
export CARGO_TERM_COLOR=never
target="${CARGO_TARGET_DIR:-target}"
tools="${XDG_CACHE_HOME:-$HOME/.cache}/authkit/node-tools/node_modules"
scripts/setup.sh node-tools
export PATH="${XDG_CACHE_HOME:-$HOME/.cache}/authkit/node/node_modules/.bin:$PATH"

options=()
[ "$profile" = debug ] || options+=(--release)
[ -z "$features" ] || options+=(--features "$features")
cargo build --quiet -p authkit-node "${options[@]}"

out="$target/node/package"
rm -rf "$out"
mkdir -p "$out"
# The name that Node has for this machine, and that the package looks for.
name="$(node -p 'const glibc = process.report.getReport().header.glibcVersionRuntime;
  process.platform + "-" + process.arch + (process.platform === "linux" && !glibc ? "-musl" : "")')"
for library in "$target/$profile"/{libauthkit_node.so,libauthkit_node.dylib,authkit_node.dll}; do
  [ ! -e "$library" ] || break
done
mkdir -p "$out/prebuilds/$name"
cp "$library" "$out/prebuilds/$name/authkit.node"
# With what a debugger wants it takes minutes to pack.
[ "$profile" = release ] || strip --strip-debug "$out/prebuilds/$name/authkit.node" 2>/dev/null || true

# The face: what every package for JavaScript shares, and Node's own beside it.
stage="$target/node/src"
rm -rf "$stage"
mkdir -p "$stage/shared"
cp bindings/javascript/src/*.ts "$stage/shared/"
cp bindings/node/js/*.ts bindings/node/package.json "$stage/"
ln -s "$tools" "$stage/node_modules"
cat >"$stage/tsconfig.json" <<END
{
  "extends": "$PWD/bindings/javascript/tsconfig.json",
  "compilerOptions": { "rootDir": ".", "outDir": "$(realpath "$out")", "types": ["node"] },
  "include": ["*.ts", "shared/*.ts"]
}
END
"$tools/.bin/tsc" --project "$stage/tsconfig.json"
rm -rf "$stage"
cp bindings/node/{package.json,README.md} LICENSE-MIT LICENSE-APACHE "$out/"
echo "node ($profile): $(stat -c %s "$library") bytes of native code"
