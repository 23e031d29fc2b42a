//! Sessions, their tokens and the keys that sign them, and what every node knows of revocations.

mod activity;
mod authority;
mod cache;
pub(crate) mod device_tokens;
mod end;
mod key_set;
mod keys;
mod model;
mod open;
mod principal;
mod refresh;
mod revocations;
mod snapshot;
mod store;
mod sweep;
mod tokens;
mod verify;

#[cfg(test)]
mod tests;

pub use authority::Authority;
use key_set::KeySet;
pub use model::{FeedEvent, RefreshState, Session, SigningKey, UserAuthority};
pub(crate) use open::open;
pub use principal::Principal;
pub(crate) use principal::forbidden;
pub use store::{FeedCursor, FeedStore, KeyChange, KeyStore, SessionChange, SessionStore};

use crate::{Context, Result};
use authkit_wire::{TenantId, UserId};
use std::sync::Arc;
use verify::Expiry;

/// Operations on sessions, tokens and signing keys.
#[derive(Clone, Debug)]
pub struct Sessions {
    cx: Arc<Context>,
}

impl Sessions {
    /// The service over `cx`.
    #[must_use]
    pub const fn new(cx: Arc<Context>) -> Self {
        Self { cx }
    }

    /// Verifies an access token, synchronously from what this node knows unless that is stale or lacks the key, and
    /// notes that its session is in use.
    ///
    /// # Errors
    /// `auth.invalid_token`, alike for every reason; `server.unavailable` when a stale node cannot read.
    pub async fn authenticate(&self, token: &str) -> Result<Principal> {
        let cx = &*self.cx;
        let now = cx.now();
        let principal = if cx.authority.is_stale(now) {
            cx.authority.authenticate_stale(cx, token).await?
        } else {
            cx.authority.check_with_news(cx, token).await?
        };
        cx.authority.note_activity(&principal, now);
        Ok(principal)
    }

    /// Whom an access token was made for, also when its session has ended since. It allows nothing: it is for telling
    /// its holder again what they were told before that.
    #[must_use]
    pub fn holder(&self, token: &str) -> Option<(TenantId, UserId)> {
        let claims = self.cx.authority.claims(&self.cx, token, Expiry::Checked).ok()?;
        Some((claims.tenant, claims.user))
    }
}
