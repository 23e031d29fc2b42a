//! The main paths through the API, as a client walks them.

use super::{Site, request};
use authkit_testkit::{authenticator, databases::Db, on_both_engines};
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

on_both_engines! {
    nobody_believes_to_be_in_browser_mode
    register_verify_sign_in_refresh_and_sign_out
    signing_out_never_refuses
    totp_from_enrolment_to_sign_in_with_a_backup_code
    roles_are_made_assigned_and_taken_away
    an_administrator_deactivates_and_the_audit_log_says_so
    an_administrator_reads_the_sessions_of_a_user
    roles_are_found_by_the_start_of_their_name_and_by_kind
    a_list_is_walked_page_by_page
    an_address_change_can_be_taken_back
    whoever_closes_an_account_gets_it_back_with_the_mailed_token
    mass_assignment_is_refused
    a_node_that_has_not_heard_of_revocations_for_a_while_is_not_ready
    mailed_links_never_take_the_host_of_a_request
}

const PASSWORD: &str = "a quiet orange tram 17";

async fn nobody_believes_to_be_in_browser_mode(db: Db) {
    let site = Site::new(db).await;
    site.factory.user_at("ada@example.org").await.unwrap();
    let with = |path: &str, mode: &str, body: Value| {
        let mut asked = request(Method::POST, path, None, Some(body));
        asked.headers_mut().insert("x-authkit-mode", mode.parse().unwrap());
        asked
    };
    let sign_in = json!({"email": "ada@example.org", "password": authkit_testkit::factories::Factory::PASSWORD});
    let attempt = json!({"mfa_token": "akm_x", "method": "totp", "code": "000000"});
    for mode in ["cookie", "Cookie", "", "bearer, cookie"] {
        for (path, body) in [
            ("/v1/auth/login", &sign_in),
            ("/v1/auth/mfa/verify", &attempt),
            ("/v1/auth/refresh", &json!({"refresh_token": "akr_x"})),
        ] {
            let refused = site.send(with(path, mode, body.clone())).await.refused(422, "request.validation_failed");
            assert_eq!(refused.json()["errors"][0]["field"], "X-AuthKit-Mode", "{path} {mode}");
            assert!(refused.headers.get("set-cookie").is_none());
        }
    }
    site.send(with("/v1/auth/login", "bearer", sign_in)).await.is(200);
}

async fn register_verify_sign_in_refresh_and_sign_out(db: Db) {
    let site = Site::new(db).await;
    let register = json!({"email": "Ada@Example.org", "password": PASSWORD, "name": "Ada"});
    let answer = site.post("/v1/auth/register", None, register.clone()).await.is(202);
    assert_eq!(answer.json(), json!({"status": "verification_required"}));
    let sign_in = json!({"email": "ada@example.org", "password": PASSWORD});
    site.post("/v1/auth/login", None, sign_in.clone()).await.refused(401, "auth.invalid_credentials");

    let token = site.mailed("Ada@example.org", "verify_email").await;
    let verified = site.post("/v1/auth/verify-email", None, json!({"token": token})).await.is(200).json();
    assert_eq!(verified["user"]["name"], "Ada");
    site.post("/v1/auth/verify-email", None, json!({"token": token}))
        .await
        .refused(400, "auth.invalid_token_or_expired");
    // A taken address answers alike.
    assert_eq!(site.post("/v1/auth/register", None, register).await.is(202).json(), answer.json());

    let tokens = site.post("/v1/auth/login", None, sign_in).await.is(200);
    assert_eq!(tokens.header("cache-control"), "no-store");
    let tokens = tokens.json();
    assert_eq!(tokens["token_type"], "Bearer");
    let access = tokens["access_token"].as_str().unwrap();
    let me = site.get("/v1/me", Some(access)).await.is(200).json();
    assert_eq!(me["id"], verified["user"]["id"]);

    let old = json!({"refresh_token": tokens["refresh_token"]});
    let fresh = site.post("/v1/auth/refresh", None, old.clone()).await.is(200).json();
    assert_ne!(fresh["refresh_token"], tokens["refresh_token"]);
    assert_eq!(site.post("/v1/auth/refresh", None, old).await.is(200).json()["refresh_token"], fresh["refresh_token"]);

    let sessions = site.get("/v1/me/sessions", Some(access)).await.is(200).json();
    assert_eq!(sessions["data"][0]["current"], true);
    site.post("/v1/auth/logout", None, json!({"refresh_token": fresh["refresh_token"]})).await.is(204);
    site.get("/v1/me", Some(access)).await.refused(401, "auth.invalid_token");
}

