use authkit_wire::{SessionId, TenantId};
use jiff::Timestamp;

/// When sessions were last seen, to the minute: a session in constant use costs one write a minute.
#[derive(Debug, Default)]
pub(super) struct Activity {
    seen: papaya::HashMap<SessionId, Seen>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    tenant: TenantId,
    minute: i64,
    written: bool,
}

/// Minutes that a session is remembered after it was written down, so that it is not noted twice in one.
const REMEMBERED: i64 = 2;

impl Activity {
    /// Notes that a session is in use.
    pub(super) fn note(&self, tenant: TenantId, session: SessionId, now: Timestamp) {
        let minute = minute(now);
        let seen = self.seen.pin();
        if seen.get(&session).is_none_or(|seen| seen.minute < minute) {
            seen.insert(session, Seen { tenant, minute, written: false });
        }
    }

    /// When the session was last seen here.
    pub(super) fn last(&self, session: SessionId) -> Option<Timestamp> {
        self.seen.pin().get(&session).and_then(|seen| at(seen.minute))
    }

    /// What was noted since the last call.
    pub(super) fn take(&self) -> Vec<(TenantId, SessionId, Timestamp)> {
        let map = self.seen.pin();
        let newest = map.values().map(|seen| seen.minute).max().unwrap_or_default();
        let mut taken = Vec::new();
        for (&session, seen) in &map {
            if !seen.written {
                taken.extend(at(seen.minute).map(|at| (seen.tenant, session, at)));
                let minute = seen.minute;
                map.update(session, |seen| Seen { written: seen.minute == minute, ..*seen });
            } else if seen.minute < newest - REMEMBERED {
                let minute = seen.minute;
                // Somebody may just have noted it again.
                let _ = map.remove_if(&session, |_, seen| seen.minute == minute);
            }
        }
        taken
    }

    /// Notes again what could not be written.
    pub(super) fn put_back(&self, taken: &[(TenantId, SessionId, Timestamp)]) {
        let map = self.seen.pin();
        for &(tenant, session, at) in taken {
            let again = Seen { tenant, minute: minute(at), written: false };
            map.update_or_insert(session, |seen| Seen { written: false, ..*seen }, again);
        }
    }
}

fn minute(at: Timestamp) -> i64 {
    at.as_second().div_euclid(60)
}

/// The end of the minute: a session is not idle earlier than the limit says because only its minute was noted.
fn at(minute: i64) -> Option<Timestamp> {
    Timestamp::from_microsecond(minute.checked_add(1)?.checked_mul(60_000_000)? - 1).ok()
}
