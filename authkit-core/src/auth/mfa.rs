//! The second factor of an attempt that the first one opened.

use super::{Lockout, Reservation, SignIn, login::FirstFactor};
use crate::{
    Context, Error, Origin, Result,
    accounts::{AccountChange, Presented, TokenPurpose, User, data_of, push_hook},
    audit, mfa,
    notices::{self, AccountEvent},
    ports::{Operation, OperationKind, Scope, Unit},
    sessions,
};
use authkit_wire::{ErrorCode, MfaMethod, MfaVerifyRequest, TokensView};
use std::time::Duration;

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
        let lockout = Lockout::second_factor(cx, &user);
        let reservation = lockout.reserve(cx).await?;
        if reservation == Reservation::Locked {
            fail(cx, &origin, &user, reservation).await?;
            return Err(too_many(cx, lockout).await?);
        }
        let change = match mfa::check(cx, &user, request.method, &request.code).await {
            Ok(change) => change,
            Err(error) => {
                if error.code == ErrorCode::InvalidMfaCode || reservation == Reservation::Last {
                    fail(cx, &origin, &user, reservation).await?;
                }
                return Err(error);
            }
        };
        let operation = Operation::new(OperationKind::SignIn, user.tenant).on(user.id).actor(user.id);
        if let Err(refused) = cx.before(&operation, None).await {
            // The code was right, and it is not used up.
            lockout.withdraw(cx, reservation).await?;
            return Err(refused);
        }

        let first: FirstFactor = data_of(cx, &row)?;
        let mut amr: Vec<&str> = first.amr.iter().map(String::as_str).collect();
        amr.extend(["otp", "mfa"]);
        let mut unit = Unit::new()
            .with(AccountChange::SignedIn { user: user.id, security_version: row.security_version, at: cx.now() })
            .with(AccountChange::ConsumeToken { id: row.id, token_hash: row.token_hash });
        let consumed = unit.push(change);
        unit.push(lockout.clear());
        if request.method == MfaMethod::BackupCode {
            unit.push(audit::entry(cx, &origin, "mfa.backup_code_used").actor(user.id).person(&user).build());
            if cx.store.count_backup_codes(user.tenant, user.id).await? - 1 <= mfa::LOW {
                unit.push(notices::tell(cx, &user, AccountEvent::BackupCodesLow));
            }
        }
        let tokens = sessions::open(cx, &origin, &user, &amr, &mut unit).await?;
        push_hook(cx, &mut unit, &operation.session(tokens.session_id));
        let Err(error) = cx.commit(Scope::Tenant(user.tenant), unit).await else { return Ok(tokens) };
        match error.conflict() {
            // Another request used the attempt, or the account's credentials changed.
            Some((place, _)) if place < consumed => Err(void_attempt()),
            Some((place, _)) if place == consumed => {
                fail(cx, &origin, &user, reservation).await?;
                Err(mfa::refused(error, consumed))
            }
            _ => Err(error.into()),
        }
    }
}

/// Records a wrong code. The one that locks the account burns its waiting attempts, and so does each one after it.
async fn fail(cx: &Context, origin: &Origin, user: &User, reservation: Reservation) -> Result<()> {
    let record = |action: &str| audit::entry(cx, origin, action).actor(user.id).person(user).failure().build();
    let mut unit = Unit::new();
    if reservation != Reservation::Granted {
        unit.push(AccountChange::DeleteTokensOf { user: user.id, purpose: TokenPurpose::Mfa });
    }
    unit.push(record("mfa.failed"));
    if reservation == Reservation::Last {
        unit.push(record("user.locked"));
        unit.push(notices::tell(cx, user, AccountEvent::AccountLocked));
    }
    cx.commit(Scope::Tenant(user.tenant), unit).await?;
    Ok(())
}

fn void_attempt() -> Error {
    Error::new(ErrorCode::InvalidMfaToken, "Sign in with the password again.")
}

async fn too_many(cx: &Context, lockout: Lockout) -> Result<Error> {
    let error = Error::new(ErrorCode::TooManyAttempts, "Wait a while, then sign in with the password again.");
    let wait = lockout.locked_until(cx).await?.map(|until| until.duration_since(cx.now()));
    Ok(match wait.and_then(|wait| Duration::try_from(wait).ok()) {
        Some(wait) => error.retry_after(wait),
        None => error,
    })
}
