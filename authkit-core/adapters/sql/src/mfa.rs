//! Second factors.

use crate::{
    SqlStore,
    db::{Expect, Statement, values},
    plan::{Planned, Walls},
};
use async_trait::async_trait;
use authkit_core::{
    mfa::{MfaChange, MfaStore, Totp},
    ports::StoreError,
    wire::{TenantId, UserId},
};

pub(crate) fn plan(change: MfaChange, walls: Walls) -> Planned {
    let tenant = walls.tenant()?;
    Ok(match change {
        MfaChange::Enrol(totp) => vec![Statement::new(
            Expect::ONE,
            "INSERT INTO totp AS t (tenant_id, user_id, secret, confirmed, last_step, created_at) \
             VALUES ($1, $2, $3, FALSE, $4, $5) ON CONFLICT (tenant_id, user_id) DO UPDATE SET \
             secret = excluded.secret, last_step = excluded.last_step, created_at = excluded.created_at \
             WHERE t.confirmed = FALSE",
            values![tenant, totp.user, totp.secret, totp.last_step, totp.created_at],
        )],
        MfaChange::Confirm { user, secret, step } => vec![Statement::new(
            Expect::ONE,
            "UPDATE totp SET confirmed = TRUE, last_step = $4 \
             WHERE tenant_id = $1 AND user_id = $2 AND secret = $3 AND confirmed = FALSE",
            values![tenant, user, secret, step],
        )],
        MfaChange::AcceptStep { user, step } => vec![Statement::new(
            Expect::ONE,
            "UPDATE totp SET last_step = $3 \
             WHERE tenant_id = $1 AND user_id = $2 AND confirmed = TRUE AND last_step < $3",
            values![tenant, user, step],
        )],
        MfaChange::Remove { user } => vec![
            Statement::new(
                Expect::Any,
                "DELETE FROM totp WHERE tenant_id = $1 AND user_id = $2",
                values![tenant, user],
            ),
            delete_codes(tenant, user),
        ],
        MfaChange::ReplaceBackupCodes { user, codes, at } => {
            let insert = |code: [u8; 32]| {
                Statement::new(
                    Expect::FREE,
                    "INSERT INTO backup_codes (tenant_id, user_id, code, created_at) VALUES ($1, $2, $3, $4)",
                    values![tenant, user, code, at],
                )
            };
            [delete_codes(tenant, user).uncounted()].into_iter().chain(codes.into_iter().map(insert)).collect()
        }
        MfaChange::UseBackupCode { user, code } => vec![Statement::new(
            Expect::ONE,
            "DELETE FROM backup_codes WHERE tenant_id = $1 AND user_id = $2 AND code = $3",
            values![tenant, user, code],
        )],
        _ => return Err(StoreError::Unsupported),
    })
}

fn delete_codes(tenant: TenantId, user: UserId) -> Statement {
    Statement::new(Expect::Any, "DELETE FROM backup_codes WHERE tenant_id = $1 AND user_id = $2", values![tenant, user])
}

#[async_trait]
impl MfaStore for SqlStore {
    async fn find_totp(&self, tenant: TenantId, user: UserId) -> Result<Option<Totp>, StoreError> {
        let sql = "SELECT user_id, secret, confirmed, last_step, created_at FROM totp \
                   WHERE tenant_id = $1 AND user_id = $2";
        let Some(row) = self.db.fetch_one(sql, values![tenant, user]).await? else { return Ok(None) };
        Ok(Some(Totp {
            user: row.id("user_id", UserId::new)?,
            secret: row.get("secret")?,
            confirmed: row.get("confirmed")?,
            last_step: row.get("last_step")?,
            created_at: row.time("created_at")?,
        }))
    }

    async fn count_backup_codes(&self, tenant: TenantId, user: UserId) -> Result<i64, StoreError> {
        let sql = "SELECT count(*) FROM backup_codes WHERE tenant_id = $1 AND user_id = $2";
        self.db.fetch_one(sql, values![tenant, user]).await?.map_or(Ok(0), |row| row.number())
    }
}
