use super::{MfaChange, Totp, codes};
use crate::{Context, Error, Result, accounts::User, auth::AttemptKey, ports::StoreError};
use authkit_wire::{ErrorCode, MfaMethod, Secret, totp};

/// The purpose that TOTP secrets are sealed for; they are bound to the user's id.
pub(super) const PURPOSE: &str = "totp";

/// Checks `code` against what the user has set up and returns the change that consumes it, so that of several
/// requests with one code exactly one commits. A conflict of that change means a used or wrong code: map
/// the store's error with [`refused`].
pub(crate) async fn check(cx: &Context, user: &User, method: MfaMethod, code: &Secret) -> Result<MfaChange> {
    let totp = cx.store.find_totp(user.tenant, user.id).await?.filter(|totp| totp.confirmed);
    let Some(totp) = totp else { return Err(ErrorCode::MfaMethodUnavailable.into()) };
    match method {
        MfaMethod::Totp => {
            let step = matching_step(cx, &totp, code)?.filter(|step| *step > totp.last_step).ok_or_else(wrong)?;
            Ok(MfaChange::AcceptStep { user: user.id, step })
        }
        MfaMethod::BackupCode => {
            if cx.store.count_backup_codes(user.tenant, user.id).await? == 0 {
                return Err(ErrorCode::MfaMethodUnavailable.into());
            }
            let code = codes::stored(cx, user, code).ok_or_else(wrong)?;
            Ok(MfaChange::UseBackupCode { user: user.id, code })
        }
        _ => Err(ErrorCode::MfaMethodUnavailable.into()),
    }
}

/// What the user can answer a challenge with.
pub(crate) async fn methods(cx: &Context, user: &User) -> Result<Vec<MfaMethod>> {
    let mut methods = Vec::new();
    if cx.store.find_totp(user.tenant, user.id).await?.is_some_and(|totp| totp.confirmed) {
        methods.push(MfaMethod::Totp);
        if cx.store.count_backup_codes(user.tenant, user.id).await? > 0 {
            methods.push(MfaMethod::BackupCode);
        }
    }
    Ok(methods)
}

/// What a failed commit means, when the change from [`check`] is at `place` of the unit.
pub(crate) fn refused(error: StoreError, place: usize) -> Error {
    match error.conflict() {
        Some((change, _)) if change == place => wrong(),
        _ => error.into(),
    }
}

/// What wrong codes are counted under, across attempts, sessions and tokens.
pub(crate) fn attempt_key(cx: &Context, user: &User) -> AttemptKey {
    cx.keyring.index("attempts", &[user.tenant.uuid().as_bytes(), user.id.uuid().as_bytes(), b"mfa"])
}

/// The step that `code` is for, under the stored secret.
pub(super) fn matching_step(cx: &Context, totp: &Totp, code: &Secret) -> Result<Option<i64>> {
    let secret = cx.keyring.open(PURPOSE, totp.user.uuid().as_bytes(), &totp.secret).map_err(Error::internal)?;
    let now = u64::try_from(cx.now().as_second()).unwrap_or_default();
    let digits: String = code.expose().chars().filter(|c| !c.is_whitespace()).take(7).collect();
    Ok(totp::matching_step(&secret, now, &digits).and_then(|step| i64::try_from(step).ok()))
}

pub(super) fn wrong() -> Error {
    Error::new(ErrorCode::InvalidMfaCode, "The code is wrong, was used before, or has run out.")
}
