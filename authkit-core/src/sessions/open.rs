use crate::{Context, Origin, Result, accounts::User, ports::Unit};
use authkit_wire::TokensView;

/// Prepares a session of `user` who has passed all factors `amr`, and its first pair of tokens. The changes are added
/// to `unit`, which begins with [`SignedIn`](crate::accounts::AccountChange::SignedIn) and which the caller commits.
pub(crate) async fn open(
    cx: &Context,
    origin: &Origin,
    user: &User,
    amr: &[&str],
    unit: &mut Unit,
) -> Result<TokensView> {
    let _ = (cx, origin, user, amr, unit);
    todo!()
}
