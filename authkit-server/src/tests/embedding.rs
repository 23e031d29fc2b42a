//! A host application that mounts AuthKit and guards its own routes.

use super::{Answer, Site};
use crate::{PermissionName, Permitted, RequirePermission, SignedIn};
use authkit_core::rbac::Permission;
use authkit_testkit::{databases::Db, on_both_engines};
use axum::{Router, body::Body, routing::get};
use http::Request;
use http_body_util::BodyExt;
use tower::ServiceExt;

on_both_engines! {
    its_routes_know_the_caller_and_ask_for_permissions
    authkit_answers_beneath_a_prefix_and_as_the_fallback
}

struct ReadReports;

impl PermissionName for ReadReports {
    const NAME: &'static str = "reports:read";
}

async fn application(db: Db) -> (Site, Router) {
    let site =
        Site::building(db, |_| {}, |builder| builder.permissions([Permission::new("reports:read", "Read reports")]))
            .await;
    let guarded = Router::new()
        .route("/layer", get(async |caller: SignedIn| caller.user.to_string()))
        .route_layer(RequirePermission::new(site.engine.clone(), "reports:read"));
    let app = Router::new()
        .route("/hello", get(async |SignedIn(principal): SignedIn| principal.user.to_string()))
        .route("/extractor", get(async |caller: Permitted<ReadReports>| caller.user.to_string()))
        .merge(guarded)
        .with_state(site.engine.clone())
        .nest_service("/auth", site.service.clone())
        .fallback_service(site.service.clone());
    (site, app)
}

async fn ask(app: &Router, path: &str, token: Option<&str>) -> Answer {
    let mut request = Request::builder().uri(path).header("host", "localhost");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    Answer { status: parts.status, headers: parts.headers, body }
}

async fn its_routes_know_the_caller_and_ask_for_permissions(db: Db) {
    let (site, app) = application(db).await;
    site.factory.role("reporter", &["reports:read"]).await.unwrap();
    let reporter = site.factory.user_with_roles("bob@example.org", &["reporter"]).await.unwrap();
    let reporter_token = site.factory.sign_in("bob@example.org").await.unwrap().0;
    let (user, tokens) = site.signed_in("ada@example.org").await;
    let token = tokens.access_token.expose();
    assert_eq!(ask(&app, "/hello", Some(token)).await.is(200).body, user.id.to_string().as_bytes());
    for path in ["/hello", "/extractor", "/layer"] {
        for wrong in [None, Some("nonsense")] {
            let code = if wrong.is_some() { "auth.invalid_token" } else { "auth.unauthenticated" };
            let answer = ask(&app, path, wrong).await.refused(401, code);
            assert!(answer.header("www-authenticate").starts_with("Bearer"), "{path}");
        }
    }
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let traced = Request::builder().uri("/hello").header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    let refused = app.clone().oneshot(traced.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(refused.headers()["x-trace-id"], trace);
    for path in ["/extractor", "/layer"] {
        ask(&app, path, Some(token)).await.refused(403, "auth.forbidden");
        let answer = ask(&app, path, Some(reporter_token.access_token.expose())).await.is(200);
        assert_eq!(answer.body, reporter.id.to_string().as_bytes(), "{path}");
    }
}

async fn authkit_answers_beneath_a_prefix_and_as_the_fallback(db: Db) {
    let (site, app) = application(db).await;
    let (_, tokens) = site.signed_in("ada@example.org").await;
    let token = tokens.access_token.expose();
    for prefix in ["", "/auth"] {
        ask(&app, &format!("{prefix}/v1/me"), Some(token)).await.is(200);
        ask(&app, &format!("{prefix}/v1/me"), None).await.refused(401, "auth.unauthenticated");
        ask(&app, &format!("{prefix}/v1/admin/users"), Some(token)).await.refused(403, "auth.forbidden");
        ask(&app, &format!("{prefix}/nothing"), None).await.refused(404, "request.route_not_found");
    }
}
