use super::{World, fake::*, stored};
use crate::{Client, FileStorage, MemoryStorage, StorageError, StoredTokens, TokenStorage, code};
use authkit_wire::ErrorCode;
use futures_util::future::join_all;
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

const SLOW: Duration = Duration::from_secs(5);

/// A storage that several clients share, and tests look into.
#[derive(Clone, Default)]
struct Shared(Arc<MemoryStorage>);

#[async_trait::async_trait]
impl TokenStorage for Shared {
    async fn load(&self) -> Result<Option<StoredTokens>, StorageError> {
        self.0.load().await
    }

    async fn save(&self, tokens: &StoredTokens) -> Result<(), StorageError> {
        self.0.save(tokens).await
    }

    async fn clear(&self) -> Result<(), StorageError> {
        self.0.clear().await
    }
}

impl Shared {
    async fn number(&self) -> String {
        let tokens = self.load().await.unwrap();
        tokens.map(|tokens| tokens.refresh_token.expose().to_owned()).unwrap_or_default()
    }
}

/// A client that is signed in over such a storage.
async fn over(world: &World, server: &Server) -> (Client, Shared) {
    let storage = Shared::default();
    let client = world.builder(server).storage(storage.clone()).build().unwrap();
    client.login("ada@example.com", "a quiet orange tram").await.unwrap();
    world.heard();
    (client, storage)
}

