//! A claim and a heartbeat, answered from a list.

use crate::answers::{ANSWERS, URI};
use authkit_firmware_client::{
    Client, Clock, Connect, ConnectError, Endpoint, Error, Health, Heartbeat, Invitation, MIN_BUFFER, Ports, RECORD,
    Random, RandomError, SecureTransport, Settings, Slot, Storage, StorageError,
};
use core::{
    cell::Cell,
    convert::Infallible,
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};
use embedded_io_async::{ErrorType, Read, Write};

/// Runs it to its end; what does not succeed ends the image.
#[inline(never)]
pub fn live() {
    let mut future = pin!(claim_and_beat());
    let mut context = Context::from_waker(Waker::noop());
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(Ok(())) => return,
            Poll::Ready(Err(_)) => semihosting::process::exit(102),
            Poll::Pending => {}
        }
    }
}

async fn claim_and_beat() -> Result<(), Error> {
    let asked = Cell::new(0);
    let mut buffer = [0; MIN_BUFFER];
    let mut flash = [[0; RECORD]; 2];
    let ports = Ports { connect: Net(&asked), storage: Flash(&mut flash), clock: Standing, random: Counting };
    let mut client = Client::open(ports, Settings::default(), &mut buffer).await?;
    client.claim(&Invitation::parse(URI)?).await?;
    client.heartbeat(&Heartbeat { health: Some(Health::Ok), capabilities: Some(&["relay"]) }).await?;
    // What else a device does, so that all of it is linked.
    client.get("/v1/devices/self").await.map(|_| ()).or(Ok(()))
}

struct Net<'a>(&'a Cell<usize>);

impl Connect for Net<'_> {
    type Connection<'c>
        = Wire<'c>
    where
        Self: 'c;

    async fn connect(&mut self, _: &Endpoint<'_>) -> Result<Wire<'_>, ConnectError> {
        Ok(Wire { asked: self.0, rest: b"" })
    }
}

struct Wire<'a> {
    asked: &'a Cell<usize>,
    rest: &'static [u8],
}

impl SecureTransport for Wire<'_> {}

impl ErrorType for Wire<'_> {
    type Error = Infallible;
}

impl Write for Wire<'_> {
    async fn write(&mut self, from: &[u8]) -> Result<usize, Infallible> {
        Ok(from.len())
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        self.rest = ANSWERS.get(self.asked.replace(self.asked.get() + 1)).map_or(b"", |answer| answer.as_bytes());
        Ok(())
    }
}

impl Read for Wire<'_> {
    async fn read(&mut self, into: &mut [u8]) -> Result<usize, Infallible> {
        let (part, rest) = self.rest.split_at(self.rest.len().min(into.len()));
        into[..part.len()].copy_from_slice(part);
        self.rest = rest;
        Ok(part.len())
    }
}

struct Flash<'a>(&'a mut [[u8; RECORD]; 2]);

impl Storage for Flash<'_> {
    async fn read(&mut self, slot: Slot, into: &mut [u8]) -> Result<(), StorageError> {
        into.copy_from_slice(&self.0[usize::from(slot == Slot::B)]);
        Ok(())
    }

    async fn write(&mut self, slot: Slot, record: &[u8]) -> Result<(), StorageError> {
        self.0[usize::from(slot == Slot::B)].copy_from_slice(record);
        Ok(())
    }
}

struct Standing;

impl Clock for Standing {
    fn uptime(&self) -> u64 {
        0
    }

    fn set(&mut self, _: u64) {}

    async fn sleep(&self, _: u64) {
        core::future::pending::<()>().await;
    }
}

struct Counting;

impl Random for Counting {
    /// Not random at all: the list was signed for this nonce.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomError> {
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = place as u8;
        }
        Ok(())
    }
}
