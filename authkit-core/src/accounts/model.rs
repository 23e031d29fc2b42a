use authkit_wire::{OneTimeTokenId, RegistrationId, SessionId, TenantId, UserId, UserStatus, UserView};
use jiff::Timestamp;
use serde_json::{Map, Value};

/// The keyed hash that an address is found by (see [`Keyring::index`](crate::crypto::Keyring::index)).
pub type EmailKey = [u8; 33];

/// A user: a proved account of one tenant.
#[derive(Clone)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Its tenant.
    pub tenant: TenantId,
    /// The address as written; mail goes here.
    pub email: String,
    /// What the address is found by; unique in the tenant.
    pub email_key: EmailKey,
    /// Whether the address is proved.
    pub email_verified: bool,
    /// The display name.
    pub name: Option<String>,
    /// BCP 47 language tag.
    pub locale: Option<String>,
    /// Declared profile fields.
    pub profile: Map<String, Value>,
    /// The application's preferences.
    pub preferences: Map<String, Value>,
    /// PHC string; `None` for accounts that have no password.
    pub password_hash: Option<String>,
    /// Whether the account may be used.
    pub status: UserStatus,
    /// Whether a second factor is asked for.
    pub mfa_enabled: bool,
    /// Seals this person's fields in the audit log; sealed itself. Erasing it makes them unreadable.
    pub subject_key: Vec<u8>,
    /// Grows when credentials, factors or status change. Access tokens carry it as `ver`.
    pub security_version: i64,
    /// The one session that the last such change left alive.
    pub kept_session: Option<SessionId>,
    /// Grows with every change but sign-ins.
    pub version: i64,
    /// From when on it may be erased, while deletion is pending; until then its owner may open it again.
    pub erase_at: Option<Timestamp>,
    /// When it last signed in.
    pub last_sign_in_at: Option<Timestamp>,
    /// When it was proved.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl User {
    /// Whether the account may be used.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status == UserStatus::Active
    }

    /// What its owner sees.
    #[must_use]
    pub fn view(&self) -> UserView {
        UserView {
            id: self.id,
            tenant_id: self.tenant,
            email: self.email.clone(),
            email_verified: self.email_verified,
            name: self.name.clone(),
            locale: self.locale.clone(),
            profile: self.profile.clone(),
            preferences: self.preferences.clone(),
            status: self.status,
            mfa_enabled: self.mfa_enabled,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("id", &self.id).field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

/// A registration that waits for the proof of its address. It holds everything its maker set, so that nothing of it
/// survives somebody else's proof.
#[derive(Clone)]
pub struct Registration {
    /// Its id.
    pub id: RegistrationId,
    /// Its tenant.
    pub tenant: TenantId,
    /// The address as written.
    pub email: String,
    /// What the address is found by; not unique.
    pub email_key: EmailKey,
    /// The display name.
    pub name: Option<String>,
    /// BCP 47 language tag.
    pub locale: Option<String>,
    /// Declared profile fields.
    pub profile: Map<String, Value>,
    /// PHC string.
    pub password_hash: String,
    /// SHA-256 of its token.
    pub token_hash: [u8; 32],
    /// Where to go after the proof.
    pub redirect_url: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it can be proved.
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for Registration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registration").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What a single-use token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenPurpose {
    /// Sets a new password.
    PasswordReset,
    /// Proves a new address; `data` is the address and the session that asked.
    EmailChange,
    /// Takes an address change back; `data` is the old address.
    EmailUndo,
    /// Holds an attempt that waits for its second factor; `data` is what the first factor established.
    Mfa,
    /// Activates an account again that its owner switched off or put up for deletion.
    Reactivate,
}

impl TokenPurpose {
    /// Every purpose.
    pub const ALL: [Self; 5] = [Self::PasswordReset, Self::EmailChange, Self::EmailUndo, Self::Mfa, Self::Reactivate];

    /// As stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PasswordReset => "password_reset",
            Self::EmailChange => "email_change",
            Self::EmailUndo => "email_undo",
            Self::Mfa => "mfa",
            Self::Reactivate => "reactivate",
        }
    }

    /// From its stored form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == text)
    }
}

/// A single-use token of a user.
#[derive(Clone, Debug)]
pub struct OneTimeToken {
    /// Its id.
    pub id: OneTimeTokenId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Its user.
    pub user: UserId,
    /// What it is for.
    pub purpose: TokenPurpose,
    /// SHA-256 of the token.
    pub token_hash: [u8; 32],
    /// Sealed, as its purpose needs.
    pub data: Vec<u8>,
    /// The user's `security_version` when it was made: a token does not outlive a change of credentials.
    pub security_version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it can be used.
    pub expires_at: Timestamp,
}
