//! Rotation of refresh tokens.

use super::*;
use crate::tenants::{TenantSettings, Tenants};
use proptest::prelude::*;

fn same(a: &TokensView, b: &TokensView) -> bool {
    a.access_token == b.access_token && a.refresh_token == b.refresh_token && a.session_id == b.session_id
}

const REFUSED: Option<ErrorCode> = Some(ErrorCode::InvalidRefreshToken);

#[tokio::test]
async fn each_use_gives_a_new_pair_of_the_same_session() {
    let house = house().await;
    let first = house.sign_in().await;
    house.advance(60);
    let second = house.refresh(&first.refresh_token).await.unwrap();
    assert_eq!(second.session_id, first.session_id);
    assert!(second.refresh_token != first.refresh_token && second.access_token != first.access_token);
    assert!(house.authenticate(&second).await.is_ok());
    house.advance(60);
    assert!(house.refresh(&second.refresh_token).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_refreshes_at_once_get_the_same_pair() {
    for round in 0..50 {
        let house = house().await;
        let first = house.sign_in().await;
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (sessions, origin, token) =
                    (house.sessions.clone(), house.origin.clone(), first.refresh_token.clone());
                tokio::spawn(async move { sessions.refresh(&origin, &token, None).await.unwrap() })
            })
            .collect();
        let mut pairs = Vec::new();
        for task in tasks {
            pairs.push(task.await.unwrap());
        }
        assert!(pairs.windows(2).all(|two| same(&two[0], &two[1])), "round {round}");
        assert_eq!(house.count_sessions().await, 1);

        house.advance(60);
        assert_eq!(code(house.refresh(&first.refresh_token).await), REFUSED);
        assert_eq!(house.count_sessions().await, 0);
        assert_eq!(code(house.refresh(&pairs[0].refresh_token).await), REFUSED);
        assert!(house.authenticate(&pairs[0]).await.is_err());
    }
}

#[tokio::test]
async fn a_reused_token_ends_the_session_and_is_told() {
    let house = house().await;
    let first = house.sign_in().await;
    house.advance(60);
    let second = house.refresh(&first.refresh_token).await.unwrap();
    house.advance(11);
    assert_eq!(code(house.refresh(&first.refresh_token).await), REFUSED);
    assert_eq!(house.count_sessions().await, 0);
    assert_eq!(code(house.refresh(&second.refresh_token).await), REFUSED);
    assert_eq!(code(house.authenticate(&second).await), Some(ErrorCode::InvalidToken));
    assert!(house.audited().await.contains(&"session.reuse_detected".to_owned()));
    let now = house.cx.now();
    let notices = house.cx.store.claim_notices(uuid::Uuid::nil(), now, now, 10).await.unwrap();
    assert_eq!(notices.iter().map(|notice| notice.kind.as_str()).collect::<Vec<_>>(), ["token_reuse"]);
}

#[tokio::test]
async fn the_token_before_the_previous_one_is_reuse_even_at_once() {
    let house = house().await;
    let first = house.sign_in().await;
    let second = house.refresh(&first.refresh_token).await.unwrap();
    house.refresh(&second.refresh_token).await.unwrap();
    assert_eq!(code(house.refresh(&first.refresh_token).await), REFUSED);
    assert_eq!(house.count_sessions().await, 0);
}

#[tokio::test]
async fn a_repeat_extends_nothing() {
    let house = house().await;
    let first = house.sign_in().await;
    let second = house.refresh(&first.refresh_token).await.unwrap();
    let before = house.cx.store.find_session(DEFAULT_TENANT, first.session_id).await.unwrap().unwrap();
    house.advance(10);
    let again = house.refresh(&first.refresh_token).await.unwrap();
    assert!(same(&second, &again));
    assert_eq!(again.expires_in, 890);
    let after = house.cx.store.find_session(DEFAULT_TENANT, first.session_id).await.unwrap().unwrap();
    assert_eq!(
        (before.refresh.expires_at, before.refresh.rotated_at),
        (after.refresh.expires_at, after.refresh.rotated_at)
    );
    house.advance(1);
    assert_eq!(code(house.refresh(&first.refresh_token).await), REFUSED);
}

