//! Every route with who may call it, how it is limited and how it is documented.

use crate::{App, access::Access, metrics::RouteStats, rate_limit::RateClass};
use axum::Router;
use http::Method;
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, sync::Arc};
use utoipa::openapi::{OpenApi, RefOr, path::Operation};
use utoipa_axum::router::UtoipaMethodRouter;

/// What is known of a route without calling it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RouteInfo {
    /// Its method.
    pub method: Method,
    /// Its path, with `{names}` for what varies.
    pub path: String,
    /// Who may call it.
    pub access: Access,
    /// Its name in the OpenAPI document and in SDKs.
    pub operation_id: String,
    /// Which rate limit counts it.
    pub rate_class: RateClass,
    /// Whether it takes an `Idempotency-Key` and repeats its answer.
    pub idempotent: bool,
    /// The query parameters that it knows.
    pub query: Vec<String>,
}

/// How a route is registered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec {
    access: Access,
    rate: RateClass,
    idempotent: bool,
    ends_session: bool,
    /// Problem statuses beyond those that follow from the rest.
    fails: &'static [u16],
}

impl Spec {
    pub(crate) const fn new(access: Access, rate: RateClass) -> Self {
        Self { access, rate, idempotent: false, ends_session: false, fails: &[] }
    }

    /// It takes an `Idempotency-Key`; its answer holds no secret.
    pub(crate) const fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Its success can end the session that asks: a repeat under the same key is answered all the same.
    pub(crate) const fn ends_session(mut self) -> Self {
        self.ends_session = true;
        self.idempotent()
    }

    /// It can be refused with these statuses too.
    pub(crate) const fn fails(mut self, statuses: &'static [u16]) -> Self {
        self.fails = statuses;
        self
    }
}

/// One method of a route, as the combined layer works with it.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) info: RouteInfo,
    /// Whether `Host` may be anything: probes come by address.
    pub(crate) any_host: bool,
    /// Whether a body has no meaning to it.
    pub(crate) no_body: bool,
    /// Whether its success can end the session that asks.
    pub(crate) ends_session: bool,
    /// Whether it belongs to a tenant.
    pub(crate) in_tenant: bool,
    pub(crate) stats: RouteStats,
}

impl Endpoint {
    /// Method and path.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.info.method, self.info.path)
    }
}

/// The methods of one path.
#[derive(Debug, Default)]
pub(crate) struct Methods(Vec<Arc<Endpoint>>);

impl Methods {
    pub(crate) fn endpoint(&self, method: &Method) -> Option<&Arc<Endpoint>> {
        let find = |method: &Method| self.0.iter().find(|endpoint| endpoint.info.method == *method);
        // axum answers HEAD with GET.
        find(method).or_else(|| if *method == Method::HEAD { find(&Method::GET) } else { None })
    }
}

/// The routes of a listener with their documentation.
pub(crate) struct Api {
    pub(crate) router: Router<App>,
    pub(crate) endpoints: Vec<Arc<Endpoint>>,
    document: OpenApi,
    decorations: Vec<(String, Method, Spec)>,
}

impl Api {
    pub(crate) fn new(document: OpenApi) -> Self {
        Self { router: Router::new(), endpoints: Vec::new(), document, decorations: Vec::new() }
    }

    /// Registers one operation; `route` comes from `routes!(handler)`.
    pub(crate) fn route(&mut self, route: UtoipaMethodRouter<App>, spec: Spec) {
        let (schemas, paths, method_router) = route;
        for (path, item) in paths.paths {
            let operations = [
                (Method::GET, &item.get),
                (Method::POST, &item.post),
                (Method::PUT, &item.put),
                (Method::PATCH, &item.patch),
                (Method::DELETE, &item.delete),
            ];
            for (method, operation) in operations.into_iter().filter_map(|(m, o)| Some((m, o.as_ref()?))) {
                self.endpoints.push(Arc::new(Endpoint {
                    info: RouteInfo {
                        method: method.clone(),
                        path: path.clone(),
                        access: spec.access,
                        operation_id: operation.operation_id.clone().unwrap_or_default(),
                        rate_class: spec.rate,
                        idempotent: spec.idempotent,
                        query: query_names(operation),
                    },
                    any_host: path.starts_with("/health/") || path == "/metrics",
                    no_body: method != Method::GET && operation.request_body.is_none(),
                    ends_session: spec.ends_session,
                    in_tenant: path.starts_with("/v1/"),
                    stats: RouteStats::default(),
                }));
                self.decorations.push((path.clone(), method, spec));
            }
            self.router = std::mem::take(&mut self.router).route(&path, method_router.clone());
            match self.document.paths.paths.get_mut(&path) {
                Some(known) => known.merge_operations(item),
                None => {
                    self.document.paths.paths.insert(path, item);
                }
            }
        }
        self.document.components.get_or_insert_default().schemas.extend(schemas);
    }

