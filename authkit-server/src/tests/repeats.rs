//! Idempotency keys, entity tags and preconditions.

use super::{Answer, Site, request};
use authkit_testkit::{databases::Db, on_both_engines};
use http::Method;
use serde_json::{Value, json};

on_both_engines! {
    a_repeat_under_the_same_key_gets_the_first_answer
    a_key_belongs_to_one_request_of_one_user
    path_and_precondition_belong_to_the_request
    a_refused_request_can_be_corrected_under_the_same_key
    what_a_mailed_token_does_can_be_repeated_under_a_key
    what_ends_ones_own_session_can_be_repeated_under_a_key
    what_ends_no_session_is_told_to_none_that_has_ended
    a_password_change_can_be_repeated_under_a_key
    an_unreadable_key_is_refused
    an_unchanged_resource_is_not_sent_again
    a_change_based_on_an_old_version_is_refused
    a_user_as_administrators_see_it_has_a_tag_of_all_that_is_shown
    a_role_that_has_changed_since_it_was_read_is_not_deleted
}

async fn keyed(site: &Site, method: Method, path: &str, token: &str, key: &str, body: Option<Value>) -> Answer {
    let mut asked = request(method, path, Some(token), body);
    asked.headers_mut().insert("idempotency-key", key.parse().unwrap());
    site.send(asked).await
}

async fn a_repeat_under_the_same_key_gets_the_first_answer(db: Db) {
    let site = Site::new(db).await;
    let admin = site.admin().await;
    let body = || Some(json!({"name": "editor", "permissions": ["users:read"]}));
    let first = keyed(&site, Method::POST, "/v1/roles", &admin, "k-1", body()).await.is(201);
    let again = keyed(&site, Method::POST, "/v1/roles", &admin, "k-1", body()).await.is(201);
    assert_eq!(first.json(), again.json());
    assert_eq!(first.header("etag"), again.header("etag"));
    assert_eq!(first.header("location"), again.header("location"));
    assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), ("", "true"));
    let list = site.get("/v1/roles", Some(&admin)).await.is(200).json();
    assert_eq!(list["data"].as_array().unwrap().iter().filter(|role| role["name"] == "editor").count(), 1);
}

async fn a_key_belongs_to_one_request_of_one_user(db: Db) {
    let site = Site::new(db).await;
    let admin = site.admin().await;
    let body = |name: &str| Some(json!({ "name": name }));
    keyed(&site, Method::POST, "/v1/roles", &admin, "k-1", body("one")).await.is(201);
    let other = keyed(&site, Method::POST, "/v1/roles", &admin, "k-1", body("two")).await;
    other.refused(422, "request.idempotency_mismatch");
    site.factory.administrator("second@example.org").await.unwrap();
    let second = site.factory.sign_in("second@example.org").await.unwrap().0;
    let answer = keyed(&site, Method::POST, "/v1/roles", second.access_token.expose(), "k-1", body("two")).await;
    assert_eq!(answer.is(201).header("idempotency-replayed"), "");
}

async fn path_and_precondition_belong_to_the_request(db: Db) {
    let site = Site::new(db).await;
    let admin = site.admin().await;
    let mut paths = Vec::new();
    for name in ["one", "two"] {
        let role = site.post("/v1/roles", Some(&admin), json!({ "name": name })).await.is(201).json();
        paths.push(format!("/v1/roles/{}", role["id"].as_str().unwrap()));
    }
    let body = || Some(json!({"description": "changed"}));
    keyed(&site, Method::PATCH, &paths[0], &admin, "k-1", body()).await.is(200);
    let other = keyed(&site, Method::PATCH, &paths[1], &admin, "k-1", body()).await;
    other.refused(422, "request.idempotency_mismatch");
    let mut conditional = request(Method::PATCH, &paths[0], Some(&admin), body());
    conditional.headers_mut().insert("idempotency-key", "k-1".parse().unwrap());
    conditional.headers_mut().insert("if-match", "\"1\"".parse().unwrap());
    site.send(conditional).await.refused(422, "request.idempotency_mismatch");
}