#[tokio::test]
async fn a_lost_answer_is_given_again_for_a_day_under_its_idempotency_key() {
    let house = house().await;
    let first = house.sign_in().await;
    let refresh = |key: &'static str| house.sessions.refresh(&house.origin, &first.refresh_token, Some(key));
    let second = refresh("a7f3").await.unwrap();
    house.advance(24 * 3600 - 1);
    let again = refresh("a7f3").await.unwrap();
    assert!(same(&second, &again));
    assert_eq!(again.expires_in, 0);
    // Once the successor is used, the key is worth nothing.
    house.refresh(&again.refresh_token).await.unwrap();
    assert_eq!(code(refresh("a7f3").await), REFUSED);
    assert_eq!(house.count_sessions().await, 0);
}

#[tokio::test]
async fn another_idempotency_key_or_a_later_day_is_reuse() {
    for (key, seconds) in [(Some("other"), 60), (None, 60), (Some("a7f3"), 24 * 3600 + 1)] {
        let house = house().await;
        let first = house.sign_in().await;
        house.sessions.refresh(&house.origin, &first.refresh_token, Some("a7f3")).await.unwrap();
        house.advance(seconds);
        assert_eq!(code(house.sessions.refresh(&house.origin, &first.refresh_token, key).await), REFUSED);
        assert_eq!(house.count_sessions().await, 0);
    }
    // A refresh without a key leaves nothing to replay.
    let house = house().await;
    let first = house.sign_in().await;
    house.refresh(&first.refresh_token).await.unwrap();
    house.advance(60);
    let repeat = house.sessions.refresh(&house.origin, &first.refresh_token, Some("a7f3")).await;
    assert_eq!(code(repeat), REFUSED);
}

#[tokio::test]
async fn a_malformed_idempotency_key_is_refused_and_uses_nothing_up() {
    let house = house().await;
    let first = house.sign_in().await;
    for key in ["", "a b", "a\n", "é", &"k".repeat(256)] {
        let refused = house.sessions.refresh(&house.origin, &first.refresh_token, Some(key)).await;
        assert_eq!(code(refused), Some(ErrorCode::MalformedRequest), "{key:?}");
    }
    let longest = "k".repeat(255);
    assert!(house.sessions.refresh(&house.origin, &first.refresh_token, Some(&longest)).await.is_ok());
}

#[tokio::test]
async fn forged_tokens_are_refused_without_a_read() {
    use std::sync::atomic::Ordering;
    let house = house().await;
    let first = house.sign_in().await;
    let token = text(&first.refresh_token);
    let before = house.store.reads.load(Ordering::SeqCst);
    let forged = [
        String::new(),
        "akr_".into(),
        format!("{token}="),
        token.replacen("akr_", "akp_", 1),
        token.to_uppercase(),
        format!("{}A", &token[..token.len() - 1]),
        text(&first.access_token),
        "a".repeat(9_000_000),
    ];
    for forged in forged.iter().filter(|forged| **forged != token) {
        assert_eq!(code(house.refresh(&Secret::from(forged.as_str())).await), REFUSED);
    }
    assert_eq!(house.store.reads.load(Ordering::SeqCst), before);
    assert!(house.refresh(&first.refresh_token).await.is_ok());
}

#[tokio::test]
async fn another_tenants_request_cannot_use_the_token() {
    let house = house().await;
    let first = house.sign_in().await;
    let tenant = Tenants::new(house.cx.clone()).create("acme", "Acme", &[], TenantSettings::default()).await.unwrap();
    let elsewhere = Origin::local(tenant.id);
    assert_eq!(code(house.sessions.refresh(&elsewhere, &first.refresh_token, None).await), REFUSED);
    assert!(house.refresh(&first.refresh_token).await.is_ok(), "and nothing was used up");
}

#[tokio::test]
async fn unused_tokens_and_sessions_run_out() {
    let house = house().await;
    let first = house.sign_in().await;
    house.advance(30 * 24 * 3600);
    assert_eq!(code(house.refresh(&first.refresh_token).await), REFUSED);

    let mut tokens = house.sign_in().await;
    for _ in 0..8 {
        house.advance(20 * 24 * 3600);
        tokens = house.refresh(&tokens.refresh_token).await.unwrap();
    }
    house.advance(20 * 24 * 3600 - 60);
    let last = house.refresh(&tokens.refresh_token).await.unwrap();
    assert_eq!(last.expires_in, 60, "no access token outlives its session");
    house.advance(60);
    assert_eq!(code(house.refresh(&last.refresh_token).await), REFUSED, "180 days after the sign-in");
}

