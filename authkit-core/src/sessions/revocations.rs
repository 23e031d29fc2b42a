use super::{FeedEvent, UserAuthority, snapshot::Stamped};
use authkit_wire::{SessionId, UserId};
use jiff::Timestamp;

/// What changed within one access token's life: sessions that ended, and what decides about users who changed.
#[derive(Debug, Default)]
pub(super) struct Revocations {
    /// Ended sessions, and until when tokens of theirs may be around.
    ended: papaya::HashMap<SessionId, Timestamp>,
    /// Changed users. `None`: there is no such user any more.
    users: papaya::HashMap<UserId, Changed>,
}

/// A changed user.
#[derive(Clone, Debug)]
pub(super) struct Changed {
    /// The read that it comes from.
    pub(super) read: Stamped<Option<UserAuthority>>,
    until: Timestamp,
}

impl Revocations {
    /// Remembers that a session ended.
    pub(super) fn end(&self, session: SessionId, until: Timestamp) {
        let ended = self.ended.pin();
        ended.update_or_insert(session, |known| (*known).max(until), until);
    }

    /// Remembers what was read of a user, unless a later read is remembered.
    pub(super) fn change(&self, user: UserId, read: &Stamped<Option<UserAuthority>>, until: Timestamp) {
        let new = Changed { read: read.clone(), until };
        self.users.pin().update_or_insert(
            user,
            |known| {
                let newer = if known.read.ticket < read.ticket { &new } else { known };
                Changed { read: newer.read.clone(), until: known.until.max(until) }
            },
            new.clone(),
        );
    }

    /// Whether the session ended.
    pub(super) fn has_ended(&self, session: SessionId) -> bool {
        self.ended.pin().contains_key(&session)
    }

    /// The ticket of what is remembered of the user; 0 when that is nothing.
    pub(super) fn ticket(&self, user: UserId) -> u64 {
        self.users.pin().get(&user).map_or(0, |changed| changed.read.ticket)
    }

    /// What is remembered of the user.
    pub(super) fn changed(&self, user: UserId) -> Option<Stamped<Option<UserAuthority>>> {
        self.users.pin().get(&user).map(|changed| changed.read.clone())
    }

    /// Forgets what no token can depend on any more.
    pub(super) fn prune(&self, now: Timestamp) {
        self.ended.pin().retain(|_, until| *until > now);
        self.users.pin().retain(|_, changed| changed.until > now);
    }

    /// How many sessions and users are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> (usize, usize) {
        (self.ended.len(), self.users.len())
    }
}

/// Each event once, in order.
pub(super) fn distinct(events: impl IntoIterator<Item = FeedEvent>) -> Vec<FeedEvent> {
    let mut seen = std::collections::HashSet::new();
    events.into_iter().filter(|event| seen.insert(*event)).collect()
}
