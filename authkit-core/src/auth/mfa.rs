//! The second factor of an attempt that the first one opened.

use super::{SignIn, login::FirstFactor};
use crate::{
    Context, Error, Origin, Result,
    accounts::{AccountChange, OneTimeToken, Presented, TokenPurpose, User, data_of, push_hook},
    audit, mfa,
    notices::{self, AccountEvent},
    ports::{Operation, OperationKind, Scope, Unit},
    sessions,
};
use authkit_wire::{ErrorCode, MfaMethod, MfaVerifyRequest, TokensView};

impl SignIn {
    /// Checks the second factor of an attempt and opens the session.
    ///
    /// Wrong codes count per account, across attempts and tokens. Too many burn every waiting attempt of the account.
    ///
    /// # Errors
    /// `auth.invalid_mfa_token`, `auth.invalid_mfa_code`, `auth.mfa_method_unavailable`, `auth.too_many_attempts`,
    /// `auth.refused_by_application`.
    pub async fn verify_mfa(&self, origin: &Origin, request: MfaVerifyRequest) -> Result<TokensView> {
        let cx = &*self.cx;
        let found = Presented::find(cx, origin, TokenPurpose::Mfa, &request.mfa_token).await?;
        let Some(Presented { origin, row, user }) = found else { return Err(void_attempt()) };
        let guard = mfa::Guard::begin(cx, &origin, &user, true).await?;
        match open(cx, &origin, &user, &row, &request, &guard).await {
            Ok(tokens) => Ok(tokens),
            Err(error) => Err(guard.failed(cx, &origin, &user, error).await),
        }
    }
}

/// Uses up code and attempt, and opens the session.
async fn open(
    cx: &Context,
    origin: &Origin,
    user: &User,
    row: &OneTimeToken,
    request: &MfaVerifyRequest,
    guard: &mfa::Guard,
) -> Result<TokensView> {
    let change = mfa::check(cx, user, request.method, &request.code).await?;
    let operation = Operation::new(OperationKind::SignIn, user.tenant).on(user.id).actor(user.id);
    cx.before(&operation, None).await?;

    let first: FirstFactor = data_of(cx, row)?;
    let mut amr: Vec<&str> = first.amr.iter().map(String::as_str).collect();
    amr.extend(["otp", "mfa"]);
    let mut unit = Unit::new()
        .with(AccountChange::SignedIn { user: user.id, security_version: row.security_version, at: cx.now() })
        .with(AccountChange::ConsumeToken { id: row.id, token_hash: row.token_hash });
    let consumed = unit.push(change);
    unit.push(guard.clear());
    if request.method == MfaMethod::BackupCode {
        unit.push(audit::entry(cx, origin, "mfa.backup_code_used").actor(user.id).person(user).build());
        if cx.store.count_backup_codes(user.tenant, user.id).await? - 1 <= mfa::LOW {
            unit.push(notices::tell(cx, user, AccountEvent::BackupCodesLow));
        }
    }
    let tokens = sessions::open(cx, origin, user, &amr, &mut unit).await?;
    push_hook(cx, &mut unit, &operation.session(tokens.session_id));
    match cx.commit(Scope::Tenant(user.tenant), unit).await {
        Ok(_) => Ok(tokens),
        // Another request used the attempt, or the account's credentials changed. Whether the code is right was not
        // looked at, so that this tells nobody.
        Err(error) if error.conflict().is_some_and(|(place, _)| place < consumed) => Err(void_attempt()),
        Err(error) => Err(mfa::refused(error, consumed)),
    }
}

fn void_attempt() -> Error {
    Error::new(ErrorCode::InvalidMfaToken, "Sign in with the password again.")
}
