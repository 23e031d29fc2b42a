//! Ethernet frames over virtio-net, for smoltcp.

use crate::dma::Machine;
use core::cell::UnsafeCell;
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::Instant;
use virtio_drivers::{device::net::VirtIONetRaw, transport::mmio::MmioTransport};

const FRAME: usize = 1514;

/// A frame with the header that virtio puts before it; the driver's least.
const BUFFER: usize = 1536;

/// Where frames arrive. The device writes into it at any time, so it never moves.
static INBOUND: Inbound = Inbound(UnsafeCell::new([0; BUFFER]));

struct Inbound(UnsafeCell<[u8; BUFFER]>);

// SAFETY: one hart, and only the one card uses it.
unsafe impl Sync for Inbound {}

/// The network card. One frame is received at a time: the client never has more than a window of a few in flight, and
/// QEMU keeps what does not fit yet.
pub struct Card {
    driver: VirtIONetRaw<Machine, MmioTransport<'static>, 8>,
    receiving: Option<u16>,
    inbound: &'static mut [u8; BUFFER],
    frame: [u8; BUFFER],
}

impl Card {
    /// The card behind `transport`. A machine has one.
    pub fn new(transport: MmioTransport<'static>) -> Option<Self> {
        let driver = VirtIONetRaw::new(transport).ok()?;
        // SAFETY: called once, so nobody else has a reference.
        let inbound = unsafe { &mut *INBOUND.0.get() };
        Some(Self { driver, receiving: None, inbound, frame: [0; BUFFER] })
    }

    pub fn mac(&self) -> [u8; 6] {
        self.driver.mac_address()
    }

    /// The next frame, copied out, so that the device may fill its buffer again.
    fn take(&mut self) -> Option<usize> {
        let token = match self.receiving {
            Some(token) => token,
            None => {
                // SAFETY: the buffer lives for ever and is not touched until `receive_complete`.
                let token = unsafe { self.driver.receive_begin(self.inbound) }.ok()?;
                *self.receiving.insert(token)
            }
        };
        self.driver.poll_receive().filter(|done| *done == token)?;
        self.receiving = None;
        // SAFETY: the buffer that `receive_begin` was given.
        let (header, length) = unsafe { self.driver.receive_complete(token, self.inbound) }.ok()?;
        let frame = self.inbound.get(header..header + length)?;
        self.frame[..length].copy_from_slice(frame);
        Some(length)
    }
}

pub struct Received<'a>(&'a [u8]);
pub struct Sending<'a>(&'a mut VirtIONetRaw<Machine, MmioTransport<'static>, 8>);

impl RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        read(self.0)
    }
}

impl TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, write: F) -> R {
        let mut frame = [0; FRAME];
        let frame = &mut frame[..length];
        let result = write(frame);
        // A lost frame is TCP's business.
        let _ = self.0.send(frame);
        result
    }
}

impl Device for Card {
    type RxToken<'a> = Received<'a>;
    type TxToken<'a> = Sending<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Received<'_>, Sending<'_>)> {
        let length = self.take()?;
        Some((Received(&self.frame[..length]), Sending(&mut self.driver)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Sending<'_>> {
        Some(Sending(&mut self.driver))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.max_transmission_unit = FRAME;
        capabilities.medium = Medium::Ethernet;
        capabilities
    }
}
