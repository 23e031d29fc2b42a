//! Verification of access tokens (RFC 7519, RFC 8725, RFC 9068): everything but revocation.

use super::{KeySet, key_set::Key};
use crate::{Error, Settings};
use authkit_wire::{ErrorCode, KeyId, SessionId, TenantId, UserId};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};
use std::{borrow::Cow, fmt, sync::Arc};

/// No token that AuthKit makes is longer, and nothing longer is looked at.
pub(super) const MAX_TOKEN: usize = 8 * 1024;

/// A 4096-bit RSA signature; AuthKit's are shorter.
const MAX_SIGNATURE: usize = 512;

/// Why a token does not count. Clients hear the same whatever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It is not valid.
    Invalid,
    /// It names a key that this node does not know (yet).
    UnknownKey,
    /// It names a tenant that this node does not know (yet).
    UnknownTenant,
}

impl From<Refused> for Error {
    fn from(_: Refused) -> Self {
        Self::new(ErrorCode::InvalidToken, "The access token is not valid any more; refresh it or sign in again.")
    }
}

/// Whether a token that has run out counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expiry {
    /// It does not.
    Checked,
    /// It does: it only says which session is to end.
    Ignored,
}

/// What a verified token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claims {
    pub(super) tenant: TenantId,
    pub(super) user: UserId,
    pub(super) session: SessionId,
    pub(super) issued_at: i64,
    pub(super) not_before: i64,
    pub(super) expires_at: i64,
    pub(super) auth_time: i64,
    pub(super) amr: Arc<[String]>,
    pub(super) roles: Vec<String>,
    pub(super) version: i64,
}

/// Verifies signature, purpose, issuer, audience and times of `token`.
pub(super) fn verify(
    keys: &KeySet,
    settings: &Settings,
    token: &str,
    now: Timestamp,
    expiry: Expiry,
) -> Result<Claims, Refused> {
    let (key, payload) = signed(keys, token)?;
    let claims: RawClaims<'_> = serde_json::from_slice(&payload).map_err(|_| Refused::Invalid)?;
    let RawClaims { iss, aud, iat, nbf, exp, .. } = &claims;
    let registered = Registered { iss, aud, iat: *iat, nbf: *nbf, exp: *exp };
    let expires_at = registered.check(key, settings, settings.tokens.access, now, expiry)?;
    Ok(Claims {
        tenant: claims.tid,
        user: claims.sub,
        session: claims.sid,
        issued_at: claims.iat,
        not_before: claims.nbf.saturating_sub(settings.tokens.leeway.as_secs()),
        expires_at,
        auth_time: claims.auth_time,
        amr: claims.amr.into(),
        roles: claims.roles,
        version: claims.ver,
    })
}

/// The payload of an access token whose header and signature are right, and the key that signed it.
pub(super) fn signed<'k>(keys: &'k KeySet, token: &str) -> Result<(&'k Key, Vec<u8>), Refused> {
    use Refused::Invalid;
    if token.len() > MAX_TOKEN {
        return Err(Invalid);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(Invalid)?;
    let (header, payload) = message.split_once('.').ok_or(Invalid)?;
    let key = match keys.by_header(header) {
        // Byte for byte what AuthKit writes: purpose, algorithm and key are right.
        Some(key) => key,
        None => read_header(keys, header)?,
    };

    let mut buffer = [0; MAX_SIGNATURE];
    let length = URL_SAFE_NO_PAD.decode_slice(signature, &mut buffer).map_err(|_| Invalid)?;
    if !key.verify(message.as_bytes(), &buffer[..length]) {
        return Err(Invalid);
    }
    Ok((key, URL_SAFE_NO_PAD.decode(payload).map_err(|_| Invalid)?))
}

/// The registered claims that every access token has.
pub(super) struct Registered<'a> {
    pub(super) iss: &'a Text<'a>,
    pub(super) aud: &'a Audience<'a>,
    pub(super) iat: i64,
    pub(super) nbf: i64,
    pub(super) exp: i64,
}

impl Registered<'_> {
    /// Whether issuer, audience and times are right for a token of that `life`; when it runs out.
    pub(super) fn check(
        &self,
        key: &Key,
        settings: &Settings,
        life: SignedDuration,
        now: Timestamp,
        expiry: Expiry,
    ) -> Result<i64, Refused> {
        let leeway = settings.tokens.leeway.as_secs();
        let now = now.as_second();
        // A lifetime that was shortened counts for tokens that are out already: revocations are remembered no longer than it.
        let expires_at = self.exp.min(self.iat.saturating_add(life.as_secs()));
        let genuine = self.iss.0 == settings.issuer
            && self.aud.contains(&settings.audience)
            && self.nbf <= now.saturating_add(leeway)
            && self.iat <= now.saturating_add(leeway)
            && key.was_in_use(self.iat, leeway)
            && (expiry == Expiry::Ignored || now < expires_at.saturating_add(leeway));
        if genuine { Ok(expires_at) } else { Err(Refused::Invalid) }
    }
}

/// Reads a header of another spelling, as a newer version may write it. Whatever it brings along to verify itself with
/// (`jwk`, `jku`, `x5c`, `x5u`) is not looked at.
fn read_header<'k>(keys: &'k KeySet, header: &str) -> Result<&'k Key, Refused> {
    let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| Refused::Invalid)?;
    let header: Header<'_> = serde_json::from_slice(&header).map_err(|_| Refused::Invalid)?;
    // RFC 9068, section 2.1; media types compare without regard to case (RFC 7515, section 4.1.9).
    let access = ["at+jwt", "application/at+jwt"].iter().any(|typ| header.typ.0.eq_ignore_ascii_case(typ));
    // RFC 7515, section 4.1.11: no extension is understood here.
    if !access || header.crit {
        return Err(Refused::Invalid);
    }
    let key = keys.find(header.kid).ok_or(Refused::UnknownKey)?;
    // RFC 8725, section 3.1: a key is used with its own algorithm only.
    if header.alg.0 == key.alg { Ok(key) } else { Err(Refused::Invalid) }
}

/// Borrowed when it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    typ: Text<'a>,
    #[serde(borrow)]
    alg: Text<'a>,
    kid: KeyId,
    #[serde(default, deserialize_with = "is_there")]
    crit: bool,
}

fn is_there<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(from).map(|_| true)
}

#[derive(Deserialize)]
struct RawClaims<'a> {
    #[serde(borrow)]
    iss: Text<'a>,
    #[serde(borrow)]
    aud: Audience<'a>,
    sub: UserId,
    sid: SessionId,
    tid: TenantId,
    iat: i64,
    nbf: i64,
    exp: i64,
    auth_time: i64,
    amr: Vec<String>,
    roles: Vec<String>,
    ver: i64,
}

/// One audience or several (RFC 7519, section 4.1.3).
pub(super) enum Audience<'a> {
    One(Cow<'a, str>),
    Many(Vec<Text<'a>>),
}

impl Audience<'_> {
    fn contains(&self, wanted: &str) -> bool {
        match self {
            Self::One(one) => one == wanted,
            Self::Many(many) => many.iter().any(|one| one.0 == wanted),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Audience<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Audience<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Audience::One(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Audience::One(Cow::Owned(text.to_owned())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut many = Vec::new();
                while let Some(item) = items.next_element()? {
                    many.push(item);
                }
                Ok(Audience::Many(many))
            }
        }
        from.deserialize_any(OneOrMany)
    }
}
