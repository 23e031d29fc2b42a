//! The tenant that somebody who has not signed in asks for.

use super::settings_of;
use crate::{
    Context, Origin,
    ports::Operation,
    tenants::{DEFAULT_TENANT, TenantSettings},
};
use authkit_wire::TenantId;

/// The tenant that a request is for, and where its rows are.
///
/// A tenant that there is not, or that nobody may use, is one without anybody in it: what is asked of it costs the same
/// reads, writes and hashes, so that nobody learns which names exist. Its rows belong to the default tenant, where they
/// run out like others and where administrators see who tries names. Addresses keep the key of the tenant that was
/// asked for, under which the default tenant has nobody.
pub(crate) struct AskedTenant {
    /// Whether there is such a tenant.
    pub(crate) known: bool,
    /// Whose the rows are.
    pub(crate) home: TenantId,
    /// The request's origin, at home.
    pub(crate) origin: Origin,
    /// What the tenant allows.
    pub(crate) settings: TenantSettings,
}

impl AskedTenant {
    /// Where a request from `origin` is dealt with.
    pub(crate) fn of(cx: &Context, origin: &Origin) -> Self {
        let settings = settings_of(cx, origin.tenant);
        let known = settings.is_some();
        let home = if known { origin.tenant } else { DEFAULT_TENANT };
        Self { known, home, origin: Origin { tenant: home, ..origin.clone() }, settings: settings.unwrap_or_default() }
    }

    /// The operation as the application hears of it.
    pub(crate) fn at_home(&self, operation: Operation) -> Operation {
        Operation { tenant: self.home, ..operation }
    }
}
