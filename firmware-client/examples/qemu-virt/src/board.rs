//! The machine: its virtual devices, its clock, and the loop that runs everything.

use crate::{dma::Machine, net::Card};
use authkit_firmware_client::{Clock, Random, RandomError, Slot, Storage, StorageError};
use core::{
    future::Future,
    pin::pin,
    ptr::NonNull,
    task::{Context, Poll, Waker},
};
use semihosting::println;
use virtio_drivers::{
    device::{blk::VirtIOBlk, rng::VirtIORng},
    transport::{DeviceType, Transport, mmio::MmioTransport},
};

/// Where the machine has its eight virtio devices, and how far they are from each other.
const VIRTIO: usize = 0x1000_1000;
const STRIDE: usize = 0x1000;
const DEVICES: usize = 8;

/// The timer's compare register of the only hart (SiFive's CLINT), and ticks in a millisecond.
const MTIMECMP: *mut u32 = 0x0200_4000 as *mut u32;
const TICKS: u64 = 10_000;

/// Milliseconds since the machine was started.
pub fn uptime() -> u64 {
    riscv::register::time::read64() / TICKS
}

/// Runs a future, looking at it each millisecond and sleeping meanwhile: there is nothing that would wake it.
pub fn run<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    // SAFETY: interrupts as a whole stay off, so a timer interrupt ends `wfi` and is never taken.
    unsafe { riscv::register::mie::set_mtimer() };
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        let next = riscv::register::time::read64() + TICKS;
        // SAFETY: the registers are this hart's own; the high word is at its highest while the low one changes.
        unsafe {
            MTIMECMP.add(1).write_volatile(u32::MAX);
            MTIMECMP.write_volatile(next as u32);
            MTIMECMP.add(1).write_volatile((next >> 32) as u32);
        }
        riscv::asm::wfi();
    }
}

/// The clock of the machine; the date is only told.
pub struct Time;

impl Clock for Time {
    fn uptime(&self) -> u64 {
        uptime()
    }

    fn set(&mut self, unix_seconds: u64) {
        println!("date {unix_seconds}");
    }

    async fn sleep(&self, milliseconds: u64) {
        let end = uptime().saturating_add(milliseconds);
        core::future::poll_fn(|_| if uptime() < end { Poll::Pending } else { Poll::Ready(()) }).await;
    }
}

/// What this machine has.
pub struct Board {
    pub disk: Disk,
    pub random: Entropy,
    pub card: Card,
}

impl Board {
    /// Finds its devices. Without any of the three it is not a device.
    pub fn start() -> Self {
        let (mut disk, mut random, mut card) = (None, None, None);
        for place in 0..DEVICES {
            let Some(header) = NonNull::new((VIRTIO + place * STRIDE) as *mut _) else { continue };
            // SAFETY: the machine has its virtio devices there, and nothing else uses them.
            let Ok(transport) = (unsafe { MmioTransport::new(header, STRIDE) }) else { continue };
            match transport.device_type() {
                DeviceType::Block => disk = VirtIOBlk::new(transport).ok().map(Disk),
                DeviceType::EntropySource => random = VirtIORng::new(transport).ok().map(Entropy),
                DeviceType::Network => card = Card::new(transport),
                _ => {}
            }
        }
        Self {
            disk: disk.expect("a virtio-blk-device"),
            random: random.expect("a virtio-rng-device"),
            card: card.expect("a virtio-net-device"),
        }
    }
}

/// The host's randomness.
pub struct Entropy(VirtIORng<Machine, MmioTransport<'static>>);

impl Random for Entropy {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomError> {
        let mut filled = 0;
        while filled < bytes.len() {
            match self.0.request_entropy(&mut bytes[filled..]) {
                Ok(count) if count > 0 => filled += count,
                _ => return Err(RandomError),
            }
        }
        Ok(())
    }
}

/// Two blocks of a disk, which outlives the machine.
pub struct Disk(VirtIOBlk<Machine, MmioTransport<'static>>);

const BLOCK: usize = 512;

/// Far enough from each other to lie in different units of any disk.
const fn block(slot: Slot) -> usize {
    match slot {
        Slot::A => 0,
        Slot::B => 8,
    }
}

impl Storage for Disk {
    async fn read(&mut self, slot: Slot, into: &mut [u8]) -> Result<(), StorageError> {
        let mut bytes = [0; BLOCK];
        self.0.read_blocks(block(slot), &mut bytes).map_err(|_| StorageError)?;
        into.copy_from_slice(bytes.get(..into.len()).ok_or(StorageError)?);
        Ok(())
    }

    async fn write(&mut self, slot: Slot, record: &[u8]) -> Result<(), StorageError> {
        let mut bytes = [0; BLOCK];
        bytes.get_mut(..record.len()).ok_or(StorageError)?.copy_from_slice(record);
        self.0.write_blocks(block(slot), &bytes).map_err(|_| StorageError)?;
        self.0.flush().map_err(|_| StorageError)
    }
}
