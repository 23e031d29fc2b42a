use super::*;

const NEW: &str = "ada@new.example";

/// Asks for `email` and returns the token that was mailed to it.
async fn ask(world: &World, principal: &Principal, email: &str) -> Secret {
    let request = ChangeEmailRequest { new_email: email.into() };
    world.accounts.request_email_change(&world.origin, principal, request).await.expect("asked");
    let notices = world.notices().await;
    let token = notices.iter().find_map(|notice| match notice {
        Notice::EmailChange { token, email: to, .. } if to == email => Some(token.clone()),
        _ => None,
    });
    token.expect("a link to the new address")
}

async fn confirm(world: &World, token: Secret) -> Result<()> {
    world.accounts.confirm_email_change(&world.origin, TokenRequest { token }).await
}

/// The way back, and the address that it was mailed to.
async fn way_back(world: &World) -> (String, Secret) {
    let notices = world.notices().await;
    let found = notices.into_iter().find_map(|notice| match notice {
        Notice::EmailChanged { email, token, .. } => Some((email, token)),
        _ => None,
    });
    found.expect("the old address is told")
}

async fn undo(world: &World, token: &Secret) -> Result<()> {
    world.accounts.undo_email_change(&world.origin, TokenRequest { token: token.clone() }).await
}

#[tokio::test]
async fn the_address_moves_by_proof_and_the_other_sessions_end() {
    let world = World::new().await;
    world.user(ADA).await;
    let other = world.tokens(ADA, PASSWORD).await;
    let own = world.tokens(ADA, PASSWORD).await;
    let principal = world.sessions.authenticate(own.access_token.expose()).await.expect("signed in");
    let token = ask(&world, &principal, NEW).await;
    assert!(world.stored(NEW).await.is_none(), "nothing moves before the proof");
    world.register(NEW, OTHER_PASSWORD).await;
    let others = world.wait_for_proof(ADA).await;

    confirm(&world, token.clone()).await.expect("moved");
    assert_eq!(world.left_of(&others).await, 0, "no other token is left");
    assert_eq!(world.pending(NEW).await, 0, "nor a registration of the address");
    assert!(world.stored(ADA).await.is_none());
    assert_eq!(world.stored(NEW).await.expect("moved").email, NEW);
    assert!(!world.is_alive(&other).await && world.is_alive(&own).await);
    assert_eq!(way_back(&world).await.0, ADA);
    assert_eq!(code(confirm(&world, token).await), ErrorCode::InvalidOneTimeToken);
    world.tokens(NEW, PASSWORD).await;
}

#[tokio::test]
async fn an_address_that_was_never_proved_gets_no_way_into_the_account() {
    let world = World::new().await;
    world.set_tenant(|settings| settings.allow_unverified = true).await;
    world.register(ADA, PASSWORD).await;
    let principal = world.principal(ADA, PASSWORD).await;
    let token = ask(&world, &principal, NEW).await;
    confirm(&world, token).await.expect("moved");
    assert!(world.stored(NEW).await.expect("moved").email_verified);
    assert!(world.kinds().await.is_empty(), "nothing goes to the address that was mistyped");
}

#[tokio::test]
async fn a_change_needs_a_fresh_sign_in_and_a_newer_request_voids_the_older() {
    let world = World::new().await;
    world.user(ADA).await;
    let principal = world.principal(ADA, PASSWORD).await;
    let old = ask(&world, &principal, NEW).await;
    let new = ask(&world, &principal, "ada@newer.example").await;
    assert_eq!(code(confirm(&world, old).await), ErrorCode::InvalidOneTimeToken);
    confirm(&world, new).await.expect("moved");
    world.clock.advance(world.cx.settings.sessions.fresh + SignedDuration::from_secs(1));
    let stale = world
        .accounts
        .request_email_change(&world.origin, &principal, ChangeEmailRequest { new_email: NEW.into() })
        .await;
    assert_eq!(code(stale), ErrorCode::StepUpRequired);
}

#[tokio::test]
async fn a_taken_address_cannot_be_moved_to() {
    let world = World::new().await;
    world.user(ADA).await;
    world.user(NEW).await;
    let principal = world.principal(ADA, PASSWORD).await;
    let token = ask(&world, &principal, NEW).await;
    assert_eq!(code(confirm(&world, token).await), ErrorCode::EmailTaken);
    assert!(world.stored(ADA).await.is_some());
}

