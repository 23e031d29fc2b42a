use super::{World, fake::*};
use crate::{CallOptions, Client, Event, Pages, SignedIn, code};
use authkit_wire::{ErrorCode, MfaMethod, Secret};
use futures_util::TryStreamExt;
use serde_json::{Value, json};
use std::{sync::Arc, sync::Mutex, time::Duration};

#[tokio::test(start_paused = true)]
async fn signing_in_keeps_the_tokens_also_by_name() {
    let (world, server) = (World::new(), Server::default());
    let client = world.client(&server);
    assert_eq!(client.get_me().await.unwrap_err().code, code::SIGNED_OUT);
    assert!(!client.is_signed_in().await.unwrap());
    let SignedIn::Yes(tokens) = client.login("ada@example.com", "a quiet orange tram").await.unwrap() else {
        panic!("no second factor is set up")
    };
    assert_eq!(tokens.user.email, "ada@example.com");
    assert!(client.get_me().await.is_ok());
    client.call("login", json!({"email": "ada@example.com", "password": "p"})).await.unwrap();
    assert_eq!(client.access_token().await.unwrap(), access(2));
    assert!(client.clone().get_me().await.is_ok(), "clones share the session");
    assert_eq!(world.heard(), ["signed_in", "signed_in"]);
}

#[tokio::test(start_paused = true)]
async fn a_second_factor_stands_before_the_tokens() {
    let (world, server) = (World::new(), Server::default());
    let client = world.client(&server);
    let SignedIn::MfaRequired(attempt) = client.login("mfa@example.com", "a quiet orange tram").await.unwrap() else {
        panic!("a second factor is set up")
    };
    assert!(!client.is_signed_in().await.unwrap() && world.heard().is_empty());
    server.next("verifyMfa", Reply::refusal(ErrorCode::InvalidMfaCode));
    assert!(client.verify_mfa(&attempt, MfaMethod::Totp, "000000").await.unwrap_err().is(ErrorCode::InvalidMfaCode));
    client.verify_mfa(&attempt, MfaMethod::Totp, "123456").await.unwrap();
    let sent = &server.seen("verifyMfa")[1].arguments;
    assert_eq!(Value::Object(sent.clone()), json!({"mfa_token": "attempt", "method": "totp", "code": "123456"}));
    assert!(client.get_me().await.is_ok());
    assert_eq!(world.heard(), ["signed_in"]);
}

#[tokio::test(start_paused = true)]
async fn signing_out_tells_the_server_with_both_tokens() {
    let (world, server) = (World::new(), Server::default());
    let client = world.signed_in(&server).await;
    client.logout().await.unwrap();
    let sent = &server.seen("logout")[0];
    assert_eq!((sent.bearer.as_deref(), &sent.arguments["refresh_token"]), (Some("access-1"), &json!("refresh-1")));
    assert_eq!((world.heard(), server.current()), (vec!["signed_out"], 0));
    client.logout().await.unwrap();
    assert_eq!((world.heard().len(), server.count("logout")), (0, 1), "there is nothing to end any more");
}

#[tokio::test(start_paused = true)]
async fn signing_out_works_here_without_the_server() {
    let (world, server) = (World::new(), Server::default());
    let client = world.signed_in(&server).await;
    (0..3).for_each(|_| server.next("logout", Reply::Unsent));
    assert_eq!(client.logout().await.unwrap_err().code, code::NETWORK);
    assert!(!client.is_signed_in().await.unwrap());
    assert_eq!(world.heard(), ["signed_out"]);
}

