//! Every error is a problem document with the status that it should have.

use super::{Site, request};
use authkit_testkit::{databases::Db, on_both_engines};
use axum::{Router, body::Body, routing::get};
use bytes::Bytes;
use http::{Method, Request};
use serde_json::json;
use std::time::Duration;

on_both_engines! {
    what_is_wrong_with_a_request_decides_the_status
    a_body_where_there_is_nothing_to_say_is_looked_at
    a_wrong_method_names_the_right_ones
    a_body_over_the_limit_is_refused_with_and_without_a_length
    a_body_that_stalls_is_answered_408
    a_panic_is_a_500_and_the_server_lives
    an_answer_that_takes_too_long_is_given_up
    ids_in_the_path_are_checked
    unknown_cursors_limits_and_filters_say_why
    a_trace_id_comes_from_the_request_or_is_new
}

fn raw(method: &str, path: &str, kind: Option<&str>, body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
    if let Some(kind) = kind {
        request = request.header("content-type", kind);
    }
    request.body(body.into()).unwrap()
}

const JSON: Option<&str> = Some("application/json");

async fn what_is_wrong_with_a_request_decides_the_status(db: Db) {
    let site = Site::new(db).await;
    let login = "/v1/auth/login";
    let cases: [(Request<Body>, u16, &str); 13] = [
        (raw("POST", login, JSON, "{"), 400, "request.malformed"),
        (raw("POST", login, JSON, "{\"email\":\"\\ud800\",\"password\":\"x\"}"), 400, "request.malformed"),
        (raw("POST", login, JSON, Vec::from(&b"{\"email\":\"\xff\"}"[..])), 400, "request.malformed"),
        (raw("POST", login, JSON, ""), 400, "request.malformed"),
        (raw("POST", login, JSON, "{\"email\":1,\"password\":\"x\"}"), 422, "request.validation_failed"),
        (raw("POST", login, JSON, "{\"email\":\"a\"}"), 422, "request.validation_failed"),
        (raw("POST", login, JSON, "{\"email\":\"a\",\"password\":\"x\",\"x\":1}"), 422, "request.validation_failed"),
        (raw("POST", login, JSON, "{\"email\":\"\\u0000\",\"password\":\"x\"}"), 422, "request.validation_failed"),
        (raw("POST", login, Some("text/plain"), "{}"), 415, "request.unsupported_media_type"),
        (raw("POST", login, None, "{}"), 415, "request.unsupported_media_type"),
        (raw("POST", login, Some("application/json; charset=latin1"), "{}"), 415, "request.unsupported_media_type"),
        (raw("GET", "/v1/nothing", None, ""), 404, "request.route_not_found"),
        (raw("GET", "/v1/me/", None, ""), 404, "request.route_not_found"),
    ];
    for (request, status, code) in cases {
        site.send(request).await.refused(status, code);
    }
    let mut packed = raw("POST", login, JSON, "{}");
    packed.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
    site.send(packed).await.refused(415, "request.unsupported_media_type");
}

async fn a_body_where_there_is_nothing_to_say_is_looked_at(db: Db) {
    let site = Site::new(db).await;
    let (_, tokens) = site.signed_in("ada@example.org").await;
    let ask = async |method: &str, path: &str, kind, body: &'static str| {
        let mut asked = raw(method, path, kind, body);
        let token = format!("Bearer {}", tokens.access_token.expose());
        asked.headers_mut().insert("authorization", token.parse().unwrap());
        site.send(asked).await
    };
    for (method, path, status) in [("POST", "/v1/me/mfa/totp", 201), ("DELETE", "/v1/me/sessions", 200)] {
        for (kind, body) in [(None, ""), (JSON, ""), (JSON, "{}"), (JSON, " { } ")] {
            ask(method, path, kind, body).await.is(status);
        }
        for (kind, body, status, code) in [
            (JSON, "{", 400, "request.malformed"),
            (JSON, "nonsense", 400, "request.malformed"),
            (JSON, "{\"x\":1}", 422, "request.validation_failed"),
            (JSON, "[]", 422, "request.validation_failed"),
            (JSON, "null", 422, "request.validation_failed"),
            (None, "{}", 415, "request.unsupported_media_type"),
            (Some("text/plain"), "x", 415, "request.unsupported_media_type"),
        ] {
            ask(method, path, kind, body).await.refused(status, code);
        }
    }
}

async fn a_wrong_method_names_the_right_ones(db: Db) {
    let site = Site::new(db).await;
    let answer = site.send(raw("PUT", "/v1/me", None, "")).await.refused(405, "request.method_not_allowed");
    let allow = answer.header("allow");
    assert!(allow.contains("GET") && allow.contains("PATCH"), "{allow}");
    site.send(raw("TRACE", "/v1/me", None, "")).await.refused(405, "request.method_not_allowed");
    site.send(raw("DELETE", "/v1/auth/login", None, "")).await.refused(405, "request.method_not_allowed");
}

