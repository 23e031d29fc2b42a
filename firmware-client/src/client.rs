//! The client: drives the [`Machine`] over connections, with deadlines, storage and clock.

use crate::{
    error::Error,
    http::{AnswerReader, Body, Place, is_path},
    json::Value,
    keys::KeyKind,
    machine::{HELD, Machine, Step},
    ports::{Clock, Connect, ConnectError, Endpoint, Random, Storage},
    put::Put,
    record::State,
    server::Invitation,
    vault::Vault,
};
use authkit_wire::DeviceId;
use core::{future::Future, pin::pin, task::Poll};
use embedded_io_async::{Read, Write};
use zeroize::Zeroize;

/// The least bytes of the client's buffer. Each request and each answer has to fit into it, less the 1280 for the token and
/// the challenge; so do all of the protocol's, with everything in them as long as the server takes it.
pub const MIN_BUFFER: usize = 4096;

/// The most requests of one operation; an honest server needs five.
const MAX_EXCHANGES: u8 = 10;

/// The longest wait, in seconds, that a server is obeyed in: a mistake of its own should not silence its devices for ever.
const LONGEST_WAIT: u32 = 86_400;

/// What the client gets from the board.
pub struct Ports<C, S, K, R> {
    /// Opens connections.
    pub connect: C,
    /// Keeps the key.
    pub storage: S,
    /// Time.
    pub clock: K,
    /// Randomness.
    pub random: R,
}

/// What the maker of the device decides.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// How the device signs.
    pub key: KeyKind,
    /// What its owner sees, unless they chose a name with the code.
    pub name: Option<&'a str>,
    /// The firmware's version.
    pub version: Option<&'a str>,
    /// Milliseconds in which one connection must be opened, and one request answered.
    pub timeout: u64,
    /// Seconds since 1970 when this firmware was built: no time before it is believed, whoever signed it. Without it a
    /// certificate that is long out of date, whose key became known since, counts where the code was typed.
    pub not_before: u64,
}

impl Default for Settings<'_> {
    fn default() -> Self {
        Self { key: KeyKind::default(), name: None, version: None, timeout: 20_000, not_before: 0 }
    }
}

/// How a device is, by its own account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// As it should be.
    #[default]
    Ok,
    /// It works, but not wholly.
    Degraded,
    /// It does not work.
    Failing,
}

/// What a heartbeat says. What it leaves out stays as it was.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heartbeat<'a> {
    /// How the device is.
    pub health: Option<Health>,
    /// What it can do: at most 32 short words.
    pub capabilities: Option<&'a [&'a str]>,
}

/// An answer, in the client's buffer.
#[derive(Clone, Copy)]
pub struct Answer<'a> {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: &'a [u8],
    retry_after: Option<u32>,
}

impl<'a> Answer<'a> {
    /// The body as JSON.
    ///
    /// # Errors
    /// [`Error::Protocol`] when it is none.
    pub fn json(&self) -> Result<Value<'a>, Error> {
        Value::parse(self.body).map_err(|_| Error::Protocol("JSON"))
    }

    /// The stable code of a problem, for example `device.not_found`.
    #[must_use]
    pub fn code(&self) -> Option<&'a str> {
        self.json().ok()?.member("code").ok()??.text().ok()
    }

    /// What a status that is no success means.
    pub(crate) fn error(&self) -> Error {
        match self.status {
            429 | 503 => Error::Busy { retry_after: self.retry_after.map(|seconds| seconds.min(LONGEST_WAIT)) },
            status => Error::Status(status),
        }
    }
}

enum Goal<'a> {
    /// A token that counts, and a record that is saved.
    Token,
    Call {
        method: &'static str,
        path: &'a str,
        body: CallBody<'a>,
    },
}

#[derive(Clone, Copy)]
enum CallBody<'a> {
    None,
    Json(&'a str),
    Heartbeat(&'a Heartbeat<'a>),
}