#[tokio::test]
async fn an_idle_session_runs_out_unless_it_was_seen() {
    let house = house_with(|cx| cx.settings.sessions.idle_timeout = Some(SignedDuration::from_mins(30))).await;
    let idle = house.sign_in().await;
    house.advance(30 * 60);
    assert_eq!(code(house.refresh(&idle.refresh_token).await), REFUSED);

    let used = house.sign_in().await;
    house.advance(14 * 60);
    house.authenticate(&used).await.unwrap();
    house.advance(20 * 60);
    assert!(house.refresh(&used.refresh_token).await.is_ok());
}

#[tokio::test]
async fn a_session_does_not_end_before_its_idle_time_although_only_minutes_are_noted() {
    let house = house_with(|cx| cx.settings.sessions.idle_timeout = Some(SignedDuration::from_mins(30))).await;
    let used = house.sign_in().await;
    house.advance(59);
    house.authenticate(&used).await.unwrap();
    house.sessions.flush_activity().await.unwrap();
    let (_, other) = house.other_node().await;
    house.advance(30 * 60 - 1);
    assert!(other.refresh(&house.origin, &used.refresh_token, None).await.is_ok());
}

#[tokio::test]
async fn no_access_token_lives_longer_than_a_session_may_be_idle() {
    let house = house_with(|cx| cx.settings.sessions.idle_timeout = Some(SignedDuration::from_mins(5))).await;
    assert_eq!(house.sign_in().await.expires_in, 300);
}

#[tokio::test]
async fn a_tenants_own_limits_count_also_for_open_sessions() {
    let house = house().await;
    let first = house.sign_in().await;
    let tenants = Tenants::new(house.cx.clone());
    let mut tenant = tenants.find("default").await.unwrap().unwrap();
    tenant.settings.absolute_minutes = Some(60);
    tenants.update(tenant).await.unwrap();
    house.advance(59 * 60);
    let second = house.refresh(&first.refresh_token).await.unwrap();
    house.advance(60);
    assert_eq!(code(house.refresh(&second.refresh_token).await), REFUSED);
}

#[tokio::test]
async fn a_limit_that_is_lifted_lengthens_no_open_session() {
    let house = house().await;
    let tenants = Tenants::new(house.cx.clone());
    let mut tenant = tenants.find("default").await.unwrap().unwrap();
    tenant.settings.absolute_minutes = Some(60);
    let mut tenant = tenants.update(tenant).await.unwrap();
    let first = house.sign_in().await;
    let session = house.cx.store.find_session(DEFAULT_TENANT, first.session_id).await.unwrap().unwrap();
    assert!(session.refresh.expires_at <= session.expires_at.unwrap());
    tenant.settings.absolute_minutes = Some(6000);
    tenants.update(tenant).await.unwrap();
    house.advance(60 * 60);
    assert_eq!(code(house.refresh(&first.refresh_token).await), REFUSED);
}

#[tokio::test]
async fn a_user_who_is_not_active_cannot_continue_nor_replay() {
    let house = house().await;
    let first = house.sign_in().await;
    house.refresh(&first.refresh_token).await.unwrap();
    let unit = Unit::new().with(AccountChange::SetStatus {
        user: house.user.id,
        security_version: 1,
        status: UserStatus::Deactivated,
        erase_at: None,
        at: house.cx.now(),
    });
    house.cx.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.unwrap();
    assert_eq!(code(house.refresh(&first.refresh_token).await), REFUSED);
}

#[tokio::test]
async fn the_store_holds_no_token_in_the_clear() {
    let house = house().await;
    let first = house.sign_in().await;
    let second = house.refresh(&first.refresh_token).await.unwrap();
    let session = house.cx.store.find_session(DEFAULT_TENANT, first.session_id).await.unwrap().unwrap();
    let replay = session.refresh.replay.unwrap();
    for secret in [&second.refresh_token, &second.access_token] {
        let needle = &secret.expose().as_bytes()[4..20];
        assert!(!replay.windows(16).any(|window| window == needle));
    }
    assert_eq!(session.refresh.hash, crate::crypto::sha256(second.refresh_token.expose().as_bytes()));
}

