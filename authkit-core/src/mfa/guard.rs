//! Counting wrong codes: per account, whatever session or token they come with.

use super::check::wrong;
use crate::{
    Context, Error, Origin, Result,
    accounts::User,
    audit,
    auth::{AttemptChange, Lockout, Reservation},
    ports::{Scope, Unit},
};
use authkit_wire::ErrorCode;
use std::time::Duration;

/// Counts an attempt before it is made. Who asks is signed in, so that there is nothing to hide about a lock.
pub(super) async fn reserve(cx: &Context, user: &User) -> Result<()> {
    let lockout = Lockout::second_factor(cx, user);
    if lockout.reserve(cx).await? != Reservation::Locked {
        return Ok(());
    }
    let wait = lockout.locked_until(cx).await?.map_or(1, |until| until.duration_since(cx.now()).as_secs().max(1));
    let error = Error::new(ErrorCode::TooManyAttempts, "Too many wrong codes; wait before the next one.");
    Err(error.retry_after(Duration::from_secs(wait.unsigned_abs())))
}

/// Forgets the wrong codes: part of the unit of a success.
pub(super) fn clear(cx: &Context, user: &User) -> AttemptChange {
    Lockout::second_factor(cx, user).clear()
}

/// Records a wrong code and is the answer to it.
pub(super) async fn failed(cx: &Context, origin: &Origin, user: &User) -> Error {
    let record = audit::entry(cx, origin, "mfa.failed").failure().person(user).actor(user.id).build();
    match cx.commit(Scope::Tenant(user.tenant), Unit::new().with(record)).await {
        Ok(_) => wrong(),
        Err(error) => error.into(),
    }
}
