//! Rate limits: by class and by user or address, never by the concrete path.

use super::{Site, request};
use authkit_core::wire::RoleId;
use authkit_engine::config::Rate;
use authkit_testkit::{databases::Db, on_both_engines};
use axum::extract::ConnectInfo;
use http::Method;
use jiff::SignedDuration;
use serde_json::json;
use std::net::SocketAddr;

on_both_engines! {
    sign_ins_are_limited_by_address_and_say_when_to_come_back
    an_ipv6_network_counts_as_one_client
    a_limit_is_not_escaped_by_another_path_of_the_same_route
    one_user_does_not_use_up_the_limit_of_another
    guessing_access_tokens_is_limited
    probes_and_keys_are_never_limited
    what_is_remembered_of_clients_is_forgotten
}

async fn limited(db: Db) -> Site {
    Site::with(db, |config| {
        config.rate_limits.enabled = true;
        config.rate_limits.sign_in = Rate::new(3, 60);
        config.rate_limits.read = Rate::new(4, 60);
        config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    })
    .await
}

fn login(client: &str) -> http::Request<axum::body::Body> {
    let body = json!({"email": "nobody@example.org", "password": "wrong password"});
    let mut asked = request(Method::POST, "/v1/auth/login", None, Some(body));
    asked.extensions_mut().insert(ConnectInfo("127.0.0.1:4000".parse::<SocketAddr>().unwrap()));
    asked.headers_mut().insert("x-forwarded-for", client.parse().unwrap());
    asked
}

async fn sign_ins_are_limited_by_address_and_say_when_to_come_back(db: Db) {
    let site = limited(db).await;
    for left in [2, 1, 0] {
        let answer = site.send(login("192.0.2.1")).await.is(401);
        assert_eq!(answer.header("ratelimit-policy"), "\"sign-in\";q=3;w=60");
        assert!(answer.header("ratelimit").starts_with(&format!("\"sign-in\";r={left};t=")), "{answer:?}");
    }
    let answer = site.send(login("192.0.2.1")).await.refused(429, "request.rate_limited");
    assert_eq!(answer.header("retry-after"), "20");
    assert_eq!(answer.header("ratelimit"), "\"sign-in\";r=0;t=20");
    // What the client writes before the proxy's own entry changes nothing.
    site.send(login("203.0.113.50, 192.0.2.1")).await.refused(429, "request.rate_limited");
    site.send(login("192.0.2.2")).await.is(401);
    site.clock.advance(SignedDuration::from_secs(21));
    site.send(login("192.0.2.1")).await.is(401);
}

async fn an_ipv6_network_counts_as_one_client(db: Db) {
    let site = limited(db).await;
    for last in 1..=3 {
        site.send(login(&format!("2001:db8:1:2::{last}"))).await.is(401);
    }
    site.send(login("2001:db8:1:2:ffff::1")).await.refused(429, "request.rate_limited");
    site.send(login("2001:db8:1:3::1")).await.is(401);
}

async fn a_limit_is_not_escaped_by_another_path_of_the_same_route(db: Db) {
    let site = limited(db).await;
    let admin = site.admin().await;
    for n in 0..4_u128 {
        let id = RoleId::new(uuid::Uuid::from_u128(0x0192_f0c1_a4b8_7c3d_9e5f_6071_8293_0000 + n));
        site.get(&format!("/v1/roles/{id}"), Some(&admin)).await.refused(404, "role.not_found");
    }
    site.get("/v1/admin/users", Some(&admin)).await.refused(429, "request.rate_limited");
}

async fn one_user_does_not_use_up_the_limit_of_another(db: Db) {
    let site = limited(db).await;
    let (_, ada) = site.signed_in("ada@example.org").await;
    let (_, bob) = site.signed_in("bob@example.org").await;
    for _ in 0..4 {
        site.get("/v1/me", Some(ada.access_token.expose())).await.is(200);
    }
    site.get("/v1/me", Some(ada.access_token.expose())).await.refused(429, "request.rate_limited");
    site.get("/v1/me", Some(bob.access_token.expose())).await.is(200);
}

async fn guessing_access_tokens_is_limited(db: Db) {
    let site = limited(db).await;
    for _ in 0..4 {
        site.get("/v1/me", Some("guess")).await.refused(401, "auth.invalid_token");
    }
    site.get("/v1/me", Some("guess")).await.refused(429, "request.rate_limited");
    let metrics = site.get("/metrics", Some("another")).await;
    assert_eq!(metrics.status, 429, "{metrics:?}");
    let refused = site.service.app.shared.limits.refused().find(|(class, _)| *class == "read");
    assert_eq!(refused, Some(("read", 2)));
}

async fn probes_and_keys_are_never_limited(db: Db) {
    let site = limited(db).await;
    for _ in 0..20 {
        site.get("/health/live", None).await.is(200);
        site.get("/.well-known/jwks.json", None).await.is(200);
    }
}

async fn what_is_remembered_of_clients_is_forgotten(db: Db) {
    use crate::rate_limit::{Key, RateClass};
    let site = limited(db).await;
    let limits = &site.service.app.shared.limits;
    let ask = |n: u32| limits.check(RateClass::Read, Key::V4(n), &mut None);
    for n in 0..4_000 {
        ask(n).unwrap();
    }
    assert!(limits.remembered(RateClass::Read) >= 4_000);
    site.clock.advance(SignedDuration::from_secs(120));
    for n in 0..200 {
        ask(1_000_000 + n).unwrap();
    }
    assert!(limits.remembered(RateClass::Read) <= 300, "{}", limits.remembered(RateClass::Read));
}
