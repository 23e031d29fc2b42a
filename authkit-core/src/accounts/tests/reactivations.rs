//! The way back to an account that its owner closed.

use super::*;

fn with_password() -> PasswordConfirmRequest {
    PasswordConfirmRequest { password: Some(PASSWORD.into()) }
}

impl World {
    /// The token of the mail that tells of the account's end.
    async fn way_back(&self) -> Option<Secret> {
        self.notices().await.iter().find_map(|notice| match notice {
            Notice::Closed { token, .. } => Some(token.clone()),
            _ => None,
        })
    }

    async fn reactivate(&self, token: &Secret) -> Result<()> {
        self.accounts.reactivate(&self.origin, TokenRequest { token: token.clone() }).await
    }
}

#[tokio::test]
async fn the_owner_comes_back_once_and_signs_in_as_before() {
    let world = World::new().await;
    world.user(ADA).await;
    for delete in [false, true] {
        let principal = world.principal(ADA, PASSWORD).await;
        if delete {
            world.accounts.delete_me(&world.origin, &principal, with_password()).await.expect("scheduled");
        } else {
            world.accounts.deactivate_me(&world.origin, &principal, with_password()).await.expect("deactivated");
        }
        let token = world.way_back().await.expect("a link");
        assert!(
            world
                .accounts
                .token_is_valid(&world.origin, crate::crypto::OpaqueKind::Reactivate, &token)
                .await
                .expect("read")
        );
        world.reactivate(&token).await.expect("back");
        let stored = world.stored(ADA).await.expect("there");
        assert_eq!((stored.status, stored.erase_at), (UserStatus::Active, None));
        assert_eq!(world.kinds().await, ["account_reactivated"]);
        assert_eq!(code(world.reactivate(&token).await), ErrorCode::InvalidOneTimeToken, "used");
        world.tokens(ADA, PASSWORD).await;
    }
}

#[tokio::test]
async fn the_way_back_runs_out_with_the_grace_and_opens_nothing_else() {
    let world = World::new().await;
    world.user(ADA).await;
    let principal = world.principal(ADA, PASSWORD).await;
    world.accounts.delete_me(&world.origin, &principal, with_password()).await.expect("scheduled");
    let token = world.way_back().await.expect("a link");
    let reset = PasswordResetRequest { token: token.clone(), new_password: OTHER_PASSWORD.into() };
    assert_eq!(code(world.accounts.reset_password(&world.origin, reset).await), ErrorCode::InvalidOneTimeToken);
    world.clock.advance(world.cx.settings.links.deletion_grace);
    assert_eq!(code(world.reactivate(&token).await), ErrorCode::InvalidOneTimeToken);
}

#[tokio::test]
async fn an_administrator_gives_no_way_back_and_takes_the_one_there_is() {
    let world = World::new().await;
    let user = world.user(ADA).await;
    world.accounts.deactivate(&world.origin, None, user.id).await.expect("deactivated");
    assert!(world.way_back().await.is_none());
    world.accounts.activate(&world.origin, None, user.id).await.expect("activated");

    let principal = world.principal(ADA, PASSWORD).await;
    world.accounts.deactivate_me(&world.origin, &principal, with_password()).await.expect("deactivated");
    let token = world.way_back().await.expect("a link");
    world.accounts.deactivate(&world.origin, None, user.id).await.expect("for good");
    assert_eq!(code(world.reactivate(&token).await), ErrorCode::InvalidOneTimeToken);

    // Nor does an older link come to life again with a later state.
    world.accounts.activate(&world.origin, None, user.id).await.expect("activated");
    world.accounts.deactivate(&world.origin, None, user.id).await.expect("deactivated");
    assert_eq!(code(world.reactivate(&token).await), ErrorCode::InvalidOneTimeToken);
}

#[tokio::test]
async fn a_fresh_sign_in_stands_for_the_password_and_an_older_one_does_not() {
    let world = World::new().await;
    world.user(ADA).await;
    let without = || PasswordConfirmRequest { password: None };
    let change = |current: Option<&str>, new: &str| PasswordChangeRequest {
        current_password: current.map(Into::into),
        new_password: new.into(),
    };
    let principal = world.principal(ADA, PASSWORD).await;
    let (accounts, origin) = (&world.accounts, &world.origin);
    let wrong = change(Some("not it at all"), OTHER_PASSWORD);
    assert_eq!(code(accounts.change_password(origin, &principal, wrong).await), ErrorCode::InvalidCredentials);
    world.clock.advance(world.cx.settings.sessions.fresh + SignedDuration::from_secs(1));
    let stale = accounts.change_password(origin, &principal, change(None, OTHER_PASSWORD)).await;
    assert_eq!(code(stale), ErrorCode::StepUpRequired);
    assert_eq!(code(accounts.deactivate_me(origin, &principal, without()).await), ErrorCode::StepUpRequired);
    assert_eq!(code(accounts.delete_me(origin, &principal, without()).await), ErrorCode::StepUpRequired);

    let principal = world.principal(ADA, PASSWORD).await;
    accounts.change_password(origin, &principal, change(None, OTHER_PASSWORD)).await.expect("fresh");
    let wrong = PasswordConfirmRequest { password: Some("not it at all".into()) };
    assert_eq!(code(accounts.delete_me(origin, &principal, wrong).await), ErrorCode::InvalidCredentials);
    accounts.delete_me(origin, &principal, without()).await.expect("fresh");
}

#[tokio::test]
async fn a_way_back_is_for_the_state_that_it_was_made_for() {
    let world = World::new().await;
    world.user(ADA).await;
    let kind = crate::crypto::OpaqueKind::Reactivate;
    let keep = async |user: &User| {
        let (row, token) =
            make_token(&world.cx, user, TokenPurpose::Reactivate, SignedDuration::from_hours(1), &()).expect("made");
        let unit = Unit::new().with(AccountChange::CreateToken(row));
        world.cx.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.expect("kept");
        token.secret().clone()
    };
    let token = keep(&world.stored(ADA).await.expect("there")).await;
    assert!(!world.accounts.token_is_valid(&world.origin, kind, &token).await.expect("read"), "nothing is closed");
    let principal = world.principal(ADA, PASSWORD).await;
    let older = world.stored(ADA).await.expect("there");
    world.accounts.deactivate_me(&world.origin, &principal, with_password()).await.expect("deactivated");
    let token = keep(&older).await;
    assert!(!world.accounts.token_is_valid(&world.origin, kind, &token).await.expect("read"), "of an older state");
    let token = keep(&world.stored(ADA).await.expect("there")).await;
    assert!(world.accounts.token_is_valid(&world.origin, kind, &token).await.expect("read"));
}
