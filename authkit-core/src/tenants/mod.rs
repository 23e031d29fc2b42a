//! Tenants, and the records that belong to the installation rather than to a domain: repeatable requests and leases.

mod idempotency;
mod model;
mod store;
mod table;

#[cfg(test)]
mod tests;

pub use idempotency::{Begin, Guard, Idempotency};
pub use model::{DEFAULT_TENANT, Tenant, TenantSettings};
pub use store::{IdempotencyChange, IdempotencyRecord, IdempotencyStore, LeaseChange, TenantChange, TenantStore};
pub(crate) use table::TenantTable;

use crate::{
    Context, Error, Origin, Result, SessionPolicy,
    accounts::{is_redirect_entry, push_hook},
    audit,
    ports::{Operation, OperationKind, Scope, Unit},
    rbac::Roles,
    sessions::FeedEvent,
};
use authkit_wire::*;
use jiff::SignedDuration;
use std::sync::Arc;

/// Longest name for people.
const MAX_NAME: usize = 100;

/// Longest host name (RFC 1035, section 2.3.4).
const MAX_HOST: usize = 253;

/// Hosts of one tenant.
const MAX_HOSTS: usize = 100;

/// Where a request names a tenant, a caller's own must be that one.
///
/// # Errors
/// `tenant.mismatch`.
pub fn require_named(named: Option<TenantId>, own: TenantId) -> Result<()> {
    if named.is_none_or(|named| named == own) {
        return Ok(());
    }
    let detail = "The access token belongs to another tenant than the host or header names.";
    Err(Error::new(ErrorCode::TenantMismatch, detail))
}

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

    /// The tenant of a request before sign-in: the verified host's, else the header's, else the default. An unknown or
    /// inactive one is a tenant without anybody in it, so that nobody learns which names exist.
    ///
    /// # Errors
    /// `tenant.mismatch` when host and header name different tenants.
    pub fn resolve(&self, host: Option<&str>, header: Option<&str>) -> Result<TenantId> {
        let tenants = self.cx.authority.tenants();
        let by_host = host.and_then(normalise_host).and_then(|host| tenants.by_host(&host).cloned());
        let named = header.map(|name| {
            let name = name.trim().to_ascii_lowercase();
            (tenants.by_name(&name).cloned(), name)
        });
        let (tenant, name) = match (by_host, named) {
            (Some(host), None) => (Some(host.clone()), host.slug.clone()),
            (Some(host), Some((named, name))) => {
                if named.is_none_or(|named| named.id != host.id) {
                    return Err(ErrorCode::TenantMismatch.into());
                }
                (Some(host), name)
            }
            (None, Some((named, name))) => (named, name),
            // It always exists, also before this node has read it.
            (None, None) => match tenants.get(DEFAULT_TENANT) {
                None => return Ok(DEFAULT_TENANT),
                Some(default) => (Some(default.clone()), default.slug.clone()),
            },
        };
        Ok(tenant.filter(|tenant| tenant.active).map_or_else(|| self.empty(&name), |tenant| tenant.id))
    }

    /// Whether `host` is one of a tenant's own.
    #[must_use]
    pub fn names_host(&self, host: &str) -> bool {
        normalise_host(host).is_some_and(|host| self.cx.authority.tenants().by_host(&host).is_some())
    }

    /// The tenant of that short name or id.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn find(&self, name: &str) -> Result<Option<Tenant>> {
        let tenants = self.cx.store.list_tenants().await?;
        let id = name.parse().ok();
        Ok(tenants.into_iter().find(|tenant| tenant.slug == name || Some(tenant.id) == id))
    }

    /// All tenants, the oldest first.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list(&self) -> Result<Vec<Tenant>> {
        Ok(self.cx.store.list_tenants().await?)
    }

    /// Makes a tenant with its system role.
    ///
    /// # Errors
    /// Field errors; `tenant.name_taken` when the short name or a host is.
    pub async fn create(&self, slug: &str, name: &str, hosts: &[String], settings: TenantSettings) -> Result<Tenant> {
        let id = TenantId::new(self.cx.uuid());
        self.insert(id, slug, name, hosts, settings).await
    }

    /// Replaces short name, name, hosts, state and settings of the tenant whose version is that of `tenant`.
    ///
    /// # Errors
    /// Field errors; `tenant.not_found`, `tenant.name_taken`; `request.precondition_failed` when it changed meanwhile.
    pub async fn update(&self, mut tenant: Tenant) -> Result<Tenant> {
        let cx = &*self.cx;
        tenant.hosts = validate(&tenant.slug, &tenant.name, &tenant.hosts, &tenant.settings)?;
        if tenant.id == DEFAULT_TENANT && !tenant.active {
            return Err(Error::field("active", "default_tenant", "The default tenant is always active."));
        }
        if !cx.store.list_tenants().await?.iter().any(|known| known.id == tenant.id) {
            return Err(ErrorCode::TenantNotFound.into());
        }
        let operation = Operation::new(OperationKind::ChangeTenants, tenant.id).action("tenant.updated");
        cx.before(&operation, None).await?;
        tenant.version += 1;
        let origin = Origin::local(tenant.id);
        let mut unit = Unit::new()
            .with(TenantChange::Update(tenant.clone()))
            .with(FeedEvent::TenantsChanged)
            .with(audit::entry(cx, &origin, "tenant.updated").operator().subject(tenant.id).build());
        push_hook(cx, &mut unit, &operation);
        self.commit(unit).await?;
        Ok(tenant)
    }

    /// Makes the default tenant and every tenant's system roles, where they are missing. Run it at start.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn ensure_default(&self) -> Result<()> {
        let mut tenants = self.list().await?;
        if !tenants.iter().any(|tenant| tenant.id == DEFAULT_TENANT) {
            let made = self.insert(DEFAULT_TENANT, "default", "Default", &[], TenantSettings::default()).await;
            match made {
                // Another node was faster.
                Err(error) if error.code == ErrorCode::TenantNameTaken => {}
                other => drop(other?),
            }
            tenants = self.list().await?;
        }
        let roles = Roles::new(self.cx.clone());
        for tenant in tenants {
            roles.ensure_system_roles(tenant.id).await?;
        }
        Ok(())
    }

    async fn insert(
        &self,
        id: TenantId,
        slug: &str,
        name: &str,
        hosts: &[String],
        settings: TenantSettings,
    ) -> Result<Tenant> {
        let cx = &*self.cx;
        let hosts = validate(slug, name, hosts, &settings)?;
        let tenant = Tenant {
            id,
            slug: slug.into(),
            name: name.into(),
            hosts,
            active: true,
            settings,
            version: 1,
            created_at: cx.now(),
        };
        let origin = Origin::local(id);
        let operation = Operation::new(OperationKind::ChangeTenants, id).action("tenant.created");
        // What an installation cannot be without is not asked about.
        if id != DEFAULT_TENANT {
            cx.before(&operation, None).await?;
        }
        let mut unit = Unit::new()
            .with(TenantChange::Create(tenant.clone()))
            .with(FeedEvent::TenantsChanged)
            .with(audit::entry(cx, &origin, "tenant.created").operator().subject(id).build());
        push_hook(cx, &mut unit, &operation);
        self.commit(unit).await?;
        Roles::new(self.cx.clone()).ensure_system_roles(id).await?;
        Ok(tenant)
    }

    async fn commit(&self, unit: Unit) -> Result<()> {
        use crate::ports::Conflict;
        match self.cx.commit(Scope::System, unit).await {
            Ok(_) => Ok(()),
            Err(error) => Err(match error.conflict() {
                Some((_, Conflict::Taken)) => ErrorCode::TenantNameTaken.into(),
                Some((_, Conflict::Changed)) => ErrorCode::PreconditionFailed.into(),
                None => error.into(),
            }),
        }
    }

    /// The id of a tenant that does not exist: nobody can guess or make one of its rows.
    fn empty(&self, name: &str) -> TenantId {
        let hash = self.cx.keyring.index("no-tenant", &[name.as_bytes()]);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[1..17]);
        // Version 8 (RFC 9562, section 5.8): no real tenant has one.
        TenantId::new(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }
}

