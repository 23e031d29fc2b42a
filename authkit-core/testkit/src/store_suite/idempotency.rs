//! The record of repeatable requests.

use super::{assert_conflict, build, commit, must, must_system, parallel};
use authkit_core::{
    ports::{Conflict, Store, StoreError, Unit},
    tenants::{IdempotencyChange, IdempotencyRecord},
    wire::TenantId,
};
use std::sync::Arc;

fn record(tenant: TenantId) -> IdempotencyRecord {
    IdempotencyRecord {
        tenant,
        key: build::bytes(),
        body: build::bytes(),
        answer: None,
        created_at: build::at(0),
        expires_at: build::at(60),
    }
}

fn reserve(record: &IdempotencyRecord) -> Unit {
    Unit::new().with(IdempotencyChange::Reserve(record.clone()))
}

pub async fn a_record_is_reserved_once(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let record = record(tenant);
    let results = parallel(0..8, |_| {
        let (store, unit) = (Arc::clone(&store), reserve(&record));
        async move { commit(&*store, tenant, unit).await }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for result in results.iter().filter(|result| result.is_err()) {
        assert_conflict(result, 0, Conflict::Taken);
    }
    let other = build::tenant();
    must(&*store, other, reserve(&IdempotencyRecord { tenant: other, ..record.clone() })).await;
    let across = commit(&*store, other, reserve(&record)).await;
    assert!(matches!(across, Err(StoreError::CrossTenant)), "{across:?}");
}

pub async fn a_record_is_completed_and_found(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let record = record(tenant);
    let complete = || {
        Unit::new().with(IdempotencyChange::Complete {
            key: record.key,
            answer: vec![4; 900],
            expires_at: build::at(86_400),
        })
    };
    assert_conflict(&commit(&*store, tenant, complete()).await, 0, Conflict::Changed);
    must(&*store, tenant, reserve(&record)).await;
    let found = store.find_idempotency(tenant, &record.key).await.unwrap().unwrap();
    assert_eq!((found.tenant, found.key, found.body), (tenant, record.key, record.body));
    assert_eq!((found.answer, found.created_at, found.expires_at), (None, record.created_at, record.expires_at));
    must(&*store, tenant, complete()).await;
    let found = store.find_idempotency(tenant, &record.key).await.unwrap().unwrap();
    assert_eq!((found.answer, found.expires_at), (Some(vec![4; 900]), build::at(86_400)));
    assert!(store.find_idempotency(build::tenant(), &record.key).await.unwrap().is_none());
}

pub async fn a_released_record_can_be_reserved(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let record = record(tenant);
    must(&*store, tenant, reserve(&record)).await;
    let release = || Unit::new().with(IdempotencyChange::Release { key: record.key });
    must(&*store, build::tenant(), release()).await;
    assert_conflict(&commit(&*store, tenant, reserve(&record)).await, 0, Conflict::Taken);
    must(&*store, tenant, release()).await;
    must(&*store, tenant, release()).await;
    assert!(store.find_idempotency(tenant, &record.key).await.unwrap().is_none());
    must(&*store, tenant, reserve(&record)).await;
}

pub async fn an_expired_record_is_replaced(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let record = record(tenant);
    let mut unit = reserve(&record);
    unit.push(IdempotencyChange::Complete { key: record.key, answer: vec![1], expires_at: build::at(60) });
    must(&*store, tenant, unit).await;
    let again = |seconds| {
        reserve(&IdempotencyRecord {
            created_at: build::at(seconds),
            expires_at: build::at(seconds + 60),
            body: build::bytes(),
            ..record.clone()
        })
    };
    assert_conflict(&commit(&*store, tenant, again(59)).await, 0, Conflict::Taken);
    must(&*store, tenant, again(61)).await;
    let found = store.find_idempotency(tenant, &record.key).await.unwrap().unwrap();
    assert_eq!((found.answer, found.created_at), (None, build::at(61)));
    assert_ne!(found.body, record.body);
}

pub async fn expired_records_are_deleted(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let (old, fresh) = (record(tenant), IdempotencyRecord { expires_at: build::at(900), ..record(tenant) });
    must(&*store, tenant, reserve(&old)).await;
    must(&*store, tenant, reserve(&fresh)).await;
    let sweep = Unit::new().with(IdempotencyChange::DeleteExpired { before: build::at(61) });
    assert_eq!(must_system(&*store, sweep).await.get(0), 1);
    assert!(store.find_idempotency(tenant, &old.key).await.unwrap().is_none());
    assert!(store.find_idempotency(tenant, &fresh.key).await.unwrap().is_some());
}
