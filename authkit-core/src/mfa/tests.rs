use super::*;
use crate::{
    accounts::AccountStore,
    audit::fixture::{PASSWORD, World},
    auth::AttemptStore,
    notices::NoticeStore,
    ports::{Hooks, NewAccount, Operation as Asked, Refusal, Scope, Store, Unit},
    sessions::SessionStore,
};
use async_trait::async_trait;
use std::sync::{
    Mutex, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

fn mfa(world: &World) -> Mfa {
    Mfa::new(world.cx.clone())
}

fn unbase32(text: &str) -> Vec<u8> {
    let (mut out, mut buffer, mut bits) = (Vec::new(), 0_u32, 0);
    for c in text.bytes() {
        let value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".bytes().position(|a| a == c).expect("base32");
        buffer = (buffer << 5) | value as u32;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            out.push((buffer >> bits) as u8);
        }
    }
    out
}

/// What an authenticator app shows now, `steps` later.
fn shown(world: &World, secret: &[u8], steps: i64) -> Secret {
    let step = totp::step(u64::try_from(world.now().as_second()).expect("after 1970")).saturating_add_signed(steps);
    Secret::new(String::from_utf8(totp::code(secret, step).to_vec()).expect("digits"))
}

/// Another code than all that are valid now.
fn wrong_code(world: &World, secret: &[u8]) -> Secret {
    let valid = [-1, 0, 1].map(|steps| shown(world, secret, steps));
    ["000000", "111111", "222222", "333333"].map(Secret::from).into_iter().find(|c| !valid.contains(c)).expect("one")
}

struct Enrolled {
    user: User,
    principal: Principal,
    secret: Vec<u8>,
    codes: Vec<Secret>,
}

async fn enrolled(world: &World) -> Enrolled {
    let user = world.user("ada").await;
    let principal = world.principal(&user).await;
    let view = mfa(world).enrol_totp(&world.origin(), &principal).await.expect("enrolled");
    let secret = unbase32(view.secret.expose());
    let code = shown(world, &secret, 0);
    let confirm = TotpConfirmRequest { code };
    let codes = mfa(world).confirm_totp(&world.origin(), &principal, confirm).await.expect("confirmed").backup_codes;
    let user = world.cx.store.find_user(user.tenant, user.id).await.expect("read").expect("there");
    world.advance(60);
    Enrolled { user, principal, secret, codes }
}

fn proof(method: MfaMethod, code: &Secret) -> MfaReauthRequest {
    MfaReauthRequest { password: PASSWORD.into(), method, code: code.clone() }
}

fn code<T: std::fmt::Debug>(result: Result<T>) -> ErrorCode {
    result.expect_err("refused").code
}

#[tokio::test]
async fn an_enrolment_asks_for_nothing_until_it_is_confirmed() {
    let world = World::new();
    let user = world.user("ada").await;
    let principal = world.principal(&user).await;
    let (mfa, origin) = (mfa(&world), world.origin());
    let first = mfa.enrol_totp(&origin, &principal).await.expect("enrolled");
    let view = mfa.enrol_totp(&origin, &principal).await.expect("again");
    assert!(view.otpauth_uri.expose().starts_with("otpauth://totp/AuthKit:ada%40example.com?secret="));
    assert!(view.otpauth_uri.expose().contains(view.secret.expose()));
    assert!(view.qr_svg.expose().starts_with("<svg"));
    let secret = unbase32(view.secret.expose());
    assert_eq!(secret.len(), 20);
    let status = mfa.status(&principal).await.expect("read");
    assert!(!status.totp && !status.backup_codes_low && status.backup_codes_left == 0);
    let stored = world.store.find_user(user.tenant, user.id).await.expect("read").expect("there");
    assert!(!stored.mfa_enabled);
    let unconfirmed = check(&world.cx, &user, MfaMethod::Totp, &shown(&world, &secret, 0)).await;
    assert_eq!(code(unconfirmed), ErrorCode::MfaMethodUnavailable);
    assert!(methods(&world.cx, &user).await.expect("read").is_empty());
    // The stored secret is not readable, and belongs to this user.
    let row = world.store.find_totp(user.tenant, user.id).await.expect("read").expect("there");
    assert!(!row.secret.windows(20).any(|part| part == secret));
    assert!(world.cx.keyring.open("totp", UserId::new(uuid::Uuid::nil()).uuid().as_bytes(), &row.secret).is_err());
    let old = TotpConfirmRequest { code: shown(&world, &unbase32(first.secret.expose()), 0) };
    assert_eq!(code(mfa.confirm_totp(&origin, &principal, old).await), ErrorCode::InvalidMfaCode);
}

