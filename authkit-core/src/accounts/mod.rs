//! Accounts: registration and its proof, passwords, profile, addresses, and their administration.

mod admin;
pub(crate) mod asked_tenant;
mod change;
mod credentials;
mod email;
mod email_change;
mod model;
pub(crate) mod passwords;
mod profile;
mod reactivate;
mod redirect;
pub(crate) mod register;
pub(crate) mod reset;
mod status;
mod store;
mod tokens;
mod verify;

#[cfg(test)]
pub(crate) mod tests;

pub(crate) use credentials::credentials_changed;
pub use email::{Email, pseudonym};
pub use model::{EmailKey, OneTimeToken, Registration, TokenPurpose, User};
pub(crate) use reactivate::REACTIVATION;
pub use redirect::is_redirect_entry;
pub use store::{AccountChange, AccountStore, UserFilter};
pub(crate) use tokens::{Presented, data_of, make_token, of_tenant};

use crate::{
    Context, Error, Result, notices,
    ports::{Operation, Unit},
    tenants::TenantSettings,
};
use authkit_wire::{ErrorCode, TenantId};
use std::sync::Arc;

/// Operations on accounts.
///
/// Where an operation takes an address of somebody who has not signed in, its answer, its reads, writes and hashes are
/// the same whether or not the address has an account. The outbox worker finds that out later.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> authkit_core::Result<()> {
/// use authkit_core::{Origin, Settings, accounts::Accounts, memory, tenants::DEFAULT_TENANT};
///
/// let cx = memory::context(memory::SystemClock, memory::SystemRandom, Settings::default()).await?;
/// let origin = Origin::local(DEFAULT_TENANT);
/// let password = "correct horse battery staple".into();
/// let user = Accounts::new(cx).create_verified(&origin, "ada@example.org", &password, Some("Ada")).await?;
/// assert!(user.email_verified);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Accounts {
    cx: Arc<Context>,
}

impl Accounts {
    /// The service over `cx`.
    #[must_use]
    pub const fn new(cx: Arc<Context>) -> Self {
        Self { cx }
    }
}

/// The settings of an active tenant; `None` for one that nobody may use.
pub(crate) fn settings_of(cx: &Context, tenant: TenantId) -> Option<TenantSettings> {
    cx.authority.tenant(tenant).filter(|tenant| tenant.active).map(|tenant| tenant.settings.clone())
}

/// Adds the call of the application's hook after the commit, when it wants one.
pub(crate) fn push_hook(cx: &Context, unit: &mut Unit, operation: &Operation) {
    unit.extend(notices::after_hook(cx, operation.clone()));
}

/// The same for an operation that ends sessions, of which the application hears as well.
pub(crate) fn push_hooks(cx: &Context, unit: &mut Unit, operation: &Operation) {
    push_hook(cx, unit, operation);
    push_hook(cx, unit, &operation.ends_sessions());
}

/// The one answer to a wrong password, an unknown address, a locked and a switched-off account.
pub(crate) fn wrong_credentials() -> Error {
    Error::new(ErrorCode::InvalidCredentials, "Check the address and the password, or reset the password.")
}

/// The signed-in user, who must still be there.
pub(crate) async fn signed_in(cx: &Context, principal: &crate::Principal) -> Result<User> {
    let user = cx.store.find_user(principal.tenant, principal.user).await?;
    user.filter(User::is_active).ok_or_else(|| ErrorCode::InvalidToken.into())
}
