//! The OpenAPI document, and that it says what is so.

use super::Site;
use crate::{openapi_json, routes};
use authkit_testkit::{databases::Db, on_both_engines};
use serde_json::Value;
use std::collections::BTreeSet;

on_both_engines! {
    swagger_ui_is_served_from_the_binary_under_a_policy_that_fits
    discovery_names_only_what_exists
    discovery_names_every_claim_and_every_algorithm_that_still_counts
    documentation_is_named_only_where_it_is_served
    metrics_count_by_route_template
    larger_lists_are_compressed_and_tokens_never
}

fn document() -> Value {
    serde_json::from_str(&openapi_json()).unwrap()
}

/// `docs/openapi.json` is what the code says. `make generated` writes it.
#[test]
fn the_committed_openapi_document_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
    let now = openapi_json();
    if std::env::var_os("AUTHKIT_UPDATE").is_some() {
        std::fs::write(path, &now).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap_or_default() == now,
        "docs/openapi.json is not what the code says: run `make generated` and commit the result"
    );
}

#[test]
fn the_document_is_3_1_and_describes_every_route_once() {
    let document = document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    let mut documented = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            documented.insert(format!("{} {path}", method.to_uppercase()));
            assert!(operation["x-authkit-access"].is_string(), "{method} {path}");
            assert!(operation["summary"].is_string(), "{method} {path}");
        }
    }
    let routed: BTreeSet<String> = routes().iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    assert_eq!(documented, routed);
    let ids: BTreeSet<String> = routes().into_iter().map(|route| route.operation_id).collect();
    assert_eq!(ids.len(), routed.len());
}

#[test]
fn every_reference_leads_somewhere_and_every_body_has_an_example() {
    let document = document();
    fn walk(value: &Value, document: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(reference)) = fields.get("$ref") {
                    assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
                }
                fields.values().for_each(|item| walk(item, document));
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, document)),
            _ => {}
        }
    }
    walk(&document, &document);
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            if let Some(body) = operation.get("requestBody") {
                assert!(body["content"]["application/json"]["example"].is_object(), "{}", operation["operationId"]);
            }
        }
    }
}

#[test]
fn a_body_that_may_be_left_out_is_no_null() {
    let document = document();
    let body = &document["paths"]["/v1/auth/logout"]["post"]["requestBody"];
    assert_eq!(body["content"]["application/json"]["schema"]["$ref"], "#/components/schemas/LogoutRequest", "{body}");
    assert_ne!(body["required"], true);
}

#[test]
fn guarded_routes_document_their_refusals() {
    let document = document();
    for route in routes() {
        let operation = &document["paths"][&route.path][route.method.as_str().to_lowercase()];
        let has = |status: &str| !operation["responses"][status].is_null();
        assert!(has("401") || route.access == crate::Access::Public, "{}", route.path);
        if route.access.needs_token() {
            assert!(has("401") && !operation["security"].as_array().unwrap().is_empty(), "{}", route.path);
        }
        if matches!(route.access, crate::Access::Permission(_)) {
            assert!(has("403"), "{}", route.path);
        }
        assert!(has("500"), "{}", route.path);
    }
}

async fn swagger_ui_is_served_from_the_binary_under_a_policy_that_fits(db: Db) {
    let site = Site::new(db).await;
    site.get("/api/docs", None).await.is(308);
    let page = site.get("/api/docs/", None).await.is(200);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.header("content-security-policy").contains("script-src 'self'"));
    let html = String::from_utf8(page.body).unwrap();
    // A script within the page would be stopped by the policy, and one from elsewhere needs the network.
    assert!(!html.contains("<script>") && !html.contains("http://") && !html.contains("https://"), "{html}");
    for file in ["swagger-ui.css", "swagger-ui-bundle.js", "swagger-initializer.js"] {
        let answer = site.get(&format!("/api/docs/{file}"), None).await.is(200);
        if file == "swagger-initializer.js" {
            assert!(String::from_utf8_lossy(&answer.body).contains("/api/openapi.json"));
        }
    }
    site.get("/api/docs/nothing.js", None).await.refused(404, "request.route_not_found");
    let served = site.get("/api/openapi.json", None).await.is(200);
    assert_eq!(served.json(), document());
}

async fn discovery_names_only_what_exists(db: Db) {
    let site = Site::new(db).await;
    let view = site.get("/.well-known/openid-configuration", None).await.is(200).json();
    let base = view["issuer"].as_str().unwrap();
    for (name, value) in view.as_object().unwrap() {
        if let Some(url) = value.as_str().filter(|url| name != "issuer" && url.starts_with("http")) {
            site.get(url.strip_prefix(base).unwrap(), None).await.is(200);
        }
    }
    let keys = site.get("/.well-known/jwks.json", None).await.is(200).json();
    let key = &keys["keys"][0];
    assert_eq!((&key["kty"], key.get("d")), (&"OKP".into(), None), "{key}");
}