#[tokio::test]
async fn confirming_gives_ten_codes_once_and_ends_the_other_sessions() {
    let world = World::new();
    let user = world.user("ada").await;
    let other = world.session(&user).await;
    let principal = world.principal(&user).await;
    let (mfa, origin) = (mfa(&world), world.origin());
    let view = mfa.enrol_totp(&origin, &principal).await.expect("enrolled");
    world.advance(1);
    let confirm = TotpConfirmRequest { code: shown(&world, &unbase32(view.secret.expose()), 0) };
    let codes = mfa.confirm_totp(&origin, &principal, confirm.clone()).await.expect("confirmed").backup_codes;
    assert_eq!(codes.len(), 10);
    for code in &codes {
        let text = code.expose();
        assert_eq!(text.split('-').map(str::len).collect::<Vec<_>>(), [4, 4, 4]);
        assert!(!text.contains(['i', 'l', 'o', 'u']));
    }
    let stored = world.store.find_user(user.tenant, user.id).await.expect("read").expect("there");
    assert!(stored.mfa_enabled && stored.kept_session == Some(principal.session));
    assert!(stored.security_version > user.security_version, "attempts that wait for nothing are void");
    assert!(world.store.find_session(user.tenant, other).await.expect("read").is_none());
    assert!(world.store.find_session(user.tenant, principal.session).await.expect("read").is_some());
    let status = mfa.status(&principal).await.expect("read");
    assert!(status.totp && !status.backup_codes_low && status.backup_codes_left == 10);
    assert_eq!(methods(&world.cx, &stored).await.expect("read"), [MfaMethod::Totp, MfaMethod::BackupCode]);
    assert_eq!(world.actions().await, ["mfa.totp_enrolled", "mfa.totp_enabled"]);
    assert_eq!(world.store.count_notices().await.expect("read").0, 1);

    assert_eq!(code(mfa.confirm_totp(&origin, &principal, confirm).await), ErrorCode::TotpAlreadyActive);
    assert_eq!(code(mfa.enrol_totp(&origin, &principal).await), ErrorCode::TotpAlreadyActive);
}

#[tokio::test]
async fn what_is_no_wrong_code_does_not_lock_whoever_is_signed_in() {
    let world = World::new();
    let Enrolled { user, principal, secret, .. } = enrolled(&world).await;
    let none = MfaChange::ReplaceBackupCodes { user: user.id, codes: Vec::new(), at: world.now() };
    world.put(Scope::Tenant(user.tenant), none).await;
    for _ in 0..10 {
        let asked = proof(MfaMethod::BackupCode, &"0000-0000-0000".into());
        let refused = mfa(&world).regenerate_backup_codes(&world.origin(), &principal, asked).await;
        assert_eq!(code(refused), ErrorCode::MfaMethodUnavailable);
    }
    let right = proof(MfaMethod::Totp, &shown(&world, &secret, 0));
    mfa(&world).regenerate_backup_codes(&world.origin(), &principal, right).await.expect("not locked");
}

#[tokio::test]
async fn an_authenticator_that_was_never_confirmed_is_no_factor_to_reset() {
    let world = World::new();
    let user = world.user("ada").await;
    let principal = world.principal(&user).await;
    mfa(&world).enrol_totp(&world.origin(), &principal).await.expect("enrolled");
    assert_eq!(code(mfa(&world).reset(&world.origin(), None, user.id).await), ErrorCode::TotpNotEnrolled);
}

#[tokio::test]
async fn enrolling_and_confirming_need_a_fresh_sign_in() {
    let world = World::new();
    let user = world.user("ada").await;
    let principal = world.principal(&user).await;
    let (mfa, origin) = (mfa(&world), world.origin());
    let confirm = |code| TotpConfirmRequest { code };
    assert_eq!(code(mfa.confirm_totp(&origin, &principal, confirm("000000".into())).await), ErrorCode::TotpNotEnrolled);
    let view = mfa.enrol_totp(&origin, &principal).await.expect("enrolled");
    world.advance(601);
    assert_eq!(code(mfa.enrol_totp(&origin, &principal).await), ErrorCode::StepUpRequired);
    let late = confirm(shown(&world, &unbase32(view.secret.expose()), 0));
    assert_eq!(code(mfa.confirm_totp(&origin, &principal, late).await), ErrorCode::StepUpRequired);
}

