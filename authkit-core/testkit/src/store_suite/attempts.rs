//! Counted attempts.

use super::{assert_conflict, build, commit, must, must_system, parallel};
use authkit_core::{
    auth::{AttemptChange, AttemptKey},
    ports::{Applied, Conflict, Store, StoreError, Unit},
    wire::TenantId,
};
use std::sync::Arc;

const DAY: i64 = 86_400;

/// One attempt at the time: three in fifteen minutes, locks from one minute to five.
async fn attempt(store: &dyn Store, tenant: TenantId, key: AttemptKey, seconds: i64) -> Result<Applied, StoreError> {
    let reserve = AttemptChange::Reserve {
        key,
        now: build::at(seconds),
        limit: 3,
        window: build::minutes(15),
        first_lock: build::minutes(1),
        longest_lock: build::minutes(5),
    };
    commit(store, tenant, Unit::new().with(reserve)).await
}

/// Locks by three attempts at the time, and returns for how many seconds.
async fn lock(store: &dyn Store, tenant: TenantId, key: AttemptKey, seconds: i64) -> i64 {
    for expected in 1..=3 {
        assert_eq!(attempt(store, tenant, key, seconds).await.unwrap().get(0), expected);
    }
    assert_conflict(&attempt(store, tenant, key, seconds).await, 0, Conflict::Changed);
    let until = store.find_attempts(tenant, &key).await.unwrap().unwrap().locked_until.unwrap();
    until.as_second() - build::at(seconds).as_second()
}

pub async fn failures_are_counted_and_lock(store: Arc<dyn Store>) {
    let (tenant, key) = (build::tenant(), build::key());
    assert!(store.find_attempts(tenant, &key).await.unwrap().is_none());
    assert_eq!(attempt(&*store, tenant, key, 0).await.unwrap().get(0), 1);
    let found = store.find_attempts(tenant, &key).await.unwrap().unwrap();
    assert_eq!((found.failures, found.window_start, found.locked_until, found.locks), (1, build::at(0), None, 0));
    assert_eq!(attempt(&*store, tenant, key, 1).await.unwrap().get(0), 2);
    assert_eq!(attempt(&*store, tenant, key, 2).await.unwrap().get(0), 3);
    let found = store.find_attempts(tenant, &key).await.unwrap().unwrap();
    assert_eq!((found.failures, found.locked_until, found.locks), (3, Some(build::at(62)), 1));
    for seconds in [2, 3, 61] {
        assert_conflict(&attempt(&*store, tenant, key, seconds).await, 0, Conflict::Changed);
    }
    assert_eq!(store.find_attempts(tenant, &key).await.unwrap().unwrap(), found, "a refused attempt changes nothing");
    assert!(attempt(&*store, build::tenant(), key, 3).await.is_ok(), "another tenant counts for itself");
    assert!(attempt(&*store, tenant, build::key(), 3).await.is_ok(), "another key too");
    assert_eq!(attempt(&*store, tenant, key, 63).await.unwrap().get(0), 1, "after the lock the count starts again");
}

pub async fn parallel_attempts_do_not_exceed_the_limit(store: Arc<dyn Store>) {
    let (tenant, key) = (build::tenant(), build::key());
    let results = parallel(0..24, |_| {
        let store = Arc::clone(&store);
        async move { attempt(&*store, tenant, key, 0).await }
    })
    .await;
    let mut counts: Vec<_> = results.iter().flatten().map(|applied| applied.get(0)).collect();
    counts.sort_unstable();
    assert_eq!(counts, [1, 2, 3]);
    for result in results.iter().filter(|result| result.is_err()) {
        assert_conflict(result, 0, Conflict::Changed);
    }
}

pub async fn a_window_ends(store: Arc<dyn Store>) {
    let (tenant, key) = (build::tenant(), build::key());
    assert_eq!(attempt(&*store, tenant, key, 0).await.unwrap().get(0), 1);
    assert_eq!(attempt(&*store, tenant, key, 14 * 60).await.unwrap().get(0), 2);
    assert_eq!(attempt(&*store, tenant, key, 15 * 60 + 1).await.unwrap().get(0), 1);
    let found = store.find_attempts(tenant, &key).await.unwrap().unwrap();
    assert_eq!((found.failures, found.window_start), (1, build::at(15 * 60 + 1)));
}

pub async fn each_lock_is_twice_as_long_up_to_the_longest(store: Arc<dyn Store>) {
    let (tenant, key) = (build::tenant(), build::key());
    let mut lengths = Vec::new();
    for round in 0..5 {
        lengths.push(lock(&*store, tenant, key, round * 1000).await);
    }
    assert_eq!(lengths, [60, 120, 240, 300, 300]);
    assert_eq!(store.find_attempts(tenant, &key).await.unwrap().unwrap().locks, 5);
}

pub async fn locks_are_forgotten_a_day_after_the_last(store: Arc<dyn Store>) {
    let (tenant, key) = (build::tenant(), build::key());
    assert_eq!(lock(&*store, tenant, key, 0).await, 60);
    assert_eq!(lock(&*store, tenant, key, DAY).await, 120, "a day less a minute after its end");
    assert_eq!(lock(&*store, tenant, key, 2 * DAY + 200).await, 60, "more than a day after the end of the second");
    assert_eq!(store.find_attempts(tenant, &key).await.unwrap().unwrap().locks, 1);
}

pub async fn clearing_forgets(store: Arc<dyn Store>) {
    let (tenant, key) = (build::tenant(), build::key());
    lock(&*store, tenant, key, 0).await;
    let clear = || Unit::new().with(AttemptChange::Clear { key });
    must(&*store, build::tenant(), clear()).await;
    assert_conflict(&attempt(&*store, tenant, key, 1).await, 0, Conflict::Changed);
    assert_eq!(must(&*store, tenant, clear()).await.get(0), 1);
    must(&*store, tenant, clear()).await;
    assert!(store.find_attempts(tenant, &key).await.unwrap().is_none());
    assert_eq!(lock(&*store, tenant, key, 1).await, 60);
}

pub async fn attempts_of_many_keys_are_read_at_once(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let keys: Vec<AttemptKey> = (0..3).map(|_| build::key()).collect();
    attempt(&*store, tenant, keys[0], 0).await.unwrap();
    lock(&*store, tenant, keys[2], 0).await;
    let mut found = store.list_attempts(tenant, &keys).await.unwrap();
    found.sort_unstable_by_key(|(key, _)| *key);
    let mut expected = Vec::new();
    for key in [keys[0], keys[2]] {
        expected.push((key, store.find_attempts(tenant, &key).await.unwrap().unwrap()));
    }
    expected.sort_unstable_by_key(|(key, _)| *key);
    assert_eq!(found, expected);
    assert!(store.list_attempts(tenant, &[]).await.unwrap().is_empty());
    assert!(store.list_attempts(build::tenant(), &keys).await.unwrap().is_empty());
}

pub async fn stale_rows_are_deleted(store: Arc<dyn Store>) {
    let (tenant, old, fresh) = (build::tenant(), build::key(), build::key());
    attempt(&*store, tenant, old, 0).await.unwrap();
    attempt(&*store, tenant, fresh, 0).await.unwrap();
    attempt(&*store, tenant, fresh, 100).await.unwrap();
    let sweep = Unit::new().with(AttemptChange::DeleteStale { before: build::at(50) });
    assert_eq!(must_system(&*store, sweep).await.get(0), 1);
    assert!(store.find_attempts(tenant, &old).await.unwrap().is_none());
    assert!(store.find_attempts(tenant, &fresh).await.unwrap().is_some());
}
