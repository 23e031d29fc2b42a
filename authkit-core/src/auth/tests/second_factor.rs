use super::*;
use crate::{
    Result,
    ports::{Scope, Unit},
};
use jiff::SignedDuration;

async fn challenge(world: &World) -> MfaRequiredView {
    match world.login(ADA, PASSWORD).await.expect("the first factor is right") {
        LoginView::MfaRequired(view) => view,
        LoginView::Tokens(_) => panic!("no second factor was asked for"),
    }
}

async fn answer(world: &World, token: &Secret, method: MfaMethod, code: &Secret) -> Result<TokensView> {
    let request = MfaVerifyRequest { mfa_token: token.clone(), method, code: code.clone() };
    world.sign_in.verify_mfa(&world.origin, request).await
}

#[tokio::test]
async fn both_factors_open_a_session_and_the_attempt_is_used_up() {
    let world = World::new().await;
    enable_totp(&world, ADA).await;
    let view = challenge(&world).await;
    assert_eq!(view.methods, [MfaMethod::Totp, MfaMethod::BackupCode]);
    let code_now = totp_code(&world, ADA, 0).await;
    let tokens = answer(&world, &view.mfa_token, MfaMethod::Totp, &code_now).await.expect("signed in");
    let principal = world.sessions.authenticate(tokens.access_token.expose()).await.expect("valid");
    assert_eq!(*principal.amr, ["pwd", "otp", "mfa"]);
    let next = totp_code(&world, ADA, 1).await;
    assert_eq!(code(answer(&world, &view.mfa_token, MfaMethod::Totp, &next).await), ErrorCode::InvalidMfaToken);
}

#[tokio::test]
async fn an_accepted_code_is_never_accepted_again_not_even_by_two_requests_at_once() {
    let world = World::new().await;
    enable_totp(&world, ADA).await;
    let mut running = Vec::new();
    let now = totp_code(&world, ADA, 0).await;
    for _ in 0..4 {
        let view = challenge(&world).await;
        let (sign_in, origin) = (world.sign_in.clone(), world.origin.clone());
        let request = MfaVerifyRequest { mfa_token: view.mfa_token, method: MfaMethod::Totp, code: now.clone() };
        running.push(tokio::spawn(async move { sign_in.verify_mfa(&origin, request).await }));
    }
    let mut won = 0;
    for task in running {
        match task.await.expect("ran") {
            Ok(_) => won += 1,
            Err(error) => assert_eq!(error.code, ErrorCode::InvalidMfaCode),
        }
    }
    assert_eq!(won, 1);
    let view = challenge(&world).await;
    for steps in [0, -1] {
        let old = totp_code(&world, ADA, steps).await;
        assert_eq!(code(answer(&world, &view.mfa_token, MfaMethod::Totp, &old).await), ErrorCode::InvalidMfaCode);
    }
}

#[tokio::test]
async fn one_attempt_answered_by_two_requests_at_once_opens_one_session() {
    let world = World::new().await;
    let codes = enable_totp(&world, ADA).await;
    let user = world.stored(ADA).await.expect("there");
    let before = world.cx.store.list_sessions(DEFAULT_TENANT, user.id, None, 100).await.expect("read").len();
    let view = challenge(&world).await;
    let mut running = Vec::new();
    for code in &codes[..4] {
        let (sign_in, origin) = (world.sign_in.clone(), world.origin.clone());
        let request =
            MfaVerifyRequest { mfa_token: view.mfa_token.clone(), method: MfaMethod::BackupCode, code: code.clone() };
        running.push(tokio::spawn(async move { sign_in.verify_mfa(&origin, request).await }));
    }
    let mut won = 0;
    for task in running {
        match task.await.expect("ran") {
            Ok(_) => won += 1,
            Err(error) => assert_eq!(error.code, ErrorCode::InvalidMfaToken),
        }
    }
    let after = world.cx.store.list_sessions(DEFAULT_TENANT, user.id, None, 100).await.expect("read").len();
    assert_eq!((won, after - before), (1, 1));
    let left = world.cx.store.count_backup_codes(DEFAULT_TENANT, user.id).await.expect("read");
    assert_eq!(left, 9, "those who lost kept their codes");
}

#[tokio::test]
async fn a_backup_code_works_once_and_the_last_ones_are_announced() {
    let world = World::new().await;
    let codes = enable_totp(&world, ADA).await;
    for (used, code) in codes.iter().enumerate() {
        let view = challenge(&world).await;
        answer(&world, &view.mfa_token, MfaMethod::BackupCode, code).await.expect("signed in");
        let told = world.kinds().await.contains(&"backup_codes_low");
        assert_eq!(told, used >= 6, "after {} codes", used + 1);
    }
    let view = challenge(&world).await;
    assert_eq!(view.methods, [MfaMethod::Totp]);
    let refused = answer(&world, &view.mfa_token, MfaMethod::BackupCode, &codes[0]).await;
    assert_eq!(code(refused), ErrorCode::MfaMethodUnavailable);
    assert_eq!(world.audited("mfa.backup_code_used").await, 10);
}