#[tokio::test]
async fn the_code_that_confirmed_does_not_sign_in_and_no_code_is_accepted_twice() {
    let world = World::new();
    let ada = enrolled(&world).await;
    let scope = Scope::Tenant(ada.user.tenant);
    world.clock.advance(jiff::SignedDuration::from_secs(-60));
    let confirmed_with = shown(&world, &ada.secret, 0);
    let again = check(&world.cx, &ada.user, MfaMethod::Totp, &confirmed_with).await;
    assert_eq!(code(again), ErrorCode::InvalidMfaCode);
    let earlier = check(&world.cx, &ada.user, MfaMethod::Totp, &shown(&world, &ada.secret, -1)).await;
    assert_eq!(code(earlier), ErrorCode::InvalidMfaCode, "nor any step before it");
    world.advance(60);

    // Two requests with one code at once: both pass the check, one commits.
    let now = shown(&world, &ada.secret, 0);
    let one = check(&world.cx, &ada.user, MfaMethod::Totp, &now).await.expect("right");
    let two = check(&world.cx, &ada.user, MfaMethod::Totp, &now).await.expect("right");
    world.cx.commit(scope, Unit::new().with(one)).await.expect("accepted");
    let error = world.cx.commit(scope, Unit::new().with(two)).await.expect_err("used");
    assert_eq!(refused(error, 0).code, ErrorCode::InvalidMfaCode);
    assert_eq!(code(check(&world.cx, &ada.user, MfaMethod::Totp, &now).await), ErrorCode::InvalidMfaCode);
}

#[tokio::test]
async fn a_backup_code_works_once_however_it_is_typed_and_for_its_user_only() {
    let world = World::new();
    let ada = enrolled(&world).await;
    let scope = Scope::Tenant(ada.user.tenant);
    let typed = Secret::new(ada.codes[0].expose().to_uppercase().replace('-', " "));
    let one = check(&world.cx, &ada.user, MfaMethod::BackupCode, &typed).await.expect("a code");
    let two = check(&world.cx, &ada.user, MfaMethod::BackupCode, &ada.codes[0]).await.expect("a code");
    world.cx.commit(scope, Unit::new().with(one)).await.expect("accepted");
    let error = world.cx.commit(scope, Unit::new().with(two)).await.expect_err("used");
    assert_eq!(refused(error, 0).code, ErrorCode::InvalidMfaCode);
    let never = check(&world.cx, &ada.user, MfaMethod::BackupCode, &"0000-0000-0000".into()).await.expect("shaped");
    assert!(world.cx.commit(scope, Unit::new().with(never)).await.is_err());
    for odd in ["", "0000-0000", "0000-0000-0000-0", "uuuu-uuuu-uuuu"] {
        let odd = check(&world.cx, &ada.user, MfaMethod::BackupCode, &odd.into()).await;
        assert_eq!(code(odd), ErrorCode::InvalidMfaCode);
    }
    let bob = world.user("bob").await;
    assert_ne!(codes::stored(&world.cx, &ada.user, &ada.codes[1]), codes::stored(&world.cx, &bob, &ada.codes[1]));
    assert_eq!(
        code(check(&world.cx, &bob, MfaMethod::BackupCode, &ada.codes[1]).await),
        ErrorCode::MfaMethodUnavailable
    );
}

