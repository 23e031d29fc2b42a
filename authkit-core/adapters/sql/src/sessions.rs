//! Sessions and their refresh tokens.

use crate::{
    SqlStore,
    accounts::{user, user_columns},
    db::{BATCH, Expect, Row, SqliteDb, Statement, rows_text, to_json, values},
    plan::{Planned, Walls},
};
use async_trait::async_trait;
use authkit_core::{
    accounts::User,
    ports::{Position, StoreError},
    sessions::{RefreshState, Session, SessionChange, SessionStore},
    wire::{RoleId, SessionId, TenantId, UserId},
};
use jiff::{SignedDuration, Timestamp};

/// How many sessions one sweep looks at and sets a later look for.
const LOOK: i64 = 10_000;

macro_rules! columns {
    () => {
        "tenant_id, id, user_id, amr, auth_time, ip, user_agent, place, created_at, last_active_at, expires_at, \
         refresh_hash, refresh_expires_at, refresh_previous, refresh_rotated_at, refresh_idempotency, refresh_replay"
    };
}

/// The sessions of `$1`, `$2` beyond the `$3` that were opened last.
macro_rules! beyond {
    () => {
        "tenant_id = $1 AND user_id = $2 AND id IN (SELECT s.id FROM sessions s \
         WHERE s.tenant_id = $1 AND s.user_id = $2 ORDER BY s.created_at DESC, s.id DESC LIMIT 2147483647 OFFSET $3)"
    };
}

pub(crate) fn plan(change: SessionChange, walls: Walls, now: Timestamp) -> Planned {
    Ok(match change {
        SessionChange::Create(session) => vec![create(*session, walls)?],
        SessionChange::Rotate { id, expected, next, at } => vec![Statement::new(
            Expect::ONE,
            "UPDATE sessions SET refresh_hash = $4, refresh_expires_at = $5, refresh_previous = $6, \
             refresh_rotated_at = $7, refresh_idempotency = $8, refresh_replay = $9, \
             last_active_at = CASE WHEN last_active_at < $10 THEN $10 ELSE last_active_at END \
             WHERE tenant_id = $1 AND id = $2 AND refresh_hash = $3",
            values![
                walls.tenant()?,
                id,
                expected,
                next.hash,
                next.expires_at,
                next.previous,
                next.rotated_at,
                next.idempotency,
                next.replay,
                at
            ],
        )],
        SessionChange::End { id, user } => vec![Statement::new(
            Expect::Any,
            "DELETE FROM sessions WHERE tenant_id = $1 AND id = $2 AND user_id = $3",
            values![walls.tenant()?, id, user],
        )],
        SessionChange::EndAllOf { user, except: Some(except) } => vec![Statement::new(
            Expect::Any,
            "DELETE FROM sessions WHERE tenant_id = $1 AND user_id = $2 AND id <> $3",
            values![walls.tenant()?, user, except],
        )],
        SessionChange::EndAllOf { user, except: None } => vec![Statement::new(
            Expect::Any,
            "DELETE FROM sessions WHERE tenant_id = $1 AND user_id = $2",
            values![walls.tenant()?, user],
        )],
        SessionChange::Cap { user, keep } => {
            let tenant = walls.tenant()?;
            vec![
                Statement::new(
                    Expect::Any,
                    concat!(
                        "INSERT INTO feed (kind, tenant_id, subject_id, at) \
                         SELECT 'session_ended', tenant_id, id, $4 FROM sessions WHERE ",
                        beyond!()
                    ),
                    values![tenant, user, keep, now],
                )
                .uncounted(),
                // Exactly those that were told of: between the two statements PostgreSQL may let others end some.
                Statement::new(
                    Expect::Any,
                    "DELETE FROM sessions WHERE tenant_id = $1 AND user_id = $2 AND id IN (SELECT f.subject_id \
                     FROM feed f WHERE f.at = $3 AND f.tenant_id = $1 AND f.kind = 'session_ended')",
                    values![tenant, user, now],
                ),
            ]
        }
        SessionChange::Touch(seen) => {
            walls.system()?;
            touch(seen)
        }
        SessionChange::DeleteExpired { before, idle_since } => {
            walls.system()?;
            sweep(before, idle_since)
        }
        _ => return Err(StoreError::Unsupported),
    })
}

fn create(session: Session, walls: Walls) -> Result<Statement, StoreError> {
    let refresh = session.refresh;
    Ok(Statement::new(
        Expect::FREE,
        concat!(
            "INSERT INTO sessions (",
            columns!(),
            ", sweep_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $9)"
        ),
        values![
            walls.owns(session.tenant)?,
            session.id,
            session.user,
            to_json(&session.amr)?,
            session.auth_time,
            session.ip,
            session.user_agent,
            session.place,
            session.created_at,
            session.last_active_at,
            session.expires_at,
            refresh.hash,
            refresh.expires_at,
            refresh.previous,
            refresh.rotated_at,
            refresh.idempotency,
            refresh.replay
        ],
    ))
}

