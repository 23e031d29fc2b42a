//! Conformance mode, and that it stays where it belongs.

use super::{Site, request};
use crate::{ConformanceService, Server};
use authkit_engine::{Config, Conformance};
use authkit_testkit::{databases::Db, on_both_engines};
use axum::{body::Body, extract::ConnectInfo};
use http::{Method, Request};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};
use tower::ServiceExt;

on_both_engines! {
    without_the_flag_there_are_no_such_routes
    a_reset_leaves_nothing_and_repeats_itself
}

const ROUTES: [(Method, &str); 3] =
    [(Method::POST, "/conformance/reset"), (Method::POST, "/conformance/clock"), (Method::GET, "/conformance/clock")];

fn cheap(url: &str) -> Config {
    let mut config = Config::development(url);
    config.argon2.memory_kib = 64;
    config.argon2.iterations = 1;
    config
}

async fn service(config: Config) -> ConformanceService {
    ConformanceService::new(Conformance::open(config).await.unwrap()).await.unwrap()
}

async fn send(service: &ConformanceService, request: Request<Body>) -> (u16, Value) {
    let response = service.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

async fn post(service: &ConformanceService, path: &str, token: Option<&str>, body: Value) -> (u16, Value) {
    send(service, request(Method::POST, path, token, Some(body))).await
}

async fn get(service: &ConformanceService, path: &str, token: Option<&str>) -> (u16, Value) {
    send(service, request(Method::GET, path, token, None)).await
}

/// Resets, and signs the administrator in; the access token.
async fn begin(service: &ConformanceService, start: Value) -> (Value, String) {
    let (status, fresh) = post(service, "/conformance/reset", None, start).await;
    assert_eq!(status, 200, "{fresh}");
    let login = json!({"email": fresh["email"], "password": fresh["password"]});
    let (status, tokens) = post(service, "/v1/auth/login", None, login).await;
    assert_eq!(status, 200, "{tokens}");
    (fresh, tokens["access_token"].as_str().unwrap().to_owned())
}

async fn without_the_flag_there_are_no_such_routes(db: Db) {
    let site = Site::new(db).await;
    for (method, path) in ROUTES {
        site.call(method, path, None, None).await.refused(404, "request.route_not_found");
    }
    assert!(!crate::openapi_json().contains("conformance"));
    assert!(crate::routes().iter().all(|route| !route.path.contains("conformance")));
}

async fn a_reset_leaves_nothing_and_repeats_itself(db: Db) {
    let database = super::database(db);
    let service = service(cheap(&database.url)).await;
    let start = json!({"now": "2026-01-01T00:00:00Z", "seed": 7});
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let (fresh, token) = begin(&service, start.clone()).await;
        assert_eq!(fresh["unix"], super::START, "{fresh}");
        let role = json!({"name": "editor", "permissions": ["users:read"]});
        assert_eq!(post(&service, "/v1/roles", Some(&token), role).await.0, 201, "the one before is gone");
        tokens.push(token);
    }
    assert_eq!(tokens[0], tokens[1], "the same time and seed give the same tokens");
    let (_, other) = begin(&service, json!({"now": "2026-01-01T00:00:00Z", "seed": 8})).await;
    assert_ne!(other, tokens[0]);
    assert_eq!(get(&service, "/v1/me", Some(&tokens[0])).await.0, 401, "it is of a state that is gone");
}

#[tokio::test]
async fn a_jump_of_the_clock_is_felt_at_once_and_everywhere() {
    let service = service(cheap("sqlite::memory:")).await;
    let (_, token) = begin(&service, json!({})).await;
    let (_, before) = get(&service, "/conformance/clock", None).await;
    assert_eq!(get(&service, "/v1/me", Some(&token)).await.0, 200);
    let (status, after) = post(&service, "/conformance/clock", None, json!({"advance": 1000})).await;
    assert_eq!((status, after["unix"].as_i64()), (200, before["unix"].as_i64().map(|unix| unix + 1000)));
    assert_eq!(get(&service, "/v1/me", Some(&token)).await.1["code"], "auth.invalid_token");
    assert_eq!(get(&service, "/health/ready", None).await.0, 200, "the node has caught up");
    for wrong in [json!({"advance": -1}), json!({"advance": 1, "more": 1}), json!({})] {
        assert_eq!(post(&service, "/conformance/clock", None, wrong).await.0, 422);
    }
}

