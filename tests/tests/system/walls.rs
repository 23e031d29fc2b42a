//! Every operation of the OpenAPI document, called by those who may not: nobody, an ordinary user, another tenant.

use crate::on_both_engines;
use authkit_tests::{Client, Database, PASSWORD, Server};
use reqwest::Method;
use serde_json::{Value, json};

on_both_engines! { no_operation_can_be_called_by_those_who_may_not }

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
    let (code, text) = Server::run(&database, &["tenant", "create", "other", "--name", "Other"], None).await;
    assert_eq!(code, 0, "{text}");
    let create = |tenant: &'static str, email: &'static str| {
        let database = &database;
        async move {
            let arguments =
                ["user", "create", "--tenant", tenant, "--email", email, "--password-stdin", "--role", "admin"];
            let (code, text) = Server::run(database, &arguments, Some(PASSWORD)).await;
            assert_eq!(code, 0, "{text}");
        }
    };
    create("default", "root@example.com").await;
    create("other", "root@example.com").await;
    let server = Server::start(&database).await;
    let mut admin = server.client();
    admin.sign_in("root@example.com").await;
    let victim = server.client().new_user("victim@example.com").await;
    let role = admin.post("/v1/roles", json!({"name": "r", "permissions": ["users:read"]})).await.expect(201);
    let audit = admin.get("/v1/admin/audit?limit=1").await.expect(200);
    let document = server.client().get("/api/openapi.json").await.expect(200);

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
        let names_row = operation.path.contains(victim.user_id())
            || operation.path.contains(role_id)
            || operation.path.contains(audit_id)
            || operation.path.contains(victim_session);
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
    // A token of one tenant with another tenant's name is refused.
    let mut confused = victim.clone();
    confused.tenant = Some("other".into());
    assert!(matches!(confused.get("/v1/me").await.status, 400 | 401));
}
