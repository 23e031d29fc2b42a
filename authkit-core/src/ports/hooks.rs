use async_trait::async_trait;
use authkit_wire::{SessionId, TenantId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt::Debug;

/// What a hook is called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OperationKind {
    /// A registration is about to be recorded (before only: whether the address is taken is not known to hooks).
    Register,
    /// An account comes into being (by proof or by an administrator).
    CreateUser,
    /// A sign-in has passed all its factors.
    SignIn,
    /// A session continues.
    Refresh,
    /// A profile changes.
    UpdateProfile,
    /// A password changes, by its owner or by reset.
    ChangePassword,
    /// An address changes.
    ChangeEmail,
    /// A second factor is added or removed.
    ChangeMfa,
    /// An account is activated, deactivated or put up for deletion.
    ChangeStatus,
    /// Roles are defined, assigned or removed.
    ChangeRoles,
    /// Sessions end.
    EndSession,
}

/// One operation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Operation {
    /// What.
    pub kind: OperationKind,
    /// Where.
    pub tenant: TenantId,
    /// On whom, when known.
    pub user: Option<UserId>,
    /// In which session, when there is one.
    pub session: Option<SessionId>,
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
/// - [`after`](Self::after) runs from the outbox after the commit, at least once, also when the client has gone; a failure is retried.
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
