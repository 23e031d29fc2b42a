use super::*;

async fn reset_token(world: &World) -> Secret {
    let user = world.stored(ADA).await.expect("there");
    let (row, token) = reset::issue(&world.cx, &user).expect("made");
    let unit = Unit::new()
        .with(AccountChange::DeleteTokensOf { user: user.id, purpose: TokenPurpose::PasswordReset })
        .with(AccountChange::CreateToken(row));
    world.cx.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.expect("issued");
    token.secret().clone()
}

fn request(token: &Secret, password: &str) -> PasswordResetRequest {
    PasswordResetRequest { token: token.clone(), new_password: password.into() }
}

#[tokio::test]
async fn a_reset_sets_the_password_ends_all_sessions_and_lifts_the_lock() {
    let world = World::new().await;
    world.user(ADA).await;
    let tokens = world.tokens(ADA, PASSWORD).await;
    world.lock(ADA).await;
    world.notices().await;
    let token = reset_token(&world).await;
    let others = world.wait_for_proof(ADA).await;
    world.accounts.reset_password(&world.origin, request(&token, OTHER_PASSWORD)).await.expect("reset");
    assert!(!world.is_alive(&tokens).await);
    assert_eq!(world.left_of(&others).await, 0, "no other token is left");
    assert_eq!(world.kinds().await, ["password_changed"]);
    assert_eq!(world.audited("password.reset").await, 1);
    world.tokens(ADA, OTHER_PASSWORD).await;
    assert_eq!(code(world.login(ADA, PASSWORD).await), ErrorCode::InvalidCredentials);
    let again = world.accounts.reset_password(&world.origin, request(&token, "another lighthouse keeper")).await;
    assert_eq!(code(again), ErrorCode::InvalidOneTimeToken);
}

#[tokio::test]
async fn a_refused_password_does_not_use_the_link_up() {
    let world = World::new().await;
    world.user(ADA).await;
    let token = reset_token(&world).await;
    for (password, code) in [("short", "too_short"), ("password12", "too_weak"), (PASSWORD, "reused")] {
        let refused = world.accounts.reset_password(&world.origin, request(&token, password)).await;
        assert_eq!(codes(refused), [format!("new_password: password.{code}")]);
    }
    world.accounts.reset_password(&world.origin, request(&token, OTHER_PASSWORD)).await.expect("reset");
}

#[tokio::test]
async fn one_reset_link_used_eight_times_at_once_works_once() {
    let world = World::new().await;
    world.user(ADA).await;
    let token = reset_token(&world).await;
    let uses: Vec<_> = (0..8)
        .map(|at| {
            let (accounts, origin) = (world.accounts.clone(), world.origin.clone());
            let request = request(&token, &format!("{OTHER_PASSWORD} {at}"));
            tokio::spawn(async move { accounts.reset_password(&origin, request).await })
        })
        .collect();
    let mut won = 0;
    for done in uses {
        match done.await.expect("ran") {
            Ok(()) => won += 1,
            Err(error) => assert_eq!(error.code, ErrorCode::InvalidOneTimeToken),
        }
    }
    assert_eq!(won, 1);
    assert_eq!(world.audited("password.reset").await, 1);
}

#[tokio::test]
async fn a_newer_link_and_any_change_of_credentials_void_a_reset_link() {
    let world = World::new().await;
    world.user(ADA).await;
    let old = reset_token(&world).await;
    let new = reset_token(&world).await;
    let refused = world.accounts.reset_password(&world.origin, request(&old, OTHER_PASSWORD)).await;
    assert_eq!(code(refused), ErrorCode::InvalidOneTimeToken);

    let principal = world.principal(ADA, PASSWORD).await;
    let change = PasswordChangeRequest { current_password: Some(PASSWORD.into()), new_password: OTHER_PASSWORD.into() };
    world.accounts.change_password(&world.origin, &principal, change).await.expect("changed");
    let refused = world.accounts.reset_password(&world.origin, request(&new, "another lighthouse keeper")).await;
    assert_eq!(code(refused), ErrorCode::InvalidOneTimeToken);

    let late = reset_token(&world).await;
    world.clock.advance(world.cx.settings.links.reset);
    let refused = world.accounts.reset_password(&world.origin, request(&late, "another lighthouse keeper")).await;
    assert_eq!(code(refused), ErrorCode::InvalidOneTimeToken);
}

#[tokio::test]
async fn a_switched_off_account_cannot_be_reset() {
    let world = World::new().await;
    let user = world.user(ADA).await;
    let token = reset_token(&world).await;
    world.accounts.deactivate(&world.origin, None, user.id).await.expect("deactivated");
    let refused = world.accounts.reset_password(&world.origin, request(&token, OTHER_PASSWORD)).await;
    assert_eq!(code(refused), ErrorCode::InvalidOneTimeToken);
    let token = reset_token(&world).await;
    let refused = world.accounts.reset_password(&world.origin, request(&token, OTHER_PASSWORD)).await;
    assert_eq!(code(refused), ErrorCode::InvalidOneTimeToken);
}

