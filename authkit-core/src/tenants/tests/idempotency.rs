use super::*;
use jiff::SignedDuration;

async fn begin(cx: &Arc<Context>, principal: &str, route: &str, key: &str, body: &[u8]) -> Result<Begin> {
    Idempotency::begin(cx, DEFAULT_TENANT, principal, route, key, body).await
}

async fn run(cx: &Arc<Context>) -> Result<Begin> {
    begin(cx, "usr_1", "POST /v1/roles", "key", b"body").await
}

fn first(begin: Result<Begin>) -> Guard {
    match begin.unwrap() {
        Begin::Run(guard) => guard,
        Begin::Replay(_) => panic!("it was answered before"),
    }
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_for_a_day() {
    let (cx, clock, _) = house().await;
    let guard = first(run(&cx).await);
    Idempotency::complete(guard, b"answer").await.unwrap();
    clock.advance(SignedDuration::from_hours(24));
    assert!(matches!(run(&cx).await, Ok(Begin::Replay(answer)) if answer == b"answer"));
    let find = || Idempotency::find(&cx, DEFAULT_TENANT, "usr_1", "POST /v1/roles", "key", b"body");
    assert_eq!(find().await.unwrap().as_deref(), Some(&b"answer"[..]));
    clock.advance(SignedDuration::from_micros(1));
    assert_eq!(find().await.unwrap(), None);
    first(run(&cx).await);
}

#[tokio::test]
async fn of_two_at_once_one_runs() {
    let (cx, clock, _) = house().await;
    let guard = first(run(&cx).await);
    let second = run(&cx).await.unwrap_err();
    assert_eq!(second.code, ErrorCode::IdempotencyInProgress);
    assert!(second.retry_after.is_some());
    Idempotency::release(guard).await.unwrap();
    let guard = first(run(&cx).await);
    // Its node dies.
    drop(guard);
    clock.advance(SignedDuration::from_mins(2) + SignedDuration::from_micros(1));
    first(run(&cx).await);
}

#[tokio::test]
async fn the_same_key_with_another_body_is_refused() {
    let (cx, _, _) = house().await;
    let guard = first(run(&cx).await);
    let other = begin(&cx, "usr_1", "POST /v1/roles", "key", b"other").await;
    assert_eq!(code(other), Some(ErrorCode::IdempotencyMismatch), "also while the first one runs");
    Idempotency::complete(guard, b"answer").await.unwrap();
    let other = begin(&cx, "usr_1", "POST /v1/roles", "key", b"other").await;
    assert_eq!(code(other), Some(ErrorCode::IdempotencyMismatch));
}

#[tokio::test]
async fn keys_of_others_and_other_routes_are_other_keys() {
    let (cx, _, tenants) = house().await;
    let guard = first(run(&cx).await);
    Idempotency::complete(guard, b"answer").await.unwrap();
    first(begin(&cx, "usr_2", "POST /v1/roles", "key", b"body").await);
    first(begin(&cx, "usr_1", "POST /v1/other", "key", b"body").await);
    first(begin(&cx, "usr_1", "POST /v1/roles", "kex", b"body").await);
    let acme = acme(&tenants).await;
    first(Idempotency::begin(&cx, acme.id, "usr_1", "POST /v1/roles", "key", b"body").await);
}

#[tokio::test]
async fn malformed_keys_are_refused_and_answers_are_sealed() {
    let (cx, _, _) = house().await;
    for key in ["", "a b", "\n", "é", &"k".repeat(256)] {
        let refused = begin(&cx, "usr_1", "POST /v1/roles", key, b"").await;
        assert_eq!(code(refused), Some(ErrorCode::MalformedRequest), "{key:?}");
    }
    let guard = first(run(&cx).await);
    let key = guard.key;
    Idempotency::complete(guard, b"a secret answer").await.unwrap();
    let record = cx.store.find_idempotency(DEFAULT_TENANT, &key).await.unwrap().unwrap();
    assert!(!record.answer.unwrap().windows(6).any(|window| window == b"secret"));
}
