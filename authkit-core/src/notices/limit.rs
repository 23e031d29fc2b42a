//! How often strangers can have mail sent to an address.
//!
//! It is counted here, by the worker, so that no answer tells whether an address is known or was written to.

use super::{OutboxNotice, deliver::Failure};
use crate::{Context, LockoutPolicy, accounts::EmailKey, auth};
use jiff::SignedDuration;

/// How many mails of one kind an address gets in how much time, and for how long it gets none after that.
const MAILS: LockoutPolicy = LockoutPolicy {
    failures: 5,
    window: SignedDuration::from_hours(1),
    first_lock: SignedDuration::from_mins(10),
    longest_lock: SignedDuration::from_mins(10),
};

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
    let allowed = auth::reserve(cx, record.tenant, key, &MAILS).await?.is_some();
    if !allowed {
        tracing::debug!(id = %record.id, kind, "an address was written to often enough");
    }
    Ok(allowed)
}