async fn a_body_over_the_limit_is_refused_with_and_without_a_length(db: Db) {
    let site = Site::new(db).await;
    let long = vec![b' '; 64 * 1024 + 1];
    let mut announced = raw("POST", "/v1/auth/login", JSON, "");
    announced.headers_mut().insert("content-length", "65537".parse().unwrap());
    site.send(announced).await.refused(413, "request.body_too_large");
    let chunks = futures_util::stream::iter(
        long.chunks(1000).map(|chunk| Ok::<_, std::io::Error>(Bytes::copy_from_slice(chunk))).collect::<Vec<_>>(),
    );
    site.send(raw("POST", "/v1/auth/login", JSON, Body::from_stream(chunks)))
        .await
        .refused(413, "request.body_too_large");
    // A password of nine megabytes does not reach the hash.
    let huge = json!({"email": "a@example.org", "password": "x".repeat(9_000_000)}).to_string();
    site.send(raw("POST", "/v1/auth/login", JSON, huge)).await.refused(413, "request.body_too_large");
}

async fn a_body_that_stalls_is_answered_408(db: Db) {
    let site = Site::with(db, |config| config.http.body_timeout = "50ms".parse().unwrap()).await;
    for (path, kind) in [("/v1/auth/login", JSON), ("/sign-in", Some("application/x-www-form-urlencoded"))] {
        let stalled = Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>());
        site.send(raw("POST", path, kind, stalled)).await.refused(408, "request.timeout");
    }
}

async fn a_panic_is_a_500_and_the_server_lives(db: Db) {
    let mut site = Site::new(db).await;
    let wrong = Router::new().route("/panic", get(|| async { panic!("secret detail") as () }));
    site.service.router = site.service.router.clone().merge(wrong);
    let answer = site.get("/panic", None).await.refused(500, "server.internal");
    assert!(!String::from_utf8_lossy(&answer.body).contains("secret"));
    site.get("/health/live", None).await.is(200);
}

async fn an_answer_that_takes_too_long_is_given_up(db: Db) {
    let mut site = Site::with(db, |config| config.http.request_timeout = "50ms".parse().unwrap()).await;
    let slow = Router::new().route("/slow", get(|| async { tokio::time::sleep(Duration::from_secs(60)).await }));
    site.service.router = site.service.router.clone().merge(slow);
    let answer = site.get("/slow", None).await.refused(503, "server.unavailable");
    assert_eq!(answer.header("retry-after"), "1");
}

async fn ids_in_the_path_are_checked(db: Db) {
    let site = Site::new(db).await;
    let admin = site.admin().await;
    for id in
        ["x", "usr_x", "rol_0192f0c1a4b87c3d9e5f60718293a4b5", "%00", "%ff", "usr_0192F0C1A4B87C3D9E5F60718293A4B5"]
    {
        let answer =
            site.get(&format!("/v1/admin/users/{id}"), Some(&admin)).await.refused(422, "request.validation_failed");
        assert_eq!(answer.json()["errors"][0]["field"], "id", "{id}");
    }
    let unknown = "/v1/admin/users/usr_0192f0c1a4b87c3d9e5f60718293a4b5";
    site.get(unknown, Some(&admin)).await.refused(404, "account.not_found");
}

async fn unknown_cursors_limits_and_filters_say_why(db: Db) {
    let site = Site::new(db).await;
    let admin = site.admin().await;
    for (query, code) in [
        ("limit=0", "request.invalid_limit"),
        ("limit=101", "request.invalid_limit"),
        ("limit=-1", "request.invalid_limit"),
        ("limit=%2B5", "request.invalid_limit"),
        ("limit=", "request.invalid_limit"),
        ("cursor=nonsense", "request.invalid_cursor"),
        ("colour=red", "request.invalid_filter"),
        ("limit=5&limit=6", "request.invalid_filter"),
        ("status=happy", "request.invalid_filter"),
        ("role=usr_0192f0c1a4b87c3d9e5f60718293a4b5", "request.invalid_filter"),
        ("name=%00", "request.invalid_filter"),
    ] {
        site.get(&format!("/v1/admin/users?{query}"), Some(&admin)).await.refused(400, code);
    }
    site.get("/v1/admin/audit?from=yesterday", Some(&admin)).await.refused(400, "request.invalid_filter");
    site.get("/v1/admin/audit?outcome=maybe", Some(&admin)).await.refused(400, "request.invalid_filter");
    site.get("/v1/me?x=1", Some(&admin)).await.refused(400, "request.invalid_filter");
}

async fn a_trace_id_comes_from_the_request_or_is_new(db: Db) {
    let site = Site::new(db).await;
    let mut traced = request(Method::GET, "/v1/me", None, None);
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    traced.headers_mut().insert("traceparent", parent.parse().unwrap());
    let answer = site.send(traced).await.is(401);
    assert_eq!(answer.json()["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    let mut forged = request(Method::GET, "/v1/me", None, None);
    forged.headers_mut().insert("traceparent", "00-evil-evil-01".parse().unwrap());
    assert_ne!(site.send(forged).await.header("x-trace-id"), "");
}
