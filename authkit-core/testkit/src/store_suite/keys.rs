//! Signing keys.

use super::{assert_conflict, build, must_system};
use authkit_core::{
    SigningAlgorithm,
    ports::{Conflict, Scope, Store, Unit},
    sessions::{KeyChange, SigningKey},
};
use std::sync::Arc;

pub async fn keys_are_kept_the_oldest_first(store: Arc<dyn Store>) {
    let algorithms = [SigningAlgorithm::EdDsa, SigningAlgorithm::Es256, SigningAlgorithm::Rs256];
    let mut keys: Vec<_> = (0..)
        .zip(algorithms)
        .map(|(age, algorithm)| SigningKey { algorithm, ..build::signing_key(age * 10) })
        .collect();
    keys[0].retired_at = Some(build::at(5));
    keys[0].revoked_at = Some(build::at(6));
    for key in keys.iter().rev() {
        must_system(&*store, Unit::new().with(KeyChange::Create(key.clone()))).await;
    }
    let found = store.list_keys().await.unwrap();
    assert_eq!(found.len(), keys.len());
    for (found, key) in found.iter().zip(&keys) {
        assert_eq!((found.id, found.algorithm), (key.id, key.algorithm));
        assert_eq!((&found.private, &found.public), (&key.private, &key.public));
        assert_eq!((found.created_at, found.active_at), (key.created_at, key.active_at));
        assert_eq!((found.retired_at, found.revoked_at), (key.retired_at, key.revoked_at));
    }
}

pub async fn a_key_is_retired_and_revoked_once(store: Arc<dyn Store>) {
    let key = build::signing_key(0);
    must_system(&*store, Unit::new().with(KeyChange::Create(key.clone()))).await;
    for change in
        [KeyChange::Retire { id: key.id, at: build::at(5) }, KeyChange::Revoke { id: key.id, at: build::at(6) }]
    {
        let unit = Unit::new().with(change);
        must_system(&*store, unit.clone()).await;
        assert_conflict(&store.commit(Scope::System, unit).await, 0, Conflict::Changed);
    }
    let found = store.list_keys().await.unwrap().remove(0);
    assert_eq!((found.retired_at, found.revoked_at), (Some(build::at(5)), Some(build::at(6))));
    let unknown = KeyChange::Revoke { id: build::signing_key(0).id, at: build::at(6) };
    assert_conflict(&store.commit(Scope::System, Unit::new().with(unknown)).await, 0, Conflict::Changed);
}

pub async fn retired_keys_are_deleted(store: Arc<dyn Store>) {
    let old = SigningKey { retired_at: Some(build::at(5)), ..build::signing_key(0) };
    let recent = SigningKey { retired_at: Some(build::at(50)), ..build::signing_key(1) };
    let current = build::signing_key(2);
    for key in [&old, &recent, &current] {
        must_system(&*store, Unit::new().with(KeyChange::Create(key.clone()))).await;
    }
    let delete = KeyChange::DeleteRetired { before: build::at(10) };
    assert_eq!(must_system(&*store, Unit::new().with(delete)).await.get(0), 1);
    let left: Vec<_> = store.list_keys().await.unwrap().into_iter().map(|key| key.id).collect();
    assert_eq!(left, [recent.id, current.id]);
}
