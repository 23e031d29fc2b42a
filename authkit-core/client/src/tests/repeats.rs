use super::{World, fake::*};
use crate::{CallOptions, code};
use authkit_wire::ErrorCode;
use serde_json::{Value, json};
use std::time::Duration;

fn role() -> Value {
    json!({"name": "editor"})
}

#[tokio::test(start_paused = true)]
async fn reads_are_repeated_as_often_as_is_set() {
    let (world, server) = (World::new(), Server::default());
    let client = world.signed_in(&server).await;
    (0..2).for_each(|_| server.next("getMe", Reply::Lost));
    assert!(client.get_me().await.is_ok());
    assert_eq!(server.count("getMe"), 3);
    (0..3).for_each(|_| server.next("getMe", Reply::Lost));
    let error = client.get_me().await.unwrap_err();
    assert_eq!((error.code.as_ref(), error.status, error.retryable), (code::NETWORK, 0, true));
    assert_eq!(server.count("getMe"), 6);

    let never = world.builder(&server).retries(0).build().unwrap();
    server.next("getDiscovery", Reply::Lost);
    assert!(never.call("getDiscovery", json!({})).await.is_err());
    assert_eq!(server.count("getDiscovery"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_done_twice_is_not_repeated_once_it_may_have_been_done() {
    let (world, server) = (World::new(), Server::default());
    let client = world.client(&server);
    let lost = [Reply::Lost, Reply::refusal(ErrorCode::Unavailable), Reply::Status(502, Value::Null, None)];
    for (sent, reply) in (1..).zip(lost) {
        server.next("login", reply);
        assert!(client.login("ada@example.com", "a quiet orange tram").await.unwrap_err().retryable);
        assert_eq!((server.count("login"), server.keys("login").concat().as_str()), (sent, ""));
    }
    server.next("login", Reply::Unsent);
    assert!(client.login("ada@example.com", "a quiet orange tram").await.is_ok());
    assert_eq!(server.count("login"), 5, "what never left is");
}

#[tokio::test(start_paused = true)]
async fn writes_are_repeated_under_one_key_and_each_call_has_its_own() {
    let (world, server) = (World::new(), Server::default());
    let client = world.signed_in(&server).await;
    server.next("createRole", Reply::Lost);
    server.next("createRole", Reply::refusal(ErrorCode::IdempotencyInProgress));
    client.call("createRole", role()).await.unwrap();
    client.call("createRole", role()).await.unwrap();
    let keys = server.keys("createRole");
    assert_eq!(keys.len(), 4);
    assert!(keys[0].len() == 32 && keys[0] == keys[1] && keys[1] == keys[2] && keys[2] != keys[3]);

    client.call_with("createRole", role(), CallOptions::default().idempotency_key("mine")).await.unwrap();
    assert_eq!(server.keys("createRole")[4], "mine");
    let error = client.call_with("getMe", json!({}), CallOptions::default().idempotency_key("mine")).await.unwrap_err();
    assert_eq!(error.code, code::INVALID_ARGUMENT);
}

#[tokio::test(start_paused = true)]
async fn a_write_keeps_its_key_over_a_refresh() {
    let (world, server) = (World::new(), Server::default());
    let client = world.signed_in(&server).await;
    server.expire();
    client.call("createRole", role()).await.unwrap();
    let keys = server.keys("createRole");
    assert_eq!((keys.len(), &keys[0]), (2, &keys[1]));
}

#[tokio::test(start_paused = true)]
async fn a_final_refusal_is_not_repeated() {
    let (world, server) = (World::new(), Server::default());
    let client = world.signed_in(&server).await;
    for (sent, refusal) in (1..).zip([ErrorCode::Forbidden, ErrorCode::UserNotFound, ErrorCode::Internal]) {
        server.next("getMe", Reply::refusal(refusal));
        let error = client.get_me().await.unwrap_err();
        assert_eq!((error.code.as_ref(), error.status), (refusal.as_str(), refusal.status()));
        assert_eq!((error.message.as_str(), error.retryable), ("So it is.", false));
        assert_eq!(server.count("getMe"), sent);
    }
}

#[tokio::test(start_paused = true)]
async fn the_server_says_how_long_to_wait() {
    let (world, server) = (World::new(), Server::default());
    let client = world.signed_in(&server).await;
    let limited = |wait| Reply::Status(429, problem(ErrorCode::RateLimited), Some(wait));
    for chance in [0, 255] {
        world.set_chance(chance);
        let before = world.passed();
        server.next("getMe", limited(7));
        assert!(client.get_me().await.is_ok());
        let waited = world.passed() - before;
        assert!((7.0..7.3).contains(&waited.as_secs_f64()), "{waited:?}");
    }
    let (before, sent) = (world.passed(), server.count("getMe"));
    server.next("getMe", limited(31));
    let error = client.get_me().await.unwrap_err();
    assert_eq!((error.retry_after, error.retryable), (Some(Duration::from_secs(31)), true));
    assert_eq!((world.passed(), server.count("getMe")), (before, sent + 1), "it cannot be waited for in time");
    server.next("getMe", limited(u64::MAX));
    assert!(client.get_me().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn waits_grow_and_are_left_to_chance() {
    let (world, server) = (World::new(), Server::default());
    let client = world.builder(&server).retries(7).build().unwrap();
    let mut waits = Vec::new();
    for chance in [0, 128, 255] {
        world.set_chance(chance);
        let before = world.passed();
        (0..7).for_each(|_| server.next("getDiscovery", Reply::Unsent));
        client.call("getDiscovery", json!({})).await.unwrap();
        waits.push((world.passed() - before).as_millis());
    }
    // 200 + 400 + 800 + 1600 + 3200 + 5000 + 5000 ms, and half of it.
    assert!(waits[0] == 0 && (8100..8250).contains(&waits[1]) && (16_200..16_300).contains(&waits[2]), "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_in_time() {
    let (world, server) = (World::new(), Server::default());
    let client = world.signed_in(&server).await;
    for (options, seconds) in
        [(CallOptions::default(), 30), (CallOptions::default().timeout(Duration::from_secs(2)), 2)]
    {
        let before = world.passed();
        server.next("getMe", Reply::Hang);
        let error = client.call_with("getMe", json!({}), options).await.unwrap_err();
        assert_eq!((error.code.as_ref(), error.status, error.retryable), (code::TIMEOUT, 0, true));
        assert_eq!((world.passed() - before).as_secs(), seconds);
    }
    // With the refresh on the way.
    server.expire();
    server.next("refresh", Reply::Hang);
    let before = world.passed();
    assert_eq!(client.get_me().await.unwrap_err().code, code::TIMEOUT);
    assert_eq!((world.passed() - before).as_secs(), 30);
}
