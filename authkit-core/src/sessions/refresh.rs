//! Rotation of refresh tokens: one compare-and-swap, a sealed replay for whoever lost the race or the answer, and the
//! end of the session for anything else that comes back (RFC 9700, section 4.14).

use super::{FeedEvent, RefreshState, Session, SessionChange, Sessions, open, tokens};
use crate::{
    Context, Error, Origin, Result,
    accounts::{User, of_tenant, push_hook},
    audit,
    crypto::{OpaqueKind, OpaqueToken},
    later,
    notices::{self, AccountEvent},
    ports::{Operation, OperationKind, Scope, Unit},
    tenants::Idempotency,
};
use authkit_wire::{ErrorCode, RoleId, Secret, SessionId, TokensView, UserStatus};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

/// How often a refresh that lost a race looks again. The first time it finds the pair of the winner.
const ROUNDS: usize = 4;

/// The pair that a refresh answered with, as it is sealed for its replay.
#[derive(Serialize, Deserialize)]
struct Pair {
    access: Secret,
    refresh: Secret,
    /// When the access token runs out.
    expires_at: i64,
}

/// What a genuine token is to its session.
enum Standing {
    /// The one in force.
    Current,
    /// The one before it, within the time in which the same answer is given again.
    Repeated,
    /// One that was used before: somebody else has it.
    Reused,
}

impl Sessions {
    /// Rotates a refresh token. The immediately previous token gets the same pair again for a few seconds, and with the
    /// same `Idempotency-Key` for a day while the successor is unused; any other token that was used ends the session.
    ///
    /// # Errors
    /// `auth.invalid_refresh_token`, `auth.refused_by_application`, `request.malformed` for a key that is none.
    pub async fn refresh(&self, origin: &Origin, token: &Secret, idempotency_key: Option<&str>) -> Result<TokensView> {
        let cx = &*self.cx;
        idempotency_key.map_or(Ok(()), Idempotency::check_key)?;
        let token = OpaqueToken::parse(&cx.keyring, OpaqueKind::Refresh, token.expose()).ok_or_else(invalid)?;
        let origin = &of_tenant(origin, token.tenant).ok_or_else(invalid)?;
        // Under the key version that the token names, so that a rotation of master keys changes nothing in between.
        let key = idempotency_key
            .and_then(|key| cx.keyring.mac(token.version, "refresh", &[token.id.as_bytes(), key.as_bytes()]));

        cx.authority.freshen(cx).await?;
        for _ in 0..ROUNDS {
            let (session, user, roles) = self.find(&token).await?.ok_or_else(invalid)?;
            let now = cx.now();
            match standing(cx, &session, &token, key.as_ref(), now) {
                Standing::Reused => {
                    self.end_reused(origin, &session, &user).await?;
                    return Err(invalid());
                }
                _ if !may_continue(cx, &session, &user, now) => return Err(invalid()),
                Standing::Repeated => return replay(cx, &session, &user, &token, now),
                Standing::Current => {
                    if let Some(view) = self.rotate(&session, &user, &roles, &token, key, now).await? {
                        return Ok(view);
                    }
                }
            }
        }
        Err(ErrorCode::Conflict.into())
    }

    async fn find(&self, token: &OpaqueToken) -> Result<Option<(Session, User, Vec<RoleId>)>> {
        Ok(self.cx.store.find_signed_in(token.tenant, SessionId::new(token.id)).await?)
    }

