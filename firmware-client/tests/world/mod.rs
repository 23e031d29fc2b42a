//! A board and a server in memory. Every word that is written to flash and every message is a moment at which the power
//! may fail.
#![allow(dead_code, unreachable_pub, reason = "each test takes what it needs")]

pub mod server;

use authkit_firmware_client::{
    Client, Clock, Connect, ConnectError, Endpoint, Error, Invitation, MIN_BUFFER, Ports, RECORD, Random, RandomError,
    SecureTransport, Settings, Slot, Storage, StorageError,
};
use embedded_io_async::{ErrorKind, ErrorType, Read, Write};
use server::Server;
use std::{
    cell::RefCell,
    future::Future,
    ops::RangeInclusive,
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

/// Words in which this flash is written.
const WORD: usize = 4;

/// The power has failed: nothing that is done has any effect.
const DARK: usize = usize::MAX;

/// What may go wrong with one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It does not get there.
    Request,
    /// It does, and its answer does not come back.
    Answer,
    /// Nothing comes, for ever.
    Silence,
}

/// Everything outside the client, which outlives it.
pub struct World {
    pub server: Server,
    pub slots: [[u8; RECORD]; 2],
    /// Moments until the power fails.
    pub power: Option<usize>,
    /// Moments that have passed.
    pub moments: usize,
    /// Milliseconds since the board was started.
    pub uptime: u64,
    /// What the client told the clock.
    pub date: Option<u64>,
    /// The path of each request, and whether its connection knew the date.
    pub sent: Vec<(String, bool)>,
    pub fault: Option<(usize, Fault)>,
    pub random: u64,
    pub generator_fails: bool,
    /// Slots that cannot be read, that refuse writes and stay as they are, and that do not keep what is written.
    pub unreadable: [bool; 2],
    pub locked: [bool; 2],
    pub worn: [bool; 2],
    pub connects: Result<(), ConnectError>,
    /// When the server's certificate counts.
    pub valid: RangeInclusive<u64>,
}

pub type Shared = Rc<RefCell<World>>;
pub type Device<'b> = Client<'b, Net, Flash, Time, Generator>;

impl World {
    pub fn new() -> Shared {
        Rc::new(RefCell::new(Self {
            server: Server::new(1),
            slots: [[0xff; RECORD]; 2],
            power: None,
            moments: 0,
            uptime: 5_000,
            date: None,
            sent: Vec::new(),
            fault: None,
            random: 1,
            generator_fails: false,
            unreadable: [false; 2],
            locked: [false; 2],
            worn: [false; 2],
            connects: Ok(()),
            valid: 0..=u64::MAX,
        }))
    }

    /// Whether there is power for one thing more.
    fn lives(&mut self) -> bool {
        self.moments += 1;
        match &mut self.power {
            None => true,
            Some(0) => {
                self.power = Some(DARK);
                false
            }
            Some(DARK) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }

    /// Whether the power failed since it was set to: what is done after that moment is not done.
    pub fn is_dark(&self) -> bool {
        self.power == Some(DARK)
    }

    pub fn paths(&self) -> Vec<&str> {
        self.sent.iter().map(|(path, _)| path.as_str()).collect()
    }
}

/// Runs a future whose every wait ends by itself.
pub fn run<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..100 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
    panic!("it waits for ever");
}

/// The world's board starts.
pub fn start<'b>(world: &Shared, buffer: &'b mut [u8; MIN_BUFFER]) -> Result<Device<'b>, Error> {
    start_with(world, Settings { name: Some("Greenhouse"), version: Some("1.4.0"), ..Settings::default() }, buffer)
}

pub fn start_with<'b>(
    world: &Shared,
    settings: Settings<'b>,
    buffer: &'b mut [u8; MIN_BUFFER],
) -> Result<Device<'b>, Error> {
    let ports = Ports {
        connect: Net(world.clone()),
        storage: Flash(world.clone()),
        clock: Time(world.clone()),
        random: Generator(world.clone()),
    };
    run(Client::open(ports, settings, buffer))
}

/// What the QR code of the server's only open claim says.
pub fn invitation(world: &Shared) -> Invitation {
    Invitation::parse(&world.borrow().server.uri()).unwrap()
}

pub struct Generator(pub Shared);