    /// The same for a list or a document: larger answers are compressed for those who take it. Never for answers
    /// that hold a secret, whose length would then tell about it (BREACH).
    pub(crate) fn compressed(&mut self, route: UtoipaMethodRouter<App>, spec: Spec) {
        use tower_http::compression::{CompressionLayer, predicate::SizeAbove};

        let (schemas, paths, method_router) = route;
        let layer = CompressionLayer::new().gzip(true).compress_when(SizeAbove::new(1_024));
        self.route((schemas, paths, method_router.layer(layer)), spec);
    }

    /// Finds the methods of a path.
    pub(crate) fn table(&self) -> matchit::Router<Methods> {
        let mut by_path: BTreeMap<&str, Methods> = BTreeMap::new();
        for endpoint in &self.endpoints {
            by_path.entry(&endpoint.info.path).or_default().0.push(endpoint.clone());
        }
        let mut table = matchit::Router::new();
        for (path, methods) in by_path {
            if let Err(error) = table.insert(path, methods) {
                // axum has refused the same path in the same way before.
                tracing::error!(path, %error, "a route cannot be found");
            }
        }
        table
    }

    /// The OpenAPI document, with everything that follows from how the routes are registered.
    pub(crate) fn document(&self) -> Value {
        let mut document = serde_json::to_value(&self.document).unwrap_or_default();
        document["components"]["responses"] = problem_responses();
        document["components"]["headers"] = headers();
        document["components"]["securitySchemes"] = json!({
            "access_token": {
                "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                "description": "The `access_token` of a sign-in (RFC 9068).",
            },
            "device_token": {
                "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                "description": "The `access_token` that a device got for its key (RFC 9068, scope `device`).",
            },
            "operator_token": {
                "type": "http", "scheme": "bearer",
                "description": "The installation's `operations.token`. Where none is set, development and the operator's own listener ask for none.",
            },
        });
        for (path, method, spec) in &self.decorations {
            let operation = &mut document["paths"][path][method.as_str().to_ascii_lowercase()];
            decorate(operation, path, method, *spec);
        }
        document
    }
}

fn query_names(operation: &Operation) -> Vec<String> {
    let parameters = operation.parameters.iter().flatten();
    parameters
        .filter_map(|parameter| match parameter {
            RefOr::T(parameter) if parameter.parameter_in == utoipa::openapi::path::ParameterIn::Query => {
                Some(parameter.name.clone())
            }
            _ => None,
        })
        .collect()
}

/// Adds access, shared headers and shared problems to an operation.
fn decorate(operation: &mut Value, path: &str, method: &Method, spec: Spec) {
    operation["x-authkit-access"] = json!(spec.access.to_string());
    operation["x-authkit-rate-class"] = json!(spec.rate.name());
    match spec.access {
        Access::SignedIn | Access::Own | Access::Permission(_) => {
            operation["security"] = json!([{"access_token": []}]);
        }
        Access::Device => operation["security"] = json!([{"device_token": []}]),
        Access::Machine => operation["security"] = json!([{"operator_token": []}, {}]),
        // Unless the route says that it takes a token all the same.
        Access::Public if operation["security"].is_null() => operation["security"] = json!([]),
        Access::Public => {}
    }
    if spec.idempotent {
        push(
            &mut operation["parameters"],
            json!({
                "name": "Idempotency-Key", "in": "header", "required": false,
                "description": "Makes a repeat safe: within 24 hours the same request under the same key gets the first answer.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
            }),
        );
    }
    // A body that may be left out is documented as one that may be `null`, which is something else.
    if let Some(body) = operation.pointer_mut("/requestBody/content/application~1json/schema")
        && let Some(kinds) = body["oneOf"].as_array()
        && let [one] = kinds.iter().filter(|kind| kind["type"] != "null").collect::<Vec<_>>()[..]
    {
        *body = one.clone();
    }
    let v1 = path.starts_with("/v1/");
    let has_body = operation.get("requestBody").is_some();
    let has_query = operation["parameters"].as_array().is_some_and(|list| list.iter().any(|p| p["in"] == "query"));
    let mut statuses: Vec<u16> = vec![421, 500, 503];
    statuses.extend_from_slice(spec.fails);
    if v1 || has_query {
        statuses.push(400);
    }
    if spec.access != Access::Public {
        statuses.push(401);
    }
    if matches!(spec.access, Access::Permission(_)) {
        statuses.push(403);
    }
    if spec.rate != RateClass::Unlimited {
        statuses.push(429);
    }
    // Also where there is nothing to send: what is sent all the same is looked at.
    if has_body || *method != Method::GET {
        statuses.extend([408, 413, 415, 422]);
    }
    if v1 && *method != Method::GET {
        // Another writer, or the same request still running under its idempotency key.
        statuses.push(409);
    }
    if path.contains('{') && v1 {
        statuses.push(422);
    }
    if let Some(responses) = operation["responses"].as_object_mut() {
        for (status, response) in responses.iter_mut() {
            if let Some(headers) = response.as_object_mut() {
                let headers = headers.entry("headers").or_insert_with(|| json!({}));
                if spec.rate != RateClass::Unlimited && status.starts_with(['2', '3']) {
                    headers["RateLimit"] = json!({"$ref": "#/components/headers/RateLimit"});
                    headers["RateLimit-Policy"] = json!({"$ref": "#/components/headers/RateLimit-Policy"});
                }
                headers["X-Trace-Id"] = json!({"$ref": "#/components/headers/X-Trace-Id"});
            }
        }
        for status in statuses {
            responses
                .entry(status.to_string())
                .or_insert_with(|| json!({"$ref": format!("#/components/responses/Problem{status}")}));
        }
    }
}