#[tokio::test]
async fn wrong_codes_count_across_attempts_and_burn_them() {
    let world = World::new().await;
    enable_totp(&world, ADA).await;
    let wrong = Secret::from("000000");
    let waiting = challenge(&world).await;
    for _ in 0..5 {
        let view = challenge(&world).await;
        assert_eq!(code(answer(&world, &view.mfa_token, MfaMethod::Totp, &wrong).await), ErrorCode::InvalidMfaCode);
    }
    assert_eq!(world.kinds().await, ["account_locked"]);
    assert_eq!(world.audited("mfa.failed").await, 5);
    let right = totp_code(&world, ADA, 0).await;
    let burned = answer(&world, &waiting.mfa_token, MfaMethod::Totp, &right).await;
    assert_eq!(code(burned), ErrorCode::InvalidMfaToken, "the attempt that waited is burned");
    let fresh = challenge(&world).await;
    let locked = answer(&world, &fresh.mfa_token, MfaMethod::Totp, &right).await.expect_err("locked");
    assert_eq!(locked.code, ErrorCode::TooManyAttempts);
    assert_eq!(locked.retry_after, Some(std::time::Duration::from_secs(60)));
    assert_eq!(
        code(answer(&world, &fresh.mfa_token, MfaMethod::Totp, &right).await),
        ErrorCode::InvalidMfaToken,
        "minting attempts buys no tries"
    );
    world.clock.advance(SignedDuration::from_mins(1));
    let view = challenge(&world).await;
    let right = totp_code(&world, ADA, 0).await;
    answer(&world, &view.mfa_token, MfaMethod::Totp, &right).await.expect("the lock is over");
}

#[tokio::test]
async fn what_is_no_wrong_code_does_not_count() {
    let world = World::new().await;
    enable_totp(&world, ADA).await;
    let user = world.stored(ADA).await.expect("there");
    let none = crate::mfa::MfaChange::ReplaceBackupCodes { user: user.id, codes: Vec::new(), at: world.now() };
    world.cx.store.commit(Scope::Tenant(user.tenant), Unit::new().with(none)).await.expect("none left");
    let (view, wrong) = (challenge(&world).await, Secret::from("000000"));
    for tried in 0..30 {
        let refused = answer(&world, &view.mfa_token, MfaMethod::BackupCode, &wrong).await;
        assert_eq!(code(refused), ErrorCode::MfaMethodUnavailable);
        if tried % 10 == 9 {
            // Nor does it take back one that was wrong.
            assert_eq!(code(answer(&world, &view.mfa_token, MfaMethod::Totp, &wrong).await), ErrorCode::InvalidMfaCode);
        }
    }
    let counted = crate::auth::Lockout::second_factor(&world.cx, &user);
    let counted = world.cx.store.find_attempts(user.tenant, counted.key()).await.expect("read").expect("there");
    assert_eq!((counted.failures, counted.locked_until), (3, None));
    let right = totp_code(&world, ADA, 0).await;
    answer(&world, &view.mfa_token, MfaMethod::Totp, &right).await.expect("signed in");
}

#[tokio::test]
async fn three_hundred_wrong_codes_find_nothing() {
    let world = World::new().await;
    enable_totp(&world, ADA).await;
    let view = challenge(&world).await;
    let mut tried = 0;
    for guess in 0..300 {
        let guess = Secret::from(format!("{guess:06}").as_str());
        let error = answer(&world, &view.mfa_token, MfaMethod::Totp, &guess).await.expect_err("wrong");
        tried += usize::from(error.code == ErrorCode::InvalidMfaCode);
    }
    assert_eq!(tried, 5);
}

#[tokio::test]
async fn an_attempt_runs_out_and_does_not_outlive_a_change_of_credentials() {
    let world = World::new().await;
    enable_totp(&world, ADA).await;
    let view = challenge(&world).await;
    world.clock.advance(world.cx.settings.links.mfa);
    let now = totp_code(&world, ADA, 0).await;
    assert_eq!(code(answer(&world, &view.mfa_token, MfaMethod::Totp, &now).await), ErrorCode::InvalidMfaToken);

    let view = challenge(&world).await;
    let user = world.stored(ADA).await.expect("there");
    world.accounts.deactivate(&world.origin, None, user.id).await.expect("deactivated");
    world.accounts.activate(&world.origin, None, user.id).await.expect("activated");
    assert_eq!(code(answer(&world, &view.mfa_token, MfaMethod::Totp, &now).await), ErrorCode::InvalidMfaToken);
}
