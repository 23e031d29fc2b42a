//! `authkit_core::operations` is held to the routes: two installations that begin alike are taken the same way, one
//! over HTTP and one without, and must answer the same, down to the ids and tokens.

use super::{Answer, Site, request};
use crate::{RouteInfo, routes};
use authkit_core::{memory::SeededRandom, operations::Operations, wire::Problem};
use authkit_testkit::{authenticator, databases::Db, device::FakeDevice, factories::Factory, on_both_engines};
use http::Method;
use jiff::SignedDuration;
use serde_json::{Map, Value, json};
use std::{cell::RefCell, collections::BTreeSet};

on_both_engines! {
    every_operation_answers_as_its_route_does
    every_operation_refuses_as_its_route_does
}

fn contract() -> Vec<RouteInfo> {
    let routes: Vec<_> = routes().into_iter().filter(|route| route.path.starts_with("/v1/")).collect();
    assert!(routes.len() >= 45, "{}", routes.len());
    routes
}

#[test]
fn every_route_of_the_contract_has_its_operation_for_the_same_callers() {
    let routes: BTreeSet<_> =
        contract().into_iter().map(|route| (route.operation_id, route.access.to_string())).collect();
    let operations: BTreeSet<_> =
        Operations::all().iter().map(|one| (one.name().to_owned(), one.access().to_string())).collect();
    assert_eq!(operations, routes);
}

/// Two installations that have seen the same.
struct Twins {
    http: Site,
    plain: Site,
    operations: Operations,
    routes: Vec<RouteInfo>,
    called: RefCell<BTreeSet<String>>,
}

impl Twins {
    async fn new(db: Db) -> Self {
        let site = || Site::building(db, |_| {}, |builder| builder.random(SeededRandom::new(7)));
        let (http, plain) = (site().await, site().await);
        // Some services draw randomness when they are made.
        let [_, operations] = [&http, &plain].map(|site| Operations::new(site.engine.context().clone()));
        Self { http, plain, operations, routes: contract(), called: RefCell::default() }
    }

    fn route(&self, name: &str) -> &RouteInfo {
        self.routes.iter().find(|route| route.operation_id == name).unwrap_or_else(|| panic!("no route {name}"))
    }

    /// Takes both one step and compares the answers.
    #[track_caller]
    fn ask(&self, name: &str, token: Option<&str>, arguments: Value) -> impl Future<Output = Result<Value, Problem>> {
        let place = std::panic::Location::caller();
        async move {
            let sent = over_http(self.route(name), token, arguments.as_object().cloned().unwrap());
            let answer = self.http.send(sent).await;
            let outcome = self
                .operations
                .call(&self.plain.factory.origin(), token, name, arguments.as_object().cloned().unwrap())
                .await;
            self.called.borrow_mut().insert(name.to_owned());
            let Answer { status, body, .. } = &answer;
            match outcome {
                Ok(value) => {
                    assert!(status.is_success(), "{place} {name}: {status} {}", String::from_utf8_lossy(body));
                    let body = if body.is_empty() { Value::Null } else { answer.json() };
                    assert_eq!(without_traces(body), without_traces(value.clone()), "{place} {name}");
                    Ok(value)
                }
                Err(error) => {
                    let problem: Problem = serde_json::from_value(answer.json()).unwrap();
                    assert_eq!(
                        (problem.code.as_str(), &problem.detail, &problem.errors),
                        (error.code.as_str(), &error.detail, &error.fields),
                        "{place} {name}"
                    );
                    Err(problem)
                }
            }
        }
    }

    async fn deliver(&self) {
        for site in [&self.http, &self.plain] {
            site.factory.deliver(&site.mailer).await.unwrap();
        }
    }

    async fn mailed(&self, to: &str, kind: &str) -> String {
        self.deliver().await;
        let [one, other] =
            [&self.http, &self.plain].map(|site| site.mailer.token(to, kind).unwrap().expose().to_owned());
        assert_eq!(one, other);
        one
    }

    fn advance(&self, seconds: i64) {
        for site in [&self.http, &self.plain] {
            site.clock.advance(SignedDuration::from_secs(seconds));
        }
    }
}

/// Only the server's requests have a trace.
fn without_traces(mut value: Value) -> Value {
    fn walk(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.remove("trace_id");
                fields.values_mut().for_each(walk);
            }
            Value::Array(items) => items.iter_mut().for_each(walk),
            _ => {}
        }
    }
    walk(&mut value);
    value
}

