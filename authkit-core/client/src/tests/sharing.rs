//! Several clients of one storage, and one after the other in it.

use super::{
    World,
    fake::*,
    refresh::{SLOW, ten},
};
use crate::{Client, FileStorage, MemoryStorage, StorageError, StoredTokens, TokenStorage, code};
use authkit_wire::ErrorCode;
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// A storage that several clients share, and tests look into.
#[derive(Clone, Default)]
pub(super) struct Shared(Arc<MemoryStorage>);

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
    pub(super) async fn number(&self) -> String {
        let tokens = self.load().await.unwrap();
        tokens.map(|tokens| tokens.refresh_token.expose().to_owned()).unwrap_or_default()
    }
}

/// A client that is signed in over such a storage.
pub(super) async fn over(world: &World, server: &Server) -> (Client, Shared) {
    let storage = Shared::default();
    let client = world.builder(server).storage(storage.clone()).build().unwrap();
    client.login("ada@example.com", "a quiet orange tram").await.unwrap();
    world.heard();
    (client, storage)
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
