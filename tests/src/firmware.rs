//! The client of devices on this machine: its ports over blocking sockets, and what it does in scenarios.

use authkit_core::{memory::SystemRandom, ports::Random as _};
use authkit_firmware_client::{
    Client, Clock, ConnectError, Dial, Error, Health, Heartbeat, Invitation, MIN_BUFFER, PlainTextForTests, Ports,
    RECORD, Random, RandomError, Server, Settings, Slot, State, Storage, StorageError,
};
use embedded_io_async::{ErrorKind, ErrorType, Read, Write};
use serde_json::{Value, json};
use std::{
    future::Future,
    io::{Read as _, Write as _},
    net::TcpStream,
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

/// A device's client on this machine.
pub type Firmware = Client<'static, PlainTextForTests<Tcp>, Flash, HostClock, HostRandom>;

/// Milliseconds in which a server on this machine answers.
const TIMEOUT: u64 = 20_000;

/// Starts a device with what its flash holds.
///
/// # Panics
/// When the flash cannot be read.
#[must_use]
pub fn start(flash: &Flash) -> Firmware {
    let connect = PlainTextForTests(Tcp);
    let ports = Ports { connect, storage: flash.clone(), clock: HostClock(Instant::now()), random: HostRandom };
    let settings = Settings { version: Some("1.4.0"), timeout: TIMEOUT, ..Settings::default() };
    // A test's devices are few, and live as long as it does.
    run(Client::open(ports, settings, vec![0; MIN_BUFFER].leak())).unwrap()
}

/// Runs a future of the client to its end on this thread. All its ports block.
pub fn run<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Flash that outlives the device that is started with it.
#[derive(Clone)]
pub struct Flash(Arc<Mutex<[[u8; RECORD]; 2]>>);

impl Default for Flash {
    fn default() -> Self {
        Self(Arc::new(Mutex::new([[0xff; RECORD]; 2])))
    }
}

impl Storage for Flash {
    async fn read(&mut self, slot: Slot, into: &mut [u8]) -> Result<(), StorageError> {
        into.copy_from_slice(&self.0.lock().unwrap()[usize::from(slot == Slot::B)][..into.len()]);
        Ok(())
    }

    async fn write(&mut self, slot: Slot, record: &[u8]) -> Result<(), StorageError> {
        self.0.lock().unwrap()[usize::from(slot == Slot::B)][..record.len()].copy_from_slice(record);
        Ok(())
    }
}

/// A clock that was never set.
pub struct HostClock(Instant);

impl Clock for HostClock {
    fn uptime(&self) -> u64 {
        self.0.elapsed().as_millis() as u64
    }

    fn set(&mut self, _: u64) {}

    async fn sleep(&self, milliseconds: u64) {
        let end = self.uptime() + milliseconds;
        std::future::poll_fn(|_| if self.uptime() < end { Poll::Pending } else { Poll::Ready(()) }).await;
    }
}

/// The system's randomness.
pub struct HostRandom;

impl Random for HostRandom {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomError> {
        SystemRandom.fill(bytes);
        Ok(())
    }
}

/// Blocking TCP.
pub struct Tcp;

impl Dial for Tcp {
    type Connection<'a> = Socket;

    async fn dial(&mut self, host: &str, port: u16) -> Result<Socket, ConnectError> {
        let open = || {
            let stream = TcpStream::connect((host, port))?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(Duration::from_millis(TIMEOUT)))?;
            Ok::<_, std::io::Error>(Socket(stream))
        };
        open().map_err(|_| ConnectError::Unreachable)
    }
}

/// An open connection.
pub struct Socket(TcpStream);

impl ErrorType for Socket {
    type Error = ErrorKind;
}

impl Read for Socket {
    async fn read(&mut self, into: &mut [u8]) -> Result<usize, ErrorKind> {
        self.0.read(into).map_err(|_| ErrorKind::ConnectionReset)
    }
}

impl Write for Socket {
    async fn write(&mut self, from: &[u8]) -> Result<usize, ErrorKind> {
        self.0.write(from).map_err(|_| ErrorKind::ConnectionReset)
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

/// A device of a scenario. What it answers is what its maker sees, told in the names of the HTTP interface.
pub(crate) struct Actor {
    client: Firmware,
    server: String,
}

impl Actor {
    pub(crate) fn new(server: &str) -> Self {
        Self { client: start(&Flash::default()), server: server.to_owned() }
    }

    /// Becomes the device of whoever made the code. One that is refused is reset first, as its owner would; one that is
    /// claimed stays what it is.
    pub(crate) fn claim(&mut self, code: &str) -> Result<Value, Value> {
        let server = Server::parse(&self.server).map_err(told)?;
        let invitation = Invitation::new(server, code.parse().map_err(|_| told(Error::ClaimRefused))?);
        if matches!(self.client.state(), State::Refused(_)) {
            run(self.client.reset()).map_err(told)?;
        }
        match run(self.client.claim(&invitation)) {
            Ok(_) | Err(Error::AlreadyClaimed) => Ok(json!({ "device": self.call("getOwnDevice", &Value::Null)? })),
            Err(error) => Err(told(error)),
        }
    }

    /// What a device can be asked to do. One that was refused asks again: its owner may be back.
    pub(crate) fn call(&mut self, name: &str, with: &Value) -> Result<Value, Value> {
        self.client.try_again();
        match name {
            "sendHeartbeat" => {
                let health = match with["status"].as_str() {
                    Some("ok") => Some(Health::Ok),
                    Some("degraded") => Some(Health::Degraded),
                    Some("failing") => Some(Health::Failing),
                    _ => None,
                };
                let words: Option<Vec<&str>> =
                    with["capabilities"].as_array().map(|words| words.iter().filter_map(Value::as_str).collect());
                let beat = Heartbeat { health, capabilities: words.as_deref() };
                let next = run(self.client.heartbeat(&beat)).map_err(told)?;
                Ok(json!({ "next_in": next / 1_000, "server_time": self.client.now() }))
            }
            "getOwnDevice" => {
                let answer = run(self.client.get("/v1/devices/self")).map_err(told)?;
                let body: Value = serde_json::from_slice(answer.body).map_err(|error| json!(error.to_string()))?;
                match answer.status {
                    200 => Ok(body),
                    status => Err(json!({"code": body["code"], "status": status})),
                }
            }
            other => Err(json!({"code": "client.invalid_argument", "status": 0, "message": other})),
        }
    }
}

fn told(error: Error) -> Value {
    let (code, status) = match error {
        Error::ClaimRefused => ("device.invalid_claim", 400),
        Error::Refused => ("device.invalid_proof", 401),
        _ => ("client.other", 0),
    };
    json!({"code": code, "status": status, "message": error.to_string()})
}
