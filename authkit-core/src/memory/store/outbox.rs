use super::{
    BATCH, CHANGED, MemoryStore, Outcome, State, TAKEN, Undo, count, delete_where, insert, inserts, one, own, system,
};
use crate::{
    notices::{KEPT_MAIL, NoticeChange, NoticeStore, OutboxNotice},
    ports::{Scope, StoreError},
    tenants::{IdempotencyChange, IdempotencyRecord, IdempotencyStore, LeaseChange},
};
use async_trait::async_trait;
use authkit_wire::{NoticeId, OutboxMailView, TenantId};
use jiff::Timestamp;
use std::{collections::BTreeSet, sync::Arc};
use uuid::Uuid;

/// How many kept mails a list shows.
const SHOWN: usize = 200;

impl State {
    pub(super) fn apply_notice(&mut self, scope: Scope, change: NoticeChange) -> Outcome {
        use NoticeChange as C;
        match change {
            C::Enqueue(row) => {
                inserts(scope, row.tenant)?;
                insert(&mut self.notices, row.id, row)
            }
            C::Delivered { id, owner } => {
                self.leased(scope, id, owner)?;
                one(self.notices.remove(&id).is_some())
            }
            C::Retry { id, owner, available_at } => {
                let row = self.leased(scope, id, owner)?;
                (row.lease, row.available_at) = (None, available_at);
                Ok(1)
            }
            C::Bury { id, owner } => {
                let row = self.leased(scope, id, owner)?;
                (row.lease, row.dead, row.payload) = (None, true, Vec::new());
                Ok(1)
            }
            C::ReleaseLeases { owner } => {
                system(scope)?;
                let held = |row: &&mut OutboxNotice| row.lease.is_some_and(|(holder, _)| holder == owner);
                Ok(count(self.notices.values_mut().filter(held).map(|row| row.lease = None).count()))
            }
            C::DeleteExpired { before } => {
                system(scope)?;
                Ok(delete_where(&mut self.notices, BATCH, |_, row| row.expires_at < before))
            }
            C::KeepForDevelopment { id, mail } => {
                let tenant = own(scope)?;
                self.development_mail.entry((tenant, id)).or_insert(mail);
                let kept = self.development_mail.iter().filter(|((of, _), _)| *of == tenant);
                let mut kept: Vec<_> = kept.map(|((_, id), mail)| (mail.created_at, *id)).collect();
                kept.sort_unstable_by(|one, other| other.cmp(one));
                for (_, old) in kept.into_iter().skip(KEPT_MAIL as usize) {
                    self.development_mail.remove(&(tenant, old));
                }
                Ok(1)
            }
        }
    }

    fn leased(&mut self, scope: Scope, id: NoticeId, owner: Uuid) -> Result<&mut OutboxNotice, Undo> {
        let held = |row: &&mut OutboxNotice| {
            // The worker serves every tenant, so it may come in either scope.
            inserts(scope, row.tenant).is_ok() && !row.dead && row.lease.is_some_and(|(holder, _)| holder == owner)
        };
        self.notices.get_mut(&id).filter(held).ok_or(CHANGED)
    }

    fn claim(&mut self, owner: Uuid, now: Timestamp, until: Timestamp, limit: u32) -> Vec<OutboxNotice> {
        let mut recipients = BTreeSet::new();
        let due = self.notices.values_mut().filter(|row| {
            let held = row.lease.is_some_and(|(_, end)| end > now);
            let waits = !row.dead && (held || row.expires_at > now);
            // Only the oldest of those that wait for a recipient can be due.
            waits && recipients.insert((row.tenant, row.recipient)) && !held && row.available_at <= now
        });
        due.take(limit as usize)
            .map(|row| {
                row.lease = Some((owner, until));
                row.attempts += 1;
                row.clone()
            })
            .collect()
    }

    pub(super) fn apply_idempotency(&mut self, scope: Scope, change: IdempotencyChange) -> Outcome {
        use IdempotencyChange as C;
        match change {
            C::Reserve(row) => {
                inserts(scope, row.tenant)?;
                let key = (row.tenant, row.key);
                if self.idempotency.get(&key).is_some_and(|old| old.expires_at >= row.created_at) {
                    return Err(TAKEN);
                }
                self.idempotency.insert(key, row);
                Ok(1)
            }
            C::Complete { key, answer, expires_at } => {
                let row = self.idempotency.get_mut(&(own(scope)?, key)).filter(|row| row.answer.is_none());
                let row = row.ok_or(CHANGED)?;
                (row.answer, row.expires_at) = (Some(answer), expires_at);
                Ok(1)
            }
            C::Release { key } => Ok(self.idempotency.remove(&(own(scope)?, key)).is_some().into()),
            C::DeleteExpired { before } => {
                system(scope)?;
                Ok(delete_where(&mut self.idempotency, BATCH, |_, row| row.expires_at < before))
            }
        }
    }

    pub(super) fn apply_lease(&mut self, scope: Scope, change: LeaseChange) -> Outcome {
        system(scope)?;
        match change {
            LeaseChange::Acquire { name, owner, now, until } => {
                if self.leases.get(name).is_some_and(|(holder, end)| *holder != owner && *end > now) {
                    return Err(CHANGED);
                }
                self.leases.insert(name, (owner, until));
                Ok(1)
            }
            LeaseChange::Release { name, owner } => {
                let held = self.leases.get(name).is_some_and(|(holder, _)| *holder == owner);
                Ok((held && self.leases.remove(name).is_some()).into())
            }
        }
    }
}

#[async_trait]
impl NoticeStore for MemoryStore {
    async fn claim_notices(
        &self,
        owner: Uuid,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<OutboxNotice>, StoreError> {
        let mut inner = self.lock();
        Ok(Arc::make_mut(&mut inner.state).claim(owner, now, until, limit))
    }

    async fn count_notices(&self) -> Result<(i64, i64), StoreError> {
        let state = self.read();
        let dead = state.notices.values().filter(|row| row.dead).count();
        Ok((count(state.notices.len() - dead), count(dead)))
    }

    async fn list_development_mail(
        &self,
        tenant: TenantId,
        to: Option<&str>,
    ) -> Result<Vec<OutboxMailView>, StoreError> {
        let state = self.read();
        let mails = state.development_mail.iter().filter(|((of, _), _)| *of == tenant);
        let mut mails: Vec<_> =
            mails.filter(|(_, mail)| to.is_none_or(|to| mail.to.to_lowercase() == to.to_lowercase())).collect();
        mails.sort_by_key(|((_, id), mail)| std::cmp::Reverse((mail.created_at, *id)));
        Ok(mails.into_iter().take(SHOWN).map(|(_, mail)| mail.clone()).collect())
    }
}

#[async_trait]
impl IdempotencyStore for MemoryStore {
    async fn find_idempotency(
        &self,
        tenant: TenantId,
        key: &[u8; 32],
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        Ok(self.read().idempotency.get(&(tenant, *key)).cloned())
    }
}