impl Random for Generator {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomError> {
        let mut world = self.0.borrow_mut();
        if world.generator_fails {
            return Err(RandomError);
        }
        for byte in bytes {
            // splitmix64: another number each time, the same in each run.
            world.random = world.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (world.random ^ (world.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            *byte = (mixed >> 40) as u8;
        }
        Ok(())
    }
}

pub struct Time(pub Shared);

impl Clock for Time {
    fn uptime(&self) -> u64 {
        self.0.borrow().uptime
    }

    fn set(&mut self, unix_seconds: u64) {
        self.0.borrow_mut().date = Some(unix_seconds);
    }

    /// Nothing else happens in this world, so the time comes as soon as everybody waits for it.
    async fn sleep(&self, milliseconds: u64) {
        let mut waited = false;
        std::future::poll_fn(|_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending })
            .await;
        self.0.borrow_mut().uptime += milliseconds;
    }
}

pub struct Flash(pub Shared);

impl Storage for Flash {
    async fn read(&mut self, slot: Slot, into: &mut [u8]) -> Result<(), StorageError> {
        let world = self.0.borrow();
        let slot = usize::from(slot == Slot::B);
        if world.unreadable[slot] {
            return Err(StorageError);
        }
        into.copy_from_slice(&world.slots[slot][..into.len()]);
        Ok(())
    }

    async fn write(&mut self, slot: Slot, record: &[u8]) -> Result<(), StorageError> {
        let mut world = self.0.borrow_mut();
        let slot = usize::from(slot == Slot::B);
        if world.locked[slot] || world.is_dark() {
            return Err(StorageError);
        }
        if !world.lives() {
            // An erasure that was not finished leaves anything.
            for byte in world.slots[slot].iter_mut().step_by(3) {
                *byte |= 0x5a;
            }
            return Err(StorageError);
        }
        world.slots[slot] = [0xff; RECORD];
        for (place, word) in record.chunks(WORD).enumerate() {
            let at = place * WORD;
            if !world.lives() {
                world.slots[slot][at] &= word[0] | 0x0f;
                return Err(StorageError);
            }
            world.slots[slot][at..at + word.len()].copy_from_slice(word);
        }
        if world.worn[slot] {
            // Without a word about it.
            world.slots[slot][40] ^= 1;
        }
        Ok(())
    }
}

pub struct Net(pub Shared);

impl Connect for Net {
    type Connection<'a> = Wire;

    async fn connect(&mut self, endpoint: &Endpoint<'_>) -> Result<Wire, ConnectError> {
        let mut world = self.0.borrow_mut();
        assert_eq!((endpoint.host, endpoint.port, endpoint.secure), (world.server.host, 443, true));
        world.connects?;
        if !world.lives() {
            return Err(ConnectError::Unreachable);
        }
        if endpoint.now.is_some_and(|now| !world.valid.contains(&now)) {
            return Err(ConnectError::Untrusted);
        }
        let dated = endpoint.now.is_some();
        Ok(Wire { world: self.0.clone(), dated, request: Vec::new(), answer: Vec::new(), silent: false })
    }
}

/// An open connection to the server.
pub struct Wire {
    world: Shared,
    dated: bool,
    request: Vec<u8>,
    answer: Vec<u8>,
    silent: bool,
}

impl SecureTransport for Wire {}

impl ErrorType for Wire {
    type Error = ErrorKind;
}

impl Write for Wire {
    async fn write(&mut self, from: &[u8]) -> Result<usize, ErrorKind> {
        let count = from.len().min(100);
        self.request.extend_from_slice(&from[..count]);
        Ok(count)
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        let mut world = self.world.borrow_mut();
        let request = std::mem::take(&mut self.request);
        let path = String::from_utf8_lossy(&request).split(' ').nth(1).unwrap().to_owned();
        let fault = world.fault.filter(|(number, _)| *number == world.sent.len()).map(|(_, fault)| fault);
        world.sent.push((path, self.dated));
        if !world.lives() || fault == Some(Fault::Request) {
            return Err(ErrorKind::ConnectionReset);
        }
        let answer = world.server.answer(&request);
        match fault {
            Some(Fault::Silence) => self.silent = true,
            Some(_) => {}
            None => self.answer = answer,
        }
        if world.lives() { Ok(()) } else { Err(ErrorKind::ConnectionReset) }
    }
}

impl Read for Wire {
    async fn read(&mut self, into: &mut [u8]) -> Result<usize, ErrorKind> {
        if self.silent {
            std::future::pending::<()>().await;
        }
        let count = self.answer.len().min(into.len()).min(71);
        into[..count].copy_from_slice(&self.answer[..count]);
        self.answer.drain(..count);
        Ok(count)
    }
}
