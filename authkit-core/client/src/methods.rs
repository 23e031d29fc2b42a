// Generated from the OpenAPI document by `make generated`.

use crate::{Client, Pages, Result, typed::{arguments, no_arguments, with, with_all}};
use authkit_wire::{AdminUserView, AuditId, AuditOutcome, AuditView, BackupCodesView, ChangeEmailRequest, CheckPermissionRequest, ClaimDeviceRequest, ClaimedDeviceView, CreateDeviceClaimRequest, CreateRoleRequest, DecisionView, DeviceChallengeRequest, DeviceChallengeView, DeviceClaimId, DeviceClaimView, DeviceId, DeviceStatus, DeviceTokenRequest, DeviceTokenView, DeviceView, DiscoveryView, EmailRequest, HeartbeatRequest, HeartbeatView, JwksView, MfaReauthRequest, MfaStatusView, OutboxView, Page, PasswordChangeRequest, PasswordConfirmRequest, PasswordResetRequest, PermissionsView, RegisterRequest, RegistrationView, RevokedView, RoleId, RoleView, SessionId, SessionView, TokenRequest, TotpConfirmRequest, TotpEnrolmentView, UpdateDeviceRequest, UpdateMeRequest, UpdateRoleRequest, UserId, UserStatus, UserView};
use jiff::Timestamp;
use serde::Serialize;

/// What [`Client::list_audit`] can be asked for.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ListAuditQuery {
    /// This action, or with a trailing `.` every action that starts so
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Who did it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// To whom or what
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Whether it succeeded
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<AuditOutcome>,
    /// At or after (RFC 3339)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Before (RFC 3339)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Items on the page; 25 without it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// What [`Client::list_devices`] can be asked for.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ListDevicesQuery {
    /// Items on the page; 25 without it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// What [`Client::list_outbox`] can be asked for.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ListOutboxQuery {
    /// Only those to this address
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// What [`Client::list_roles`] can be asked for.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ListRolesQuery {
    /// Only those that inherit from this role directly
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<RoleId>,
    /// The name starts with this
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only the fixed ones (`true`), or only the others (`false`)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<bool>,
    /// Items on the page; 25 without it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// What [`Client::list_sessions`] can be asked for.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ListSessionsQuery {
    /// Items on the page; 25 without it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// What [`Client::list_user_devices`] can be asked for.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ListUserDevicesQuery {
    /// Whose
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<UserId>,
    /// Their status
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<DeviceStatus>,
    /// Items on the page; 25 without it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// What [`Client::list_user_sessions`] can be asked for.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ListUserSessionsQuery {
    /// Items on the page; 25 without it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// What [`Client::list_users`] can be asked for.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ListUsersQuery {
    /// The address starts with this
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The name contains this, in any case
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Their status
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<UserStatus>,
    /// They hold this role directly
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleId>,
    /// Items on the page; 25 without it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

impl Client {
    /// Activate a user: `POST /v1/admin/users/{id}/activate`.
    ///
    /// Also one whose deletion is pending.
    pub async fn activate_user(&self, id: UserId) -> Result<AdminUserView> {
        self.typed("activateUser", with(no_arguments(), "id", id)).await
    }

    /// Assign a role: `PUT /v1/users/{id}/roles/{role_id}`.
    ///
    /// The caller must hold everything that the role grants.
    pub async fn assign_role(&self, id: UserId, role_id: RoleId) -> Result<()> {
        self.typed("assignRole", with(with(no_arguments(), "id", id), "role_id", role_id)).await
    }

    /// Move to another address: `POST /v1/me/email`.
    ///
    /// Mails a proof to the new address. Needs a sign-in within the last ten minutes.
    pub async fn change_email(&self, request: ChangeEmailRequest) -> Result<()> {
        self.typed("changeEmail", arguments(&request)).await
    }

    /// Change the password: `POST /v1/auth/password/change`.
    ///
    /// Takes the current password, or none within ten minutes of a sign-in. The other sessions end.
    pub async fn change_password(&self, request: PasswordChangeRequest) -> Result<()> {
        self.typed("changePassword", arguments(&request)).await
    }

