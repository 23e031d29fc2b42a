use authkit_wire::TenantId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The tenant that requests without a tenant's host or header belong to. It always exists.
pub const DEFAULT_TENANT: TenantId = TenantId::new(Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0001));

/// A tenant: the wall that no query crosses.
#[derive(Clone, Debug, PartialEq)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its short name, unique: `[a-z0-9-]{1,63}`. `X-AuthKit-Tenant` takes it or the id.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// The verified hosts that mean this tenant, lower case, without port; unique.
    pub hosts: Vec<String>,
    /// Whether anybody may use it.
    pub active: bool,
    /// Its own settings.
    pub settings: TenantSettings,
    /// Grows with each change.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A tenant's own settings; what is absent is the installation's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TenantSettings {
    /// The account exists and may be used before its address is proved. The tenant thereby accepts that registration
    /// tells whether an address is taken.
    pub allow_unverified: bool,
    /// Local parts may hold letters beyond ASCII.
    pub unicode_addresses: bool,
    /// Redirect addresses beyond the installation's.
    pub redirect_urls: Vec<String>,
    /// Sessions per user; the oldest goes.
    pub max_sessions: Option<u32>,
    /// Minutes after which an unused session ends.
    pub idle_minutes: Option<u32>,
    /// Minutes after which every session ends.
    pub absolute_minutes: Option<u32>,
}