#[tokio::test]
async fn a_reset_proves_the_address_of_an_account_that_was_made_before_its_proof() {
    let world = World::new().await;
    world.set_tenant(|settings| settings.allow_unverified = true).await;
    world.register(ADA, PASSWORD).await;
    let token = reset_token(&world).await;
    world.accounts.reset_password(&world.origin, request(&token, OTHER_PASSWORD)).await.expect("reset");
    assert!(world.stored(ADA).await.expect("there").email_verified);
    assert_eq!(code(world.login(ADA, PASSWORD).await), ErrorCode::InvalidCredentials);
}

#[tokio::test]
async fn a_reset_that_first_proves_the_address_removes_second_factor_and_devices_of_whoever_had_the_account() {
    let world = World::new().await;
    world.set_tenant(|settings| settings.allow_unverified = true).await;
    world.register(ADA, PASSWORD).await;
    let device = world.device(ADA).await;
    crate::auth::tests::add_totp(&world, ADA).await;
    let token = reset_token(&world).await;
    world.accounts.reset_password(&world.origin, request(&token, OTHER_PASSWORD)).await.expect("reset");
    let user = world.stored(ADA).await.expect("there");
    assert!(user.email_verified && !user.mfa_enabled && !world.is_active(device).await);
    assert!(world.cx.store.find_totp(user.tenant, user.id).await.expect("read").is_none());
    world.tokens(ADA, OTHER_PASSWORD).await;
}

#[tokio::test]
async fn a_reset_leaves_the_second_factor_its_lock_and_devices_alone() {
    let world = World::new().await;
    crate::auth::tests::enable_totp(&world, ADA).await;
    let device = world.device(ADA).await;
    let token = reset_token(&world).await;
    world.accounts.reset_password(&world.origin, request(&token, OTHER_PASSWORD)).await.expect("reset");
    let user = world.stored(ADA).await.expect("there");
    assert!(world.is_active(device).await);
    assert!(user.mfa_enabled && world.cx.store.find_totp(user.tenant, user.id).await.expect("read").is_some());
    assert!(matches!(world.login(ADA, OTHER_PASSWORD).await, Ok(LoginView::MfaRequired(_))));
}

#[tokio::test]
async fn a_token_counts_for_its_own_row_and_purpose_only() {
    let world = World::new().await;
    world.user(ADA).await;
    let user = world.stored(ADA).await.expect("there");
    let (row, _) = reset::issue(&world.cx, &user).expect("made");
    let (mut other, other_token) = reset::issue(&world.cx, &user).expect("made");
    other.purpose = TokenPurpose::EmailChange;
    let (keyring, random) = (&world.cx.keyring, &*world.cx.random);
    let kind = TokenPurpose::PasswordReset.opaque();
    let twin = crate::crypto::OpaqueToken::generate(keyring, random, kind, user.tenant, row.id.uuid());
    let unit = Unit::new().with(AccountChange::CreateToken(row)).with(AccountChange::CreateToken(other));
    world.cx.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.expect("issued");
    for token in [twin.secret(), other_token.secret()] {
        let refused = world.accounts.reset_password(&world.origin, request(token, OTHER_PASSWORD)).await;
        assert_eq!(code(refused), ErrorCode::InvalidOneTimeToken);
    }
}

#[tokio::test]
async fn a_link_from_before_the_second_factor_is_void() {
    let world = World::new().await;
    world.user(ADA).await;
    let user = world.stored(ADA).await.expect("there");
    let token = reset_token(&world).await;
    let unit = Unit::new().with(AccountChange::SetMfa {
        user: user.id,
        security_version: user.security_version,
        enabled: true,
        kept_session: None,
        at: world.now(),
    });
    world.cx.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.expect("enabled");
    let refused = world.accounts.reset_password(&world.origin, request(&token, OTHER_PASSWORD)).await;
    assert_eq!(code(refused), ErrorCode::InvalidOneTimeToken);
}

#[tokio::test]
async fn a_link_of_a_switched_off_tenant_is_void() {
    let world = World::new().await;
    let tenants = Tenants::new(world.cx.clone());
    let mut acme = tenants.create("acme", "Acme", &[], Default::default()).await.expect("made");
    let origin = Origin::local(acme.id);
    world.accounts.create_verified(&origin, ADA, &PASSWORD.into(), None).await.expect("made");
    let key = Email::parse(ADA, false).expect("an address").key(&world.cx.keyring, acme.id);
    let user = world.cx.store.find_user_by_email(acme.id, &key).await.expect("read").expect("there");
    let (row, token) = reset::issue(&world.cx, &user).expect("made");
    world.cx.commit(Scope::Tenant(acme.id), Unit::new().with(AccountChange::CreateToken(row))).await.expect("issued");
    acme.active = false;
    tenants.update(acme).await.expect("switched off");
    let refused = world.accounts.reset_password(&origin, request(token.secret(), OTHER_PASSWORD)).await;
    assert_eq!(code(refused), ErrorCode::InvalidOneTimeToken);
}