#[tokio::test]
async fn the_way_back_restores_the_address_and_ends_every_session() {
    let world = World::new().await;
    world.user(ADA).await;
    let own = world.tokens(ADA, PASSWORD).await;
    let principal = world.sessions.authenticate(own.access_token.expose()).await.expect("signed in");
    let token = ask(&world, &principal, NEW).await;
    confirm(&world, token).await.expect("moved");
    let (_, back) = way_back(&world).await;
    let moved = world.stored(NEW).await.expect("moved");
    let (row, reset) = reset::issue(&world.cx, &moved).expect("made");
    let unit = Unit::new().with(AccountChange::CreateToken(row));
    world.cx.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.expect("issued");
    world.register(ADA, OTHER_PASSWORD).await;
    let others = world.wait_for_proof(NEW).await;
    let device = world.device(NEW).await;

    undo(&world, &back).await.expect("taken back");
    assert_eq!((world.left_of(&others).await, world.pending(ADA).await), (0, 0));
    assert!(world.stored(ADA).await.is_some() && world.stored(NEW).await.is_none());
    assert!(!world.is_alive(&own).await && !world.is_active(device).await);
    let request = PasswordResetRequest { token: reset.secret().clone(), new_password: OTHER_PASSWORD.into() };
    assert_eq!(code(world.accounts.reset_password(&world.origin, request).await), ErrorCode::InvalidOneTimeToken);
    assert_eq!(code(undo(&world, &back).await), ErrorCode::InvalidOneTimeToken);
}

#[tokio::test]
async fn the_way_back_takes_the_account_from_whoever_changed_its_address() {
    for had_a_second_factor in [false, true] {
        let world = World::new().await;
        world.user(ADA).await;
        let principal = world.principal(ADA, PASSWORD).await;
        if had_a_second_factor {
            crate::auth::tests::add_totp(&world, ADA).await;
        }
        let token = ask(&world, &principal, NEW).await;
        confirm(&world, token).await.expect("moved");
        let (_, back) = way_back(&world).await;
        if !had_a_second_factor {
            crate::auth::tests::add_totp(&world, NEW).await;
        }
        undo(&world, &back).await.expect("taken back");

        let user = world.stored(ADA).await.expect("back");
        assert_eq!(user.mfa_enabled, had_a_second_factor, "what the owner set up stays, what came later goes");
        let login = LoginRequest { email: ADA.into(), password: PASSWORD.into() };
        assert_eq!(code(world.sign_in.login(&world.origin, login).await), ErrorCode::InvalidCredentials);
        assert!(world.kinds().await.contains(&"password_reset_requested"));
    }
}

#[tokio::test]
async fn the_way_back_lasts_three_days_whatever_is_done_meanwhile() {
    let world = World::new().await;
    world.user(ADA).await;
    let principal = world.principal(ADA, PASSWORD).await;
    let token = ask(&world, &principal, NEW).await;
    confirm(&world, token).await.expect("moved");
    let (_, back) = way_back(&world).await;
    let change = PasswordChangeRequest { current_password: Some(PASSWORD.into()), new_password: OTHER_PASSWORD.into() };
    world.accounts.change_password(&world.origin, &principal, change).await.expect("changed");
    world.clock.advance(SignedDuration::from_hours(72) - SignedDuration::from_secs(1));
    assert!(
        world.accounts.token_is_valid(&world.origin, crate::crypto::OpaqueKind::EmailUndo, &back).await.expect("read")
    );
    world.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(code(undo(&world, &back).await), ErrorCode::InvalidOneTimeToken);
}

#[tokio::test]
async fn moving_on_does_not_cut_the_first_owners_way_back() {
    let world = World::new().await;
    world.user(ADA).await;
    let principal = world.principal(ADA, PASSWORD).await;
    let token = ask(&world, &principal, "thief@one.example").await;
    confirm(&world, token).await.expect("moved");
    let (_, owners) = way_back(&world).await;
    world.clock.advance(SignedDuration::from_secs(1));
    let token = ask(&world, &principal, "thief@two.example").await;
    confirm(&world, token).await.expect("moved on");
    let (_, thiefs) = way_back(&world).await;

    undo(&world, &thiefs).await.expect("the thief goes back a step");
    undo(&world, &owners).await.expect("the owner still can");
    assert!(world.stored(ADA).await.is_some());
}

#[tokio::test]
async fn the_first_owners_way_back_cuts_those_of_later_changes() {
    let world = World::new().await;
    world.user(ADA).await;
    let principal = world.principal(ADA, PASSWORD).await;
    let token = ask(&world, &principal, "thief@one.example").await;
    confirm(&world, token).await.expect("moved");
    let (_, owners) = way_back(&world).await;
    world.clock.advance(SignedDuration::from_secs(1));
    let token = ask(&world, &principal, "thief@two.example").await;
    confirm(&world, token).await.expect("moved on");
    let (_, thiefs) = way_back(&world).await;
    undo(&world, &owners).await.expect("taken back");
    assert_eq!(code(undo(&world, &thiefs).await), ErrorCode::InvalidOneTimeToken);
    assert!(world.stored(ADA).await.is_some());
}
