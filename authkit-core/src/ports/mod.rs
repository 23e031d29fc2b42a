//! What the domain needs from outside.

mod breached;
mod hooks;
mod observer;
mod store;

pub use breached::{BreachRanges, BreachedPasswords, KAnonymous};
pub use hooks::{Hooks, NewAccount, NoHooks, Operation, OperationDetails, OperationKind, Refusal, TokenSubject};
pub use observer::{NoObserver, Observer};
pub use store::{Applied, Change, Conflict, Position, Scope, Store, StoreError, Unit, find_signed_in_by_steps};

use async_trait::async_trait;
use authkit_wire::Secret;
use jiff::Timestamp;
use std::{fmt::Debug, net::IpAddr};

/// The time.
pub trait Clock: Debug + Send + Sync {
    /// Now, in whole microseconds.
    fn now(&self) -> Timestamp;
}

/// Cryptographic randomness.
pub trait Random: Debug + Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// Argon2id with admission control.
///
/// # Behavior
/// - Work runs on a bounded pool and never on the caller's thread (but for single-threaded targets).
/// - Beyond the pool's queue both calls fail at once with [`HashError::Overloaded`].
#[async_trait]
pub trait PasswordHasher: Debug + Send + Sync {
    /// Hashes `password` with the parameters in force; a PHC string.
    async fn hash(&self, password: &Secret) -> Result<String, HashError>;

    /// Whether `password` is that of `hash`. `None` does the same work against nothing and answers a mismatch,
    /// so that an unknown account costs what a known one does.
    async fn verify(&self, password: &Secret, hash: Option<&str>) -> Result<Verified, HashError>;
}

/// The outcome of a password check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    /// It is another password.
    No,
    /// It is the one, hashed with the parameters in force.
    Yes,
    /// It is the one, hashed with other parameters: hash it again.
    Outdated,
}

/// A hash could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// The pool's queue is full.
    #[error("the hash pool is full")]
    Overloaded,
    /// The stored hash cannot be read.
    #[error("the stored hash is not a PHC string of Argon2id")]
    Unreadable,
}

impl From<HashError> for crate::Error {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Overloaded => {
                Self::new(authkit_wire::ErrorCode::Overloaded, "Too many sign-ins at this moment; try again shortly.")
                    .retry_after(std::time::Duration::from_secs(1))
            }
            HashError::Unreadable => Self::internal(error),
        }
    }
}

/// Where an address is on the map.
pub trait Places: Debug + Send + Sync {
    /// City and country, as far as known.
    fn place(&self, ip: IpAddr) -> Option<String>;
}

/// Knows no place.
#[derive(Debug, Default)]
pub struct NoPlaces;

impl Places for NoPlaces {
    fn place(&self, _: IpAddr) -> Option<String> {
        None
    }
}

/// A rendered mail.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// The outbox record it comes from; adapters use it as a stable `Message-ID`, since delivery is at least once.
    pub id: authkit_wire::NoticeId,
    /// Whose user or applicant it is for.
    pub tenant: authkit_wire::TenantId,
    /// The notice's kind, for example `verify_email`.
    pub kind: String,
    /// The recipient's stored address.
    pub to: String,
    /// The subject line.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The HTML.
    pub html: String,
    /// The links in it.
    pub links: Vec<String>,
}

impl Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Delivers mail.
#[async_trait]
pub trait Mailer: Debug + Send + Sync {
    /// Hands `mail` to the next hop, which then is responsible for it.
    ///
    /// # Errors
    /// Whether another try can help.
    async fn send(&self, mail: &Mail) -> Result<(), MailError>;
}

/// Why a mail was not delivered. The texts go into the log, so they hold no address and no content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// Another try may help.
    #[error("not delivered for now: {0}")]
    Temporary(String),
    /// No further try will help.
    #[error("refused: {0}")]
    Permanent(String),
}