async fn ten(client: &Client) -> Vec<crate::Result<authkit_wire::UserView>> {
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
async fn clients_of_one_file_do_not_sign_each_other_out() {
    let (world, server) = (World::new(), Server::default());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("session.json");
    let client = || world.builder(&server).storage(FileStorage::new(&file)).build().unwrap();
    let (one, two) = (client(), client());
    one.login("ada@example.com", "a quiet orange tram").await.unwrap();
    assert!(two.get_me().await.is_ok(), "it finds the tokens in the file");
    world.heard();
    for round in 1..4 {
        server.expire();
        server.next("refresh", Reply::Slow(SLOW));
        let (first, second) = tokio::join!(ten(&one), ten(&two));
        assert!(first.iter().chain(&second).all(Result::is_ok));
        assert_eq!(server.count("refresh"), round);
        assert_eq!(world.heard(), ["refreshed", "refreshed"]);
    }
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
    assert_eq!(server.keys("refresh"), [kept.refresh_key.unwrap()]);
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
    for refusal in [ErrorCode::RateLimited, ErrorCode::Internal, ErrorCode::TenantMismatch, ErrorCode::UntrustedHost] {
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
async fn what_another_client_did_to_the_storage_is_found() {
    let (world, server) = (World::new(), Server::default());
    let (client, storage) = over(&world, &server).await;
    let other = world.builder(&server).storage(storage.clone()).build().unwrap();
    other.refresh().await.unwrap();
    assert_eq!(world.heard(), ["refreshed"]);
    assert!(client.get_me().await.is_ok());
    assert_eq!((server.count("refresh"), world.heard()), (1, vec!["refreshed"]), "it takes the other's tokens");
    other.logout().await.unwrap();
    world.heard();
    assert_eq!(client.get_me().await.unwrap_err().code, code::SIGNED_OUT);
    assert_eq!((server.count("refresh"), world.heard()), (1, vec!["signed_out"]));
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

#[tokio::test(start_paused = true)]
async fn a_client_that_is_signed_out_finds_who_signs_in_elsewhere() {
    let (world, server, storage) = (World::new(), Server::default(), Shared::default());
    let client = || world.builder(&server).storage(storage.clone()).build().unwrap();
    let (one, two) = (client(), client());
    for _ in 0..2 {
        assert_eq!(one.get_me().await.unwrap_err().code, code::SIGNED_OUT);
        two.login("ada@example.com", "a quiet orange tram").await.unwrap();
        assert!(one.get_me().await.is_ok() && one.is_signed_in().await.unwrap());
        one.logout().await.unwrap();
    }
}

/// A storage whose first answer takes a while.
#[derive(Clone, Default)]
struct Late(Shared, Arc<AtomicBool>);

#[async_trait::async_trait]
impl TokenStorage for Late {
    async fn load(&self) -> Result<Option<StoredTokens>, StorageError> {
        let tokens = self.0.load().await;
        if !self.1.swap(true, Ordering::Relaxed) {
            tokio::time::sleep(SLOW).await;
        }
        tokens
    }

    async fn save(&self, tokens: &StoredTokens) -> Result<(), StorageError> {
        self.0.save(tokens).await
    }

    async fn clear(&self) -> Result<(), StorageError> {
        self.0.clear().await
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_read_before_a_sign_out_or_a_sign_in_does_not_overrule_it() {
    let (world, server) = (World::new(), Server::default());
    let late =
        |storage: &Shared| world.builder(&server).storage(Late(storage.clone(), Arc::default())).build().unwrap();
    let (_, storage) = over(&world, &server).await;
    let client = late(&storage);
    let (called, ended) = tokio::join!(client.get_me(), client.logout());
    assert_eq!((called.unwrap_err().code.as_ref(), server.count("getMe")), (code::SIGNED_OUT, 0));
    assert!(ended.is_ok() && !client.is_signed_in().await.unwrap());

    let client = late(&storage);
    let (called, signed_in) = tokio::join!(client.get_me(), client.login("ada@example.com", "a quiet orange tram"));
    assert!(called.is_ok() && signed_in.is_ok() && client.is_signed_in().await.unwrap());
}

/// Two clients of one storage, and the first one's user is followed by another.
async fn replaced(world: &World, server: &Server) -> (Client, Client) {
    let (first, storage) = over(world, server).await;
    let second = world.builder(server).storage(storage).build().unwrap();
    second.login("bob@example.com", "a quiet orange tram").await.unwrap();
    world.heard();
    (first, second)
}

fn bearers(server: &Server, operation: &str) -> Vec<String> {
    server.seen(operation).into_iter().map(|seen| seen.bearer.unwrap_or_default()).collect()
}

#[tokio::test(start_paused = true)]
async fn what_one_user_asked_for_is_not_done_to_the_next_one() {
    let (world, server) = (World::new(), Server::default());
    let (client, _) = replaced(&world, &server).await;
    assert!(client.call("deleteMe", json!({})).await.unwrap_err().is(ErrorCode::InvalidToken));
    assert_eq!(bearers(&server, "deleteMe"), ["access-1"]);
    assert_eq!((server.count("refresh"), world.heard()), (0, vec!["signed_in"]), "whoever listens hears of the other");
    assert!(client.get_me().await.is_ok());
    assert_eq!(bearers(&server, "getMe"), ["access-2"], "what is asked from here on is asked by the other");
}

#[tokio::test(start_paused = true)]
async fn a_clone_that_signs_in_somebody_else_does_not_take_over_the_calls_that_run() {
    let (world, server) = (World::new(), Server::default());
    let client = world.signed_in(&server).await;
    server.expire();
    server.next("deleteMe", Reply::Slow(SLOW));
    let (called, signed_in) = tokio::join!(client.call("deleteMe", json!({})), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        client.clone().login("bob@example.com", "a quiet orange tram").await
    });
    assert!(called.unwrap_err().is(ErrorCode::InvalidToken) && signed_in.is_ok());
    assert_eq!((bearers(&server, "deleteMe"), server.count("refresh")), (vec!["access-1".to_owned()], 0));
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_token_has_run_out_is_not_sent_in_the_session_of_another() {
    // The other's token has run out too, or has not.
    for (wait, refreshes) in [(0, 0), (LIFE, 1)] {
        let (world, server) = (World::new(), Server::default());
        let (first, storage) = over(&world, &server).await;
        let second = world.builder(&server).storage(storage).build().unwrap();
        world.advance(LIFE);
        second.login("bob@example.com", "a quiet orange tram").await.unwrap();
        world.advance(wait);
        world.heard();
        let error = first.call("deleteMe", json!({})).await.unwrap_err();
        assert_eq!((error.code.as_ref(), error.retryable, server.count("deleteMe")), (code::SIGNED_OUT, false, 0));
        assert_eq!((server.count("refresh"), world.heard()), (refreshes, vec!["signed_in"]));
        assert!(first.get_me().await.is_ok());
    }
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
