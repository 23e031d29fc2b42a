//! Counting wrong codes: per account, whatever session or token they come with.

use super::check::wrong;
use crate::{
    Context, Error, Origin, Result,
    accounts::User,
    audit,
    auth::{AttemptChange, Lockout, Reservation},
    notices::{self, AccountEvent},
    ports::{Scope, Unit},
};
use authkit_wire::ErrorCode;
use std::time::Duration;

/// Counts an attempt before it is made. Who asks is signed in, so that there is nothing to hide about a lock.
pub(super) async fn reserve(cx: &Context, user: &User) -> Result<Reservation> {
    let lockout = Lockout::second_factor(cx, user);
    let reservation = lockout.reserve(cx).await?;
    if reservation != Reservation::Locked {
        return Ok(reservation);
    }
    let wait = lockout.locked_until(cx).await?.map_or(1, |until| until.duration_since(cx.now()).as_secs().max(1));
    let error = Error::new(ErrorCode::TooManyAttempts, "Too many wrong codes; wait before the next one.");
    Err(error.retry_after(Duration::from_secs(wait.unsigned_abs())))
}

/// Forgets the wrong codes: part of the unit of a success.
pub(super) fn clear(cx: &Context, user: &User) -> AttemptChange {
    Lockout::second_factor(cx, user).clear()
}

/// Records a wrong code and is the answer to it. The user is told of the one that locks.
pub(super) async fn failed(cx: &Context, origin: &Origin, user: &User, reservation: Reservation) -> Error {
    let record = |action: &str| audit::entry(cx, origin, action).failure().person(user).actor(user.id).build();
    let mut unit = Unit::new().with(record("mfa.failed"));
    if reservation == Reservation::Last {
        unit.push(record("user.locked"));
        unit.push(notices::tell(cx, user, AccountEvent::AccountLocked));
    }
    match cx.commit(Scope::Tenant(user.tenant), unit).await {
        Ok(_) => wrong(),
        Err(error) => error.into(),
    }
}