impl Place {
    fn answer<'b>(&self, buffer: &'b [u8]) -> Answer<'b> {
        let body = buffer.get(self.start..self.end).unwrap_or_default();
        Answer { status: self.status, body, retry_after: self.retry_after }
    }
}

/// A device. See the [crate's page](crate) for how to use it.
///
/// # Behavior
/// - The key pair is made here and is in the storage before anything is sent.
/// - A loss of power at any moment leaves the device unclaimed, or claiming (then [`Client::resume`] asks again with the
///   same code and key, and gets the same device), or claimed.
/// - No time is believed that the server did not sign for this device's own nonce. Until one is, nothing secret is sent.
/// - One connection is opened for each operation and closed with it.
pub struct Client<'b, C, S, K, R> {
    connect: C,
    vault: Vault<S>,
    clock: K,
    random: R,
    machine: Machine<'b>,
    settings: Settings<'b>,
    buffer: &'b mut [u8],
}

impl<'b, C: Connect, S: Storage, K: Clock, R: Random> Client<'b, C, S, K, R> {
    /// Reads the storage. Nothing is sent. The buffer is wiped after use: it holds tokens for moments.
    ///
    /// # Errors
    /// [`Error::Storage`]; [`Error::Argument`] when the buffer has less than [`MIN_BUFFER`] bytes.
    pub async fn open(ports: Ports<C, S, K, R>, settings: Settings<'b>, buffer: &'b mut [u8]) -> Result<Self, Error> {
        if buffer.len() < MIN_BUFFER {
            return Err(Error::Argument("the buffer"));
        }
        let (held, buffer) = buffer.split_first_chunk_mut::<HELD>().ok_or(Error::Argument("the buffer"))?;
        let Ports { connect, storage, clock, random } = ports;
        let (vault, record) = Vault::open(storage).await?;
        Ok(Self { connect, vault, clock, random, machine: Machine::new(record, held), settings, buffer })
    }

    /// Where this device is on its way.
    #[must_use]
    pub fn state(&self) -> State {
        self.machine.state()
    }

    /// Seconds since 1970 by the time that the server signed last.
    #[must_use]
    pub fn now(&self) -> Option<u64> {
        self.machine.now(self.clock.uptime())
    }

    /// The board's clock.
    pub fn clock(&self) -> &K {
        &self.clock
    }

    /// The board's randomness, for [`Backoff`](crate::Backoff).
    pub fn random(&mut self) -> &mut R {
        &mut self.random
    }

    /// Becomes somebody's device. The same invitation again goes on where an interrupted claim stopped; another one
    /// begins anew with another key.
    ///
    /// # Errors
    /// [`Error::AlreadyClaimed`], [`Error::ClaimRefused`], and those of every call.
    pub async fn claim(&mut self, invitation: &Invitation) -> Result<DeviceId, Error> {
        self.machine.begin(invitation, &self.settings, &mut self.random)?;
        self.resume().await
    }

    /// Goes on with a claim that was begun before a loss of power or of the network. A claimed device gets a token.
    ///
    /// # Errors
    /// [`Error::Unclaimed`], [`Error::ClaimRefused`], [`Error::Refused`], and those of every call.
    pub async fn resume(&mut self) -> Result<DeviceId, Error> {
        self.run(Goal::Token).await?;
        match self.state() {
            State::Claimed(device) => Ok(device),
            _ => Err(Error::Unclaimed),
        }
    }

    /// Says that the device is there. Milliseconds until the next one is due, a day at most.
    ///
    /// # Errors
    /// Those of every call.
    pub async fn heartbeat(&mut self, beat: &Heartbeat<'_>) -> Result<u64, Error> {
        let body = CallBody::Heartbeat(beat);
        let place = self.run(Goal::Call { method: "POST", path: "/v1/devices/heartbeat", body }).await?;
        let answer = place.answer(self.buffer);
        if answer.status != 200 {
            return Err(answer.error());
        }
        let next = answer.json()?.required("next_in").and_then(Value::integer);
        Ok(next.map_err(|_| Error::Protocol("the heartbeat"))?.min(LONGEST_WAIT.into()) * 1_000)
    }

