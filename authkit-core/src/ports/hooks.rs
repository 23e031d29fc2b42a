use crate::Principal;
use async_trait::async_trait;
use authkit_wire::{DeviceId, KeyId, RoleId, SessionId, TenantId, UserId, UserStatus};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt::Debug;

/// What a hook is called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OperationKind {
    /// A registration. Whether the address is taken is not known to hooks.
    Register,
    /// Somebody asks for the link of a registration again. Whether there is one is not known to hooks.
    RequestVerification,
    /// An account comes into being (by proof or by an administrator).
    CreateUser,
    /// The address of an account that exists already is proved.
    VerifyEmail,
    /// A sign-in has passed all its factors.
    SignIn,
    /// A session continues.
    Refresh,
    /// A profile changes.
    UpdateProfile,
    /// Somebody asks for a reset. Whether there is an account is not known to hooks.
    RequestPasswordReset,
    /// A password changes, by its owner or by reset.
    ChangePassword,
    /// A proof is to be mailed to the address that an account shall move to.
    RequestEmailChange,
    /// An address changes, or changes back.
    ChangeEmail,
    /// A second factor is added or removed.
    ChangeMfa,
    /// An account is activated, deactivated or put up for deletion.
    ChangeStatus,
    /// A lock that wrong attempts put on an account is lifted.
    Unlock,
    /// Roles are defined, assigned or removed.
    ChangeRoles,
    /// Sessions end.
    ///
    /// `before` is called when somebody ends them for their own sake. It is not called for signing out, which is never
    /// refused, nor where they end as part of another operation, which was asked for itself and is named by
    /// [`cause`](OperationDetails::cause). `after` is called for all of these, but neither for sessions that run out nor
    /// for those that a new sign-in pushes out: which these are only the store knows.
    EndSession,
    /// A tenant is made or changed.
    ChangeTenants,
    /// A signing key is made or revoked.
    ChangeKeys,
    /// A device with a claim code becomes the user's who made the code.
    ClaimDevice,
    /// A device gets an access token.
    AuthenticateDevice,
    /// A claim is made or void, or a device is renamed or taken back.
    ChangeDevices,
}

/// One operation. Its JSON form is stored with calls that wait: fields are added, never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Operation {
    /// What.
    pub kind: OperationKind,
    /// Where.
    pub tenant: TenantId,
    /// On whom, when it is about a user who is known.
    pub user: Option<UserId>,
    /// The session that ends or continues, else the one that it is done in.
    pub session: Option<SessionId>,
    /// Who does it, when it is somebody signed in; nobody for an operator, a mailed link and AuthKit itself.
    #[serde(default)]
    pub actor: Option<UserId>,
    /// More about it.
    #[serde(default)]
    pub details: OperationDetails,
}

/// What more there is to say about an operation, as far as it applies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct OperationDetails {
    /// Which of the operations of its kind it is: the action of its audit record, for example `role.assigned`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The role that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleId>,
    /// The status that the account gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<UserStatus>,
    /// The signing key that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyId>,
    /// The device that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceId>,
    /// The operation that sessions end with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<OperationKind>,
}

impl Operation {
    /// An operation of `kind` in `tenant`, of which nothing more is known.
    #[must_use]
    pub fn new(kind: OperationKind, tenant: TenantId) -> Self {
        Self { kind, tenant, user: None, session: None, actor: None, details: OperationDetails::default() }
    }

    /// On `user`.
    #[must_use]
    pub fn on(mut self, user: UserId) -> Self {
        self.user = Some(user);
        self
    }

    /// About, or in, `session`.
    #[must_use]
    pub fn session(mut self, session: impl Into<Option<SessionId>>) -> Self {
        self.session = session.into();
        self
    }

    /// Done by a signed-in user.
    #[must_use]
    pub fn actor(mut self, user: UserId) -> Self {
        self.actor = Some(user);
        self
    }

    /// Done by the principal in its session; by an operator when there is none.
    #[must_use]
    pub fn by(mut self, principal: Option<&Principal>) -> Self {
        self.actor = principal.map(|principal| principal.user);
        self.session = principal.map(|principal| principal.session);
        self
    }