#[tokio::test]
async fn the_application_may_refuse_and_nothing_is_used_up() {
    use crate::ports::{Hooks, NewAccount, Operation, OperationKind, Refusal};
    use std::sync::atomic::{AtomicBool, Ordering};
    #[derive(Debug, Default)]
    struct Closed(AtomicBool);
    #[async_trait::async_trait]
    impl Hooks for Closed {
        async fn before(&self, operation: &Operation, _: Option<&NewAccount<'_>>) -> Result<(), Refusal> {
            let refuse = operation.kind == OperationKind::Refresh && self.0.load(Ordering::SeqCst);
            if refuse { Err(Refusal { reason: "closed".into() }) } else { Ok(()) }
        }
    }
    let hooks = Arc::new(Closed::default());
    let house = house_with(|cx| cx.hooks = hooks.clone()).await;
    let first = house.sign_in().await;
    hooks.0.store(true, Ordering::SeqCst);
    let refused = house.refresh(&first.refresh_token).await.unwrap_err();
    assert_eq!((refused.code, refused.detail.as_str()), (ErrorCode::HookRefused, "closed"));
    hooks.0.store(false, Ordering::SeqCst);
    assert!(house.refresh(&first.refresh_token).await.is_ok());
}

/// What may happen to a session: somebody presents the token of some generation, or time passes.
#[derive(Clone, Debug)]
enum Step {
    Present { back: usize, at_once: usize },
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (prop_oneof![8 => Just(0), 3 => Just(1), 1 => 2..4usize], 1..4usize)
            .prop_map(|(back, at_once)| Step::Present { back, at_once }),
        2 => prop_oneof![0..12i64, 12..3600i64].prop_map(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever is presented in whatever order: there is one line of tokens. Every answer is the next pair of that line
    /// or the same one again, and a token that is neither the newest nor just replaced ends the session for good.
    #[test]
    fn any_interleaving_of_refreshes_yields_one_branch(steps in proptest::collection::vec(step(), 1..24)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async move {
            let house = house().await;
            let mut line = vec![house.sign_in().await];
            let mut rotated_at = i64::MIN;
            let mut alive = true;
            for step in steps {
                let (back, at_once) = match step {
                    Step::Wait(seconds) => { house.advance(seconds); continue }
                    Step::Present { back, at_once } => (back, at_once),
                };
                let Some(place) = line.len().checked_sub(1 + back) else { continue };
                let token = line[place].refresh_token.clone();
                let now = house.cx.now().as_second();
                let calls = (0..at_once).map(|_| house.refresh(&token));
                for answer in futures_join(calls).await {
                    let newest = line.len() - 1;
                    if alive && place == newest {
                        line.push(answer.unwrap());
                        rotated_at = now;
                    } else if alive && place + 1 == newest && now - rotated_at <= 10 {
                        prop_assert!(same(&answer.unwrap(), &line[newest]));
                    } else {
                        prop_assert_eq!(code(answer), REFUSED);
                        alive = false;
                    }
                }
                prop_assert_eq!(house.count_sessions().await, usize::from(alive));
                if !alive {
                    let last = &line[line.len() - 1];
                    prop_assert_eq!(code(house.refresh(&last.refresh_token).await), REFUSED);
                    prop_assert!(house.authenticate(last).await.is_err());
                }
            }
            Ok(())
        })?;
    }
}

/// Polls all of them in turn.
async fn futures_join<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut pending: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|task| {
        for (future, done) in pending.iter_mut().filter(|(_, done)| done.is_none()) {
            if let std::task::Poll::Ready(value) = future.as_mut().poll(task) {
                *done = Some(value);
            }
        }
        if pending.iter().all(|(_, done)| done.is_some()) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    pending.into_iter().filter_map(|(_, done)| done).collect()
}

#[tokio::test]
async fn debugging_shows_no_hash_and_no_key() {
    let house = house().await;
    let tokens = house.sign_in().await;
    let session = house.cx.store.find_session(DEFAULT_TENANT, tokens.session_id).await.unwrap().unwrap();
    let shown = format!("{:?}", session.refresh);
    assert!(shown.starts_with("RefreshState { expires_at: ") && !shown.contains("hash"), "{shown}");
    let key = house.cx.store.list_keys().await.unwrap().remove(0);
    assert_eq!(format!("{key:?}"), format!("SigningKey {{ id: {:?}, .. }}", key.id));
}
