//! One test calls every route as everybody who may not, so that a new route cannot be forgotten.

use super::{Site, request};
use crate::{Access, RouteInfo, routes};
use authkit_core::wire::{ErrorCode, UserId};
use authkit_testkit::{databases::Db, on_both_engines};
use http::Method;
use serde_json::{Value, json};

on_both_engines! {
    without_credentials_every_guarded_route_answers_401
    an_ordinary_user_reaches_no_route_that_asks_for_a_permission
    a_permission_opens_its_routes_and_no_others
    a_devices_token_opens_its_own_routes_and_no_others
    another_tenant_does_not_exist
    a_token_is_refused_where_host_or_header_name_another_tenant
    a_refresh_token_is_refused_where_host_or_header_name_another_tenant
    somebody_elses_session_does_not_exist
    metrics_and_documents_ask_for_the_operators_token_where_one_is_set
    asking_with_head_asks_for_the_same
    before_sign_in_the_header_names_the_tenant
}

/// A path of the route, and a body that is well-formed.
fn concrete(route: &RouteInfo, user: UserId) -> (String, Option<Value>) {
    let id = "0192f0c1a4b87c3d9e5f60718293a4b5";
    let path = match route.path.as_str() {
        path if path.starts_with("/v1/me/sessions/") => path.replace("{id}", &format!("ses_{id}")),
        path if path.starts_with("/v1/roles/") => path.replace("{id}", &format!("rol_{id}")),
        path if path.starts_with("/v1/devices/claims/") => path.replace("{id}", &format!("clm_{id}")),
        path if path.starts_with("/v1/devices/") || path.starts_with("/v1/admin/devices/") => {
            path.replace("{id}", &format!("dev_{id}"))
        }
        path if path.starts_with("/v1/admin/audit/") => path.replace("{id}", &format!("aud_{id}")),
        path if path.starts_with("/api/docs/") => path.replace("{file}", "swagger-ui.css"),
        path => path.replace("{id}", &user.to_string()).replace("{role_id}", &format!("rol_{id}")),
    };
    let document: Value = serde_json::from_str(&crate::openapi_json()).unwrap();
    let operation = &document["paths"][&route.path][route.method.as_str().to_lowercase()];
    let example = &operation["requestBody"]["content"]["application/json"]["example"];
    (path, if operation["requestBody"].is_null() { None } else { Some(example.clone()) })
}

async fn without_credentials_every_guarded_route_answers_401(db: Db) {
    let site = Site::new(db).await;
    let (user, _) = site.signed_in("ada@example.org").await;
    for route in routes().iter().filter(|route| route.access.needs_token()) {
        let (path, body) = concrete(route, user.id);
        for token in [None, Some("nonsense"), Some("a.b.c")] {
            let answer = site.call(route.method.clone(), &path, token, body.clone()).await;
            let code = if token.is_some() { "auth.invalid_token" } else { "auth.unauthenticated" };
            let challenge = answer.refused(401, code).header("www-authenticate").to_owned();
            assert!(challenge.starts_with("Bearer"), "{path}");
            assert_eq!(challenge.contains("invalid_token"), token.is_some(), "{path}");
        }
    }
}

async fn an_ordinary_user_reaches_no_route_that_asks_for_a_permission(db: Db) {
    let site = Site::new(db).await;
    let (other, _) = site.signed_in("other@example.org").await;
    let (_, tokens) = site.signed_in("ada@example.org").await;
    let mut asked = 0;
    for route in routes().iter().filter(|route| matches!(route.access, Access::Permission(_))) {
        let (path, body) = concrete(route, other.id);
        let answer = site.call(route.method.clone(), &path, Some(tokens.access_token.expose()), body).await;
        answer.refused(403, "auth.forbidden");
        asked += 1;
    }
    assert!(asked >= 15, "{asked}");
}

#[test]
fn every_permission_of_our_own_guards_a_route() {
    let mut guarded: Vec<String> = routes().iter().map(|route| route.access.to_string()).collect();
    // Asked for when the question is about somebody else.
    guarded.push("permission:permissions:check".to_owned());
    for permission in authkit_core::rbac::Permissions::default().iter() {
        assert!(guarded.contains(&format!("permission:{}", permission.name)), "{}", permission.name);
    }
}

