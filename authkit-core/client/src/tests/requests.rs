//! What a call looks like as HTTP, and what cannot be one.

use crate::{Answer, Call, Client, HttpParts, Operation, TransportError, TransportErrorKind, code};
use authkit_wire::Secret;
use serde_json::{Map, Value, json};

fn http(operation: &str, arguments: Value) -> Result<HttpParts, TransportError> {
    let Value::Object(arguments) = arguments else { panic!("an object") };
    Call::new(Operation::find(operation).unwrap(), &arguments).http()
}

fn path(operation: &str, arguments: Value) -> String {
    http(operation, arguments).unwrap().path_and_query
}

fn header(parts: &HttpParts, name: &str) -> Option<String> {
    parts.headers.iter().find(|(header, _)| *header == name).map(|(_, value)| value.clone())
}

#[test]
fn arguments_go_where_the_operation_says() {
    let parts = http("updateRole", json!({"id": "rol_1", "description": "x", "parent_id": null})).unwrap();
    assert_eq!((parts.method, parts.path_and_query.as_str()), ("PATCH", "/v1/roles/rol_1"));
    let body: Value = serde_json::from_slice(&parts.body.clone().unwrap()).unwrap();
    assert_eq!(body, json!({"description": "x", "parent_id": null}), "null is not the same as absent");
    assert_eq!(header(&parts, "content-type").as_deref(), Some("application/json"));

    let parts = http("listRoles", json!({"name": "a b&c=d", "system": true, "limit": 5, "cursor": null})).unwrap();
    assert_eq!(parts.path_and_query, "/v1/roles?name=a%20b%26c%3Dd&system=true&limit=5");
    assert_eq!((parts.method, parts.body.is_none(), header(&parts, "content-type")), ("GET", true, None));
}

#[test]
fn no_argument_leaves_its_part_of_the_path() {
    for (id, part) in [
        ("../../admin", "..%2F..%2Fadmin"),
        ("a/b", "a%2Fb"),
        ("a?b#c", "a%3Fb%23c"),
        ("%2e%2e", "%252e%252e"),
        ("a\r\nHost: evil", "a%0D%0AHost%3A%20evil"),
        ("ü", "%C3%BC"),
        ("\\..", "%5C.."),
    ] {
        assert_eq!(path("getRole", json!({ "id": id })), format!("/v1/roles/{part}"));
    }
    for id in [json!("."), json!(".."), json!(""), json!(null), json!({}), json!(["a"])] {
        let error = http("getRole", json!({ "id": id })).unwrap_err();
        assert_eq!(error.kind, TransportErrorKind::InvalidRequest, "{id}");
        assert!(error.message.contains("`id` of `getRole`"));
    }
    assert!(http("getRole", json!({})).is_err());
}

#[test]
fn an_argument_that_is_not_the_operations_is_refused_by_name() {
    let error = http("getRole", json!({"id": "rol_1", "expand": "secret"})).unwrap_err();
    assert!(error.message.contains("expand") && !error.message.contains("secret"));
}

#[test]
fn no_header_can_be_smuggled_in() {
    let (operation, arguments) = (Operation::find("createRole").unwrap(), Map::new());
    for text in ["a\r\nX-Evil: 1", "a\nb", "a b", "ü", "a\0", ""] {
        let secret = Secret::from(text);
        let call = Call::new(operation, &arguments);
        for call in [
            Call { bearer: Some(&secret), ..call },
            Call { idempotency_key: Some(text), ..call },
            Call { tenant: Some(text), ..call },
        ] {
            assert_eq!(call.http().unwrap_err().kind, TransportErrorKind::InvalidRequest, "{text:?}");
        }
        let error = Client::builder().base_url("https://id.example.com").tenant(text).build().unwrap_err();
        assert_eq!(error.code, code::INVALID_ARGUMENT);
    }
    let secret = Secret::from("a.b-c");
    let call = Call {
        bearer: Some(&secret),
        idempotency_key: Some("k"),
        tenant: Some("t"),
        ..Call::new(operation, &arguments)
    };
    let parts = call.http().unwrap();
    assert_eq!(header(&parts, "authorization").as_deref(), Some("Bearer a.b-c"));
    assert_eq!(
        (header(&parts, "idempotency-key"), header(&parts, "x-authkit-tenant")),
        (Some("k".into()), Some("t".into()))
    );
}

#[test]
fn what_is_shown_of_a_call_and_its_answer_holds_no_secret() {
    let arguments = Map::from_iter([("password".to_owned(), json!("hidden"))]);
    let secret = Secret::from("hidden");
    let call = Call { bearer: Some(&secret), ..Call::new(Operation::find("login").unwrap(), &arguments) };
    let parts = call.http().unwrap();
    let list = http("listOutbox", json!({"to": "hidden@example.com"})).unwrap();
    let answer = Answer::new(200, json!({"access_token": "hidden"}));
    let shown = format!("{call:?} {parts:?} {list:?} {answer:?}");
    assert!(shown.contains("login") && !shown.contains("hidden"), "{shown}");
}

#[test]
fn a_client_needs_one_way_to_a_server() {
    for builder in [
        Client::builder(),
        Client::builder().base_url("http://id.example.com"),
        Client::builder().base_url("https://id.example.com").transport(super::Server::default()),
    ] {
        assert_eq!(builder.build().unwrap_err().code, code::INVALID_ARGUMENT);
    }
    assert!(Client::builder().base_url("http://id.example.com").allow_insecure(true).build().is_ok());
}

#[tokio::test]
async fn what_is_no_call_is_refused_before_anything_is_sent() {
    let client = super::World::new().client(&super::Server::default());
    for (operation, arguments) in [("getyou", json!({})), ("getMe", json!([])), ("getMe", json!("x"))] {
        assert_eq!(client.call(operation, arguments).await.unwrap_err().code, code::INVALID_ARGUMENT);
    }
}
