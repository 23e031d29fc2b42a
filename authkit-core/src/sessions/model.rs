use crate::SigningAlgorithm;
use authkit_wire::{KeyId, RoleId, SessionId, TenantId, UserId, UserStatus};
use jiff::Timestamp;

/// A session: one sign-in on one device, and the family of its refresh tokens. Ending it deletes it.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its id, `sid` in access tokens.
    pub id: SessionId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Whose.
    pub user: UserId,
    /// How it signed in (RFC 8176).
    pub amr: Vec<String>,
    /// When it signed in; `auth_time`.
    pub auth_time: Timestamp,
    /// The address at sign-in.
    pub ip: Option<String>,
    /// The `User-Agent` at sign-in.
    pub user_agent: Option<String>,
    /// Where the address is.
    pub place: Option<String>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was last seen, to the end of that minute.
    pub last_active_at: Timestamp,
    /// When it ends whatever happens.
    pub expires_at: Option<Timestamp>,
    /// The refresh token in force.
    pub refresh: RefreshState,
}

/// The refresh tokens of a session: the one in force and the one before it.
#[derive(Clone)]
pub struct RefreshState {
    /// SHA-256 of the token in force.
    pub hash: [u8; 32],
    /// Until when it can be used.
    pub expires_at: Timestamp,
    /// SHA-256 of the token before it.
    pub previous: Option<[u8; 32]>,
    /// When that one was used.
    pub rotated_at: Option<Timestamp>,
    /// Keyed hash of the `Idempotency-Key` of the request that used it.
    pub idempotency: Option<[u8; 32]>,
    /// The pair that answered that request, sealed under a key derived from the previous token.
    pub replay: Option<Vec<u8>>,
}

impl std::fmt::Debug for RefreshState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RefreshState").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// A key that signs, or signed, access tokens.
#[derive(Clone)]
pub struct SigningKey {
    /// `kid`.
    pub id: KeyId,
    /// `alg`.
    pub algorithm: SigningAlgorithm,
    /// PKCS#8 (RFC 5958), sealed.
    pub private: Vec<u8>,
    /// The public JWK (RFC 7517) as JSON.
    pub public: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it signs; before that it is only published, so that outside caches have it in time.
    pub active_at: Timestamp,
    /// From when on it does not sign any more.
    pub retired_at: Option<Timestamp>,
    /// When it was revoked: nothing it signed is valid.
    pub revoked_at: Option<Timestamp>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What every node must hear of. Each event tells what to read again or to refuse, so that hearing it twice or out of
/// order does no harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FeedEvent {
    /// A session ended.
    SessionEnded(TenantId, SessionId),
    /// A user's status, security version or roles changed.
    UserChanged(TenantId, UserId),
    /// Role definitions changed.
    RolesChanged(TenantId),
    /// Signing keys changed.
    KeysChanged,
    /// Tenants changed.
    TenantsChanged,
}

/// What decides whether a user's tokens count, read when a [`FeedEvent::UserChanged`] is heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserAuthority {
    /// Only active users' tokens count.
    pub status: UserStatus,
    /// Tokens with a lower `ver` do not count …
    pub security_version: i64,
    /// … but for those of this session.
    pub kept_session: Option<SessionId>,
    /// The roles in force, whatever the token says.
    pub roles: Vec<RoleId>,
}
