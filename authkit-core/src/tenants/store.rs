use super::Tenant;
use crate::ports::StoreError;
use async_trait::async_trait;
use authkit_wire::TenantId;
use jiff::Timestamp;

/// A change of tenants (`Scope::System`). It touches exactly one row, else the unit conflicts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TenantChange {
    /// Inserts a tenant. `Taken` when its slug or a host is.
    Create(Tenant),
    /// Replaces slug, name, hosts, state and settings of the tenant whose version is one lower. `Taken` as above.
    Update(Tenant),
}

/// Reads of tenants.
#[async_trait]
pub trait TenantStore {
    /// All tenants, the oldest first.
    async fn list_tenants(&self) -> Result<Vec<Tenant>, StoreError>;
}

/// A change of the record of repeatable requests.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum IdempotencyChange {
    /// Inserts the record, in the place of one that expired before `created_at`. `Taken` when there is one.
    Reserve(IdempotencyRecord),
    /// Adds the sealed answer to the reserved record; one row.
    Complete {
        /// Which.
        key: [u8; 32],
        /// The answer, sealed.
        answer: Vec<u8>,
        /// Until when it is kept.
        expires_at: Timestamp,
    },
    /// Deletes the record, if it is there (the request failed and may be repeated).
    Release {
        /// Which.
        key: [u8; 32],
    },
    /// Deletes expired records in every tenant (`Scope::System`), at most 1,000.
    DeleteExpired {
        /// The time.
        before: Timestamp,
    },
}

/// A request that may be repeated, and its answer.
#[derive(Clone, Debug)]
pub struct IdempotencyRecord {
    /// The tenant.
    pub tenant: TenantId,
    /// Keyed hash of principal, tenant, route and the client's key.
    pub key: [u8; 32],
    /// Keyed hash of the body.
    pub body: [u8; 32],
    /// The answer, sealed; `None` while the first request runs.
    pub answer: Option<Vec<u8>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it is kept.
    pub expires_at: Timestamp,
}

/// Reads of the record of repeatable requests.
#[async_trait]
pub trait IdempotencyStore {
    /// The record.
    async fn find_idempotency(&self, tenant: TenantId, key: &[u8; 32])
    -> Result<Option<IdempotencyRecord>, StoreError>;
}

/// A change of leases (`Scope::System`): one node at a time does a job.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum LeaseChange {
    /// Takes or prolongs the lease. `Changed` while another owner holds it.
    Acquire {
        /// The job.
        name: &'static str,
        /// This node.
        owner: uuid::Uuid,
        /// The time.
        now: Timestamp,
        /// Until when.
        until: Timestamp,
    },
    /// Gives the lease back, if it is this owner's.
    Release {
        /// The job.
        name: &'static str,
        /// This node.
        owner: uuid::Uuid,
    },
}
