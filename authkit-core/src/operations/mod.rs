//! The operations of the HTTP contract without HTTP: named, with their arguments in one JSON object.
//!
//! A page that holds the whole core, and a process that holds an engine, call them by the `operationId` that the route
//! has in the OpenAPI document. Path parameters, query parameters and the fields of the body stand side by side in the
//! object; what is refused, and how the refused field is named, is what the route does.
//!
//! What belongs to the connection stays with the server: rate limits, conditional requests, and the repeat of answers
//! under an `Idempotency-Key`, since within a process no answer is lost on the way. Refreshing is the exception
//! ([`Operations::call_with_key`]).

mod access;
mod arguments;
mod json;
mod query;
mod table;

pub use json::{Empty, parse as parse_json};
pub use query::Query;

use crate::{
    Context, Error, Origin, Principal, Result,
    accounts::Accounts,
    audit::AuditLog,
    auth::SignIn,
    devices::{DevicePrincipal, Devices},
    mfa::Mfa,
    notices::Notices,
    rbac::Roles,
    sessions::Sessions,
    tenants::{Idempotency, Tenants, require_named},
};
pub use access::Access;
use arguments::{Arguments, Input};
use authkit_wire::ErrorCode;
use serde_json::{Map, Value};
use std::{fmt, future::Future, pin::Pin, sync::Arc};
use table::TABLE;

/// An operation that exists.
pub struct Operation {
    name: &'static str,
    access: Access,
    path: &'static [&'static str],
    input: Input,
    run: for<'a> fn(&'a Operations, Call<'a>) -> Answer<'a>,
}

/// The operation whose repeats are answered alike under a key.
const KEYED: &str = "refresh";

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Value>> + Send + 'a>>;

impl Operation {
    /// Its name: the `operationId` of its route.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Who may call it.
    #[must_use]
    pub const fn access(&self) -> Access {
        self.access
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation").field("name", &self.name).field("access", &self.access).finish_non_exhaustive()
    }
}

/// One call, as an operation sees it.
struct Call<'a> {
    /// In the caller's tenant, where there is a caller.
    origin: Origin,
    caller: Caller,
    bearer: Option<&'a str>,
    key: Option<&'a str>,
    arguments: Arguments,
}

/// Who calls, as the operation's access asks for it.
enum Caller {
    Anybody,
    User(Principal),
    Device(DevicePrincipal),
}

impl Call<'_> {
    fn caller(&self) -> Result<&Principal> {
        if let Caller::User(user) = &self.caller { Ok(user) } else { Err(ErrorCode::Unauthenticated.into()) }
    }

    fn device(&self) -> Result<&DevicePrincipal> {
        if let Caller::Device(device) = &self.caller { Ok(device) } else { Err(ErrorCode::Unauthenticated.into()) }
    }
}

/// The access token of a request that must bring one.
///
/// # Errors
/// `auth.unauthenticated`.
pub fn presented(token: Option<&str>) -> Result<&str> {
    token.ok_or_else(|| {
        Error::new(ErrorCode::Unauthenticated, "Send an access token: `Authorization: Bearer <access token>`.")
    })
}

/// Every operation over one context. Cheap to clone.
///
/// ```
/// use authkit_core::{Settings, memory, operations::Operations, tenants::DEFAULT_TENANT, Origin};
/// use serde_json::json;
/// # async fn example() -> authkit_core::Result<()> {
/// let cx = memory::context(memory::SystemClock, memory::SystemRandom, Settings::default()).await?;
/// let operations = Operations::new(cx);
/// let arguments = json!({"email": "ada@example.com", "password": "violet tractor 12 umbrella"});
/// let answer = operations
///     .call(&Origin::local(DEFAULT_TENANT), None, "register", arguments.as_object().cloned().unwrap_or_default())
///     .await?;
/// assert_eq!(answer, json!({"status": "verification_required"}));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Operations {
    accounts: Accounts,
    sign_in: SignIn,
    mfa: Mfa,
    sessions: Sessions,
    roles: Roles,
    tenants: Tenants,
    devices: Devices,
    audit: AuditLog,
    notices: Notices,
}