    /// Decide about a permission: `POST /v1/permissions/check`.
    ///
    /// Says which role and grant decided. Asking about somebody else needs `permissions:check`.
    pub async fn check_permission(&self, request: CheckPermissionRequest) -> Result<DecisionView> {
        self.typed("checkPermission", arguments(&request)).await
    }

    /// Claim a device: `POST /v1/devices/claim`.
    ///
    /// The device sends the code that its owner was shown, and its signature over the challenge (`Proof` of `authkit-wire`,
    /// with the code without hyphens). The same key with the same code gets the same device for a day, should the first
    /// answer be lost.
    pub async fn claim_device(&self, request: ClaimDeviceRequest) -> Result<ClaimedDeviceView> {
        self.typed("claimDevice", arguments(&request)).await
    }

    /// Prove a new address: `POST /v1/auth/email/confirm`.
    ///
    /// The account moves to it, the other sessions end, and the old address gets a way back.
    pub async fn confirm_email(&self, request: TokenRequest) -> Result<()> {
        self.typed("confirmEmail", arguments(&request)).await
    }

    /// Confirm TOTP: `POST /v1/me/mfa/totp/confirm`.
    ///
    /// With a code of the new authenticator. The ten backup codes are shown this once; the other sessions end.
    pub async fn confirm_totp(&self, request: TotpConfirmRequest) -> Result<BackupCodesView> {
        self.typed("confirmTotp", arguments(&request)).await
    }

    /// Make a claim code: `POST /v1/devices/claims`.
    ///
    /// For one device, which becomes the caller's. The code is shown once and counts for fifteen minutes unless that is
    /// configured otherwise.
    pub async fn create_device_claim(&self, request: CreateDeviceClaimRequest) -> Result<DeviceClaimView> {
        self.typed("createDeviceClaim", arguments(&request)).await
    }

    /// Make a role: `POST /v1/roles`.
    ///
    /// It may grant only what the caller holds.
    pub async fn create_role(&self, request: CreateRoleRequest) -> Result<RoleView> {
        self.typed("createRole", arguments(&request)).await
    }

    /// Deactivate the own account: `POST /v1/me/deactivate`.
    ///
    /// Takes the password, or none within ten minutes of a sign-in. All sessions end. The mail about it holds a link that
    /// activates the account again; an administrator can, too.
    pub async fn deactivate_me(&self, request: PasswordConfirmRequest) -> Result<()> {
        self.typed("deactivateMe", arguments(&request)).await
    }

    /// Deactivate a user: `POST /v1/admin/users/{id}/deactivate`.
    ///
    /// The user's sessions end.
    pub async fn deactivate_user(&self, id: UserId) -> Result<AdminUserView> {
        self.typed("deactivateUser", with(no_arguments(), "id", id)).await
    }

    /// Delete the own account: `POST /v1/me/delete`.
    ///
    /// Takes the password, or none within ten minutes of a sign-in. The account is closed at once and all sessions
    /// end. The mail about it holds a link that opens it again within the grace period; an administrator can, too.
    pub async fn delete_me(&self, request: PasswordConfirmRequest) -> Result<()> {
        self.typed("deleteMe", arguments(&request)).await
    }

    /// Delete a role: `DELETE /v1/roles/{id}`.
    ///
    /// Nobody may hold it and nothing may inherit from it.
    pub async fn delete_role(&self, id: RoleId) -> Result<()> {
        self.typed("deleteRole", with(no_arguments(), "id", id)).await
    }

    /// Remove TOTP: `POST /v1/me/mfa/totp/disable`.
    ///
    /// With the password and a code. The backup codes go too.
    pub async fn disable_totp(&self, request: MfaReauthRequest) -> Result<()> {
        self.typed("disableTotp", arguments(&request)).await
    }

    /// Start with TOTP: `POST /v1/me/mfa/totp`.
    ///
    /// Makes a secret that asks for nothing until it is confirmed. Needs a sign-in within the last ten minutes.
    pub async fn enrol_totp(&self) -> Result<TotpEnrolmentView> {
        self.typed("enrolTotp", no_arguments()).await
    }

    /// Ask for a password reset: `POST /v1/auth/password/forgot`.
    ///
    /// Answers alike whatever the address.
    pub async fn forgot_password(&self, request: EmailRequest) -> Result<()> {
        self.typed("forgotPassword", arguments(&request)).await
    }

