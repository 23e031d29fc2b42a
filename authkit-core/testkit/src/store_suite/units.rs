//! Units of work: whole or not at all, inside their tenant.

use super::{assert_conflict, build, commit, must, parallel};
use authkit_core::{
    accounts::AccountChange,
    auth::AttemptChange,
    devices::DeviceChange,
    ports::{Applied, Conflict, Scope, Store, StoreError, Unit},
    rbac::RoleChange,
    sessions::{FeedEvent, KeyChange, SessionChange},
    wire::SessionId,
};
use std::{sync::Arc, time::Duration};

pub async fn every_change_of_a_unit_is_applied(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let user = build::user(tenant);
    let session = build::session(&user);
    let applied = must(
        &*store,
        tenant,
        Unit::new()
            .with(AccountChange::CreateUser(Box::new(user.clone())))
            .with(SessionChange::Create(Box::new(session.clone())))
            .with(SessionChange::End { id: SessionId::new(build::uuid()), user: user.id }),
    )
    .await;
    assert_eq!(applied, Applied(vec![1, 1, 0]), "the rows of each change are counted");
    assert!(store.find_user(tenant, user.id).await.unwrap().is_some());
    assert!(store.find_session(tenant, session.id).await.unwrap().is_some());
}

pub async fn a_unit_with_a_conflict_leaves_nothing(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let (user, key) = (build::user(tenant), build::key());
    let start = store.read_feed(&store.feed_start(build::at(0)).await.unwrap()).await.unwrap().1;
    let result = commit(
        &*store,
        tenant,
        Unit::new()
            .with(AccountChange::CreateUser(Box::new(user.clone())))
            .with(AttemptChange::Reserve {
                key,
                now: build::at(0),
                limit: 5,
                window: build::minutes(15),
                first_lock: build::minutes(1),
                longest_lock: build::minutes(15),
            })
            .with(FeedEvent::UserChanged(tenant, user.id))
            .with(AccountChange::SignedIn { user: user.id, security_version: 99, at: build::at(1) }),
    )
    .await;
    assert_conflict(&result, 3, Conflict::Changed);
    assert!(store.find_user(tenant, user.id).await.unwrap().is_none());
    assert!(store.find_attempts(tenant, &key).await.unwrap().is_none());
    assert!(store.password_history(tenant, user.id, 5).await.unwrap().is_empty());
    assert!(store.read_feed(&start).await.unwrap().0.is_empty());
}

pub async fn the_first_conflict_is_told(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let user = build::stored_user(&*store, tenant).await;
    let mut twin = build::user(tenant);
    twin.email_key = user.email_key;
    let result = commit(
        &*store,
        tenant,
        Unit::new()
            .with(AccountChange::SignedIn { user: user.id, security_version: 1, at: build::at(1) })
            .with(AccountChange::SignedIn { user: user.id, security_version: 2, at: build::at(1) })
            .with(AccountChange::CreateUser(Box::new(twin))),
    )
    .await;
    assert_conflict(&result, 1, Conflict::Changed);
    assert_eq!(store.find_user(tenant, user.id).await.unwrap().unwrap().last_sign_in_at, None);
}

pub async fn an_empty_unit_commits(store: Arc<dyn Store>) {
    assert_eq!(must(&*store, build::tenant(), Unit::new()).await, Applied(Vec::new()));
    store.ping().await.unwrap();
}

pub async fn a_tenants_unit_inserts_nothing_of_another(store: Arc<dyn Store>) {
    let (ours, theirs) = (build::tenant(), build::tenant());
    let user = build::stored_user(&*store, theirs).await;
    let units = [
        Unit::new().with(AccountChange::CreateUser(Box::new(build::user(theirs)))),
        Unit::new().with(AccountChange::CreateRegistration(Box::new(build::registration(theirs, build::key())))),
        Unit::new().with(AccountChange::CreateToken(build::token(&user, authkit_core::accounts::TokenPurpose::Mfa))),
        Unit::new().with(SessionChange::Create(Box::new(build::session(&user)))),
        Unit::new().with(RoleChange::Create(build::role(theirs, "editor"))),
        Unit::new().with(DeviceChange::Create { device: Box::new(build::device(&user)), at_most: 1 }),
        Unit::new().with(DeviceChange::CreateClaim { claim: build::device_claim(&user), at_most: 1 }),
        Unit::new().with(FeedEvent::UserChanged(theirs, user.id)),
        Unit::new().with(FeedEvent::SessionEnded(theirs, SessionId::new(build::uuid()))),
        Unit::new().with(FeedEvent::RolesChanged(theirs)),
    ];
    for unit in units {
        let told = format!("{unit:?}");
        let result = commit(&*store, ours, unit).await;
        assert!(matches!(result, Err(StoreError::CrossTenant)), "{told}: {result:?}");
    }
}

