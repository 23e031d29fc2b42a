//! The audit log: written in the operation's unit, linked into a chain, signed, verifiable.

mod entry;
mod mac;
mod model;
mod personal;
mod store;

pub use entry::{Entry, entry};
pub use model::{AuditHead, AuditLink, AuditRecord};
pub use personal::new_subject_key;
pub use store::{AuditChange, AuditFilter, AuditStore};

use crate::{Context, Principal, Result};
use authkit_wire::*;
use std::sync::Arc;

/// Operations on the audit log.
#[derive(Clone, Debug)]
pub struct AuditLog {
    cx: Arc<Context>,
}

impl AuditLog {
    /// The service over `cx`.
    #[must_use]
    pub const fn new(cx: Arc<Context>) -> Self {
        Self { cx }
    }

    /// Records for administration.
    pub async fn list(
        &self,
        principal: &Principal,
        filter: AuditFilter,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Page<AuditView>> {
        todo!()
    }

    /// One record.
    pub async fn get(&self, principal: &Principal, id: AuditId) -> Result<AuditView> {
        todo!()
    }

    /// Links committed records into the chain and signs the head when it is due. One node at a time does it.
    pub async fn seal(&self) -> Result<()> {
        todo!()
    }
}
