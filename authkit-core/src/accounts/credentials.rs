//! What follows from a change of credentials.

use super::{AccountChange, TokenPurpose, User};
use crate::{
    ports::Unit,
    sessions::{FeedEvent, SessionChange},
};
use authkit_wire::SessionId;

/// Ends what was begun under the credentials that the unit changes: tokens that wait, and all sessions but `kept`. Every
/// node is told.
pub(crate) fn credentials_changed(unit: &mut Unit, user: &User, kept: Option<SessionId>) {
    void_tokens(unit, user);
    unit.push(SessionChange::EndAllOf { user: user.id, except: kept });
    unit.push(FeedEvent::UserChanged(user.tenant, user.id));
}

/// Deletes what was made under the old credentials. `Presented::find` refuses it in any case, since it compares the
/// `security_version`; this leaves no row behind that waits for its expiry and can do nothing.
pub(super) fn void_tokens(unit: &mut Unit, user: &User) {
    let void = [TokenPurpose::PasswordReset, TokenPurpose::EmailChange, TokenPurpose::Mfa, TokenPurpose::Reactivate];
    unit.extend(void.map(|purpose| AccountChange::DeleteTokensOf { user: user.id, purpose }));
}
