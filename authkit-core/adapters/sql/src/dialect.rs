//! What really differs between the engines.

use crate::db::{Db, Value};
use sqlx::{PgPool, postgres::PgListener};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;

/// Where to read the feed from, for what was written at or after `$1`.
pub(crate) const fn feed_start(db: &Db) -> &'static str {
    match db {
        // One writer: the sequence is the order of commits.
        Db::Sqlite(_) => {
            "SELECT CAST(COALESCE((SELECT min(sequence) - 1 FROM feed WHERE at >= $1), \
             (SELECT max(sequence) FROM feed), 0) AS TEXT) AS cursor"
        }
        // A snapshot that saw only what is older than the first such row and than every transaction that runs now.
        Db::Postgres(_) => {
            "SELECT concat(s.xid, ':', s.xid, ':') AS cursor FROM (SELECT LEAST(\
             pg_snapshot_xmin(pg_current_snapshot())::text::bigint, \
             (SELECT min(xid::text::bigint) FROM feed WHERE at >= $1)) AS xid) AS s"
        }
    }
}

/// A cursor as [`feed_read`] takes it; the empty one is before everything.
pub(crate) fn feed_cursor(db: &Db, cursor: &str) -> Value {
    match db {
        Db::Sqlite(_) => cursor.parse().unwrap_or(0_i64).into(),
        // The first transaction of all is number 3.
        Db::Postgres(_) => if cursor.is_empty() { "3:3:" } else { cursor }.into(),
    }
}

/// Reads the feed from `$1` on. On PostgreSQL that is the last read's snapshot, and what is new is every row whose
/// transaction it did not see: those that began since, and those that ran then. So none is missed however late its
/// transaction commits, and none comes twice however long another one runs.
pub(crate) const fn feed_read(db: &Db) -> &'static str {
    match db {
        Db::Sqlite(_) => {
            "SELECT CAST(sequence AS TEXT) AS cursor, kind, tenant_id, subject_id FROM feed \
             WHERE sequence > $1 ORDER BY sequence"
        }
        Db::Postgres(_) => {
            "SELECT pg_current_snapshot()::text AS cursor, f.kind, f.tenant_id, f.subject_id \
             FROM (SELECT 1) AS one LEFT JOIN (\
             SELECT sequence, kind, tenant_id, subject_id FROM feed \
             WHERE xid >= pg_snapshot_xmax($1::text::pg_snapshot) UNION ALL \
             SELECT sequence, kind, tenant_id, subject_id FROM feed \
             WHERE xid = ANY (ARRAY(SELECT pg_snapshot_xip($1::text::pg_snapshot)))) AS f ON TRUE ORDER BY f.sequence"
        }
    }
}

/// Wakes the other nodes when the unit commits; `None` where there is no such thing.
pub(crate) const fn feed_wake(db: &Db) -> Option<&'static str> {
    match db {
        Db::Sqlite(_) => None,
        Db::Postgres(_) => Some("SELECT pg_notify('authkit_feed', '')"),
    }
}

/// Leases due notices: `$1` owner, `$2` now, `$3` until, `$4` how many. Only the oldest one that is alive of each
/// recipient, and on PostgreSQL past those that another node is leasing at this moment.
pub(crate) const fn claim_notices(db: &Db) -> &'static str {
    macro_rules! claim {
        ($lock:literal) => {
            concat!(
                "UPDATE notices SET lease_owner = $1, lease_until = $3, attempts = attempts + 1 WHERE id IN (",
                "SELECT n.id FROM notices n WHERE n.dead = FALSE AND n.available_at <= $2 AND n.expires_at > $2 ",
                "AND (n.lease_until IS NULL OR n.lease_until <= $2) AND NOT EXISTS (SELECT 1 FROM notices older ",
                "WHERE older.tenant_id = n.tenant_id AND older.recipient = n.recipient AND older.id < n.id AND older.dead = FALSE ",
                "AND (older.expires_at > $2 OR older.lease_until > $2)) ORDER BY n.id LIMIT +$4",
                $lock,
                ") RETURNING id, tenant_id, kind, recipient, payload, attempts, available_at, lease_owner, ",
                "lease_until, dead, created_at, expires_at"
            )
        };
    }
    match db {
        Db::Sqlite(_) => claim!(""),
        Db::Postgres(_) => claim!(" FOR UPDATE OF n SKIP LOCKED"),
    }
}

/// Wakes who waits now, or who waits next.
pub(crate) fn wake(changed: &Notify) {
    changed.notify_waiters();
    changed.notify_one();
}

/// Passes PostgreSQL's notifications on. Readers poll as well, so a lost connection only costs time.
pub(crate) async fn listen(pool: PgPool, changed: Arc<Notify>) {
    loop {
        if let Err(error) = listen_once(&pool, &changed).await {
            tracing::debug!(error = %error, "the feed's listener connects again");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn listen_once(pool: &PgPool, changed: &Notify) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen("authkit_feed").await?;
    loop {
        listener.recv().await?;
        wake(changed);
    }
}
