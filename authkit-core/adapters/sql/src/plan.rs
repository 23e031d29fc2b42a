//! From a unit of work to statements.

use crate::db::{Placed, Statement};
use crate::{
    accounts, attempts, audit, devices, feed, idempotency, keys, leases, mfa, notices, roles, sessions, tenants,
};
use authkit_core::{
    ports::{Change, Scope, StoreError, Unit},
    wire::TenantId,
};
use jiff::Timestamp;

/// What a change becomes.
pub(crate) type Planned = Result<Vec<Statement>, StoreError>;

/// Whose rows the unit may touch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walls(pub(crate) Scope);

impl Walls {
    /// The tenant of every condition.
    pub(crate) const fn tenant(self) -> Result<TenantId, StoreError> {
        match self.0 {
            Scope::Tenant(tenant) => Ok(tenant),
            Scope::System => Err(StoreError::CrossTenant),
        }
    }

    /// The tenant of an entity that is inserted, if it may be.
    pub(crate) fn owns(self, tenant: TenantId) -> Result<TenantId, StoreError> {
        match self.0 {
            Scope::Tenant(own) if own != tenant => Err(StoreError::CrossTenant),
            _ => Ok(tenant),
        }
    }

    /// Passes for the installation's own rows.
    pub(crate) const fn system(self) -> Result<(), StoreError> {
        match self.0 {
            Scope::System => Ok(()),
            Scope::Tenant(_) => Err(StoreError::CrossTenant),
        }
    }
}

/// The statements of `unit`, each with its change's place. `now` is the time that feed rows carry.
pub(crate) fn plan(scope: Scope, unit: Unit, now: Timestamp) -> Result<Vec<Placed>, StoreError> {
    let walls = Walls(scope);
    let mut placed = Vec::with_capacity(unit.changes.len() * 2);
    for (place, change) in unit.changes.into_iter().enumerate() {
        let statements = match change {
            Change::Account(change) => accounts::plan(change, walls),
            Change::Attempt(change) => attempts::plan(change, walls),
            Change::Mfa(change) => mfa::plan(change, walls),
            Change::Session(change) => sessions::plan(change, walls, now),
            Change::Key(change) => keys::plan(change, walls),
            Change::Role(change) => roles::plan(change, walls),
            Change::Tenant(change) => tenants::plan(change, walls),
            Change::Audit(change) => audit::plan(change, walls),
            Change::Notice(change) => notices::plan(change, walls),
            Change::Feed(event) => feed::plan(event, walls, now),
            Change::Idempotency(change) => idempotency::plan(change, walls),
            Change::Lease(change) => leases::plan(change, walls),
            Change::Device(change) => devices::plan(change, walls),
            _ => Err(StoreError::Unsupported),
        }?;
        placed.extend(statements.into_iter().map(|statement| (place, statement)));
    }
    Ok(placed)
}
