//! Memory that the virtual devices read and write. Addresses are physical here: nothing is mapped.

use core::{cell::UnsafeCell, ptr::NonNull};
use virtio_drivers::{BufferDirection, Hal, PAGE_SIZE, PhysAddr};

/// Queues of the three devices, taken once and never given back.
const PAGES: usize = 16;

#[repr(C, align(4096))]
struct Pool(UnsafeCell<[u8; PAGES * PAGE_SIZE]>);

// SAFETY: one hart, and no interrupt handler touches it.
unsafe impl Sync for Pool {}

static POOL: Pool = Pool(UnsafeCell::new([0; PAGES * PAGE_SIZE]));

struct Taken(UnsafeCell<usize>);

// SAFETY: as above.
unsafe impl Sync for Taken {}

static TAKEN: Taken = Taken(UnsafeCell::new(0));

/// What virtio needs from this machine.
pub struct Machine;

// SAFETY: pages are zeroed at start, aligned, and each is given out once.
unsafe impl Hal for Machine {
    fn dma_alloc(pages: usize, _: BufferDirection) -> (PhysAddr, NonNull<u8>) {
        // SAFETY: one hart; no other reference to the counter or to these pages exists.
        let start = unsafe {
            let taken = &mut *TAKEN.0.get();
            assert!(*taken + pages <= PAGES, "the DMA pool is too small");
            let start = POOL.0.get().cast::<u8>().add(*taken * PAGE_SIZE);
            *taken += pages;
            NonNull::new_unchecked(start)
        };
        (start.as_ptr() as PhysAddr, start)
    }

    unsafe fn dma_dealloc(_: PhysAddr, _: NonNull<u8>, _: usize) -> i32 {
        0
    }

    unsafe fn mmio_phys_to_virt(paddr: PhysAddr, _: usize) -> NonNull<u8> {
        // SAFETY: MMIO does not begin at zero on this machine.
        unsafe { NonNull::new_unchecked(paddr as usize as *mut u8) }
    }

    unsafe fn share(buffer: NonNull<[u8]>, _: BufferDirection) -> PhysAddr {
        buffer.cast::<u8>().as_ptr() as PhysAddr
    }

    unsafe fn unshare(_: PhysAddr, _: NonNull<[u8]>, _: BufferDirection) {}
}
