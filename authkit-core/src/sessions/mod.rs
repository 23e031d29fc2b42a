//! Sessions, their tokens and the keys that sign them, and what every node knows of revocations.

mod authority;
mod model;
mod open;
mod principal;
mod store;

pub use authority::Authority;
pub use model::{FeedEvent, RefreshState, Session, SigningKey, UserAuthority};
pub(crate) use open::open;
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

    /// Verifies an access token: synchronously from what this node knows, unless that is stale or lacks the key.
    ///
    /// # Errors
    /// `auth.invalid_token`, or `server.unavailable` when a stale node cannot read.
    pub async fn authenticate(&self, token: &str) -> Result<Principal> {
        let _ = token;
        todo!()
    }

    /// The public keys as a JWK set (RFC 7517).
    #[must_use]
    pub fn jwks(&self) -> serde_json::Value {
        todo!()
    }

    /// All signing keys, the oldest first.
    pub async fn list_keys(&self) -> Result<Vec<SigningKey>> {
        todo!()
    }

    /// Makes sure that there is a key that signs; makes the next one when it is time, and deletes what is of no use
    /// any more. Run it at start and hourly, on every node.
    pub async fn ensure_keys(&self) -> Result<()> {
        todo!()
    }

    /// The same as [`ensure_keys`](Self::ensure_keys), for the worker.
    pub async fn maintain_keys(&self) -> Result<()> {
        self.ensure_keys().await
    }

    /// Makes the next key. It is published now and signs ten minutes later, so that outside caches have it in time.
    pub async fn rotate_key(&self, origin: &Origin) -> Result<SigningKey> {
        let _ = origin;
        todo!()
    }

    /// Makes the next key and signs with it at once.
    pub async fn rotate_key_now(&self, origin: &Origin) -> Result<SigningKey> {
        let _ = origin;
        todo!()
    }

    /// Revokes a key at once, with everything it signed; a fresh one takes its place when it was the one in use.
    pub async fn revoke_key(&self, origin: &Origin, id: KeyId) -> Result<()> {
        let _ = (origin, id);
        todo!()
    }

    /// Deletes what has expired in every tenant. Returns how many rows.
    pub async fn sweep(&self) -> Result<u64> {
        todo!()
    }

    /// Writes down when sessions were last seen. Returns how many.
    pub async fn flush_activity(&self) -> Result<usize> {
        todo!()
    }
}
