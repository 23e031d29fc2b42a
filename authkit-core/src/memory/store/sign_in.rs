use super::{CHANGED, MemoryStore, Outcome, State, count, delete_where, one, own, system};
use crate::{
    auth::{AttemptChange, AttemptKey, AttemptStore, Attempts},
    mfa::{MfaChange, MfaStore, Totp},
    ports::{Scope, StoreError},
};
use async_trait::async_trait;
use authkit_wire::{TenantId, UserId};
use jiff::SignedDuration;

/// How long after a lock its repetition still counts.
const MEMORY_OF_LOCKS: SignedDuration = SignedDuration::from_hours(24);

impl State {
    pub(super) fn apply_attempt(&mut self, scope: Scope, change: AttemptChange) -> Outcome {
        match change {
            AttemptChange::Reserve { key, now, limit, window, first_lock, longest_lock } => {
                let fresh = Attempts { failures: 0, window_start: now, locked_until: None, locks: 0 };
                let (row, touched) = self.attempts.entry((own(scope)?, key)).or_insert((fresh, now));
                if row.locked_until.is_some_and(|until| until > now) {
                    return Err(CHANGED);
                }
                let after_lock = row.locked_until.is_some_and(|until| row.window_start < until);
                if after_lock || row.window_start.saturating_add(window).is_ok_and(|end| end <= now) {
                    (row.failures, row.window_start) = (0, now);
                }
                if row.locked_until.is_some_and(|until| until + MEMORY_OF_LOCKS <= now) {
                    row.locks = 0;
                }
                row.failures += 1;
                *touched = now;
                if row.failures >= limit {
                    let doubled = first_lock.checked_mul(1 << row.locks.clamp(0, 30)).unwrap_or(longest_lock);
                    row.locked_until = Some(now + doubled.min(longest_lock));
                    row.locks += 1;
                }
                Ok(row.failures)
            }
            AttemptChange::Withdraw { key, last } => {
                let Some((row, _)) = self.attempts.get_mut(&(own(scope)?, key)) else { return Ok(0) };
                row.failures = (row.failures - 1).max(0);
                if last {
                    (row.locked_until, row.locks) = (None, (row.locks - 1).max(0));
                }
                Ok(1)
            }
            AttemptChange::Clear { key } => Ok(self.attempts.remove(&(own(scope)?, key)).is_some().into()),
            AttemptChange::DeleteStale { before } => {
                system(scope)?;
                Ok(delete_where(&mut self.attempts, super::BATCH, |_, (_, touched)| *touched < before))
            }
        }
    }

    pub(super) fn apply_mfa(&mut self, tenant: TenantId, change: MfaChange) -> Outcome {
        match change {
            MfaChange::Enrol(totp) => {
                let key = (tenant, totp.user);
                self.has_user(tenant, totp.user)?;
                if self.totp.get(&key).is_some_and(|row| row.confirmed) {
                    return Err(CHANGED);
                }
                self.totp.insert(key, totp);
                Ok(1)
            }
            MfaChange::Confirm { user, secret, step } => {
                let row = self.totp.get_mut(&(tenant, user)).filter(|row| !row.confirmed && row.secret == secret);
                let row = row.ok_or(CHANGED)?;
                (row.confirmed, row.last_step) = (true, step);
                Ok(1)
            }
            MfaChange::AcceptStep { user, step } => {
                let row = self.totp.get_mut(&(tenant, user)).filter(|row| row.confirmed && row.last_step < step);
                row.ok_or(CHANGED)?.last_step = step;
                Ok(1)
            }
            MfaChange::Remove { user } => {
                let codes = self.backup_codes.remove(&(tenant, user)).map_or(0, |codes| count(codes.len()));
                Ok(codes + i64::from(self.totp.remove(&(tenant, user)).is_some()))
            }
            MfaChange::ReplaceBackupCodes { user, codes, at: _ } => {
                let rows = count(codes.len());
                self.has_user(tenant, user)?;
                self.backup_codes.insert((tenant, user), codes.into_iter().collect());
                Ok(rows)
            }
            MfaChange::UseBackupCode { user, code } => {
                one(self.backup_codes.get_mut(&(tenant, user)).is_some_and(|codes| codes.remove(&code)))
            }
        }
    }
}

#[async_trait]
impl AttemptStore for MemoryStore {
    async fn find_attempts(&self, tenant: TenantId, key: &AttemptKey) -> Result<Option<Attempts>, StoreError> {
        Ok(self.read().attempts.get(&(tenant, *key)).map(|(row, _)| *row))
    }

    async fn list_attempts(
        &self,
        tenant: TenantId,
        keys: &[AttemptKey],
    ) -> Result<Vec<(AttemptKey, Attempts)>, StoreError> {
        let state = self.read();
        let found = keys.iter().filter_map(|key| state.attempts.get(&(tenant, *key)).map(|(row, _)| (*key, *row)));
        Ok(found.collect())
    }
}

#[async_trait]
impl MfaStore for MemoryStore {
    async fn find_totp(&self, tenant: TenantId, user: UserId) -> Result<Option<Totp>, StoreError> {
        Ok(self.read().totp.get(&(tenant, user)).cloned())
    }

    async fn count_backup_codes(&self, tenant: TenantId, user: UserId) -> Result<i64, StoreError> {
        Ok(self.read().backup_codes.get(&(tenant, user)).map_or(0, |codes| count(codes.len())))
    }
}
