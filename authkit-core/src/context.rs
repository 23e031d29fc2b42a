use crate::{
    Error, Settings,
    audit::AuditChange,
    crypto::Keyring,
    notices::Templates,
    ports::{
        Applied, BreachedPasswords, Change, Clock, Hooks, NewAccount, Observer, Operation, PasswordHasher, Places,
        Random, Scope, Store, StoreError, Unit,
    },
    rbac::Permissions,
    sessions::{Authority, FeedEvent, Sessions},
    tenants::Tenants,
};
use authkit_wire::{AuditOutcome, ErrorCode, TenantId};
use jiff::{SignedDuration, Timestamp};
use std::{net::IpAddr, sync::Arc};
use uuid::Uuid;

/// How often a change is made anew when others are faster. The host application is asked once, before the first time.
pub(crate) const TRIES: usize = 16;

/// `at + by`, at most the last time there is.
pub(crate) fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// What every service works with: the ports, the keys and the settings of one installation.
#[derive(Debug)]
pub struct Context {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Argon2id on a bounded pool.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Passwords known from breaches.
    pub breached: Arc<dyn BreachedPasswords>,
    /// Where an address is on the map.
    pub places: Arc<dyn Places>,
    /// The host application's hooks.
    pub hooks: Arc<dyn Hooks>,
    /// Hears what was committed.
    pub observer: Arc<dyn Observer>,
    /// The keys that seal, authenticate and index.
    pub keyring: Keyring,
    /// Policies and limits.
    pub settings: Settings,
    /// The permissions that exist.
    pub permissions: Permissions,
    /// Mail templates.
    pub templates: Templates,
    /// What this node knows without asking the store: keys, roles, tenants, revocations.
    pub authority: Authority,
}

impl Context {
    /// The time, in whole microseconds (as the stores keep it).
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The time so long from now, at most the last one there is.
    #[must_use]
    pub fn after(&self, span: SignedDuration) -> Timestamp {
        later(self.now(), span)
    }

    /// Writes what every installation starts with, the default tenant, its system roles and a signing key, and reads what
    /// this node is to know. Nodes may do so at the same time; one that loses a race can do it again.
    ///
    /// # Errors
    /// Those of the store; `server.internal` when the key in use cannot be opened with the configured master keys.
    pub async fn prepare(self: &Arc<Self>) -> Result<(), Error> {
        Tenants::new(self.clone()).ensure_default().await?;
        Sessions::new(self.clone()).ensure_keys().await?;
        self.authority.load(self).await
    }

    /// Commits `unit`, and lets this node know at once what it tells every node. Other nodes, and this one if the
    /// caller is dropped on the way, hear of it from the feed.
    ///
    /// # Errors
    /// Those of [`Store::commit`].
    pub async fn commit(&self, scope: Scope, unit: Unit) -> Result<Applied, StoreError> {
        let events: Vec<FeedEvent> = unit
            .changes
            .iter()
            .filter_map(|change| if let Change::Feed(event) = change { Some(*event) } else { None })
            .collect();
        let recorded: Vec<_> = unit
            .changes
            .iter()
            .filter_map(|change| match change {
                Change::Audit(AuditChange::Write(record)) => Some((record.action.clone(), record.outcome)),
                _ => None,
            })
            .collect();
        let applied = self.store.commit(scope, unit).await?;
        for (action, outcome) in &recorded {
            self.observer.committed(action, *outcome);
        }
        self.authority.apply(self, &events).await;
        Ok(applied)
    }

    /// The same for a unit that is made anew when something that it expects has changed: `None` says that it has. Try
    /// it at most [`TRIES`] times.
    pub(crate) async fn try_commit(&self, scope: Scope, unit: Unit) -> Result<Option<Applied>, Error> {
        match self.commit(scope, unit).await {
            Ok(applied) => Ok(Some(applied)),
            Err(error) if error.conflict().is_some() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Tells the observer of an operation that leaves no audit record how it ended.
    pub(crate) fn happened<T>(&self, what: &'static str, result: Result<T, Error>) -> Result<T, Error> {
        let outcome = if result.is_ok() { AuditOutcome::Success } else { AuditOutcome::Failure };
        self.observer.happened(what, outcome);
        result
    }

    /// Asks the host application whether an operation may go on. Call it after validation and before the unit of work.
    ///
    /// # Errors
    /// `auth.refused_by_application`, with the application's reason.
    pub async fn before(&self, operation: &Operation, account: Option<&NewAccount<'_>>) -> Result<(), Error> {
        self.hooks
            .before(operation, account)
            .await
            .map_err(|refusal| Error::new(ErrorCode::HookRefused, refusal.reason))
    }

    /// A fresh `UUIDv7` from the clock and randomness ports (RFC 9562, section 5.7), in the order of time down to the
    /// microsecond (section 6.2, method 3).
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        let mut random = [0; 10];
        self.random.fill(&mut random);
        let micros = u64::try_from(self.now().as_microsecond()).unwrap_or_default();
        // The part of the millisecond in 12 bits; the version takes the upper four of the first byte.
        let part = (micros % 1000) * 4096 / 1000;
        random[..2].copy_from_slice(&(part as u16).to_be_bytes());
        uuid::Builder::from_unix_timestamp_millis(micros / 1000, &random).into_uuid()
    }
}

/// Where a request came from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The tenant found before sign-in: by host, by header, else the default.
    pub tenant: TenantId,
    /// Whether host or header name it. Where they do not, a token may say which tenant it is for.
    pub names_tenant: bool,
    /// The client's address, through trusted proxies only.
    pub ip: Option<IpAddr>,
    /// The `User-Agent`, cut to 256 characters without control characters.
    pub user_agent: Option<String>,
    /// Finds the request in the logs.
    pub trace_id: Option<String>,
}

impl Origin {
    /// A request from inside the process: a worker, the command line, an embedding application.
    #[must_use]
    pub const fn local(tenant: TenantId) -> Self {
        Self { tenant, names_tenant: false, ip: None, user_agent: None, trace_id: None }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Settings,
        memory::{ManualClock, SeededRandom, bare},
    };
    use jiff::{SignedDuration, Timestamp};

    #[test]
    fn ids_follow_the_clock_and_differ_when_it_stands() {
        let clock = ManualClock::new(Timestamp::from_second(1_800_000_000).expect("in range"));
        let cx = bare(clock.clone(), SeededRandom::new(1), Settings::default()).expect("a context");
        assert_ne!(cx.uuid(), cx.uuid());
        let mut last = cx.uuid();
        for _ in 0..2000 {
            clock.advance(SignedDuration::from_micros(1));
            let next = cx.uuid();
            assert!(last < next && next.get_version_num() == 7);
            last = next;
        }
    }
}
