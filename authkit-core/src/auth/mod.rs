//! Signing in: the first factor, the second one, and what happens when either is wrong.

mod lockout;
mod login;
mod mfa;
mod store;
mod turnstile;

#[cfg(test)]
pub(crate) mod tests;

pub(crate) use lockout::{Lockout, Reservation, reserve, wait};
pub use store::{AttemptChange, AttemptKey, AttemptStore, Attempts};

use crate::Context;
use std::sync::Arc;
use turnstile::Turnstile;

/// Signing in.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> authkit_core::Result<()> {
/// use authkit_core::{Origin, Settings, accounts::Accounts, auth::SignIn, memory, tenants::DEFAULT_TENANT};
/// use authkit_core::wire::{LoginRequest, LoginView, Secret};
///
/// let cx = memory::context(memory::SystemClock, memory::SystemRandom, Settings::default()).await?;
/// let (origin, password) = (Origin::local(DEFAULT_TENANT), Secret::from("correct horse battery staple"));
/// Accounts::new(cx.clone()).create_verified(&origin, "ada@example.org", &password, None).await?;
///
/// let request = LoginRequest { email: "ada@example.org".into(), password };
/// let LoginView::Tokens(tokens) = SignIn::new(cx).login(&origin, request).await? else { return Ok(()) };
/// assert_eq!(tokens.token_type, "Bearer");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct SignIn {
    cx: Arc<Context>,
    turns: Arc<Turnstile>,
}

impl SignIn {
    /// The service over `cx`.
    #[must_use]
    pub fn new(cx: Arc<Context>) -> Self {
        let turns = Arc::new(Turnstile::new(cx.settings.lockout.failures));
        Self { cx, turns }
    }
}
