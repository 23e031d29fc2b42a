//! Wrong claim codes: counted before they are looked up, by client address and by tenant.
//!
//! A code has 60 bits, so the address's limit alone makes guessing hopeless. Many addresses together are slowed down by
//! the tenant's: while it is reached, only addresses pass that have not been wrong lately, so that a stranger keeps no
//! honest device out.

use crate::{
    Context, Error, LockoutPolicy, Origin, Result,
    auth::{self, AttemptChange, AttemptKey},
    ports::{Scope, Unit},
};
use authkit_wire::{ErrorCode, TenantId};
use jiff::SignedDuration;
use std::{net::IpAddr, time::Duration};

/// How many may be wrong in how much time, and for how long none counts after that.
const ADDRESS: LockoutPolicy = LockoutPolicy {
    failures: 20,
    window: SignedDuration::from_mins(15),
    first_lock: SignedDuration::from_mins(1),
    longest_lock: SignedDuration::from_mins(15),
};

const TENANT: LockoutPolicy = LockoutPolicy {
    failures: 500,
    window: SignedDuration::from_mins(1),
    first_lock: SignedDuration::from_mins(1),
    longest_lock: SignedDuration::from_mins(1),
};

/// An attempt that was counted.
pub(super) struct Guess {
    tenant: TenantId,
    /// What it was counted under, and whether it was the last one before a lock.
    counted: Vec<(AttemptKey, bool)>,
}

impl Guess {
    /// Counts an attempt before it is made.
    ///
    /// # Errors
    /// `auth.too_many_attempts`.
    pub(super) async fn begin(cx: &Context, origin: &Origin) -> Result<Self> {
        let tenant = origin.tenant;
        let key =
            |kind: &[u8], whose: &[u8]| cx.keyring.index("device-claims", &[tenant.uuid().as_bytes(), kind, whose]);
        let mut guess = Self { tenant, counted: Vec::with_capacity(2) };
        let address = key(b"address", &network(origin.ip));
        let Some(wrong) = guess.count(cx, address, &ADDRESS).await? else {
            return Err(guess.too_many(cx, &address).await);
        };
        let all = key(b"tenant", &[]);
        if guess.count(cx, all, &TENANT).await?.is_none() && wrong > 1 {
            guess.withdraw(cx).await?;
            return Err(guess.too_many(cx, &all).await);
        }
        Ok(guess)
    }

    /// The number that the window then holds; `None` while it is locked.
    async fn count(&mut self, cx: &Context, key: AttemptKey, limit: &LockoutPolicy) -> Result<Option<i64>> {
        let wrong = auth::reserve(cx, self.tenant, key, limit).await?;
        self.counted.extend(wrong.map(|wrong| (key, wrong >= limit.failures)));
        Ok(wrong)
    }

    /// The changes that take it back: the code was right. Earlier wrong ones stay counted, else a claim of one's own
    /// would wash them off.
    pub(super) fn withdrawals(&self) -> impl Iterator<Item = AttemptChange> {
        self.counted.iter().map(|&(key, last)| AttemptChange::Withdraw { key, last })
    }

    /// Takes it back where something else than the code stood in the way.
    pub(super) async fn withdraw(&self, cx: &Context) -> Result<()> {
        let mut unit = Unit::new();
        unit.extend(self.withdrawals());
        cx.commit(Scope::Tenant(self.tenant), unit).await?;
        Ok(())
    }

    async fn too_many(&self, cx: &Context, key: &AttemptKey) -> Error {
        let wait = auth::wait(cx, self.tenant, key).await.unwrap_or(Duration::from_secs(1));
        Error::new(ErrorCode::TooManyAttempts, "Too many wrong claim codes came from here; try again later.")
            .retry_after(wait)
    }
}

/// An IPv4 address, or an IPv6 network of 64 bits: whoever has one address of it has them all.
fn network(ip: Option<IpAddr>) -> Vec<u8> {
    match ip.map(|ip| ip.to_canonical()) {
        None => Vec::new(),
        Some(IpAddr::V4(ip)) => ip.octets().to_vec(),
        Some(IpAddr::V6(ip)) => ip.octets()[..8].to_vec(),
    }
}