async fn signing_out_never_refuses(db: Db) {
    let site = Site::new(db).await;
    let path = "/v1/auth/logout";
    site.call(Method::POST, path, None, None).await.is(204);
    site.call(Method::POST, path, Some("nonsense"), None).await.is(204);
    site.post(path, Some("nonsense"), json!({"refresh_token": "nonsense"})).await.is(204);
    site.post(path, None, json!({})).await.is(204);
    // As browsers and some clients send nothing.
    let mut empty = request(Method::POST, path, None, None);
    empty.headers_mut().insert("content-type", "text/plain;charset=UTF-8".parse().unwrap());
    site.send(empty).await.is(204);
    let mut basic = request(Method::POST, path, None, None);
    basic.headers_mut().insert("authorization", "Basic eDp5".parse().unwrap());
    site.send(basic).await.is(204);
}

async fn totp_from_enrolment_to_sign_in_with_a_backup_code(db: Db) {
    let site = Site::new(db).await;
    let (_, tokens) = site.signed_in("ada@example.org").await;
    let token = tokens.access_token.expose();
    let enrolment = site.call(Method::POST, "/v1/me/mfa/totp", Some(token), None).await.is(201).json();
    assert!(enrolment["qr_svg"].as_str().unwrap().contains("<svg"));
    assert!(enrolment["qr_png"].as_str().unwrap().starts_with("data:image/png;base64,iVBORw0KGgo"));
    let code = |site: &Site| authenticator::code(enrolment["secret"].as_str().unwrap(), site.engine.context().now());
    site.post("/v1/me/mfa/totp/confirm", Some(token), json!({"code": "000000"}))
        .await
        .refused(401, "auth.invalid_mfa_code");
    let codes = site.post("/v1/me/mfa/totp/confirm", Some(token), json!({"code": code(&site)})).await.is(200).json();
    let codes = codes["backup_codes"].as_array().unwrap().clone();
    assert_eq!(codes.len(), 10);

    let sign_in = json!({"email": "ada@example.org", "password": authkit_testkit::factories::Factory::PASSWORD});
    let asked = site.post("/v1/auth/login", None, sign_in.clone()).await.is(200).json();
    assert_eq!(asked["mfa_required"], true);
    assert!(asked.get("access_token").is_none());
    let used = json!({"mfa_token": asked["mfa_token"], "method": "totp", "code": code(&site)});
    site.post("/v1/auth/mfa/verify", None, used).await.refused(401, "auth.invalid_mfa_code");
    let backup = |asked: &Value| json!({"mfa_token": asked["mfa_token"], "method": "backup_code", "code": codes[0]});
    site.post("/v1/auth/mfa/verify", None, backup(&asked)).await.is(200);
    let asked = site.post("/v1/auth/login", None, sign_in).await.is(200).json();
    site.post("/v1/auth/mfa/verify", None, backup(&asked)).await.refused(401, "auth.invalid_mfa_code");
    let status = site.get("/v1/me/mfa", Some(token)).await.is(200).json();
    assert_eq!(status, json!({"totp": true, "backup_codes_left": 9, "backup_codes_low": false}));
}

async fn roles_are_made_assigned_and_taken_away(db: Db) {
    let site = Site::new(db).await;
    let admin = site.admin().await;
    let (user, tokens) = site.signed_in("ada@example.org").await;
    let made =
        site.post("/v1/roles", Some(&admin), json!({"name": "reader", "permissions": ["users:read"]})).await.is(201);
    let role = made.json();
    assert_eq!(made.header("location"), format!("/v1/roles/{}", role["id"].as_str().unwrap()));
    let path = format!("/v1/users/{}/roles/{}", user.id, role["id"].as_str().unwrap());
    let token = tokens.access_token.expose();
    site.get("/v1/admin/users", Some(token)).await.refused(403, "auth.forbidden");
    site.call(Method::PUT, &path, Some(&admin), None).await.is(204);
    site.get("/v1/admin/users", Some(token)).await.is(200);
    let decision = site.post("/v1/permissions/check", Some(token), json!({"permission": "users:read"})).await.is(200);
    assert_eq!(decision.json()["allowed"], true);
    let role_path = format!("/v1/roles/{}", role["id"].as_str().unwrap());
    site.call(Method::DELETE, &role_path, Some(&admin), None).await.refused(409, "role.assigned");
    site.call(Method::DELETE, &path, Some(&admin), None).await.is(204);
    site.get("/v1/admin/users", Some(token)).await.refused(403, "auth.forbidden");
    site.call(Method::DELETE, &role_path, Some(&admin), None).await.is(204);
    site.get(&role_path, Some(&admin)).await.refused(404, "role.not_found");
}

