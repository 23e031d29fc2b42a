//! Single-use tokens: made for a row, presented, and tied to the credentials that they were made under.

use super::{OneTimeToken, TokenPurpose, User, settings_of};
use crate::{
    Context, Error, Origin, Result,
    crypto::{OpaqueKind, OpaqueToken},
    later,
    tenants::DEFAULT_TENANT,
};
use authkit_wire::{ErrorCode, OneTimeTokenId, Secret, TenantId};
use jiff::SignedDuration;
use serde::{Serialize, de::DeserializeOwned};

impl TokenPurpose {
    pub(crate) const fn opaque(self) -> OpaqueKind {
        match self {
            Self::PasswordReset => OpaqueKind::Reset,
            Self::EmailChange => OpaqueKind::EmailChange,
            Self::EmailUndo => OpaqueKind::EmailUndo,
            Self::Mfa => OpaqueKind::Mfa,
            Self::Reactivate => OpaqueKind::Reactivate,
        }
    }
}

/// `origin` in the tenant that a token names. A request whose host or header names another tenant, be it the default one,
/// is refused.
pub(crate) fn of_tenant(origin: &Origin, tenant: TenantId) -> Option<Origin> {
    let open = origin.tenant == DEFAULT_TENANT && !origin.names_tenant;
    (origin.tenant == tenant || open).then(|| Origin { tenant, ..origin.clone() })
}

/// Makes a token of `user` and its row.
pub(crate) fn make_token(
    cx: &Context,
    user: &User,
    purpose: TokenPurpose,
    life: SignedDuration,
    data: &impl Serialize,
) -> Result<(OneTimeToken, OpaqueToken)> {
    let id = OneTimeTokenId::new(cx.uuid());
    let token = OpaqueToken::generate(&cx.keyring, &*cx.random, purpose.opaque(), user.tenant, id.uuid());
    let plain = zeroize::Zeroizing::new(serde_json::to_vec(data).map_err(Error::internal)?);
    let now = cx.now();
    let row = OneTimeToken {
        id,
        tenant: user.tenant,
        user: user.id,
        purpose,
        token_hash: token.hash(),
        data: cx.keyring.seal(&*cx.random, purpose.as_str(), id.uuid().as_bytes(), &plain),
        security_version: user.security_version,
        created_at: now,
        expires_at: later(now, life),
    };
    Ok((row, token))
}

/// What [`make_token`] was given as data.
pub(crate) fn data_of<T: DeserializeOwned>(cx: &Context, row: &OneTimeToken) -> Result<T> {
    let plain = cx.keyring.open(row.purpose.as_str(), row.id.uuid().as_bytes(), &row.data).map_err(Error::internal)?;
    serde_json::from_slice(&plain).map_err(Error::internal)
}

/// A presented token that would be accepted now, with what it stands for.
pub(crate) struct Presented {
    pub(crate) origin: Origin,
    pub(crate) row: OneTimeToken,
    pub(crate) user: User,
}

impl Presented {
    /// Reads what `text` stands for. `None` when it is forged, used, run out, of another purpose or tenant, or made
    /// under other credentials or another status than the user has now. (The way back to an old address outlives those: whoever took the
    /// account over can change them.)
    pub(crate) async fn find(
        cx: &Context,
        origin: &Origin,
        purpose: TokenPurpose,
        text: &Secret,
    ) -> Result<Option<Self>> {
        let Some(token) = OpaqueToken::parse(&cx.keyring, purpose.opaque(), text.expose()) else { return Ok(None) };
        let Some(origin) = of_tenant(origin, token.tenant) else { return Ok(None) };
        if settings_of(cx, token.tenant).is_none() {
            return Ok(None);
        }
        let row = cx.store.find_token(token.tenant, OneTimeTokenId::new(token.id)).await?;
        let live =
            |row: &OneTimeToken| token.matches(&row.token_hash) && row.purpose == purpose && row.expires_at > cx.now();
        let Some(row) = row.filter(live) else { return Ok(None) };
        let user = cx.store.find_user(token.tenant, row.user).await?;
        let fits = |user: &User| match purpose {
            TokenPurpose::EmailUndo => true,
            TokenPurpose::Reactivate => !user.is_active() && user.security_version == row.security_version,
            _ => user.is_active() && user.security_version == row.security_version,
        };
        Ok(user.filter(fits).map(|user| Self { origin, row, user }))
    }

    /// The same for a mailed link.
    ///
    /// # Errors
    /// `auth.invalid_token_or_expired`.
    pub(crate) async fn get(cx: &Context, origin: &Origin, purpose: TokenPurpose, text: &Secret) -> Result<Self> {
        Self::find(cx, origin, purpose, text).await?.ok_or_else(void_link)
    }
}

/// The answer to a link that is forged, used or too old. Where the token is used up in a unit, a conflict says that too:
/// whatever was quicker, another use of the link or a change of the account, has made the link void.
pub(crate) fn void_link() -> Error {
    Error::new(ErrorCode::InvalidOneTimeToken, "The link was used, has run out, or was replaced; ask for a new one.")
}