impl Operations {
    /// The operations over `cx`.
    #[must_use]
    pub fn new(cx: Arc<Context>) -> Self {
        Self {
            accounts: Accounts::new(cx.clone()),
            sign_in: SignIn::new(cx.clone()),
            mfa: Mfa::new(cx.clone()),
            sessions: Sessions::new(cx.clone()),
            roles: Roles::new(cx.clone()),
            tenants: Tenants::new(cx.clone()),
            devices: Devices::new(cx.clone()),
            audit: AuditLog::new(cx.clone()),
            notices: Notices::new(cx),
        }
    }

    /// Every operation that exists.
    #[must_use]
    pub const fn all() -> &'static [Operation] {
        TABLE
    }

    /// Where a call from inside the process comes from. `tenant` is what `X-AuthKit-Tenant` would say: an id or a short
    /// name; the default tenant without one.
    ///
    /// # Errors
    /// None yet: a tenant that does not exist is one without anybody in it.
    pub fn origin(&self, tenant: Option<&str>) -> Result<Origin> {
        Ok(Origin { names_tenant: tenant.is_some(), ..Origin::local(self.tenants.resolve(None, tenant)?) })
    }

    /// Calls the operation `name`. `bearer` is an access token; it is verified as the server does. The answer is the
    /// route's body, or `null` where it has none.
    ///
    /// # Errors
    /// Those of the route; `request.route_not_found` when there is no such operation.
    pub async fn call(
        &self,
        origin: &Origin,
        bearer: Option<&str>,
        name: &str,
        arguments: Map<String, Value>,
    ) -> Result<Value> {
        self.call_with_key(origin, bearer, None, name, arguments).await
    }

    /// The same under an `Idempotency-Key`, which `refresh` alone takes: a repeat with the key of the first request gets
    /// the same pair of tokens, also when the first was broken off. To others a key would promise what is not kept here.
    ///
    /// # Errors
    /// Those of [`call`](Self::call); `request.malformed` when the key is none, or the operation takes none.
    pub async fn call_with_key(
        &self,
        origin: &Origin,
        bearer: Option<&str>,
        key: Option<&str>,
        name: &str,
        arguments: Map<String, Value>,
    ) -> Result<Value> {
        let operation = TABLE
            .iter()
            .find(|operation| operation.name == name)
            .ok_or_else(|| Error::new(ErrorCode::RouteNotFound, "There is no operation of this name."))?;
        key.map(Idempotency::check_key).transpose()?;
        if key.is_some() && operation.name != KEYED {
            return Err(Error::new(ErrorCode::MalformedRequest, "Within a process this operation takes no key."));
        }
        let arguments = Arguments::sort(operation.path, operation.input, arguments)?;
        let mut origin = origin.clone();
        let named = origin.names_tenant.then_some(origin.tenant);
        let (caller, tenant) = match operation.access {
            Access::Public => (Caller::Anybody, None),
            Access::SignedIn | Access::Own | Access::Permission(_) => {
                let user = self.sessions.authenticate(presented(bearer)?).await?;
                let tenant = user.tenant;
                (Caller::User(user), Some(tenant))
            }
            // What operators ask of a process, they do not ask from inside it.
            Access::Machine => return Err(ErrorCode::Unauthenticated.into()),
            Access::Device => {
                let claims = self.devices.verify(presented(bearer)?).await?;
                require_named(named, claims.tenant)?;
                (Caller::Device(self.devices.standing(claims).await?), Some(claims.tenant))
            }
        };
        if let Some(own) = tenant {
            require_named(named, own)?;
            origin.tenant = own;
        }
        if let (Caller::User(user), Access::Permission(permission)) = (&caller, operation.access) {
            user.require(permission)?;
        }
        arguments.refuse_rest(operation.input)?;
        (operation.run)(self, Call { origin, caller, bearer, key, arguments }).await
    }
}

#[cfg(test)]
mod tests;