async fn an_administrator_deactivates_and_the_audit_log_says_so(db: Db) {
    let site = Site::new(db).await;
    let admin = site.admin().await;
    let (user, tokens) = site.signed_in("ada@example.org").await;
    let path = format!("/v1/admin/users/{}", user.id);
    let view = site.call(Method::POST, &format!("{path}/deactivate"), Some(&admin), None).await.is(200).json();
    assert_eq!(view["status"], "deactivated");
    site.get("/v1/me", Some(tokens.access_token.expose())).await.refused(401, "auth.invalid_token");
    site.call(Method::POST, &format!("{path}/activate"), Some(&admin), None).await.is(200);
    site.call(Method::POST, &format!("{path}/unlock"), Some(&admin), None).await.is(200);
    site.call(Method::POST, &format!("{path}/mfa/reset"), Some(&admin), None)
        .await
        .refused(409, "mfa.totp_not_enrolled");
    site.call(Method::DELETE, &format!("{path}/sessions"), Some(&admin), None).await.is(200);
    let query = format!("/v1/admin/audit?action=user.deactivated&subject={}&outcome=success", user.id);
    let list = site.get(&query, Some(&admin)).await.is(200).json();
    assert_eq!(list["data"].as_array().unwrap().len(), 1, "{list}");
    let id = list["data"][0]["id"].as_str().unwrap();
    site.get(&format!("/v1/admin/audit/{id}"), Some(&admin)).await.is(200);
    let found = site.get("/v1/admin/users?email=ADA@&status=active&limit=5", Some(&admin)).await.is(200).json();
    assert_eq!(found["data"][0]["id"], user.id.to_string());
}

async fn an_administrator_reads_the_sessions_of_a_user(db: Db) {
    let site = Site::new(db).await;
    let admin = site.admin().await;
    let (user, tokens) = site.signed_in("ada@example.org").await;
    let list = site.get(&format!("/v1/admin/users/{}/sessions?limit=5", user.id), Some(&admin)).await.is(200).json();
    assert_eq!(list["data"][0]["id"], tokens.session_id.to_string());
    assert_eq!(list["data"][0]["current"], false);
}

async fn roles_are_found_by_the_start_of_their_name_and_by_kind(db: Db) {
    let site = Site::new(db).await;
    let admin = site.admin().await;
    for name in ["editor", "adviser"] {
        site.post("/v1/roles", Some(&admin), json!({ "name": name })).await.is(201);
    }
    for (query, found) in [
        ("name=ad", vec!["admin", "adviser"]),
        ("name=ad&system=true", vec!["admin"]),
        ("system=false", vec!["adviser", "editor"]),
    ] {
        let list = site.get(&format!("/v1/roles?{query}"), Some(&admin)).await.is(200).json();
        let names: Vec<&str> =
            list["data"].as_array().unwrap().iter().filter_map(|role| role["name"].as_str()).collect();
        assert_eq!(names, found, "{query}");
    }
    for wrong in ["system=yes", "name=", "nonsense=1"] {
        let answer = site.get(&format!("/v1/roles?{wrong}"), Some(&admin)).await;
        answer.refused(400, "request.invalid_filter");
    }
}

