#!/usr/bin/env bash
# Builds the images of devices, measures the client's code, and runs one image in an emulator against a real server.
# Reports as cargo does.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh firmware
export CARGO_TERM_COLOR=never
images=firmware-client/examples
passed=0
failed=0

check() { # check <what holds> <command…>
  local name="$1"
  shift
  if "$@"; then
    passed=$((passed + 1))
    echo "test $name ... ok"
  else
    failed=$((failed + 1))
    echo "test $name ... FAILED"
  fi
}

# Each image has a target and linker scripts of its own, in its `.cargo`, which cargo looks for from where it stands.
image() { (cd "$images/$1" && cargo build --release --quiet --locked --target-dir target); }

check "the image for QEMU links" image qemu-virt
check "the image for the ESP32-C3 links" image esp32c3
check "the client is as small as it promises" scripts/firmware-size.sh --check
if [ "$failed" -eq 0 ]; then
  echo "test result: ok. $passed passed; 0 failed; 0 ignored"
else
  echo "test result: FAILED. $passed passed; $failed failed; 0 ignored"
  exit 1
fi
AUTHKIT_FIRMWARE_IMAGE="$PWD/$images/qemu-virt/target/riscv32imc-unknown-none-elf/release/authkit-qemu-virt" \
  cargo test --quiet -p authkit-tests --test firmware -- --ignored --test-threads=1
