use super::*;
use crate::{ProfileField, ProfileKind};
use serde_json::json;

#[tokio::test]
async fn an_account_exists_only_after_the_proof() {
    let world = World::new().await;
    let token = world.register(" Ada@Example.org ", PASSWORD).await;
    assert!(world.stored(ADA).await.is_none());
    assert_eq!(code(world.login(ADA, PASSWORD).await), ErrorCode::InvalidCredentials);

    let view = world.accounts.verify_email(&world.origin, TokenRequest { token: token.clone() }).await.expect("proved");
    assert_eq!((view.user.email.as_str(), view.user.email_verified), ("Ada@example.org", true));
    assert_eq!(world.kinds().await, ["welcome"]);
    world.tokens("ADA@EXAMPLE.ORG", PASSWORD).await;

    let again = world.accounts.verify_email(&world.origin, TokenRequest { token }).await;
    assert_eq!(code(again), ErrorCode::InvalidOneTimeToken);
    assert_eq!(world.audited("user.verified").await, 1);
}

#[tokio::test]
async fn nothing_of_an_unproved_registration_survives_the_proof_of_another() {
    let world = World::new().await;
    let strangers = world.register(ADA, OTHER_PASSWORD).await;
    let owners = world.register(ADA, PASSWORD).await;
    world.accounts.verify_email(&world.origin, TokenRequest { token: owners }).await.expect("proved");
    assert_eq!(world.pending(ADA).await, 0, "not even until the account is erased");
    assert_eq!(
        code(world.accounts.verify_email(&world.origin, TokenRequest { token: strangers }).await),
        ErrorCode::InvalidOneTimeToken
    );
    assert_eq!(code(world.login(ADA, OTHER_PASSWORD).await), ErrorCode::InvalidCredentials);
    world.tokens(ADA, PASSWORD).await;
}

#[tokio::test]
async fn of_parallel_proofs_of_one_address_exactly_one_wins() {
    let world = World::new().await;
    let mut tokens = Vec::new();
    for at in 0..8 {
        tokens.push(world.register(ADA, &format!("{PASSWORD} {at}")).await);
    }
    let accounts = &world.accounts;
    let proofs = tokens.iter().chain(&tokens).map(|token| {
        let (accounts, origin, token) = (accounts.clone(), world.origin.clone(), token.clone());
        tokio::spawn(async move { accounts.verify_email(&origin, TokenRequest { token }).await })
    });
    let proofs: Vec<_> = proofs.collect();
    let mut won = 0;
    for proof in proofs {
        match proof.await.expect("ran") {
            Ok(_) => won += 1,
            Err(error) => assert_eq!(error.code, ErrorCode::InvalidOneTimeToken),
        }
    }
    assert_eq!(won, 1);
    let hash = world.stored(ADA).await.and_then(|user| user.password_hash).expect("an account");
    let mut open = 0;
    for at in 0..8 {
        let password = Secret::from(format!("{PASSWORD} {at}").as_str());
        open += usize::from(world.cx.hasher.verify(&password, Some(&hash)).await != Ok(crate::ports::Verified::No));
    }
    assert_eq!(open, 1, "one password opens the account");
}

#[tokio::test]
async fn a_link_runs_out_and_a_further_one_leaves_it_as_it_is() {
    let world = World::new().await;
    let old = world.register(ADA, PASSWORD).await;
    let key = Email::parse(ADA, false).expect("an address").key(&world.cx.keyring, DEFAULT_TENANT);
    let found = world.cx.store.list_registrations(DEFAULT_TENANT, &key, 1).await.expect("read").remove(0);
    let kind = crate::crypto::OpaqueKind::Verify;
    world.clock.advance(SignedDuration::from_mins(1));
    let (change, _, new) = register::another_link(&world.cx, &found, false);
    world.cx.commit(Scope::Tenant(DEFAULT_TENANT), Unit::new().with(change)).await.expect("copied");
    assert!(world.accounts.token_is_valid(&world.origin, kind, &old).await.expect("read"));
    world.clock.advance(world.cx.settings.links.verify - SignedDuration::from_mins(1));
    assert!(
        !world.accounts.token_is_valid(&world.origin, kind, &old).await.expect("read"),
        "nor does it make it live longer"
    );
    assert!(world.accounts.token_is_valid(&world.origin, kind, new.secret()).await.expect("read"));
    world.clock.advance(SignedDuration::from_mins(1));
    assert!(!world.accounts.token_is_valid(&world.origin, kind, new.secret()).await.expect("read"));
    let late = world.accounts.verify_email(&world.origin, TokenRequest { token: new.secret().clone() }).await;
    assert_eq!(code(late), ErrorCode::InvalidOneTimeToken);
}