async fn a_permission_opens_its_routes_and_no_others(db: Db) {
    let site = Site::new(db).await;
    let (other, _) = site.signed_in("other@example.org").await;
    for route in routes() {
        let Access::Permission(permission) = route.access else { continue };
        let name = route.operation_id.to_lowercase();
        let everything_else: Vec<String> = site
            .engine
            .roles()
            .permissions()
            .into_iter()
            .flat_map(|group| group.permissions)
            .map(|held| held.name)
            .filter(|held| held != permission)
            .collect();
        let refs: Vec<&str> = everything_else.iter().map(String::as_str).collect();
        site.factory.role(&format!("all-but-{name}"), &refs).await.unwrap();
        site.factory.role(&format!("only-{name}"), &[permission]).await.unwrap();
        let (all_but, only) = (format!("all-but-{name}@example.org"), format!("only-{name}@example.org"));
        site.factory.user_with_roles(&all_but, &[&format!("all-but-{name}")]).await.unwrap();
        site.factory.user_with_roles(&only, &[&format!("only-{name}")]).await.unwrap();
        let (path, body) = concrete(&route, other.id);
        let (without, _) = site.factory.sign_in(&all_but).await.unwrap();
        let answer = site.call(route.method.clone(), &path, Some(without.access_token.expose()), body.clone()).await;
        answer.refused(403, "auth.forbidden");
        let (with, _) = site.factory.sign_in(&only).await.unwrap();
        let answer = site.call(route.method.clone(), &path, Some(with.access_token.expose()), body).await;
        assert_ne!(answer.status, 401, "{path}");
        if answer.status == 403 {
            assert_ne!(answer.code(), "auth.forbidden", "{path}");
        }
    }
}

/// Both ways: no route of users takes the token of a device, and no route of devices that of a user, administrators
/// included.
async fn a_devices_token_opens_its_own_routes_and_no_others(db: Db) {
    let site = Site::new(db).await;
    let (user, tokens) = site.signed_in("ada@example.org").await;
    let (_, _, device) = site.claimed_device(tokens.access_token.expose()).await;
    let admin = site.admin().await;
    let mut of_devices = 0;
    for route in routes().iter().filter(|route| route.access.needs_token()) {
        let (path, body) = concrete(route, user.id);
        let call = async |token: &str| site.call(route.method.clone(), &path, Some(token), body.clone()).await;
        if route.access == Access::Device {
            of_devices += 1;
            call(&device).await.is(200);
            for token in [tokens.access_token.expose(), &admin] {
                call(token).await.refused(401, ErrorCode::InvalidToken.as_str());
            }
        } else {
            call(&device).await.refused(401, ErrorCode::InvalidToken.as_str());
        }
    }
    assert_eq!(of_devices, 2);
    // Signing out with it ends nothing.
    let answer = site.post("/v1/auth/logout", Some(&device), json!({})).await;
    answer.is(204);
    site.get("/v1/devices/self", Some(&device)).await.is(200);
}

async fn another_tenant_does_not_exist(db: Db) {
    let site = Site::new(db).await;
    let (user, tokens) = site.signed_in("ada@example.org").await;
    let (claim, device, _) = site.claimed_device(tokens.access_token.expose()).await;
    let role = site.factory.role("editor", &["users:read"]).await.unwrap();
    let (_, acme) = site.factory.tenant("acme").await.unwrap();
    acme.administrator("root@acme.example").await.unwrap();
    let stranger = acme.sign_in("root@acme.example").await.unwrap().0;
    let token = stranger.access_token.expose();
    let document: Value = serde_json::from_str(&crate::openapi_json()).unwrap();
    for route in routes().iter().filter(|route| route.access.needs_token() && route.path.contains('{')) {
        let path = match route.path.as_str() {
            path if path.starts_with("/v1/me/sessions/") => path.replace("{id}", &tokens.session_id.to_string()),
            path if path.starts_with("/v1/roles/") => path.replace("{id}", &role.id.to_string()),
            path if path.starts_with("/v1/devices/claims/") => path.replace("{id}", &claim),
            path if path.starts_with("/v1/devices/") || path.starts_with("/v1/admin/devices/") => {
                path.replace("{id}", &device)
            }
            path if path.starts_with("/v1/admin/audit/") => {
                let admin = site.factory.administrator(&format!("a{}@example.org", route.path.len())).await.unwrap();
                let admin = site.factory.sign_in(&admin.email).await.unwrap().0;
                let list = site.get("/v1/admin/audit", Some(admin.access_token.expose())).await.is(200).json();
                path.replace("{id}", list["data"][0]["id"].as_str().unwrap())
            }
            path => path.replace("{id}", &user.id.to_string()).replace("{role_id}", &role.id.to_string()),
        };
        let operation = &document["paths"][&route.path][route.method.as_str().to_lowercase()];
        let body = match &operation["requestBody"]["content"]["application/json"]["example"] {
            Value::Null => None,
            example => Some(example.clone()),
        };
        let answer = site.call(route.method.clone(), &path, Some(token), body).await;
        assert_eq!(answer.status, 404, "{} {path}: {}", route.method, String::from_utf8_lossy(&answer.body));
    }
    // Nothing has happened to what belongs to the other tenant.
    site.get("/v1/me", Some(tokens.access_token.expose())).await.is(200);
}

async fn a_token_is_refused_where_host_or_header_name_another_tenant(db: Db) {
    let site = Site::new(db).await;
    let (_, tokens) = site.signed_in("ada@example.org").await;
    site.factory.tenant("acme").await.unwrap();
    let with = |tenant: &str| {
        let mut asked = request(Method::GET, "/v1/me", Some(tokens.access_token.expose()), None);
        asked.headers_mut().insert("x-authkit-tenant", tenant.parse().unwrap());
        asked
    };
    site.send(with("acme")).await.refused(400, "tenant.mismatch");
    site.send(with("nowhere")).await.refused(400, "tenant.mismatch");
    let mut doubled = with("default");
    doubled.headers_mut().append("x-authkit-tenant", "acme".parse().unwrap());
    site.send(doubled).await.refused(400, "tenant.mismatch");
    site.send(with("default")).await.is(200);
}

