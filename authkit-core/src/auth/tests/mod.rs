//! The rules of signing in, on an installation in memory.

mod hooked;
mod second_factor;
mod sign_in;

use crate::{accounts::tests::*, mfa::Mfa, tenants::DEFAULT_TENANT};
use authkit_wire::*;

/// Makes a proved account with a confirmed authenticator; returns its backup codes.
pub(crate) async fn enable_totp(world: &World, email: &str) -> Vec<Secret> {
    world.user(email).await;
    add_totp(world, email).await
}

/// The same for an account that is there.
pub(crate) async fn add_totp(world: &World, email: &str) -> Vec<Secret> {
    let principal = world.principal(email, PASSWORD).await;
    let mfa = Mfa::new(world.cx.clone());
    mfa.enrol_totp(&world.origin, &principal).await.expect("enrolled");
    let code = totp_code(world, email, 0).await;
    let view = mfa.confirm_totp(&world.origin, &principal, TotpConfirmRequest { code }).await.expect("confirmed");
    // The step of the confirmation is used up.
    world.clock.advance(jiff::SignedDuration::from_mins(2));
    world.notices().await;
    view.backup_codes
}

/// The code of the user's authenticator, some steps from now.
pub(crate) async fn totp_code(world: &World, email: &str, steps: i64) -> Secret {
    let user = world.stored(email).await.expect("there");
    let totp = world.cx.store.find_totp(DEFAULT_TENANT, user.id).await.expect("read").expect("enrolled");
    let secret = world.cx.keyring.open("totp", user.id.uuid().as_bytes(), &totp.secret).expect("sealed");
    let step = totp::step(u64::try_from(world.now().as_second()).expect("after 1970")).saturating_add_signed(steps);
    Secret::from(std::str::from_utf8(&totp::code(&secret, step)).expect("digits"))
}
