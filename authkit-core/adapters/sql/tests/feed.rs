//! The feed on PostgreSQL, where units do not commit in the order in which they write.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use authkit_core::{
    ports::{Scope, Store, Unit},
    sessions::{FeedEvent, FeedStore, KeyChange},
    wire::{SessionId, TenantId},
};
use common::{at, both, migrated, postgres, sqlite, uuid};
use jiff::Timestamp;
use sqlx::{Connection as _, PgConnection};
use std::time::Duration;

async fn end(store: &dyn Store, tenant: TenantId) -> FeedEvent {
    let event = FeedEvent::SessionEnded(tenant, SessionId::new(uuid()));
    store.commit(Scope::Tenant(tenant), Unit::new().with(event)).await.unwrap();
    event
}

#[tokio::test]
async fn a_unit_that_began_earlier_and_commits_later_is_not_missed() {
    let database = postgres().await;
    let (store, tenant) = (&database.store, TenantId::new(uuid()));
    let slow_session = SessionId::new(uuid());
    let mut cursor = store.feed_start(Timestamp::UNIX_EPOCH).await.unwrap();

    let mut slow = PgConnection::connect(&database.url).await.unwrap();
    let mut transaction = slow.begin().await.unwrap();
    sqlx::query("INSERT INTO feed (kind, tenant_id, subject_id, at) VALUES ('session_ended', $1, $2, $3)")
        .bind(tenant.uuid())
        .bind(slow_session.uuid())
        .bind(at(0).as_microsecond())
        .execute(&mut *transaction)
        .await
        .unwrap();

    for _ in 0..3 {
        let quick = end(store, tenant).await;
        let (events, next) = store.read_feed(&cursor).await.unwrap();
        assert!(events.contains(&quick), "later units are not held back by the slow one");
        cursor = next;
    }
    // A node that starts now must hear of it as well.
    let started = store.feed_start(Timestamp::UNIX_EPOCH).await.unwrap();
    transaction.commit().await.unwrap();
    for cursor in [cursor, started] {
        let (events, _) = store.read_feed(&cursor).await.unwrap();
        assert!(events.contains(&FeedEvent::SessionEnded(tenant, slow_session)), "{events:?}");
    }
}

#[tokio::test]
async fn a_transaction_that_runs_for_long_makes_no_event_come_twice() {
    let database = postgres().await;
    let (store, tenant) = (&database.store, TenantId::new(uuid()));
    let mut cursor = store.feed_start(Timestamp::UNIX_EPOCH).await.unwrap();
    let mut long = PgConnection::connect(&database.url).await.unwrap();
    let mut transaction = long.begin().await.unwrap();
    sqlx::query("SELECT pg_current_xact_id()").execute(&mut *transaction).await.unwrap();
    let mut heard = Vec::new();
    let mut told = Vec::new();
    for _ in 0..3 {
        told.push(end(store, tenant).await);
        let (events, next) = store.read_feed(&cursor).await.unwrap();
        heard.extend(events);
        cursor = next;
    }
    assert_eq!(heard, told);
    transaction.commit().await.unwrap();
    assert!(store.read_feed(&cursor).await.unwrap().0.is_empty());
}

#[tokio::test]
async fn a_unit_of_one_node_wakes_the_other() {
    let database = postgres().await;
    let other = migrated(&database.url).await;
    let tenant = TenantId::new(uuid());
    let waiter = tokio::spawn(async move { other.feed_changed().await });
    for _ in 0..100 {
        end(&database.store, tenant).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        if waiter.is_finished() {
            return;
        }
    }
    panic!("the other node was not woken");
}

#[tokio::test]
async fn another_store_on_the_same_database_reads_it() {
    for database in both().await {
        let other = migrated(&database.url).await;
        let tenant = TenantId::new(uuid());
        let cursor = other.feed_start(Timestamp::UNIX_EPOCH).await.unwrap();
        let event = end(&database.store, tenant).await;
        assert!(other.read_feed(&cursor).await.unwrap().0.contains(&event));
    }
}

#[tokio::test]
async fn a_start_in_the_past_finds_what_was_written_since_and_pruning_deletes_it() {
    for database in [sqlite().await, postgres().await] {
        let (store, tenant) = (&database.store, TenantId::new(uuid()));
        let event = end(store, tenant).await;
        let start = store.feed_start(Timestamp::UNIX_EPOCH).await.unwrap();
        assert!(store.read_feed(&start).await.unwrap().0.contains(&event));
        let prune = Unit::new().with(KeyChange::PruneFeed { before: Timestamp::MAX });
        assert!(store.commit(Scope::System, prune.clone()).await.unwrap().get(0) >= 1);
        assert!(store.read_feed(&start).await.unwrap().0.is_empty());
        assert!(store.read_feed(&store.feed_start(Timestamp::MIN).await.unwrap()).await.unwrap().0.is_empty());
        let mut many = Unit::new();
        many.changes = vec![event.into(); 1001];
        store.commit(Scope::Tenant(tenant), many).await.unwrap();
        for deleted in [1000, 1] {
            let applied = store.commit(Scope::System, prune.clone()).await.unwrap();
            assert_eq!(applied.get(0), deleted, "so that no unit holds the writer for long");
        }
    }
}
