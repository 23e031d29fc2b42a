use super::*;
use crate::{
    Settings,
    accounts::AccountChange,
    memory::InlineHasher,
    ports::{Hooks, NewAccount, Operation, OperationKind, PasswordHasher, Refusal, Scope, Unit},
};
use async_trait::async_trait;
use jiff::SignedDuration;
use std::sync::Arc;

#[tokio::test]
async fn the_lock_grows_is_told_and_never_lasts_long() {
    let world = World::new().await;
    world.user(ADA).await;
    let policy = world.cx.settings.lockout.clone();
    let mut expected = policy.first_lock;
    for round in 0..6 {
        world.lock(ADA).await;
        assert_eq!(world.kinds().await, ["account_locked"], "round {round}");
        assert_eq!(code(world.login(ADA, PASSWORD).await), ErrorCode::InvalidCredentials, "locked");
        world.clock.advance(expected - SignedDuration::from_secs(1));
        assert_eq!(code(world.login(ADA, PASSWORD).await), ErrorCode::InvalidCredentials, "still locked");
        world.clock.advance(SignedDuration::from_secs(1));
        expected = (expected * 2).min(policy.longest_lock);
    }
    world.tokens(ADA, PASSWORD).await;
    assert_eq!(world.audited("user.locked").await, 6);
    for _ in 0..4 {
        world.login(ADA, "a wrong password").await.expect_err("wrong");
    }
    world.tokens(ADA, PASSWORD).await;
}

#[tokio::test]
async fn failures_count_within_their_window_only() {
    let world = World::new().await;
    world.user(ADA).await;
    for _ in 0..10 {
        for _ in 0..4 {
            world.login(ADA, "a wrong password").await.expect_err("wrong");
        }
        world.clock.advance(world.cx.settings.lockout.window + SignedDuration::from_secs(1));
    }
    world.tokens(ADA, PASSWORD).await;
}

#[tokio::test]
async fn parallel_guesses_cannot_exceed_the_limit() {
    let world = World::new().await;
    world.user(ADA).await;
    let guesses: Vec<_> = (0..40)
        .map(|at| {
            let (sign_in, origin) = (world.sign_in.clone(), world.origin.clone());
            // All after the first few are right.
            let password = if at < 5 { "a wrong password" } else { PASSWORD };
            let request = LoginRequest { email: ADA.into(), password: password.into() };
            tokio::spawn(async move { sign_in.login(&origin, request).await })
        })
        .collect();
    for guess in guesses {
        assert_eq!(code(guess.await.expect("ran")), ErrorCode::InvalidCredentials);
    }
}

