//! Wrong attempts: counted before they are made, under a keyed hash, whether or not there is an account.

use super::{AttemptChange, AttemptKey, Attempts};
use crate::{
    Context, LockoutPolicy, Result,
    accounts::{EmailKey, User},
    mfa,
    ports::{Conflict, Scope, StoreError, Unit},
};
use authkit_wire::{TenantId, UserId};
use jiff::Timestamp;
use std::{collections::HashMap, time::Duration};

/// Counts an attempt before it is made, so that parallel ones cannot exceed the limit together. Returns how many the
/// window then holds, of which the one that reaches the policy's number locks; `None` while it is locked.
pub(crate) async fn reserve(
    cx: &Context,
    tenant: TenantId,
    key: AttemptKey,
    policy: &LockoutPolicy,
) -> Result<Option<i64>, StoreError> {
    let mut unit = Unit::new();
    let counted = unit.push(AttemptChange::Reserve {
        key,
        now: cx.now(),
        limit: policy.failures,
        window: policy.window,
        first_lock: policy.first_lock,
        longest_lock: policy.longest_lock,
    });
    match cx.commit(Scope::Tenant(tenant), unit).await {
        Ok(applied) => Ok(Some(applied.get(counted))),
        Err(error) if error.conflict() == Some((counted, Conflict::Changed)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// How long a locked key has to wait, for `Retry-After`: at least a second.
pub(crate) async fn wait(cx: &Context, tenant: TenantId, key: &AttemptKey) -> Result<Duration, StoreError> {
    let until = cx.store.find_attempts(tenant, key).await?.and_then(|attempts| attempts.locked_until);
    let seconds = until.map_or(0, |until| until.duration_since(cx.now()).as_secs());
    Ok(Duration::from_secs(u64::try_from(seconds).unwrap_or(0).max(1)))
}

/// The count of one kind of attempts on one address or user.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lockout {
    tenant: TenantId,
    key: AttemptKey,
}

/// What came of counting an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reservation {
    /// It may be made.
    Granted,
    /// It may be made, and no other after it for a while, unless it is right.
    Last,
    /// It may not be made.
    Locked,
}

impl Lockout {
    /// Passwords at sign-in, by address.
    pub(crate) fn sign_in(cx: &Context, tenant: TenantId, email: &EmailKey) -> Self {
        let key = cx.keyring.index("attempts", &[tenant.uuid().as_bytes(), email, b"password"]);
        Self { tenant, key }
    }

    /// Passwords of whoever is signed in already.
    pub(crate) fn reauthentication(cx: &Context, user: &User) -> Self {
        let (tenant, id) = (user.tenant.uuid(), user.id.uuid());
        let key = cx.keyring.index("attempts", &[tenant.as_bytes(), id.as_bytes(), b"reauthentication"]);
        Self { tenant: user.tenant, key }
    }

    /// Codes of the second factor.
    pub(crate) fn second_factor(cx: &Context, user: &User) -> Self {
        Self { tenant: user.tenant, key: mfa::attempt_key(cx, user) }
    }

    /// Everything that is counted about `user`.
    pub(crate) fn all_of(cx: &Context, user: &User) -> [Self; 3] {
        [
            Self::sign_in(cx, user.tenant, &user.email_key),
            Self::reauthentication(cx, user),
            Self::second_factor(cx, user),
        ]
    }

    /// Counts an attempt before it is made.
    pub(crate) async fn reserve(&self, cx: &Context) -> Result<Reservation> {
        let policy = &cx.settings.lockout;
        Ok(match reserve(cx, self.tenant, self.key, policy).await? {
            Some(failures) if failures >= policy.failures => Reservation::Last,
            Some(_) => Reservation::Granted,
            None => Reservation::Locked,
        })
    }

    /// Takes back an attempt that was counted and could not be made.
    pub(crate) async fn withdraw(&self, cx: &Context, reservation: Reservation) -> Result<()> {
        if reservation != Reservation::Locked {
            let change = AttemptChange::Withdraw { key: self.key, last: reservation == Reservation::Last };
            cx.commit(Scope::Tenant(self.tenant), Unit::new().with(change)).await?;
        }
        Ok(())
    }

    /// What it is counted under.
    pub(crate) const fn key(&self) -> &AttemptKey {
        &self.key
    }

    /// Forgets the attempts: one was right, or somebody lifts the lock.
    pub(crate) const fn clear(&self) -> AttemptChange {
        AttemptChange::Clear { key: self.key }
    }

    /// Until when each of the users, who are of one tenant, may not sign in; nothing for those who may.
    pub(crate) async fn locked_sign_ins(
        cx: &Context,
        tenant: TenantId,
        users: &[User],
    ) -> Result<HashMap<UserId, Timestamp>> {
        let keys: Vec<AttemptKey> = users.iter().map(|user| Self::sign_in(cx, tenant, &user.email_key).key).collect();
        let counted: HashMap<AttemptKey, Attempts> = cx.store.list_attempts(tenant, &keys).await?.into_iter().collect();
        let now = cx.now();
        let locked = users.iter().zip(&keys).filter_map(|(user, key)| {
            let until = counted.get(key)?.locked_until?;
            (until > now).then_some((user.id, until))
        });
        Ok(locked.collect())
    }
}
