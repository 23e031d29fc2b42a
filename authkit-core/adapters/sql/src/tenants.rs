//! Tenants.

use crate::{
    SqlStore,
    db::{Expect, Row, Statement, to_json, values},
    plan::{Planned, Walls},
};
use async_trait::async_trait;
use authkit_core::{
    ports::StoreError,
    tenants::{Tenant, TenantChange, TenantStore},
    wire::TenantId,
};

pub(crate) fn plan(change: TenantChange, walls: Walls) -> Planned {
    walls.system()?;
    Ok(match change {
        TenantChange::Create(tenant) => {
            let insert = Statement::new(
                Expect::FREE,
                "INSERT INTO tenants (id, slug, name, hosts, active, settings, version, created_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                values![
                    tenant.id,
                    tenant.slug,
                    tenant.name,
                    to_json(&tenant.hosts)?,
                    tenant.active,
                    to_json(&tenant.settings)?,
                    tenant.version,
                    tenant.created_at
                ],
            );
            [insert].into_iter().chain(hosts(tenant.id, tenant.hosts)).collect()
        }
        TenantChange::Update(tenant) => {
            let update = Statement::new(
                Expect::ONE,
                "UPDATE tenants SET slug = $3, name = $4, hosts = $5, active = $6, settings = $7, version = $2 \
                 WHERE id = $1 AND version = $2 - 1",
                values![
                    tenant.id,
                    tenant.version,
                    tenant.slug,
                    tenant.name,
                    to_json(&tenant.hosts)?,
                    tenant.active,
                    to_json(&tenant.settings)?
                ],
            );
            let free = Statement::new(Expect::Any, "DELETE FROM tenant_hosts WHERE tenant_id = $1", values![tenant.id])
                .uncounted();
            [update, free].into_iter().chain(hosts(tenant.id, tenant.hosts)).collect()
        }
        _ => return Err(StoreError::Unsupported),
    })
}

/// Takes the hosts, each of which belongs to one tenant.
fn hosts(tenant: TenantId, hosts: Vec<String>) -> impl Iterator<Item = Statement> {
    hosts.into_iter().map(move |host| {
        Statement::new(
            Expect::FREE,
            "INSERT INTO tenant_hosts (host, tenant_id) VALUES ($1, $2)",
            values![host, tenant],
        )
        .uncounted()
    })
}

fn tenant(row: &Row) -> Result<Tenant, StoreError> {
    Ok(Tenant {
        id: row.id("id", TenantId::new)?,
        slug: row.get("slug")?,
        name: row.get("name")?,
        hosts: row.json("hosts")?,
        active: row.get("active")?,
        settings: row.json("settings")?,
        version: row.get("version")?,
        created_at: row.time("created_at")?,
    })
}

#[async_trait]
impl TenantStore for SqlStore {
    async fn list_tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        let sql = "SELECT id, slug, name, hosts, active, settings, version, created_at FROM tenants \
                   ORDER BY created_at, id";
        self.db.fetch(sql, values![]).await?.iter().map(tenant).collect()
    }
}