/// The request that the arguments stand for.
fn over_http(
    route: &RouteInfo,
    token: Option<&str>,
    mut arguments: Map<String, Value>,
) -> http::Request<axum::body::Body> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut path = route.path.clone();
    arguments.retain(|name, value| {
        let place = format!("{{{name}}}");
        let found = path.contains(&place);
        path = path.replace(&place, &text(value));
        !found
    });
    if route.method == Method::GET && !arguments.is_empty() {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in arguments.iter().filter(|(_, value)| !value.is_null()) {
            query.append_pair(name, &text(value));
        }
        path = format!("{path}?{}", query.finish());
        arguments.clear();
    }
    let takes_body = matches!(route.method, Method::POST | Method::PATCH);
    let nothing = route.method == Method::GET || (!takes_body && arguments.is_empty());
    request(route.method.clone(), &path, token, (!nothing).then_some(Value::Object(arguments)))
}

const ADA: &str = "ada@example.org";
const PASSWORD: &str = "a quiet orange tram 17";
const OTHER: &str = "another quiet orange tram 18";

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name}"))
}

impl Twins {
    async fn well(&self, name: &str, token: Option<&str>, arguments: Value) -> Value {
        match self.ask(name, token, arguments).await {
            Ok(answer) => answer,
            Err(problem) => panic!("{name}: {} {:?}", problem.detail, problem.errors),
        }
    }

    /// An access token.
    async fn sign_in(&self, email: &str, password: &str) -> String {
        let tokens = self.well("login", None, json!({"email": email, "password": password})).await;
        text(&tokens, "access_token").to_owned()
    }

    async fn root(&self) -> String {
        for site in [&self.http, &self.plain] {
            site.factory.administrator("root@example.org").await.unwrap();
        }
        self.sign_in("root@example.org", Factory::PASSWORD).await
    }

    fn code(&self, secret: &str) -> String {
        authenticator::code(secret, self.http.engine.context().now())
    }
}

async fn every_operation_answers_as_its_route_does(db: Db) {
    let twins = Twins::new(db).await;
    let root = twins.root().await;
    let root = Some(root.as_str());
    let ada = walk_an_account(&twins).await;
    let role = walk_roles(&twins, root, &ada).await;
    walk_administration(&twins, root, &ada, &role).await;
    walk_devices(&twins, root).await;
    walk_the_way_out(&twins).await;
    let missing: Vec<_> = twins
        .routes
        .iter()
        .map(|route| &route.operation_id)
        .filter(|name| !twins.called.borrow().contains(*name))
        .collect();
    assert!(missing.is_empty(), "not compared: {missing:?}");
}

/// From a registration to an account with a second factor; its id.
async fn walk_an_account(twins: &Twins) -> String {
    twins.well("register", None, json!({"email": ADA, "password": PASSWORD, "name": "Ada"})).await;
    twins.well("resendVerification", None, json!({"email": ADA})).await;
    let token = twins.mailed(ADA, "verify_email").await;
    let verified = twins.well("verifyEmail", None, json!({ "token": token })).await;
    let tokens = twins.well("login", None, json!({"email": ADA, "password": PASSWORD})).await;
    let fresh = twins.well("refresh", None, json!({"refresh_token": tokens["refresh_token"]})).await;
    let mine = Some(text(&fresh, "access_token"));
    twins.well("getMe", mine, json!({})).await;
    twins.well("updateMe", mine, json!({"name": null, "preferences": {"theme": "dark"}})).await;
    twins.well("listPermissions", mine, json!({})).await;
    twins.well("checkPermission", mine, json!({"permission": "users:read"})).await;

    let second = twins.well("login", None, json!({"email": ADA, "password": PASSWORD})).await;
    twins.well("listSessions", mine, json!({"limit": 1})).await;
    twins.well("revokeSession", mine, json!({"id": second["session_id"]})).await;
    twins.sign_in(ADA, PASSWORD).await;
    twins.well("revokeOtherSessions", mine, json!({})).await;
    twins.well("logout", Some("nonsense"), json!({"refresh_token": second["refresh_token"]})).await;

    let enrolment = twins.well("enrolTotp", mine, json!({})).await;
    let secret = text(&enrolment, "secret");
    let codes = twins.well("confirmTotp", mine, json!({"code": twins.code(secret)})).await;
    twins.well("getMfa", mine, json!({})).await;
    let asked = twins.well("login", None, json!({"email": ADA, "password": PASSWORD})).await;
    let backup = json!({"mfa_token": asked["mfa_token"], "method": "backup_code", "code": codes["backup_codes"][0]});
    twins.well("verifyMfa", None, backup).await;
    twins.advance(30);
    let again = json!({"password": PASSWORD, "method": "totp", "code": twins.code(secret)});
    twins.well("regenerateBackupCodes", mine, again).await;
    twins.advance(30);
    let again = json!({"password": PASSWORD, "method": "totp", "code": twins.code(secret)});
    twins.well("disableTotp", mine, again).await;

    twins.well("changePassword", mine, json!({"current_password": PASSWORD, "new_password": OTHER})).await;
    twins.well("forgotPassword", None, json!({"email": ADA})).await;
    let token = twins.mailed(ADA, "password_reset").await;
    twins.well("resetPassword", None, json!({"token": token, "new_password": "a third tram, neither quiet"})).await;
    twins.well("listOutbox", None, json!({"to": ADA})).await;
    text(&verified["user"], "id").to_owned()
}