async fn a_list_is_walked_page_by_page(db: Db) {
    let site = Site::new(db).await;
    let admin = site.admin().await;
    for _ in 0..5 {
        site.factory.user().await.unwrap();
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = site.get(&format!("/v1/admin/users?limit=2{cursor}"), Some(&admin)).await.is(200).json();
        seen.extend(page["data"].as_array().unwrap().iter().map(|user| user["id"].to_string()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let distinct: BTreeSet<&String> = seen.iter().collect();
    assert_eq!((seen.len(), distinct.len()), (6, 6));
    site.get(&format!("/v1/roles?limit=2{cursor}"), Some(&admin)).await.refused(400, "request.invalid_cursor");
}

async fn an_address_change_can_be_taken_back(db: Db) {
    let site = Site::new(db).await;
    let (_, tokens) = site.signed_in("ada@example.org").await;
    let token = tokens.access_token.expose();
    site.post("/v1/me/email", Some(token), json!({"new_email": "new@example.org"})).await.is(202);
    let proof = site.mailed("new@example.org", "email_change").await;
    site.post("/v1/auth/email/confirm", None, json!({"token": proof})).await.is(204);
    let undo = site.mailed("ada@example.org", "email_changed").await;
    site.post("/v1/auth/email/undo", None, json!({"token": undo})).await.is(204);
    let sign_in = json!({"email": "ada@example.org", "password": authkit_testkit::factories::Factory::PASSWORD});
    site.post("/v1/auth/login", None, sign_in).await.refused(401, "auth.invalid_credentials");
    let reset = json!({"token": site.mailed("ada@example.org", "password_reset").await, "new_password": "a violet harbour 42 lantern"});
    site.post("/v1/auth/password/reset", None, reset).await.is(204);
    let sign_in = json!({"email": "ada@example.org", "password": "a violet harbour 42 lantern"});
    site.post("/v1/auth/login", None, sign_in).await.is(200);
}

async fn whoever_closes_an_account_gets_it_back_with_the_mailed_token(db: Db) {
    let site = Site::new(db).await;
    let sign_in = json!({"email": "ada@example.org", "password": authkit_testkit::factories::Factory::PASSWORD});
    let (_, mut tokens) = site.signed_in("ada@example.org").await;
    for (route, mail) in [("deactivate", "account_deactivated"), ("delete", "deletion_scheduled")] {
        // The sign-in is fresh, so that no password is asked for.
        site.post(&format!("/v1/me/{route}"), Some(tokens.access_token.expose()), json!({})).await.is(204);
        site.post("/v1/auth/login", None, sign_in.clone()).await.refused(401, "auth.invalid_credentials");
        let token = json!({"token": site.mailed("ada@example.org", mail).await});
        site.post("/v1/auth/reactivate", None, token.clone()).await.is(204);
        site.post("/v1/auth/reactivate", None, token).await.refused(400, "auth.invalid_token_or_expired");
        let answer = site.post("/v1/auth/login", None, sign_in.clone()).await.is(200).json();
        tokens.access_token = answer["access_token"].as_str().unwrap().into();
    }
}

async fn mass_assignment_is_refused(db: Db) {
    let site = Site::new(db).await;
    let (_, tokens) = site.signed_in("ada@example.org").await;
    let token = tokens.access_token.expose();
    for field in
        ["role", "roles", "email", "email_verified", "tenant_id", "status", "id", "version", "security_version"]
    {
        let patch = json!({"name": "x", field: "admin"});
        let answer = site.call(Method::PATCH, "/v1/me", Some(token), Some(patch)).await;
        let answer = answer.refused(422, "request.validation_failed");
        assert_eq!(answer.json()["errors"][0]["field"], field);
        let mut register = json!({"email": "x@example.org", "password": PASSWORD});
        if field != "email" {
            register[field] = json!(true);
            site.post("/v1/auth/register", None, register).await.refused(422, "request.validation_failed");
        }
    }
}

async fn a_node_that_has_not_heard_of_revocations_for_a_while_is_not_ready(db: Db) {
    let site = Site::new(db).await;
    site.get("/health/ready", None).await.is(200);
    site.clock.advance(jiff::SignedDuration::from_secs(10));
    site.get("/health/ready", None).await.refused(503, "server.unavailable");
    site.get("/health/live", None).await.is(200);
    site.engine.context().authority.poll(site.engine.context()).await.unwrap();
    site.get("/health/ready", None).await.is(200);
}

async fn mailed_links_never_take_the_host_of_a_request(db: Db) {
    let site = Site::with(db, |config| config.public_url = Some("http://localhost:8080".into())).await;
    site.signed_in("ada@example.org").await;
    for (name, value) in
        [("host", "evil.localhost"), ("x-forwarded-host", "evil.example"), ("forwarded", "host=evil.example")]
    {
        let body = json!({"email": "ada@example.org"});
        let mut asked = request(Method::POST, "/v1/auth/password/forgot", None, Some(body));
        asked.headers_mut().insert(name, value.parse().unwrap());
        site.send(asked).await.is(202);
    }
    site.factory.deliver(&site.mailer).await.unwrap();
    let mails = site.mailer.mails();
    assert!(mails.iter().any(|mail| mail.kind == "password_reset"));
    for mail in mails {
        assert!(!mail.text.contains("evil") && !mail.html.contains("evil"));
        assert!(mail.links.iter().all(|link| link.starts_with("http://localhost:8080/")), "{:?}", mail.links);
    }
}
