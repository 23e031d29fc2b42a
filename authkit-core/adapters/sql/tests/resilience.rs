//! What happens when the database is slow, busy, or gone for a moment.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use authkit_core::{
    accounts::{AccountChange, AccountStore, User},
    ports::{Scope, Store, StoreError, Unit},
    wire::TenantId,
};
use authkit_sql::{Options, SqlStore};
use authkit_testkit::postgres::Postgres;
use common::{at, both, postgres, sqlite, stored_user, uuid};
use sqlx::{Connection as _, PgConnection};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

fn signed_in(users: &[&User]) -> Unit {
    users.iter().fold(Unit::new(), |unit, user| {
        unit.with(AccountChange::SignedIn { user: user.id, security_version: 1, at: at(1) })
    })
}

#[tokio::test]
async fn connections_that_the_server_ended_are_replaced() {
    let database = postgres().await;
    let (store, tenant) = (&database.store, TenantId::new(uuid()));
    let (one, two) = (stored_user(store, tenant).await, stored_user(store, tenant).await);
    let name = database.url.rsplit('/').next().unwrap();
    let end_all = || {
        let server = Postgres::start_fast();
        let of = format!("FROM pg_stat_activity WHERE datname = '{name}'");
        server.administer(&format!("SELECT count(pg_terminate_backend(pid)) {of}")).unwrap();
        while server.administer(&format!("SELECT count(*) {of}")).unwrap() != "0" {}
    };
    for _ in 0..3 {
        end_all();
        assert!(store.find_user(tenant, one.id).await.unwrap().is_some(), "a read is tried again");
        end_all();
        store.commit(Scope::Tenant(tenant), signed_in(&[&one, &two])).await.unwrap();
    }
}

#[tokio::test]
async fn a_unit_that_waits_too_long_is_undone() {
    let database = postgres().await;
    let options = Options { statement_timeout: Duration::from_millis(200), ..Options::default() };
    let store = SqlStore::open(&database.url, options).await.unwrap();
    let tenant = TenantId::new(uuid());
    let (free, held) = (stored_user(&store, tenant).await, stored_user(&store, tenant).await);

    let mut other = PgConnection::connect(&database.url).await.unwrap();
    let mut transaction = other.begin().await.unwrap();
    sqlx::query("UPDATE users SET version = version WHERE id = $1")
        .bind(held.id.uuid())
        .execute(&mut *transaction)
        .await
        .unwrap();
    let started = Instant::now();
    let refused = store.commit(Scope::Tenant(tenant), signed_in(&[&free, &held])).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(store.find_user(tenant, free.id).await.unwrap().unwrap().last_sign_in_at, None);
    transaction.rollback().await.unwrap();
    store.commit(Scope::Tenant(tenant), signed_in(&[&free, &held])).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn units_that_lock_in_opposite_orders_both_succeed() {
    for database in both().await {
        let store = Arc::new(database.store);
        let tenant = TenantId::new(uuid());
        let (one, two) = (stored_user(&store, tenant).await, stored_user(&store, tenant).await);
        let units = [signed_in(&[&one, &two]), signed_in(&[&two, &one])];
        let tasks: Vec<_> = (0..6)
            .map(|number: usize| {
                let (store, unit) = (Arc::clone(&store), units[number % 2].clone());
                tokio::spawn(async move { store.commit(Scope::Tenant(tenant), unit).await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn a_writer_outside_lets_sqlite_wait() {
    let database = sqlite().await;
    let tenant = TenantId::new(uuid());
    let user = stored_user(&database.store, tenant).await;
    let mut other = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
    let transaction = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let wait = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        transaction.rollback().await.unwrap();
    };
    let (committed, ()) = tokio::join!(database.store.commit(Scope::Tenant(tenant), signed_in(&[&user])), wait);
    committed.unwrap();
}
