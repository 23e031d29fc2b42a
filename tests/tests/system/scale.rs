//! Many users: reads and writes of sign-in, refresh, lists and revocation cost what they cost with few.

use crate::refresh::engine;
use authkit_core::{
    accounts::{AccountChange, User, UserFilter},
    audit::{AuditChange, AuditFilter, AuditRecord},
    ports::{Position, Scope, StoreError, Unit},
    sessions::{RefreshState, Session, SessionChange},
    tenants::DEFAULT_TENANT,
    wire::{AuditId, AuditOutcome, SessionId, UserId, UserStatus},
};
use authkit_engine::Engine;
use authkit_tests::{Database, rounds};
use jiff::SignedDuration;
use std::{future::Future, time::Instant};
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    a_hundredfold_of_users_does_not_slow_the_store(Database::sqlite(), Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    let (small, large) = (Database::postgres_in_haste().await, Database::postgres_in_haste().await);
    a_hundredfold_of_users_does_not_slow_the_store(small, large).await;
}

/// How many users have a status, and records an action, that the others do not have.
const RARE: usize = 10;

fn uuid(kind: u64, n: usize) -> Uuid {
    Uuid::from_u64_pair(0x0192_0000_0000_7000 | kind << 20, 0x8000_0000_0000_0000 | n as u64)
}