async fn a_refused_request_can_be_corrected_under_the_same_key(db: Db) {
    let site = Site::new(db).await;
    let admin = site.admin().await;
    let wrong = Some(json!({"name": "editor", "permissions": ["no:such"]}));
    let refused = keyed(&site, Method::POST, "/v1/roles", &admin, "k-1", wrong).await;
    assert_eq!(refused.status, 422);
    keyed(&site, Method::POST, "/v1/roles", &admin, "k-1", Some(json!({"name": "editor"}))).await.is(201);
}

/// A request without a token under a key.
async fn anonymous(site: &Site, path: &str, body: Value) -> Answer {
    let mut asked = request(Method::POST, path, None, Some(body));
    asked.headers_mut().insert("idempotency-key", "k-1".parse().unwrap());
    site.send(asked).await
}

async fn what_a_mailed_token_does_can_be_repeated_under_a_key(db: Db) {
    let site = Site::new(db).await;
    let (email, password) = ("ada@example.org", "a quiet orange tram 17");
    site.post("/v1/auth/register", None, json!({"email": email, "password": password})).await.is(202);
    let verify = json!({"token": site.mailed(email, "verify_email").await});
    let first = anonymous(&site, "/v1/auth/verify-email", verify.clone()).await.is(200);
    let again = anonymous(&site, "/v1/auth/verify-email", verify.clone()).await.is(200);
    assert_eq!(first.json(), again.json());
    // Without the key, or with another token under it, nothing is told.
    let path = "/v1/auth/verify-email";
    site.post(path, None, verify).await.refused(400, "auth.invalid_token_or_expired");
    let other = anonymous(&site, path, json!({"token": "akv_AAAAAQ"})).await;
    other.refused(422, "request.idempotency_mismatch");

    site.post("/v1/auth/password/forgot", None, json!({ "email": email })).await.is(202);
    let token = site.mailed(email, "password_reset").await;
    let reset = json!({"token": token, "new_password": "another quiet orange tram 18"});
    for replayed in ["", "true"] {
        let answer = anonymous(&site, "/v1/auth/password/reset", reset.clone()).await.is(204);
        assert_eq!(answer.header("idempotency-replayed"), replayed);
    }

    let sign_in = json!({"email": email, "password": "another quiet orange tram 18"});
    let tokens = site.post("/v1/auth/login", None, sign_in).await.is(200).json();
    let change = json!({"new_email": "new@example.org"});
    site.post("/v1/me/email", tokens["access_token"].as_str(), change).await.is(202);
    let confirm = json!({"token": site.mailed("new@example.org", "email_change").await});
    let undo = |site: &Site| {
        let site = site.mailer.clone();
        site.token(email, "email_changed")
    };
    for replayed in ["", "true"] {
        let answer = anonymous(&site, "/v1/auth/email/confirm", confirm.clone()).await.is(204);
        assert_eq!(answer.header("idempotency-replayed"), replayed);
    }
    site.factory.deliver(&site.mailer).await.unwrap();
    let undo = json!({"token": undo(&site).unwrap().expose()});
    for replayed in ["", "true"] {
        let answer = anonymous(&site, "/v1/auth/email/undo", undo.clone()).await.is(204);
        assert_eq!(answer.header("idempotency-replayed"), replayed);
    }
}

