use authkit_wire::{AuditId, AuditOutcome, TenantId};
use jiff::Timestamp;
use serde_json::{Map, Value};

/// A record of the audit log. Nothing in it changes after its unit is committed.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditRecord {
    /// Its id.
    pub id: AuditId,
    /// Its tenant.
    pub tenant: TenantId,
    /// When it happened.
    pub at: Timestamp,
    /// What happened, for example `session.created`.
    pub action: String,
    /// Whether it succeeded.
    pub outcome: AuditOutcome,
    /// Who did it: an id (`usr_…`), `operator`, `system`, or a pseudonym (`anon_…`) for an address without account.
    pub actor: Option<String>,
    /// To whom or what.
    pub subject: Option<String>,
    /// Address and `User-Agent`, sealed under the key of the person whose they are; gone when that key is.
    pub personal: Option<Vec<u8>>,
    /// Finds the request in the logs.
    pub trace_id: Option<String>,
    /// More, without personal data.
    pub data: Map<String, Value>,
    /// The key version of `mac`.
    pub key_version: u32,
    /// HMAC over everything above but the key version, whose key makes it.
    pub mac: [u8; 32],
}

/// A record's place in the chain: `link = SHA-256(previous link ‖ mac)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLink {
    /// Its place, from 1 without gaps.
    pub sequence: i64,
    /// The record.
    pub record: AuditId,
    /// The chain up to here.
    pub link: [u8; 32],
}

/// A signed head of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditHead {
    /// The last place it covers.
    pub sequence: i64,
    /// The chain up to there.
    pub link: [u8; 32],
    /// When it was signed.
    pub at: Timestamp,
    /// The key version of `signature`.
    pub key_version: u32,
    /// HMAC over everything above, under a key that the database does not hold.
    pub signature: [u8; 32],
}
