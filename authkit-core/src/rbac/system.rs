use super::{Role, RoleChange, Roles};
use crate::{Context, Error, Origin, Result, accounts::User, audit, ports::Unit, sessions::FeedEvent};
use authkit_wire::{ErrorCode, RoleId, TenantId};

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

impl Role {
    /// Whether it is the role of administrators.
    pub(super) fn is_admin(&self) -> bool {
        self.system && self.name == ADMIN
    }
}

/// The last active administrator stays one, else nobody could make another: refuses to take the role `admin` from
/// `user`, who holds it.
pub(super) async fn require_another_admin(cx: &Context, user: &User, admin: RoleId) -> Result<()> {
    if user.is_active() && cx.store.count_holders(user.tenant, admin).await? <= 1 {
        return Err(Error::new(ErrorCode::RoleLastAdmin, "Make somebody else an administrator first."));
    }
    Ok(())
}

/// Refuses to take the last active administrator away. For other administrators it returns the change that makes sure
/// of it when two of them go at once.
pub(crate) async fn keep_an_admin(cx: &Context, user: &User) -> Result<Option<RoleChange>> {
    let (roles, version) = cx.store.list_roles(user.tenant).await?;
    let Some(admin) = roles.iter().find(|role| role.is_admin()) else { return Ok(None) };
    if !user.is_active() || !cx.store.user_roles(user.tenant, user.id).await?.contains(&admin.id) {
        return Ok(None);
    }
    require_another_admin(cx, user, admin.id).await?;
    Ok(Some(RoleChange::Advance { version }))
}
