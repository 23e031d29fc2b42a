//! Only databases of conformance runs are ever emptied.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use authkit_core::{
    SigningAlgorithm,
    accounts::AccountStore as _,
    ports::{Scope, Store as _, StoreError, Unit},
    sessions::{KeyChange, KeyStore as _, SigningKey},
    wire::{KeyId, TenantId},
};
use common::{Database, at, both, stored_user, uuid};

/// Writes what an installation writes first.
async fn install(database: &Database) {
    let key = SigningKey {
        id: KeyId::new(uuid()),
        algorithm: SigningAlgorithm::EdDsa,
        private: vec![1],
        public: "{}".to_owned(),
        created_at: at(0),
        active_at: at(0),
        retired_at: None,
        revoked_at: None,
    };
    database.store.commit(Scope::System, Unit::new().with(KeyChange::Create(key))).await.unwrap();
}

#[tokio::test]
async fn an_installation_is_never_emptied() {
    for database in both().await {
        assert!(database.store.is_erasable().await.unwrap());
        install(&database).await;
        assert!(!database.store.is_erasable().await.unwrap());
        assert!(matches!(database.store.erase().await, Err(StoreError::Unsupported)));
        assert_eq!(database.store.list_keys().await.unwrap().len(), 1);
        assert!(!database.store.is_scratch().await.unwrap());
    }
}

#[tokio::test]
async fn a_scratch_database_is_emptied_again_and_again() {
    for database in both().await {
        let tenant = TenantId::new(uuid());
        for _ in 0..3 {
            database.store.erase().await.unwrap();
            assert!(database.store.list_keys().await.unwrap().is_empty());
            assert!(database.store.list_users(tenant, &Default::default(), None, 10).await.unwrap().is_empty());
            install(&database).await;
            stored_user(&database.store, tenant).await;
            assert!(database.store.is_scratch().await.unwrap() && database.store.is_erasable().await.unwrap());
        }
    }
}
