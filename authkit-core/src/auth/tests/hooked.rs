//! Every operation asks the application first and tells it afterwards.

use super::*;
use crate::{
    accounts::{AccountChange, reset},
    notices::Notice,
    ports::{Hooks, NewAccount, Operation, OperationKind, Refusal, Scope, Unit},
    rbac::Roles,
    tenants::{TenantSettings, Tenants},
};
use async_trait::async_trait;
use jiff::SignedDuration;
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering::SeqCst},
};

/// Refuses everything while it is shut, remembers what it was asked, and wants to hear of everything.
#[derive(Debug, Default)]
struct Gate {
    shut: AtomicBool,
    asked: Mutex<Vec<OperationKind>>,
}

#[async_trait]
impl Hooks for Gate {
    async fn before(&self, operation: &Operation, _: Option<&NewAccount<'_>>) -> Result<(), Refusal> {
        self.asked.lock().expect("not poisoned").push(operation.kind);
        if self.shut.load(SeqCst) { Err(Refusal { reason: "shut".into() }) } else { Ok(()) }
    }

    fn wants(&self, _: OperationKind) -> bool {
        true
    }
}

impl Gate {
    fn shut(&self, shut: bool) -> Vec<OperationKind> {
        self.shut.store(shut, SeqCst);
        std::mem::take(&mut *self.asked.lock().expect("not poisoned"))
    }
}

/// What came of an operation: its answer, what the application heard and what people are told.
struct Done<T> {
    answer: T,
    told: Vec<Operation>,
    notices: Vec<Notice>,
}

/// Runs an operation twice: refused, when nothing but a counted attempt may be written, and let through, when the
/// application hears of the kinds.
macro_rules! hooked {
    ($world:ident, $gate:ident, $asked:ident => [$($told:ident),*], $call:expr) => {{
        $world.notices().await;
        $gate.shut(true);
        $world.counters.written.store(0, SeqCst);
        let refused = $call.await.map(|_| ()).expect_err(stringify!($call));
        assert_eq!(refused.code, ErrorCode::HookRefused, "{refused}: {}", stringify!($call));
        assert_eq!($world.counters.written.load(SeqCst), 0, "{}", stringify!($call));
        assert_eq!($gate.shut(false), [OperationKind::$asked], "{}", stringify!($call));
        let answer = $call.await.expect(stringify!($call));
        $gate.shut(false);
        let (hooks, notices): (Vec<_>, Vec<_>) =
            $world.notices().await.into_iter().partition(|notice| matches!(notice, Notice::Hook { .. }));
        let told: Vec<Operation> = hooks
            .into_iter()
            .filter_map(|notice| if let Notice::Hook { operation } = notice { Some(operation) } else { None })
            .collect();
        let kinds = |kinds: Vec<OperationKind>| {
            let mut names: Vec<String> = kinds.into_iter().map(|kind| format!("{kind:?}")).collect();
            names.sort_unstable();
            names
        };
        let expected = kinds(vec![$(OperationKind::$told),*]);
        assert_eq!(kinds(told.iter().map(|operation| operation.kind).collect()), expected, "{}", stringify!($call));
        Done { answer, told, notices }
    }};
}

fn token_in(notices: &[Notice]) -> Secret {
    let token = notices.iter().find_map(|notice| match notice {
        Notice::Registration { token, .. }
        | Notice::EmailChange { token, .. }
        | Notice::EmailChanged { token, .. }
        | Notice::Closed { token, .. } => Some(token.clone()),
        _ => None,
    });
    token.expect("a link")
}

fn login(email: &str) -> LoginRequest {
    LoginRequest { email: email.into(), password: PASSWORD.into() }
}

fn json<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> T {
    serde_json::from_value(value).expect("a request")
}

async fn gated() -> (World, Arc<Gate>) {
    let gate = Arc::new(Gate::default());
    (World::with_hooks(gate.clone()).await, gate)
}