async fn walk_roles(twins: &Twins, root: Option<&str>, user: &str) -> String {
    let role = twins.well("createRole", root, json!({"name": "reader", "permissions": ["users:read"]})).await;
    let id = text(&role, "id");
    twins.well("getRole", root, json!({ "id": id })).await;
    twins.well("updateRole", root, json!({"id": id, "description": "Reads", "parent_id": null})).await;
    twins.well("assignRole", root, json!({"id": user, "role_id": id})).await;
    twins.ask("deleteRole", root, json!({ "id": id })).await.expect_err("it is assigned");
    let page = twins.well("listRoles", root, json!({"system": true, "limit": 1})).await;
    if let Some(cursor) = page["next_cursor"].as_str() {
        twins.well("listRoles", root, json!({"system": true, "limit": 1, "cursor": cursor})).await;
    }
    let spare = twins.well("createRole", root, json!({"name": "spare", "parent_id": id})).await;
    twins.well("deleteRole", root, json!({"id": spare["id"]})).await;
    id.to_owned()
}

async fn walk_administration(twins: &Twins, root: Option<&str>, user: &str, role: &str) {
    let whom = || json!({ "id": user });
    let found = twins.well("listUsers", root, json!({"role": role, "status": "active"})).await;
    assert_eq!(found["data"].as_array().map(Vec::len), Some(1));
    let theirs = twins.sign_in(ADA, "a third tram, neither quiet").await;
    let enrolment = twins.well("enrolTotp", Some(&theirs), json!({})).await;
    twins.well("confirmTotp", Some(&theirs), json!({"code": twins.code(text(&enrolment, "secret"))})).await;
    twins.well("listUserSessions", root, whom()).await;
    twins.well("revokeUserSessions", root, whom()).await;
    twins.well("removeRole", root, json!({"id": user, "role_id": role})).await;
    twins.well("resetMfa", root, whom()).await;
    twins.well("deactivateUser", root, whom()).await;
    twins.well("activateUser", root, whom()).await;
    twins.well("unlockUser", root, whom()).await;
    twins.well("getUser", root, whom()).await;
    let from = twins.http.engine.context().now() - SignedDuration::from_hours(1);
    let list = twins.well("listAudit", root, json!({"action": "user.", "from": from.to_string()})).await;
    twins.well("getAudit", root, json!({"id": list["data"][0]["id"]})).await;
}

async fn walk_devices(twins: &Twins, root: Option<&str>) {
    let mine = twins.sign_in(ADA, "a third tram, neither quiet").await;
    let mine = Some(mine.as_str());
    let spare = twins.well("createDeviceClaim", mine, json!({})).await;
    twins.well("voidDeviceClaim", mine, json!({"id": spare["id"]})).await;
    let mut device = FakeDevice::new(&SeededRandom::new(3)).unwrap();
    let mut claimed = Value::Null;
    // Two devices with one key: revoking the first by its owner makes room for the second.
    for revoke in ["revokeDevice", "revokeUserDevice"] {
        let claim = twins.well("createDeviceClaim", mine, json!({"name": "Greenhouse"})).await;
        let ask = serde_json::to_value(device.ask_to_claim()).unwrap();
        let challenge = twins.well("requestDeviceChallenge", None, ask).await;
        let proof = device.claim(text(&claim, "code"), &serde_json::from_value(challenge).unwrap()).unwrap();
        claimed = twins.well("claimDevice", None, serde_json::to_value(proof).unwrap()).await["device"].clone();
        let id = text(&claimed, "id").parse().unwrap();
        let ask = serde_json::to_value(device.ask_for_token(id)).unwrap();
        let challenge = twins.well("requestDeviceChallenge", None, ask).await;
        let proof = device.token(id, &serde_json::from_value(challenge).unwrap()).unwrap();
        let token = twins.well("issueDeviceToken", None, serde_json::to_value(proof).unwrap()).await;
        let token = Some(text(&token, "access_token"));
        twins.well("sendHeartbeat", token, json!({"status": "ok", "capabilities": ["relay"]})).await;
        twins.well("getOwnDevice", token, json!({})).await;
        twins.ask("getMe", token, json!({})).await.expect_err("a device is no user");
        twins.well("updateDevice", mine, json!({"id": claimed["id"], "name": "Shed"})).await;
        let by = if revoke == "revokeDevice" { mine } else { root };
        twins.well(revoke, by, json!({"id": claimed["id"]})).await;
        twins.ask("getOwnDevice", token, json!({})).await.expect_err("it is revoked");
    }
    twins.well("getDevice", mine, json!({"id": claimed["id"]})).await;
    twins.well("listDevices", mine, json!({"limit": 1})).await;
    twins.well("listUserDevices", root, json!({"owner_id": claimed["owner_id"], "status": "revoked"})).await;
}

