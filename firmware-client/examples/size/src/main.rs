//! One claim and one heartbeat with the network, flash and clock of nobody, on a stack that was painted before. The image
//! is built with the client, with only the cryptography that it takes from others, and with neither.
//! scripts/firmware-size.sh runs all three.
#![no_std]
#![no_main]

#[cfg(feature = "crypto")]
mod crypto;
#[cfg(feature = "client")]
mod life;

/// What the server says; no part of what is measured, so it is in every image.
mod answers {
    include!(concat!(env!("OUT_DIR"), "/answers.rs"));
}

use semihosting::println;

const PAINT: u32 = 0xa5a5_a5a5;

/// Words below the painter's own frame that it leaves alone.
const MARGIN: usize = 64;

unsafe extern "C" {
    static mut __sheap: u32;
}

/// Paints what the stack has not reached yet; where the stack is now.
#[inline(never)]
fn paint() -> usize {
    let here = 0_u32;
    let top = (&raw const here).cast_mut();
    // SAFETY: between the end of the static data and the stack's top, less a margin for this frame, nothing lives.
    unsafe {
        let mut word = &raw mut __sheap;
        while word < top.sub(MARGIN) {
            word.write_volatile(PAINT);
            word = word.add(1);
        }
    }
    top as usize
}

/// Bytes of the stack that were used since.
#[inline(never)]
fn used(top: usize) -> usize {
    let mut word = &raw mut __sheap;
    // SAFETY: as above.
    unsafe {
        while (word as usize) < top && word.read_volatile() == PAINT {
            word = word.add(1);
        }
    }
    top - word as usize
}

#[riscv_rt::entry]
fn main() -> ! {
    let top = paint();
    core::hint::black_box((answers::URI, &answers::ANSWERS));
    #[cfg(feature = "client")]
    life::live();
    #[cfg(feature = "crypto")]
    crypto::sign_and_verify();
    println!("stack {}", used(top));
    semihosting::process::exit(0)
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    semihosting::process::exit(101)
}
