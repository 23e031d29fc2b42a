//! Roles and who holds them.

use crate::{
    SqlStore,
    db::{Expect, Row, Statement, in_list, to_json, values},
    plan::{Planned, Walls},
};
use async_trait::async_trait;
use authkit_core::{
    ports::StoreError,
    rbac::{Role, RoleChange, RoleStore},
    wire::{RoleId, TenantId, UserId},
};

pub(crate) fn plan(change: RoleChange, walls: Walls) -> Planned {
    Ok(vec![match change {
        // A tenant that has no row yet is at version 0.
        RoleChange::Advance { version } => Statement::new(
            Expect::ONE,
            "INSERT INTO role_versions AS v (tenant_id, version) SELECT $1, $2 + 1 \
             WHERE $2 = 0 OR EXISTS (SELECT 1 FROM role_versions WHERE tenant_id = $1) \
             ON CONFLICT (tenant_id) DO UPDATE SET version = excluded.version WHERE v.version = $2",
            values![walls.tenant()?, version],
        ),
        RoleChange::Create(role) => Statement::new(
            Expect::FREE,
            "INSERT INTO roles (tenant_id, id, name, named_at, description, parent_id, permissions, system, version, \
             created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            values![
                walls.owns(role.tenant)?,
                role.id,
                role.name,
                role.named_at,
                role.description,
                role.parent,
                to_json(&role.permissions)?,
                role.system,
                role.version,
                role.created_at,
                role.updated_at
            ],
        ),
        RoleChange::Update(role) => Statement::new(
            Expect::ONE,
            "UPDATE roles SET name = $4, named_at = $5, description = $6, parent_id = $7, permissions = $8, \
             updated_at = $9, version = $3 WHERE tenant_id = $1 AND id = $2 AND version = $3 - 1",
            values![
                walls.owns(role.tenant)?,
                role.id,
                role.version,
                role.name,
                role.named_at,
                role.description,
                role.parent,
                to_json(&role.permissions)?,
                role.updated_at
            ],
        ),
        RoleChange::Delete { id } => Statement::new(
            Expect::ONE,
            "DELETE FROM roles WHERE tenant_id = $1 AND id = $2 AND system = FALSE \
             AND NOT EXISTS (SELECT 1 FROM role_assignments a WHERE a.tenant_id = $1 AND a.role_id = $2) \
             AND NOT EXISTS (SELECT 1 FROM roles c WHERE c.tenant_id = $1 AND c.parent_id = $2)",
            values![walls.tenant()?, id],
        ),
        RoleChange::Assign { user, role, by, at } => Statement::new(
            Expect::Any,
            "INSERT INTO role_assignments (tenant_id, user_id, role_id, assigned_by, assigned_at) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, user_id, role_id) DO NOTHING",
            values![walls.tenant()?, user, role, by, at],
        ),
        RoleChange::Unassign { user, role } => Statement::new(
            Expect::Any,
            "DELETE FROM role_assignments WHERE tenant_id = $1 AND user_id = $2 AND role_id = $3",
            values![walls.tenant()?, user, role],
        ),
        _ => return Err(StoreError::Unsupported),
    }])
}

fn role(row: &Row) -> Result<Role, StoreError> {
    Ok(Role {
        id: row.id("id", RoleId::new)?,
        tenant: row.id("tenant_id", TenantId::new)?,
        name: row.get("name")?,
        named_at: row.time("named_at")?,
        description: row.get("description")?,
        parent: row.optional_id("parent_id", RoleId::new)?,
        permissions: row.json("permissions")?,
        system: row.get("system")?,
        version: row.get("version")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

#[async_trait]
impl RoleStore for SqlStore {
    async fn list_roles(&self, tenant: TenantId) -> Result<(Vec<Role>, i64), StoreError> {
        // One statement, so that roles and version are of one moment; a tenant without roles gives one row without role.
        let sql = "SELECT COALESCE(v.version, 0) AS together, r.tenant_id, r.id, r.name, r.named_at, r.description, \
                   r.parent_id, r.permissions, r.system, r.version, r.created_at, r.updated_at \
                   FROM (SELECT 1 AS one) AS o LEFT JOIN role_versions v ON v.tenant_id = $1 \
                   LEFT JOIN roles r ON r.tenant_id = $1 ORDER BY r.created_at, r.id";
        let rows = self.db.fetch(sql, values![tenant]).await?;
        let version = rows.first().map_or(Ok(0), |row| row.get("together"))?;
        let mut roles = Vec::with_capacity(rows.len());
        for row in &rows {
            if row.get::<Option<uuid::Uuid>>("id")?.is_some() {
                roles.push(role(row)?);
            }
        }
        Ok((roles, version))
    }

    async fn user_roles(&self, tenant: TenantId, user: UserId) -> Result<Vec<RoleId>, StoreError> {
        let sql = "SELECT role_id FROM role_assignments WHERE tenant_id = $1 AND user_id = $2 ORDER BY role_id";
        self.db.fetch(sql, values![tenant, user]).await?.iter().map(|row| row.id("role_id", RoleId::new)).collect()
    }

    async fn roles_of_users(&self, tenant: TenantId, users: &[UserId]) -> Result<Vec<(UserId, RoleId)>, StoreError> {
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let mut bound = values![tenant];
        let sql = format!(
            "SELECT user_id, role_id FROM role_assignments WHERE tenant_id = $1 AND user_id IN ({})",
            in_list(&mut bound, users)
        );
        let rows = self.db.fetch(sql, bound).await?;
        rows.iter().map(|row| Ok((row.id("user_id", UserId::new)?, row.id("role_id", RoleId::new)?))).collect()
    }

    async fn count_holders(&self, tenant: TenantId, role: RoleId) -> Result<i64, StoreError> {
        let sql = "SELECT count(*) FROM role_assignments a JOIN users u ON u.tenant_id = a.tenant_id AND u.id = a.user_id \
                   WHERE a.tenant_id = $1 AND a.role_id = $2 AND u.status = 'active'";
        self.db.fetch_one(sql, values![tenant, role]).await?.map_or(Ok(0), |row| row.number())
    }
}
