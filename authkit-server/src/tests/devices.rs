//! Devices over the whole router.

use super::{Site, request};
use crate::{DeviceCaller, SignedIn};
use authkit_core::memory::SystemRandom;
use authkit_testkit::{databases::Db, device::FakeDevice, on_both_engines};
use axum::{Router, body::Body, routing::get};
use http::{Method, Request};
use serde_json::{Value, json};
use tower::ServiceExt;

on_both_engines! {
    a_device_is_claimed_signs_in_beats_and_is_revoked
    refusals_are_problem_documents
    two_uses_of_a_challenge_at_the_same_moment_have_one_winner
    administration_lists_and_revokes
    a_devices_tenant_is_that_of_its_token
    devices_are_counted_by_themselves
    a_device_over_its_limit_costs_no_read
    a_host_application_knows_devices_from_users
    proofs_are_counted_in_the_metrics
}

async fn a_device_is_claimed_signs_in_beats_and_is_revoked(db: Db) {
    let site = Site::new(db).await;
    let (user, tokens) = site.signed_in("ada@example.org").await;
    let ada = Some(tokens.access_token.expose());
    let made = site.post("/v1/devices/claims", ada, json!({"name": "Greenhouse"})).await.is(201).json();
    let mut device = FakeDevice::new(&SystemRandom).unwrap();
    let code = made["code"].as_str().unwrap();
    let claimed = site.claim(&mut device, code).await.is(201).json();
    let id = claimed["device"]["id"].as_str().unwrap();
    assert_eq!(claimed["device"]["name"], "Greenhouse");
    assert_eq!(claimed["device"]["owner_id"], user.id.to_string());
    assert_eq!(claimed["device"]["algorithm"], "EdDSA");
    assert_eq!((&claimed["token_type"], &claimed["expires_in"]), (&json!("Bearer"), &json!(600)));
    let again = site.claim(&mut device, code).await.is(201).json();
    assert_eq!(again["device"], claimed["device"]);

    let token = site.device_token(&mut device, id).await.is(200).json();
    assert_eq!(token["device_id"], id);
    let token = token["access_token"].as_str();
    let beat = site.post("/v1/devices/heartbeat", token, json!({"status": "ok", "capabilities": ["ota"]})).await;
    assert_eq!(beat.is(200).json()["next_in"], 60);
    let own = site.get("/v1/devices/self", token).await.is(200).json();
    assert_eq!((&own["id"], &own["reported_status"]), (&json!(id), &json!("ok")));
    let path = format!("/v1/devices/{id}");
    assert_eq!(site.get(&path, ada).await.is(200).json(), own);
    assert_eq!(site.get("/v1/devices", ada).await.is(200).json()["data"], json!([own]));
    let named = site.call(Method::PATCH, &path, ada, Some(json!({"name": "Shed"}))).await.is(200).json();
    assert_eq!(named["name"], "Shed");

    let told = site.mailed_text("ada@example.org", "device_claimed").await;
    assert!(told.contains("    Greenhouse") && told.contains("claim code that was made there"), "{told}");
    site.call(Method::DELETE, &path, ada, None).await.is(204);
    site.call(Method::DELETE, &path, ada, None).await.is(204);
    site.get("/v1/devices/self", token).await.refused(401, "auth.invalid_token");
    site.device_token(&mut device, id).await.refused(401, "device.invalid_proof");
    assert_eq!(site.get(&path, ada).await.is(200).json()["status"], "revoked");
}

async fn refusals_are_problem_documents(db: Db) {
    let site = Site::new(db).await;
    let (_, tokens) = site.signed_in("ada@example.org").await;
    let ada = Some(tokens.access_token.expose());
    let mut device = FakeDevice::new(&SystemRandom).unwrap();
    site.claim(&mut device, "0000-0000-0000").await.refused(400, "device.invalid_claim");
    let challenge = site.device_token(&mut device, "dev_0192f0c1a4b87c3d9e5f60718293a4b5").await;
    let answer = challenge.refused(401, "device.invalid_proof");
    assert!(answer.header("www-authenticate").starts_with("Bearer"));
    for id in ["dev_0192f0c1a4b87c3d9e5f60718293a4b5", "clm_0192f0c1a4b87c3d9e5f60718293a4b5"] {
        let path = if id.starts_with("dev") { format!("/v1/devices/{id}") } else { format!("/v1/devices/claims/{id}") };
        let code = if id.starts_with("dev") { "device.not_found" } else { "device.claim_not_found" };
        site.call(Method::DELETE, &path, ada, None).await.refused(404, code);
    }
    for body in [
        json!({"purpose": "party", "nonce": "A"}),
        json!({"purpose": "token", "nonce": "A".repeat(22)}),
        json!({"purpose": "token", "nonce": "A".repeat(22), "device_id": "usr_0192f0c1a4b87c3d9e5f60718293a4b5"}),
        json!({"purpose": "claim", "nonce": "A".repeat(22), "algorithm": "RS256", "public_key": "A".repeat(43)}),
    ] {
        site.post("/v1/devices/challenge", None, body).await.refused(422, "request.validation_failed");
    }
    for _ in 0..10 {
        site.post("/v1/devices/claims", ada, json!({})).await.is(201);
    }
    site.post("/v1/devices/claims", ada, json!({})).await.refused(409, "device.quota_reached");
}

