use super::{
    FeedCursor, FeedEvent, KeySet, Principal, UserAuthority,
    activity::Activity,
    cache::{Verified, VerifiedTokens},
    device_tokens::{self, DeviceClaims},
    revocations::{Revocations, distinct},
    snapshot::{News, Snapshot, Stamped},
    verify::{Claims, Expiry, MAX_TOKEN, Refused, verify},
};
use crate::{
    Context, Result, SessionPolicy, Settings,
    crypto::sha256,
    ports::StoreError,
    rbac::{PermissionSet, RoleTable},
    tenants::{Tenant, TenantTable},
};
use arc_swap::ArcSwap;
use authkit_wire::{RoleId, SessionId, TenantId, UserStatus};
use jiff::{SignedDuration, Timestamp};
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
};

/// How long a node that does not hear the feed trusts what it knows.
const FRESH: SignedDuration = SignedDuration::from_secs(2);

/// How far clocks, polls and commits may lie apart beyond what the settings allow.
const MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// How often what no token depends on any more is forgotten.
const PRUNE_EVERY: i64 = 10_000_000;

/// Reads in one second that tokens with unknown keys or tenants can cause, however many there are.
const NEWS_PER_SECOND: u32 = 4;

/// What this node knows without asking the store: keys, tenants and roles as a snapshot, and of users and sessions
/// only what changed within one access token's life.
#[derive(Debug)]
pub struct Authority {
    snapshot: ArcSwap<Snapshot>,
    /// Held while a snapshot is replaced, never over an await.
    replacing: Mutex<()>,
    /// Each read takes one before it begins: of two reads of the same thing, that with the higher one counts. So the
    /// last of several changes is in force however their reads overtake each other.
    tickets: AtomicU64,
    revocations: Revocations,
    verified: VerifiedTokens,
    activity: Activity,
    cursor: Mutex<Option<FeedCursor>>,
    polling: AtomicBool,
    /// When the last successful poll began, in microseconds.
    heard_at: AtomicI64,
    pruned_at: AtomicI64,
    /// Events of own commits whose reads failed, for the next poll.
    missed: Mutex<Vec<Missed>>,
    behind: AtomicBool,
    /// The second, and the reads for unknown keys and tenants in it.
    news: Mutex<(i64, u32)>,
}

impl Default for Authority {
    /// An authority that knows nothing yet. It [`load`](Self::load)s before its first use, at the latest when it is
    /// first asked.
    fn default() -> Self {
        Self {
            snapshot: ArcSwap::default(),
            replacing: Mutex::default(),
            tickets: AtomicU64::new(1),
            revocations: Revocations::default(),
            verified: VerifiedTokens::default(),
            activity: Activity::default(),
            cursor: Mutex::default(),
            polling: AtomicBool::new(false),
            heard_at: AtomicI64::new(i64::MIN),
            pruned_at: AtomicI64::new(i64::MIN),
            missed: Mutex::default(),
            behind: AtomicBool::new(false),
            news: Mutex::new((i64::MIN, 0)),
        }
    }
}