async fn discovery_names_every_claim_and_every_algorithm_that_still_counts(db: Db) {
    use authkit_core::{Origin, tenants::DEFAULT_TENANT};
    use authkit_engine::config::Algorithm;
    use std::sync::Arc;

    let database = Arc::new(super::database(db));
    let keyed = |config: &mut authkit_engine::Config| {
        let master = "9f8a1c5be3d7420616fb0e94d2a87735c1bb40e96ad35f08e2714f9d83c6a05b";
        config.keys.master.insert(1, master.into());
    };
    let site = Site::over(database.clone(), keyed, |builder| builder).await;
    let (_, tokens) = site.signed_in("ada@example.org").await;
    let discovery = async |site: &Site| site.get("/.well-known/openid-configuration", None).await.is(200).json();
    let view = discovery(&site).await;
    let payload = tokens.access_token.expose().split('.').nth(1).unwrap().to_owned();
    let payload = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, payload).unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    let listed = view["claims_supported"].as_array().unwrap();
    for claim in claims.as_object().unwrap().keys() {
        assert!(listed.iter().any(|name| name == claim), "{claim}");
    }
    assert_eq!(view["id_token_signing_alg_values_supported"], serde_json::json!(["EdDSA"]));

    // The setting changes: both keys verify until the last token of the first has run out.
    let site = Site::over(
        database,
        |config| {
            keyed(config);
            config.tokens.algorithm = Algorithm::Es256;
        },
        |builder| builder,
    )
    .await;
    site.engine.sessions().rotate_key_now(&Origin::local(DEFAULT_TENANT)).await.unwrap();
    let algorithms = discovery(&site).await["id_token_signing_alg_values_supported"].clone();
    assert_eq!(algorithms, serde_json::json!(["ES256", "EdDSA"]));
    site.clock.advance(jiff::SignedDuration::from_mins(60));
    site.engine.sessions().ensure_keys().await.unwrap();
    assert_eq!(discovery(&site).await["id_token_signing_alg_values_supported"], serde_json::json!(["ES256"]));
}

async fn documentation_is_named_only_where_it_is_served(db: Db) {
    let docs = |config: &mut authkit_engine::Config| config.operations.docs = Some(false);
    for site in [
        Site::with(db, docs).await,
        Site::with(db, |config| config.operations.listen = Some("127.0.0.1:0".parse().unwrap())).await,
    ] {
        let view = site.get("/.well-known/openid-configuration", None).await.is(200).json();
        assert!(view.get("service_documentation").is_none(), "{view}");
        site.get("/api/docs/", None).await.is(404);
    }
    let view = Site::new(db).await.get("/.well-known/openid-configuration", None).await.is(200).json();
    assert!(view["service_documentation"].as_str().unwrap().ends_with("/api/docs/"), "{view}");
}

async fn metrics_count_by_route_template(db: Db) {
    let site = Site::new(db).await;
    let admin = site.admin().await;
    site.get("/v1/roles/rol_0192f0c1a4b87c3d9e5f60718293a4b5", Some(&admin)).await.is(404);
    site.get("/nothing/at/all", None).await.is(404);
    let text = String::from_utf8(site.get("/metrics", None).await.is(200).body).unwrap();
    let line = r#"authkit_http_requests_total{method="GET",route="/v1/roles/{id}",status="404"} 1"#;
    assert!(text.contains(line), "{text}");
    assert!(text.contains(r#"route="unmatched",status="404"} 1"#), "{text}");
    assert!(!text.contains("rol_0192") && !text.contains("nothing/at/all"));
}

async fn larger_lists_are_compressed_and_tokens_never(db: Db) {
    use super::request;
    let site = Site::new(db).await;
    let admin = site.admin().await;
    for _ in 0..5 {
        site.factory.user().await.unwrap();
    }
    let ask = |path: &str, token: Option<&str>| {
        let mut asked = request(http::Method::GET, path, token, None);
        asked.headers_mut().insert("accept-encoding", "gzip".parse().unwrap());
        asked
    };
    assert_eq!(site.send(ask("/v1/admin/users", Some(&admin))).await.is(200).header("content-encoding"), "gzip");
    assert_eq!(site.send(ask("/api/openapi.json", None)).await.is(200).header("content-encoding"), "gzip");
    let body =
        serde_json::json!({"email": "root@example.org", "password": authkit_testkit::factories::Factory::PASSWORD});
    let mut login = request(http::Method::POST, "/v1/auth/login", None, Some(body));
    login.headers_mut().insert("accept-encoding", "gzip".parse().unwrap());
    assert_eq!(site.send(login).await.is(200).header("content-encoding"), "");
}
