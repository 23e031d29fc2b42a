//! Every operation of the OpenAPI document, called by those who may not: nobody, an ordinary user, another tenant.

use crate::{devices::Device, on_both_engines};
use authkit_tests::{Answer, Client, Database, Server};
use reqwest::Method;
use serde_json::{Value, json};

on_both_engines! {
    no_operation_can_be_called_by_those_who_may_not
    ids_of_another_tenant_in_bodies_and_queries_are_unknown_ones
}

struct Operation {
    method: Method,
    path: String,
    access: String,
    body: Option<Value>,
}

/// The document's operations with `ids` put into their paths and a body that has the required fields.
fn operations(document: &Value, ids: &[(&str, &str)]) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let Ok(method) = Method::from_bytes(method.to_uppercase().as_bytes()) else { continue };
            let mut path = path.clone();
            for (name, id) in ids {
                path = path.replace(&format!("{{{name}}}"), id);
            }
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            operations.push(Operation {
                method,
                access: operation["x-authkit-access"].to_string(),
                body: (!schema.is_null()).then(|| example(document, schema)),
                path,
            });
        }
    }
    operations
}

/// A value of the schema with its required fields.
fn example(document: &Value, schema: &Value) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        return example(document, document.pointer(&reference[1..]).unwrap());
    }
    if let Some(values) = schema["enum"].as_array() {
        return values[0].clone();
    }
    match schema["type"].as_str() {
        Some("object") => {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let fields = required.iter().filter_map(Value::as_str).map(|name| {
                let value = match name {
                    "email" | "new_email" => json!("somebody@example.com"),
                    "permission" => json!("users:read"),
                    _ => example(document, &schema["properties"][name]),
                };
                (name.to_owned(), value)
            });
            Value::Object(fields.collect())
        }
        Some("array") => json!([]),
        Some("boolean") => json!(false),
        Some("integer" | "number") => json!(1),
        _ => json!("some text of a length"),
    }
}

async fn call(client: &Client, operation: &Operation) -> u16 {
    let answer =
        client.try_request(operation.method.clone(), &operation.path, operation.body.as_ref(), &[]).await.unwrap();
    assert!(answer.status < 500, "{} {}: {}", operation.method, operation.path, answer.text);
    answer.status
}

