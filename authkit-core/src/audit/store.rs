use super::{AuditHead, AuditLink, AuditRecord};
use crate::ports::{Position, StoreError};
use async_trait::async_trait;
use authkit_wire::{AuditId, AuditOutcome, TenantId};
use jiff::Timestamp;

/// A change of the audit log.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AuditChange {
    /// Inserts a record.
    Write(Box<AuditRecord>),
    /// Links records (`Scope::System`). `Taken` when a place or a record is linked already.
    Link(Vec<AuditLink>),
    /// Inserts a signed head (`Scope::System`).
    Sign(AuditHead),
}

/// Which records a list holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Exactly this action, or with a trailing `.` every action that starts so.
    pub action: Option<String>,
    /// Done by.
    pub actor: Option<String>,
    /// Done to.
    pub subject: Option<String>,
    /// With this outcome.
    pub outcome: Option<AuditOutcome>,
    /// At or after.
    pub from: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
}

/// Reads of the audit log.
#[async_trait]
pub trait AuditStore {
    /// Records with their places in the chain, newest first (by id), at most `limit`, after the position.
    async fn list_audit(
        &self,
        tenant: TenantId,
        filter: &AuditFilter,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Vec<(AuditRecord, Option<i64>)>, StoreError>;

    /// The record.
    async fn find_audit(&self, tenant: TenantId, id: AuditId)
    -> Result<Option<(AuditRecord, Option<i64>)>, StoreError>;

    /// Records of every tenant that are not linked yet, oldest first (by id), after the given one, at most `limit`.
    async fn list_unlinked_audit(&self, after: Option<AuditId>, limit: u32) -> Result<Vec<AuditRecord>, StoreError>;

    /// Links after `sequence` with their records (`None` when a record is missing), in order, at most `limit`.
    async fn list_audit_chain(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<(AuditLink, Option<AuditRecord>)>, StoreError>;

    /// The last link.
    async fn last_audit_link(&self) -> Result<Option<AuditLink>, StoreError>;

    /// Signed heads after `sequence`, in order, at most `limit`.
    async fn list_audit_heads(&self, after: i64, limit: u32) -> Result<Vec<AuditHead>, StoreError>;
}
