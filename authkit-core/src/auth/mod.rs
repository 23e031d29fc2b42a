//! Signing in: the first factor, the second one, and what happens when either is wrong.

mod lockout;
mod login;
mod mfa;
mod store;

#[cfg(test)]
pub(crate) mod tests;

pub(crate) use lockout::{Lockout, Reservation};
pub use store::{AttemptChange, AttemptKey, AttemptStore, Attempts};

use crate::Context;
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
}
