//! Signing in: the first factor, the second one, and what happens when either is wrong.

mod store;

pub use store::{AttemptChange, AttemptKey, AttemptStore, Attempts};

use crate::{Context, Origin, Result};
use authkit_wire::*;
use std::sync::Arc;

/// Signing in.
#[derive(Clone, Debug)]
pub struct SignIn {
    cx: Arc<Context>,
}

impl SignIn {
    /// The service over `cx`.
    #[must_use]
    pub const fn new(cx: Arc<Context>) -> Self {
        Self { cx }
    }

    /// Checks address and password; opens a session, or an attempt that waits for its second factor.
    pub async fn login(&self, origin: &Origin, request: LoginRequest) -> Result<LoginView> {
        todo!()
    }

    /// Checks the second factor of an attempt and opens the session.
    pub async fn verify_mfa(&self, origin: &Origin, request: MfaVerifyRequest) -> Result<TokensView> {
        todo!()
    }
}
