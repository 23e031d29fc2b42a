//! The record of repeatable requests.

use crate::{
    SqlStore,
    db::{Expect, Statement, outlived, values},
    plan::{Planned, Walls},
};
use async_trait::async_trait;
use authkit_core::{
    ports::StoreError,
    tenants::{IdempotencyChange, IdempotencyRecord, IdempotencyStore},
    wire::TenantId,
};

pub(crate) fn plan(change: IdempotencyChange, walls: Walls) -> Planned {
    Ok(vec![match change {
        IdempotencyChange::Reserve(record) => Statement::new(
            Expect::FREE,
            "INSERT INTO idempotency AS i (tenant_id, key, body, answer, created_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id, key) DO UPDATE SET body = excluded.body, \
             answer = excluded.answer, created_at = excluded.created_at, expires_at = excluded.expires_at \
             WHERE i.expires_at < excluded.created_at",
            values![
                walls.owns(record.tenant)?,
                record.key,
                record.body,
                record.answer,
                record.created_at,
                record.expires_at
            ],
        ),
        IdempotencyChange::Complete { key, answer, expires_at } => Statement::new(
            Expect::ONE,
            "UPDATE idempotency SET answer = $3, expires_at = $4 \
             WHERE tenant_id = $1 AND key = $2 AND answer IS NULL",
            values![walls.tenant()?, key, answer, expires_at],
        ),
        IdempotencyChange::Release { key } => Statement::new(
            Expect::Any,
            "DELETE FROM idempotency WHERE tenant_id = $1 AND key = $2",
            values![walls.tenant()?, key],
        ),
        IdempotencyChange::DeleteExpired { before } => {
            walls.system()?;
            outlived!("idempotency", "tenant_id, key", "expires_at", before)
        }
        _ => return Err(StoreError::Unsupported),
    }])
}

#[async_trait]
impl IdempotencyStore for SqlStore {
    async fn find_idempotency(
        &self,
        tenant: TenantId,
        key: &[u8; 32],
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        let sql = "SELECT tenant_id, key, body, answer, created_at, expires_at FROM idempotency \
                   WHERE tenant_id = $1 AND key = $2";
        let Some(row) = self.db.fetch_one(sql, values![tenant, *key]).await? else { return Ok(None) };
        Ok(Some(IdempotencyRecord {
            tenant: row.id("tenant_id", TenantId::new)?,
            key: row.bytes("key")?,
            body: row.bytes("body")?,
            answer: row.get("answer")?,
            created_at: row.time("created_at")?,
            expires_at: row.time("expires_at")?,
        }))
    }
}
