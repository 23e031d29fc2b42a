//! Deleting what has expired, and writing down activity.

use super::{KeyChange, SessionChange, Sessions};
use crate::{
    Context, Result,
    accounts::AccountChange,
    auth::AttemptChange,
    devices::{CHALLENGES_KEPT, DeviceChange},
    notices::NoticeChange,
    ports::{Change, Scope, Unit},
    tenants::IdempotencyChange,
};
use jiff::{SignedDuration, Timestamp};

/// What a change deletes at most, so that no unit holds the writer for long.
const BATCH: i64 = 1000;

/// Units for one kind of row in one sweep; the next sweep goes on.
const UNITS: usize = 50;

/// The feed is kept for so long, or for the life of an access token if that is longer.
const FEED: SignedDuration = SignedDuration::from_hours(1);

/// Counted attempts are forgotten after this time without any: their locks are, a day after the last.
const ATTEMPTS: SignedDuration = SignedDuration::from_hours(48);

/// Sessions that one unit notes activity of.
const TOUCH: usize = 500;

impl Sessions {
    /// Deletes what has expired in every tenant: sessions, registrations, single-use tokens, counted attempts, answers
    /// of repeatable requests, notices, claims and challenges of devices, and the old end of the feed. Returns how many rows.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn sweep(&self) -> Result<u64> {
        let cx = &*self.cx;
        let now = cx.now();
        let tokens = &cx.settings.tokens;
        let ago = |by: SignedDuration| now.saturating_sub(by).unwrap_or(Timestamp::MIN);
        let feed = FEED.max((tokens.access + tokens.leeway) * 2);
        let expired: [Change; 7] = [
            SessionChange::DeleteExpired { before: now, idle_since: longest_idle(cx).map(ago) }.into(),
            AccountChange::DeleteExpired { before: now }.into(),
            AttemptChange::DeleteStale { before: ago(ATTEMPTS) }.into(),
            IdempotencyChange::DeleteExpired { before: now }.into(),
            NoticeChange::DeleteExpired { before: now }.into(),
            DeviceChange::DeleteExpired { claims: now, challenges: ago(CHALLENGES_KEPT) }.into(),
            KeyChange::PruneFeed { before: ago(feed) }.into(),
        ];
        let mut deleted = 0;
        for change in expired {
            for _ in 0..UNITS {
                let rows = cx.commit(Scope::System, Unit::new().with(change.clone())).await?.get(0);
                deleted += rows.unsigned_abs();
                if rows < BATCH {
                    break;
                }
            }
        }
        Ok(deleted)
    }

    /// Writes down when sessions were last seen. Returns how many.
    ///
    /// # Errors
    /// Those of the store; what was not written is written the next time.
    pub async fn flush_activity(&self) -> Result<usize> {
        let cx = &*self.cx;
        let taken = cx.authority.take_activity();
        for (at, batch) in taken.chunks(TOUCH).enumerate() {
            let unit = Unit::new().with(SessionChange::Touch(batch.to_vec()));
            if let Err(error) = cx.commit(Scope::System, unit).await {
                cx.authority.put_back_activity(&taken[at * TOUCH..]);
                return Err(error.into());
            }
        }
        Ok(taken.len())
    }
}

/// The longest idle time of any tenant: a sweep over all of them must not end what one of them still allows.
///
/// `None` when there is a tenant without a limit, its own or the installation's. Where tenants differ, sessions of the
/// stricter ones stay as rows until this time or their refresh token is over; they open nothing any more, since every
/// refresh goes by its own tenant's limit.
fn longest_idle(cx: &Context) -> Option<SignedDuration> {
    let installation = cx.settings.sessions.idle_timeout;
    let tenants = cx.authority.tenants();
    let own = |minutes: Option<u32>| minutes.map(|minutes| SignedDuration::from_mins(minutes.into()));
    let limits = tenants.iter().map(|tenant| own(tenant.settings.idle_minutes).or(installation));
    // The longest, and none at all as soon as one is missing.
    limits.reduce(|longest, limit| longest.zip(limit).map(|(longest, limit)| longest.max(limit))).flatten()
}