#[tokio::test]
async fn a_link_that_was_renewed_in_its_row_is_void() {
    let world = World::new().await;
    let old = world.register(ADA, PASSWORD).await;
    let key = Email::parse(ADA, false).expect("an address").key(&world.cx.keyring, DEFAULT_TENANT);
    let found = world.cx.store.list_registrations(DEFAULT_TENANT, &key, 1).await.expect("read").remove(0);
    let (change, _, new) = register::another_link(&world.cx, &found, true);
    world.cx.commit(Scope::Tenant(DEFAULT_TENANT), Unit::new().with(change)).await.expect("renewed");
    let refused = world.accounts.verify_email(&world.origin, TokenRequest { token: old }).await;
    assert_eq!(code(refused), ErrorCode::InvalidOneTimeToken);
    let token = new.secret().clone();
    world.accounts.verify_email(&world.origin, TokenRequest { token }).await.expect("proved");
}

#[tokio::test]
async fn all_refused_fields_are_told_at_once() {
    let world = World::new().await;
    let request = RegisterRequest {
        email: "nobody".into(),
        password: "short".into(),
        name: Some("a\r\nBcc: b".into()),
        locale: Some("no_locale".into()),
        profile: json!({ "role": "admin" }).as_object().cloned(),
        redirect_url: None,
    };
    let mut codes = codes(world.accounts.register(&world.origin, request).await);
    codes.sort();
    assert_eq!(
        codes,
        [
            "email: email.invalid",
            "locale: locale.invalid",
            "name: name.invalid",
            "password: password.too_short",
            "profile.role: profile.unknown_field",
        ]
    );
    assert_eq!(world.counters.take(), counting::Work::default(), "nothing was read, written or hashed");
}

#[tokio::test]
async fn a_profile_holds_declared_fields_only() {
    let field = |name: &str, kind| ProfileField { name: name.into(), kind };
    let world = World::with(Settings {
        profile_fields: vec![field("team", ProfileKind::Text), field("age", ProfileKind::Number)],
        ..Settings::default()
    })
    .await;
    let request = |profile: serde_json::Value| RegisterRequest {
        profile: profile.as_object().cloned(),
        ..registration(ADA, PASSWORD)
    };
    for (wrong, field) in [
        (json!({"team": 1}), "profile.team: profile.invalid_value"),
        (json!({"age": "1"}), "profile.age: profile.invalid_value"),
        (json!({"email_verified": true}), "profile.email_verified: profile.unknown_field"),
        (json!({"team": "a\u{0}b"}), "profile.team: profile.invalid_value"),
    ] {
        assert_eq!(codes(world.accounts.register(&world.origin, request(wrong)).await), [field]);
    }
    world.accounts.register(&world.origin, request(json!({"team": "blue", "age": null}))).await.expect("declared");
}

#[tokio::test]
async fn a_redirect_must_be_on_the_list_when_asked_for_and_when_followed() {
    let world =
        World::with(Settings { redirect_urls: vec!["https://app.example/in".into()], ..Settings::default() }).await;
    let request = |url: &str| RegisterRequest { redirect_url: Some(url.into()), ..registration(ADA, PASSWORD) };
    let refused = world.accounts.register(&world.origin, request("https://evil.example/in")).await;
    assert_eq!(code(refused), ErrorCode::RedirectNotAllowed);
    assert_eq!(
        code(world.accounts.register(&world.origin, request("https://tenant.example/x")).await),
        ErrorCode::RedirectNotAllowed
    );

    world.set_tenant(|settings| settings.redirect_urls = vec!["https://tenant.example".into()]).await;
    world.accounts.register(&world.origin, request("https://tenant.example/x")).await.expect("on the tenant's list");
    let Some(Notice::Registration { token, .. }) = world.notices().await.pop() else { panic!("no link") };
    world.set_tenant(|settings| settings.redirect_urls.clear()).await;
    let view = world.accounts.verify_email(&world.origin, TokenRequest { token }).await.expect("proved");
    assert_eq!(view.redirect_url, None, "it was taken from the list meanwhile");
}

