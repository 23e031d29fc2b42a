//! Ending sessions, and the list that people end them from.

use super::{FeedEvent, Principal, Session, SessionChange, Sessions, verify::Expiry};
use crate::{
    Context, Error, Origin, Result,
    accounts::{User, push_hook, signed_in},
    audit,
    crypto::{OpaqueKind, OpaqueToken},
    devices::DeviceChange,
    paging::Paging,
    ports::{Operation, OperationKind, Position, Scope, StoreError, Unit},
    rbac::require_reach,
};
use authkit_wire::*;

/// Sessions that one unit ends.
const BATCH: u32 = 100;

/// Units after which ending all sessions gives up on somebody who signs in faster.
const BATCHES: usize = 100;

impl Sessions {
    /// Ends the session of whatever token is presented, whether or not it has run out. It refuses nothing, and when
    /// there is nothing to end it does nothing.
    ///
    /// # Errors
    /// `server.unavailable` when the session could not be ended.
    pub async fn logout(&self, origin: &Origin, access: Option<&str>, refresh: Option<&Secret>) -> Result<()> {
        let cx = &*self.cx;
        let access = access.and_then(|token| cx.authority.claims(cx, token, Expiry::Ignored).ok());
        let refresh = refresh.and_then(|token| OpaqueToken::parse(&cx.keyring, OpaqueKind::Refresh, token.expose()));
        let mut named: Vec<(TenantId, SessionId)> = Vec::new();
        named.extend(access.map(|claims| (claims.tenant, claims.session)));
        named.extend(refresh.map(|token| (token.tenant, SessionId::new(token.id))));
        named.dedup();
        for (tenant, id) in named {
            let Some(session) = cx.store.find_session(tenant, id).await? else { continue };
            let Some(user) = cx.store.find_user(tenant, session.user).await? else { continue };
            let record = audit::entry(cx, origin, "session.ended").actor(user.id).person(&user);
            end(cx, &session, record, &ending(&session).actor(user.id), Unit::new()).await?;
        }
        Ok(())
    }