/// Many rows in one statement. Lists of a few sizes only, filled up by repeating the last row (which changes nothing),
/// so that the prepared statements stay few; in the order of ids, so that two nodes lock rows in the same order.
fn touch(mut seen: Vec<(TenantId, SessionId, Timestamp)>) -> Vec<Statement> {
    seen.sort_unstable();
    seen.chunks(64)
        .map(|chunk| {
            let size = [1, 8, 64].into_iter().find(|size| *size >= chunk.len()).unwrap_or(64);
            let bound = (0..size)
                .flat_map(|place| {
                    let (tenant, id, at) = chunk[place.min(chunk.len() - 1)];
                    values![tenant, id, at]
                })
                .collect();
            Statement::new(
                Expect::Any,
                format!(
                    "UPDATE sessions SET last_active_at = given.column3 FROM (VALUES {}) AS given \
                     WHERE sessions.tenant_id = given.column1 AND sessions.id = given.column2 \
                     AND sessions.last_active_at < given.column3",
                    rows_text(size, 3)
                ),
                bound,
            )
        })
        .collect()
}

/// First sets a later look for sessions that are alive (`sweep_at` is the earliest time at which each can have ended if
/// it is not used until then), then deletes from what is left. So each live session is looked at about once per lifetime,
/// and no column that a refresh changes needs an index.
fn sweep(before: Timestamp, idle_since: Option<Timestamp>) -> Vec<Statement> {
    let idle = idle_since.map(|since| before.duration_since(since));
    vec![
        // Sessions that have their later look from a longer idle time need an earlier one. Else the range is empty.
        Statement::new(
            Expect::Any,
            "UPDATE sessions SET sweep_at = created_at WHERE sweep_at >= COALESCE(\
             (SELECT $1 FROM sweeps WHERE name = 'sessions' AND idle > $2), 9223372036854775807)",
            values![before, idle.unwrap_or(SignedDuration::MAX)],
        )
        .uncounted(),
        Statement::new(
            Expect::Any,
            "INSERT INTO sweeps AS s (name, idle) VALUES ('sessions', $1) \
             ON CONFLICT (name) DO UPDATE SET idle = excluded.idle WHERE s.idle <> excluded.idle",
            values![idle.unwrap_or(SignedDuration::MAX)],
        )
        .uncounted(),
        Statement::new(
            Expect::Any,
            "UPDATE sessions SET sweep_at = CASE \
                WHEN expires_at IS NOT NULL AND expires_at < refresh_expires_at \
                    AND expires_at < COALESCE(last_active_at + $2, expires_at + 1) THEN expires_at \
                WHEN last_active_at + $2 < refresh_expires_at THEN last_active_at + $2 \
                ELSE refresh_expires_at END \
             WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM sessions WHERE sweep_at < $1 \
                ORDER BY sweep_at LIMIT +$3)",
            values![before, idle, LOOK],
        )
        .uncounted(),
        Statement::new(
            Expect::Any,
            "DELETE FROM sessions WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM sessions WHERE sweep_at < $1 \
             ORDER BY sweep_at LIMIT +$3) \
             AND (refresh_expires_at < $1 OR expires_at < $1 OR last_active_at < $2)",
            values![before, idle_since, BATCH],
        ),
    ]
}

fn session(row: &Row) -> Result<Session, StoreError> {
    Ok(Session {
        id: row.id("id", SessionId::new)?,
        tenant: row.id("tenant_id", TenantId::new)?,
        user: row.id("user_id", UserId::new)?,
        amr: row.json("amr")?,
        auth_time: row.time("auth_time")?,
        ip: row.get("ip")?,
        user_agent: row.get("user_agent")?,
        place: row.get("place")?,
        created_at: row.time("created_at")?,
        last_active_at: row.time("last_active_at")?,
        expires_at: row.optional_time("expires_at")?,
        refresh: RefreshState {
            hash: row.bytes("refresh_hash")?,
            expires_at: row.time("refresh_expires_at")?,
            previous: row.optional_bytes("refresh_previous")?,
            rotated_at: row.optional_time("refresh_rotated_at")?,
            idempotency: row.optional_bytes("refresh_idempotency")?,
            replay: row.get("refresh_replay")?,
        },
    })
}

/// The session `$2`, its user and that user's roles, each by itself.
const SIGNED_IN: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM sessions WHERE tenant_id = $1 AND id = $2; SELECT ",
    user_columns!(),
    " FROM users u WHERE u.tenant_id = $1 AND u.id = (SELECT user_id FROM sessions WHERE tenant_id = $1 AND id = $2); \
     SELECT role_id FROM role_assignments WHERE tenant_id = $1 \
     AND user_id = (SELECT user_id FROM sessions WHERE tenant_id = $1 AND id = $2) ORDER BY role_id"
);

