#!/usr/bin/env bash
# Installs what builds, tests and checks need: on Debian as root with apt-get, rustup and cargo; elsewhere it says what
# is missing and fails. Quiet when nothing is missing. Argument: build (only what a build needs), test (default),
# check, wasm (only Rust's target for browsers), wasm-tools (what makes packages of it), node-tools (what makes and tests
# the package for Node), firmware (what the images of devices need).
set -euo pipefail
cd "$(dirname "$0")/.."
purpose="${1:-test}"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/authkit"

target() { # target <name> <what leaves it out>: Rust's own, no package manager is asked
  [ -d "$(rustc --print sysroot)/lib/rustlib/$1/lib" ] && return 0
  if ! command -v rustup >/dev/null; then
    echo "Missing: Rust's target $1, and rustup to add it; see https://rustup.rs" >&2
    return 1
  fi
  echo "setup: adding the target $1" >&2
  if ! rustup target add "$1" >&2; then
    echo "Missing: Rust's target $1; \`rustup target add $1\` failed (does this machine reach the network?).$2" >&2
    return 1
  fi
}

if [ "$purpose" = wasm ]; then
  target wasm32-unknown-unknown " AUTHKIT_ALLOW_NO_WASM=1 leaves the check for it out."
  exit
fi

# The tools of the packages for browsers: wasm-bindgen of exactly the library's version, and from npm wasm-opt and tsc.
if [ "$purpose" = wasm-tools ]; then
  wanted="$(sed -n '/^name = "wasm-bindgen"$/{n;s/^version = "\(.*\)"$/\1/p}' Cargo.lock)"
  if [ "$(wasm-bindgen --version 2>/dev/null)" != "wasm-bindgen $wanted" ]; then
    echo "setup: installing wasm-bindgen-cli $wanted" >&2
    CARGO_TARGET_DIR="$cache/wasm-bindgen-target" cargo install --quiet --locked wasm-bindgen-cli --version "$wanted"
    rm -rf "$cache/wasm-bindgen-target"
  fi
  tools="binaryen@132.0.0 typescript@7.0.2 @types/node@20.19.43"
  if [ "$(cat "$cache/wasm-tools/versions" 2>/dev/null)" != "$tools" ]; then
    command -v npm >/dev/null || { echo "Missing: npm, with Node 20 or later." >&2; exit 1; }
    echo "setup: installing $tools" >&2
    rm -rf "$cache/wasm-tools"
    mkdir -p "$cache/wasm-tools"
    # shellcheck disable=SC2086 # one word each
    npm install --silent --no-fund --no-audit --prefix "$cache/wasm-tools" $tools >&2
    echo "$tools" >"$cache/wasm-tools/versions"
  fi
  exit 0
fi

# tsc, and for the tests the frameworks whose guards the package has.
if [ "$purpose" = node-tools ]; then
  command -v npm >/dev/null || { echo "Missing: npm." >&2; exit 1; }
  # Debian 12 has Node 18, which is too old for ES modules in `require`.
  new='const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'
  if ! node -e "$new" 2>/dev/null && ! "$cache/node/node_modules/.bin/node" -e "$new" 2>/dev/null; then
    echo "setup: installing Node 22" >&2
    npm install --silent --no-fund --no-audit --prefix "$cache/node" node@22 >&2
  fi
  tools="typescript@7.0.2 @types/node@20.19.43 express@5.3.0 @types/express@5.0.6 hono@4.13.19"
  if [ "$(cat "$cache/node-tools/versions" 2>/dev/null)" != "$tools" ]; then
    echo "setup: installing $tools" >&2
    rm -rf "$cache/node-tools"
    mkdir -p "$cache/node-tools"
    # shellcheck disable=SC2086 # one word each
    npm install --silent --no-fund --no-audit --prefix "$cache/node-tools" $tools >&2
    echo "$tools" >"$cache/node-tools/versions"
  fi
  exit 0
fi

missing_packages=()
need() { # need <what proves that it is there> <Debian package>
  eval "$1" >/dev/null 2>&1 || missing_packages+=("$2")
}

need 'command -v cc && command -v make' build-essential
need 'command -v curl' curl
need 'test -e /etc/ssl/certs/ca-certificates.crt || test -d /etc/pki' ca-certificates
if [ "$purpose" = check ]; then
  need 'command -v node' nodejs
  need 'command -v shellcheck' shellcheck
  need 'command -v python3' python3
fi
if [ "$purpose" = test ] || [ "$purpose" = firmware ]; then
  need 'command -v qemu-system-riscv32' qemu-system-misc
  need 'command -v python3' python3
fi
if [ "$purpose" = test ]; then
  need 'command -v initdb || ls /usr/lib/postgresql/*/bin/initdb' postgresql
  need 'command -v jq' jq
  need 'command -v openssl' openssl
  need 'command -v oathtool' oathtool
  need 'command -v chromium || command -v chromium-browser || command -v google-chrome' chromium
  need 'command -v chromedriver' chromium-driver
  need 'command -v node' nodejs
  need 'command -v npm' npm
  need 'python3 -c "import venv, ensurepip" || test -x "'"$cache"'/venv/bin/python"' python3-venv
fi

if [ ${#missing_packages[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "setup: installing ${missing_packages[*]}" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q >/dev/null
    # A PostgreSQL that starts by itself would only be in the way: the tests start their own.
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
    apt-get install -y -q --no-install-recommends -o Dpkg::Options::=--force-confold "${missing_packages[@]}" >/dev/null
  else
    echo "Missing: ${missing_packages[*]} (Debian package names). Install them and run this again." >&2
    exit 1
  fi
fi

if ! command -v cargo >/dev/null; then
  if [ "$(id -u)" = 0 ] && [ -x "$HOME/.cargo/bin/cargo" ]; then
    echo "Rust is installed but not on the PATH: add \$HOME/.cargo/bin." >&2
  else
    echo "Missing: Rust with cargo; see https://rustup.rs" >&2
  fi
  exit 1
fi

if [ "$purpose" = test ] || [ "$purpose" = firmware ]; then
  target riscv32imc-unknown-none-elf ""
fi

if [ "$purpose" = check ]; then
  if ! cargo fmt --version >/dev/null 2>&1 || ! cargo clippy --version >/dev/null 2>&1; then
    command -v rustup >/dev/null || { echo "Missing: rustfmt and clippy." >&2; exit 1; }
    rustup component add rustfmt clippy >&2
  fi
  if ! cargo deny --version >/dev/null 2>&1; then
    echo "setup: installing cargo-deny" >&2
    CARGO_TARGET_DIR="$cache/cargo-deny-target" cargo install --quiet --locked cargo-deny
    rm -rf "$cache/cargo-deny-target"
  fi
fi

if [ "$purpose" = test ]; then
  # Python tools of the tests, in an environment of their own; pinned in scripts/requirements.txt.
  wanted="$(sha256sum scripts/requirements.txt | cut -d' ' -f1)"
  if [ "$(cat "$cache/venv/requirements.sha256" 2>/dev/null)" != "$wanted" ]; then
    echo "setup: installing scripts/requirements.txt" >&2
    rm -rf "$cache/venv"
    mkdir -p "$cache"
    python3 -m venv "$cache/venv"
    "$cache/venv/bin/pip" install --quiet --disable-pip-version-check -r scripts/requirements.txt
    echo "$wanted" >"$cache/venv/requirements.sha256"
  fi
fi