async fn two_uses_of_a_challenge_at_the_same_moment_have_one_winner(db: Db) {
    let site = Site::new(db).await;
    let (_, tokens) = site.signed_in("ada@example.org").await;
    let ada = Some(tokens.access_token.expose());
    let made = site.post("/v1/devices/claims", ada, json!({})).await.is(201).json();
    let mut device = FakeDevice::new(&SystemRandom).unwrap();
    let claimed = site.claim(&mut device, made["code"].as_str().unwrap()).await.is(201).json();
    let id = claimed["device"]["id"].as_str().unwrap().parse().unwrap();
    for _ in 0..5 {
        let asked = serde_json::to_value(device.ask_for_token(id)).unwrap();
        let challenge = site.post("/v1/devices/challenge", None, asked).await.is(200).json();
        let request = device.token(id, &serde_json::from_value(challenge).unwrap()).unwrap();
        let body = serde_json::to_value(request).unwrap();
        let uses = (0..8).map(|_| site.post("/v1/devices/token", None, body.clone()));
        let answers = futures_util::future::join_all(uses).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        for answer in answers.into_iter().filter(|answer| answer.status != 200) {
            answer.refused(401, "device.invalid_proof");
        }
    }
}

async fn administration_lists_and_revokes(db: Db) {
    let site = Site::new(db).await;
    let (user, tokens) = site.signed_in("ada@example.org").await;
    let admin = site.admin().await;
    let (_, id, token) = site.claimed_device(tokens.access_token.expose()).await;
    let list = async |query: &str| {
        let found = site.get(&format!("/v1/admin/devices{query}"), Some(&admin)).await.is(200).json();
        found["data"].as_array().unwrap().len()
    };
    assert_eq!((list("").await, list(&format!("?owner_id={}&status=active", user.id)).await), (1, 1));
    assert_eq!((list("?status=revoked").await, list("?owner_id=usr_0192f0c1a4b87c3d9e5f60718293a4b5").await), (0, 0));
    site.get("/v1/admin/devices?status=lost", Some(&admin)).await.refused(400, "request.invalid_filter");
    site.call(Method::DELETE, &format!("/v1/admin/devices/{id}"), Some(&admin), None).await.is(204);
    site.get("/v1/devices/self", Some(&token)).await.refused(401, "auth.invalid_token");
    assert_eq!(list("?status=revoked").await, 1);
}

async fn a_devices_tenant_is_that_of_its_token(db: Db) {
    let site = Site::new(db).await;
    let (_, acme) = site.factory.tenant("acme").await.unwrap();
    acme.user_at("ada@acme.example").await.unwrap();
    let (tokens, _) = acme.sign_in("ada@acme.example").await.unwrap();
    let made = site.post("/v1/devices/claims", Some(tokens.access_token.expose()), json!({})).await.is(201).json();
    let mut device = FakeDevice::new(&SystemRandom).unwrap();
    // The code belongs to another tenant than the host does.
    site.claim(&mut device, made["code"].as_str().unwrap()).await.refused(400, "device.invalid_claim");
    let at = async |path: &str, body: Value| {
        let mut asked = request(Method::POST, path, None, Some(body));
        asked.headers_mut().insert("x-authkit-tenant", "acme".parse().unwrap());
        site.send(asked).await
    };
    let asked = serde_json::to_value(device.ask_to_claim()).unwrap();
    let challenge = at("/v1/devices/challenge", asked).await.is(200).json();
    let answer = device.claim(made["code"].as_str().unwrap(), &serde_json::from_value(challenge).unwrap()).unwrap();
    let claimed = at("/v1/devices/claim", serde_json::to_value(answer).unwrap()).await.is(201).json();
    let token = claimed["access_token"].as_str();
    site.get("/v1/devices/self", token).await.is(200);
    let mut elsewhere = request(Method::GET, "/v1/devices/self", token, None);
    elsewhere.headers_mut().insert("x-authkit-tenant", "default".parse().unwrap());
    site.send(elsewhere).await.refused(400, "tenant.mismatch");
}

