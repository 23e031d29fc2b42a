//! What clients get.

use crate::{
    AuditId, DeviceClaimId, DeviceId, MfaMethod, RoleId, Secret, SessionId, TenantId, UserId, device::KeyAlgorithm,
};
use alloc::{string::String, vec::Vec};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

type Map = serde_json::Map<String, serde_json::Value>;

macro_rules! views {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub struct $name { $($(#[$fdoc])* pub $field: $type,)* }
    )+};
}

/// The state of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UserStatus {
    /// May sign in.
    Active,
    /// Switched off by its owner or an administrator.
    Deactivated,
    /// Closed by its owner, who may open it again within the grace period; after that it may be erased.
    PendingDeletion,
}

impl UserStatus {
    /// Its name, in JSON and as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deactivated => "deactivated",
            Self::PendingDeletion => "pending_deletion",
        }
    }

    /// From its name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Deactivated, Self::PendingDeletion].into_iter().find(|status| status.as_str() == text)
    }
}

/// The state of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeviceStatus {
    /// It may get tokens while its owner is active.
    Active,
    /// Its owner or an administrator took it back, for good.
    Revoked,
}

impl DeviceStatus {
    /// Its name, in JSON and as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Revoked => "revoked",
        }
    }

    /// From its name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Revoked].into_iter().find(|status| status.as_str() == text)
    }
}

/// How a device says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeviceHealth {
    /// It works.
    Ok,
    /// It works in part.
    Degraded,
    /// It does not do what it is for.
    Failing,
}

impl DeviceHealth {
    /// Its name, in JSON and as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Failing => "failing",
        }
    }

    /// From its name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Ok, Self::Degraded, Self::Failing].into_iter().find(|health| health.as_str() == text)
    }
}