    /// One record of the audit log: `GET /v1/admin/audit/{id}`.
    pub async fn get_audit(&self, id: AuditId) -> Result<AuditView> {
        self.typed("getAudit", with(no_arguments(), "id", id)).await
    }

    /// One device of the user: `GET /v1/devices/{id}`.
    pub async fn get_device(&self, id: DeviceId) -> Result<DeviceView> {
        self.typed("getDevice", with(no_arguments(), "id", id)).await
    }

    /// Metadata of the issuer: `GET /.well-known/openid-configuration`.
    pub async fn get_discovery(&self) -> Result<DiscoveryView> {
        self.typed("getDiscovery", no_arguments()).await
    }

    /// The keys that verify access tokens: `GET /.well-known/jwks.json`.
    pub async fn get_jwks(&self) -> Result<JwksView> {
        self.typed("getJwks", no_arguments()).await
    }

    /// The signed-in user: `GET /v1/me`.
    pub async fn get_me(&self) -> Result<UserView> {
        self.typed("getMe", no_arguments()).await
    }

    /// What second factors the user has: `GET /v1/me/mfa`.
    pub async fn get_mfa(&self) -> Result<MfaStatusView> {
        self.typed("getMfa", no_arguments()).await
    }

    /// The device that asks: `GET /v1/devices/self`.
    pub async fn get_own_device(&self) -> Result<DeviceView> {
        self.typed("getOwnDevice", no_arguments()).await
    }

    /// One role: `GET /v1/roles/{id}`.
    pub async fn get_role(&self, id: RoleId) -> Result<RoleView> {
        self.typed("getRole", with(no_arguments(), "id", id)).await
    }

    /// One user: `GET /v1/admin/users/{id}`.
    pub async fn get_user(&self, id: UserId) -> Result<AdminUserView> {
        self.typed("getUser", with(no_arguments(), "id", id)).await
    }

    /// Get a device's access token: `POST /v1/devices/token`.
    ///
    /// For the device's signature over the challenge (`Proof` of `authkit-wire`, with the device's id).
    pub async fn issue_device_token(&self, request: DeviceTokenRequest) -> Result<DeviceTokenView> {
        self.typed("issueDeviceToken", arguments(&request)).await
    }

    /// Records of the audit log: `GET /v1/admin/audit`.
    ///
    /// The newest first.
    pub async fn list_audit(&self, query: &ListAuditQuery) -> Result<Page<AuditView>> {
        self.typed("listAudit", with_all(no_arguments(), query)).await
    }

    /// The same, page after page.
    pub fn list_audit_pages(&self, query: &ListAuditQuery) -> Pages<AuditView> {
        Pages::new(self, "listAudit", with_all(no_arguments(), query))
    }

    /// The user's devices: `GET /v1/devices`.
    ///
    /// The newest first, revoked ones too.
    pub async fn list_devices(&self, query: &ListDevicesQuery) -> Result<Page<DeviceView>> {
        self.typed("listDevices", with_all(no_arguments(), query)).await
    }

    /// The same, page after page.
    pub fn list_devices_pages(&self, query: &ListDevicesQuery) -> Pages<DeviceView> {
        Pages::new(self, "listDevices", with_all(no_arguments(), query))
    }

    /// Mails that development kept: `GET /v1/dev/outbox`.
    ///
    /// The newest first.
    pub async fn list_outbox(&self, query: &ListOutboxQuery) -> Result<OutboxView> {
        self.typed("listOutbox", with_all(no_arguments(), query)).await
    }

    /// The permissions that exist, by resource: `GET /v1/permissions`.
    pub async fn list_permissions(&self) -> Result<PermissionsView> {
        self.typed("listPermissions", no_arguments()).await
    }

    /// The roles of the tenant, by name: `GET /v1/roles`.
    pub async fn list_roles(&self, query: &ListRolesQuery) -> Result<Page<RoleView>> {
        self.typed("listRoles", with_all(no_arguments(), query)).await
    }

    /// The same, page after page.
    pub fn list_roles_pages(&self, query: &ListRolesQuery) -> Pages<RoleView> {
        Pages::new(self, "listRoles", with_all(no_arguments(), query))
    }

