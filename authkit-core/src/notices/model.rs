use crate::ports::Operation;
use authkit_wire::{NoticeId, OneTimeTokenId, RegistrationId, Secret, TenantId, UserId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// A notice in the outbox, written in the unit of the operation that causes it. Delivery deletes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxNotice {
    /// Its id.
    pub id: NoticeId,
    /// Its tenant.
    pub tenant: TenantId,
    /// For the log and metrics, for example `password_changed`.
    pub kind: String,
    /// Keyed hash of the recipient: notices of one recipient keep their order.
    pub recipient: [u8; 33],
    /// [`Notice`] as JSON, sealed.
    pub payload: Vec<u8>,
    /// Deliveries tried.
    pub attempts: i64,
    /// Not before.
    pub available_at: Timestamp,
    /// Who delivers it now, and until when.
    pub lease: Option<(uuid::Uuid, Timestamp)>,
    /// Given up: kept without payload for the operator.
    pub dead: bool,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it is not worth delivering any more.
    pub expires_at: Timestamp,
}

/// What an outbox record asks for. Its JSON form is stored: variants are added, never changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Notice {
    /// A registration: the worker sends the proof's link, or tells the owner that the address is taken.
    Registration {
        /// Which.
        registration: RegistrationId,
        /// To.
        email: String,
        /// Its token.
        token: Secret,
        /// BCP 47.
        locale: Option<String>,
    },
    /// Someone asked for the proof's link again; the worker decides whether there is something to send.
    ResendVerification {
        /// The address as given.
        email: String,
    },
    /// A further link for a registration, which someone asked for.
    Verification {
        /// Which.
        registration: RegistrationId,
        /// To.
        email: String,
        /// Its token.
        token: Secret,
        /// BCP 47.
        locale: Option<String>,
    },
    /// Someone asked for a reset; the worker decides whether there is an account.
    PasswordResetRequested {
        /// The address as given.
        email: String,
    },
    /// The proof of a new address, to that address; the worker tells its owner instead when it is taken.
    EmailChange {
        /// Whose change.
        user: UserId,
        /// The single-use token's record.
        record: OneTimeTokenId,
        /// To.
        email: String,
        /// The token.
        token: Secret,
        /// BCP 47.
        locale: Option<String>,
    },
    /// To the old address: the address was changed, with the way back.
    EmailChanged {
        /// To.
        email: String,
        /// The new address.
        new_email: String,
        /// The undo token.
        token: Secret,
        /// BCP 47.
        locale: Option<String>,
    },
    /// To a user, about something that happened.
    Account {
        /// What happened.
        event: AccountEvent,
        /// Whom.
        user: UserId,
        /// To.
        email: String,
        /// BCP 47.
        locale: Option<String>,
    },
    /// To a user, about a device that was claimed.
    DeviceClaimed {
        /// Whose it is now.
        user: UserId,
        /// To.
        email: String,
        /// BCP 47.
        locale: Option<String>,
        /// What it is called.
        device: String,
        /// The address that it was claimed from.
        ip: Option<IpAddr>,
    },
    /// To a user who has switched the account off or put it up for deletion, with the way back.
    Closed {
        /// Which of the two.
        event: AccountEvent,
        /// Whom.
        user: UserId,
        /// To.
        email: String,
        /// The token that activates the account again.
        token: Secret,
        /// BCP 47.
        locale: Option<String>,
    },
    /// Calls the host application's hook.
    Hook {
        /// What was done.
        operation: Operation,
    },
}

impl Notice {
    /// Its kind, for logs and metrics; nothing in it tells whom it is for.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Registration { .. } => "registration",
            Self::ResendVerification { .. } => "resend_verification",
            Self::Verification { .. } => "verification",
            Self::PasswordResetRequested { .. } => "password_reset_requested",
            Self::EmailChange { .. } => "email_change",
            Self::EmailChanged { .. } => "email_changed",
            Self::DeviceClaimed { .. } => AccountEvent::DeviceClaimed.as_str(),
            Self::Account { event, .. } | Self::Closed { event, .. } => event.as_str(),
            Self::Hook { .. } => "hook",
        }
    }
}

/// What a user is told about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AccountEvent {
    /// Welcome, after the proof.
    Welcome,
    /// The password was changed or reset.
    PasswordChanged,
    /// Too many wrong passwords.
    AccountLocked,
    /// A second factor was set up.
    MfaEnabled,
    /// The second factor was removed.
    MfaDisabled,
    /// Backup codes were made anew.
    BackupCodesRegenerated,
    /// Three or fewer backup codes are left.
    BackupCodesLow,
    /// A refresh token was used twice; the session was ended.
    TokenReuse,
    /// The account was deactivated.
    AccountDeactivated,
    /// The account was activated again.
    AccountReactivated,
    /// The account was put up for deletion.
    DeletionScheduled,
    /// A device was claimed.
    DeviceClaimed,
}

impl AccountEvent {
    /// Its kind, for example `password_changed`; also its templates' name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Welcome => "welcome",
            Self::PasswordChanged => "password_changed",
            Self::AccountLocked => "account_locked",
            Self::MfaEnabled => "mfa_enabled",
            Self::MfaDisabled => "mfa_disabled",
            Self::BackupCodesRegenerated => "backup_codes_regenerated",
            Self::BackupCodesLow => "backup_codes_low",
            Self::TokenReuse => "token_reuse",
            Self::AccountDeactivated => "account_deactivated",
            Self::AccountReactivated => "account_reactivated",
            Self::DeletionScheduled => "deletion_scheduled",
            Self::DeviceClaimed => "device_claimed",
        }
    }
}
