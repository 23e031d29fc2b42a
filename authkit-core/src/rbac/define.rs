use super::{Role, RoleChange, Roles, rules::Definition, tries::Tries};
use crate::{
    Error, Origin, Principal, Result,
    accounts::push_hook,
    audit::{AuditChange, Entry},
    ports::{Operation, OperationKind, Unit},
    sessions::FeedEvent,
};
use authkit_wire::{CreateRoleRequest, ErrorCode, Patch, RoleId, RoleView, UpdateRoleRequest};

impl Roles {
    /// Makes a role. `principal` is `None` for an operator, who may grant everything.
    ///
    /// # Errors
    /// `auth.forbidden` without `roles:write`; `request.validation_failed`, `role.unknown_permission`,
    /// `role.name_taken`, `role.exceeds_caller`.
    pub async fn create(
        &self,
        origin: &Origin,
        principal: Option<&Principal>,
        request: CreateRoleRequest,
    ) -> Result<RoleView> {
        let mut tries = self.tries();
        loop {
            tries.next().await?;
            if let Some(view) = self.try_create(&mut tries, origin, principal, &request).await? {
                return Ok(view);
            }
        }
    }

    async fn try_create(
        &self,
        tries: &mut Tries<'_>,
        origin: &Origin,
        principal: Option<&Principal>,
        request: &CreateRoleRequest,
    ) -> Result<Option<RoleView>> {
        let basis = self.basis(origin, principal, "roles:write").await?;
        let CreateRoleRequest { name, description, parent_id, permissions } = request.clone();
        let Definition { name, description, permissions } =
            self.definition(Some(name), Some(description), Some(permissions))?;
        let now = self.cx.now();
        let role = Role {
            id: RoleId::new(self.cx.uuid()),
            tenant: basis.tenant,
            name: name.unwrap_or_default(),
            named_at: now,
            description: description.unwrap_or_default(),
            parent: parent_id,
            permissions: permissions.unwrap_or_default(),
            system: false,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        basis.require_free(&role.name, None)?;
        if let Some(parent) = role.parent {
            basis.require_held(basis.grants(basis.parent(parent, None)?))?;
        }
        basis.require_held(role.permissions.iter())?;
        let operation = Operation::new(OperationKind::ChangeRoles, basis.tenant).by(principal).role(role.id);
        let operation = operation.action("role.created");
        tries.ask(&operation).await?;
        let mut unit = Unit::new()
            .with(RoleChange::Advance { version: basis.table.version() })
            .with(RoleChange::Create(role.clone()))
            .with(FeedEvent::RolesChanged(basis.tenant))
            .with(described(basis.entry(self, origin, "role.created"), &role));
        push_hook(&self.cx, &mut unit, &operation);
        Ok(self.commit(basis.tenant, unit).await?.ok().map(|()| role.view()))
    }

    /// Changes a role.
    ///
    /// # Errors
    /// Those of [`create`](Self::create); `role.not_found`, `request.precondition_failed`, `role.system`, `role.cycle`.
    pub async fn update(
        &self,
        origin: &Origin,
        principal: Option<&Principal>,
        id: RoleId,
        request: UpdateRoleRequest,
        if_match: Option<i64>,
    ) -> Result<RoleView> {
        let mut tries = self.tries();
        loop {
            tries.next().await?;
            if let Some(view) = self.try_update(&mut tries, origin, principal, id, &request, if_match).await? {
                return Ok(view);
            }
        }
    }

    async fn try_update(
        &self,
        tries: &mut Tries<'_>,
        origin: &Origin,
        principal: Option<&Principal>,
        id: RoleId,
        request: &UpdateRoleRequest,
        if_match: Option<i64>,
    ) -> Result<Option<RoleView>> {
        let basis = self.basis(origin, principal, "roles:write").await?;
        let before = basis.role(id)?;
        let UpdateRoleRequest { name, description, parent_id, permissions } = request.clone();
        let definition = self.definition(name, description, permissions)?;
        if if_match.is_some_and(|version| version != before.version) {
            return Err(ErrorCode::PreconditionFailed.into());
        }
        if before.system {
            return Err(ErrorCode::RoleIsSystem.into());
        }
        let now = self.cx.now();
        let mut role = before.clone();
        if let Some(name) = definition.name.filter(|name| *name != before.name) {
            basis.require_free(&name, Some(id))?;
            (role.name, role.named_at) = (name, now);
        }
        if let Patch::Set(parent) = parent_id {
            basis.parent(parent, Some(id))?;
        }
        role.parent = parent_id.apply(role.parent);
        role.description = definition.description.unwrap_or(role.description);
        role.permissions = definition.permissions.unwrap_or(role.permissions);
        basis.require_held(basis.grants(before))?;
        basis.require_held(basis.grants(&role))?;
        if role == *before {
            return Ok(Some(before.view()));
        }
        let operation = Operation::new(OperationKind::ChangeRoles, basis.tenant).by(principal).role(id);
        let operation = operation.action("role.updated");
        tries.ask(&operation).await?;
        (role.version, role.updated_at) = (before.version + 1, now);
        let mut unit = Unit::new()
            .with(RoleChange::Advance { version: basis.table.version() })
            .with(RoleChange::Update(role.clone()))
            .with(FeedEvent::RolesChanged(basis.tenant))
            .with(described(basis.entry(self, origin, "role.updated"), &role));
        push_hook(&self.cx, &mut unit, &operation);
        Ok(self.commit(basis.tenant, unit).await?.ok().map(|()| role.view()))
    }

    /// Deletes a role that nobody holds and nothing inherits from.
    ///
    /// # Errors
    /// `auth.forbidden` without `roles:write`; `role.not_found`, `role.system`, `role.has_children`, `role.assigned`,
    /// `role.exceeds_caller`, `request.precondition_failed`.
    pub async fn delete(
        &self,
        origin: &Origin,
        principal: Option<&Principal>,
        id: RoleId,
        if_match: Option<i64>,
    ) -> Result<()> {
        let mut tries = self.tries();
        loop {
            tries.next().await?;
            if self.try_delete(&mut tries, origin, principal, id, if_match).await? {
                return Ok(());
            }
        }
    }

    async fn try_delete(
        &self,
        tries: &mut Tries<'_>,
        origin: &Origin,
        principal: Option<&Principal>,
        id: RoleId,
        if_match: Option<i64>,
    ) -> Result<bool> {
        let basis = self.basis(origin, principal, "roles:write").await?;
        let role = basis.role(id)?;
        if if_match.is_some_and(|version| version != role.version) {
            return Err(ErrorCode::PreconditionFailed.into());
        }
        if role.system {
            return Err(ErrorCode::RoleIsSystem.into());
        }
        basis.require_held(basis.grants(role))?;
        if basis.table.roles().iter().any(|child| child.parent == Some(id)) {
            return Err(ErrorCode::RoleHasChildren.into());
        }
        let operation = Operation::new(OperationKind::ChangeRoles, basis.tenant).by(principal).role(id);
        let operation = operation.action("role.deleted");
        tries.ask(&operation).await?;
        let mut unit = Unit::new().with(RoleChange::Advance { version: basis.table.version() });
        let delete = unit.push(RoleChange::Delete { id });
        unit.push(FeedEvent::RolesChanged(basis.tenant));
        unit.push(described(basis.entry(self, origin, "role.deleted"), role));
        push_hook(&self.cx, &mut unit, &operation);
        match self.commit(basis.tenant, unit).await? {
            Ok(()) => Ok(true),
            // The version held, so that the role is there and childless: somebody holds it, active or not.
            Err(place) if place == delete => Err(Error::from(ErrorCode::RoleAssigned)),
            Err(_) => Ok(false),
        }
    }
}

fn described(entry: Entry<'_>, role: &Role) -> AuditChange {
    let entry = entry.subject(role.id).data("name", role.name.as_str()).data("permissions", role.permissions.clone());
    match role.parent {
        Some(parent) => entry.data("parent_id", parent.to_string()).build(),
        None => entry.build(),
    }
}