fn push(list: &mut Value, item: Value) {
    match list {
        Value::Array(items) => items.push(item),
        other => *other = Value::Array(vec![item]),
    }
}

fn headers() -> Value {
    json!({
        "RateLimit": {
            "description": "The limit that counted this request: requests left (`r`) and seconds until it is whole again (`t`).",
            "schema": {"type": "string", "examples": ["\"read\";r=1199;t=1"]},
        },
        "RateLimit-Policy": {
            "description": "The limit: requests (`q`) in seconds (`w`).",
            "schema": {"type": "string", "examples": ["\"read\";q=1200;w=60"]},
        },
        "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}},
        "WWW-Authenticate": {
            "description": "What was wrong with the token (RFC 6750).",
            "schema": {"type": "string", "examples": ["Bearer realm=\"authkit\", error=\"invalid_token\""]},
        },
        "X-Trace-Id": {
            "description": "Finds the request in the server's log.",
            "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        },
    })
}

/// One response for each status of a problem, with an example.
fn problem_responses() -> Value {
    use authkit_core::wire::{ErrorCode, FieldError, Problem};

    let all = [
        (400, ErrorCode::MalformedRequest, "The request cannot be read, or names an unknown filter, cursor or tenant."),
        (401, ErrorCode::InvalidToken, "The token, code or password does not count."),
        (403, ErrorCode::Forbidden, "This is not permitted, or needs a fresh sign-in."),
        (404, ErrorCode::UserNotFound, "It does not exist, or not for the caller."),
        (408, ErrorCode::RequestTimeout, "The body did not arrive in time."),
        (409, ErrorCode::Conflict, "The state of things does not allow it."),
        (412, ErrorCode::PreconditionFailed, "It has changed since it was read."),
        (413, ErrorCode::BodyTooLarge, "The body is too large."),
        (415, ErrorCode::UnsupportedMediaType, "The body is not `application/json`."),
        (421, ErrorCode::UntrustedHost, "The server does not answer for this host."),
        (422, ErrorCode::ValidationFailed, "A value was refused; `errors` names the fields."),
        (429, ErrorCode::RateLimited, "Too many requests, or too many wrong attempts."),
        (500, ErrorCode::Internal, "Something went wrong; the log says what, under the trace id."),
        (503, ErrorCode::Overloaded, "The server is busy; try again after `Retry-After`."),
    ];
    let mut responses = Map::new();
    for (status, code, description) in all {
        let errors = match code {
            ErrorCode::ValidationFailed => vec![FieldError::new("email", "missing_field", "This field is required.")],
            _ => Vec::new(),
        };
        let example = Problem::new(code, format!("{}.", code.title()), "4bf92f3577b34da6a3ce929d0e0e4736", errors);
        let mut headers = json!({"X-Trace-Id": {"$ref": "#/components/headers/X-Trace-Id"}});
        match status {
            401 => headers["WWW-Authenticate"] = json!({"$ref": "#/components/headers/WWW-Authenticate"}),
            429 => {
                for name in ["Retry-After", "RateLimit", "RateLimit-Policy"] {
                    headers[name] = json!({"$ref": format!("#/components/headers/{name}")});
                }
            }
            503 => headers["Retry-After"] = json!({"$ref": "#/components/headers/Retry-After"}),
            _ => {}
        }
        responses.insert(
            format!("Problem{status}"),
            json!({
                "description": description,
                "headers": headers,
                "content": {"application/problem+json": {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "example": example,
                }},
            }),
        );
    }
    Value::Object(responses)
}