/// Refuses what a tenant cannot have; its hosts as they are compared.
fn validate(slug: &str, name: &str, hosts: &[String], settings: &TenantSettings) -> Result<Vec<String>> {
    let mut refused = Vec::new();
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !(1..=63).contains(&slug.len()) || !slug.bytes().all(allowed) || slug.starts_with('-') || slug.ends_with('-') {
        let detail = "Use 1 to 63 of a-z, 0-9 and -, with no - at either end.";
        refused.push(FieldError::new("slug", "invalid", detail));
    }
    let length = name.chars().count();
    if !(1..=MAX_NAME).contains(&length) || name.chars().any(char::is_control) || name.trim() != name {
        refused.push(FieldError::new("name", "invalid", "Use 1 to 100 printable characters."));
    }
    if hosts.len() > MAX_HOSTS {
        refused.push(FieldError::new("hosts", "too_many", "A tenant has at most 100 hosts."));
    }
    let mut normal: Vec<String> = Vec::new();
    for (place, host) in hosts.iter().take(MAX_HOSTS).enumerate() {
        match normalise_host(host).filter(|_| !host.contains([':', '/', '@'])) {
            Some(host) if !normal.contains(&host) => normal.push(host),
            Some(_) => {}
            None => {
                let detail = "Use a host name such as login.example.com, without scheme and port.";
                refused.push(FieldError::new(format!("hosts[{place}]"), "invalid", detail));
            }
        }
    }
    for (place, url) in settings.redirect_urls.iter().enumerate().filter(|(_, url)| !is_redirect_entry(url)) {
        let detail =
            format!("`{}` is no address to send people to: use https, a host and a plain path.", url.escape_debug());
        refused.push(FieldError::new(format!("settings.redirect_urls[{place}]"), "invalid", detail));
    }
    let limits =
        [("settings.max_sessions", settings.max_sessions), ("settings.absolute_minutes", settings.absolute_minutes)];
    for (field, _) in limits.into_iter().filter(|(_, limit)| *limit == Some(0)) {
        refused.push(FieldError::new(field, "out_of_range", "Use 1 or more, or leave it out."));
    }
    let idle = settings.idle_minutes.map(|minutes| SignedDuration::from_mins(minutes.into()));
    if idle.is_some_and(|idle| idle < SessionPolicy::SHORTEST_IDLE) {
        refused.push(FieldError::new("settings.idle_minutes", "out_of_range", "Use 3 or more, or leave it out."));
    }
    if refused.is_empty() { Ok(normal) } else { Err(Error::fields(refused)) }
}

/// A host as it is compared: ASCII (UTS 46), lower case, without port and final dot. `None` for what is no host name.
fn normalise_host(host: &str) -> Option<String> {
    let host = host.trim();
    if host.starts_with('[') || host.len() > MAX_HOST + 6 {
        return None;
    }
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        Some(_) => return None,
        None => host,
    };
    let host =
        idna::domain_to_ascii_cow(host.strip_suffix('.').unwrap_or(host).as_bytes(), idna::AsciiDenyList::URL).ok()?;
    (!host.is_empty() && host.len() <= MAX_HOST).then(|| host.into_owned())
}
