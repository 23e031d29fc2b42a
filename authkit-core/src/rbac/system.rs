use super::{Role, RoleChange, Roles};
use crate::{Origin, Result, audit, ports::Unit, sessions::FeedEvent};
use authkit_wire::{RoleId, TenantId};

/// The name of the system role that grants everything.
pub const ADMIN: &str = "admin";

impl Roles {
    /// Makes the tenant's system roles that are not there yet. Run it for each tenant when it is made, and at start.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn ensure_system_roles(&self, tenant: TenantId) -> Result<()> {
        let mut tries = self.tries();
        loop {
            tries.next().await?;
            let table = self.table(tenant).await?;
            if table.by_name(ADMIN).is_some_and(|role| role.system) {
                return Ok(());
            }
            let now = self.cx.now();
            let role = Role {
                id: RoleId::new(self.cx.uuid()),
                tenant,
                name: ADMIN.into(),
                named_at: now,
                description: "Everything in this tenant.".into(),
                parent: None,
                permissions: vec!["*".into()],
                system: true,
                version: 1,
                created_at: now,
                updated_at: now,
            };
            let origin = Origin::local(tenant);
            let record = audit::entry(&self.cx, &origin, "role.created").system().subject(role.id).data("name", ADMIN);
            let unit = Unit::new()
                .with(RoleChange::Advance { version: table.version() })
                .with(record.build())
                .with(RoleChange::Create(role))
                .with(FeedEvent::RolesChanged(tenant));
            if self.commit(tenant, unit).await?.is_ok() {
                return Ok(());
            }
        }
    }
}
