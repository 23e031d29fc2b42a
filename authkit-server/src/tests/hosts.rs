//! Hosts, peers, origins and the headers that every answer carries.

use super::{Site, request};
use authkit_testkit::{databases::Db, on_both_engines};
use axum::extract::ConnectInfo;
use http::{Method, Request};
use std::net::SocketAddr;

on_both_engines! {
    development_answers_this_machine_only
    production_answers_for_its_own_hosts_and_those_of_tenants
    production_routes_neither_outbox_nor_documentation
    every_answer_carries_the_security_headers
    only_configured_origins_may_read_answers
    no_other_origin_reads_the_development_outbox
}

fn from(host: &str, peer: &str) -> Request<axum::body::Body> {
    let mut asked = request(Method::GET, "/v1/me", None, None);
    asked.headers_mut().insert("host", host.parse().unwrap());
    asked.extensions_mut().insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
    asked
}

pub(super) fn production(config: &mut authkit_engine::Config) {
    config.env = authkit_engine::config::Environment::Production;
    config.public_url = Some("https://id.example.com".into());
    config.keys.master.insert(1, "9f8a1c5be3d7420616fb0e94d2a87735c1bb40e96ad35f08e2714f9d83c6a05b".into());
    config.mail.from = "AuthKit <no-reply@example.com>".into();
    config.mail.smtp = Some(authkit_engine::config::Smtp { host: "mail.example.com".into(), ..Default::default() });
    config.rate_limits.enabled = true;
}

async fn development_answers_this_machine_only(db: Db) {
    let site = Site::new(db).await;
    for host in ["localhost:8080", "127.0.0.1", "[::1]:8080", "app.localhost"] {
        site.send(from(host, "127.0.0.1:4000")).await.refused(401, "auth.unauthenticated");
    }
    // DNS rebinding: a page of evil.example whose name now leads to 127.0.0.1.
    for path in ["/v1/me", "/v1/dev/outbox", "/dev/outbox", "/health/live", "/metrics", "/nothing"] {
        let mut rebound = from("evil.example:8080", "127.0.0.1:4000");
        *rebound.uri_mut() = path.parse().unwrap();
        site.send(rebound).await.refused(421, "request.untrusted_host");
    }
    site.send(from("localhost", "192.0.2.7:4000")).await.refused(421, "request.untrusted_host");
}

async fn production_answers_for_its_own_hosts_and_those_of_tenants(db: Db) {
    let site = Site::with(db, production).await;
    site.engine.tenants().create("acme", "Acme", &["login.acme.example".into()], Default::default()).await.unwrap();
    // Mailed links of the default tenant begin with its own host too.
    let mut default = site.engine.tenants().find("default").await.unwrap().unwrap();
    default.hosts = vec!["login.example.com".into()];
    site.engine.tenants().update(default).await.unwrap();
    site.engine.context().authority.load(site.engine.context()).await.unwrap();
    for host in ["id.example.com", "ID.example.com:443", "login.acme.example", "login.example.com"] {
        site.send(from(host, "192.0.2.7:4000")).await.refused(401, "auth.unauthenticated");
    }
    for host in ["evil.example", "id.example.com.evil.example", "localhost", "127.0.0.1"] {
        site.send(from(host, "192.0.2.7:4000")).await.refused(421, "request.untrusted_host");
    }
    let mut nameless = from("id.example.com", "192.0.2.7:4000");
    nameless.headers_mut().remove("host");
    site.send(nameless).await.refused(421, "request.untrusted_host");
    let mut probe = from("10.0.0.5:8080", "10.0.0.1:4000");
    *probe.uri_mut() = "/health/live".parse().unwrap();
    site.send(probe).await.is(200);
}

async fn production_routes_neither_outbox_nor_documentation(db: Db) {
    let site = Site::with(db, production).await;
    for path in ["/v1/dev/outbox", "/api/docs/", "/api/openapi.json", "/metrics"] {
        let mut asked = from("id.example.com", "192.0.2.7:4000");
        *asked.uri_mut() = path.parse().unwrap();
        site.send(asked).await.refused(404, "request.route_not_found");
    }
}

async fn every_answer_carries_the_security_headers(db: Db) {
    let site = Site::with(db, production).await;
    for path in ["/v1/me", "/health/live", "/nothing", "/.well-known/jwks.json"] {
        let mut asked = from("id.example.com", "192.0.2.7:4000");
        *asked.uri_mut() = path.parse().unwrap();
        let answer = site.send(asked).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
        assert!(answer.header("strict-transport-security").starts_with("max-age="), "{path}");
        let caching = answer.header("cache-control");
        if path.starts_with("/.well-known") {
            assert_eq!(caching, "public, max-age=300");
        } else {
            assert_eq!(caching, "no-store", "{path}");
        }
    }
}

async fn only_configured_origins_may_read_answers(db: Db) {
    let site = Site::with(db, |config| config.cors.origins = vec!["https://app.example.com".into()]).await;
    let ask = |method: Method, origin: &str| {
        let mut asked = request(method, "/v1/auth/login", None, None);
        asked.headers_mut().insert("origin", origin.parse().unwrap());
        asked.headers_mut().insert("access-control-request-method", "POST".parse().unwrap());
        asked
    };
    let allowed = site.send(ask(Method::OPTIONS, "https://app.example.com")).await.is(204);
    assert_eq!(allowed.header("access-control-allow-origin"), "https://app.example.com");
    let headers = allowed.header("access-control-allow-headers");
    assert!(headers.contains("authorization") && headers.contains("x-authkit-mode"), "{headers}");
    assert_eq!(allowed.header("access-control-allow-credentials"), "");
    assert!(allowed.header("vary").contains("origin"));
    let answer = site.send(ask(Method::POST, "https://app.example.com")).await;
    assert_eq!(answer.header("access-control-allow-origin"), "https://app.example.com");
    let exposed = answer.header("access-control-expose-headers");
    assert!(exposed.contains("location") && exposed.contains("www-authenticate"), "{exposed}");
    for other in ["https://app.example.com.evil.example", "http://app.example.com", "null"] {
        for method in [Method::OPTIONS, Method::POST] {
            let answer = site.send(ask(method, other)).await;
            assert_eq!(answer.header("access-control-allow-origin"), "", "{other}");
        }
    }
}

async fn no_other_origin_reads_the_development_outbox(db: Db) {
    for allowed in ["*", "https://app.example.com"] {
        let site = Site::with(db, |config| config.cors.origins = vec![allowed.into()]).await;
        for (path, readable) in [("/v1/me", true), ("/v1/dev/outbox", false), ("/dev/outbox", false)] {
            for method in [Method::OPTIONS, Method::GET] {
                let mut asked = request(method.clone(), path, None, None);
                asked.headers_mut().insert("origin", "https://app.example.com".parse().unwrap());
                asked.headers_mut().insert("access-control-request-method", "GET".parse().unwrap());
                let answer = site.send(asked).await;
                let sent = answer.headers.keys().any(|name| name.as_str().starts_with("access-control-"));
                assert_eq!(sent, readable, "{allowed} {method} {path}: {answer:?}");
            }
        }
    }
}