    /// The new pair; `None` when somebody else was faster.
    async fn rotate(
        &self,
        session: &Session,
        user: &User,
        roles: &[RoleId],
        token: &OpaqueToken,
        idempotency: Option<[u8; 32]>,
        now: Timestamp,
    ) -> Result<Option<TokensView>> {
        let cx = &*self.cx;
        let operation =
            Operation::new(OperationKind::Refresh, user.tenant).on(user.id).session(session.id).actor(user.id);
        cx.before(&operation, None).await?;
        let access = tokens::issue(cx, session, user, roles, now)?;
        let (keyring, random) = (&cx.keyring, &*cx.random);
        let successor = OpaqueToken::generate(keyring, random, OpaqueKind::Refresh, user.tenant, session.id.uuid());
        let pair = Pair {
            access: access.token,
            refresh: successor.secret().clone(),
            expires_at: access.expires_at.as_second(),
        };
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(&pair).map_err(Error::internal)?);
        let next = RefreshState {
            hash: successor.hash(),
            expires_at: open::refresh_expiry(cx, now, session.expires_at),
            previous: Some(session.refresh.hash),
            rotated_at: Some(now),
            idempotency,
            replay: replay_key(cx, token).map(|key| key.seal(random, &plain)),
        };
        let rotate = SessionChange::Rotate { id: session.id, expected: session.refresh.hash, next, at: now };
        let mut unit = Unit::new().with(rotate);
        push_hook(cx, &mut unit, &operation);
        let applied = cx.try_commit(Scope::Tenant(user.tenant), unit).await?;
        Ok(applied.map(|_| pair.view(session, user, now)))
    }

    /// A token that was used before has come back: whoever has it, the session ends.
    async fn end_reused(&self, origin: &Origin, session: &Session, user: &User) -> Result<()> {
        let cx = &*self.cx;
        let record = audit::entry(cx, origin, "session.reuse_detected").failure().person(user);
        let mut unit = Unit::new()
            .with(SessionChange::End { id: session.id, user: user.id })
            .with(record.data("session", session.id.to_string()).build())
            .with(notices::tell(cx, user, AccountEvent::TokenReuse))
            .with(FeedEvent::SessionEnded(user.tenant, session.id));
        let refresh = Operation::new(OperationKind::Refresh, user.tenant).on(user.id);
        push_hook(cx, &mut unit, &refresh.ends_sessions().session(session.id).action("session.reuse_detected"));
        cx.commit(Scope::Tenant(user.tenant), unit).await?;
        Ok(())
    }
}

impl Pair {
    fn view(self, session: &Session, user: &User, now: Timestamp) -> TokensView {
        let expires_at = Timestamp::from_second(self.expires_at).unwrap_or(Timestamp::MIN);
        open::view(session, user, self.access, self.refresh, expires_at, now)
    }
}

fn standing(
    cx: &Context,
    session: &Session,
    token: &OpaqueToken,
    idempotency: Option<&[u8; 32]>,
    now: Timestamp,
) -> Standing {
    let state = &session.refresh;
    if token.matches(&state.hash) {
        return Standing::Current;
    }
    if !state.previous.as_ref().is_some_and(|previous| token.matches(previous)) {
        return Standing::Reused;
    }
    // The successor is unused as long as it is the one in force; once it is used, this token is not the previous one.
    let within = |limit: SignedDuration| state.rotated_at.is_some_and(|at| now.duration_since(at) <= limit);
    let same_request = match (idempotency, &state.idempotency) {
        (Some(given), Some(known)) => bool::from(given.ct_eq(known)),
        _ => false,
    };
    let tokens = &cx.settings.tokens;
    if within(tokens.refresh_overlap) || same_request && within(tokens.refresh_replay) {
        Standing::Repeated
    } else {
        Standing::Reused
    }
}

/// Whether session, user and tenant still allow it.
fn may_continue(cx: &Context, session: &Session, user: &User, now: Timestamp) -> bool {
    let policy = cx.authority.session_policy(session.tenant, &cx.settings);
    let seen = cx.authority.last_seen(session.id).map_or(session.last_active_at, |at| at.max(session.last_active_at));
    // Both: a policy that was tightened counts for sessions that are open already.
    let absolute = policy.absolute_timeout.map(|limit| later(session.created_at, limit));
    user.status == UserStatus::Active
        && cx.authority.tenant(session.tenant).is_some_and(|tenant| tenant.active)
        && now < session.refresh.expires_at
        && session.expires_at.is_none_or(|end| now < end)
        && absolute.is_none_or(|end| now < end)
        && policy.idle_timeout.is_none_or(|limit| now < later(seen, limit))
}

/// The same pair again. It extends nothing.
fn replay(cx: &Context, session: &Session, user: &User, token: &OpaqueToken, now: Timestamp) -> Result<TokensView> {
    let sealed = session.refresh.replay.as_deref().ok_or_else(invalid)?;
    let plain = replay_key(cx, token).and_then(|key| key.open(sealed).ok()).ok_or_else(invalid)?;
    let pair: Pair = serde_json::from_slice(&plain).map_err(|_| invalid())?;
    Ok(pair.view(session, user, now))
}

fn replay_key(cx: &Context, token: &OpaqueToken) -> Option<crate::crypto::PresentedKey> {
    cx.keyring.presented(token.version, token.secret().expose().as_bytes())
}

fn invalid() -> Error {
    Error::new(ErrorCode::InvalidRefreshToken, "The session is over; sign in again.")
}
