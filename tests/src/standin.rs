//! Does for scenarios what an SDK's client does, as plainly as it can be done: operations from the OpenAPI document, tokens
//! kept, one refresh at a time when an access token does not count any more.

use crate::Place;
use reqwest::Url;
use serde_json::{Value, json};
use std::sync::LazyLock;
use tokio::sync::Mutex;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(&authkit_server::openapi_json()).unwrap());

/// Paths are put together as addresses of a host that is cut off again.
const NOWHERE: &str = "http://localhost";

/// A client with token storage of its own.
pub(crate) struct Client {
    place: Place,
    tenant: Option<String>,
    tokens: Mutex<Option<Value>>,
}

impl Client {
    pub(crate) fn new(place: &Place, tenant: Option<&str>) -> Self {
        Self { place: place.clone(), tenant: tenant.map(str::to_owned), tokens: Mutex::default() }
    }

    /// Calls an operation by its name; an error is `{code, status, message, fields}`.
    pub(crate) async fn call(&self, name: &str, arguments: &Value, key: Option<&str>) -> Result<Value, Value> {
        let tokens = self.tokens.lock().await.clone();
        let found = match self.send(name, arguments, key, tokens.as_ref()).await {
            Err(error) if error["code"] == "auth.invalid_token" => {
                let fresh = self.refresh(tokens.as_ref()).await?;
                self.send(name, arguments, key, Some(&fresh)).await
            }
            found => found,
        }?;
        match name {
            "logout" => *self.tokens.lock().await = None,
            "login" | "verifyMfa" | "refresh" if found["access_token"].is_string() => {
                *self.tokens.lock().await = Some(found.clone());
            }
            _ => {}
        }
        Ok(found)
    }

    /// The pair after `old`, which others may have fetched meanwhile.
    async fn refresh(&self, old: Option<&Value>) -> Result<Value, Value> {
        let mut tokens = self.tokens.lock().await;
        if tokens.as_ref() == old {
            let presented = json!({"refresh_token": old.map(|old| &old["refresh_token"])});
            let fresh = self.send("refresh", &presented, None, None).await;
            *tokens = fresh.as_ref().ok().cloned();
            return fresh;
        }
        tokens.clone().ok_or_else(signed_out)
    }

    /// One call with these tokens and no other.
    pub(crate) async fn send(
        &self,
        name: &str,
        arguments: &Value,
        key: Option<&str>,
        tokens: Option<&Value>,
    ) -> Result<Value, Value> {
        let mut body = arguments.as_object().cloned().unwrap_or_default();
        let (method, path, operation) = operation(name);
        let mut url = Url::parse(NOWHERE).unwrap();
        for part in path.split('/').skip(1) {
            let name = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
            let value = name.and_then(|name| body.remove(name));
            let part = value.as_ref().and_then(Value::as_str).unwrap_or(part);
            url.path_segments_mut().unwrap().pop_if_empty().push(part);
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten().filter(|p| p["in"] == "query") {
            if let Some(value) = body.remove(parameter["name"].as_str().unwrap()) {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                url.query_pairs_mut().append_pair(parameter["name"].as_str().unwrap(), &text);
            }
        }
        let mut headers = Vec::new();
        if operation["x-authkit-access"] != "public" {
            let tokens = tokens.ok_or_else(signed_out)?;
            headers.push(("authorization", format!("Bearer {}", tokens["access_token"].as_str().unwrap())));
        }
        if let ("logout", Some(tokens)) = (name, tokens) {
            body.insert("refresh_token".into(), tokens["refresh_token"].clone());
        }
        headers.extend(key.map(|key| ("idempotency-key", key.to_owned())));
        headers.extend(self.tenant.clone().map(|tenant| ("x-authkit-tenant", tenant)));
        let body = (operation["requestBody"].is_object() || !body.is_empty()).then_some(Value::Object(body));
        let path = url.as_str().trim_start_matches(NOWHERE);
        let (status, answer) =
            self.place.send(method, path, &headers, body).await.map_err(|error| json!({"code": error}))?;
        if (200..300).contains(&status) {
            return Ok(answer);
        }
        Err(json!({"code": answer["code"], "status": status, "message": answer["detail"], "fields": answer["errors"]}))
    }
}

fn signed_out() -> Value {
    json!({"code": "client.signed_out", "status": 0})
}

/// Method, path and description of the operation called `name`.
fn operation(name: &str) -> (&'static str, &'static str, &'static Value) {
    let paths = DOCUMENT["paths"].as_object().unwrap().iter();
    let mut all = paths.flat_map(|(path, methods)| methods.as_object().unwrap().iter().map(move |(m, o)| (m, path, o)));
    let (method, path, found) =
        all.find(|(_, _, operation)| operation["operationId"] == name).unwrap_or_else(|| panic!("no operation {name}"));
    let method =
        ["GET", "POST", "PUT", "PATCH", "DELETE"].into_iter().find(|m| m.eq_ignore_ascii_case(method)).unwrap();
    (method, path, found)
}