#[tokio::test]
async fn the_clock_goes_no_further_than_dates_do() {
    let service = service(cheap("sqlite::memory:")).await;
    for now in ["9999-12-30T22:00:00Z", "3000-01-01T00:00:01Z", "1969-12-31T23:59:59Z", "-000100-01-01T00:00:00Z"] {
        let (status, problem) = post(&service, "/conformance/reset", None, json!({"now": now})).await;
        assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("now")), "{now}: {problem}");
    }
    let (_, before) = get(&service, "/conformance/clock", None).await;
    let century = json!({"advance": u32::MAX});
    let mut refused = Value::Null;
    for _ in 0..10 {
        let (status, answer) = post(&service, "/conformance/clock", None, century.clone()).await;
        if status != 200 {
            assert_eq!((status, &answer["errors"][0]["field"]), (422, &json!("advance")), "{answer}");
            refused = answer;
            break;
        }
    }
    assert!(refused["errors"][0]["detail"].as_str().is_some_and(|detail| detail.contains("3000")), "{refused}");
    let (_, after) = get(&service, "/conformance/clock", None).await;
    assert!(after["unix"].as_i64() > before["unix"].as_i64());
    // At the ends of its way everything still works.
    for now in ["3000-01-01T00:00:00Z", "1970-01-01T00:00:00Z"] {
        let (_, token) = begin(&service, json!({"now": now})).await;
        assert_eq!(get(&service, "/v1/me", Some(&token)).await.0, 200, "{now}");
        assert_eq!(get(&service, "/health/ready", None).await.0, 200, "{now}");
    }
}

#[tokio::test]
async fn mail_is_there_when_it_is_looked_for_and_limits_are_not() {
    let service = service(cheap("sqlite::memory:")).await;
    for n in 0..20 {
        let email = format!("user{n}@example.com");
        let registration = json!({"email": email, "password": "violet tractor 12 umbrella"});
        assert_eq!(post(&service, "/v1/auth/register", None, registration).await.0, 202);
        let (_, list) = get(&service, &format!("/v1/dev/outbox?to={email}"), None).await;
        assert_eq!(list["data"][0]["kind"], "verify_email", "{list}");
    }
}

#[tokio::test]
async fn only_this_machine_and_no_web_page_is_answered() {
    let service = service(cheap("sqlite::memory:")).await;
    let asked = |method: &Method, path: &str, host: &str, peer: &str| {
        let mut asked = request(method.clone(), path, None, None);
        asked.headers_mut().insert("host", host.parse().unwrap());
        asked.extensions_mut().insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
        asked
    };
    for (method, path) in ROUTES {
        for (host, peer) in [("evil.example", "127.0.0.1:9"), ("localhost", "192.0.2.7:9")] {
            let (status, problem) = send(&service, asked(&method, path, host, peer)).await;
            assert_eq!(
                (status, problem["code"].as_str()),
                (421, Some("request.untrusted_host")),
                "{path} {host} {peer}"
            );
        }
    }
    // A page that a browser on this machine shows: its request needs no answer to do harm.
    let mut open = cheap("sqlite::memory:");
    open.cors.origins = vec!["*".into()];
    let service = self::service(open).await;
    let (_, token) = begin(&service, json!({})).await;
    for (path, body) in [("/conformance/reset", json!({})), ("/conformance/clock", json!({"advance": 1}))] {
        let mut sent = request(Method::POST, path, None, Some(body));
        sent.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
        assert_eq!(send(&service, sent).await.1["code"], "auth.forbidden", "{path}");
    }
    for (method, path) in ROUTES.into_iter().chain([(Method::OPTIONS, "/conformance/reset")]) {
        let mut asked = request(method.clone(), path, None, None);
        asked.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
        asked.headers_mut().insert("access-control-request-method", "POST".parse().unwrap());
        let answer = service.clone().oneshot(asked).await.unwrap();
        let sent = answer.headers().keys().any(|name| name.as_str().starts_with("access-control-"));
        assert!(!sent, "{method} {path}: {answer:?}");
    }
    assert_eq!(get(&service, "/v1/me", Some(&token)).await.0, 200, "nothing was reset");
}

#[tokio::test]
async fn a_listener_that_others_reach_is_refused() {
    let socket = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
    let refused = Server::conformance(service(cheap("sqlite::memory:")).await, socket).await.map(drop).unwrap_err();
    assert!(refused.to_string().contains("loopback"), "{refused}");
}

#[tokio::test]
async fn a_reset_does_not_overtake_a_request() {
    let service = service(cheap("sqlite::memory:")).await;
    let (_, token) = begin(&service, json!({})).await;
    let running = service.in_flight().await;
    let reset = tokio::spawn({
        let service = service.clone();
        async move { post(&service, "/conformance/reset", None, json!({})).await.0 }
    });
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!reset.is_finished());
    drop(running);
    assert_eq!(tokio::time::timeout(Duration::from_secs(30), reset).await.unwrap().unwrap(), 200);
    drop(token);
}
