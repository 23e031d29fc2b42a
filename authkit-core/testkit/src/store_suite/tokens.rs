//! Registrations and single-use tokens.

use super::{assert_conflict, build, commit, must, must_system, parallel};
use authkit_core::{
    accounts::{AccountChange, OneTimeToken, Registration, TokenPurpose},
    ports::{Conflict, Store, Unit},
};
use std::sync::Arc;

async fn register(store: &dyn Store, registration: &Registration) {
    let create = AccountChange::CreateRegistration(Box::new(registration.clone()));
    must(store, registration.tenant, Unit::new().with(create)).await;
}

async fn keep(store: &dyn Store, token: &OneTimeToken) {
    must(store, token.tenant, Unit::new().with(AccountChange::CreateToken(token.clone()))).await;
}

pub async fn a_registration_is_kept_renewed_and_consumed(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let registration = build::registration(tenant, build::key());
    register(&*store, &registration).await;
    let found = store.find_registration(tenant, registration.id).await.unwrap().unwrap();
    assert_eq!((found.id, found.tenant), (registration.id, tenant));
    assert_eq!((&found.email, found.email_key), (&registration.email, registration.email_key));
    assert_eq!((&found.name, &found.locale), (&registration.name, &registration.locale));
    assert_eq!((&found.profile, &found.password_hash), (&registration.profile, &registration.password_hash));
    assert_eq!((found.token_hash, &found.redirect_url), (registration.token_hash, &registration.redirect_url));
    assert_eq!((found.created_at, found.expires_at), (registration.created_at, registration.expires_at));

    let (id, renewed) = (registration.id, build::bytes());
    let renew = |expected| {
        Unit::new().with(AccountChange::RenewRegistration {
            id,
            expected,
            token_hash: renewed,
            expires_at: build::at(9),
        })
    };
    must(&*store, tenant, renew(registration.token_hash)).await;
    assert_conflict(&commit(&*store, tenant, renew(registration.token_hash)).await, 0, Conflict::Changed);
    let found = store.find_registration(tenant, id).await.unwrap().unwrap();
    assert_eq!((found.token_hash, found.expires_at), (renewed, build::at(9)));

    let consume = |token_hash| Unit::new().with(AccountChange::ConsumeRegistration { id, token_hash });
    assert_conflict(&commit(&*store, tenant, consume(registration.token_hash)).await, 0, Conflict::Changed);
    assert_conflict(&commit(&*store, build::tenant(), consume(renewed)).await, 0, Conflict::Changed);
    must(&*store, tenant, consume(renewed)).await;
    assert_conflict(&commit(&*store, tenant, consume(renewed)).await, 0, Conflict::Changed);
    assert!(store.find_registration(tenant, id).await.unwrap().is_none());
}

pub async fn registrations_of_an_address_are_listed_newest_first(store: Arc<dyn Store>) {
    let (tenant, key) = (build::tenant(), build::key());
    let registrations: Vec<_> = (0..3).map(|_| build::registration(tenant, key)).collect();
    for registration in &registrations {
        register(&*store, registration).await;
    }
    register(&*store, &build::registration(tenant, build::key())).await;
    let listed = async |tenant, limit| {
        let found = store.list_registrations(tenant, &key, limit).await.unwrap();
        found.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(tenant, 9).await, [2, 1, 0].map(|n: usize| registrations[n].id));
    assert_eq!(listed(tenant, 2).await, [2, 1].map(|n: usize| registrations[n].id));
    assert!(listed(build::tenant(), 9).await.is_empty());
    assert!(store.find_registration(build::tenant(), registrations[2].id).await.unwrap().is_none());
}

pub async fn registrations_of_an_address_go_together(store: Arc<dyn Store>) {
    let (tenant, key) = (build::tenant(), build::key());
    let other = build::registration(tenant, build::key());
    for registration in [build::registration(tenant, key), build::registration(tenant, key), other.clone()] {
        register(&*store, &registration).await;
    }
    let all = Unit::new().with(AccountChange::DeleteRegistrationsOf { email_key: key });
    assert_eq!(must(&*store, tenant, all.clone()).await.get(0), 2);
    assert_eq!(must(&*store, tenant, all).await.get(0), 0);
    let one = Unit::new().with(AccountChange::DeleteRegistration { id: other.id });
    assert_eq!(must(&*store, tenant, one.clone()).await.get(0), 1);
    assert_eq!(must(&*store, tenant, one).await.get(0), 0);
}

