//! What the client needs from the board.

use embedded_io_async::{Read, Write};

/// Randomness that nobody can guess: the chip's generator, with its entropy source running.
pub trait Random {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// [`RandomError`] when the generator is not ready; nothing is made from what it gave so far.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomError>;
}

/// The generator gave nothing that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomError;

/// Time, in two kinds: what has passed, which the board knows, and what date it is, which only the server's signature
/// says.
#[expect(async_fn_in_trait, reason = "firmware runs on one core; its futures need not be `Send`")]
pub trait Clock {
    /// Milliseconds since some moment before the client was made. It never goes back, also when [`Clock::set`] is
    /// called, and it counts through sleep.
    fn uptime(&self) -> u64;

    /// Takes the date: seconds since 1970, signed by the server that this device is bound to.
    fn set(&mut self, unix_seconds: u64);

    /// Waits.
    async fn sleep(&self, milliseconds: u64);
}

/// One of the two places of [`Storage`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The first.
    A,
    /// The second.
    B,
}

/// Two places for one record of [`RECORD`](crate::RECORD) bytes each, in units of their own that are erased by themselves
/// (two flash sectors, two blocks).
///
/// # Behavior
/// - A write to one slot leaves the other as it is, also when the power fails in its middle.
/// - After a failed or interrupted write the slot may hold anything. `read` gives that, or fails where it cannot be read
///   (flash with error correction): the slot counts as empty then.
/// - When `write` has returned, the record is there after a loss of power.
/// - Who reads the flash chip reads the device's key: switch on its encryption where the hardware has it.
#[expect(async_fn_in_trait, reason = "firmware runs on one core; its futures need not be `Send`")]
pub trait Storage {
    /// Reads the first `into.len()` bytes of the slot. A slot that was never written gives whatever is there.
    ///
    /// # Errors
    /// [`StorageError`] when the medium fails. The client starts as long as one slot can be read.
    async fn read(&mut self, slot: Slot, into: &mut [u8]) -> Result<(), StorageError>;

    /// Erases the slot and writes `record` at its beginning.
    ///
    /// # Errors
    /// [`StorageError`] when the medium fails.
    async fn write(&mut self, slot: Slot, record: &[u8]) -> Result<(), StorageError>;
}

/// The medium failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StorageError;

/// Where a connection goes, and what is known about the time.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint<'a> {
    /// A name or an address; an IPv6 address without brackets.
    pub host: &'a str,
    /// The TCP port.
    pub port: u16,
    /// Whether the server's address says `https`.
    pub secure: bool,
    /// The date in seconds since 1970 when the server has signed it. Without it the dates of certificates cannot be
    /// judged: check everything but them. The client then sends no secret over this connection, and opens another
    /// one as soon as it knows the time.
    pub now: Option<u64>,
}

/// Opens connections whose other end is proved to be the endpoint's host.
#[expect(async_fn_in_trait, reason = "firmware runs on one core; its futures need not be `Send`")]
pub trait Connect {
    /// An open connection. Dropping it closes it.
    type Connection<'a>: SecureTransport
    where
        Self: 'a;

    /// Opens one.
    ///
    /// # Errors
    /// [`ConnectError`]. `endpoint.secure` must be obeyed: never plain text for it.
    async fn connect(&mut self, endpoint: &Endpoint<'_>) -> Result<Self::Connection<'_>, ConnectError>;
}

/// A byte stream that nobody but its two ends can read or change, whose other end has proved who it is. Implement it only
/// for such: tokens are sent over it.
pub trait SecureTransport: Read + Write {}

/// Opens plain TCP connections: the layer below TLS.
#[expect(async_fn_in_trait, reason = "firmware runs on one core; its futures need not be `Send`")]
pub trait Dial {
    /// An open connection. Dropping it closes it.
    type Connection<'a>: Read + Write
    where
        Self: 'a;

    /// Opens one, looking the name up where `host` is one.
    ///
    /// # Errors
    /// [`ConnectError::Unreachable`].
    async fn dial(&mut self, host: &str, port: u16) -> Result<Self::Connection<'_>, ConnectError>;
}

/// No connection was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectError {
    /// The network or the server is away; later may be better.
    Unreachable,
    /// The other end did not prove that it is the host.
    Untrusted,
    /// The connector does not open this kind of address: plain text where TLS was asked for, or to a public address.
    Insecure,
}