#[tokio::test]
async fn wrong_codes_lock_whatever_they_are_for() {
    let world = World::new();
    let user = world.user("ada").await;
    let principal = world.principal(&user).await;
    let (mfa, origin) = (mfa(&world), world.origin());
    let view = mfa.enrol_totp(&origin, &principal).await.expect("enrolled");
    let secret = unbase32(view.secret.expose());
    for _ in 0..5 {
        let confirm = TotpConfirmRequest { code: wrong_code(&world, &secret) };
        assert_eq!(code(mfa.confirm_totp(&origin, &principal, confirm).await), ErrorCode::InvalidMfaCode);
    }
    let right = || TotpConfirmRequest { code: shown(&world, &secret, 0) };
    let error = mfa.confirm_totp(&origin, &principal, right()).await.expect_err("locked");
    assert_eq!(error.code, ErrorCode::TooManyAttempts);
    assert!(error.retry_after.is_some_and(|wait| (1..=60).contains(&wait.as_secs())));
    let failed = world.actions().await.iter().filter(|action| *action == "mfa.failed").count();
    assert_eq!(failed, 5);
    assert!(world.actions().await.contains(&"user.locked".to_owned()));
    world.advance(61);
    mfa.confirm_totp(&origin, &principal, right()).await.expect("the lock is over");
    let attempts = world.store.find_attempts(user.tenant, &attempt_key(&world.cx, &user)).await.expect("read");
    assert!(attempts.is_none(), "a success forgets them");
}

#[tokio::test]
async fn disabling_needs_password_and_code_and_ends_the_other_sessions() {
    let world = World::new();
    let ada = enrolled(&world).await;
    let (mfa, origin) = (mfa(&world), world.origin());
    let other = world.session(&ada.user).await;
    let right = shown(&world, &ada.secret, 0);
    let mut no_password = proof(MfaMethod::Totp, &right);
    no_password.password = "another password".into();
    let refused = mfa.disable_totp(&origin, &ada.principal, no_password).await;
    assert_eq!(code(refused), ErrorCode::InvalidCredentials);
    let no_code = proof(MfaMethod::Totp, &wrong_code(&world, &ada.secret));
    assert_eq!(code(mfa.disable_totp(&origin, &ada.principal, no_code).await), ErrorCode::InvalidMfaCode);
    let no_backup_code = proof(MfaMethod::BackupCode, &"0000-0000-0000".into());
    assert_eq!(code(mfa.disable_totp(&origin, &ada.principal, no_backup_code).await), ErrorCode::InvalidMfaCode);
    assert!(mfa.status(&ada.principal).await.expect("read").totp);
    world.advance(1);

    mfa.disable_totp(&origin, &ada.principal, proof(MfaMethod::Totp, &right)).await.expect("disabled");
    let stored = world.store.find_user(ada.user.tenant, ada.user.id).await.expect("read").expect("there");
    assert!(!stored.mfa_enabled && stored.security_version > ada.user.security_version);
    assert_eq!(stored.kept_session, Some(ada.principal.session));
    assert!(world.store.find_session(ada.user.tenant, other).await.expect("read").is_none());
    assert_eq!(world.store.count_backup_codes(ada.user.tenant, ada.user.id).await.expect("read"), 0);
    assert_eq!(world.actions().await.last().map(String::as_str), Some("mfa.totp_disabled"));
    let again = mfa.disable_totp(&origin, &ada.principal, proof(MfaMethod::Totp, &right)).await;
    assert_eq!(code(again), ErrorCode::TotpNotEnrolled);
    mfa.enrol_totp(&origin, &world.principal(&stored).await).await.expect("from the start");
}

#[tokio::test]
async fn wrong_codes_lock_disabling_and_making_codes_together() {
    let world = World::new();
    let ada = enrolled(&world).await;
    let (mfa, origin) = (mfa(&world), world.origin());
    let wrong = wrong_code(&world, &ada.secret);
    for _ in 0..3 {
        let disabled = mfa.disable_totp(&origin, &ada.principal, proof(MfaMethod::Totp, &wrong)).await;
        assert_eq!(code(disabled), ErrorCode::InvalidMfaCode);
    }
    for _ in 0..2 {
        // Shaped like a backup code, so that only the commit finds out; it counts all the same.
        let with = proof(MfaMethod::BackupCode, &"0000-0000-0000".into());
        assert_eq!(code(mfa.regenerate_backup_codes(&origin, &ada.principal, with).await), ErrorCode::InvalidMfaCode);
    }
    let right = proof(MfaMethod::Totp, &shown(&world, &ada.secret, 0));
    let locked = mfa.disable_totp(&origin, &ada.principal, right.clone()).await;
    assert_eq!(code(locked), ErrorCode::TooManyAttempts);
    let locked = mfa.regenerate_backup_codes(&origin, &ada.principal, right).await;
    assert_eq!(code(locked), ErrorCode::TooManyAttempts);
    assert_eq!(mfa.status(&ada.principal).await.expect("read").backup_codes_left, 10);
}