#[tokio::test]
async fn signing_up_and_in() {
    let (world, gate) = gated().await;
    let (accounts, origin) = (&world.accounts, &world.origin);
    let done = hooked!(world, gate, Register => [Register], accounts.register(origin, registration(ADA, PASSWORD)));
    let token = token_in(&done.notices);
    let email = || EmailRequest { email: ADA.into() };
    hooked!(world, gate, RequestVerification => [RequestVerification], accounts.resend_verification(origin, email()));
    let proof = || TokenRequest { token: token.clone() };
    let done = hooked!(world, gate, CreateUser => [CreateUser], accounts.verify_email(origin, proof()));
    let user = done.answer.user.id;
    assert_eq!(done.told[0].user, Some(user));
    let made = "made@example.org";
    let password = PASSWORD.into();
    hooked!(world, gate, CreateUser => [CreateUser], accounts.create_verified(origin, made, &password, None));

    let done = hooked!(world, gate, SignIn => [SignIn], world.sign_in.login(origin, login(ADA)));
    let LoginView::Tokens(tokens) = done.answer else { panic!("one factor") };
    assert_eq!((done.told[0].session, done.told[0].actor), (Some(tokens.session_id), Some(user)));
    let refresh = &tokens.refresh_token;
    let next = hooked!(world, gate, Refresh => [Refresh], world.sessions.refresh(origin, refresh, None)).answer;

    // Of the end of a session whose token was used twice the application hears, but it cannot keep it.
    world.clock.advance(SignedDuration::from_mins(1));
    gate.shut(true);
    assert_eq!(code(world.sessions.refresh(origin, refresh, None).await), ErrorCode::InvalidRefreshToken);
    assert!(gate.shut(false).is_empty());
    let notices = world.notices().await;
    let ended = notices.iter().find_map(|notice| match notice {
        Notice::Hook { operation } => Some(operation.clone()),
        _ => None,
    });
    let ended = ended.expect("told");
    assert_eq!((ended.kind, ended.session), (OperationKind::EndSession, Some(next.session_id)));
    assert_eq!(ended.details.cause, Some(OperationKind::Refresh));

    // An account that exists before its proof.
    world.set_tenant(|settings| settings.allow_unverified = true).await;
    gate.shut(false);
    let early = || registration("early@example.org", PASSWORD);
    let done = hooked!(world, gate, Register => [Register, CreateUser], accounts.register(origin, early()));
    let token = token_in(&done.notices);
    let proof = || TokenRequest { token: token.clone() };
    hooked!(world, gate, VerifyEmail => [VerifyEmail], accounts.verify_email(origin, proof()));
}

