//! Pages behind the combined layer.

use crate::tests::{Site, request};
use authkit_engine::config::Rate;
use http::{Method, header};

fn by_a_person(method: Method, path: &str) -> http::Request<axum::body::Body> {
    let mut asked = request(method, path, None, None);
    asked.headers_mut().insert(header::ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8".parse().unwrap());
    asked
}

#[tokio::test]
async fn people_see_pages_and_programs_see_problems() {
    let site = Site::new().await;
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

#[tokio::test]
async fn pages_count_against_the_limits_of_their_kind() {
    let site = Site::with(|config| {
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
