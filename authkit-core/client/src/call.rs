use crate::{
    Operation,
    transport::{TransportError, TransportErrorKind},
};
use authkit_wire::Secret;
use serde_json::{Map, Value};
use std::fmt::{self, Write};

/// One request, on the level of operations: what a [`Transport`](crate::Transport) sends.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Call<'a> {
    /// What is asked for.
    pub operation: &'static Operation,
    /// Its arguments: of the path, of the query and of the body together.
    pub arguments: &'a Map<String, Value>,
    /// The access token.
    pub bearer: Option<&'a Secret>,
    /// Makes a repeat safe.
    pub idempotency_key: Option<&'a str>,
    /// The tenant, by id or short name, where the host does not name it.
    pub tenant: Option<&'a str>,
}

/// A [`Call`] as HTTP, for transports that speak it.
#[non_exhaustive]
pub struct HttpParts {
    /// The method.
    pub method: &'static str,
    /// The path with the query, percent-encoded.
    pub path_and_query: String,
    /// The headers, their names in lower case. They hold the access token.
    pub headers: Vec<(&'static str, String)>,
    /// The JSON body.
    pub body: Option<Vec<u8>>,
}

impl<'a> Call<'a> {
    /// A call without token, key and tenant.
    #[must_use]
    pub const fn new(operation: &'static Operation, arguments: &'a Map<String, Value>) -> Self {
        Self { operation, arguments, bearer: None, idempotency_key: None, tenant: None }
    }

    /// The call as HTTP.
    ///
    /// # Errors
    /// [`TransportErrorKind::InvalidRequest`] for an argument that is missing, unknown or cannot be written.
    pub fn http(&self) -> Result<HttpParts, TransportError> {
        let operation = self.operation;
        let mut path = String::with_capacity(operation.path.len() + 64);
        let mut rest = operation.path;
        while let Some((before, (name, after))) =
            rest.split_once('{').and_then(|(before, open)| Some((before, open.split_once('}')?)))
        {
            path.push_str(before);
            let text = self.arguments.get(name).and_then(text_of).filter(|text| !text.is_empty());
            let text = text.ok_or_else(|| self.invalid(name, "must be a text or a number, and not be empty"))?;
            // Encoded or not, these are taken for steps in the tree of paths.
            if text == "." || text == ".." {
                return Err(self.invalid(name, "cannot be a part of a path"));
            }
            percent_encode(&text, &mut path);
            rest = after;
        }
        path.push_str(rest);
        let mut separator = '?';
        for name in operation.query_params {
            let value = match self.arguments.get(*name) {
                None | Some(Value::Null) => continue,
                Some(value) => {
                    text_of(value).ok_or_else(|| self.invalid(name, "must be a text, a number or a truth value"))?
                }
            };
            path.push(separator);
            separator = '&';
            percent_encode(name, &mut path);
            path.push('=');
            percent_encode(&value, &mut path);
        }
        Ok(HttpParts {
            method: operation.method.as_str(),
            path_and_query: path,
            headers: self.headers()?,
            body: self.body()?,
        })
    }

    fn headers(&self) -> Result<Vec<(&'static str, String)>, TransportError> {
        let mut headers = vec![("accept", "application/json".to_owned())];
        if self.operation.body {
            headers.push(("content-type", "application/json".to_owned()));
        }
        if let Some(token) = self.bearer {
            let token = visible(token.expose())
                .ok_or_else(|| invalid("The access token holds characters that no token has."))?;
            headers.push(("authorization", format!("Bearer {token}")));
        }
        for (name, value) in [("idempotency-key", self.idempotency_key), ("x-authkit-tenant", self.tenant)] {
            if let Some(value) = value {
                let value = visible(value).ok_or_else(|| invalid(format!("`{name}` must be visible ASCII.")))?;
                headers.push((name, value.to_owned()));
            }
        }
        Ok(headers)
    }

    fn body(&self) -> Result<Option<Vec<u8>>, TransportError> {
        let operation = self.operation;
        let elsewhere = |name: &str| operation.path_params.contains(&name) || operation.query_params.contains(&name);
        let fields: Map<String, Value> = self
            .arguments
            .iter()
            .filter(|(name, _)| !elsewhere(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        match (operation.body, fields.keys().next()) {
            (true, _) => {
                serde_json::to_vec(&fields).map(Some).map_err(|_| invalid("The arguments cannot be written as JSON."))
            }
            (false, Some(name)) => Err(self.invalid(name, "is not an argument of the operation")),
            (false, None) => Ok(None),
        }
    }

    fn invalid(&self, name: &str, rule: &str) -> TransportError {
        invalid(format!("`{}` of `{}` {rule}.", name.escape_debug(), self.operation.name))
    }
}

fn invalid(message: impl Into<String>) -> TransportError {
    TransportError::new(TransportErrorKind::InvalidRequest, message)
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// Visible ASCII only: nothing that could end a header, or that two programs read differently.
fn visible(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())).then_some(text)
}

/// Everything but the unreserved characters (RFC 3986, section 2.3).
fn percent_encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => into.push(char::from(byte)),
            _ => drop(write!(into, "%{byte:02X}")),
        }
    }
}

impl fmt::Debug for Call<'_> {
    /// Without arguments, token and key, which are secrets or may hold some.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("operation", &self.operation.name)
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for HttpParts {
    /// Without headers and body, and without the query, which may name people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path_and_query.split('?').next().unwrap_or_default();
        f.debug_struct("HttpParts").field("method", &self.method).field("path", &path).finish_non_exhaustive()
    }
}
