//! Refresh rotation under races, in process, with a clock that is moved.

use crate::on_both_engines;
use authkit_core::{
    Origin,
    memory::{InlineHasher, ManualClock},
    tenants::DEFAULT_TENANT,
    wire::{ErrorCode, LoginRequest, LoginView, Secret, TokensView},
};
use authkit_engine::{Config, Engine};
use authkit_tests::{Database, PASSWORD, Server, rounds};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

on_both_engines! {
    eight_simultaneous_refreshes_get_one_pair_and_reuse_kills_the_family
    a_lost_answer_is_replayed_for_its_idempotency_key_only
    a_refreshed_token_carries_the_roles_in_force
}

pub(crate) async fn engine(database: &Database) -> (Engine, ManualClock) {
    let clock = ManualClock::new(Timestamp::from_second(1_800_000_000).unwrap());
    let engine = Engine::builder(Config::development(&database.url))
        .clock(clock.clone())
        .hasher(InlineHasher::new(8, 1).unwrap())
        .build()
        .await
        .unwrap();
    (engine, clock)
}

pub(crate) async fn sign_in(engine: &Engine, email: &str) -> TokensView {
    let request = LoginRequest { email: email.into(), password: PASSWORD.into() };
    match engine.sign_in().login(&Origin::local(DEFAULT_TENANT), request).await.unwrap() {
        LoginView::Tokens(tokens) => *tokens,
        LoginView::MfaRequired(_) => panic!("no second factor is set up"),
    }
}

async fn eight_simultaneous_refreshes_get_one_pair_and_reuse_kills_the_family(database: Database) {
    let (engine, clock) = engine(&database).await;
    let origin = Origin::local(DEFAULT_TENANT);
    engine.accounts().create_verified(&origin, "ada@example.com", &PASSWORD.into(), None).await.unwrap();
    for round in 0..rounds(40, 1000) {
        let first = sign_in(&engine, "ada@example.com").await;
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (engine, origin, token) = (engine.clone(), origin.clone(), first.refresh_token.clone());
                tokio::spawn(async move { engine.sessions().refresh(&origin, &token, None).await })
            })
            .collect();
        let mut pairs = Vec::new();
        for task in tasks {
            let pair = task.await.unwrap().unwrap_or_else(|error| panic!("round {round}: signed out: {error}"));
            pairs.push((pair.access_token, pair.refresh_token));
        }
        assert!(pairs.iter().all(|pair| *pair == pairs[0]), "round {round}: more than one branch");

        let (access, refresh) = pairs.swap_remove(0);
        engine.sessions().authenticate(access.expose()).await.unwrap();
        let next = engine.sessions().refresh(&origin, &refresh, None).await.unwrap();

        clock.advance(SignedDuration::from_mins(1));
        let reuse = engine.sessions().refresh(&origin, &first.refresh_token, None).await.unwrap_err();
        assert_eq!(reuse.code, ErrorCode::InvalidRefreshToken);
        assert!(engine.sessions().authenticate(next.access_token.expose()).await.is_err(), "round {round}");
        assert!(engine.sessions().refresh(&origin, &next.refresh_token, None).await.is_err(), "round {round}");
    }
}

async fn a_lost_answer_is_replayed_for_its_idempotency_key_only(database: Database) {
    let (engine, clock) = engine(&database).await;
    let origin = Origin::local(DEFAULT_TENANT);
    engine.accounts().create_verified(&origin, "ada@example.com", &PASSWORD.into(), None).await.unwrap();
    let refresh = |token: Secret, key: Option<&'static str>| {
        let (engine, origin) = (engine.clone(), origin.clone());
        async move { engine.sessions().refresh(&origin, &token, key).await }
    };
    let first = sign_in(&engine, "ada@example.com").await;
    let lost = refresh(first.refresh_token.clone(), Some("one")).await.unwrap();
    clock.advance(SignedDuration::from_hours(23));
    let again = refresh(first.refresh_token.clone(), Some("one")).await.unwrap();
    assert_eq!(again.refresh_token, lost.refresh_token);
    let used = refresh(again.refresh_token.clone(), None).await.unwrap();
    refresh(first.refresh_token.clone(), Some("one")).await.unwrap_err();
    refresh(used.refresh_token, None).await.unwrap_err();

    let first = sign_in(&engine, "ada@example.com").await;
    let next = refresh(first.refresh_token.clone(), Some("one")).await.unwrap();
    clock.advance(SignedDuration::from_mins(1));
    refresh(first.refresh_token, Some("two")).await.unwrap_err();
    refresh(next.refresh_token, None).await.unwrap_err();
}

/// Over sockets on one node; `nodes` does the same at two.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_simultaneous_requests_get_one_pair() {
    let database = Database::sqlite();
    let server = Server::start(&database).await;
    let mut user = server.client().new_user("ada@example.com").await;
    for _ in 0..rounds(10, 200) {
        let body = json!({"refresh_token": user.refresh_token()});
        let requests = (0..8).map(|_| user.post("/v1/auth/refresh", body.clone()));
        let answers = futures_util::future::join_all(requests).await;
        let pairs: Vec<_> = answers.into_iter().map(|answer| answer.expect(200)).collect();
        for pair in &pairs {
            assert_eq!(pair["refresh_token"], pairs[0]["refresh_token"]);
            assert_eq!(pair["access_token"], pairs[0]["access_token"]);
        }
        user.tokens = pairs[0].clone();
        let _ = user.get("/v1/me").await.expect(200);
    }
}

async fn a_refreshed_token_carries_the_roles_in_force(database: Database) {
    let (engine, _) = engine(&database).await;
    let origin = Origin::local(DEFAULT_TENANT);
    let user = engine.accounts().create_verified(&origin, "ada@example.com", &PASSWORD.into(), None).await.unwrap();
    let admin = engine.roles().find_by_name(DEFAULT_TENANT, "admin").await.unwrap().unwrap();
    let first = sign_in(&engine, "ada@example.com").await;
    engine.roles().assign(&origin, None, user.id, admin.id).await.unwrap();
    let next = engine.sessions().refresh(&origin, &first.refresh_token, None).await.unwrap();
    let principal = engine.sessions().authenticate(next.access_token.expose()).await.unwrap();
    assert_eq!((&*principal.roles, principal.has("users:read")), (&[admin.id][..], true));
    // In the token itself too, for whoever verifies it elsewhere.
    let claims = next.access_token.expose().split('.').nth(1).unwrap();
    let claims = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, claims).unwrap();
    assert!(String::from_utf8(claims).unwrap().contains(r#""roles":["admin"]"#));
}