#[tokio::test]
async fn every_node_hears_of_a_change_of_factors_and_the_user_gets_a_mail() {
    let world = World::new();
    let ada = enrolled(&world).await;
    let mfa = mfa(&world);
    let heard = async || {
        let (feed, _) = crate::sessions::FeedStore::read_feed(&world.store, &Default::default()).await.expect("read");
        let of_ada = crate::sessions::FeedEvent::UserChanged(ada.user.tenant, ada.user.id);
        let mails = world.store.count_notices().await.expect("read").0;
        (feed.iter().filter(|event| **event == of_ada).count(), mails)
    };
    assert_eq!(heard().await, (1, 1));
    let with = proof(MfaMethod::BackupCode, &ada.codes[0]);
    mfa.regenerate_backup_codes(&world.origin(), &ada.principal, with).await.expect("made");
    assert_eq!(heard().await, (1, 2));
    mfa.reset(&world.origin(), None, ada.user.id).await.expect("reset");
    assert_eq!(heard().await, (2, 3));
    let user = world.store.find_user(ada.user.tenant, ada.user.id).await.expect("read").expect("there");
    assert_eq!(user.security_version, ada.user.security_version + 1);
}

#[tokio::test]
async fn new_backup_codes_void_the_old_ones() {
    let world = World::new();
    let ada = enrolled(&world).await;
    let (mfa, origin) = (mfa(&world), world.origin());
    let with = proof(MfaMethod::BackupCode, &ada.codes[0]);
    let new = mfa.regenerate_backup_codes(&origin, &ada.principal, with).await.expect("made").backup_codes;
    assert_eq!(new.len(), 10);
    assert!(new.iter().all(|code| !ada.codes.contains(code)));
    let with = proof(MfaMethod::BackupCode, &ada.codes[1]);
    let old = mfa.regenerate_backup_codes(&origin, &ada.principal, with).await;
    assert_eq!(code(old), ErrorCode::InvalidMfaCode);
    let with = proof(MfaMethod::BackupCode, &new[0]);
    mfa.disable_totp(&origin, &ada.principal, with).await.expect("a new one works");
}

#[tokio::test]
async fn few_codes_left_are_said_to_be_few() {
    let world = World::new();
    let ada = enrolled(&world).await;
    for (used, low) in (1..=7).map(|used| (used, used == 7)) {
        let change = check(&world.cx, &ada.user, MfaMethod::BackupCode, &ada.codes[used - 1]).await.expect("a code");
        world.put(Scope::Tenant(ada.user.tenant), change).await;
        assert_eq!(mfa(&world).status(&ada.principal).await.expect("read").backup_codes_low, low, "{used}");
    }
    for last in &ada.codes[7..] {
        let change = check(&world.cx, &ada.user, MfaMethod::BackupCode, last).await.expect("a code");
        world.put(Scope::Tenant(ada.user.tenant), change).await;
    }
    assert_eq!(methods(&world.cx, &ada.user).await.expect("read"), [MfaMethod::Totp]);
    let none = check(&world.cx, &ada.user, MfaMethod::BackupCode, &ada.codes[0]).await;
    assert_eq!(code(none), ErrorCode::MfaMethodUnavailable);
}

#[tokio::test]
async fn an_administrator_resets_and_every_session_ends() {
    let world = World::new();
    let ada = enrolled(&world).await;
    let (mfa, origin) = (mfa(&world), world.origin());
    let admin = world.user("admin").await;
    let plain = world.principal(&admin).await;
    assert_eq!(code(mfa.reset(&origin, Some(&plain), ada.user.id).await), ErrorCode::Forbidden);
    let role = world.role("support", None, &["mfa:reset"]).await;
    world.assign(&admin, role).await;
    let admin = world.principal(&admin).await;
    let nobody = UserId::new(uuid::Uuid::nil());
    assert_eq!(code(mfa.reset(&origin, Some(&admin), nobody).await), ErrorCode::UserNotFound);
    world.advance(1);
    mfa.reset(&origin, Some(&admin), ada.user.id).await.expect("reset");
    let stored = world.store.find_user(ada.user.tenant, ada.user.id).await.expect("read").expect("there");
    assert!(!stored.mfa_enabled && stored.kept_session.is_none());
    let session = world.store.find_session(ada.user.tenant, ada.principal.session).await.expect("read");
    assert!(session.is_none());
    assert_eq!(code(mfa.reset(&origin, None, ada.user.id).await), ErrorCode::TotpNotEnrolled);
    assert_eq!(world.actions().await.last().map(String::as_str), Some("mfa.reset"));
}