    /// Of the audit action `action`.
    #[must_use]
    pub fn action(mut self, action: &str) -> Self {
        self.details.action = Some(action.to_owned());
        self
    }

    /// About `role`.
    #[must_use]
    pub fn role(mut self, role: RoleId) -> Self {
        self.details.role = Some(role);
        self
    }

    /// The account gets `status`.
    #[must_use]
    pub fn status(mut self, status: UserStatus) -> Self {
        self.details.status = Some(status);
        self
    }

    /// About `key`.
    #[must_use]
    pub fn key(mut self, key: KeyId) -> Self {
        self.details.key = Some(key);
        self
    }

    /// About `device`.
    #[must_use]
    pub fn device(mut self, device: DeviceId) -> Self {
        self.details.device = Some(device);
        self
    }

    /// The end of sessions that this operation brings with it. It names no session: it may be several.
    #[must_use]
    pub fn ends_sessions(&self) -> Self {
        let details = OperationDetails { cause: Some(self.kind), ..OperationDetails::default() };
        Self { kind: OperationKind::EndSession, session: None, details, ..self.clone() }
    }
}

/// A hook's refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Shown to the client.
    pub reason: String,
}

/// What a hook may see of a registration.
#[derive(Clone, Debug)]
pub struct NewAccount<'a> {
    /// The address.
    pub email: &'a str,
    /// The name.
    pub name: Option<&'a str>,
    /// Declared profile fields.
    pub profile: &'a Map<String, Value>,
}

/// Whom an access token is made for.
#[derive(Clone, Debug)]
pub struct TokenSubject<'a> {
    /// The tenant.
    pub tenant: TenantId,
    /// The user.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// The address.
    pub email: &'a str,
    /// Declared profile fields.
    pub profile: &'a Map<String, Value>,
    /// The names of the assigned roles.
    pub roles: &'a [String],
}

/// The host application's say in what AuthKit does.
///
/// # Behavior
/// - [`before`](Self::before) runs after validation and before the unit of work; a refusal stops the operation with `auth.refused_by_application`.
///   Only signing out is not asked about: it never refuses.
/// - [`after`](Self::after) runs from the outbox after the commit, at least once, also when the client has gone; a failure is retried.
///   The engine gives each call ten seconds.
/// - [`claims`](Self::claims) adds claims to an access token; the registered and AuthKit's own names are ignored.
#[async_trait]
pub trait Hooks: Debug + Send + Sync {
    /// May refuse `operation`. `account` is there for registrations.
    async fn before(&self, operation: &Operation, account: Option<&NewAccount<'_>>) -> Result<(), Refusal> {
        let _ = (operation, account);
        Ok(())
    }

    /// Whether [`after`](Self::after) is to be called for `kind`; each call costs a row in the outbox.
    fn wants(&self, kind: OperationKind) -> bool {
        let _ = kind;
        false
    }

    /// Hears that `operation` was committed.
    ///
    /// # Errors
    /// The call is repeated later.
    async fn after(&self, operation: &Operation) -> Result<(), String> {
        let _ = operation;
        Ok(())
    }

    /// More claims for an access token.
    fn claims(&self, subject: &TokenSubject<'_>) -> Map<String, Value> {
        let _ = subject;
        Map::new()
    }
}

/// No hooks.
#[derive(Debug, Default)]
pub struct NoHooks;

impl Hooks for NoHooks {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_an_older_version_stored_is_understood() {
        let tenant = TenantId::new(uuid::Uuid::from_u128(7));
        let mut stored = serde_json::to_value(Operation::new(OperationKind::SignIn, tenant)).expect("JSON");
        let fields = stored.as_object_mut().expect("an object");
        fields.remove("actor");
        fields.remove("details");
        let read: Operation = serde_json::from_value(stored.clone()).expect("understood");
        assert_eq!(read, Operation::new(OperationKind::SignIn, tenant));
        stored["details"] = serde_json::json!({"role": null, "of_a_newer_version": 1});
        assert!(serde_json::from_value::<Operation>(stored).is_ok());
    }
}