pub async fn a_token_is_consumed_once(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let user = build::stored_user(&*store, tenant).await;
    for purpose in [
        TokenPurpose::PasswordReset,
        TokenPurpose::EmailChange,
        TokenPurpose::EmailUndo,
        TokenPurpose::Mfa,
        TokenPurpose::Reactivate,
    ] {
        let token = build::token(&user, purpose);
        keep(&*store, &token).await;
        let found = store.find_token(tenant, token.id).await.unwrap().unwrap();
        assert_eq!((found.id, found.tenant, found.user), (token.id, tenant, user.id));
        assert_eq!((found.purpose, found.token_hash, &found.data), (purpose, token.token_hash, &token.data));
        assert_eq!((found.security_version, found.created_at), (token.security_version, token.created_at));
        assert_eq!(found.expires_at, token.expires_at);
        assert!(store.find_token(build::tenant(), token.id).await.unwrap().is_none());
        let consume = |token_hash| Unit::new().with(AccountChange::ConsumeToken { id: token.id, token_hash });
        assert_conflict(&commit(&*store, tenant, consume(build::bytes())).await, 0, Conflict::Changed);
        must(&*store, tenant, consume(token.token_hash)).await;
        assert_conflict(&commit(&*store, tenant, consume(token.token_hash)).await, 0, Conflict::Changed);
        assert!(store.find_token(tenant, token.id).await.unwrap().is_none());
    }
}

pub async fn a_token_is_consumed_by_one_of_many(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let user = build::stored_user(&*store, tenant).await;
    let token = build::token(&user, TokenPurpose::PasswordReset);
    keep(&*store, &token).await;
    let results = parallel(0..8, |_| {
        let (store, id, token_hash) = (Arc::clone(&store), token.id, token.token_hash);
        async move { commit(&*store, tenant, Unit::new().with(AccountChange::ConsumeToken { id, token_hash })).await }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
}

pub async fn tokens_of_a_purpose_go_together(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let (user, other) = (build::stored_user(&*store, tenant).await, build::stored_user(&*store, tenant).await);
    let reset = TokenPurpose::PasswordReset;
    let kept = [build::token(&user, TokenPurpose::Mfa), build::token(&other, reset)];
    for token in kept.iter().chain(&[build::token(&user, reset), build::token(&user, reset)]) {
        keep(&*store, token).await;
    }
    let delete = Unit::new().with(AccountChange::DeleteTokensOf { user: user.id, purpose: reset });
    assert_eq!(must(&*store, tenant, delete.clone()).await.get(0), 2);
    assert_eq!(must(&*store, tenant, delete).await.get(0), 0);
    for token in kept {
        assert!(store.find_token(tenant, token.id).await.unwrap().is_some());
    }
}

pub async fn tokens_since_a_time_go(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let user = build::stored_user(&*store, tenant).await;
    let purpose = TokenPurpose::EmailUndo;
    let tokens: Vec<_> = (0..3)
        .map(|number| OneTimeToken { created_at: build::at(number * 10), ..build::token(&user, purpose) })
        .collect();
    for token in &tokens {
        keep(&*store, token).await;
    }
    let delete = AccountChange::DeleteTokensSince { user: user.id, purpose, since: build::at(10) };
    assert_eq!(must(&*store, tenant, Unit::new().with(delete)).await.get(0), 2);
    assert!(store.find_token(tenant, tokens[0].id).await.unwrap().is_some());
    assert!(store.find_token(tenant, tokens[1].id).await.unwrap().is_none());
}

pub async fn what_expired_is_deleted(store: Arc<dyn Store>) {
    let (tenant, other) = (build::tenant(), build::tenant());
    let user = build::stored_user(&*store, other).await;
    let mut old = build::registration(tenant, build::key());
    old.expires_at = build::at(10);
    let fresh = build::registration(tenant, build::key());
    register(&*store, &old).await;
    register(&*store, &fresh).await;
    let old_token = OneTimeToken { expires_at: build::at(10), ..build::token(&user, TokenPurpose::Mfa) };
    let fresh_token = build::token(&user, TokenPurpose::Mfa);
    keep(&*store, &old_token).await;
    keep(&*store, &fresh_token).await;
    let sweep = |seconds| Unit::new().with(AccountChange::DeleteExpired { before: build::at(seconds) });
    assert_eq!(must_system(&*store, sweep(10)).await.get(0), 0, "what expires at the time is kept");
    assert_eq!(must_system(&*store, sweep(11)).await.get(0), 2);
    assert!(store.find_registration(tenant, old.id).await.unwrap().is_none());
    assert!(store.find_token(other, old_token.id).await.unwrap().is_none());
    assert!(store.find_registration(tenant, fresh.id).await.unwrap().is_some());
    assert!(store.find_token(other, fresh_token.id).await.unwrap().is_some());
}
