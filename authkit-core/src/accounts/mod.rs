//! Accounts: registration and its proof, passwords, profile, addresses, and their administration.

mod model;
mod store;

pub use model::{EmailKey, OneTimeToken, Registration, TokenPurpose, User};
pub use store::{AccountChange, AccountStore, UserFilter};

use crate::{Context, Origin, Principal, Result};
use authkit_wire::*;
use std::sync::Arc;

/// Operations on accounts.
#[derive(Clone, Debug)]
pub struct Accounts {
    cx: Arc<Context>,
}

impl Accounts {
    /// The service over `cx`.
    #[must_use]
    pub const fn new(cx: Arc<Context>) -> Self {
        Self { cx }
    }

    /// Records a pending registration; alike for free and taken addresses.
    pub async fn register(&self, origin: &Origin, request: RegisterRequest) -> Result<RegistrationView> {
        todo!()
    }

    /// Proves a registration: the account exists from here, and every other registration of the address is deleted.
    pub async fn verify_email(&self, origin: &Origin, request: TokenRequest) -> Result<VerifiedView> {
        todo!()
    }

    /// Mails the proof's link again, if there is something to prove; alike whatever the address.
    pub async fn resend_verification(&self, origin: &Origin, request: EmailRequest) -> Result<()> {
        todo!()
    }

    /// Mails a reset link, if there is an account; alike whatever the address.
    pub async fn forgot_password(&self, origin: &Origin, request: EmailRequest) -> Result<()> {
        todo!()
    }

    /// Sets a new password with a mailed token, ends all sessions and lifts a lock. It never bypasses MFA.
    pub async fn reset_password(&self, origin: &Origin, request: PasswordResetRequest) -> Result<()> {
        todo!()
    }

    /// Whether a mailed token of `kind` would be accepted now, for the page behind its link. Changes nothing.
    pub async fn token_is_valid(&self, kind: crate::crypto::OpaqueKind, token: &Secret) -> Result<bool> {
        todo!()
    }

    /// Sets a new password and ends the other sessions.
    pub async fn change_password(
        &self,
        origin: &Origin,
        principal: &Principal,
        request: PasswordChangeRequest,
    ) -> Result<()> {
        todo!()
    }

    /// The signed-in user.
    pub async fn get_me(&self, principal: &Principal) -> Result<UserView> {
        todo!()
    }

    /// Updates the profile. `if_match` is the version that the client saw.
    pub async fn update_me(
        &self,
        origin: &Origin,
        principal: &Principal,
        request: UpdateMeRequest,
        if_match: Option<i64>,
    ) -> Result<UserView> {
        todo!()
    }

    /// Mails a proof to the new address; needs a fresh sign-in.
    pub async fn request_email_change(
        &self,
        origin: &Origin,
        principal: &Principal,
        request: ChangeEmailRequest,
    ) -> Result<()> {
        todo!()
    }

    /// Moves the account to the proved address, ends all other sessions and offers the old address the way back.
    pub async fn confirm_email_change(&self, origin: &Origin, request: TokenRequest) -> Result<()> {
        todo!()
    }

    /// Takes an address change back and ends all sessions.
    pub async fn undo_email_change(&self, origin: &Origin, request: TokenRequest) -> Result<()> {
        todo!()
    }

    /// Deactivates the own account.
    pub async fn deactivate_me(
        &self,
        origin: &Origin,
        principal: &Principal,
        request: PasswordConfirmRequest,
    ) -> Result<()> {
        todo!()
    }

    /// Puts the own account up for deletion after the grace period.
    pub async fn delete_me(
        &self,
        origin: &Origin,
        principal: &Principal,
        request: PasswordConfirmRequest,
    ) -> Result<()> {
        todo!()
    }

    /// Makes a verified account for an operator (the command line, an importing application).
    pub async fn create_verified(
        &self,
        origin: &Origin,
        email: &str,
        password: &Secret,
        name: Option<&str>,
    ) -> Result<UserView> {
        todo!()
    }

    /// Users for administration. `cursor` is one that this list gave out.
    pub async fn list_users(
        &self,
        principal: &Principal,
        filter: UserFilter,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Page<AdminUserView>> {
        todo!()
    }

    /// One user for administration.
    pub async fn get_user(&self, principal: &Principal, id: UserId) -> Result<AdminUserView> {
        todo!()
    }

    /// Deactivates a user and ends its sessions. `principal` is `None` for an operator.
    pub async fn deactivate(
        &self,
        origin: &Origin,
        principal: Option<&Principal>,
        id: UserId,
    ) -> Result<AdminUserView> {
        todo!()
    }

    /// Activates a user, also one whose deletion is pending.
    pub async fn activate(&self, origin: &Origin, principal: Option<&Principal>, id: UserId) -> Result<AdminUserView> {
        todo!()
    }

    /// Lifts the lock that wrong passwords put on a user.
    pub async fn unlock(&self, origin: &Origin, principal: Option<&Principal>, id: UserId) -> Result<AdminUserView> {
        todo!()
    }
}