async fn devices_are_counted_by_themselves(db: Db) {
    let site = Site::with(db, |config| {
        config.rate_limits.enabled = true;
        config.rate_limits.write = authkit_engine::config::Rate::new(5, 60);
    })
    .await;
    let (_, tokens) = site.signed_in("ada@example.org").await;
    let (_, _, first) = site.claimed_device(tokens.access_token.expose()).await;
    let (_, _, second) = site.claimed_device(tokens.access_token.expose()).await;
    for _ in 0..5 {
        site.post("/v1/devices/heartbeat", Some(&first), json!({})).await.is(200);
    }
    site.post("/v1/devices/heartbeat", Some(&first), json!({})).await.refused(429, "request.rate_limited");
    site.post("/v1/devices/heartbeat", Some(&second), json!({})).await.is(200);
}

/// What is refused by a device's row counts under the device as well: the limit comes first, and over it nothing is read.
async fn a_device_over_its_limit_costs_no_read(db: Db) {
    let site = Site::with(db, |config| {
        config.rate_limits.enabled = true;
        config.rate_limits.write = authkit_engine::config::Rate::new(10, 60);
    })
    .await;
    let (_, tokens) = site.signed_in("ada@example.org").await;
    let ada = Some(tokens.access_token.expose());
    let (_, one, first) = site.claimed_device(tokens.access_token.expose()).await;
    let (_, two, second) = site.claimed_device(tokens.access_token.expose()).await;
    for id in [one, two] {
        site.call(Method::DELETE, &format!("/v1/devices/{id}"), ada, None).await.is(204);
    }
    for _ in 0..10 {
        site.post("/v1/devices/heartbeat", Some(&first), json!({})).await.refused(401, "auth.invalid_token");
    }
    site.post("/v1/devices/heartbeat", Some(&first), json!({})).await.refused(429, "request.rate_limited");
    site.post("/v1/devices/heartbeat", Some(&second), json!({})).await.refused(401, "auth.invalid_token");
}

async fn a_host_application_knows_devices_from_users(db: Db) {
    let site = Site::new(db).await;
    let (_, tokens) = site.signed_in("ada@example.org").await;
    let (_, id, device) = site.claimed_device(tokens.access_token.expose()).await;
    let app = Router::new()
        .route("/measure", get(|caller: DeviceCaller| async move { caller.device.to_string() }))
        .route("/hello", get(|caller: SignedIn| async move { caller.user.to_string() }))
        .with_state(site.engine.clone());
    let ask = async |path: &str, token: &str| {
        let request = Request::get(path).header("authorization", format!("Bearer {token}"));
        let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), 65_536).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    };
    assert_eq!(ask("/measure", &device).await, (200, id.clone()));
    for (path, token) in [("/measure", tokens.access_token.expose()), ("/hello", &device), ("/measure", "nonsense")] {
        let (status, body) = ask(path, token).await;
        assert_eq!(status, 401, "{path}");
        assert!(body.contains("auth.invalid_token"), "{body}");
    }
    let (_, user) = ask("/hello", tokens.access_token.expose()).await;
    assert!(user.starts_with("usr_"));
    site.call(Method::DELETE, &format!("/v1/devices/{id}"), Some(tokens.access_token.expose()), None).await.is(204);
    assert_eq!(ask("/measure", &device).await.0, 401);
}

async fn proofs_are_counted_in_the_metrics(db: Db) {
    crate::install_recorder();
    let site = Site::new(db).await;
    let mut device = FakeDevice::new(&SystemRandom).unwrap();
    site.device_token(&mut device, "dev_0192f0c1a4b87c3d9e5f60718293a4b5").await.is(401);
    let text = String::from_utf8(site.get("/metrics", None).await.is(200).body).unwrap();
    let counted = text.lines().find(|line| line.starts_with("authkit_device_proofs_total") && line.contains("failure"));
    assert!(counted.is_some_and(|line| line.contains(r#"purpose="token""#)), "{text}");
}
