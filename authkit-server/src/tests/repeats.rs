//! Idempotency keys, entity tags and preconditions.

use super::{Answer, Site, request};
use http::Method;
use serde_json::{Value, json};

async fn keyed(site: &Site, method: Method, path: &str, token: &str, key: &str, body: Option<Value>) -> Answer {
    let mut asked = request(method, path, Some(token), body);
    asked.headers_mut().insert("idempotency-key", key.parse().unwrap());
    site.send(asked).await
}

#[tokio::test]
async fn a_repeat_under_the_same_key_gets_the_first_answer() {
    let site = Site::new().await;
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

#[tokio::test]
async fn a_key_belongs_to_one_request_of_one_user() {
    let site = Site::new().await;
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

#[tokio::test]
async fn a_refused_request_can_be_corrected_under_the_same_key() {
    let site = Site::new().await;
    let admin = site.admin().await;
    let wrong = Some(json!({"name": "editor", "permissions": ["no:such"]}));
    let refused = keyed(&site, Method::POST, "/v1/roles", &admin, "k-1", wrong).await;
    assert_eq!(refused.status, 422);
    keyed(&site, Method::POST, "/v1/roles", &admin, "k-1", Some(json!({"name": "editor"}))).await.is(201);
}

#[tokio::test]
async fn an_unreadable_key_is_refused() {
    let site = Site::new().await;
    let admin = site.admin().await;
    let long = "k".repeat(256);
    for key in ["two words", &long] {
        let answer = keyed(&site, Method::POST, "/v1/roles", &admin, key, Some(json!({"name": "x"}))).await;
        answer.refused(400, "request.malformed");
    }
}

#[tokio::test]
async fn an_unchanged_resource_is_not_sent_again() {
    let site = Site::new().await;
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

#[tokio::test]
async fn a_change_based_on_an_old_version_is_refused() {
    let site = Site::new().await;
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
    site.send(patch(&tag, "Eve")).await.refused(412, "request.precondition_failed");
    site.send(patch(&format!("W/{}", changed.header("etag")), "Eve")).await.refused(412, "request.precondition_failed");
    site.send(patch(&format!("\"77\", {}", changed.header("etag")), "Ada L.")).await.is(200);
    assert_eq!(site.get("/v1/me", Some(token)).await.json()["name"], "Ada L.");
}

#[tokio::test]
async fn a_user_as_administrators_see_it_has_a_tag_of_all_that_is_shown() {
    let site = Site::new().await;
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

#[tokio::test]
async fn a_role_that_has_changed_since_it_was_read_is_not_deleted() {
    let site = Site::new().await;
    let admin = site.admin().await;
    let made = site.post("/v1/roles", Some(&admin), json!({"name": "editor"})).await.is(201);
    let (path, old) = (made.header("location").to_owned(), made.header("etag").to_owned());
    let changed = site.call(Method::PATCH, &path, Some(&admin), Some(json!({"description": "Edits"}))).await.is(200);
    let delete = |tag: &str| {
        let mut asked = request(Method::DELETE, &path, Some(&admin), None);
        asked.headers_mut().insert("if-match", tag.parse().unwrap());
        asked
    };
    site.send(delete(&old)).await.refused(412, "request.precondition_failed");
    site.send(delete(changed.header("etag"))).await.is(204);
}
