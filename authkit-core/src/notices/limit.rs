//! How often strangers can have mail sent to an address.
//!
//! It is counted here, by the worker, so that no answer tells whether an address is known or was written to.

use super::{OutboxNotice, deliver::Failure};
use crate::{
    Context,
    accounts::EmailKey,
    auth::AttemptChange,
    ports::{Conflict, Scope, Unit},
};
use jiff::SignedDuration;

/// How many mails of one kind an address gets within [`WINDOW`], before it gets none for [`PAUSE`].
const MAILS: i64 = 5;
const WINDOW: SignedDuration = SignedDuration::from_hours(1);
const PAUSE: SignedDuration = SignedDuration::from_mins(10);

/// Counts a mail of `kind` to the address, and says whether it may be sent. Further tries of one record count as one.
pub(super) async fn allows(
    cx: &Context,
    record: &OutboxNotice,
    address: &EmailKey,
    kind: &str,
) -> Result<bool, Failure> {
    if record.attempts > 1 {
        return Ok(true);
    }
    let key = cx.keyring.index("mail-limit", &[record.tenant.uuid().as_bytes(), address, kind.as_bytes()]);
    let unit = Unit::new().with(AttemptChange::Reserve {
        key,
        now: cx.now(),
        limit: MAILS,
        window: WINDOW,
        first_lock: PAUSE,
        longest_lock: PAUSE,
    });
    match cx.commit(Scope::Tenant(record.tenant), unit).await {
        Ok(_) => Ok(true),
        Err(error) if error.conflict() == Some((0, Conflict::Changed)) => {
            tracing::debug!(id = %record.id, kind, "an address was written to often enough");
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}
