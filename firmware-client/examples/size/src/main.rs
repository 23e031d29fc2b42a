//! One claim and one heartbeat with the network, flash and clock of nobody, on a stack that was painted before. The image
//! is built with the client and without: the difference is the client. scripts/firmware-size.sh runs both.
#![no_std]
#![no_main]

#[cfg(feature = "client")]
mod life;

use semihosting::println;

const PAINT: u32 = 0xa5a5_a5a5;

/// Words below the painter's own frame that it leaves alone.
const MARGIN: usize = 64;

unsafe extern "C" {
    static mut __sheap: u32;
}

/// Paints what the stack has not reached yet; where that ends.
#[inline(never)]
fn paint() -> *mut u32 {
    let here = 0_u32;
    let top = (&raw const here).cast_mut();
    // SAFETY: between the end of the static data and the stack's top nothing lives.
    unsafe {
        let top = top.sub(MARGIN);
        let mut word = &raw mut __sheap;
        while word < top {
            word.write_volatile(PAINT);
            word = word.add(1);
        }
        top
    }
}

/// Bytes of the stack that were used since.
#[inline(never)]
fn used(top: *mut u32) -> usize {
    let mut word = &raw mut __sheap;
    // SAFETY: as above.
    unsafe {
        while word < top && word.read_volatile() == PAINT {
            word = word.add(1);
        }
    }
    top as usize - word as usize
}

#[riscv_rt::entry]
fn main() -> ! {
    let top = paint();
    #[cfg(feature = "client")]
    life::live();
    println!("stack {}", used(top));
    semihosting::process::exit(0)
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    semihosting::process::exit(101)
}
