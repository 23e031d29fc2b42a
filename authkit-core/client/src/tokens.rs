use authkit_wire::{Secret, SessionId, TokensView};
use serde::{Deserialize, Serialize};

/// Access tokens are renewed this many seconds before they run out, or when a tenth of their life is left.
const AHEAD: i64 = 30;

/// The tokens of a session as a [`TokenStorage`](crate::TokenStorage) keeps them. As JSON it may hold fields of later
/// versions, which earlier ones ignore.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoredTokens {
    /// The access token.
    pub access_token: Secret,
    /// The refresh token, which counts once.
    pub refresh_token: Secret,
    /// The session.
    pub session_id: SessionId,
    /// When they came, in seconds since 1970, by the clock of this machine.
    pub obtained_at: i64,
    /// When the access token runs out, in seconds since 1970, by the clock of this machine.
    pub expires_at: i64,
    /// The `Idempotency-Key` of a refresh that was begun. It is kept before the refresh is sent, so that after a lost
    /// answer the same request can be repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_key: Option<Secret>,
}

impl StoredTokens {
    pub(crate) fn new(view: &TokensView, now: i64) -> Self {
        Self {
            access_token: view.access_token.clone(),
            refresh_token: view.refresh_token.clone(),
            session_id: view.session_id,
            obtained_at: now,
            expires_at: now.saturating_add(view.expires_in.max(0)),
            refresh_key: None,
        }
    }

    /// Whether it is time for new ones.
    pub(crate) fn stale(&self, now: i64) -> bool {
        let life = self.expires_at.saturating_sub(self.obtained_at);
        now >= self.expires_at.saturating_sub(AHEAD.min(life / 10))
    }

    /// Whether the access token has run out.
    pub(crate) const fn expired(&self, now: i64) -> bool {
        now >= self.expires_at
    }
}
