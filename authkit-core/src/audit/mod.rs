//! The audit log: written in the operation's unit, linked into a chain, signed, verifiable.
//!
//! A record carries a keyed MAC ([`mac`](self::AuditRecord::mac)) from the moment it is written. One node at a time
//! links committed records, in whatever order they became visible: so writers never wait for each other, and a
//! record of a slow transaction is linked after younger ones. Each minute the chain's head is signed and
//! logged, which anchors it outside the database.

mod entry;
#[cfg(test)]
pub(crate) mod fixture;
mod mac;
mod model;
mod personal;
mod read;
mod seal;
mod store;
#[cfg(test)]
mod tests;
mod verify;

pub(crate) use entry::administrator;
pub use entry::{Entry, entry};
pub use model::{AuditHead, AuditLink, AuditRecord};
pub use personal::new_subject_key;
pub use store::{AuditChange, AuditFilter, AuditStore};
pub use verify::{VerifyProblem, VerifyReport};

use crate::Context;
use seal::Sealer;
use std::sync::Arc;

/// Operations on the audit log.
#[derive(Clone, Debug)]
pub struct AuditLog {
    cx: Arc<Context>,
    sealer: Arc<Sealer>,
}

impl AuditLog {
    /// The service over `cx`. Its clones seal as one.
    #[must_use]
    pub fn new(cx: Arc<Context>) -> Self {
        let sealer = Arc::new(Sealer::new(&cx));
        Self { cx, sealer }
    }
}
