use super::{BATCH, CHANGED, MemoryStore, Outcome, State, Undo, count, delete_where, insert, inserts, own, system};
use crate::{
    ports::{Position, Scope, StoreError},
    sessions::{
        FeedCursor, FeedEvent, FeedStore, KeyChange, KeyStore, Session, SessionChange, SessionStore, SigningKey,
        UserAuthority,
    },
};
use async_trait::async_trait;
use authkit_wire::{SessionId, TenantId, UserId};
use jiff::Timestamp;
use std::{future::poll_fn, sync::Arc, task::Poll};

impl State {
    pub(super) fn apply_session(&mut self, scope: Scope, change: SessionChange) -> Outcome {
        use SessionChange as C;
        match change {
            C::Create(row) => {
                inserts(scope, row.tenant)?;
                self.has_user(row.tenant, row.user)?;
                insert(&mut self.sessions, (row.tenant, row.id), *row)
            }
            C::Rotate { id, expected, next, at } => {
                let row = self.sessions.get_mut(&(own(scope)?, id)).filter(|row| row.refresh.hash == expected);
                let row = row.ok_or(CHANGED)?;
                row.refresh = next;
                row.last_active_at = row.last_active_at.max(at);
                Ok(1)
            }
            C::End { id, user } => {
                let key = (own(scope)?, id);
                let found = self.sessions.get(&key).is_some_and(|row| row.user == user);
                Ok((found && self.sessions.remove(&key).is_some()).into())
            }
            C::EndAllOf { user, except } => {
                let tenant = own(scope)?;
                Ok(delete_where(&mut self.sessions, usize::MAX, |key, row| {
                    key.0 == tenant && row.user == user && Some(row.id) != except
                }))
            }
            C::Cap { user, keep } => {
                let tenant = own(scope)?;
                let mut opened: Vec<(Timestamp, SessionId)> =
                    self.sessions_of(tenant, user).map(|row| (row.created_at, row.id)).collect();
                opened.sort_unstable();
                opened.truncate(opened.len().saturating_sub(keep as usize));
                for (_, id) in &opened {
                    self.sessions.remove(&(tenant, *id));
                    self.feed.push(FeedEvent::SessionEnded(tenant, *id));
                }
                Ok(count(opened.len()))
            }
            C::Touch(seen) => {
                system(scope)?;
                let mut rows = 0;
                for (tenant, id, at) in seen {
                    if let Some(row) = self.sessions.get_mut(&(tenant, id)).filter(|row| row.last_active_at < at) {
                        row.last_active_at = at;
                        rows += 1;
                    }
                }
                Ok(rows)
            }
            C::DeleteExpired { before, idle_since } => {
                system(scope)?;
                Ok(delete_where(&mut self.sessions, BATCH, |_, row| {
                    row.refresh.expires_at < before
                        || row.expires_at.is_some_and(|end| end < before)
                        || idle_since.is_some_and(|since| row.last_active_at < since)
                }))
            }
        }
    }

    pub(super) fn apply_key(&mut self, scope: Scope, change: KeyChange) -> Outcome {
        system(scope)?;
        match change {
            KeyChange::Create(row) => insert(&mut self.keys, row.id, row),
            KeyChange::Retire { id, at } => {
                let row = self.keys.get_mut(&id).filter(|row| row.retired_at.is_none());
                row.ok_or(CHANGED)?.retired_at = Some(at);
                Ok(1)
            }
            KeyChange::Revoke { id, at } => {
                let row = self.keys.get_mut(&id).filter(|row| row.revoked_at.is_none());
                row.ok_or(CHANGED)?.revoked_at = Some(at);
                Ok(1)
            }
            KeyChange::DeleteRetired { before } => {
                Ok(delete_where(&mut self.keys, usize::MAX, |_, row| row.retired_at.is_some_and(|at| at < before)))
            }
            // Cursors are places in a list that one process holds: nothing has to go.
            KeyChange::PruneFeed { before: _ } => Ok(0),
        }
    }

    pub(super) fn apply_feed(&mut self, scope: Scope, event: FeedEvent) -> Outcome {
        match event {
            FeedEvent::SessionEnded(tenant, _)
            | FeedEvent::UserChanged(tenant, _)
            | FeedEvent::RolesChanged(tenant) => inserts(scope, tenant)?,
            FeedEvent::KeysChanged | FeedEvent::TenantsChanged => {}
        }
        self.feed.push(event);
        Ok::<_, Undo>(1)
    }

    fn sessions_of(&self, tenant: TenantId, user: UserId) -> impl DoubleEndedIterator<Item = &Session> {
        self.sessions.values().filter(move |row| row.tenant == tenant && row.user == user)
    }
}

#[async_trait]
impl SessionStore for MemoryStore {
    async fn find_session(&self, tenant: TenantId, id: SessionId) -> Result<Option<Session>, StoreError> {
        Ok(self.read().sessions.get(&(tenant, id)).cloned())
    }

    async fn list_sessions(
        &self,
        tenant: TenantId,
        user: UserId,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError> {
        let state = self.read();
        let newest_first = state.sessions_of(tenant, user).rev();
        let page = newest_first.filter(|row| after.is_none_or(|position| row.id.uuid() < position.id));
        Ok(page.take(limit as usize).cloned().collect())
    }
}

#[async_trait]
impl KeyStore for MemoryStore {
    async fn list_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        let mut keys: Vec<SigningKey> = self.read().keys.values().cloned().collect();
        keys.sort_by_key(|row| (row.created_at, row.id));
        Ok(keys)
    }
}

#[async_trait]
impl FeedStore for MemoryStore {
    async fn feed_start(&self, _: Timestamp) -> Result<FeedCursor, StoreError> {
        Ok(FeedCursor::default())
    }

    async fn read_feed(&self, cursor: &FeedCursor) -> Result<(Vec<FeedEvent>, FeedCursor), StoreError> {
        let state = self.read();
        let from = cursor.0.parse().unwrap_or(0).min(state.feed.len());
        Ok((state.feed[from..].to_vec(), FeedCursor(state.feed.len().to_string())))
    }

    async fn feed_changed(&self) {
        let seen = self.read();
        poll_fn(|task| {
            let mut inner = self.lock();
            if !Arc::ptr_eq(&seen, &inner.state) && seen.feed.len() != inner.state.feed.len() {
                return Poll::Ready(());
            }
            if !inner.waiting.iter().any(|waker| waker.will_wake(task.waker())) {
                inner.waiting.push(task.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }

    async fn user_authority(&self, tenant: TenantId, user: UserId) -> Result<Option<UserAuthority>, StoreError> {
        let state = self.read();
        Ok(state.users.get(&(tenant, user)).map(|row| UserAuthority {
            status: row.status,
            security_version: row.security_version,
            kept_session: row.kept_session,
            roles: state.roles_of(tenant, user),
        }))
    }
}
