#!/usr/bin/env bash
# What AuthKit's device client takes of a microcontroller beside TLS and the network: flash from the linked image, RAM as
# the deepest stack of a claim and a heartbeat in an emulator, with the client, its buffer, every future and the memory
# that plays the flash in it. The client's own logic is what is left without Ed25519 and SHA-2, which come from
# `ed25519-dalek` and `sha2` and are measured by themselves. Argument: --check fails when the logic takes more than the
# client promises.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh firmware
export CARGO_TERM_COLOR=never
most_flash=40960
most_ram=16384

measure() { # measure <directory> <cargo arguments…>: bytes of flash and of the deepest stack
  local target="target/$1" elf="target/$1/riscv32imc-unknown-none-elf/release/authkit-firmware-size"
  shift
  cargo build --release --quiet --locked --target-dir "$target" "$@" >&2
  python3 - "$elf" <<'PYTHON'
import struct, sys
elf = open(sys.argv[1], "rb").read()
(table,) = struct.unpack_from("<I", elf, 0x20)
size, count = struct.unpack_from("<HH", elf, 0x2E)
flash = 0
for place in range(count):
    _, kind, flags, _, _, length = struct.unpack_from("<IIIIII", elf, table + place * size)
    # Allocated, and with bytes in the file: code, constants, initial values.
    if flags & 2 and kind == 1:
        flash += length
print(flash)
PYTHON
  timeout 60 qemu-system-riscv32 -machine virt -bios none -display none -serial none -monitor none \
    -kernel "$elf" -semihosting-config enable=on,target=native | awk '/^stack / { print $2 }'
}

cd firmware-client/examples/size
{ read -r flash_none; read -r ram_none; } < <(measure none)
{ read -r flash_crypto; read -r ram_crypto; } < <(measure crypto --features crypto)
{ read -r flash_all; read -r ram_all; } < <(measure client --features client)
flash=$((flash_all - flash_crypto))
ram=$((ram_all - ram_crypto))
echo "flash  $flash bytes of logic (at most $most_flash), $((flash_crypto - flash_none)) of Ed25519 and SHA-2"
echo "RAM    $ram bytes of logic (at most $most_ram), $((ram_crypto - ram_none)) of Ed25519 and SHA-2"
if [ "${1:-}" = --check ]; then
  [ "$flash" -gt 0 ] && [ "$flash" -le "$most_flash" ] && [ "$ram" -gt 0 ] && [ "$ram" -le "$most_ram" ]
fi
