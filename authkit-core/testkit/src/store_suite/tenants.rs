//! Tenants.

use super::{assert_conflict, build, must_system};
use authkit_core::{
    ports::{Conflict, Scope, Store, StoreError, Unit},
    tenants::{Tenant, TenantChange, TenantSettings},
};
use std::sync::Arc;

fn create(tenant: &Tenant) -> Unit {
    Unit::new().with(TenantChange::Create(tenant.clone()))
}

fn update(tenant: &Tenant) -> Unit {
    Unit::new().with(TenantChange::Update(tenant.clone()))
}

pub async fn a_tenant_is_kept_and_updated(store: Arc<dyn Store>) {
    let before = store.list_tenants().await.unwrap().len();
    let one = build::tenant_row("one", &["one.example.org", "www.one.example.org"]);
    let two = Tenant { created_at: build::at(1), ..build::tenant_row("two", &[]) };
    must_system(&*store, create(&two)).await;
    must_system(&*store, create(&one)).await;
    let found = store.list_tenants().await.unwrap();
    assert_eq!(found[before..], [one.clone(), two.clone()], "the oldest first");
    let next = Tenant {
        slug: "uno".to_owned(),
        name: "Uno".to_owned(),
        hosts: vec!["www.one.example.org".to_owned(), "uno.example.org".to_owned()],
        active: false,
        settings: TenantSettings { allow_unverified: true, ..TenantSettings::default() },
        version: 2,
        ..one
    };
    must_system(&*store, update(&next)).await;
    assert_conflict(&store.commit(Scope::System, update(&next)).await, 0, Conflict::Changed);
    assert!(store.list_tenants().await.unwrap().contains(&next));
    let freed = build::tenant_row("three", &["one.example.org"]);
    must_system(&*store, create(&freed)).await;
    let inside = store.commit(Scope::Tenant(next.id), update(&Tenant { version: 3, ..next })).await;
    assert!(matches!(inside, Err(StoreError::CrossTenant)), "{inside:?}");
}

pub async fn slugs_and_hosts_are_taken_once(store: Arc<dyn Store>) {
    let one = build::tenant_row("one", &["one.example.org"]);
    let two = build::tenant_row("two", &["two.example.org"]);
    must_system(&*store, create(&one)).await;
    must_system(&*store, create(&two)).await;
    for taken in [build::tenant_row("one", &[]), build::tenant_row("four", &["two.example.org"])] {
        assert_conflict(&store.commit(Scope::System, create(&taken)).await, 0, Conflict::Taken);
    }
    for taken in [
        Tenant { slug: "one".to_owned(), version: 2, ..two.clone() },
        Tenant { hosts: vec!["one.example.org".to_owned()], version: 2, ..two.clone() },
    ] {
        assert_conflict(&store.commit(Scope::System, update(&taken)).await, 0, Conflict::Taken);
    }
    assert!(store.list_tenants().await.unwrap().contains(&two), "a refused update leaves it as it was");
}