async fn a_refresh_token_is_refused_where_host_or_header_name_another_tenant(db: Db) {
    let site = Site::new(db).await;
    let (_, acme) = site.factory.tenant("acme").await.unwrap();
    acme.user_at("ada@acme.example").await.unwrap();
    let (tokens, _) = acme.sign_in("ada@acme.example").await.unwrap();
    let refresh = |tenant: Option<&str>| {
        let body = json!({ "refresh_token": tokens.refresh_token });
        let mut asked = request(Method::POST, "/v1/auth/refresh", None, Some(body));
        if let Some(tenant) = tenant {
            asked.headers_mut().insert("x-authkit-tenant", tenant.parse().unwrap());
        }
        asked
    };
    // Also the default tenant, when it is named and not just assumed.
    site.send(refresh(Some("default"))).await.refused(401, "auth.invalid_refresh_token");
    site.send(refresh(Some("acme"))).await.is(200);
    site.send(refresh(None)).await.is(200);
}

async fn somebody_elses_session_does_not_exist(db: Db) {
    let site = Site::new(db).await;
    let (_, theirs) = site.signed_in("eve@example.org").await;
    let (_, mine) = site.signed_in("ada@example.org").await;
    let path = format!("/v1/me/sessions/{}", theirs.session_id);
    let answer = site.call(Method::DELETE, &path, Some(mine.access_token.expose()), None).await;
    answer.refused(404, "session.not_found");
    site.get("/v1/me", Some(theirs.access_token.expose())).await.is(200);
}

async fn metrics_and_documents_ask_for_the_operators_token_where_one_is_set(db: Db) {
    let site =
        Site::with(db, |config| config.operations.token = Some("a-token-of-the-operator-0123456789".into())).await;
    let (_, user) = site.signed_in("ada@example.org").await;
    for route in routes().iter().filter(|route| route.access == Access::Machine) {
        let path = route.path.replace("{file}", "swagger-ui.css");
        site.get(&path, None).await.refused(401, "auth.unauthenticated");
        site.get(&path, Some(user.access_token.expose())).await.refused(401, "auth.invalid_token");
        let answer = site.get(&path, Some("a-token-of-the-operator-0123456789")).await;
        assert!(answer.status.as_u16() < 400, "{path}");
    }
}

#[test]
fn every_route_says_who_may_call_it() {
    let public: Vec<String> = routes()
        .into_iter()
        .filter(|route| route.access == Access::Public)
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    // Whoever opens one more route to everybody does it here too, on purpose.
    assert_eq!(
        public,
        [
            "POST /v1/auth/register",
            "POST /v1/auth/verify-email",
            "POST /v1/auth/verify-email/resend",
            "POST /v1/auth/login",
            "POST /v1/auth/mfa/verify",
            "POST /v1/auth/refresh",
            "POST /v1/auth/logout",
            "POST /v1/auth/password/forgot",
            "POST /v1/auth/password/reset",
            "POST /v1/auth/email/confirm",
            "POST /v1/auth/email/undo",
            "POST /v1/auth/reactivate",
            "POST /v1/devices/challenge",
            "POST /v1/devices/claim",
            "POST /v1/devices/token",
            "GET /.well-known/jwks.json",
            "GET /.well-known/openid-configuration",
            "GET /health/live",
            "GET /health/ready",
            "GET /v1/dev/outbox",
        ]
    );
}

async fn asking_with_head_asks_for_the_same(db: Db) {
    let site = Site::new(db).await;
    for route in routes().iter().filter(|route| route.method == Method::GET && route.access.needs_token()) {
        let path = route.path.replace("{id}", "rol_0192f0c1a4b87c3d9e5f60718293a4b5");
        let answer = site.call(Method::HEAD, &path, None, None).await;
        assert_eq!(answer.status, 401, "{path}");
    }
}

async fn before_sign_in_the_header_names_the_tenant(db: Db) {
    let site = Site::new(db).await;
    let (_, acme) = site.factory.tenant("acme").await.unwrap();
    acme.user_at("ada@example.org").await.unwrap();
    let body = json!({"email": "ada@example.org", "password": authkit_testkit::factories::Factory::PASSWORD});
    let with = |tenant: &str| {
        let mut asked = request(Method::POST, "/v1/auth/login", None, Some(body.clone()));
        asked.headers_mut().insert("x-authkit-tenant", tenant.parse().unwrap());
        asked
    };
    let tokens = site.send(with("acme")).await.is(200).json();
    for other in ["default", "nowhere"] {
        site.send(with(other)).await.refused(401, "auth.invalid_credentials");
    }
    // The token says which tenant it is of, whether or not the request repeats it.
    let me = site.get("/v1/me", tokens["access_token"].as_str()).await.is(200).json();
    assert_ne!(me["tenant_id"], site.factory.user().await.unwrap().tenant_id.to_string());
}