fn key(n: usize) -> [u8; 33] {
    let mut key = [1; 33];
    // Spread over the index, as keyed hashes are.
    key[1..9].copy_from_slice(&(n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    key
}

fn hash(n: usize) -> [u8; 32] {
    let mut hash = [2; 32];
    hash[..8].copy_from_slice(&(n as u64).to_be_bytes());
    hash
}

async fn fill(engine: &Engine, from: usize, to: usize) {
    let cx = engine.context();
    let now = cx.now();
    for start in (from..to).step_by(500) {
        let mut unit = Unit::new();
        for n in start..(start + 500).min(to) {
            let user = UserId::new(uuid(1, n));
            unit.push(AccountChange::CreateUser(Box::new(User {
                id: user,
                tenant: DEFAULT_TENANT,
                email: format!("user{n}@example.com"),
                email_key: key(n),
                email_verified: true,
                name: Some(format!("User {n}")),
                locale: None,
                profile: serde_json::Map::new(),
                preferences: serde_json::Map::new(),
                password_hash: Some("$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA".into()),
                status: if n < RARE { UserStatus::Deactivated } else { UserStatus::Active },
                mfa_enabled: false,
                subject_key: vec![0; 64],
                security_version: 1,
                kept_session: None,
                version: 1,
                erase_at: None,
                last_sign_in_at: None,
                created_at: now,
                updated_at: now,
            })));
            unit.push(SessionChange::Create(Box::new(stored_session(n, now))));
            unit.push(AuditChange::Write(Box::new(AuditRecord {
                id: AuditId::new(uuid(3, n)),
                tenant: DEFAULT_TENANT,
                at: now,
                action: if n < RARE { "user.deactivated" } else { "session.created" }.to_owned(),
                outcome: AuditOutcome::Success,
                actor: Some(user.to_string()),
                subject: Some(user.to_string()),
                personal: None,
                trace_id: None,
                data: serde_json::Map::new(),
                key_version: 1,
                mac: [3; 32],
            })));
        }
        cx.store.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.unwrap();
    }
}

fn stored_session(n: usize, now: jiff::Timestamp) -> Session {
    Session {
        id: SessionId::new(uuid(2, n)),
        tenant: DEFAULT_TENANT,
        user: UserId::new(uuid(1, n)),
        amr: vec!["pwd".into()],
        auth_time: now,
        ip: None,
        user_agent: None,
        place: None,
        created_at: now,
        last_active_at: now,
        expires_at: None,
        refresh: state(n, now),
    }
}

fn state(n: usize, now: jiff::Timestamp) -> RefreshState {
    RefreshState {
        hash: hash(n),
        expires_at: now + SignedDuration::from_hours(24),
        previous: None,
        rotated_at: None,
        idempotency: None,
        replay: None,
    }
}

/// Seconds per operation, each call of it.
#[derive(Default)]
struct Times(Vec<(&'static str, Vec<f64>)>);

impl Times {
    async fn of<T>(&mut self, what: &'static str, operation: impl Future<Output = Result<T, StoreError>>) -> T {
        let start = Instant::now();
        let done = operation.await.unwrap_or_else(|error| panic!("{what}: {error}"));
        let took = start.elapsed().as_secs_f64();
        match self.0.iter_mut().find(|(name, _)| *name == what) {
            Some((_, times)) => times.push(took),
            None => self.0.push((what, vec![took])),
        }
        done
    }

    fn medians(self) -> Vec<(&'static str, f64)> {
        let median = |mut times: Vec<f64>| {
            times.sort_unstable_by(f64::total_cmp);
            times[times.len() / 2]
        };
        self.0.into_iter().map(|(what, times)| (what, median(times))).collect()
    }
}

/// Seconds per operation: the median of each. `run` tells the sessions of one call from those of another.
async fn medians(engine: &Engine, count: usize, run: usize) -> Vec<(&'static str, f64)> {
    let cx = engine.context();
    let store = &cx.store;
    let tenant = DEFAULT_TENANT;
    let commit = |change: SessionChange| store.commit(Scope::Tenant(tenant), Unit::new().with(change));
    let mut times = Times::default();
    let now = cx.now();
    for turn in 0..200_usize {
        let n = turn.wrapping_mul(7919) % count;
        let (user, session) = (UserId::new(uuid(1, n)), SessionId::new(uuid(2, n)));

        let found = times.of("find by address", store.find_user_by_email(tenant, &key(n))).await;
        assert!(found.is_some());
        let found = times.of("find session", store.find_session(tenant, session)).await;
        assert!(found.is_some());

        let after = Position { key: String::new(), id: user.uuid() };
        let users = |filter: UserFilter, after: Option<Position>| async move {
            store.list_users(tenant, &filter, after.as_ref(), 26).await
        };
        times.of("list users", users(UserFilter::default(), Some(after.clone()))).await;
        let filter = UserFilter { email_prefix: Some(format!("user{n}@")), ..UserFilter::default() };
        assert_eq!(times.of("users by address", users(filter, None)).await.len(), 1);
        let filter = UserFilter { status: Some(UserStatus::Deactivated), ..UserFilter::default() };
        assert_eq!(times.of("users by status", users(filter, None)).await.len(), RARE);
        // A part of a name that many have: the page is full after few rows. One that nobody has looks at every user of
        // the tenant, which no index can help; that is the price of searching inside names and not measured here.
        let filter = UserFilter { name_contains: Some("uSeR".into()), ..UserFilter::default() };
        assert_eq!(times.of("users by name", users(filter, Some(after))).await.len(), 26.min(n));

        let records = |filter: AuditFilter| async move { store.list_audit(tenant, &filter, None, 26).await };
        assert_eq!(times.of("list audit", records(AuditFilter::default())).await.len(), 26);
        let filter = AuditFilter { action: Some("user.deactivated".into()), ..AuditFilter::default() };
        assert_eq!(times.of("audit by action", records(filter)).await.len(), RARE);
        let filter = AuditFilter { subject: Some(user.to_string()), ..AuditFilter::default() };
        assert_eq!(times.of("audit by subject", records(filter)).await.len(), 1);

        times.of("list sessions", store.list_sessions(tenant, user, None, 26)).await;
        let change = SessionChange::Rotate { id: session, expected: hash(n), next: state(n, now), at: now };
        times.of("rotate", commit(change)).await;
        // A sign-in beyond the cap: one session more, the oldest goes.
        let new = Session { id: SessionId::new(uuid(4, run << 16 | turn)), ..stored_session(n, now) };
        let unit = Unit::new().with(SessionChange::Create(Box::new(new))).with(SessionChange::Cap { user, keep: 2 });
        times.of("open with cap", store.commit(Scope::Tenant(tenant), unit)).await;
        times.of("revoke", commit(SessionChange::EndAllOf { user, except: Some(session) })).await;
    }
    times.medians()
}

async fn a_hundredfold_of_users_does_not_slow_the_store(small: Database, large: Database) {
    let ((small_engine, _), (large_engine, _)) = (engine(&small).await, engine(&large).await);
    let (few, many) = (rounds(500, 10_000), rounds(20_000, 1_000_000));
    fill(&small_engine, 0, few).await;
    fill(&large_engine, 0, many).await;
    for database in [&small, &large] {
        if database.url.starts_with("postgres") {
            database.execute("ANALYZE").await;
        }
    }
    // Both in each run, so that other work on the machine slows both. What the filling leaves behind (dirty pages, a
    // checkpoint, vacuuming) passes; a plan that grows with the table does not.
    let mut slow = Vec::new();
    for run in 1..=3 {
        slow.clear();
        let (one, two) = (medians(&small_engine, few, run).await, medians(&large_engine, many, run).await);
        for ((what, one), (_, two)) in one.into_iter().zip(two) {
            println!("{what}: {:.0} µs with {few}, {:.0} µs with {many}", one * 1e6, two * 1e6);
            // Under a tenth of a millisecond scheduling decides, not the plan.
            if two >= 2.0 * one.max(1e-4) {
                slow.push(format!("{what}: {one:.6} s with {few} users, {two:.6} s with {many}"));
            }
        }
        if slow.is_empty() {
            return;
        }
    }
    panic!("{}", slow.join("; "));
}