#[tokio::test(start_paused = true)]
async fn a_given_token_neither_uses_nor_changes_the_session() {
    let (world, server) = (World::new(), Server::default());
    let client = world.signed_in(&server).await;
    let other = client.with_bearer("theirs");
    assert!(other.get_me().await.unwrap_err().is(ErrorCode::InvalidToken));
    assert_eq!((server.count("refresh"), server.seen("getMe")[0].bearer.as_deref()), (0, Some("theirs")));
    other.call("login", json!({"email": "ada@example.com", "password": "p"})).await.unwrap();
    other.call("logout", json!({})).await.unwrap();
    assert!(world.heard().is_empty() && client.is_signed_in().await.unwrap());
    assert_eq!(server.seen("logout")[0].bearer.as_deref(), Some("theirs"));
    assert_eq!(other.access_token().await.unwrap(), Secret::from("theirs"), "nobody is handed another's token");
    let nobody = world.client(&server).with_bearer("theirs");
    assert!(nobody.is_signed_in().await.unwrap() && nobody.access_token().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_users_token_is_not_shown_where_a_devices_is_asked_for_or_none() {
    let (world, server) = (World::new(), Server::default());
    let client = world.signed_in(&server).await;
    let error = client.call("getOwnDevice", json!({})).await.unwrap_err();
    assert_eq!((error.code.as_ref(), server.count("getOwnDevice")), (code::INVALID_ARGUMENT, 0));
    assert_eq!(client.with_bearer("device").call("getOwnDevice", json!({})).await.unwrap()["bearer"], "device");
    client.call("getDiscovery", json!({})).await.unwrap();
    assert_eq!(server.seen("getDiscovery")[0].bearer, None);
}

#[tokio::test(start_paused = true)]
async fn an_access_token_for_others_counts_for_a_while() {
    let (world, server) = (World::new(), Server::default());
    let client = world.signed_in(&server).await;
    assert_eq!(client.access_token().await.unwrap(), access(1));
    world.advance(LIFE);
    assert_eq!(client.access_token().await.unwrap(), access(2));
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_session_says_why() {
    let (world, server) = (World::new(), Server::default());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let into = heard.clone();
    let client = world.builder(&server).on_event(move |event: &Event| into.lock().unwrap().push(event.clone()));
    let client = client.build().unwrap();
    client.login("ada@example.com", "a quiet orange tram").await.unwrap();
    server.revoke();
    let error = client.get_me().await.unwrap_err();
    assert_eq!(*heard.lock().unwrap(), [Event::SignedIn, Event::SignedOut { reason: Some(error) }]);
}

#[tokio::test(start_paused = true)]
async fn the_tenant_goes_with_every_call() {
    let (world, server) = (World::new(), Server::default());
    let client = world.builder(&server).tenant("acme").build().unwrap();
    client.login("ada@example.com", "a quiet orange tram").await.unwrap();
    server.expire();
    client.get_me().await.unwrap();
    for operation in ["login", "getMe", "refresh"] {
        assert!(server.seen(operation).iter().all(|seen| seen.tenant.as_deref() == Some("acme")), "{operation}");
    }
}

fn sessions(numbers: std::ops::Range<u32>, next: Option<&str>) -> Reply {
    let session = |number| {
        json!({
            "id": format!("ses_000000000000700080000000000000{number:02}"), "current": false, "user_agent": null,
            "ip": null, "place": null, "amr": ["pwd"], "created_at": "2026-01-01T00:00:00Z",
            "last_active_at": "2026-01-01T00:00:00Z",
        })
    };
    let data: Vec<Value> = numbers.map(session).collect();
    Reply::Status(200, json!({"data": data, "next_cursor": next}), None)
}

fn pages(client: &Client) -> Pages<authkit_wire::SessionView> {
    client.list_sessions_pages(&Default::default())
}

#[tokio::test(start_paused = true)]
async fn a_list_goes_on_until_its_last_page() {
    let (world, server) = (World::new(), Server::default());
    let client = world.signed_in(&server).await;
    server.next("listSessions", sessions(0..2, Some("two")));
    server.next("listSessions", sessions(0..0, Some("three")));
    server.next("listSessions", sessions(2..3, None));
    let items: Vec<_> = pages(&client).items().try_collect().await.unwrap();
    assert_eq!(items.len(), 3);
    let cursors: Vec<Value> = server
        .seen("listSessions")
        .iter()
        .map(|seen| seen.arguments.get("cursor").cloned().unwrap_or_default())
        .collect();
    assert_eq!(cursors, [json!(null), json!("two"), json!("three")]);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_was_given_up_or_failed_can_be_asked_for_again() {
    let (world, server) = (World::new(), Server::default());
    let client = world.signed_in(&server).await;
    let mut pages = pages(&client);
    server.next("listSessions", sessions(0..1, Some("two")));
    assert_eq!(pages.next().await.unwrap().unwrap().data.len(), 1);
    server.next("listSessions", Reply::Hang);
    assert!(tokio::time::timeout(Duration::from_secs(1), pages.next()).await.is_err());
    server.next("listSessions", Reply::refusal(ErrorCode::Forbidden));
    assert!(pages.next().await.is_err());
    server.next("listSessions", sessions(1..3, None));
    assert_eq!(pages.next().await.unwrap().unwrap().data.len(), 2);
    assert!(pages.next().await.unwrap().is_none());
    let asked = server.seen("listSessions");
    assert!(asked.len() == 4 && asked[1..].iter().all(|seen| seen.arguments["cursor"] == "two"));
}

#[tokio::test(start_paused = true)]
async fn a_list_that_turns_in_a_circle_ends() {
    let (world, server) = (World::new(), Server::default());
    let client = world.signed_in(&server).await;
    (0..2).for_each(|_| server.next("listSessions", sessions(0..1, Some("two"))));
    let error = pages(&client).items().try_collect::<Vec<_>>().await.unwrap_err();
    assert_eq!(error.code, code::UNEXPECTED_ANSWER);
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_another_shape_is_told_without_quoting_it() {
    let (world, server) = (World::new(), Server::default());
    let client = world.client(&server);
    server.next("login", Reply::Status(200, json!({"access_token": "secret-1", "refresh_token": 7}), None));
    let error = client.login("ada@example.com", "a quiet orange tram").await.unwrap_err();
    assert_eq!(error.code, code::UNEXPECTED_ANSWER);
    assert!(!error.to_string().contains("secret-1") && !client.is_signed_in().await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn nothing_shows_a_secret() {
    let (world, server) = (World::new(), Server::default());
    let client = world.signed_in(&server).await.with_bearer(Secret::from("hidden-bearer"));
    let mut kept = super::stored(1, 0);
    kept.refresh_key = Some("hidden-key".into());
    let shown = format!(
        "{client:?} {kept:?} {:?} {:?} {:?}",
        CallOptions::default().idempotency_key("hidden-key"),
        client.login("ada@example.com", "hidden-password").await,
        world.builder(&server)
    );
    for secret in ["hidden", "access-", "refresh-", "password"] {
        // The names of the fields are no secrets.
        let shown = shown.replace("access_token", "").replace("refresh_token", "");
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
}
