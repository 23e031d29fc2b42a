//! Leases.

use super::{assert_conflict, build, must_system, parallel};
use authkit_core::{
    ports::{Conflict, Scope, Store, Unit},
    tenants::LeaseChange,
};
use std::sync::Arc;
use uuid::Uuid;

fn acquire(name: &'static str, owner: Uuid, seconds: i64) -> Unit {
    Unit::new().with(LeaseChange::Acquire { name, owner, now: build::at(seconds), until: build::at(seconds + 30) })
}

pub async fn a_lease_has_one_owner(store: Arc<dyn Store>) {
    let (one, two) = (build::uuid(), build::uuid());
    must_system(&*store, acquire("seal", one, 0)).await;
    assert_conflict(&store.commit(Scope::System, acquire("seal", two, 1)).await, 0, Conflict::Changed);
    must_system(&*store, acquire("sweep", two, 1)).await;
    must_system(&*store, acquire("seal", one, 20)).await;
    assert_conflict(&store.commit(Scope::System, acquire("seal", two, 40)).await, 0, Conflict::Changed);
    let release = |owner| Unit::new().with(LeaseChange::Release { name: "seal", owner });
    must_system(&*store, release(two)).await;
    assert_conflict(&store.commit(Scope::System, acquire("seal", two, 41)).await, 0, Conflict::Changed);
    must_system(&*store, release(one)).await;
    must_system(&*store, acquire("seal", two, 41)).await;
}

pub async fn parallel_acquisitions_have_one_winner(store: Arc<dyn Store>) {
    let results = parallel(0..8, |_| {
        let store = Arc::clone(&store);
        async move { store.commit(Scope::System, acquire("seal", build::uuid(), 0)).await }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
}

pub async fn a_lease_that_ran_out_is_taken(store: Arc<dyn Store>) {
    let (one, two) = (build::uuid(), build::uuid());
    must_system(&*store, acquire("seal", one, 0)).await;
    must_system(&*store, acquire("seal", two, 31)).await;
    assert_conflict(&store.commit(Scope::System, acquire("seal", one, 32)).await, 0, Conflict::Changed);
}