#[tokio::test]
async fn a_stranger_cannot_tell_what_is_wrong() {
    let world = World::new().await;
    world.user(ADA).await;
    let off = world.user("off@example.org").await;
    world.accounts.deactivate(&world.origin, None, off.id).await.expect("deactivated");
    let mut answers = Vec::new();
    for (email, password) in
        [(ADA, "a wrong password"), ("unknown@example.org", PASSWORD), ("off@example.org", PASSWORD)]
    {
        let error = world.login(email, password).await.expect_err("refused");
        answers.push((error.code, error.detail, error.fields, error.retry_after));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(world.audited("session.failed").await, 3);
}

#[tokio::test]
async fn an_unknown_or_switched_off_tenant_has_no_users() {
    let world = World::new().await;
    world.user(ADA).await;
    let mut elsewhere = world.origin.clone();
    elsewhere.tenant = TenantId::new(uuid::Uuid::from_u128(9));
    let request = LoginRequest { email: ADA.into(), password: PASSWORD.into() };
    assert_eq!(code(world.sign_in.login(&elsewhere, request).await), ErrorCode::InvalidCredentials);
    let view = world.accounts.register(&elsewhere, registration(ADA, PASSWORD)).await.expect("alike");
    assert_eq!(view.status, "verification_required");
    assert_eq!(world.audited("session.failed").await, 1, "who tries names is seen where somebody looks");
    for notice in world.notices().await {
        let crate::notices::Notice::Registration { token, .. } = notice else { panic!("{notice:?}") };
        let proof = world.accounts.verify_email(&world.origin, TokenRequest { token }).await;
        assert_eq!(code(proof), ErrorCode::InvalidOneTimeToken);
    }
}

#[tokio::test]
async fn a_hash_of_other_parameters_is_renewed_at_sign_in() {
    let world = World::new().await;
    world.user(ADA).await;
    let old = world.stored(ADA).await.and_then(|user| user.password_hash).expect("a hash");
    let hasher: Arc<dyn PasswordHasher> = Arc::new(InlineHasher::new(128, 1).expect("parameters"));
    let mut cx = crate::memory::bare(world.clock.clone(), crate::memory::SeededRandom::new(7), Settings::default())
        .expect("a context");
    (cx.store, cx.hasher) = (world.cx.store.clone(), hasher);
    let cx = crate::memory::prepare(cx).await.expect("prepared");
    let request = LoginRequest { email: ADA.into(), password: PASSWORD.into() };
    crate::auth::SignIn::new(cx).login(&world.origin, request).await.expect("signed in");
    let new = world.stored(ADA).await.and_then(|user| user.password_hash).expect("a hash");
    assert!(old.contains("m=64") && new.contains("m=128"));
}

#[tokio::test]
async fn a_sign_in_that_meets_a_deactivation_leaves_no_session() {
    for seed in 0..8 {
        let world = World::new().await;
        let user = world.user(ADA).await;
        let (sign_in, accounts, origin) = (world.sign_in.clone(), world.accounts.clone(), world.origin.clone());
        let login = tokio::spawn({
            let origin = origin.clone();
            async move { sign_in.login(&origin, LoginRequest { email: ADA.into(), password: PASSWORD.into() }).await }
        });
        for _ in 0..seed {
            tokio::task::yield_now().await;
        }
        accounts.deactivate(&origin, None, user.id).await.expect("deactivated");
        let _ = login.await.expect("ran");
        let sessions = world.cx.store.list_sessions(DEFAULT_TENANT, user.id, None, 10).await.expect("read");
        assert!(sessions.is_empty(), "after {seed} steps");
    }
}

#[tokio::test]
async fn a_sign_in_with_a_password_that_is_replaced_meanwhile_leaves_no_session() {
    let world = World::new().await;
    let hash = world.cx.hasher.hash(&OTHER_PASSWORD.into()).await.expect("hashed");
    for steps in 0..16 {
        let email = format!("ada{steps}@example.org");
        world.user(&email).await;
        let user = world.stored(&email).await.expect("there");
        let replacing = async {
            for _ in 0..steps {
                tokio::task::yield_now().await;
            }
            let unit = Unit::new()
                .with(AccountChange::SetPassword {
                    user: user.id,
                    security_version: user.security_version,
                    hash: hash.clone(),
                    kept_session: None,
                    keep: 5,
                    at: world.now(),
                })
                .with(crate::sessions::SessionChange::EndAllOf { user: user.id, except: None });
            world.cx.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.expect("replaced");
        };
        let _ = tokio::join!(world.login(&email, PASSWORD), replacing);
        let sessions = world.cx.store.list_sessions(DEFAULT_TENANT, user.id, None, 10).await.expect("read");
        assert!(sessions.is_empty(), "after {steps} steps");
    }
}

#[derive(Debug)]
struct NoSignIns;

#[async_trait]
impl Hooks for NoSignIns {
    async fn before(&self, operation: &Operation, _: Option<&NewAccount<'_>>) -> Result<(), Refusal> {
        match operation.kind {
            OperationKind::SignIn => Err(Refusal { reason: "Not today.".into() }),
            _ => Ok(()),
        }
    }

    fn wants(&self, kind: OperationKind) -> bool {
        kind == OperationKind::CreateUser
    }
}

#[tokio::test]
async fn the_application_may_refuse_a_sign_in_and_hears_of_what_it_wants() {
    let world = World::with_hooks(Arc::new(NoSignIns)).await;
    let token = world.register(ADA, PASSWORD).await;
    world.accounts.verify_email(&world.origin, TokenRequest { token }).await.expect("proved");
    assert_eq!(world.kinds().await, ["hook", "welcome"]);
    let refused = world.login(ADA, PASSWORD).await.expect_err("refused");
    assert_eq!((refused.code, refused.detail.as_str()), (ErrorCode::HookRefused, "Not today."));
    assert_eq!(code(world.login(ADA, "a wrong password").await), ErrorCode::InvalidCredentials);
}

#[tokio::test]
async fn what_the_application_refuses_is_no_wrong_attempt() {
    let world = World::with_hooks(Arc::new(NoSignIns)).await;
    world.user(ADA).await;
    for _ in 0..20 {
        assert_eq!(code(world.login(ADA, PASSWORD).await), ErrorCode::HookRefused);
    }
    assert_eq!(world.audited("user.locked").await, 0);
    for _ in 1..world.cx.settings.lockout.failures {
        assert_eq!(code(world.login(ADA, "a wrong password").await), ErrorCode::InvalidCredentials);
    }
    assert_eq!(code(world.login(ADA, PASSWORD).await), ErrorCode::HookRefused, "what is wrong still counts");
    assert_eq!(code(world.login(ADA, "a wrong password").await), ErrorCode::InvalidCredentials);
    assert_eq!(code(world.login(ADA, PASSWORD).await), ErrorCode::InvalidCredentials, "locked");
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_nothing_half_done() {
    use std::future::Future;
    let world = World::new().await;
    let user = world.user(ADA).await;
    let mut finished = false;
    for steps in 0..40 {
        let request = LoginRequest { email: ADA.into(), password: PASSWORD.into() };
        let mut login = Box::pin(world.sign_in.login(&world.origin, request));
        let mut polls = 0;
        let answer = std::future::poll_fn(|task| {
            polls += 1;
            match login.as_mut().poll(task) {
                std::task::Poll::Ready(answer) => std::task::Poll::Ready(Some(answer)),
                std::task::Poll::Pending if polls > steps => std::task::Poll::Ready(None),
                std::task::Poll::Pending => std::task::Poll::Pending,
            }
        });
        let answer = answer.await;
        drop(login);
        finished |= answer.is_some_and(|answer| answer.is_ok());
        // Every session is a whole one: it has its record.
        let sessions = world.cx.store.list_sessions(DEFAULT_TENANT, user.id, None, 1_000).await.expect("read").len();
        assert_eq!(sessions, world.audited("session.created").await);
        world.accounts.unlock(&world.origin, None, user.id).await.expect("unlocked");
    }
    assert!(finished);
}

#[tokio::test]
async fn many_right_sign_ins_at_once_lock_nobody_out() {
    let world = Arc::new(World::new().await);
    world.user("ada@example.org").await;
    let tasks: Vec<_> = (0..30)
        .map(|_| {
            let world = world.clone();
            tokio::spawn(async move { world.login("ada@example.org", PASSWORD).await.is_ok() })
        })
        .collect();
    for task in tasks {
        assert!(task.await.expect("ended"));
    }
}

#[tokio::test]
async fn an_attempt_that_the_full_pool_refused_does_not_count() {
    let world = World::new().await;
    world.user("ada@example.org").await;
    for _ in 0..20 {
        world.counters.refused.store(1, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(code(world.login("ada@example.org", "wrong horse battery staple").await), ErrorCode::Overloaded);
    }
    world.tokens("ada@example.org", PASSWORD).await;
}
