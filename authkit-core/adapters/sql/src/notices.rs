//! The outbox.

use crate::{
    SqlStore,
    db::{Expect, Outcome, Row, Statement, Value, corrupt, outlived, to_json, values},
    dialect,
    plan::{Planned, Walls},
};
use async_trait::async_trait;
use authkit_core::{
    notices::{KEPT_MAIL, NoticeChange, NoticeStore, OutboxNotice},
    ports::{Scope, StoreError},
    wire::{NoticeId, OutboxMailView, TenantId},
};
use jiff::Timestamp;
use uuid::Uuid;

pub(crate) fn plan(change: NoticeChange, walls: Walls) -> Planned {
    Ok(vec![match change {
        NoticeChange::Enqueue(notice) => Statement::new(
            Expect::FREE,
            "INSERT INTO notices (id, tenant_id, kind, recipient, payload, attempts, available_at, lease_owner, \
             lease_until, dead, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            values![
                notice.id,
                walls.owns(notice.tenant)?,
                notice.kind,
                notice.recipient,
                notice.payload,
                notice.attempts,
                notice.available_at,
                notice.lease.map(|(owner, _)| owner),
                notice.lease.map(|(_, until)| until),
                notice.dead,
                notice.created_at,
                notice.expires_at
            ],
        ),
        NoticeChange::Delivered { id, owner } => leased("DELETE FROM notices", values![id, owner], walls),
        NoticeChange::Retry { id, owner, available_at } => leased(
            "UPDATE notices SET lease_owner = NULL, lease_until = NULL, available_at = $3",
            values![id, owner, available_at],
            walls,
        ),
        NoticeChange::Bury { id, owner } => leased(
            "UPDATE notices SET lease_owner = NULL, lease_until = NULL, dead = TRUE, payload = $3",
            values![id, owner, Vec::<u8>::new()],
            walls,
        ),
        NoticeChange::ReleaseLeases { owner } => {
            walls.system()?;
            Statement::new(
                Expect::Any,
                "UPDATE notices SET lease_owner = NULL, lease_until = NULL WHERE lease_owner = $1",
                values![owner],
            )
        }
        NoticeChange::DeleteExpired { before } => {
            walls.system()?;
            outlived!("notices", "id", "expires_at", before)
        }
        NoticeChange::KeepForDevelopment { id, mail } => return keep(id, &mail, walls),
        _ => return Err(StoreError::Unsupported),
    }])
}

/// A change of the notice `$1` by the owner `$2` of its lease. The worker serves every tenant, so it may come in either scope.
fn leased(sql: &str, mut bound: Vec<Value>, walls: Walls) -> Statement {
    let mut sql = format!("{sql} WHERE id = $1 AND lease_owner = $2");
    if let Scope::Tenant(tenant) = walls.0 {
        bound.push(tenant.into());
        sql.push_str(&format!(" AND tenant_id = ${}", bound.len()));
    }
    Statement::new(Expect::ONE, sql, bound)
}

fn keep(id: NoticeId, mail: &OutboxMailView, walls: Walls) -> Planned {
    let tenant = walls.tenant()?;
    Ok(vec![
        Statement::new(
            Expect::Any,
            "INSERT INTO development_mail (id, tenant_id, recipient, mail, created_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (id) DO NOTHING",
            values![id, tenant, mail.to.to_lowercase(), to_json(mail)?, mail.created_at],
        ),
        Statement::new(
            Expect::Any,
            "DELETE FROM development_mail WHERE id IN (SELECT id FROM development_mail WHERE tenant_id = $1 \
             ORDER BY created_at DESC, id DESC LIMIT 2147483647 OFFSET $2)",
            values![tenant, KEPT_MAIL],
        )
        .uncounted(),
    ])
}

fn notice(row: &Row) -> Result<OutboxNotice, StoreError> {
    let owner: Option<Uuid> = row.get("lease_owner")?;
    Ok(OutboxNotice {
        id: row.id("id", NoticeId::new)?,
        tenant: row.id("tenant_id", TenantId::new)?,
        kind: row.get("kind")?,
        recipient: row.bytes("recipient")?,
        payload: row.get("payload")?,
        attempts: row.get("attempts")?,
        available_at: row.time("available_at")?,
        lease: owner.zip(row.optional_time("lease_until")?),
        dead: row.get("dead")?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
    })
}

#[async_trait]
impl NoticeStore for SqlStore {
    async fn claim_notices(
        &self,
        owner: Uuid,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<OutboxNotice>, StoreError> {
        let claim = Statement::new(Expect::Return, dialect::claim_notices(&self.db), values![owner, now, until, limit]);
        let outcome = self.db.apply(vec![(0, claim)]).await?.into_iter().next();
        let Some(Outcome::Rows(rows)) = outcome else { return Err(corrupt("notices", "no rows")) };
        let mut notices = rows.iter().map(notice).collect::<Result<Vec<_>, _>>()?;
        notices.sort_unstable_by_key(|notice| notice.id);
        Ok(notices)
    }

    async fn count_notices(&self) -> Result<(i64, i64), StoreError> {
        let sql = "SELECT (SELECT count(*) FROM notices WHERE dead = FALSE) AS waiting, \
                   (SELECT count(*) FROM notices WHERE dead = TRUE) AS dead";
        let Some(row) = self.db.fetch_one(sql, values![]).await? else { return Ok((0, 0)) };
        Ok((row.get("waiting")?, row.get("dead")?))
    }

    async fn list_development_mail(
        &self,
        tenant: TenantId,
        to: Option<&str>,
    ) -> Result<Vec<OutboxMailView>, StoreError> {
        let rows = match to {
            Some(to) => {
                let sql = "SELECT mail FROM development_mail WHERE tenant_id = $1 AND recipient = $2 \
                           ORDER BY created_at DESC, id DESC LIMIT 200";
                self.db.fetch(sql, values![tenant, to.to_lowercase()]).await?
            }
            None => {
                let sql = "SELECT mail FROM development_mail WHERE tenant_id = $1 \
                           ORDER BY created_at DESC, id DESC LIMIT 200";
                self.db.fetch(sql, values![tenant]).await?
            }
        };
        rows.iter().map(|row| row.json("mail")).collect()
    }
}
