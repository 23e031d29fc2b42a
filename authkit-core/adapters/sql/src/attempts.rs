//! Counted attempts.

use crate::{
    SqlStore,
    db::{Expect, Row, Statement, in_list, outlived, values},
    plan::{Planned, Walls},
};
use async_trait::async_trait;
use authkit_core::{
    auth::{AttemptChange, AttemptKey, AttemptStore, Attempts},
    ports::{Conflict, StoreError},
    wire::TenantId,
};

/// A lock that is over is forgotten a day later.
const FORGET: i64 = 24 * 60 * 60 * 1_000_000;

// `$1` tenant, `$2` key, `$3` now, `$4` limit, `$5` window, `$6` first lock, `$7` longest lock, `$8` a day.

/// Whether a new window starts: the old one is too old, or ended in a lock that is over. (The time a lock ended stays in
/// `locked_until` until the next lock, for that, and so that `locks` can be forgotten a day after it.)
macro_rules! anew {
    () => {
        "(a.window_start <= $3 - $5 OR a.window_start < COALESCE(a.locked_until, a.window_start))"
    };
}

/// What the window holds with this attempt.
macro_rules! counted {
    () => {
        concat!("CASE WHEN ", anew!(), " THEN 1 ELSE a.failures + 1 END")
    };
}

/// How often it was locked before. Bounded, so that the shift cannot overflow; no longest lock is that long.
macro_rules! locks {
    () => {
        "CASE WHEN a.locked_until <= $3 - $8 THEN 0 WHEN a.locks > 20 THEN 20 ELSE a.locks END"
    };
}

/// How long the next lock is.
macro_rules! lock {
    ($locks:expr) => {
        concat!("($6 * (CAST(1 AS BIGINT) << CAST(", $locks, " AS INTEGER)))")
    };
}

const RESERVE: &str = concat!(
    "INSERT INTO attempts AS a (tenant_id, key, failures, window_start, locked_until, locks, touched_at) VALUES ($1, $2, 1, $3, ",
    "CASE WHEN $4 <= 1 THEN $3 + CASE WHEN $6 < $7 THEN $6 ELSE $7 END END, CASE WHEN $4 <= 1 THEN 1 ELSE 0 END, $3) ",
    "ON CONFLICT (tenant_id, key) DO UPDATE SET failures = ",
    counted!(),
    ", window_start = CASE WHEN ",
    anew!(),
    " THEN $3 ELSE a.window_start END, locked_until = CASE WHEN ",
    counted!(),
    " >= $4 THEN $3 + CASE WHEN ",
    lock!(locks!()),
    " < $7 THEN ",
    lock!(locks!()),
    " ELSE $7 END ELSE a.locked_until END, locks = ",
    locks!(),
    " + CASE WHEN ",
    counted!(),
    " >= $4 THEN 1 ELSE 0 END, touched_at = $3 WHERE a.locked_until IS NULL OR a.locked_until <= $3 RETURNING failures"
);

pub(crate) fn plan(change: AttemptChange, walls: Walls) -> Planned {
    Ok(vec![match change {
        AttemptChange::Reserve { key, now, limit, window, first_lock, longest_lock } => Statement::new(
            Expect::Value(Conflict::Changed),
            RESERVE,
            values![walls.tenant()?, key, now, limit, window, first_lock, longest_lock, FORGET],
        ),
        AttemptChange::Withdraw { key, last } => Statement::new(
            Expect::Any,
            "UPDATE attempts SET failures = CASE WHEN failures > 0 THEN failures - 1 ELSE 0 END, \
             locked_until = CASE WHEN $3 THEN NULL ELSE locked_until END, \
             locks = CASE WHEN $3 AND locks > 0 THEN locks - 1 ELSE locks END WHERE tenant_id = $1 AND key = $2",
            values![walls.tenant()?, key, last],
        ),
        AttemptChange::Clear { key } => Statement::new(
            Expect::Any,
            "DELETE FROM attempts WHERE tenant_id = $1 AND key = $2",
            values![walls.tenant()?, key],
        ),
        AttemptChange::DeleteStale { before } => {
            walls.system()?;
            outlived!("attempts", "tenant_id, key", "touched_at", before)
        }
        _ => return Err(StoreError::Unsupported),
    }])
}

fn attempts(row: &Row) -> Result<Attempts, StoreError> {
    Ok(Attempts {
        failures: row.get("failures")?,
        window_start: row.time("window_start")?,
        locked_until: row.optional_time("locked_until")?,
        locks: row.get("locks")?,
    })
}

#[async_trait]
impl AttemptStore for SqlStore {
    async fn find_attempts(&self, tenant: TenantId, key: &AttemptKey) -> Result<Option<Attempts>, StoreError> {
        let sql = "SELECT failures, window_start, locked_until, locks FROM attempts WHERE tenant_id = $1 AND key = $2";
        self.db.fetch_one(sql, values![tenant, *key]).await?.as_ref().map(attempts).transpose()
    }

    async fn list_attempts(
        &self,
        tenant: TenantId,
        keys: &[AttemptKey],
    ) -> Result<Vec<(AttemptKey, Attempts)>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut bound = values![tenant];
        let sql = format!(
            "SELECT key, failures, window_start, locked_until, locks FROM attempts WHERE tenant_id = $1 AND key IN ({})",
            in_list(&mut bound, keys)
        );
        self.db.fetch(sql, bound).await?.iter().map(|row| Ok((row.bytes("key")?, attempts(row)?))).collect()
    }
}