#[tokio::test]
async fn a_tenant_can_allow_accounts_before_their_proof() {
    let world = World::new().await;
    world.set_tenant(|settings| settings.allow_unverified = true).await;
    let token = world.register(ADA, PASSWORD).await;
    assert!(!world.tokens(ADA, PASSWORD).await.user.email_verified);
    assert_eq!(
        code(world.accounts.register(&world.origin, registration("ADA@example.org", PASSWORD)).await),
        ErrorCode::EmailTaken
    );
    let view = world.accounts.verify_email(&world.origin, TokenRequest { token: token.clone() }).await.expect("proved");
    assert!(view.user.email_verified);
    assert!(world.stored(ADA).await.expect("there").email_verified);
    assert_eq!(
        code(world.accounts.verify_email(&world.origin, TokenRequest { token }).await),
        ErrorCode::InvalidOneTimeToken
    );
}

#[tokio::test]
async fn a_tenant_that_is_switched_off_proves_nobody() {
    let world = World::new().await;
    let tenants = Tenants::new(world.cx.clone());
    let mut tenant = tenants.create("shop", "Shop", &[], Default::default()).await.expect("made");
    let origin = Origin::local(tenant.id);
    world.accounts.register(&origin, registration(ADA, PASSWORD)).await.expect("registered");
    let Some(Notice::Registration { token, .. }) = world.notices().await.pop() else { panic!("no link") };
    let valid = async || {
        world.accounts.token_is_valid(&world.origin, crate::crypto::OpaqueKind::Verify, &token).await.expect("read")
    };
    assert!(valid().await);
    tenant.active = false;
    tenants.update(tenant).await.expect("switched off");
    assert!(!valid().await, "the page behind the link says what the proof would");
}

#[tokio::test]
async fn a_token_of_another_tenant_or_purpose_is_refused() {
    let world = World::new().await;
    let token = world.register(ADA, PASSWORD).await;
    let elsewhere = Origin::local(TenantId::new(uuid::Uuid::from_u128(9)));
    let refused = world.accounts.verify_email(&elsewhere, TokenRequest { token: token.clone() }).await;
    assert_eq!(code(refused), ErrorCode::InvalidOneTimeToken);
    let request = PasswordResetRequest { token: token.clone(), new_password: OTHER_PASSWORD.into() };
    assert_eq!(code(world.accounts.reset_password(&world.origin, request).await), ErrorCode::InvalidOneTimeToken);
    for token in ["", "akv_", "akv_AAAA", &token.expose().replace("akv_", "akp_"), &"akv_".repeat(100_000)] {
        world.counters.take();
        let refused = world.accounts.verify_email(&world.origin, TokenRequest { token: token.into() }).await;
        assert_eq!(code(refused), ErrorCode::InvalidOneTimeToken);
        assert_eq!(world.counters.take(), counting::Work::default(), "a forged token costs nothing");
    }
}

#[tokio::test]
async fn an_operator_makes_verified_accounts_under_the_same_policy() {
    let world = World::new().await;
    let pending = world.register(ADA, OTHER_PASSWORD).await;
    let make = |password: &'static str| {
        let (accounts, origin) = (world.accounts.clone(), world.origin.clone());
        async move { accounts.create_verified(&origin, ADA, &password.into(), Some("Ada")).await }
    };
    assert_eq!(codes(make("password12").await), ["password: password.too_weak"]);
    assert!(make(PASSWORD).await.expect("made").email_verified);
    assert_eq!(code(make(PASSWORD).await), ErrorCode::EmailTaken);
    assert_eq!(
        code(world.accounts.verify_email(&world.origin, TokenRequest { token: pending }).await),
        ErrorCode::InvalidOneTimeToken
    );
    world.tokens(ADA, PASSWORD).await;
}