async fn what_ends_ones_own_session_can_be_repeated_under_a_key(db: Db) {
    let password = authkit_testkit::factories::Factory::PASSWORD;
    let body = || Some(json!({ "password": password }));
    for (path, email) in [("/v1/me/deactivate", "ada@example.org"), ("/v1/me/delete", "bob@example.org")] {
        let site = Site::new(db).await;
        let (_, tokens) = site.signed_in(email).await;
        let token = tokens.access_token.expose();
        keyed(&site, Method::POST, path, token, "k-1", body()).await.is(204);
        let again = keyed(&site, Method::POST, path, token, "k-1", body()).await.is(204);
        assert_eq!(again.header("idempotency-replayed"), "true");
        site.engine.tenants().create("acme", "Acme", &[], Default::default()).await.unwrap();
        let mut elsewhere = request(Method::POST, path, Some(token), body());
        elsewhere.headers_mut().insert("idempotency-key", "k-1".parse().unwrap());
        elsewhere.headers_mut().insert("x-authkit-tenant", "acme".parse().unwrap());
        site.send(elsewhere).await.refused(401, "auth.invalid_token");
        // Whatever differs is refused like any token of a session that has ended.
        let other = Some(json!({"password": "something else"}));
        for answer in [
            keyed(&site, Method::POST, path, token, "k-2", body()).await,
            keyed(&site, Method::POST, path, token, "k-1", other).await,
            keyed(&site, Method::POST, path, &format!("{token}x"), "k-1", body()).await,
            site.call(Method::POST, path, Some(token), body()).await,
        ] {
            answer.refused(401, "auth.invalid_token");
        }
        site.clock.advance(jiff::SignedDuration::from_mins(20));
        keyed(&site, Method::POST, path, token, "k-1", body()).await.refused(401, "auth.invalid_token");
    }
    let site = Site::new(db).await;
    let (_, tokens) = site.signed_in("ada@example.org").await;
    let (token, path) = (tokens.access_token.expose(), format!("/v1/me/sessions/{}", tokens.session_id));
    for _ in 0..2 {
        keyed(&site, Method::DELETE, &path, token, "k-1", None).await.is(204);
    }
}

async fn what_ends_no_session_is_told_to_none_that_has_ended(db: Db) {
    let site = Site::new(db).await;
    let admin = site.admin().await;
    let (user, _) = site.signed_in("ada@example.org").await;
    let path = format!("/v1/admin/users/{}/unlock", user.id);
    for replayed in ["", "true"] {
        let answer = keyed(&site, Method::POST, &path, &admin, "k-1", None).await.is(200);
        assert_eq!(answer.header("idempotency-replayed"), replayed);
    }
    site.post("/v1/auth/logout", Some(&admin), json!({})).await.is(204);
    keyed(&site, Method::POST, &path, &admin, "k-1", None).await.refused(401, "auth.invalid_token");
}

async fn a_password_change_can_be_repeated_under_a_key(db: Db) {
    let site = Site::new(db).await;
    let (_, tokens) = site.signed_in("ada@example.org").await;
    let token = tokens.access_token.expose();
    let current = authkit_testkit::factories::Factory::PASSWORD;
    let body = || Some(json!({"current_password": current, "new_password": "another quiet orange tram 18"}));
    let path = "/v1/auth/password/change";
    for replayed in ["", "true"] {
        let answer = keyed(&site, Method::POST, path, token, "k-1", body()).await.is(204);
        assert_eq!(answer.header("idempotency-replayed"), replayed);
    }
    keyed(&site, Method::POST, path, token, "k-2", body()).await.refused(401, "auth.invalid_credentials");
}

/// Answers that hold tokens, codes or secrets are not kept, not even sealed.
#[test]
fn no_answer_with_a_secret_in_it_is_kept() {
    let document: Value = serde_json::from_str(&crate::openapi_json()).unwrap();
    for route in crate::routes().iter().filter(|route| route.idempotent) {
        let operation = &document["paths"][&route.path][route.method.as_str().to_lowercase()];
        let text = operation["responses"].to_string();
        for secret in ["TokensView", "LoginView", "BackupCodesView", "TotpEnrolmentView"] {
            assert!(!text.contains(secret), "{} {}", route.method, route.path);
        }
    }
}

async fn an_unreadable_key_is_refused(db: Db) {
    let site = Site::new(db).await;
    let admin = site.admin().await;
    let mut twice = request(Method::POST, "/v1/roles", Some(&admin), Some(json!({"name": "x"})));
    for key in ["k-1", "k-2"] {
        twice.headers_mut().append("idempotency-key", key.parse().unwrap());
    }
    site.send(twice).await.refused(400, "request.malformed");
    let long = "k".repeat(256);
    for key in ["two words", &long] {
        let answer = keyed(&site, Method::POST, "/v1/roles", &admin, key, Some(json!({"name": "x"}))).await;
        answer.refused(400, "request.malformed");
    }
}

