use super::{EmailKey, OneTimeToken, Registration, TokenPurpose, User};
use crate::ports::{Position, StoreError};
use async_trait::async_trait;
use authkit_wire::{OneTimeTokenId, RegistrationId, RoleId, SessionId, TenantId, UserId, UserStatus};
use jiff::Timestamp;
use serde_json::{Map, Value};

/// A change of accounts, registrations and single-use tokens.
///
/// Unless a variant says otherwise it must touch exactly one row, else the unit conflicts (`Changed`).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AccountChange {
    /// Inserts a user. `Taken` when the tenant has its `email_key`. Its password hash, when there is one, begins the
    /// history of passwords.
    CreateUser(Box<User>),
    /// Sets profile fields of the user whose `version` is `version`; `version` grows.
    UpdateProfile {
        /// Whom.
        user: UserId,
        /// Expected.
        version: i64,
        /// New value.
        name: Option<String>,
        /// New value.
        locale: Option<String>,
        /// New value.
        profile: Map<String, Value>,
        /// New value.
        preferences: Map<String, Value>,
        /// When.
        at: Timestamp,
    },
    /// Sets the password of the user whose `security_version` is as expected, and adds its hash to the history, of which
    /// the `keep` newest stay. `security_version` and `version` grow; `kept_session` is set.
    SetPassword {
        /// Whom.
        user: UserId,
        /// Expected.
        security_version: i64,
        /// PHC string.
        hash: String,
        /// The session that stays.
        kept_session: Option<SessionId>,
        /// How many hashes of the history stay.
        keep: u32,
        /// When.
        at: Timestamp,
    },
    /// Replaces the hash of the same password (other parameters). `security_version` must be as expected and stays.
    /// Touches one row or none.
    Rehash {
        /// Whom.
        user: UserId,
        /// Expected.
        security_version: i64,
        /// PHC string.
        hash: String,
    },
    /// Sets address and key of the user whose `security_version` is as expected. `Taken` when the tenant has the key.
    /// The address counts as verified.
    /// `security_version` and `version` grow; `kept_session` is set.
    SetEmail {
        /// Whom.
        user: UserId,
        /// Expected.
        security_version: i64,
        /// The address.
        email: String,
        /// Its key.
        email_key: EmailKey,
        /// The session that stays.
        kept_session: Option<SessionId>,
        /// When.
        at: Timestamp,
    },
    /// Marks the address of the user as verified, when it is not and its key is `email_key`. `version` grows.
    VerifyEmail {
        /// Whom.
        user: UserId,
        /// Expected.
        email_key: EmailKey,
        /// When.
        at: Timestamp,
    },
    /// Sets the status of the user whose `security_version` is as expected. `security_version` and `version` grow; `kept_session` is cleared.
    SetStatus {
        /// Whom.
        user: UserId,
        /// Expected.
        security_version: i64,
        /// The new status.
        status: UserStatus,
        /// From when on the account may be erased.
        erase_at: Option<Timestamp>,
        /// When.
        at: Timestamp,
    },
    /// Sets `mfa_enabled` of the user whose `security_version` is as expected. `security_version` and `version` grow; `kept_session` is set.
    SetMfa {
        /// Whom.
        user: UserId,
        /// Expected.
        security_version: i64,
        /// Whether a second factor is asked for.
        enabled: bool,
        /// The session that stays.
        kept_session: Option<SessionId>,
        /// When.
        at: Timestamp,
    },
    /// Records a sign-in of the *active* user whose `security_version` is as expected. It locks the row against a
    /// password or status change that runs at the same time.
    SignedIn {
        /// Whom.
        user: UserId,
        /// Expected.
        security_version: i64,
        /// When.
        at: Timestamp,
    },
    /// Inserts a registration.
    CreateRegistration(Box<Registration>),
    /// Gives the registration another token and a new expiry, when its token hash is `expected`.
    RenewRegistration {
        /// Which.
        id: RegistrationId,
        /// Expected.
        expected: [u8; 32],
        /// SHA-256 of the new token.
        token_hash: [u8; 32],
        /// Until when it can be proved.
        expires_at: Timestamp,
    },
    /// Consumes the registration whose token hash is as expected.
    ConsumeRegistration {
        /// Which.
        id: RegistrationId,
        /// Expected.
        token_hash: [u8; 32],
    },
    /// Deletes every registration of the address; any number of rows.
    DeleteRegistrationsOf {
        /// Which address.
        email_key: EmailKey,
    },
    /// Deletes one registration, if it is there.
    DeleteRegistration {
        /// Which.
        id: RegistrationId,
    },
    /// Inserts a single-use token.
    CreateToken(OneTimeToken),
    /// Consumes (deletes) the token whose hash is as expected.
    ConsumeToken {
        /// Which.
        id: OneTimeTokenId,
        /// Expected.
        token_hash: [u8; 32],
    },
    /// Deletes the user's tokens of the purpose; any number of rows.
    DeleteTokensOf {
        /// Whose.
        user: UserId,
        /// Which.
        purpose: TokenPurpose,
    },
    /// Deletes the user's tokens of the purpose that were made at the time or later; any number of rows.
    DeleteTokensSince {
        /// Whose.
        user: UserId,
        /// Which.
        purpose: TokenPurpose,
        /// The time.
        since: Timestamp,
    },
    /// Deletes registrations and tokens that expired before the time, in every tenant (`Scope::System`), at most
    /// 1,000 of each; any number of rows.
    DeleteExpired {
        /// The time.
        before: Timestamp,
    },
}

/// Which users a list holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// The address starts with this (lower case).
    pub email_prefix: Option<String>,
    /// The name contains this, in any case.
    pub name_contains: Option<String>,
    /// Their status.
    pub status: Option<UserStatus>,
    /// They hold this role directly.
    pub role: Option<RoleId>,
}

/// Reads of accounts.
#[async_trait]
pub trait AccountStore {
    /// The user.
    async fn find_user(&self, tenant: TenantId, id: UserId) -> Result<Option<User>, StoreError>;

    /// The user with the address.
    async fn find_user_by_email(&self, tenant: TenantId, key: &EmailKey) -> Result<Option<User>, StoreError>;

    /// Users, newest first (by id), at most `limit`, after the position. Its key is empty.
    async fn list_users(
        &self,
        tenant: TenantId,
        filter: &UserFilter,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Vec<User>, StoreError>;

    /// The hashes of earlier passwords, the newest first, the current one included.
    async fn password_history(&self, tenant: TenantId, user: UserId, limit: u32) -> Result<Vec<String>, StoreError>;

    /// The registration.
    async fn find_registration(&self, tenant: TenantId, id: RegistrationId)
    -> Result<Option<Registration>, StoreError>;

    /// The registrations of the address, the newest first (by id), at most `limit`.
    async fn list_registrations(
        &self,
        tenant: TenantId,
        key: &EmailKey,
        limit: u32,
    ) -> Result<Vec<Registration>, StoreError>;

    /// The single-use token.
    async fn find_token(&self, tenant: TenantId, id: OneTimeTokenId) -> Result<Option<OneTimeToken>, StoreError>;
}