    /// Asks for a path as this device. Every answer is given as it is, but those that the client deals with: a token
    /// that does not count (one new token, one more try), and a server that is busy.
    ///
    /// # Errors
    /// Those of every call.
    pub async fn get(&mut self, path: &str) -> Result<Answer<'_>, Error> {
        self.call("GET", path, CallBody::None).await
    }

    /// Sends JSON to a path as this device. As [`Client::get`]; it is sent twice only where the first one was refused
    /// for its token.
    ///
    /// # Errors
    /// Those of every call.
    pub async fn post(&mut self, path: &str, json: &str) -> Result<Answer<'_>, Error> {
        self.call("POST", path, CallBody::Json(json)).await
    }

    /// After [`Error::Refused`]: lets the next call ask the server again. An owner or a tenant that was switched off may be
    /// on again; a device that was revoked stays so.
    pub fn try_again(&mut self) {
        self.machine.try_again();
    }

    /// Forgets the key, the server and the owner, in both slots of the storage, and is for when a person asks for it:
    /// [`Error::Refused`] may pass. The server is not told: a device that is given away is also revoked by its owner. When
    /// the power fails in its middle the device is reset or as it was.
    ///
    /// # Errors
    /// [`Error::Storage`]; then ask again.
    pub async fn reset(&mut self) -> Result<(), Error> {
        self.machine.reset();
        self.vault.save(self.machine.record()).await?;
        self.machine.saved();
        Ok(())
    }

    async fn call(&mut self, method: &'static str, path: &str, body: CallBody<'_>) -> Result<Answer<'_>, Error> {
        if !is_path(path) {
            return Err(Error::Argument("the path"));
        }
        let place = self.run(Goal::Call { method, path, body }).await?;
        let answer = place.answer(self.buffer);
        if matches!(answer.status, 429 | 503) { Err(answer.error()) } else { Ok(answer) }
    }

    /// Goes from step to step until the goal is reached.
    async fn run(&mut self, goal: Goal<'_>) -> Result<Place, Error> {
        let result = self.steps(goal).await;
        if result.is_err() {
            self.buffer.zeroize();
        }
        result
    }

    async fn steps(&mut self, goal: Goal<'_>) -> Result<Place, Error> {
        let Self { connect, vault, clock, random, machine, settings, buffer } = self;
        let (mut renewed, mut left) = (false, MAX_EXCHANGES);
        'connection: loop {
            // What needs no connection.
            while machine.step(clock.uptime())? == Step::Save {
                vault.save(machine.record()).await?;
                machine.saved();
            }
            if let (Step::Ready, Goal::Token) = (machine.step(clock.uptime())?, &goal) {
                return Ok(Place { status: 200, retry_after: None, start: 0, end: 0, closing: false });
            }
            let server = machine.bound()?.server.clone();
            let now = machine.now(clock.uptime());
            let endpoint = Endpoint { host: server.host(), port: server.port(), secure: server.secure(), now };
            let connected = within(clock, settings.timeout, connect.connect(&endpoint)).await?;
            if let Err(ConnectError::Untrusted) = connected {
                machine.forget_time();
            }
            let mut connection = connected?;
            loop {
                let step = machine.step(clock.uptime())?;
                match step {
                    Step::Save => {
                        vault.save(machine.record()).await?;
                        machine.saved();
                        continue;
                    }
                    // Over a connection whose certificate was judged without a date nothing secret goes.
                    Step::Prove(_) | Step::Ready if now.is_none() => continue 'connection,
                    Step::Ready if matches!(goal, Goal::Token) => continue 'connection,
                    _ => {}
                }
                left = left.checked_sub(1).ok_or(Error::Protocol("no end of requests"))?;
                let length = match (step, &goal) {
                    (Step::Ready, Goal::Call { method, path, body }) => {
                        let body = match *body {
                            CallBody::None => Body::None,
                            CallBody::Json(json) => Body::Bytes(json.as_bytes()),
                            CallBody::Heartbeat(beat) => Body::Written(put_heartbeat(beat, settings.version, buffer)?),
                        };
                        machine.write_call(method, path, body, buffer)?
                    }
                    _ => machine.write(step, settings, random, buffer)?,
                };
                let sent = clock.uptime();
                let exchanged = within(clock, settings.timeout, exchange(&mut connection, buffer, length)).await;
                let place = match exchanged {
                    Ok(Ok(place)) => place,
                    Ok(Err(error)) | Err(error) => {
                        if let Step::Prove(_) = step {
                            machine.forget_challenge();
                        }
                        return Err(match (step, error) {
                            // No larger buffer makes this an answer of the protocol.
                            (Step::Challenge(_) | Step::Prove(_), Error::TooLarge) => Error::Protocol("the length"),
                            (_, error) => error,
                        });
                    }
                };
                if step == Step::Ready {
                    if place.status != 401 {
                        return Ok(place);
                    }
                    machine.forget_token();
                    if core::mem::replace(&mut renewed, true) {
                        return Err(Error::Status(401));
                    }
                } else if let Some(time) =
                    machine.read(step, settings, (sent, clock.uptime()), &place.answer(buffer))?
                {
                    clock.set(time);
                }
                if place.closing {
                    continue 'connection;
                }
            }
        }
    }
}