#[tokio::test]
async fn a_deactivated_user_changes_no_factors() {
    let world = World::new();
    let user = world.user("ada").await;
    let principal = world.principal(&user).await;
    let deactivate = crate::accounts::AccountChange::SetStatus {
        user: user.id,
        security_version: user.security_version,
        status: UserStatus::Deactivated,
        erase_at: None,
        at: world.now(),
    };
    world.put(Scope::Tenant(user.tenant), deactivate).await;
    assert_eq!(code(mfa(&world).enrol_totp(&world.origin(), &principal).await), ErrorCode::InvalidToken);
}

/// Commits something of another request between this one's reading and its commit.
#[derive(Debug)]
struct Meanwhile {
    asked: AtomicUsize,
    store: crate::memory::MemoryStore,
    unit: OnceLock<Mutex<Unit>>,
}

#[async_trait]
impl Hooks for Meanwhile {
    async fn before(&self, _: &Asked, _: Option<&NewAccount<'_>>) -> Result<(), Refusal> {
        let unit = self.unit.get().map(|unit| unit.lock().expect("not poisoned").clone());
        if let Some(unit) = unit
            && self.asked.fetch_add(1, Ordering::SeqCst) == 0
        {
            let tenant = crate::tenants::DEFAULT_TENANT;
            self.store.commit(Scope::Tenant(tenant), unit).await.expect("committed");
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_reset_that_another_change_overtakes_is_made_anew_and_asked_about_once() {
    let mut hook = None;
    let world = World::with(|cx, store| {
        let meanwhile = Meanwhile { asked: AtomicUsize::new(0), store: store.clone(), unit: OnceLock::new() };
        let meanwhile = Arc::new(meanwhile);
        cx.hooks = meanwhile.clone();
        hook = Some(meanwhile);
    });
    let Enrolled { user, .. } = enrolled(&world).await;
    let hook = hook.expect("put in place");
    let moved = crate::accounts::AccountChange::SetStatus {
        user: user.id,
        security_version: user.security_version,
        status: UserStatus::Active,
        erase_at: None,
        at: world.now(),
    };
    hook.unit.set(Mutex::new(Unit::new().with(moved))).expect("once");
    mfa(&world).reset(&world.origin(), None, user.id).await.expect("reset");
    assert_eq!(hook.asked.load(Ordering::SeqCst), 1);
    let stored = world.store.find_user(user.tenant, user.id).await.expect("read").expect("there");
    assert!(!stored.mfa_enabled && stored.security_version == user.security_version + 2);
}

#[tokio::test]
async fn an_enrolment_that_is_replaced_meanwhile_is_not_confirmed() {
    let mut hook = None;
    let world = World::with(|cx, store| {
        let meanwhile = Meanwhile { asked: AtomicUsize::new(0), store: store.clone(), unit: OnceLock::new() };
        let meanwhile = Arc::new(meanwhile);
        cx.hooks = meanwhile.clone();
        hook = Some(meanwhile);
    });
    let user = world.user("ada").await;
    let principal = world.principal(&user).await;
    let view = mfa(&world).enrol_totp(&world.origin(), &principal).await.expect("enrolled");
    let row = world.store.find_totp(user.tenant, user.id).await.expect("read").expect("there");
    let replaced = Totp { secret: vec![1, 2, 3], ..row };
    let hook = hook.expect("put in place");
    hook.unit.set(Mutex::new(Unit::new().with(MfaChange::Enrol(replaced)))).expect("once");
    let confirm = TotpConfirmRequest { code: shown(&world, &unbase32(view.secret.expose()), 0) };
    assert_eq!(code(mfa(&world).confirm_totp(&world.origin(), &principal, confirm).await), ErrorCode::Conflict);
    let stored = world.store.find_user(user.tenant, user.id).await.expect("read").expect("there");
    assert!(!stored.mfa_enabled, "nothing of the unit was applied");
}
