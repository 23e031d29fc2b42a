//! Second factors.

use super::{assert_conflict, build, commit, must, parallel};
use authkit_core::{
    mfa::{MfaChange, Totp},
    ports::{Conflict, Store, Unit},
    wire::TenantId,
};
use std::sync::Arc;

async fn confirmed(store: &dyn Store, tenant: TenantId) -> Totp {
    let totp = build::totp(&build::stored_user(store, tenant).await);
    must(
        store,
        tenant,
        Unit::new().with(MfaChange::Enrol(totp.clone())).with(MfaChange::Confirm {
            user: totp.user,
            secret: totp.secret.clone(),
            step: 100,
        }),
    )
    .await;
    totp
}

pub async fn an_authenticator_is_enrolled_confirmed_and_removed(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let user = build::stored_user(&*store, tenant).await;
    let (first, second) = (build::totp(&user), build::totp(&user));
    must(&*store, tenant, Unit::new().with(MfaChange::Enrol(first.clone()))).await;
    must(&*store, tenant, Unit::new().with(MfaChange::Enrol(second.clone()))).await;
    let found = store.find_totp(tenant, user.id).await.unwrap().unwrap();
    assert_eq!((found.user, &found.secret, found.confirmed), (user.id, &second.secret, false));
    assert_eq!((found.last_step, found.created_at), (0, second.created_at));
    let confirm =
        |secret: &[u8]| Unit::new().with(MfaChange::Confirm { user: user.id, secret: secret.to_vec(), step: 55 });
    assert_conflict(&commit(&*store, tenant, confirm(&first.secret)).await, 0, Conflict::Changed);
    must(&*store, tenant, confirm(&second.secret)).await;
    assert_conflict(&commit(&*store, tenant, confirm(&second.secret)).await, 0, Conflict::Changed);
    let found = store.find_totp(tenant, user.id).await.unwrap().unwrap();
    assert_eq!((found.confirmed, found.last_step), (true, 55));
    assert!(store.find_totp(build::tenant(), user.id).await.unwrap().is_none());
    must(&*store, tenant, Unit::new().with(MfaChange::Remove { user: user.id })).await;
    assert!(store.find_totp(tenant, user.id).await.unwrap().is_none());
    must(&*store, tenant, Unit::new().with(MfaChange::Remove { user: user.id })).await;
}

pub async fn a_confirmed_authenticator_is_not_replaced(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let totp = confirmed(&*store, tenant).await;
    let other = Totp { secret: vec![0; 4], ..totp.clone() };
    assert_conflict(&commit(&*store, tenant, Unit::new().with(MfaChange::Enrol(other))).await, 0, Conflict::Changed);
    assert_eq!(store.find_totp(tenant, totp.user).await.unwrap().unwrap().secret, totp.secret);
}

pub async fn a_step_is_accepted_once(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let totp = confirmed(&*store, tenant).await;
    let accept = |step| Unit::new().with(MfaChange::AcceptStep { user: totp.user, step });
    for old in [99, 100] {
        assert_conflict(&commit(&*store, tenant, accept(old)).await, 0, Conflict::Changed);
    }
    must(&*store, tenant, accept(102)).await;
    for old in [101, 102] {
        assert_conflict(&commit(&*store, tenant, accept(old)).await, 0, Conflict::Changed);
    }
    assert_conflict(&commit(&*store, build::tenant(), accept(103)).await, 0, Conflict::Changed);

    let unconfirmed = build::totp(&build::stored_user(&*store, tenant).await);
    must(&*store, tenant, Unit::new().with(MfaChange::Enrol(unconfirmed.clone()))).await;
    let accept = Unit::new().with(MfaChange::AcceptStep { user: unconfirmed.user, step: 5 });
    assert_conflict(&commit(&*store, tenant, accept).await, 0, Conflict::Changed);
}

pub async fn parallel_steps_have_one_winner(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let totp = confirmed(&*store, tenant).await;
    for step in 101..106 {
        let results = parallel(0..8, |_| {
            let (store, user) = (Arc::clone(&store), totp.user);
            async move { commit(&*store, tenant, Unit::new().with(MfaChange::AcceptStep { user, step })).await }
        })
        .await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "step {step}");
    }
}

pub async fn backup_codes_are_replaced_and_used_once(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let user = build::stored_user(&*store, tenant).await;
    let codes: Vec<_> = (0..10).map(|_| build::bytes()).collect();
    let replace = |codes: &[[u8; 32]]| {
        Unit::new().with(MfaChange::ReplaceBackupCodes { user: user.id, codes: codes.to_vec(), at: build::at(0) })
    };
    let spend = |code| Unit::new().with(MfaChange::UseBackupCode { user: user.id, code });
    must(&*store, tenant, replace(&codes)).await;
    assert_eq!(store.count_backup_codes(tenant, user.id).await.unwrap(), 10);
    assert_eq!(store.count_backup_codes(build::tenant(), user.id).await.unwrap(), 0);
    let results = parallel(0..8, |_| {
        let (store, unit) = (Arc::clone(&store), spend(codes[0]));
        async move { commit(&*store, tenant, unit).await }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert_conflict(&commit(&*store, tenant, spend(build::bytes())).await, 0, Conflict::Changed);
    assert_eq!(store.count_backup_codes(tenant, user.id).await.unwrap(), 9);
    let fresh: Vec<_> = (0..3).map(|_| build::bytes()).collect();
    must(&*store, tenant, replace(&fresh)).await;
    assert_conflict(&commit(&*store, tenant, spend(codes[1])).await, 0, Conflict::Changed);
    must(&*store, tenant, spend(fresh[0])).await;
    must(&*store, tenant, Unit::new().with(MfaChange::Remove { user: user.id })).await;
    assert_eq!(store.count_backup_codes(tenant, user.id).await.unwrap(), 0);
}
