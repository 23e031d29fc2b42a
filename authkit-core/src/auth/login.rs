//! The first factor: address and password.

use super::{Lockout, Reservation, SignIn};
use crate::{
    Context, Error, Origin, Result,
    accounts::{
        AccountChange, Email, EmailKey, TokenPurpose, User, asked_tenant::AskedTenant, make_token, passwords,
        pseudonym, push_hook, wrong_credentials,
    },
    audit, mfa,
    notices::{self, AccountEvent},
    ports::{Operation, OperationKind, Scope, Unit, Verified},
    sessions,
};
use authkit_wire::{ErrorCode, LoginRequest, LoginView, MfaRequiredView, Secret};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How often a sign-in starts, anew when the account's security changes meanwhile.
const STARTS: usize = 3;

/// What the first factor established.
#[derive(Serialize, Deserialize)]
pub(super) struct FirstFactor {
    pub(super) amr: Vec<String>,
    pub(super) at: Timestamp,
}

impl SignIn {
    /// Checks address and password; opens a session, or an attempt that waits for its second factor.
    ///
    /// An unknown address, a pending registration, a wrong password, a locked and a switched-off account are answered
    /// alike, after the same reads, writes and hashes.
    ///
    /// # Errors
    /// `auth.invalid_credentials`, `request.validation_failed` for what is no address, `auth.refused_by_application`,
    /// `server.overloaded`.
    pub async fn login(&self, origin: &Origin, request: LoginRequest) -> Result<LoginView> {
        let cx = &*self.cx;
        let asked = origin.tenant;
        let AskedTenant { home, origin, settings, .. } = AskedTenant::of(cx, origin);
        let (origin, tenant) = (&origin, home);
        let email = Email::parse(&request.email, settings.unicode_addresses)?;
        let key = email.key(&cx.keyring, asked);
        let lockout = Lockout::sign_in(cx, tenant, &key);
        let _turn = self.turns.enter(lockout.key()).await;
        let mut user = cx.store.find_user_by_email(tenant, &key).await?;
        let reservation = lockout.reserve(cx).await?;
        for _ in 0..STARTS {
            let hash = user.as_ref().and_then(|user| user.password_hash.as_deref());
            let verified = match passwords::verify(cx, &request.password, hash).await {
                Ok(verified) => verified,
                Err(error) => {
                    // An attempt that was not made does not count.
                    lockout.withdraw(cx, reservation).await?;
                    return Err(error);
                }
            };
            let admitted = user
                .as_ref()
                .filter(|user| verified != Verified::No && reservation != Reservation::Locked && user.is_active());
            let Some(admitted) = admitted else {
                return Err(fail(cx, origin, &email, &key, user.as_ref(), reservation).await?);
            };
            let rehashed = match verified {
                Verified::Outdated => rehash(cx, admitted, &request.password).await,
                _ => None,
            };
            match admit(cx, origin, admitted, lockout, rehashed).await {
                Ok(Some(view)) => return Ok(view),
                Ok(None) => user = cx.store.find_user_by_email(tenant, &key).await?,
                Err(error) => {
                    // The password was right: whatever stood in the way, the application included, it does not count.
                    lockout.withdraw(cx, reservation).await?;
                    return Err(error);
                }
            }
        }
        lockout.withdraw(cx, reservation).await?;
        Err(ErrorCode::Conflict.into())
    }
}

/// Records a failure. The changes are the same in number whether or not there is an account.
async fn fail(
    cx: &Context,
    origin: &Origin,
    email: &Email,
    key: &EmailKey,
    user: Option<&User>,
    reservation: Reservation,
) -> Result<Error> {
    let record = |action: &str| {
        let entry = audit::entry(cx, origin, action).actor(pseudonym(&cx.keyring, key)).failure();
        match user {
            Some(user) => entry.person(user).build(),
            None => entry.build(),
        }
    };
    let mut unit = Unit::new().with(record("session.failed"));
    if reservation == Reservation::Last {
        unit.push(record("user.locked"));
        unit.push(match user {
            Some(user) => notices::tell(cx, user, AccountEvent::AccountLocked),
            // Costs what telling somebody costs.
            None => notices::enqueue(cx, origin.tenant, &notices::to_nobody(cx, email)),
        });
    }
    cx.commit(Scope::Tenant(origin.tenant), unit).await?;
    Ok(wrong_credentials())
}

/// The right password's hash under the parameters in force. A full pool is no reason to refuse the sign-in.
async fn rehash(cx: &Context, user: &User, password: &Secret) -> Option<AccountChange> {
    let hash = cx.hasher.hash(&passwords::presented(password)?).await.ok()?;
    Some(AccountChange::Rehash { user: user.id, security_version: user.security_version, hash })
}

/// Lets the user in, or on to the second factor. `None` when the account's security changed meanwhile.
async fn admit(
    cx: &Context,
    origin: &Origin,
    user: &User,
    lockout: Lockout,
    rehashed: Option<AccountChange>,
) -> Result<Option<LoginView>> {
    let amr = ["pwd"];
    let mut unit = Unit::new();
    if user.mfa_enabled {
        let methods = mfa::methods(cx, user).await?;
        if methods.is_empty() {
            return Err(Error::internal(format!("{} has no second factor although one is asked for", user.id)));
        }
        let first = FirstFactor { amr: amr.map(str::to_owned).to_vec(), at: cx.now() };
        let (row, token) = make_token(cx, user, TokenPurpose::Mfa, cx.settings.links.mfa, &first)?;
        unit.extend(rehashed);
        unit.push(lockout.clear());
        unit.push(AccountChange::CreateToken(row));
        cx.commit(Scope::Tenant(user.tenant), unit).await?;
        let mfa_token = token.secret().clone();
        return Ok(Some(LoginView::MfaRequired(MfaRequiredView { mfa_required: true, mfa_token, methods })));
    }
    let operation = Operation::new(OperationKind::SignIn, user.tenant).on(user.id).actor(user.id);
    cx.before(&operation, None).await?;
    let signed_in = AccountChange::SignedIn { user: user.id, security_version: user.security_version, at: cx.now() };
    let signed_in = unit.push(signed_in);
    unit.extend(rehashed);
    unit.push(lockout.clear());
    let tokens = sessions::open(cx, origin, user, &amr, &mut unit).await?;
    push_hook(cx, &mut unit, &operation.session(tokens.session_id));
    match cx.commit(Scope::Tenant(user.tenant), unit).await {
        Ok(_) => Ok(Some(LoginView::Tokens(Box::new(tokens)))),
        Err(error) if error.conflict().is_some_and(|(place, _)| place == signed_in) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