/// The three in one go.
pub(crate) async fn signed_in(
    db: &SqliteDb,
    tenant: TenantId,
    id: SessionId,
) -> Result<Option<(Session, User, Vec<RoleId>)>, StoreError> {
    let [sessions, users, roles] = db.fetch_together(SIGNED_IN, values![tenant, id]).await?;
    let (Some(row), Some(owner)) = (sessions.first(), users.first()) else { return Ok(None) };
    let roles = roles.iter().map(|row| row.id("role_id", RoleId::new)).collect::<Result<_, _>>()?;
    Ok(Some((session(row)?, user(owner)?, roles)))
}

#[async_trait]
impl SessionStore for SqlStore {
    async fn find_session(&self, tenant: TenantId, id: SessionId) -> Result<Option<Session>, StoreError> {
        let sql = concat!("SELECT ", columns!(), " FROM sessions WHERE tenant_id = $1 AND id = $2");
        self.db.fetch_one(sql, values![tenant, id]).await?.as_ref().map(session).transpose()
    }

    async fn list_sessions(
        &self,
        tenant: TenantId,
        user: UserId,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError> {
        let rows = match after {
            Some(after) => {
                let sql = concat!(
                    "SELECT ",
                    columns!(),
                    " FROM sessions WHERE tenant_id = $1 AND user_id = $2 AND id < $3 ORDER BY id DESC LIMIT +$4"
                );
                self.db.fetch(sql, values![tenant, user, after.id, limit]).await?
            }
            None => {
                let sql = concat!(
                    "SELECT ",
                    columns!(),
                    " FROM sessions WHERE tenant_id = $1 AND user_id = $2 ORDER BY id DESC LIMIT +$3"
                );
                self.db.fetch(sql, values![tenant, user, limit]).await?
            }
        };
        rows.iter().map(session).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{Options, db::Outcome};
    use authkit_core::{
        ports::Scope,
        sessions::{FeedEvent, FeedStore as _},
    };
    use authkit_testkit::postgres::Postgres;
    use uuid::Uuid;

    #[tokio::test]
    async fn a_cap_ends_what_it_told_of_although_another_session_ends_meanwhile() {
        let (tenant, user) = (TenantId::new(Uuid::from_u128(1)), UserId::new(Uuid::from_u128(2)));
        for url in ["sqlite::memory:".to_owned(), Postgres::start_fast().create_database()] {
            let store = SqlStore::open(&url, Options::default()).await.unwrap();
            store.migrate(|_| {}).await.unwrap();
            let apply = async |sql: &'static str, values| {
                store.db.apply(vec![(0, Statement::new(Expect::Any, sql, values))]).await.unwrap()
            };
            apply(
                "INSERT INTO users (tenant_id, id, email, email_lower, email_key, email_verified, profile, \
                 preferences, status, mfa_enabled, subject_key, security_version, version, created_at, updated_at) \
                 VALUES ($1, $2, 'a@b.c', 'a@b.c', $3, $4, '{}', '{}', 'active', $5, $3, 1, 1, 1, 1)",
                values![tenant, user, [1_u8; 33], true, false],
            )
            .await;
            let sessions: Vec<_> = (10..13).map(|n| SessionId::new(Uuid::from_u128(n))).collect();
            for (opened, id) in (1_i64..).zip(&sessions) {
                apply(
                    "INSERT INTO sessions (tenant_id, id, user_id, amr, auth_time, created_at, last_active_at, \
                     refresh_hash, refresh_expires_at, sweep_at) VALUES ($1, $2, $3, '[]', $4, $4, $4, $5, $4, $4)",
                    values![tenant, *id, user, opened, [1_u8; 32]],
                )
                .await;
            }
            let cursor = store.feed_start(Timestamp::MIN).await.unwrap();
            let now = Timestamp::from_second(1_790_000_000).unwrap();
            let planned = plan(SessionChange::Cap { user, keep: 2 }, Walls(Scope::Tenant(tenant)), now).unwrap();
            let [tell, end] = <[Statement; 2]>::try_from(planned).unwrap();
            store.db.apply(vec![(0, tell)]).await.unwrap();
            let newest = values![tenant, sessions[2]];
            apply("DELETE FROM sessions WHERE tenant_id = $1 AND id = $2", newest).await;
            let ended = store.db.apply(vec![(0, end)]).await.unwrap();
            assert!(matches!(ended[..], [Outcome::Count(1)]), "{url}: {ended:?}");
            let left = store.list_sessions(tenant, user, None, 10).await.unwrap();
            assert_eq!(left.iter().map(|session| session.id).collect::<Vec<_>>(), [sessions[1]], "{url}");
            let told = store.read_feed(&cursor).await.unwrap().0;
            assert_eq!(told, [FeedEvent::SessionEnded(tenant, sessions[0])], "{url}");
        }
    }
}
