//! Second factors: TOTP and backup codes.

mod check;
mod codes;
mod enrol;
mod guard;
mod model;
mod otpauth;
mod png;
mod reauth;
mod reset;
mod store;
#[cfg(test)]
mod tests;

pub(crate) use check::{attempt_key, check, methods, refused};
pub(crate) use codes::LOW;
pub(crate) use guard::Guard;
pub use model::Totp;
pub use otpauth::qr_svg;
pub(crate) use otpauth::{encoded, qr_png};
pub use store::{MfaChange, MfaStore};

use crate::{
    Context, Error, Principal, Result,
    accounts::User,
    ports::{Operation, OperationKind},
};
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
    ///
    /// # Errors
    /// Those of the store.
    pub async fn status(&self, principal: &Principal) -> Result<MfaStatusView> {
        let store = &self.cx.store;
        let totp = store.find_totp(principal.tenant, principal.user).await?.is_some_and(|totp| totp.confirmed);
        let left = if totp { store.count_backup_codes(principal.tenant, principal.user).await? } else { 0 };
        Ok(MfaStatusView { totp, backup_codes_left: left, backup_codes_low: totp && left <= LOW })
    }

    /// Asks the host application about what the audit log will call `action`, and returns what it is to hear of after
    /// the commit.
    async fn ask(&self, user: &User, principal: Option<&Principal>, action: &str) -> Result<Operation> {
        let operation = Operation::new(OperationKind::ChangeMfa, user.tenant).on(user.id).by(principal).action(action);
        self.cx.before(&operation, None).await?;
        Ok(operation)
    }
}

fn not_enrolled() -> Error {
    ErrorCode::TotpNotEnrolled.into()
}