async fn an_unchanged_resource_is_not_sent_again(db: Db) {
    let site = Site::new(db).await;
    let (_, tokens) = site.signed_in("ada@example.org").await;
    let token = tokens.access_token.expose();
    let first = site.get("/v1/me", Some(token)).await.is(200);
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with('"'), "{tag}");
    let mut again = request(Method::GET, "/v1/me", Some(token), None);
    again.headers_mut().insert("if-none-match", tag.parse().unwrap());
    let again = site.send(again).await.is(304);
    assert_eq!((again.body.len(), again.header("etag")), (0, tag.as_str()));
}

async fn a_change_based_on_an_old_version_is_refused(db: Db) {
    let site = Site::new(db).await;
    let (_, tokens) = site.signed_in("ada@example.org").await;
    let token = tokens.access_token.expose();
    let tag = site.get("/v1/me", Some(token)).await.is(200).header("etag").to_owned();
    let patch = |tag: &str, name: &str| {
        let mut asked = request(Method::PATCH, "/v1/me", Some(token), Some(json!({ "name": name })));
        asked.headers_mut().insert("if-match", tag.parse().unwrap());
        asked
    };
    let changed = site.send(patch(&tag, "Ada")).await.is(200);
    assert_ne!(changed.header("etag"), tag);
    site.send(patch(&tag, &"e".repeat(2_000))).await.refused(422, "request.validation_failed");
    site.send(patch(&tag, "Eve")).await.refused(412, "request.precondition_failed");
    site.send(patch(&format!("W/{}", changed.header("etag")), "Eve")).await.refused(412, "request.precondition_failed");
    site.send(patch(&format!("\"77\", {}", changed.header("etag")), "Ada L.")).await.is(200);
    assert_eq!(site.get("/v1/me", Some(token)).await.json()["name"], "Ada L.");
}

async fn a_user_as_administrators_see_it_has_a_tag_of_all_that_is_shown(db: Db) {
    let site = Site::new(db).await;
    let admin = site.admin().await;
    let (user, _) = site.signed_in("ada@example.org").await;
    let path = format!("/v1/admin/users/{}", user.id);
    let ask = async |tag: &str| {
        let mut asked = request(Method::GET, &path, Some(&admin), None);
        asked.headers_mut().insert("if-none-match", tag.parse().unwrap());
        site.send(asked).await
    };
    let tag = site.get(&path, Some(&admin)).await.is(200).header("etag").to_owned();
    assert!(ask(&tag).await.is(304).body.is_empty());
    // The user's own version does not grow with a role, but what is shown differs.
    let role = site.factory.role("editor", &["users:read"]).await.unwrap();
    let assigned = format!("/v1/users/{}/roles/{}", user.id, role.id);
    site.call(Method::PUT, &assigned, Some(&admin), None).await.is(204);
    assert_ne!(ask(&tag).await.is(200).header("etag"), tag);
    for change in ["deactivate", "activate", "unlock"] {
        let changed = site.call(Method::POST, &format!("{path}/{change}"), Some(&admin), None).await.is(200);
        assert_eq!(ask(changed.header("etag")).await.status, 304, "{change}");
    }
}

async fn a_role_that_has_changed_since_it_was_read_is_not_deleted(db: Db) {
    let site = Site::new(db).await;
    let admin = site.admin().await;
    let made = site.post("/v1/roles", Some(&admin), json!({"name": "editor"})).await.is(201);
    let (path, old) = (made.header("location").to_owned(), made.header("etag").to_owned());
    let changed = site.call(Method::PATCH, &path, Some(&admin), Some(json!({"description": "Edits"}))).await.is(200);
    let delete = |tag: &str| {
        let mut asked = request(Method::DELETE, &path, Some(&admin), None);
        asked.headers_mut().insert("if-match", tag.parse().unwrap());
        asked
    };
    // What is wrong with the request itself comes first.
    let mut wrong = request(Method::PATCH, &path, Some(&admin), Some(json!({"name": ""})));
    wrong.headers_mut().insert("if-match", "nonsense".parse().unwrap());
    site.send(wrong).await.refused(422, "request.validation_failed");
    site.send(delete("nonsense")).await.refused(412, "request.precondition_failed");
    site.send(delete(&old)).await.refused(412, "request.precondition_failed");
    site.send(delete(changed.header("etag"))).await.is(204);
}