    /// The user's sessions: `GET /v1/me/sessions`.
    ///
    /// The newest first; the one that asks is marked `current`.
    pub async fn list_sessions(&self, query: &ListSessionsQuery) -> Result<Page<SessionView>> {
        self.typed("listSessions", with_all(no_arguments(), query)).await
    }

    /// The same, page after page.
    pub fn list_sessions_pages(&self, query: &ListSessionsQuery) -> Pages<SessionView> {
        Pages::new(self, "listSessions", with_all(no_arguments(), query))
    }

    /// The devices of the tenant: `GET /v1/admin/devices`.
    ///
    /// The newest first.
    pub async fn list_user_devices(&self, query: &ListUserDevicesQuery) -> Result<Page<DeviceView>> {
        self.typed("listUserDevices", with_all(no_arguments(), query)).await
    }

    /// The same, page after page.
    pub fn list_user_devices_pages(&self, query: &ListUserDevicesQuery) -> Pages<DeviceView> {
        Pages::new(self, "listUserDevices", with_all(no_arguments(), query))
    }

    /// The sessions of a user: `GET /v1/admin/users/{id}/sessions`.
    ///
    /// The newest first; the one that asks is marked `current`.
    pub async fn list_user_sessions(&self, id: UserId, query: &ListUserSessionsQuery) -> Result<Page<SessionView>> {
        self.typed("listUserSessions", with_all(with(no_arguments(), "id", id), query)).await
    }

    /// The same, page after page.
    pub fn list_user_sessions_pages(&self, id: UserId, query: &ListUserSessionsQuery) -> Pages<SessionView> {
        Pages::new(self, "listUserSessions", with_all(with(no_arguments(), "id", id), query))
    }

    /// The users of the tenant: `GET /v1/admin/users`.
    ///
    /// The newest first.
    pub async fn list_users(&self, query: &ListUsersQuery) -> Result<Page<AdminUserView>> {
        self.typed("listUsers", with_all(no_arguments(), query)).await
    }

    /// The same, page after page.
    pub fn list_users_pages(&self, query: &ListUsersQuery) -> Pages<AdminUserView> {
        Pages::new(self, "listUsers", with_all(no_arguments(), query))
    }

    /// Get the own account back: `POST /v1/auth/reactivate`.
    ///
    /// With the token that was mailed when its owner deactivated the account or put it up for deletion: within 30 days, or
    /// within the grace period. An administrator who deactivates the account takes this way back. It signs nobody in.
    pub async fn reactivate(&self, request: TokenRequest) -> Result<()> {
        self.typed("reactivate", arguments(&request)).await
    }

    /// Make new backup codes: `POST /v1/me/mfa/backup-codes`.
    ///
    /// With the password and a code. The old ones are void.
    pub async fn regenerate_backup_codes(&self, request: MfaReauthRequest) -> Result<BackupCodesView> {
        self.typed("regenerateBackupCodes", arguments(&request)).await
    }

    /// Sign up: `POST /v1/auth/register`.
    ///
    /// Answers alike whether the address is free or taken; the mail tells its owner. The account exists once the address
    /// is proved.
    pub async fn register(&self, request: RegisterRequest) -> Result<RegistrationView> {
        self.typed("register", arguments(&request)).await
    }

    /// Remove a role from a user: `DELETE /v1/users/{id}/roles/{role_id}`.
    pub async fn remove_role(&self, id: UserId, role_id: RoleId) -> Result<()> {
        self.typed("removeRole", with(with(no_arguments(), "id", id), "role_id", role_id)).await
    }

    /// Ask for a challenge: `POST /v1/devices/challenge`.
    ///
    /// For a claim with the key that shall be claimed, for a token with the device's id. The answer is signed by the server's
    /// key over its time, the nonce and the challenge (`Statement` of `authkit-wire`), so that a device can believe the time
    /// before it believes any certificate. Nothing is kept.
    pub async fn request_device_challenge(&self, request: DeviceChallengeRequest) -> Result<DeviceChallengeView> {
        self.typed("requestDeviceChallenge", arguments(&request)).await
    }

    /// Send the proof's link again: `POST /v1/auth/verify-email/resend`.
    ///
    /// Answers alike whatever the address.
    pub async fn resend_verification(&self, request: EmailRequest) -> Result<()> {
        self.typed("resendVerification", arguments(&request)).await
    }