async fn walk_the_way_out(twins: &Twins) {
    let mine = twins.sign_in(ADA, "a third tram, neither quiet").await;
    twins.well("changeEmail", Some(&mine), json!({"new_email": "ada.l@example.org"})).await;
    let token = twins.mailed("ada.l@example.org", "email_change").await;
    twins.well("confirmEmail", None, json!({ "token": token })).await;
    let token = twins.mailed(ADA, "email_changed").await;
    twins.well("undoEmail", None, json!({ "token": token })).await;
    let token = twins.mailed(ADA, "password_reset").await;
    let fresh = "a fourth tram, as loud as can be";
    twins.well("resetPassword", None, json!({"token": token, "new_password": fresh})).await;
    let mine = twins.sign_in(ADA, fresh).await;
    twins.well("deactivateMe", Some(&mine), json!({"password": fresh})).await;
    let token = twins.mailed(ADA, "account_deactivated").await;
    twins.well("reactivate", None, json!({ "token": token })).await;
    let mine = twins.sign_in(ADA, fresh).await;
    twins.well("deleteMe", Some(&mine), json!({"password": fresh})).await;
}

async fn every_operation_refuses_as_its_route_does(db: Db) {
    let twins = Twins::new(db).await;
    let root = twins.root().await;
    for site in [&twins.http, &twins.plain] {
        site.factory.user_at(ADA).await.unwrap();
    }
    let mine = twins.sign_in(ADA, Factory::PASSWORD).await;
    let id = "0192f0c1a4b87c3d9e5f60718293a4b5";
    for route in &twins.routes {
        let name = route.operation_id.as_str();
        let kind = match route.path.as_str() {
            path if path.starts_with("/v1/me/sessions/") => "ses_",
            path if path.starts_with("/v1/roles/") => "rol_",
            path if path.starts_with("/v1/admin/audit/") => "aud_",
            path if path.starts_with("/v1/devices/claims/") => "clm_",
            path if path.starts_with("/v1/devices/") || path.starts_with("/v1/admin/devices/") => "dev_",
            _ => "usr_",
        };
        let with = |extra: Value| {
            let mut arguments = Map::new();
            if route.path.contains("{id}") {
                arguments.insert("id".into(), format!("{kind}{id}").into());
            }
            if route.path.contains("{role_id}") {
                arguments.insert("role_id".into(), format!("rol_{id}").into());
            }
            arguments.extend(extra.as_object().cloned().unwrap());
            Value::Object(arguments)
        };
        if route.access.needs_token() {
            for token in [None, Some("nonsense")] {
                twins.ask(name, token, with(json!({}))).await.expect_err("signed out");
            }
        }
        let token = route.access.needs_token().then_some(root.as_str());
        twins.ask(name, token, with(json!({"nothing_takes_this": 1}))).await.expect_err("unknown");
        if matches!(route.access, crate::Access::Permission(_)) {
            twins.ask(name, Some(&mine), with(json!({}))).await.expect_err("not permitted");
        }
        for place in ["id", "role_id"].into_iter().filter(|place| route.path.contains(&format!("{{{place}}}"))) {
            let mut arguments = with(json!({}));
            arguments[place] = "ten_0".into();
            twins.ask(name, token, arguments).await.expect_err("no id of this kind");
            // Where the id is one, but of nothing. Both must say the same, whatever it is.
            let _ = twins.ask(name, token, with(json!({}))).await;
        }
        for parameter in &route.query {
            let mut arguments = with(json!({}));
            arguments[parameter] = "\u{0}".into();
            twins.ask(name, token, arguments).await.expect_err("not text");
            let mut arguments = with(json!({}));
            arguments[parameter] = "+5".into();
            let _ = twins.ask(name, token, arguments).await;
        }
    }
    for (name, arguments) in [
        ("login", json!({"email": ADA})),
        ("login", json!({"email": 5, "password": "x"})),
        ("login", json!({"email": "a\u{0}", "password": "x"})),
        ("login", json!({"email": ADA, "password": "wrong"})),
        ("register", json!({"email": "b@example.org", "password": "short"})),
        ("register", json!({"email": "b@example.org", "password": PASSWORD, "profile": 5})),
        ("verifyEmail", json!({"token": "akv_x"})),
        ("refresh", json!({"refresh_token": "akr_x"})),
    ] {
        twins.ask(name, None, arguments).await.expect_err("refused");
    }
}