impl<C, S, K, R> Drop for Client<'_, C, S, K, R> {
    fn drop(&mut self) {
        self.buffer.zeroize();
    }
}

/// Sends the request that lies in the buffer and reads the answer into it.
async fn exchange<T: Read + Write>(connection: &mut T, buffer: &mut [u8], length: usize) -> Result<Place, Error> {
    let request = buffer.get(..length).ok_or(Error::TooLarge)?;
    connection.write_all(request).await.map_err(|_| Error::Network)?;
    connection.flush().await.map_err(|_| Error::Network)?;
    buffer.zeroize();
    let mut reader = AnswerReader::new();
    loop {
        let room = reader.room(buffer)?;
        let count = connection.read(room).await.map_err(|_| Error::Network)?;
        if count == 0 {
            return Err(Error::Network);
        }
        if let Some(place) = reader.advance(buffer, count)? {
            return Ok(place);
        }
    }
}

/// The future's result, unless the time is over first.
async fn within<F: Future>(clock: &impl Clock, milliseconds: u64, future: F) -> Result<F::Output, Error> {
    let (mut future, mut sleep) = (pin!(future), pin!(clock.sleep(milliseconds)));
    core::future::poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        sleep.as_mut().poll(context).map(|()| Err(Error::Timeout))
    })
    .await
}

fn put_heartbeat(beat: &Heartbeat<'_>, version: Option<&str>, into: &mut [u8]) -> Result<usize, Error> {
    let mut put = Put::new(into);
    let mut comma = "{";
    if let Some(health) = beat.health {
        let name = match health {
            Health::Ok => "ok",
            Health::Degraded => "degraded",
            Health::Failing => "failing",
        };
        put.text(comma).text("\"status\":").quoted(name);
        comma = ",";
    }
    if let Some(version) = version {
        put.text(comma).text("\"version\":").quoted(version);
        comma = ",";
    }
    if let Some(capabilities) = beat.capabilities {
        put.text(comma).text("\"capabilities\":[");
        for (place, word) in capabilities.iter().enumerate() {
            put.text(if place == 0 { "" } else { "," }).quoted(word);
        }
        put.text("]");
        comma = ",";
    }
    if comma == "{" {
        put.text(comma);
    }
    put.text("}").length().ok_or(Error::TooLarge)
}
