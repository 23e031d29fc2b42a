use super::{
    World,
    fake::*,
    sharing::{Shared, over},
    stored,
};
use crate::{Client, StorageError, StoredTokens, TokenStorage, code};
use authkit_wire::ErrorCode;
use futures_util::future::join_all;
use serde_json::json;
use std::time::Duration;

pub(super) const SLOW: Duration = Duration::from_secs(5);

pub(super) async fn ten(client: &Client) -> Vec<crate::Result<authkit_wire::UserView>> {
    join_all((0..10).map(|_| client.get_me())).await
}

#[tokio::test(start_paused = true)]
async fn ten_calls_whose_token_is_refused_make_one_refresh() {
    let (world, server) = (World::new(), Server::default());
    let client = world.signed_in(&server).await;
    server.expire();
    server.next("refresh", Reply::Slow(SLOW));
    assert!(ten(&client).await.iter().all(Result::is_ok));
    assert_eq!((server.count("refresh"), server.count("getMe")), (1, 20));
    assert_eq!(world.heard(), ["refreshed"]);
}

#[tokio::test(start_paused = true)]
async fn ten_calls_whose_token_has_run_out_make_one_refresh_before_they_are_sent() {
    let (world, server) = (World::new(), Server::default());
    let client = world.signed_in(&server).await;
    world.advance(LIFE - 30);
    server.next("refresh", Reply::Slow(SLOW));
    assert!(ten(&client).await.iter().all(Result::is_ok));
    assert_eq!((server.count("refresh"), server.count("getMe")), (1, 10));
    assert!(client.get_me().await.is_ok());
    assert_eq!(server.count("refresh"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_does_not_end_the_refresh_of_others() {
    let (world, server) = (World::new(), Server::default());
    let client = world.signed_in(&server).await;
    server.expire();
    server.next("refresh", Reply::Slow(SLOW));
    let gives_up = tokio::time::timeout(Duration::from_secs(1), client.get_me());
    let (gone, stays) = tokio::join!(gives_up, client.get_me());
    assert!(gone.is_err() && stays.is_ok());
    assert_eq!(server.count("refresh"), 1);
}

#[tokio::test(start_paused = true)]
async fn the_tokens_are_kept_although_every_caller_gave_up() {
    let (world, server) = (World::new(), Server::default());
    let (client, storage) = over(&world, &server).await;
    server.expire();
    server.next("refresh", Reply::Slow(SLOW));
    assert!(tokio::time::timeout(Duration::from_secs(1), client.get_me()).await.is_err());
    tokio::time::sleep(SLOW).await;
    assert_eq!(storage.number().await, "refresh-2");
    assert!(client.get_me().await.is_ok());
    assert_eq!((server.count("refresh"), server.current()), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn the_key_is_kept_before_it_is_sent() {
    let (world, server) = (World::new(), Server::default());
    let (client, storage) = over(&world, &server).await;
    server.expire();
    server.next("refresh", Reply::Hang);
    assert!(tokio::time::timeout(Duration::from_secs(1), client.get_me()).await.is_err());
    let kept = storage.load().await.unwrap().unwrap();
    assert_eq!(kept.refresh_token.expose(), "refresh-1");
    assert_eq!(server.keys("refresh"), [kept.refresh_key.unwrap().expose()]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_keeps_the_tokens_and_the_next_program_repeats_the_request() {
    let (world, server) = (World::new(), Server::default());
    let (client, storage) = over(&world, &server).await;
    server.expire();
    (0..3).for_each(|_| server.next("refresh", Reply::Lost));
    let error = client.get_me().await.unwrap_err();
    assert_eq!((error.code.as_ref(), error.retryable), (code::NETWORK, true));
    assert_eq!(storage.number().await, "refresh-1");
    assert!(client.is_signed_in().await.unwrap() && world.heard().is_empty());

    let later = world.builder(&server).storage(storage.clone()).build().unwrap();
    assert!(later.get_me().await.is_ok());
    let keys = server.keys("refresh");
    assert_eq!(keys.len(), 4);
    assert!(!keys[0].is_empty() && keys.iter().all(|key| *key == keys[0]));
    let kept = storage.load().await.unwrap().unwrap();
    assert_eq!((kept.refresh_token.expose(), kept.refresh_key), ("refresh-2", None));
    server.expire();
    assert!(later.get_me().await.is_ok());
    assert_ne!(server.keys("refresh")[4], keys[0], "the next refresh has a key of its own");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_hours_late_is_followed_by_a_fresh_one() {
    let (world, server) = (World::new(), Server::default());
    let (client, storage) = over(&world, &server).await;
    server.expire();
    (0..3).for_each(|_| server.next("refresh", Reply::Lost));
    assert!(client.get_me().await.is_err());
    server.age();
    assert_eq!(client.access_token().await.unwrap(), access(1), "no reason to renew is known yet");
    assert!(client.get_me().await.is_ok());
    assert_eq!(client.access_token().await.unwrap(), access(3));
    assert_eq!((storage.number().await.as_str(), world.heard()), ("refresh-3", vec!["refreshed"]));
    let keys = server.keys("refresh");
    assert!(keys.len() == 5 && keys[3] == keys[0] && keys[4] != keys[0]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_signs_out_and_tells_it_once() {
    let (world, server) = (World::new(), Server::default());
    let (client, storage) = over(&world, &server).await;
    server.revoke();
    server.next("refresh", Reply::Slow(SLOW));
    for answer in ten(&client).await {
        assert!(answer.unwrap_err().is(ErrorCode::InvalidRefreshToken));
    }
    assert_eq!(world.heard(), ["signed_out"]);
    assert_eq!(storage.number().await, "");
    let before = server.count("getMe");
    assert_eq!(client.get_me().await.unwrap_err().code, code::SIGNED_OUT);
    assert_eq!((server.count("getMe"), server.count("refresh")), (before, 1), "nothing is sent any more");
    assert!(world.heard().is_empty());
}

#[tokio::test(start_paused = true)]
async fn any_other_failure_of_a_refresh_signs_nobody_out() {
    let (world, server) = (World::new(), Server::default());
    let client = world.signed_in(&server).await;
    for refusal in [
        ErrorCode::RateLimited,
        ErrorCode::Internal,
        ErrorCode::TenantMismatch,
        ErrorCode::UntrustedHost,
        ErrorCode::HookRefused,
    ] {
        server.expire();
        (0..3).for_each(|_| server.next("refresh", Reply::refusal(refusal)));
        assert!(client.get_me().await.unwrap_err().is(refusal));
        while server.count("refresh") % 3 != 0 {
            assert!(client.refresh().await.unwrap_err().is(refusal));
        }
    }
    server.next("refresh", Reply::Status(401, json!("<html>"), None));
    assert_eq!(client.get_me().await.unwrap_err().code, code::UNEXPECTED_ANSWER);
    assert!(client.is_signed_in().await.unwrap() && world.heard().is_empty());
    assert!(client.get_me().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_fresh_token_that_is_refused_too_ends_the_call() {
    let (world, server) = (World::new(), Server::default());
    let client = world.signed_in(&server).await;
    (0..9).for_each(|_| server.next("getMe", Reply::refusal(ErrorCode::InvalidToken)));
    assert!(client.get_me().await.unwrap_err().is(ErrorCode::InvalidToken));
    assert_eq!((server.count("getMe"), server.count("refresh")), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn only_a_refused_token_is_reason_for_a_refresh() {
    let (world, server) = (World::new(), Server::default());
    let client = world.signed_in(&server).await;
    for refusal in [ErrorCode::InvalidCredentials, ErrorCode::InvalidMfaCode, ErrorCode::StepUpRequired] {
        server.next("getMe", Reply::refusal(refusal));
        assert!(client.get_me().await.unwrap_err().is(refusal));
    }
    assert_eq!((server.count("getMe"), server.count("refresh")), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_is_early_may_fail() {
    let (world, server) = (World::new(), Server::default());
    let client = world.signed_in(&server).await;
    world.advance(LIFE - 20);
    (0..6).for_each(|_| server.next("refresh", Reply::Unsent));
    assert!(client.get_me().await.is_ok(), "the token counts still");
    world.advance(20);
    assert_eq!(client.get_me().await.unwrap_err().code, code::NETWORK);
}

#[tokio::test(start_paused = true)]
async fn whoever_signs_out_meanwhile_stays_signed_out() {
    let (world, server) = (World::new(), Server::default());
    let (client, storage) = over(&world, &server).await;
    server.expire();
    server.next("refresh", Reply::Slow(Duration::from_secs(20)));
    let (called, ended) = tokio::join!(client.get_me(), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let ended = client.logout().await;
        assert!(!client.is_signed_in().await.unwrap());
        assert!(world.passed() < SLOW, "that does not wait for the refresh");
        ended
    });
    assert_eq!(called.unwrap_err().code, code::SIGNED_OUT);
    ended.unwrap();
    assert_eq!((storage.number().await, world.heard()), (String::new(), vec!["signed_out"]));
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_is_asked_for_is_the_one_that_runs() {
    let (world, server) = (World::new(), Server::default());
    let (client, storage) = over(&world, &server).await;
    server.next("refresh", Reply::Slow(SLOW));
    let given = json!({"refresh_token": "refresh-1"});
    let (one, two, three) = tokio::join!(client.refresh(), client.call("refresh", given), client.refresh());
    assert_eq!(one.unwrap().refresh_token.expose(), "refresh-2");
    assert_eq!(two.unwrap()["refresh_token"], "refresh-2");
    assert!(three.is_ok());
    assert_eq!((server.count("refresh"), storage.number().await.as_str()), (1, "refresh-2"));
}

/// A disk that is full when it matters.
#[derive(Clone, Default)]
struct Full(Shared);

#[async_trait::async_trait]
impl TokenStorage for Full {
    async fn load(&self) -> Result<Option<StoredTokens>, StorageError> {
        self.0.load().await
    }

    async fn save(&self, _: &StoredTokens) -> Result<(), StorageError> {
        Err(StorageError::new("the disk is full"))
    }

    async fn clear(&self) -> Result<(), StorageError> {
        self.0.clear().await
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_renewed_that_could_not_be_kept() {
    let (world, server) = (World::new(), Server::default());
    let storage = Full::default();
    storage.0.save(&stored(1, 1_800_000_000 - LIFE)).await.unwrap();
    let client = world.builder(&server).storage(storage).build().unwrap();
    let error = client.get_me().await.unwrap_err();
    assert_eq!((error.code.as_ref(), server.count("refresh")), (code::STORAGE, 0));
    assert!(error.message.contains("the disk is full"));
}
