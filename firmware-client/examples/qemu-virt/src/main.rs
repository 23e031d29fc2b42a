//! A whole device for `qemu-system-riscv32 -machine virt`: it claims itself, beats, waits out a server that is away, and
//! asks again now and then when it is refused. README.md says how it is started.
#![no_std]
#![no_main]

mod board;
mod dma;
mod net;
mod stack;

use authkit_firmware_client::{
    Backoff, Client, Clock, Error, Health, Heartbeat, Invitation, MIN_BUFFER, PlainTextForTests, Ports, Settings, State,
};
use board::{Board, Time};
use core::fmt;
use semihosting::println;
use smoltcp::iface::SocketStorage;
use stack::Network;

/// What `-semihosting-config arg=…` asks for.
struct Options<'a> {
    /// The text of the QR code.
    uri: Option<&'a str>,
    /// Milliseconds between heartbeats, where the server's own measure is too long for a test.
    every: Option<u64>,
    /// It ends after so many.
    beats: u64,
    /// Somebody asks for it to be reset: it forgets its key once it is refused, and ends.
    reset: bool,
}

impl<'a> Options<'a> {
    fn read(arguments: impl Iterator<Item = &'a str>) -> Self {
        let mut options = Self { uri: None, every: None, beats: u64::MAX, reset: false };
        for (name, value) in arguments.filter_map(|argument| argument.split_once('=')) {
            match name {
                "uri" => options.uri = Some(value),
                "every" => options.every = value.parse().ok(),
                "beats" => options.beats = value.parse().unwrap_or(u64::MAX),
                "reset" => options.reset = value == "yes",
                _ => println!("unknown: {name}"),
            }
        }
        options
    }
}

/// How it ended.
enum Failure {
    Client(Error),
    NobodysAndNoCode,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Client(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(error) => error.fmt(f),
            Self::NobodysAndNoCode => f.write_str("the device is nobody's, and was given no code"),
        }
    }
}

#[riscv_rt::entry]
fn main() -> ! {
    let arguments = semihosting::experimental::env::args::<1024>().expect("semihosting is on");
    let options = Options::read((&arguments).into_iter().flatten());
    semihosting::process::exit(match board::run(live(&options)) {
        Ok(()) => 0,
        Err(failure) => {
            println!("failed: {failure}");
            1
        }
    })
}

async fn live(options: &Options<'_>) -> Result<(), Failure> {
    let Board { disk, mut random, card } = Board::start();
    let (mut receive, mut send, mut sockets) = ([0; 4096], [0; 4096], [SocketStorage::EMPTY]);
    let network = Network::new(card, &mut receive, &mut send, &mut sockets, &mut random)?;
    let ports = Ports { connect: PlainTextForTests(network), storage: disk, clock: Time, random };
    let settings = Settings { version: Some(env!("CARGO_PKG_VERSION")), timeout: 5_000, ..Settings::default() };
    let mut buffer = [0; MIN_BUFFER];
    let mut client = Client::open(ports, settings, &mut buffer).await?;
    match client.state() {
        State::Claimed(id) => println!("started claimed {id}"),
        State::Claiming => println!("started claiming"),
        _ => println!("started unclaimed"),
    }
    let (mut backoff, mut beats) = (Backoff::new(100, 1_000), 0);
    loop {
        let done = match (client.state(), options.uri) {
            (State::Unclaimed | State::Claiming, Some(uri)) => {
                client.claim(&Invitation::parse(uri)?).await.map(|id| println!("claimed {id}")).map(|()| 0)
            }
            (State::Unclaimed, None) => return Err(Failure::NobodysAndNoCode),
            (State::Claiming, None) => client.resume().await.map(|id| println!("claimed {id}")).map(|()| 0),
            _ => {
                let beat = Heartbeat { health: Some(Health::Ok), capabilities: Some(&["relay"]) };
                client.heartbeat(&beat).await.map(|next| {
                    beats += 1;
                    println!("beat {beats}");
                    options.every.unwrap_or(next)
                })
            }
        };
        let wait = match done {
            Ok(_) if beats >= options.beats => return Ok(()),
            Ok(wait) => {
                backoff.succeeded();
                wait
            }
            Err(error) if error.retryable() => {
                println!("later: {error}");
                backoff.after(error, client.random())
            }
            Err(Error::Refused) => {
                println!("refused");
                if options.reset {
                    client.reset().await?;
                    println!("reset");
                    return Ok(());
                }
                // Its owner may be switched off, and on again.
                client.try_again();
                backoff.longest()
            }
            Err(error) => return Err(error.into()),
        };
        client.clock().sleep(wait).await;
    }
}
