//! Many users: reads and writes of sign-in, refresh, lists and revocation cost what they cost with few.

use crate::{on_both_engines, refresh::engine};
use authkit_core::{
    accounts::{AccountChange, User, UserFilter},
    ports::{Position, Scope, Unit},
    sessions::{RefreshState, Session, SessionChange},
    tenants::DEFAULT_TENANT,
    wire::{SessionId, UserId, UserStatus},
};
use authkit_engine::Engine;
use authkit_tests::{Database, rounds};
use jiff::SignedDuration;
use std::time::Instant;
use uuid::Uuid;

on_both_engines! { a_hundredfold_of_users_does_not_slow_the_store }

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
                status: UserStatus::Active,
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
            unit.push(SessionChange::Create(Box::new(Session {
                id: SessionId::new(uuid(2, n)),
                tenant: DEFAULT_TENANT,
                user,
                amr: vec!["pwd".into()],
                auth_time: now,
                ip: None,
                user_agent: None,
                place: None,
                created_at: now,
                last_active_at: now,
                expires_at: None,
                refresh: state(n, now),
            })));
        }
        cx.store.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.unwrap();
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

/// Seconds per operation: the median of each.
async fn medians(engine: &Engine, count: usize) -> Vec<(&'static str, f64)> {
    let cx = engine.context();
    let store = &cx.store;
    let (mut find, mut list, mut sessions, mut rotate, mut revoke) = (vec![], vec![], vec![], vec![], vec![]);
    let now = cx.now();
    for turn in 0..200_usize {
        let n = turn.wrapping_mul(7919) % count;
        let (user, session) = (UserId::new(uuid(1, n)), SessionId::new(uuid(2, n)));

        let start = Instant::now();
        assert!(store.find_user_by_email(DEFAULT_TENANT, &key(n)).await.unwrap().is_some());
        find.push(start.elapsed().as_secs_f64());

        let start = Instant::now();
        let after = Position { key: String::new(), id: user.uuid() };
        store.list_users(DEFAULT_TENANT, &UserFilter::default(), Some(&after), 26).await.unwrap();
        list.push(start.elapsed().as_secs_f64());

        let start = Instant::now();
        store.list_sessions(DEFAULT_TENANT, user, None, 26).await.unwrap();
        sessions.push(start.elapsed().as_secs_f64());

        let start = Instant::now();
        let change = SessionChange::Rotate { id: session, expected: hash(n), next: state(n, now), at: now };
        store.commit(Scope::Tenant(DEFAULT_TENANT), Unit::new().with(change)).await.unwrap();
        rotate.push(start.elapsed().as_secs_f64());

        let start = Instant::now();
        let change = SessionChange::EndAllOf { user, except: Some(session) };
        store.commit(Scope::Tenant(DEFAULT_TENANT), Unit::new().with(change)).await.unwrap();
        revoke.push(start.elapsed().as_secs_f64());
    }
    let median = |mut times: Vec<f64>| {
        times.sort_unstable_by(f64::total_cmp);
        times[times.len() / 2]
    };
    vec![
        ("find by address", median(find)),
        ("list users", median(list)),
        ("list sessions", median(sessions)),
        ("rotate", median(rotate)),
        ("revoke", median(revoke)),
    ]
}

async fn a_hundredfold_of_users_does_not_slow_the_store(database: Database) {
    let (engine, _) = engine(&database).await;
    let (few, many) = (rounds(500, 10_000), rounds(20_000, 1_000_000));
    fill(&engine, 0, few).await;
    let before = medians(&engine, few).await;
    fill(&engine, few, many).await;
    if database.url.starts_with("postgres") {
        database.execute("ANALYZE").await;
    }
    let after = medians(&engine, many).await;
    for ((what, one), (_, two)) in before.into_iter().zip(after) {
        println!("{what}: {:.0} µs with {few}, {:.0} µs with {many}", one * 1e6, two * 1e6);
        // Under a tenth of a millisecond scheduling decides, not the plan.
        assert!(two < 2.0 * one.max(1e-4), "{what}: {one:.6} s with {few} users, {two:.6} s with {many}");
    }
}
