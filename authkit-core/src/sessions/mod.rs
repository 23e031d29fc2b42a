//! Sessions, their tokens and the keys that sign them, and what every node knows of revocations.

mod authority;
mod model;
mod principal;
mod store;

pub use authority::Authority;
pub use model::{FeedEvent, RefreshState, Session, SigningKey, UserAuthority};
pub use principal::Principal;
pub use store::{FeedCursor, FeedStore, KeyChange, KeyStore, SessionChange, SessionStore};

use crate::{Context, Origin, Result};
use authkit_wire::*;
use std::sync::Arc;

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

    /// Rotates a refresh token (see the architecture page).
    pub async fn refresh(&self, origin: &Origin, token: &Secret, idempotency_key: Option<&str>) -> Result<TokensView> {
        todo!()
    }

    /// Ends the session of whatever token is presented, valid for anything else or not. Never refuses.
    pub async fn logout(&self, origin: &Origin, access: Option<&str>, refresh: Option<&Secret>) -> Result<()> {
        todo!()
    }

    /// The user's sessions.
    pub async fn list(
        &self,
        principal: &Principal,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Page<SessionView>> {
        todo!()
    }

    /// Ends one session of the user.
    pub async fn revoke(&self, origin: &Origin, principal: &Principal, id: SessionId) -> Result<()> {
        todo!()
    }

    /// Ends all sessions of the user but the current one.
    pub async fn revoke_others(&self, origin: &Origin, principal: &Principal) -> Result<RevokedView> {
        todo!()
    }

    /// Ends all sessions of a user, for an administrator or operator.
    pub async fn revoke_all_of(
        &self,
        origin: &Origin,
        principal: Option<&Principal>,
        user: UserId,
    ) -> Result<RevokedView> {
        todo!()
    }
}
