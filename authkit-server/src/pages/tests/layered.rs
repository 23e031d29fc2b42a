//! Pages behind the combined layer.

use crate::{
    pages::{Page, table},
    rate_limit::RateClass,
    tests::{Site, request},
};
use authkit_engine::config::Rate;
use authkit_testkit::factories::Factory;
use authkit_testkit::{databases::Db, on_both_engines};
use axum::body::Body;
use http::{Method, header};
use serde_json::json;

on_both_engines! {
    people_see_pages_and_programs_see_problems
    a_query_that_cannot_be_read_is_refused_on_a_page
    right_passwords_on_pages_and_api_at_once_lock_nobody_out
    pages_count_against_the_limits_of_their_kind
    every_page_counts_as_the_table_says
}

fn by_a_person(method: Method, path: &str) -> http::Request<axum::body::Body> {
    let mut asked = request(method, path, None, None);
    asked.headers_mut().insert(header::ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8".parse().unwrap());
    asked
}

async fn people_see_pages_and_programs_see_problems(db: Db) {
    let site = Site::new(db).await;
    for (method, path, status) in [(Method::GET, "/no-such-page", 404), (Method::GET, "/account/profile", 405)] {
        let page = site.send(by_a_person(method.clone(), path)).await.is(status);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8", "{path}");
        assert!(page.header("content-security-policy").contains("style-src 'self'"), "{path}");
        assert!(String::from_utf8_lossy(&page.body).contains(page.header("x-trace-id")), "{path}");
        let problem = site.send(request(method, path, None, None)).await.is(status);
        assert_eq!(problem.header("content-type"), "application/problem+json", "{path}");
    }
    // The API speaks JSON whoever asks.
    let problem = site.send(by_a_person(Method::GET, "/v1/me")).await.is(401);
    assert_eq!(problem.header("content-type"), "application/problem+json");
}

async fn a_query_that_cannot_be_read_is_refused_on_a_page(db: Db) {
    let site = Site::new(db).await;
    for path in ["/sign-in?back=mfa&back=close", "/dev/outbox?to=a&to=b", "/verify-email?token=a&token=b"] {
        let page = site.send(by_a_person(Method::GET, path)).await.is(400);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8", "{path}");
        assert!(String::from_utf8_lossy(&page.body).contains("<h1>"), "{path}");
        let problem = site.send(request(Method::GET, path, None, None)).await.is(400);
        assert_eq!(problem.header("content-type"), "application/problem+json", "{path}");
    }
}

/// Attempts are counted before they are made, so pages and API must wait for each other.
async fn right_passwords_on_pages_and_api_at_once_lock_nobody_out(db: Db) {
    let site = Site::new(db).await;
    site.factory.user_at("ada@example.org").await.unwrap();
    let mut forms = Vec::new();
    for _ in 0..4 {
        let page = site.send(by_a_person(Method::GET, "/sign-in")).await.is(200);
        let cookie = page.header("set-cookie").split(';').next().unwrap().to_owned();
        let text = String::from_utf8(page.body).unwrap();
        let token = text.split("name=\"form_token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        forms.push((cookie, token));
    }
    let over_pages = forms.into_iter().map(|(cookie, token)| {
        let password = Factory::PASSWORD.replace(' ', "+");
        let mut form = by_a_person(Method::POST, "/sign-in");
        form.headers_mut().insert(header::COOKIE, cookie.parse().unwrap());
        form.headers_mut().insert(header::CONTENT_TYPE, "application/x-www-form-urlencoded".parse().unwrap());
        *form.body_mut() = Body::from(format!("form_token={token}&email=ada%40example.org&password={password}"));
        site.send(form)
    });
    let over_api = (0..4).map(|_| {
        let body = json!({"email": "ada@example.org", "password": Factory::PASSWORD});
        site.send(request(Method::POST, "/v1/auth/login", None, Some(body)))
    });
    let (pages, api) =
        tokio::join!(futures_util::future::join_all(over_pages), futures_util::future::join_all(over_api));
    for page in pages {
        assert_eq!(page.is(303).header("location"), "/account");
    }
    for answer in api {
        answer.is(200);
    }
}

async fn pages_count_against_the_limits_of_their_kind(db: Db) {
    let site = Site::with(db, |config| {
        config.rate_limits.enabled = true;
        config.rate_limits.sign_in = Rate::new(2, 60);
    })
    .await;
    for _ in 0..2 {
        site.send(by_a_person(Method::POST, "/sign-in")).await;
    }
    let page = site.send(by_a_person(Method::POST, "/sign-in")).await.is(429);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(page.header("retry-after"), "30");
    site.send(by_a_person(Method::GET, "/sign-in")).await.is(200);
}

async fn every_page_counts_as_the_table_says(db: Db) {
    let site = Site::with(db, |config| config.rate_limits.enabled = true).await;
    for Page { path, posts, .. } in table() {
        for (method, class) in [(Method::GET, RateClass::Read), (Method::POST, posts.unwrap_or(RateClass::Write))] {
            let page = site.send(by_a_person(method, path)).await;
            assert!(page.header("ratelimit-policy").starts_with(&format!("\"{}\";", class.name())), "{path}");
        }
    }
}
