//! `/.well-known/…`: keys and discovery, for those who verify tokens.

use crate::{
    App,
    access::Access,
    problem::Answer,
    rate_limit::RateClass,
    registry::{Api, Spec},
};
use authkit_core::wire::{DiscoveryView, JwksView};
use authkit_engine::Engine;
use axum::{extract::State, response::IntoResponse};
use http::header;
use std::collections::BTreeSet;
use utoipa_axum::routes;

/// Outside verifiers hear of a revoked key after this long at most.
const MAX_AGE: &str = "public, max-age=300";

pub(crate) fn register(api: &mut Api) {
    let public = Spec::new(Access::Public, RateClass::Unlimited);
    api.route(routes!(jwks), public);
    api.route(routes!(discovery), public);
}

/// The keys that verify access tokens
#[utoipa::path(
    get, path = "/.well-known/jwks.json", operation_id = "getJwks", tag = "discovery",
    responses((status = 200, description = "A JWK set (RFC 7517)", body = JwksView, example = json!({"keys": [
        {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "key_0192f0c1a4b87c3d9e5f60718293a4b5", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    ]}))),
)]
pub(crate) async fn jwks(State(engine): State<Engine>) -> Answer {
    Ok(([(header::CACHE_CONTROL, MAX_AGE)], axum::Json(engine.sessions().jwks())).into_response())
}

/// Metadata of the issuer
#[utoipa::path(
    get, path = "/.well-known/openid-configuration", operation_id = "getDiscovery", tag = "discovery",
    responses((status = 200, description = "What exists", body = DiscoveryView)),
)]
pub(crate) async fn discovery(State(app): State<App>) -> Answer {
    let engine = &app.engine;
    let settings = &engine.context().settings;
    let jwks = engine.sessions().jwks();
    let keys = jwks["keys"].as_array().into_iter().flatten();
    let algorithms: BTreeSet<&str> = keys.filter_map(|key| key["alg"].as_str()).collect();
    let options = &app.shared.options;
    let list = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect();
    let view = DiscoveryView {
        issuer: settings.issuer.clone(),
        jwks_uri: format!("{}/.well-known/jwks.json", settings.public_url),
        id_token_signing_alg_values_supported: algorithms.into_iter().map(str::to_owned).collect(),
        subject_types_supported: list(&["public"]),
        claims_supported: list(&[
            "iss",
            "aud",
            "sub",
            "sid",
            "tid",
            "iat",
            "nbf",
            "exp",
            "jti",
            "amr",
            "acr",
            "auth_time",
            "roles",
            "ver",
            // Of devices.
            "client_id",
            "scope",
        ]),
        service_documentation: (options.docs && !options.own_listener)
            .then(|| format!("{}/api/docs/", settings.public_url)),
    };
    Ok(([(header::CACHE_CONTROL, MAX_AGE)], axum::Json(view)).into_response())
}
