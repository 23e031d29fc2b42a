//! Tenants, and the records that belong to the installation rather than to a domain: repeatable requests and leases.

mod idempotency;
mod model;
mod store;

pub use idempotency::{Begin, Guard, Idempotency};
pub use model::{DEFAULT_TENANT, Tenant, TenantSettings};
pub use store::{IdempotencyChange, IdempotencyRecord, IdempotencyStore, LeaseChange, TenantChange, TenantStore};

use crate::{Context, Result};
use authkit_wire::*;
use std::sync::Arc;

/// Operations on tenants.
#[derive(Clone, Debug)]
pub struct Tenants {
    cx: Arc<Context>,
}

impl Tenants {
    /// The service over `cx`.
    #[must_use]
    pub const fn new(cx: Arc<Context>) -> Self {
        Self { cx }
    }

    /// The tenant of a request before sign-in: the verified host's, else the header's, else the default. An unknown
    /// header names an empty tenant (nobody can sign in there).
    ///
    /// # Errors
    /// `tenant.mismatch` when host and header name different tenants.
    pub fn resolve(&self, host: Option<&str>, header: Option<&str>) -> Result<TenantId> {
        todo!()
    }

    /// Makes a tenant with its system role.
    pub async fn create(&self, slug: &str, name: &str, hosts: &[String], settings: TenantSettings) -> Result<Tenant> {
        todo!()
    }

    /// All tenants.
    pub async fn list(&self) -> Result<Vec<Tenant>> {
        todo!()
    }

    /// Replaces a tenant's settings, hosts and state.
    pub async fn update(&self, tenant: Tenant) -> Result<Tenant> {
        todo!()
    }

    /// Makes the default tenant and every tenant's system roles, where they are missing. Run it at start.
    pub async fn ensure_default(&self) -> Result<()> {
        todo!()
    }

    /// The tenant of that short name or id.
    pub async fn find(&self, name: &str) -> Result<Option<Tenant>> {
        let _ = name;
        todo!()
    }
}