pub async fn conditions_need_a_tenant(store: Arc<dyn Store>) {
    let user = build::stored_user(&*store, build::tenant()).await;
    let unit = Unit::new().with(AccountChange::SignedIn { user: user.id, security_version: 1, at: build::at(1) });
    let result = store.commit(Scope::System, unit).await;
    assert!(matches!(result, Err(StoreError::CrossTenant)), "{result:?}");
}

pub async fn the_installations_rows_need_the_system_scope(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let units = [
        Unit::new().with(KeyChange::Create(build::signing_key(0))),
        Unit::new().with(KeyChange::PruneFeed { before: build::at(0) }),
        Unit::new().with(AccountChange::DeleteExpired { before: build::at(0) }),
        Unit::new().with(AttemptChange::DeleteStale { before: build::at(0) }),
        Unit::new().with(SessionChange::DeleteExpired { before: build::at(0), idle_since: None }),
        Unit::new().with(SessionChange::Touch(vec![(tenant, SessionId::new(build::uuid()), build::at(0))])),
    ];
    for unit in units {
        let told = format!("{unit:?}");
        let result = commit(&*store, tenant, unit).await;
        assert!(matches!(result, Err(StoreError::CrossTenant)), "{told}: {result:?}");
    }
}

pub async fn many_units_at_once_are_applied_each_as_a_whole(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let user = build::stored_user(&*store, tenant).await;
    let sessions: Vec<_> = (0..100).map(|_| build::session(&user)).collect();
    // Every third unit conflicts in its second change, among others that succeed.
    let results = parallel(sessions.iter().cloned().enumerate(), |(number, session)| {
        let store = Arc::clone(&store);
        async move {
            let version = if number % 3 == 0 { 7 } else { 1 };
            commit(
                &*store,
                tenant,
                Unit::new().with(SessionChange::Create(Box::new(session.clone()))).with(AccountChange::SignedIn {
                    user: session.user,
                    security_version: version,
                    at: build::at(1),
                }),
            )
            .await
        }
    })
    .await;
    for (number, (result, session)) in results.iter().zip(&sessions).enumerate() {
        let kept = store.find_session(tenant, session.id).await.unwrap().is_some();
        if number % 3 == 0 {
            assert_conflict(result, 1, Conflict::Changed);
            assert!(!kept, "unit {number} was undone");
        } else {
            assert_eq!(result.as_ref().unwrap(), &Applied(vec![1, 1]), "unit {number}");
            assert!(kept, "unit {number} was applied");
        }
    }
}

pub async fn a_dropped_commit_is_whole_or_nothing(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let user = build::stored_user(&*store, tenant).await;
    let mut pairs = Vec::new();
    for round in 0..40_u64 {
        let (one, two) = (build::session(&user), build::session(&user));
        pairs.push((one.id, two.id));
        let unit = Unit::new().with(SessionChange::Create(Box::new(one))).with(SessionChange::Create(Box::new(two)));
        let patience = Duration::from_micros(round * 40);
        let _ = tokio::time::timeout(patience, commit(&*store, tenant, unit)).await;
    }
    // A later unit is behind the dropped ones, wherever they are.
    must(
        &*store,
        tenant,
        Unit::new().with(AccountChange::SignedIn { user: user.id, security_version: 1, at: build::at(1) }),
    )
    .await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    for (one, two) in pairs {
        let (one, two) =
            (store.find_session(tenant, one).await.unwrap(), store.find_session(tenant, two).await.unwrap());
        assert_eq!(one.is_some(), two.is_some());
    }
}

pub async fn reads_see_what_was_committed(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let found = parallel(0..50, |_| {
        let store = Arc::clone(&store);
        async move {
            let user = build::stored_user(&*store, tenant).await;
            store.find_user(tenant, user.id).await.unwrap().is_some()
        }
    })
    .await;
    assert!(found.into_iter().all(|found| found));
}
