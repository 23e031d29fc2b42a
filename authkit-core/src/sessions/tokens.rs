//! Making access tokens (RFC 9068).

use super::{KeySet, Session, key_set::Key, verify::MAX_TOKEN};
use crate::{Context, Error, Result, accounts::User, ports::TokenSubject};
use authkit_wire::{ErrorCode, RoleId, Secret, SessionId, TenantId, UserId};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};

/// Registered names (RFC 7519, RFC 8693, RFC 9068) and AuthKit's own, which no hook sets.
const RESERVED: [&str; 24] = [
    "iss",
    "aud",
    "sub",
    "sid",
    "tid",
    "iat",
    "nbf",
    "exp",
    "jti",
    "amr",
    "acr",
    "auth_time",
    "roles",
    "ver",
    "scope",
    "client_id",
    "azp",
    "cnf",
    "act",
    "may_act",
    "nonce",
    "org",
    "groups",
    "entitlements",
];

/// What an access token says (RFC 9068, section 2.2).
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: UserId,
    sid: SessionId,
    tid: TenantId,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: &'a str,
    amr: &'a [String],
    acr: &'static str,
    auth_time: i64,
    roles: &'a [String],
    ver: i64,
    /// By the application's hook, none of the reserved ones.
    #[serde(flatten)]
    added: Map<String, Value>,
}

/// An access token, and when it runs out.
pub(super) struct Access {
    pub(super) token: Secret,
    pub(super) expires_at: Timestamp,
}

/// Makes the access token of `session` at `now`.
pub(super) fn issue(cx: &Context, session: &Session, user: &User, roles: &[RoleId], now: Timestamp) -> Result<Access> {
    let snapshot = cx.authority.snapshot();
    let key = signer(snapshot.keys(), now)?;
    let lifetime = lifetime(cx, session, now);
    let (issued, expires) = (now.as_second(), now.as_second() + lifetime.as_secs());

    let table = snapshot.roles_of(session.tenant);
    let mut names: Vec<String> = roles.iter().filter_map(|&id| Some(table?.get(id)?.name.clone())).collect();
    names.sort_unstable();
    let subject = TokenSubject {
        tenant: session.tenant,
        user: user.id,
        session: session.id,
        email: &user.email,
        profile: &user.profile,
        roles: &names,
    };
    let mut claims = cx.hooks.claims(&subject);
    claims.retain(|name, _| !RESERVED.contains(&name.as_str()));
    let jti = cx.uuid().simple().to_string();
    let claims = Claims {
        iss: &cx.settings.issuer,
        aud: &cx.settings.audience,
        sub: user.id,
        sid: session.id,
        tid: session.tenant,
        iat: issued,
        nbf: issued,
        exp: expires,
        jti: &jti,
        amr: &session.amr,
        acr: assurance(&session.amr),
        auth_time: session.auth_time.as_second(),
        roles: &names,
        ver: user.security_version,
        added: claims,
    };
    let token = sign(key, &claims)?;
    Ok(Access { token, expires_at: Timestamp::from_second(expires).unwrap_or(Timestamp::MAX) })
}

/// The token of `claims` under `key`.
pub(super) fn sign(key: &Key, claims: &impl Serialize) -> Result<Secret> {
    let claims = serde_json::to_vec(claims).map_err(Error::internal)?;
    let mut token = String::with_capacity(1024);
    token.push_str(&key.header);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(claims, &mut token);
    let signature = key.sign(token.as_bytes()).map_err(Error::internal)?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    if token.len() > MAX_TOKEN {
        return Err(Error::internal("the application's claims make the access token longer than 8 KiB"));
    }
    Ok(token.into())
}

/// The signing key in use.
pub(super) fn signer(keys: &KeySet, now: Timestamp) -> Result<&Key> {
    keys.signer(now).ok_or_else(|| {
        Error::new(ErrorCode::Unavailable, "There is no signing key in use; an operator has to look after the keys.")
    })
}

/// No access token outlives its session, neither by its absolute time nor by being idle.
fn lifetime(cx: &Context, session: &Session, now: Timestamp) -> SignedDuration {
    let left = session.expires_at.map(|end| end.duration_since(now));
    let idle = cx.authority.session_policy(session.tenant, &cx.settings).idle_timeout;
    [left, idle].into_iter().flatten().fold(cx.settings.tokens.access, SignedDuration::min).max(SignedDuration::ZERO)
}

/// `acr` (RFC 9068, section 2.2.1): the assurance level of NIST SP 800-63B that the factors reach.
fn assurance(amr: &[String]) -> &'static str {
    let second = ["mfa", "otp", "hwk", "swk"];
    if amr.len() > 1 && amr.iter().any(|factor| second.contains(&factor.as_str())) { "aal2" } else { "aal1" }
}
