//! What clients send. Unknown fields are refused everywhere, so that nothing can be assigned by accident.

use crate::{
    DeviceHealth, DeviceId, RoleId, Secret, UserId,
    device::{KeyAlgorithm, Purpose},
};
use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

type Map = serde_json::Map<String, serde_json::Value>;

macro_rules! requests {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$fdoc])* pub $field: $type,)* }
    )+};
}

requests! {
    /// `POST /v1/auth/register`
    RegisterRequest {
        /// The address that will be proved.
        #[cfg_attr(feature = "openapi", schema(format = Email, min_length = 3, max_length = 254))]
        email: String,
        /// As long as the installation's policy says: 10 to 128 characters unless it is configured otherwise.
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = Password))]
        password: Secret,
        /// The display name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// BCP 47 language tag for mails.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        locale: Option<String>,
        /// Profile fields that the application has declared.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
        profile: Option<Map>,
        /// Where to go after the proof; must be on the tenant's list.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        redirect_url: Option<String>,
    }
    /// A single-use token from a mailed link.
    TokenRequest {
        /// The token of the link.
        token: Secret,
    }
    /// A request about an address: resend, forgot.
    EmailRequest {
        /// The address.
        #[cfg_attr(feature = "openapi", schema(format = Email, min_length = 3, max_length = 254))]
        email: String,
    }
    /// `POST /v1/auth/login`
    LoginRequest {
        /// The account's address.
        #[cfg_attr(feature = "openapi", schema(format = Email, min_length = 3, max_length = 254))]
        email: String,
        /// Its password.
        password: Secret,
    }
    /// `POST /v1/auth/mfa/verify`
    MfaVerifyRequest {
        /// The token of the attempt that the first factor opened.
        mfa_token: Secret,
        /// The second factor used.
        method: MfaMethod,
        /// The code.
        code: Secret,
    }
    /// `POST /v1/auth/refresh`
    RefreshRequest {
        /// The current refresh token.
        refresh_token: Secret,
    }
    /// `POST /v1/auth/logout`
    LogoutRequest {
        /// The session's refresh token, when there is no access token to send.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refresh_token: Option<Secret>,
    }
    /// `POST /v1/auth/password/reset`
    PasswordResetRequest {
        /// The token of the mailed link.
        token: Secret,
        /// As long as the installation's policy says: 10 to 128 characters unless it is configured otherwise.
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = Password))]
        new_password: Secret,
    }
    /// `POST /v1/auth/password/change`
    PasswordChangeRequest {
        /// The password so far. It may be left out while the sign-in is fresh.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        current_password: Option<Secret>,
        /// As long as the installation's policy says: 10 to 128 characters unless it is configured otherwise.
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = Password))]
        new_password: Secret,
    }
    /// `PATCH /v1/me`: an absent field stays, `null` clears.
    UpdateMeRequest {
        /// The display name.
        #[serde(default, skip_serializing_if = "Patch::is_absent")]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
        name: Patch<String>,
        /// BCP 47 language tag.
        #[serde(default, skip_serializing_if = "Patch::is_absent")]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
        locale: Patch<String>,
        /// Declared profile fields to set; a `null` value removes one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
        profile: Option<Map>,
        /// The application's per-user preferences to set; a `null` value removes one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
        preferences: Option<Map>,
    }
    /// `POST /v1/me/email`
    ChangeEmailRequest {
        /// The address to move to.
        #[cfg_attr(feature = "openapi", schema(format = Email, min_length = 3, max_length = 254))]
        new_email: String,
    }
    /// The password again, for what cannot be undone by accident.
    PasswordConfirmRequest {
        /// The current password. It may be left out while the sign-in is fresh.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        password: Option<Secret>,
    }
    /// `POST /v1/me/mfa/totp/confirm`
    TotpConfirmRequest {
        /// A code of the new authenticator.
        code: Secret,
    }
    /// `POST /v1/me/mfa/totp/disable` and `POST /v1/me/mfa/backup-codes`
    MfaReauthRequest {
        /// The current password.
        password: Secret,
        /// The second factor used.
        method: MfaMethod,
        /// Its code.
        code: Secret,
    }
    /// `POST /v1/roles`
    CreateRoleRequest {
        /// Unique in the tenant, in any case. ASCII letters, digits, `. _ : - /` and single spaces between them.
        #[cfg_attr(
            feature = "openapi",
            schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9._:/-]+( [A-Za-z0-9._:/-]+)*$")
        )]
        name: String,
        /// What the role is for.
        #[serde(default)]
        #[cfg_attr(feature = "openapi", schema(max_length = 500))]
        description: String,
        /// The role it inherits from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent_id: Option<RoleId>,
        /// `resource:action`, `resource:action:own`, `resource:*`.
        #[serde(default)]
        #[cfg_attr(feature = "openapi", schema(max_items = 256))]
        permissions: Vec<String>,
    }
    /// `PATCH /v1/roles/{id}`: an absent field stays.
    UpdateRoleRequest {
        /// Unique in the tenant.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(
            feature = "openapi",
            schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9._:/-]+( [A-Za-z0-9._:/-]+)*$")
        )]
        name: Option<String>,
        /// What the role is for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", schema(max_length = 500))]
        description: Option<String>,
        /// The role it inherits from; `null` for none.
        #[serde(default, skip_serializing_if = "Patch::is_absent")]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<RoleId>))]
        parent_id: Patch<RoleId>,
        /// Replaces the list.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", schema(max_items = 256))]
        permissions: Option<Vec<String>>,
    }
    /// `POST /v1/permissions/check`
    CheckPermissionRequest {
        /// `resource:action`
        #[cfg_attr(feature = "openapi", schema(pattern = "^[a-z][a-z0-9_.-]*:[a-z][a-z0-9_.-]*$"))]
        permission: String,
        /// Whose permission; the caller's own when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user_id: Option<UserId>,
        /// The owner of the object in question, for `own` permissions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner_id: Option<UserId>,
    }
    /// `POST /v1/devices/claims`
    CreateDeviceClaimRequest {
        /// What its owner calls the device; else the device's own name counts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", schema(max_length = 100))]
        name: Option<String>,
    }
    /// `POST /v1/devices/challenge`: for a claim with `public_key` and `algorithm`, for a token with `device_id`.
    DeviceChallengeRequest {
        /// What for.
        purpose: Purpose,
        /// 16 random bytes of the device, base64url, which the server signs together with its time.
        #[cfg_attr(feature = "openapi", schema(pattern = "^[A-Za-z0-9_-]{22}$"))]
        nonce: String,
        /// The key that shall be claimed, base64url: 32 bytes for EdDSA, 65 (uncompressed SEC 1) for ES256.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", schema(pattern = "^[A-Za-z0-9_-]{43,87}$"))]
        public_key: Option<String>,
        /// How it signs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        algorithm: Option<KeyAlgorithm>,
        /// The device that wants a token.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device_id: Option<DeviceId>,
    }
    /// `POST /v1/devices/claim`
    ClaimDeviceRequest {
        /// The claim code, in any case, with or without hyphens.
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = Password))]
        code: Secret,
        /// As the server gave it, for this key.
        challenge: String,
        /// The device's key, base64url.
        #[cfg_attr(feature = "openapi", schema(pattern = "^[A-Za-z0-9_-]{43,87}$"))]
        public_key: String,
        /// How it signs.
        algorithm: KeyAlgorithm,
        /// Its signature over the proof, 64 bytes, base64url.
        #[cfg_attr(feature = "openapi", schema(pattern = "^[A-Za-z0-9_-]{86}$"))]
        signature: String,
        /// What the device calls itself; the name that its owner gave with the claim comes first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", schema(max_length = 100))]
        name: Option<String>,
        /// The version of its software.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", schema(max_length = 64))]
        version: Option<String>,
    }
    /// `POST /v1/devices/token`
    DeviceTokenRequest {
        /// Which device.
        device_id: DeviceId,
        /// As the server gave it, for this device.
        challenge: String,
        /// The device's signature over the proof, 64 bytes, base64url.
        #[cfg_attr(feature = "openapi", schema(pattern = "^[A-Za-z0-9_-]{86}$"))]
        signature: String,
    }
    /// `POST /v1/devices/heartbeat`: an absent field stays.
    HeartbeatRequest {
        /// How the device says that it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<DeviceHealth>,
        /// The version of its software.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", schema(max_length = 64))]
        version: Option<String>,
        /// What it can do, in short words; replaces the list.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", schema(max_items = 32))]
        capabilities: Option<Vec<String>>,
    }
    /// `PATCH /v1/devices/{id}`
    UpdateDeviceRequest {
        /// What its owner calls it.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100))]
        name: String,
    }
}

/// A second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MfaMethod {
    /// A code of an authenticator app.
    Totp,
    /// One of the ten backup codes.
    BackupCode,
}

/// A field of a partial update: absent, cleared by `null`, or set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// Not sent: it stays.
    #[default]
    Absent,
    /// Sent as `null`.
    Clear,
    /// Sent with a value.
    Set(T),
}

impl<T> Patch<T> {
    /// Whether the field was not sent.
    #[must_use]
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The value after the patch, given the one before it.
    #[must_use]
    pub fn apply(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Absent => before,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }
}

impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Set(value) => value.serialize(to),
            Self::Absent | Self::Clear => to.serialize_none(),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(from)?.map_or(Self::Clear, Self::Set))
    }
}