#[tokio::test]
async fn the_own_account() {
    let (world, gate) = gated().await;
    let (accounts, origin) = (&world.accounts, &world.origin);
    let user = world.user(ADA).await;
    let signed_in = async |password: &str| {
        let principal = world.principal(ADA, password).await;
        gate.shut(false);
        principal
    };
    let principal = signed_in(PASSWORD).await;
    let update = || json::<UpdateMeRequest>(serde_json::json!({"name": "Ada"}));
    let done = hooked!(world, gate, UpdateProfile => [UpdateProfile],
        accounts.update_me(origin, &principal, update(), None));
    assert_eq!((done.told[0].actor, done.told[0].session), (Some(user.id), Some(principal.session)));

    let email = || EmailRequest { email: ADA.into() };
    hooked!(world, gate, RequestPasswordReset => [RequestPasswordReset], accounts.forgot_password(origin, email()));
    let (row, token) = reset::issue(&world.cx, &world.stored(ADA).await.expect("there")).expect("a token");
    let unit = Unit::new().with(AccountChange::CreateToken(row));
    world.cx.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.expect("stored");
    let set = || PasswordResetRequest { token: token.secret().clone(), new_password: OTHER_PASSWORD.into() };
    let done = hooked!(world, gate, ChangePassword => [ChangePassword, EndSession],
        accounts.reset_password(origin, set()));
    let ended = done.told.iter().find(|operation| operation.kind == OperationKind::EndSession).expect("told");
    assert_eq!(ended.details.cause, Some(OperationKind::ChangePassword));
    assert_eq!((ended.user, ended.actor), (Some(user.id), None));
    let principal = world.principal(ADA, OTHER_PASSWORD).await;
    // Back to the usual one, past the history.
    for at in 0..5 {
        let new_password = format!("another quiet orange tram {at}").into();
        let change = PasswordChangeRequest { current_password: None, new_password };
        accounts.change_password(origin, &principal, change).await.expect("changed");
    }
    gate.shut(false);
    let change = || PasswordChangeRequest { current_password: None, new_password: PASSWORD.into() };
    hooked!(world, gate, ChangePassword => [ChangePassword, EndSession],
        accounts.change_password(origin, &principal, change()));

    let principal = signed_in(PASSWORD).await;
    let moved = || ChangeEmailRequest { new_email: "new@example.org".into() };
    let done = hooked!(world, gate, RequestEmailChange => [RequestEmailChange],
        accounts.request_email_change(origin, &principal, moved()));
    let token = token_in(&done.notices);
    let link = |token: &Secret| TokenRequest { token: token.clone() };
    let done = hooked!(world, gate, ChangeEmail => [ChangeEmail, EndSession],
        accounts.confirm_email_change(origin, link(&token)));
    let token = token_in(&done.notices);
    hooked!(world, gate, ChangeEmail => [ChangeEmail, EndSession], accounts.undo_email_change(origin, link(&token)));

    gate.shut(false);
    let (row, token) = reset::issue(&world.cx, &world.stored(ADA).await.expect("there")).expect("a token");
    let unit = Unit::new().with(AccountChange::CreateToken(row));
    world.cx.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.expect("stored");
    let later = "a last quiet orange tram";
    let set = PasswordResetRequest { token: token.secret().clone(), new_password: later.into() };
    accounts.reset_password(origin, set).await.expect("the way back has voided the password");
    let without = || PasswordConfirmRequest { password: None };
    let principal = signed_in(later).await;
    let done = hooked!(world, gate, ChangeStatus => [ChangeStatus, EndSession],
        accounts.deactivate_me(origin, &principal, without()));
    let token = token_in(&done.notices);
    let done = hooked!(world, gate, ChangeStatus => [ChangeStatus], accounts.reactivate(origin, link(&token)));
    assert_eq!(done.told[0].details.status, Some(UserStatus::Active));
    let principal = signed_in(later).await;
    hooked!(world, gate, ChangeStatus => [ChangeStatus, EndSession], accounts.delete_me(origin, &principal, without()));
}

#[tokio::test]
async fn second_factors() {
    let (world, gate) = gated().await;
    let origin = &world.origin;
    let mfa = Mfa::new(world.cx.clone());
    let user = world.user(ADA).await;
    let principal = world.principal(ADA, PASSWORD).await;
    gate.shut(false);
    hooked!(world, gate, ChangeMfa => [ChangeMfa], mfa.enrol_totp(origin, &principal));
    let now = totp_code(&world, ADA, 0).await;
    let confirm = || TotpConfirmRequest { code: now.clone() };
    hooked!(world, gate, ChangeMfa => [ChangeMfa, EndSession], mfa.confirm_totp(origin, &principal, confirm()));

    let next = async || {
        world.clock.advance(SignedDuration::from_mins(1));
        totp_code(&world, ADA, 0).await
    };
    let again =
        |code: &Secret| MfaReauthRequest { password: PASSWORD.into(), method: MfaMethod::Totp, code: code.clone() };
    let code_now = next().await;
    hooked!(world, gate, ChangeMfa => [ChangeMfa], mfa.regenerate_backup_codes(origin, &principal, again(&code_now)));

    let code_now = next().await;
    let LoginView::MfaRequired(view) = world.login(ADA, PASSWORD).await.expect("the first factor") else {
        panic!("a second factor is due")
    };
    assert!(gate.shut(false).is_empty(), "nothing is asked before all factors are there");
    let answer =
        || MfaVerifyRequest { mfa_token: view.mfa_token.clone(), method: MfaMethod::Totp, code: code_now.clone() };
    gate.shut(true);
    for _ in 0..20 {
        // No wrong attempt, however often.
        assert_eq!(code(world.sign_in.verify_mfa(origin, answer()).await), ErrorCode::HookRefused);
    }
    hooked!(world, gate, SignIn => [SignIn], world.sign_in.verify_mfa(origin, answer()));

    let code_now = next().await;
    hooked!(world, gate, ChangeMfa => [ChangeMfa, EndSession], mfa.disable_totp(origin, &principal, again(&code_now)));
    mfa.enrol_totp(origin, &principal).await.expect("enrolled");
    let code = next().await;
    mfa.confirm_totp(origin, &principal, TotpConfirmRequest { code }).await.expect("confirmed");
    gate.shut(false);
    let done = hooked!(world, gate, ChangeMfa => [ChangeMfa, EndSession], mfa.reset(origin, None, user.id));
    assert_eq!(done.told[0].user, Some(user.id));
    assert!(done.told.iter().any(|operation| operation.details.action.as_deref() == Some("mfa.reset")));
}