async fn no_operation_can_be_called_by_those_who_may_not(database: Database) {
    for command in [&["migrate"][..], &["tenant", "create", "other", "--name", "Other"]] {
        let (code, text) = Server::run(&database, command, None).await;
        assert_eq!(code, 0, "{text}");
    }
    for tenant in ["default", "other"] {
        Server::create_admin(&database, tenant, "root@example.com").await;
    }
    let server = Server::start(&database).await;
    let mut admin = server.client();
    admin.sign_in("root@example.com").await;
    let victim = server.client().new_user("victim@example.com").await;
    let role = admin.post("/v1/roles", json!({"name": "r", "permissions": ["users:read"]})).await.expect(201);
    let audit = admin.get("/v1/admin/audit?limit=1").await.expect(200);
    let claim = victim.post("/v1/devices/claims", json!({})).await.expect(201);
    let mut device = Device::new(server.client());
    let claimed = device.claim(claim["uri"].as_str().unwrap()).await;
    let open_claim = victim.post("/v1/devices/claims", json!({})).await.expect(201);
    let document = server.client().get("/api/openapi.json").await.expect(200);

    let device_id = claimed["device"]["id"].as_str().unwrap();
    let claim_id = open_claim["id"].as_str().unwrap();
    let role_id = role["id"].as_str().unwrap();
    let audit_id = audit["data"][0]["id"].as_str().unwrap();
    let victim_session = victim.tokens["session_id"].as_str().unwrap();
    let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    let ids_for = |path: &str| -> Vec<(&str, &str)> {
        let own = if path.contains("/roles") {
            role_id
        } else if path.contains("/sessions/") {
            victim_session
        } else if path.contains("/audit") {
            audit_id
        } else if path.contains("/claims/") {
            claim_id
        } else if path.contains("/devices/") {
            device_id
        } else {
            victim.user_id()
        };
        let id = if path.starts_with("/v1/users/") { victim.user_id() } else { own };
        vec![("id", id), ("role_id", role_id)]
    };
    let all: Vec<Operation> = paths
        .iter()
        .flat_map(|path| {
            let mut one = document.clone();
            let item = document["paths"][path.as_str()].clone();
            one["paths"] = json!({ path.as_str(): item });
            operations(&one, &ids_for(path))
        })
        .collect();
    assert!(all.len() > 40, "{} operations", all.len());

    let mut stranger = server.client();
    stranger.tenant = Some("other".into());
    stranger.sign_in("root@example.com").await;
    let ordinary = server.client().new_user("ordinary@example.com").await;
    for operation in &all {
        let what = format!("{} {} ({})", operation.method, operation.path, operation.access);
        // What machines call is open on the developer's own machine.
        let protected = !operation.access.contains("public") && !operation.access.contains("machine");
        if protected {
            let status = call(&server.client(), operation).await;
            assert_eq!(status, 401, "{what} without credentials");
        }
        if operation.access.contains("permission") {
            assert_eq!(call(&ordinary, operation).await, 403, "{what} by an ordinary user");
        }
        // Another tenant's administrator finds nothing of this tenant.
        let rows = [victim.user_id(), role_id, audit_id, victim_session, claim_id, device_id];
        let names_row = rows.iter().any(|id| operation.path.contains(id));
        if names_row {
            let status = call(&stranger, operation).await;
            assert!(matches!(status, 403 | 404), "{what} from another tenant: {status}");
            let status = call(&ordinary, operation).await;
            assert!(matches!(status, 403 | 404), "{what} by another user: {status}");
        }
    }
    // Nothing happened to the victim.
    let me = victim.get("/v1/me").await.expect(200);
    assert_eq!(me["status"], "active");
    assert_eq!(device.beat().await, 200);
    assert_eq!(victim.delete(&format!("/v1/devices/claims/{claim_id}")).await.status, 204);
    // A token of one tenant with another tenant's name is refused.
    let mut confused = victim.clone();
    confused.tenant = Some("other".into());
    assert!(matches!(confused.get("/v1/me").await.status, 400 | 401));
}

/// The status and the body, without what differs between any two answers.
fn outcome(answer: &Answer, ids: &[&str]) -> (u16, String) {
    let mut body = answer.body.clone();
    if let Some(fields) = body.as_object_mut() {
        fields.remove("trace_id");
    }
    let text = ids.iter().fold(body.to_string(), |text, id| text.replace(id, "the id"));
    (answer.status, text)
}

