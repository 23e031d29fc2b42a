//! What can go wrong, in the shape in which firmware decides what to do next.

use crate::ports::{ConnectError, RandomError, StorageError};
use core::fmt;

/// A call that did not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// This device is nobody's yet: claim it.
    Unclaimed,
    /// This device is somebody's already: reset it before it is claimed anew.
    AlreadyClaimed,
    /// The server does not take the claim code: mistyped, expired, used by another device, or void. Ask for a new one.
    ClaimRefused,
    /// The server does not take this device's proof: it was revoked, or its owner or tenant is switched off and may be on
    /// again later. Nothing is sent any more until [`try_again`](crate::Client::try_again), best after the longest wait,
    /// or, by a person's wish, [`reset`](crate::Client::reset).
    Refused,
    /// The server's key is not the one that this device is bound to: another server, or somebody between.
    WrongServer,
    /// The server's signature over the challenge does not count.
    BadSignature,
    /// The other end could not prove that it is the server's host.
    Untrusted,
    /// The connector refused to open this kind of address.
    Insecure,
    /// No connection, or it broke. Try again after a while.
    Network,
    /// The server did not answer in time. Try again after a while.
    Timeout,
    /// The server asks to come back later.
    Busy {
        /// After so many seconds, where it says: a day at most.
        retry_after: Option<u32>,
    },
    /// The server answered something else than success.
    Status(u16),
    /// The answer is not what the protocol says; the text names the part.
    Protocol(&'static str),
    /// The answer or the request is larger than the buffer.
    TooLarge,
    /// An argument cannot be sent; the text names it.
    Argument(&'static str),
    /// The storage failed. Nothing was sent that it does not hold.
    Storage,
    /// The random generator failed.
    Random,
}

impl Error {
    /// Whether the same call may succeed later without anybody doing anything to the device. So it is of everything that
    /// the other end causes alone, also where it could not prove itself: whoever is on the way may do that, and goes away
    /// again, and a server is mended without its devices. They wait, and ask again.
    #[must_use]
    pub const fn retryable(self) -> bool {
        match self {
            Self::Network | Self::Timeout | Self::Busy { .. } | Self::Status(_) | Self::Random => true,
            Self::Untrusted | Self::WrongServer | Self::BadSignature | Self::Protocol(_) => true,
            Self::Unclaimed | Self::AlreadyClaimed | Self::ClaimRefused | Self::Refused => false,
            Self::Insecure | Self::TooLarge | Self::Argument(_) | Self::Storage => false,
        }
    }

    /// What the server said about when to come back, in seconds.
    #[must_use]
    pub const fn retry_after(self) -> Option<u32> {
        match self {
            Self::Busy { retry_after } => retry_after,
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unclaimed => "the device is not claimed: claim it with a code",
            Self::AlreadyClaimed => "the device is claimed already: reset it first",
            Self::ClaimRefused => "the claim code does not count: ask for a new one",
            Self::Refused => "the server refuses this device: it was revoked, or its owner or tenant is not active",
            Self::WrongServer => "the server's key is not the one this device is bound to",
            Self::BadSignature => "the server's signature does not count",
            Self::Untrusted => "the server could not prove its name: check its certificate and the pinned authority",
            Self::Insecure => "the connector does not open this kind of address",
            Self::Network => "the server cannot be reached: try again later",
            Self::Timeout => "the server did not answer in time: try again later",
            Self::Busy { .. } => "the server is busy: try again later",
            Self::Status(status) => return write!(f, "the server answered with status {status}"),
            Self::Protocol(part) => return write!(f, "the answer is not what it should be: {part}"),
            Self::TooLarge => "the message is larger than the buffer",
            Self::Argument(name) => return write!(f, "this cannot be sent: {name}"),
            Self::Storage => "the storage failed",
            Self::Random => "the random generator failed",
        })
    }
}

impl core::error::Error for Error {}

impl From<ConnectError> for Error {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Unreachable => Self::Network,
            ConnectError::Untrusted => Self::Untrusted,
            ConnectError::Insecure => Self::Insecure,
        }
    }
}

impl From<StorageError> for Error {
    fn from(_: StorageError) -> Self {
        Self::Storage
    }
}

impl From<RandomError> for Error {
    fn from(_: RandomError) -> Self {
        Self::Random
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_somebody_else_does_ends_a_device() {
        for error in [
            Error::Untrusted,
            Error::WrongServer,
            Error::BadSignature,
            Error::Protocol("the challenge"),
            Error::Network,
            Error::Timeout,
            Error::Busy { retry_after: None },
            Error::Status(404),
            Error::Status(500),
        ] {
            assert!(error.retryable(), "{error}");
        }
        for error in [Error::ClaimRefused, Error::Refused, Error::Insecure, Error::TooLarge, Error::Storage] {
            assert!(!error.retryable(), "{error}");
        }
    }
}
