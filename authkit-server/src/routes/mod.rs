//! The routes, one file for each resource: mapping, documentation, handler.

pub(crate) mod admin_audit;
pub(crate) mod admin_users;
pub(crate) mod auth;
pub(crate) mod conformance;
pub(crate) mod dev_outbox;
pub(crate) mod devices;
pub(crate) mod docs;
pub(crate) mod health;
pub(crate) mod me;
pub(crate) mod metrics;
pub(crate) mod mfa;
pub(crate) mod permissions;
pub(crate) mod roles;
pub(crate) mod sessions;
pub(crate) mod users;
pub(crate) mod well_known;

use crate::registry::Api;
use utoipa::openapi::{Info, License, OpenApi, Paths, tag::Tag};

/// Which routes a listener serves besides those of the contract.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mounted {
    pub(crate) development: bool,
    pub(crate) metrics: bool,
    pub(crate) docs: bool,
}

impl Mounted {
    /// Everything there is.
    pub(crate) const ALL: Self = Self { development: true, metrics: true, docs: true };
}

/// The routes of the server.
pub(crate) fn api(mounted: Mounted) -> Api {
    let mut api = Api::new(document());
    auth::register(&mut api);
    me::register(&mut api);
    mfa::register(&mut api);
    sessions::register(&mut api);
    roles::register(&mut api);
    permissions::register(&mut api);
    users::register(&mut api);
    devices::register(&mut api);
    admin_users::register(&mut api);
    admin_audit::register(&mut api);
    well_known::register(&mut api);
    health::register(&mut api);
    if mounted.development {
        dev_outbox::register(&mut api);
    }
    operations(&mut api, mounted);
    api
}

/// The routes of the operator's own listener.
pub(crate) fn operators(mounted: Mounted) -> Api {
    let mut api = Api::new(document());
    health::register(&mut api);
    operations(&mut api, mounted);
    api
}

/// The routes beside the contract that scenarios need.
pub(crate) fn conformance() -> Api {
    let mut api = Api::new(document());
    conformance::register(&mut api);
    api
}

fn operations(api: &mut Api, mounted: Mounted) {
    if mounted.metrics {
        metrics::register(api);
    }
    if mounted.docs {
        docs::register(api);
    }
}

/// The document's head.
fn document() -> OpenApi {
    let description = "\
Sign-up, sign-in, second factors, sessions, roles, devices and the audit log.

- Every error is a problem document (RFC 9457) with a stable `code` and a `trace_id`.
- Ids carry their kind as a prefix. Times are RFC 3339 in UTC.
- Lists are paged: pass `next_cursor` as `cursor`, with the same filters.
- `X-AuthKit-Tenant` names the tenant, by id or short name, where the host does not. Every route under `/v1` takes it.
- Tokens come in the body and go in `Authorization: Bearer`. Browser mode, which would keep them in cookies, is not
  available yet: signing in with `X-AuthKit-Mode: cookie` is refused with `request.validation_failed`.
- `Idempotency-Key` makes a repeat safe where it is listed. Answers that hold tokens, codes or secrets are not kept, so
  signing in and what makes second factors or claim codes do not list it.
- A route without a request body takes none, or `{}`.
- `x-authkit-access` on each operation says who may call it.";
    let mut info = Info::new("AuthKit", env!("CARGO_PKG_VERSION"));
    info.description = Some(description.to_owned());
    let mut license = License::new("MIT OR Apache-2.0");
    license.identifier = Some("MIT OR Apache-2.0".to_owned());
    info.license = Some(license);
    let mut document = OpenApi::new(info, Paths::new());
    let tag = |name: &str, description: &str| {
        let mut tag = Tag::new(name);
        tag.description = Some(description.to_owned());
        tag
    };
    document.tags = Some(vec![
        tag("auth", "Signing up, in and out"),
        tag("me", "The signed-in user"),
        tag("mfa", "The signed-in user's second factors"),
        tag("sessions", "The signed-in user's sessions"),
        tag("roles", "Roles and who holds them"),
        tag("permissions", "What exists, and who may do it"),
        tag("devices", "Devices, which sign in with keys of their own"),
        tag("admin", "Administration"),
        tag("discovery", "Keys and metadata for those who verify tokens"),
        tag("operations", "Health, metrics and documentation"),
        tag("development", "Only in development mode"),
    ]);
    document.components = Some(
        utoipa::openapi::ComponentsBuilder::new()
            .schema("Problem", <authkit_core::wire::Problem as utoipa::PartialSchema>::schema())
            .schema("FieldError", <authkit_core::wire::FieldError as utoipa::PartialSchema>::schema())
            .build(),
    );
    document
}