async fn ids_of_another_tenant_in_bodies_and_queries_are_unknown_ones(database: Database) {
    for command in [&["migrate"][..], &["tenant", "create", "other", "--name", "Other"]] {
        let (code, text) = Server::run(&database, command, None).await;
        assert_eq!(code, 0, "{text}");
    }
    for tenant in ["default", "other"] {
        Server::create_admin(&database, tenant, "root@example.com").await;
    }
    let server = Server::start(&database).await;
    let (mut admin, mut stranger) = (server.client(), server.client());
    admin.sign_in("root@example.com").await;
    stranger.tenant = Some("other".into());
    stranger.sign_in("root@example.com").await;
    let victim = server.client().new_user("victim@example.com").await;
    let new_role = json!({"name": "parent", "permissions": ["users:read"]});
    let id = |value: Value| value["id"].as_str().unwrap().to_owned();
    let foreign_role = id(admin.post("/v1/roles", new_role.clone()).await.expect(201));
    let own_role = id(stranger.post("/v1/roles", new_role).await.expect(201));
    assert_eq!(admin.put(&format!("/v1/users/{}/roles/{foreign_role}", victim.user_id())).await.status, 204);
    let unknown = |prefix: &str| format!("{prefix}0192f0c1a4b87c3d9e5f60718293a4b5");
    let (unknown_role, unknown_user) = (unknown("rol_"), unknown("usr_"));
    let (foreign_user, own_user) = (victim.user_id().to_owned(), stranger.user_id().to_owned());

    // Each request twice: with an id of the other tenant, and with one that nobody has.
    let roles = [foreign_role.as_str(), unknown_role.as_str()];
    let users = [foreign_user.as_str(), unknown_user.as_str()];
    let child = |parent: &str| Some(json!({"name": "child", "permissions": [], "parent_id": parent}));
    let check = |field: &str, id: &str| Some(json!({"permission": "users:read", field: id}));
    type Request = (Method, String, Option<Value>);
    let new = || "/v1/roles".to_owned();
    let decide = || "/v1/permissions/check".to_owned();
    let pairs: Vec<(&str, [Request; 2], &[u16])> = vec![
        ("a new role's parent", roles.map(|r| (Method::POST, new(), child(r))), &[404, 422]),
        (
            "a role's parent",
            roles.map(|r| (Method::PATCH, format!("/v1/roles/{own_role}"), Some(json!({"parent_id": r})))),
            &[404, 422],
        ),
        ("roles by parent", roles.map(|r| (Method::GET, format!("/v1/roles?parent_id={r}"), None)), &[200]),
        ("users by role", roles.map(|r| (Method::GET, format!("/v1/admin/users?role={r}"), None)), &[200]),
        ("assigned role", roles.map(|r| (Method::PUT, format!("/v1/users/{own_user}/roles/{r}"), None)), &[404]),
        ("removed role", roles.map(|r| (Method::DELETE, format!("/v1/users/{own_user}/roles/{r}"), None)), &[404]),
        ("assigned user", users.map(|u| (Method::PUT, format!("/v1/users/{u}/roles/{own_role}"), None)), &[404]),
        ("removed user", users.map(|u| (Method::DELETE, format!("/v1/users/{u}/roles/{own_role}"), None)), &[404]),
        ("whose permission", users.map(|u| (Method::POST, decide(), check("user_id", u))), &[404]),
        ("whose resource", users.map(|u| (Method::POST, decide(), check("owner_id", u))), &[200]),
        ("audit by subject", users.map(|u| (Method::GET, format!("/v1/admin/audit?subject={u}"), None)), &[200]),
        ("audit by actor", users.map(|u| (Method::GET, format!("/v1/admin/audit?actor={u}"), None)), &[200]),
    ];
    for (what, requests, statuses) in pairs {
        let mut outcomes = Vec::new();
        for (method, path, body) in requests {
            let answer = stranger.try_request(method, &path, body.as_ref(), &[]).await.unwrap();
            outcomes.push(outcome(&answer, &[roles[0], roles[1], users[0], users[1]]));
        }
        assert_eq!(outcomes[0], outcomes[1], "{what}");
        assert!(statuses.contains(&outcomes[0].0), "{what}: {outcomes:?}");
        if outcomes[0].0 == 200 && !what.starts_with("whose") {
            assert!(outcomes[0].1.contains("\"data\":[]"), "{what}: {}", outcomes[0].1);
        }
    }
    let found = admin.get(&format!("/v1/admin/audit?subject={foreign_user}")).await.expect(200);
    assert!(!found["data"].as_array().unwrap().is_empty(), "there is something to be hidden");

    // A page of one tenant's list does not go on in another's, nor one user's in another user's.
    for list in ["/v1/roles?limit=1", "/v1/admin/users?limit=1", "/v1/admin/audit?limit=1"] {
        let cursor = admin.get(list).await.expect(200)["next_cursor"].as_str().expect("another page").to_owned();
        let next = format!("{list}&cursor={cursor}");
        let _ = admin.get(&next).await.expect(200);
        stranger.get(&next).await.refused(400, "request.invalid_cursor");
    }
    let mut again = victim.clone();
    again.sign_in("victim@example.com").await;
    let list = "/v1/me/sessions?limit=1";
    let cursor = again.get(list).await.expect(200)["next_cursor"].as_str().expect("another page").to_owned();
    let next = format!("{list}&cursor={cursor}");
    let _ = again.get(&next).await.expect(200);
    for other in [&stranger, &admin] {
        other.get(&next).await.refused(400, "request.invalid_cursor");
    }
}
