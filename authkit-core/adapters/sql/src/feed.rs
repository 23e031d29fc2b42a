//! The feed of what every node must hear of.

use crate::{
    SqlStore,
    accounts::status,
    db::{Expect, Row, Statement, values},
    dialect,
    plan::{Planned, Walls},
};
use async_trait::async_trait;
use authkit_core::{
    ports::StoreError,
    sessions::{FeedCursor, FeedEvent, FeedStore, UserAuthority},
    wire::{RoleId, SessionId, TenantId, UserId},
};
use jiff::{SignedDuration, Timestamp};

/// How far the clocks of the writers may differ when a start is looked for.
const SLACK: SignedDuration = SignedDuration::from_mins(2);

pub(crate) fn plan(event: FeedEvent, walls: Walls, now: Timestamp) -> Planned {
    let (kind, tenant, subject) = match event {
        FeedEvent::SessionEnded(tenant, session) => ("session_ended", Some(walls.owns(tenant)?), Some(session.uuid())),
        FeedEvent::UserChanged(tenant, user) => ("user_changed", Some(walls.owns(tenant)?), Some(user.uuid())),
        FeedEvent::RolesChanged(tenant) => ("roles_changed", Some(walls.owns(tenant)?), None),
        FeedEvent::KeysChanged => ("keys_changed", None, None),
        FeedEvent::TenantsChanged => ("tenants_changed", None, None),
        _ => return Err(StoreError::Unsupported),
    };
    Ok(vec![Statement::new(
        Expect::Any,
        "INSERT INTO feed (kind, tenant_id, subject_id, at) VALUES ($1, $2, $3, $4)",
        values![kind, tenant, subject, now],
    )])
}

/// The event of a row; `None` for a kind that a later version writes.
fn event(row: &Row) -> Result<Option<FeedEvent>, StoreError> {
    let tenant = || row.id("tenant_id", TenantId::new);
    Ok(match row.get::<String>("kind")?.as_str() {
        "session_ended" => Some(FeedEvent::SessionEnded(tenant()?, row.id("subject_id", SessionId::new)?)),
        "user_changed" => Some(FeedEvent::UserChanged(tenant()?, row.id("subject_id", UserId::new)?)),
        "roles_changed" => Some(FeedEvent::RolesChanged(tenant()?)),
        "keys_changed" => Some(FeedEvent::KeysChanged),
        "tenants_changed" => Some(FeedEvent::TenantsChanged),
        _ => None,
    })
}

#[async_trait]
impl FeedStore for SqlStore {
    async fn feed_start(&self, since: Timestamp) -> Result<FeedCursor, StoreError> {
        let since = since.checked_sub(SLACK).unwrap_or(Timestamp::MIN);
        let row = self.db.fetch_one(dialect::feed_start(&self.db), values![since]).await?;
        row.map(|row| row.get("cursor").map(FeedCursor)).unwrap_or_else(|| Ok(FeedCursor::default()))
    }

    async fn read_feed(&self, cursor: &FeedCursor) -> Result<(Vec<FeedEvent>, FeedCursor), StoreError> {
        let from = dialect::feed_cursor(&self.db, &cursor.0);
        let rows = self.db.fetch(dialect::feed_read(&self.db), vec![from]).await?;
        let mut next = cursor.0.clone();
        let mut events = Vec::new();
        for row in &rows {
            next = row.get("cursor")?;
            // The row that only brings the cursor has no kind.
            if row.get::<Option<String>>("kind")?.is_some() {
                events.extend(event(row)?);
            }
        }
        Ok((events, FeedCursor(next)))
    }

    async fn feed_changed(&self) {
        self.feed_wait().await;
    }

    async fn user_authority(&self, tenant: TenantId, user: UserId) -> Result<Option<UserAuthority>, StoreError> {
        let sql = "SELECT u.status, u.security_version, u.kept_session, a.role_id FROM users u \
                   LEFT JOIN role_assignments a ON a.tenant_id = u.tenant_id AND a.user_id = u.id \
                   WHERE u.tenant_id = $1 AND u.id = $2 ORDER BY a.role_id";
        let rows = self.db.fetch(sql, values![tenant, user]).await?;
        let Some(first) = rows.first() else { return Ok(None) };
        Ok(Some(UserAuthority {
            status: status(first)?,
            security_version: first.get("security_version")?,
            kept_session: first.optional_id("kept_session", SessionId::new)?,
            roles: rows
                .iter()
                .filter_map(|row| row.optional_id("role_id", RoleId::new).transpose())
                .collect::<Result<_, _>>()?,
        }))
    }
}