    /// The caller's own sessions, newest first.
    ///
    /// # Errors
    /// `request.invalid_cursor`, `request.invalid_limit`.
    pub async fn list(
        &self,
        principal: &Principal,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Page<SessionView>> {
        self.page_of(principal, principal.user, cursor, limit).await
    }

    /// The sessions of any user of the tenant, newest first, for an administrator (`sessions:read`).
    ///
    /// # Errors
    /// `auth.forbidden`, `account.not_found`, `request.invalid_cursor`, `request.invalid_limit`.
    pub async fn list_of(
        &self,
        principal: &Principal,
        user: UserId,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Page<SessionView>> {
        principal.require("sessions:read")?;
        let found = self.cx.store.find_user(principal.tenant, user).await?;
        let user = found.ok_or(ErrorCode::UserNotFound)?.id;
        self.page_of(principal, user, cursor, limit).await
    }

    async fn page_of(
        &self,
        principal: &Principal,
        user: UserId,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Page<SessionView>> {
        let cx = &*self.cx;
        let (tenant, now) = (principal.tenant, cx.now());
        let paging = Paging::new(cx, tenant, "sessions", &user.to_string(), cursor, limit)?;
        let sessions = cx.store.list_sessions(tenant, user, paging.after.as_ref(), paging.fetch()).await?;
        let position = |session: &Session| Position { key: String::new(), id: session.id.uuid() };
        Ok(paging.page(cx, sessions, position, |session| SessionView {
            current: session.id == principal.session,
            // It is kept to the end of a minute, which may be still to come.
            last_active_at: cx
                .authority
                .last_seen(session.id)
                .map_or(session.last_active_at, |seen| seen.max(session.last_active_at))
                .min(now),
            id: session.id,
            user_agent: session.user_agent,
            ip: session.ip,
            place: session.place,
            amr: session.amr,
            created_at: session.created_at,
        }))
    }

    /// Ends one session of the user.
    ///
    /// # Errors
    /// `session.not_found`, `auth.invalid_token`, `auth.refused_by_application`.
    pub async fn revoke(&self, origin: &Origin, principal: &Principal, id: SessionId) -> Result<()> {
        let cx = &*self.cx;
        let user = signed_in(cx, principal).await?;
        let session = session_of(cx, &user, id).await?;
        let operation = ending(&session).actor(user.id);
        cx.before(&operation, None).await?;
        let record = audit::entry(cx, origin, "session.ended").actor(user.id).person(&user);
        Ok(end(cx, &session, record, &operation, void_claims(&user)).await?)
    }

    /// Ends one session of a user of the origin's tenant, for an operator.
    ///
    /// # Errors
    /// `session.not_found`, `auth.refused_by_application`.
    pub async fn revoke_of(&self, origin: &Origin, user: UserId, id: SessionId) -> Result<()> {
        let cx = &*self.cx;
        let user = cx.store.find_user(origin.tenant, user).await?.ok_or(ErrorCode::SessionNotFound)?;
        let session = session_of(cx, &user, id).await?;
        let operation = ending(&session);
        cx.before(&operation, None).await?;
        let record = audit::entry(cx, origin, "session.ended").operator().subject(user.id);
        Ok(end(cx, &session, record, &operation, void_claims(&user)).await?)
    }

    /// Ends all sessions of the user but the current one.
    ///
    /// # Errors
    /// `auth.invalid_token`, `auth.refused_by_application`.
    pub async fn revoke_others(&self, origin: &Origin, principal: &Principal) -> Result<RevokedView> {
        let cx = &*self.cx;
        let user = signed_in(cx, principal).await?;
        let operation = Operation::new(OperationKind::EndSession, user.tenant).on(user.id).actor(user.id);
        let operation = operation.action("session.others_ended");
        cx.before(&operation, None).await?;
        let others = |revoked: u64| {
            let entry = audit::entry(cx, origin, "session.others_ended").actor(user.id).person(&user);
            entry.data("revoked", revoked).build().into()
        };
        end_all(cx, Some(principal), &user, Some(principal.session), &operation, others).await
    }

    /// Ends all sessions of a user, for an administrator (`sessions:revoke`) or, without a principal, an operator.
    ///
    /// # Errors
    /// `auth.forbidden`, `account.not_found`, `role.exceeds_caller`, `auth.refused_by_application`.
    pub async fn revoke_all_of(
        &self,
        origin: &Origin,
        principal: Option<&Principal>,
        user: UserId,
    ) -> Result<RevokedView> {
        let cx = &*self.cx;
        if let Some(principal) = principal {
            principal.require("sessions:revoke")?;
        }
        let tenant = principal.map_or(origin.tenant, |principal| principal.tenant);
        let user = cx.store.find_user(tenant, user).await?.ok_or(ErrorCode::UserNotFound)?;
        require_reach(cx, principal, &user).await?;
        let operation = Operation::new(OperationKind::EndSession, tenant).by(principal).session(None).on(user.id);
        cx.before(&operation, None).await?;
        let administrator = audit::administrator(cx, principal).await?;
        let ended = |revoked: u64| {
            let entry = audit::entry(cx, origin, "session.ended").by(principal).tenant(tenant).subject(user.id);
            entry.seen(administrator.as_ref()).data("revoked", revoked).build().into()
        };
        end_all(cx, principal, &user, None, &operation, ended).await
    }
}

async fn session_of(cx: &Context, user: &User, id: SessionId) -> Result<Session> {
    let session = cx.store.find_session(user.tenant, id).await?;
    session.filter(|session| session.user == user.id).ok_or_else(|| ErrorCode::SessionNotFound.into())
}

fn ending(session: &Session) -> Operation {
    Operation::new(OperationKind::EndSession, session.tenant).on(session.user).session(session.id)
}

/// Whoever ends a session from elsewhere may not trust who had it: claim codes that were made in it are void as well.
fn void_claims(user: &User) -> Unit {
    Unit::new().with(DeviceChange::VoidClaimsOf { owner: user.id })
}

/// Ends one session, and adds that to `unit`.
async fn end(
    cx: &Context,
    session: &Session,
    record: audit::Entry<'_>,
    operation: &Operation,
    unit: Unit,
) -> Result<(), StoreError> {
    let mut unit = unit
        .with(SessionChange::End { id: session.id, user: session.user })
        .with(FeedEvent::SessionEnded(session.tenant, session.id))
        .with(record.data("session", session.id.to_string()).build());
    push_hook(cx, &mut unit, operation);
    cx.commit(Scope::Tenant(session.tenant), unit).await.map(|_| ())
}

/// Ends the user's sessions one by one in a few units, so that every node hears of each. It goes on until none is left,
/// so that one that was opened meanwhile ends as well. That there was none is recorded, too.
async fn end_all(
    cx: &Context,
    principal: Option<&Principal>,
    user: &User,
    except: Option<SessionId>,
    operation: &Operation,
    record: impl Fn(u64) -> crate::ports::Change,
) -> Result<RevokedView> {
    let (mut revoked, mut recorded) = (0, false);
    for _ in 0..BATCHES {
        let unchanged = require_reach(cx, principal, user).await?;
        let mut sessions = cx.store.list_sessions(user.tenant, user.id, None, BATCH).await?;
        sessions.retain(|session| Some(session.id) != except);
        if sessions.is_empty() && recorded {
            return Ok(RevokedView { revoked });
        }
        let mut unit = void_claims(user);
        unit.extend(unchanged);
        let places: Vec<usize> = sessions
            .iter()
            .map(|session| {
                unit.push(FeedEvent::SessionEnded(user.tenant, session.id));
                unit.push(SessionChange::End { id: session.id, user: user.id })
            })
            .collect();
        unit.push(record(sessions.len() as u64));
        if !sessions.is_empty() {
            push_hook(cx, &mut unit, operation);
        }
        // Else roles changed meanwhile; whether the caller may do it is asked again.
        let Some(applied) = cx.try_commit(Scope::Tenant(user.tenant), unit).await? else { continue };
        recorded = true;
        revoked += places.into_iter().filter(|&place| applied.get(place) > 0).count() as u64;
    }
    Err(Error::new(ErrorCode::Conflict, "Sessions are being opened as fast as they end; deactivate the account."))
}
