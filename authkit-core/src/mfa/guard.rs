//! Wrong codes: counted before they are tried, per account, whatever session, token or attempt they come with.

use crate::{
    Context, Error, Origin, Result,
    accounts::{AccountChange, TokenPurpose, User},
    audit,
    auth::{self, AttemptChange, Lockout, Reservation},
    notices::{self, AccountEvent},
    ports::{Scope, Unit},
};
use authkit_wire::ErrorCode;

/// An attempt that is counted and may be made.
pub(crate) struct Guard {
    lockout: Lockout,
    reservation: Reservation,
    burn: bool,
}

impl Guard {
    /// Counts an attempt. With `burn`, at a sign-in, the wrong code that locks the account deletes its sign-ins that wait
    /// for a second factor, and so does each attempt while it is locked. Who asks has shown the password or is signed in,
    /// so that there is nothing to hide about a lock.
    ///
    /// # Errors
    /// `auth.too_many_attempts`; those of the store.
    pub(crate) async fn begin(cx: &Context, origin: &Origin, user: &User, burn: bool) -> Result<Self> {
        let lockout = Lockout::second_factor(cx, user);
        let guard = Self { lockout, reservation: lockout.reserve(cx).await?, burn };
        if guard.reservation != Reservation::Locked {
            return Ok(guard);
        }
        let mut detail = "Too many wrong codes; wait before the next one.";
        if burn {
            guard.record(cx, origin, user).await?;
            detail = "Wait a while, then sign in with the password again.";
        }
        let wait = auth::wait(cx, user.tenant, lockout.key()).await?;
        Err(Error::new(ErrorCode::TooManyAttempts, detail).retry_after(wait))
    }

    /// Forgets the wrong codes: part of the unit of a success.
    pub(crate) const fn clear(&self) -> AttemptChange {
        self.lockout.clear()
    }

    /// The end of an attempt that did not succeed. A wrong code stays counted and is recorded; whatever else stood in the
    /// way tells nothing about the code, so that the attempt is taken back (ADR 0009). Returns the answer.
    pub(crate) async fn failed(&self, cx: &Context, origin: &Origin, user: &User, error: Error) -> Error {
        if error.code == ErrorCode::InvalidMfaCode {
            return self.record(cx, origin, user).await.err().unwrap_or(error);
        }
        if let Err(lost) = self.lockout.withdraw(cx, self.reservation).await {
            tracing::warn!(error = %lost, "an attempt that was not made stays counted");
        }
        error
    }

    /// Records a wrong code. The user is told of the one that locks.
    async fn record(&self, cx: &Context, origin: &Origin, user: &User) -> Result<()> {
        let record = |action: &str| audit::entry(cx, origin, action).actor(user.id).person(user).failure().build();
        let mut unit = Unit::new();
        if self.burn && self.reservation != Reservation::Granted {
            unit.push(AccountChange::DeleteTokensOf { user: user.id, purpose: TokenPurpose::Mfa });
        }
        unit.push(record("mfa.failed"));
        if self.reservation == Reservation::Last {
            unit.push(record("user.locked"));
            unit.push(notices::tell(cx, user, AccountEvent::AccountLocked));
        }
        cx.commit(Scope::Tenant(user.tenant), unit).await?;
        Ok(())
    }
}
