#!/usr/bin/env bash
# What AuthKit's device client takes of a microcontroller beside TLS and the network: flash from the linked image, RAM as
# the deepest stack of a claim and a heartbeat in an emulator, with the client, its buffer and every future in it. Both
# are differences to the same image without the client. Argument: --check fails above what the client promises.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh firmware
export CARGO_TERM_COLOR=never
most_flash=40960
most_ram=16384

measure() { # measure <directory> <cargo arguments…>: bytes of flash and of stack
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
{ read -r flash_without; read -r ram_without; } < <(measure without)
{ read -r flash_with; read -r ram_with; } < <(measure with --features client)
flash=$((flash_with - flash_without))
ram=$((ram_with - ram_without))
echo "flash $flash bytes (at most $most_flash)"
echo "RAM   $ram bytes (at most $most_ram)"
if [ "${1:-}" = --check ]; then
  [ "$flash" -gt 0 ] && [ "$flash" -le "$most_flash" ] && [ "$ram" -gt 0 ] && [ "$ram" -le "$most_ram" ]
fi