views! {
    /// A user as its owner and administrators see it.
    UserView {
        /// Its id.
        id: UserId,
        /// Its tenant.
        tenant_id: TenantId,
        /// The address: as written, its domain in ASCII.
        email: String,
        /// Whether the address is proved.
        email_verified: bool,
        /// The display name.
        name: Option<String>,
        /// BCP 47 language tag.
        locale: Option<String>,
        /// Declared profile fields.
        #[cfg_attr(feature = "openapi", schema(value_type = Object))]
        profile: Map,
        /// The application's preferences.
        #[cfg_attr(feature = "openapi", schema(value_type = Object))]
        preferences: Map,
        /// Whether the account may be used.
        status: UserStatus,
        /// Whether a second factor is asked for.
        mfa_enabled: bool,
        /// Grows with each change; also the ETag.
        version: i64,
        /// When the account was made.
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
        created_at: Timestamp,
        /// When it last changed.
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
        updated_at: Timestamp,
    }
    /// One user in administration, with roles.
    AdminUserView {
        /// The user.
        #[serde(flatten)]
        user: UserView,
        /// The roles that are assigned directly.
        roles: Vec<RoleId>,
        /// Until when wrong passwords keep the account locked.
        #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
        locked_until: Option<Timestamp>,
    }
    /// A started registration.
    RegistrationView {
        /// Always `verification_required`.
        status: String,
    }
    /// A proved registration.
    VerifiedView {
        /// The account that exists from here.
        user: UserView,
        /// Where the registration asked to go next.
        #[serde(skip_serializing_if = "Option::is_none")]
        redirect_url: Option<String>,
    }
    /// The tokens of a session.
    TokensView {
        /// `typ: at+jwt` (RFC 9068).
        access_token: Secret,
        /// Opaque; rotates at every use.
        refresh_token: Secret,
        /// Always `Bearer` (RFC 6750).
        token_type: String,
        /// Seconds that the access token lives.
        expires_in: i64,
        /// The session.
        session_id: SessionId,
        /// Who signed in.
        user: UserView,
    }
    /// The first factor was right; a second is asked for.
    MfaRequiredView {
        /// Always true.
        mfa_required: bool,
        /// Opaque, for this attempt only; it runs out after five minutes unless that is configured otherwise.
        mfa_token: Secret,
        /// What can be used.
        methods: Vec<MfaMethod>,
    }
    /// A TOTP enrolment that waits for its confirmation.
    TotpEnrolmentView {
        /// Base32 (RFC 4648), for typing in.
        secret: Secret,
        /// For authenticator apps.
        otpauth_uri: Secret,
        /// The same as a QR code.
        qr_svg: Secret,
        /// The same as a PNG picture in a `data:` address, for clients that cannot show SVG.
        qr_png: Secret,
    }
    /// Ten backup codes, shown once.
    BackupCodesView {
        /// The codes.
        backup_codes: Vec<Secret>,
    }
    /// What second factors the user has.
    MfaStatusView {
        /// Whether TOTP is confirmed.
        totp: bool,
        /// Backup codes left.
        backup_codes_left: i64,
        /// Whether it is time to make new ones (three or fewer left).
        backup_codes_low: bool,
    }
    /// A session of the user.
    SessionView {
        /// Its id.
        id: SessionId,
        /// Whether the request came from it.
        current: bool,
        /// The `User-Agent` at sign-in.
        user_agent: Option<String>,
        /// The address at sign-in.
        ip: Option<String>,
        /// Where the address is, when a database of places is configured.
        place: Option<String>,
        /// How it signed in (RFC 8176).
        amr: Vec<String>,
        /// When it signed in.
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
        created_at: Timestamp,
        /// When it was last seen, to the minute.
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
        last_active_at: Timestamp,
    }
    /// How many sessions ended.
    RevokedView {
        /// The number.
        revoked: u64,
    }
    /// A role.
    RoleView {
        /// Its id.
        id: RoleId,
        /// Unique in the tenant.
        name: String,
        /// What it is for.
        description: String,
        /// The role it inherits from.
        parent_id: Option<RoleId>,
        /// What it grants itself, without what it inherits.
        permissions: Vec<String>,
        /// Whether it is fixed.
        system: bool,
        /// Grows with each change; also the ETag.
        version: i64,
        /// When it was made.
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
        created_at: Timestamp,
        /// When it last changed.
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
        updated_at: Timestamp,
    }
    /// The permissions of one resource.
    PermissionGroupView {
        /// The resource.
        resource: String,
        /// Its permissions.
        permissions: Vec<PermissionView>,
    }
    /// A permission that exists.
    PermissionView {
        /// `resource:action`
        name: String,
        /// What it allows.
        description: String,
        /// The scopes it can be granted with.
        scopes: Vec<String>,
    }
    /// Every permission that exists.
    PermissionsView {
        /// By resource.
        data: Vec<PermissionGroupView>,
    }
    /// A permission decision.
    DecisionView {
        /// Whether it is allowed.
        allowed: bool,
        /// The role and grant that decided, from the assigned role to the one that holds the grant.
        #[serde(skip_serializing_if = "Option::is_none")]
        via: Option<DecisionVia>,
    }
    /// Why a permission is allowed.
    DecisionVia {
        /// The names of the roles, the assigned one first, the granting one last.
        roles: Vec<String>,
        /// The grant that matched.
        grant: String,
    }
    /// A record of the audit log.
    AuditView {
        /// Its id.
        id: AuditId,
        /// When it happened.
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
        at: Timestamp,
        /// What happened, for example `session.created`.
        action: String,
        /// Whether it succeeded.
        outcome: AuditOutcome,
        /// Who did it.
        actor: Option<String>,
        /// To whom or what.
        subject: Option<String>,
        /// The address it came from, unless the person was erased.
        ip: Option<String>,
        /// The `User-Agent` it came from, unless the person was erased.
        user_agent: Option<String>,
        /// Finds the request in the logs.
        trace_id: Option<String>,
        /// More, without personal data.
        #[cfg_attr(feature = "openapi", schema(value_type = Object))]
        data: Map,
        /// Its place in the sealed chain, once it has one.
        sequence: Option<i64>,
    }
    /// A device.
    DeviceView {
        /// Its id.
        id: DeviceId,
        /// Whose it is.
        owner_id: UserId,
        /// What its owner calls it.
        name: String,
        /// How it signs.
        algorithm: KeyAlgorithm,
        /// SHA-256 of its public key, base64url.
        key_thumbprint: String,
        /// Whether it may get tokens.
        status: DeviceStatus,
        /// The version of its software, as it said last.
        version: Option<String>,
        /// What it can do, as it said last.
        capabilities: Vec<String>,
        /// How it is, as it said last.
        reported_status: Option<DeviceHealth>,
        /// When it was claimed.
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
        created_at: Timestamp,
        /// When it was last heard of, to the minute.
        #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
        last_seen_at: Option<Timestamp>,
        /// When it was taken back.
        #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
        revoked_at: Option<Timestamp>,
    }
    /// An invitation for one device, shown once.
    DeviceClaimView {
        /// Its id.
        id: DeviceClaimId,
        /// What is typed into the device, `XXXX-XXXX-XXXX`.
        code: Secret,
        /// The same for a device that reads a QR code: server, code and the server's key.
        uri: Secret,
        /// The address as a QR code.
        qr_svg: Secret,
        /// The same as a PNG picture in a `data:` address, for clients that cannot show SVG.
        qr_png: Secret,
        /// The server's Ed25519 key, base64url. A device that has it believes no other server.
        server_key: String,
        /// Until when the code counts.
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
        expires_at: Timestamp,
    }
    /// A challenge, and the server's time.
    DeviceChallengeView {
        /// Opaque; it counts once, for a minute, for what it was asked for.
        challenge: String,
        /// Seconds since 1970.
        server_time: i64,
        /// The server's Ed25519 key, base64url.
        server_key: String,
        /// Its signature over time, nonce and challenge, base64url.
        signature: String,
    }
    /// A claimed device with its first token.
    ClaimedDeviceView {
        /// The device.
        device: DeviceView,
        /// `typ: at+jwt` (RFC 9068), with the scope `device`.
        access_token: Secret,
        /// Always `Bearer` (RFC 6750).
        token_type: String,
        /// Seconds that the access token lives.
        expires_in: i64,
    }
    /// A device's access token.
    DeviceTokenView {
        /// `typ: at+jwt` (RFC 9068), with the scope `device`.
        access_token: Secret,
        /// Always `Bearer` (RFC 6750).
        token_type: String,
        /// Seconds that the access token lives.
        expires_in: i64,
        /// The device.
        device_id: DeviceId,
    }
    /// The answer to a heartbeat.
    HeartbeatView {
        /// Seconds since 1970.
        server_time: i64,
        /// In how many seconds the next one is due.
        next_in: i64,
    }
    /// A mail that the development outbox shows.
    OutboxMailView {
        /// What it is about, for example `verify_email`.
        kind: String,
        /// The recipient.
        to: String,
        /// Its subject.
        subject: String,
        /// Its plain text.
        text: String,
        /// Its HTML.
        html: String,
        /// The links it holds.
        links: Vec<String>,
        /// The code it holds.
        code: Option<String>,
        /// When it was delivered.
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
        created_at: Timestamp,
    }
    /// Mails, the newest first.
    OutboxView {
        /// The mails.
        data: Vec<OutboxMailView>,
    }
    /// The keys that verify access tokens (RFC 7517).
    JwksView {
        /// Public keys, also those that will sign soon.
        #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
        keys: Vec<serde_json::Value>,
    }
    /// What a verifier of tokens needs to know (the part of OpenID Connect Discovery that exists here).
    DiscoveryView {
        /// `iss` of access tokens.
        issuer: String,
        /// Where the keys are.
        jwks_uri: String,
        /// How access tokens are signed, also those that an earlier setting signed and that still count.
        id_token_signing_alg_values_supported: Vec<String>,
        /// Subjects are the same for everybody.
        subject_types_supported: Vec<String>,
        /// The claims of access tokens.
        claims_supported: Vec<String>,
        /// Where the API is described, when this address shows it.
        #[serde(skip_serializing_if = "Option::is_none")]
        service_documentation: Option<String>,
    }
}

/// Whether an audited operation succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AuditOutcome {
    /// It did.
    Success,
    /// It was refused.
    Failure,
}

impl AuditOutcome {
    /// Its name, in JSON and as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
        }
    }

    /// From its name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Success, Self::Failure].into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// The answer to a first factor.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum LoginView {
    /// Signed in.
    Tokens(alloc::boxed::Box<TokensView>),
    /// A second factor is needed.
    MfaRequired(MfaRequiredView),
}

/// One page of a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// The items, in the list's order.
    pub data: Vec<T>,
    /// Pass it as `cursor` for the next page; `null` at the end.
    pub next_cursor: Option<String>,
}