impl Authority {
    /// Reads keys, tenants, roles, and the feed of the last access token's life.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn load(&self, cx: &Context) -> Result<()> {
        let since = cx.now().saturating_sub(memory(&cx.settings)).unwrap_or(Timestamp::MIN);
        // Before the reads, so that what happens during them is heard.
        let cursor = cx.store.feed_start(since).await?;
        let (tenants, keys) = (self.read_tenants(cx).await?, self.read_keys(cx).await?);
        let ids: Vec<TenantId> = tenants.value.ids().collect();
        let mut news = vec![News::Keys(keys), News::Tenants(tenants)];
        for tenant in ids {
            news.push(News::Roles(tenant, self.read_roles(cx, tenant).await?));
        }
        self.install(&news);
        *lock(&self.cursor) = Some(cursor);
        self.hear(cx).await.map(|_| ())
    }

    /// Takes events in: reads again what they name. When a read fails, this node counts as stale until a
    /// [`poll`](Self::poll) has made up for it.
    pub async fn apply(&self, cx: &Context, events: &[FeedEvent]) {
        if events.is_empty() {
            return;
        }
        // Noted first: the caller may drop this future between any two reads.
        let noted = self.note_missed(events);
        match self.take_in(cx, events).await {
            Ok(()) => self.forget_missed(&noted),
            Err(error) => {
                tracing::warn!(%error, "could not read what changed; checking rows until the feed is heard");
                self.admit_missed(&noted);
            }
        }
    }

    /// Reads the feed from where it was left, takes its events in, and only then moves on. When somebody else is
    /// just doing that, it does nothing.
    ///
    /// # Errors
    /// Those of the store; this node becomes stale when that goes on.
    pub async fn poll(&self, cx: &Context) -> Result<()> {
        if lock(&self.cursor).is_none() {
            return self.load(cx).await;
        }
        self.hear(cx).await.map(|_| ())
    }

    /// Hears the feed when it was not heard lately. Whoever signs tokens or trusts a tenant's state does this first; with a
    /// worker that polls it never has to read.
    ///
    /// # Errors
    /// `server.unavailable`.
    pub async fn freshen(&self, cx: &Context) -> Result<()> {
        if self.is_stale(cx.now()) { self.poll(cx).await } else { Ok(()) }
    }

    /// Whether what this node knows may be out of date: the last successful poll is more than two seconds ago, or a
    /// change is known that could not be read.
    #[must_use]
    pub fn is_stale(&self, now: Timestamp) -> bool {
        let heard = self.heard_at.load(Ordering::Acquire);
        let age = now.as_microsecond().saturating_sub(heard);
        // A clock that was set back makes the age meaningless.
        age.unsigned_abs() > FRESH.as_micros().unsigned_abs() as u64 || self.behind.load(Ordering::Acquire)
    }

    /// How long ago this node last read the feed.
    #[must_use]
    pub fn feed_age(&self, now: Timestamp) -> std::time::Duration {
        let micros = now.as_microsecond().saturating_sub(self.heard_at.load(Ordering::Acquire));
        std::time::Duration::from_micros(micros.try_into().unwrap_or_default())
    }

    /// Verifies an access token against what this node knows. It reads nothing and takes no lock.
    ///
    /// # Errors
    /// `auth.invalid_token`, whatever the reason.
    pub fn authenticate(&self, cx: &Context, token: &str) -> Result<Principal> {
        Ok(self.check(cx, token)?)
    }

    /// The same for a stale node: it hears the feed, or else reads the session and its user.
    ///
    /// # Errors
    /// `auth.invalid_token`; `server.unavailable` when nothing can be read.
    pub async fn authenticate_stale(&self, cx: &Context, token: &str) -> Result<Principal> {
        if token.len() > MAX_TOKEN {
            return Err(Refused::Invalid.into());
        }
        let loaded = if lock(&self.cursor).is_none() { self.load(cx).await.is_ok() } else { true };
        if loaded && self.hear(cx).await.unwrap_or(false) {
            return self.check_with_news(cx, token).await;
        }
        let claims = match self.claims(cx, token, Expiry::Checked) {
            Err(Refused::UnknownKey) if self.read_news(cx).await => self.claims(cx, token, Expiry::Checked)?,
            other => other?,
        };
        let session = cx.store.find_session(claims.tenant, claims.session).await?;
        if session.is_none_or(|session| session.user != claims.user) {
            return Err(Refused::Invalid.into());
        }
        let user = cx.store.user_authority(claims.tenant, claims.user).await?;
        Ok(self.principal(&self.snapshot.load(), claims, Some(&user))?)
    }

    /// Notes that a session is in use.
    pub fn note_activity(&self, principal: &Principal, now: Timestamp) {
        self.activity.note(principal.tenant, principal.session, now);
    }

    /// Takes what was noted since the last call: when sessions were last seen, to the minute.
    pub fn take_activity(&self) -> Vec<(TenantId, SessionId, Timestamp)> {
        self.activity.take()
    }

    /// The tenant, active or not, as this node knows it.
    #[must_use]
    pub fn tenant(&self, id: TenantId) -> Option<Arc<Tenant>> {
        self.snapshot.load().tenant(id).cloned()
    }

    /// The tenant's roles as this node knows them.
    #[must_use]
    pub fn roles(&self, tenant: TenantId) -> Option<Arc<RoleTable>> {
        self.snapshot.load().roles_of(tenant).cloned()
    }

    /// The policy on sessions in a tenant: its own, else the installation's.
    #[must_use]
    pub fn session_policy(&self, tenant: TenantId, settings: &Settings) -> SessionPolicy {
        let mut policy = settings.sessions.clone();
        if let Some(tenant) = self.snapshot.load().tenant(tenant) {
            let minutes = |minutes: Option<u32>| minutes.map(|n| SignedDuration::from_mins(n.into()));
            policy.max_per_user = tenant.settings.max_sessions.or(policy.max_per_user);
            policy.idle_timeout = minutes(tenant.settings.idle_minutes).or(policy.idle_timeout);
            policy.absolute_timeout = minutes(tenant.settings.absolute_minutes).or(policy.absolute_timeout);
        }
        policy
    }

    /// When the session was last seen by this node.
    pub(super) fn last_seen(&self, session: SessionId) -> Option<Timestamp> {
        self.activity.last(session)
    }

    /// Notes again what could not be written.
    pub(super) fn put_back_activity(&self, taken: &[(TenantId, SessionId, Timestamp)]) {
        self.activity.put_back(taken);
    }

    /// What this node knows of keys, tenants and roles.
    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// All tenants.
    pub(crate) fn tenants(&self) -> Arc<TenantTable> {
        self.snapshot.load().tenants().clone()
    }

    /// What `token` says, when AuthKit signed it.
    pub(super) fn claims(&self, cx: &Context, token: &str, expiry: Expiry) -> Result<Claims, Refused> {
        verify(self.snapshot.load().keys(), &cx.settings, token, cx.now(), expiry)
    }

    /// [`authenticate`](Self::authenticate), with the reason for refusing.
    pub(super) fn check(&self, cx: &Context, token: &str) -> Result<Principal, Refused> {
        // Before anything is done with it.
        if token.len() > MAX_TOKEN {
            return Err(Refused::Invalid);
        }
        let now = cx.now();
        let snapshot = self.snapshot.load();
        let digest = sha256(token.as_bytes());
        let known = self.verified.get(&digest, |known| {
            let current = known.generation == snapshot.generation
                && known.not_before <= now
                && now < known.until
                && known.ticket == self.revocations.ticket(known.principal.user);
            current.then(|| known.principal.clone())
        });
        if let Some(principal) = known {
            return if self.revocations.has_ended(principal.session) { Err(Refused::Invalid) } else { Ok(principal) };
        }

        let claims = verify(snapshot.keys(), &cx.settings, token, now, Expiry::Checked)?;
        if self.revocations.has_ended(claims.session) {
            return Err(Refused::Invalid);
        }
        let until = claims.expires_at.saturating_add(cx.settings.tokens.leeway.as_secs());
        let until = Timestamp::from_second(until).map_err(|_| Refused::Invalid)?;
        let not_before = Timestamp::from_second(claims.not_before).map_err(|_| Refused::Invalid)?;
        let changed = self.revocations.changed(claims.user);
        let principal = self.principal(&snapshot, claims, changed.as_ref().map(|read| &*read.value))?;
        self.verified.put(Verified {
            digest,
            generation: snapshot.generation,
            ticket: changed.map_or(0, |read| read.ticket),
            not_before,
            until,
            principal: principal.clone(),
        });
        Ok(principal)
    }

    /// [`check`](Self::check), which looks once for a key or tenant that is not known here yet.
    pub(super) async fn check_with_news(&self, cx: &Context, token: &str) -> Result<Principal> {
        match self.check(cx, token) {
            Err(Refused::UnknownKey | Refused::UnknownTenant) if self.read_news(cx).await => Ok(self.check(cx, token)?),
            checked => Ok(checked?),
        }
    }

    /// What a device's token says, when it is one, its tenant is active and its key was not revoked. A stale node hears
    /// the feed first. Whether the device may still act is its row's to say.
    ///
    /// # Errors
    /// `auth.invalid_token`, whatever the reason; `server.unavailable` when a stale node cannot read.
    pub(crate) async fn device_claims(&self, cx: &Context, token: &str) -> Result<DeviceClaims> {
        self.freshen(cx).await?;
        match self.check_device(cx, token) {
            Err(Refused::UnknownKey | Refused::UnknownTenant) if self.read_news(cx).await => {
                Ok(self.check_device(cx, token)?)
            }
            checked => Ok(checked?),
        }
    }

    fn check_device(&self, cx: &Context, token: &str) -> Result<DeviceClaims, Refused> {
        let snapshot = self.snapshot.load();
        let claims = device_tokens::verify(snapshot.keys(), &cx.settings, token, cx.now())?;
        let tenant = snapshot.tenant(claims.tenant).ok_or(Refused::UnknownTenant)?;
        if tenant.active { Ok(claims) } else { Err(Refused::Invalid) }
    }

    /// Who presents the verified claims. `user` is what is known of the user beyond them.
    fn principal(
        &self,
        snapshot: &Snapshot,
        claims: Claims,
        user: Option<&Option<UserAuthority>>,
    ) -> Result<Principal, Refused> {
        let tenant = snapshot.tenant(claims.tenant).ok_or(Refused::UnknownTenant)?;
        if !tenant.active {
            return Err(Refused::Invalid);
        }
        let table = snapshot.roles_of(claims.tenant);
        let roles: Arc<[RoleId]> = match user {
            None => {
                // A name that was given to a role after the token was made does not mean that role.
                let means =
                    |name: &String| table?.by_name(name).filter(|role| role.named_at.as_second() <= claims.issued_at);
                claims.roles.iter().filter_map(means).map(|role| role.id).collect()
            }
            Some(Some(user)) if counts(user, &claims) => user.roles.as_slice().into(),
            Some(_) => return Err(Refused::Invalid),
        };
        let permissions =
            table.map_or_else(|| Arc::new(PermissionSet::default()), |table| table.permissions_of(&roles));
        Ok(Principal {
            tenant: claims.tenant,
            user: claims.user,
            session: claims.session,
            auth_time: Timestamp::from_second(claims.auth_time).map_err(|_| Refused::Invalid)?,
            amr: claims.amr,
            expires_at: Timestamp::from_second(claims.expires_at).map_err(|_| Refused::Invalid)?,
            roles,
            permissions,
        })
    }

    /// Reads the feed once. `false` when somebody else is just doing that.
    async fn hear(&self, cx: &Context) -> Result<bool, crate::Error> {
        let Some(_turn) = Turn::take(&self.polling) else { return Ok(false) };
        let started = cx.now();
        let Some(cursor) = lock(&self.cursor).clone() else { return Ok(false) };
        let missed = lock(&self.missed).clone();
        let (events, next) = cx.store.read_feed(&cursor).await?;
        let events = distinct(missed.iter().map(|missed| missed.event).chain(events));
        self.take_in(cx, &events).await?;
        self.forget_missed(&missed);
        *lock(&self.cursor) = Some(next);
        self.heard_at.store(started.as_microsecond(), Ordering::Release);
        self.prune(started);
        Ok(true)
    }

    async fn take_in(&self, cx: &Context, events: &[FeedEvent]) -> Result<(), StoreError> {
        let until = cx.after(memory(&cx.settings));
        // What needs no read comes first: nothing delays it.
        for event in events {
            if let FeedEvent::SessionEnded(_, session) = event {
                self.revocations.end(*session, until);
            }
        }
        let mut news = Vec::new();
        for event in events {
            match *event {
                FeedEvent::SessionEnded(..) => {}
                FeedEvent::UserChanged(tenant, user) => {
                    let ticket = self.ticket();
                    let value = Arc::new(cx.store.user_authority(tenant, user).await?);
                    self.revocations.change(user, &Stamped { ticket, value }, until);
                }
                FeedEvent::RolesChanged(tenant) => news.push(News::Roles(tenant, self.read_roles(cx, tenant).await?)),
                FeedEvent::KeysChanged => news.push(News::Keys(self.read_keys(cx).await?)),
                FeedEvent::TenantsChanged => self.read_tenants_and_roles(cx, &mut news).await?,
            }
        }
        self.install(&news);
        Ok(())
    }

    /// Reads keys and tenants again, unless that was done too often in this second. Returns whether it did.
    async fn read_news(&self, cx: &Context) -> bool {
        {
            let mut spent = lock(&self.news);
            let second = cx.now().as_second();
            if spent.0 != second {
                *spent = (second, 0);
            }
            if spent.1 >= NEWS_PER_SECOND {
                return false;
            }
            spent.1 += 1;
        }
        self.take_in(cx, &[FeedEvent::KeysChanged, FeedEvent::TenantsChanged]).await.is_ok()
    }

    async fn read_keys(&self, cx: &Context) -> Result<Stamped<KeySet>, StoreError> {
        let ticket = self.ticket();
        let stored = cx.store.list_keys().await?;
        let keys = KeySet::new(&stored, &cx.keyring, self.snapshot.load().keys());
        Ok(Stamped { ticket, value: Arc::new(keys) })
    }

    async fn read_tenants(&self, cx: &Context) -> Result<Stamped<TenantTable>, StoreError> {
        let ticket = self.ticket();
        Ok(Stamped { ticket, value: Arc::new(TenantTable::new(cx.store.list_tenants().await?)) })
    }

    async fn read_roles(&self, cx: &Context, tenant: TenantId) -> Result<Stamped<RoleTable>, StoreError> {
        let ticket = self.ticket();
        let (roles, version) = cx.store.list_roles(tenant).await?;
        Ok(Stamped { ticket, value: Arc::new(RoleTable::new(roles, version, &cx.permissions)) })
    }

    /// Tenants, and the roles of those that are new here.
    async fn read_tenants_and_roles(&self, cx: &Context, news: &mut Vec<News>) -> Result<(), StoreError> {
        let tenants = self.read_tenants(cx).await?;
        let known = self.snapshot();
        for tenant in tenants.value.ids().filter(|&id| known.roles_of(id).is_none()) {
            news.push(News::Roles(tenant, self.read_roles(cx, tenant).await?));
        }
        news.push(News::Tenants(tenants));
        Ok(())
    }

    fn install(&self, news: &[News]) {
        if !news.is_empty() {
            let _one_at_a_time = lock(&self.replacing);
            let next = self.snapshot.load().with(news);
            self.snapshot.store(Arc::new(next));
        }
    }

    fn ticket(&self) -> u64 {
        self.tickets.fetch_add(1, Ordering::SeqCst)
    }

    fn note_missed(&self, events: &[FeedEvent]) -> Vec<Missed> {
        let note = |&event| Missed { ticket: self.ticket(), event, failed: false };
        let noted: Vec<Missed> = events.iter().map(note).collect();
        lock(&self.missed).extend_from_slice(&noted);
        noted
    }

    /// The reads of `noted` failed. What a poll has made up for meanwhile is not among the missed ones any more.
    fn admit_missed(&self, noted: &[Missed]) {
        let mut missed = lock(&self.missed);
        for item in missed.iter_mut().filter(|item| noted.iter().any(|noted| noted.ticket == item.ticket)) {
            item.failed = true;
        }
        self.behind.store(missed.iter().any(|item| item.failed), Ordering::Release);
    }

    fn forget_missed(&self, made_up: &[Missed]) {
        let mut missed = lock(&self.missed);
        missed.retain(|item| !made_up.iter().any(|made_up| made_up.ticket == item.ticket));
        self.behind.store(missed.iter().any(|item| item.failed), Ordering::Release);
    }

    /// How many ended sessions and changed users are remembered.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> (usize, usize) {
        self.revocations.len()
    }

    /// Forgets changed users, as after an access token's life.
    #[cfg(test)]
    pub(super) fn forget_users(&self) {
        self.revocations.prune(Timestamp::MAX);
    }

    fn prune(&self, now: Timestamp) {
        let now_us = now.as_microsecond();
        if now_us.saturating_sub(self.pruned_at.load(Ordering::Relaxed)) >= PRUNE_EVERY {
            self.pruned_at.store(now_us, Ordering::Relaxed);
            self.revocations.prune(now);
        }
    }
}

/// An event whose reads are not done.
#[derive(Clone, Copy, Debug)]
struct Missed {
    ticket: u64,
    event: FeedEvent,
    failed: bool,
}

/// Whether the user's state lets the token count.
fn counts(user: &UserAuthority, claims: &Claims) -> bool {
    user.status == UserStatus::Active
        && (claims.version >= user.security_version || user.kept_session == Some(claims.session))
}

/// How long after a change a token from before it may still be within its times.
fn memory(settings: &Settings) -> SignedDuration {
    settings.tokens.access + settings.tokens.leeway * 2 + MARGIN
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The right to read the feed, given back when dropped, also in the middle of it.
struct Turn<'a>(&'a AtomicBool);

impl<'a> Turn<'a> {
    fn take(polling: &'a AtomicBool) -> Option<Self> {
        polling.compare_exchange(false, true, Ordering::AcqRel, Ordering::Relaxed).is_ok().then_some(Self(polling))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}
