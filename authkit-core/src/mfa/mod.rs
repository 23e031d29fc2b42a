//! Second factors: TOTP and backup codes.

mod check;
mod codes;
mod model;
mod store;

pub(crate) use check::{attempt_key, check, methods, refused};
pub(crate) use codes::LOW;
pub use model::Totp;
pub use store::{MfaChange, MfaStore};

use crate::{Context, Origin, Principal, Result};
use authkit_wire::*;
use std::sync::Arc;

/// Operations on second factors.
#[derive(Clone, Debug)]
pub struct Mfa {
    cx: Arc<Context>,
}

impl Mfa {
    /// The service over `cx`.
    #[must_use]
    pub const fn new(cx: Arc<Context>) -> Self {
        Self { cx }
    }

    /// What the user has.
    pub async fn status(&self, principal: &Principal) -> Result<MfaStatusView> {
        todo!()
    }

    /// Makes a TOTP secret that asks for nothing until it is confirmed; needs a fresh sign-in.
    pub async fn enrol_totp(&self, origin: &Origin, principal: &Principal) -> Result<TotpEnrolmentView> {
        todo!()
    }

    /// Confirms the secret with a code of it and hands out ten backup codes; the other sessions end.
    pub async fn confirm_totp(
        &self,
        origin: &Origin,
        principal: &Principal,
        request: TotpConfirmRequest,
    ) -> Result<BackupCodesView> {
        todo!()
    }

    /// Removes TOTP and the backup codes, given password and a code.
    pub async fn disable_totp(&self, origin: &Origin, principal: &Principal, request: MfaReauthRequest) -> Result<()> {
        todo!()
    }

    /// Makes ten new backup codes, given password and a code; the old ones are void.
    pub async fn regenerate_backup_codes(
        &self,
        origin: &Origin,
        principal: &Principal,
        request: MfaReauthRequest,
    ) -> Result<BackupCodesView> {
        todo!()
    }

    /// Removes a user's second factors for an administrator or operator, and ends the user's sessions.
    pub async fn reset(&self, origin: &Origin, principal: Option<&Principal>, user: UserId) -> Result<()> {
        todo!()
    }
}