    /// Remove a user's second factors: `POST /v1/admin/users/{id}/mfa/reset`.
    ///
    /// For somebody who has lost them. The user's sessions end.
    pub async fn reset_mfa(&self, id: UserId) -> Result<()> {
        self.typed("resetMfa", with(no_arguments(), "id", id)).await
    }

    /// Set a new password with a mailed token: `POST /v1/auth/password/reset`.
    ///
    /// All sessions end. A second factor is asked for at the next sign-in as before.
    pub async fn reset_password(&self, request: PasswordResetRequest) -> Result<()> {
        self.typed("resetPassword", arguments(&request)).await
    }

    /// Revoke a device: `DELETE /v1/devices/{id}`.
    ///
    /// At once and for good. It stays in the list; its key can be claimed anew with a new code, as a new device.
    pub async fn revoke_device(&self, id: DeviceId) -> Result<()> {
        self.typed("revokeDevice", with(no_arguments(), "id", id)).await
    }

    /// End all sessions but the current one: `DELETE /v1/me/sessions`.
    pub async fn revoke_other_sessions(&self) -> Result<RevokedView> {
        self.typed("revokeOtherSessions", no_arguments()).await
    }

    /// End one session: `DELETE /v1/me/sessions/{id}`.
    pub async fn revoke_session(&self, id: SessionId) -> Result<()> {
        self.typed("revokeSession", with(no_arguments(), "id", id)).await
    }

    /// Revoke a user's device: `DELETE /v1/admin/devices/{id}`.
    pub async fn revoke_user_device(&self, id: DeviceId) -> Result<()> {
        self.typed("revokeUserDevice", with(no_arguments(), "id", id)).await
    }

    /// End all sessions of a user: `DELETE /v1/admin/users/{id}/sessions`.
    pub async fn revoke_user_sessions(&self, id: UserId) -> Result<RevokedView> {
        self.typed("revokeUserSessions", with(no_arguments(), "id", id)).await
    }

    /// Send a heartbeat: `POST /v1/devices/heartbeat`.
    ///
    /// The device says that it is there, how it is and what it can do. What it leaves out stays as it was.
    pub async fn send_heartbeat(&self, request: HeartbeatRequest) -> Result<HeartbeatView> {
        self.typed("sendHeartbeat", arguments(&request)).await
    }

    /// Take an address change back: `POST /v1/auth/email/undo`.
    ///
    /// With the token that was mailed to the old address, within 72 hours. All sessions end, the password is void, and the old
    /// address is mailed a link to set a new one. A second factor set up since the change is removed.
    pub async fn undo_email(&self, request: TokenRequest) -> Result<()> {
        self.typed("undoEmail", arguments(&request)).await
    }

    /// Lift the lock that wrong passwords put on a user: `POST /v1/admin/users/{id}/unlock`.
    pub async fn unlock_user(&self, id: UserId) -> Result<AdminUserView> {
        self.typed("unlockUser", with(no_arguments(), "id", id)).await
    }

    /// Rename a device: `PATCH /v1/devices/{id}`.
    pub async fn update_device(&self, id: DeviceId, request: UpdateDeviceRequest) -> Result<DeviceView> {
        self.typed("updateDevice", with(arguments(&request), "id", id)).await
    }

    /// Update the profile: `PATCH /v1/me`.
    ///
    /// A field that is left out stays; `null` clears it.
    pub async fn update_me(&self, request: UpdateMeRequest) -> Result<UserView> {
        self.typed("updateMe", arguments(&request)).await
    }

    /// Change a role: `PATCH /v1/roles/{id}`.
    ///
    /// A field that is left out stays. System roles cannot be changed.
    pub async fn update_role(&self, id: RoleId, request: UpdateRoleRequest) -> Result<RoleView> {
        self.typed("updateRole", with(arguments(&request), "id", id)).await
    }

    /// Void a claim code: `DELETE /v1/devices/claims/{id}`.
    ///
    /// One that was used is none any more: revoke the device.
    pub async fn void_device_claim(&self, id: DeviceClaimId) -> Result<()> {
        self.typed("voidDeviceClaim", with(no_arguments(), "id", id)).await
    }
}