#[tokio::test]
async fn sessions_are_ended() {
    let (world, gate) = gated().await;
    let (sessions, origin) = (&world.sessions, &world.origin);
    let user = world.user(ADA).await;
    let principal = world.principal(ADA, PASSWORD).await;
    let other = world.tokens(ADA, PASSWORD).await;
    gate.shut(false);
    let done = hooked!(world, gate, EndSession => [EndSession], sessions.revoke(origin, &principal, other.session_id));
    assert_eq!(done.told[0].session, Some(other.session_id));
    world.tokens(ADA, PASSWORD).await;
    gate.shut(false);
    hooked!(world, gate, EndSession => [EndSession], sessions.revoke_others(origin, &principal));
    hooked!(world, gate, EndSession => [EndSession], sessions.revoke_all_of(origin, None, user.id));

    let tokens = world.tokens(ADA, PASSWORD).await;
    world.notices().await;
    gate.shut(true);
    let left = sessions.logout(origin, Some(tokens.access_token.expose()), None).await;
    left.expect("signing out is never refused");
    assert!(gate.shut(false).is_empty());
    assert_eq!(world.kinds().await, ["hook"]);
}

#[tokio::test]
async fn administration() {
    let (world, gate) = gated().await;
    let (accounts, origin) = (&world.accounts, &world.origin);
    let user = world.user(ADA).await.id;
    gate.shut(false);
    hooked!(world, gate, ChangeStatus => [ChangeStatus, EndSession], accounts.deactivate(origin, None, user));
    hooked!(world, gate, ChangeStatus => [ChangeStatus], accounts.deactivate(origin, None, user));
    hooked!(world, gate, ChangeStatus => [ChangeStatus], accounts.activate(origin, None, user));
    hooked!(world, gate, Unlock => [Unlock], accounts.unlock(origin, None, user));

    let roles = Roles::new(world.cx.clone());
    let create = || json::<CreateRoleRequest>(serde_json::json!({"name": "editor"}));
    let made = hooked!(world, gate, ChangeRoles => [ChangeRoles], roles.create(origin, None, create())).answer.id;
    let update = || json::<UpdateRoleRequest>(serde_json::json!({"name": "author"}));
    hooked!(world, gate, ChangeRoles => [ChangeRoles], roles.update(origin, None, made, update(), None));
    let done = hooked!(world, gate, ChangeRoles => [ChangeRoles], roles.assign(origin, None, user, made));
    assert_eq!((done.told[0].user, done.told[0].details.role), (Some(user), Some(made)));
    hooked!(world, gate, ChangeRoles => [ChangeRoles], roles.remove(origin, None, user, made));
    hooked!(world, gate, ChangeRoles => [ChangeRoles], roles.delete(origin, None, made, None));

    let tenants = Tenants::new(world.cx.clone());
    let tenant = hooked!(world, gate, ChangeTenants => [ChangeTenants],
        tenants.create("acme", "Acme", &[], TenantSettings::default()))
    .answer;
    hooked!(world, gate, ChangeTenants => [ChangeTenants], tenants.update(tenant.clone()));

    let sessions = &world.sessions;
    let key = hooked!(world, gate, ChangeKeys => [ChangeKeys], sessions.rotate_key(origin)).answer.id;
    hooked!(world, gate, ChangeKeys => [ChangeKeys], sessions.rotate_key_now(origin));
    let done = hooked!(world, gate, ChangeKeys => [ChangeKeys], sessions.revoke_key(origin, key));
    assert_eq!(done.told[0].details.key, Some(key));
}
