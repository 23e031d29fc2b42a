use super::{RefreshState, Session, SessionChange, tokens};
use crate::{
    Context, Origin, Result,
    accounts::User,
    audit,
    crypto::{OpaqueKind, OpaqueToken},
    later,
    ports::Unit,
};
use authkit_wire::{ErrorCode, Secret, SessionId, TokensView};
use jiff::Timestamp;

/// Longest `User-Agent` that is kept.
const USER_AGENT: usize = 256;

/// Prepares a session of `user`, who has passed all factors `amr`, and its first pair of tokens. The changes are added
/// to `unit`, which begins with [`SignedIn`](crate::accounts::AccountChange::SignedIn) and which the caller commits.
///
/// # Errors
/// `auth.invalid_credentials` when the tenant is not active; those of the store.
pub(crate) async fn open(
    cx: &Context,
    origin: &Origin,
    user: &User,
    amr: &[&str],
    unit: &mut Unit,
) -> Result<TokensView> {
    cx.authority.freshen(cx).await?;
    if !cx.authority.tenant(user.tenant).is_some_and(|tenant| tenant.active) {
        return Err(ErrorCode::InvalidCredentials.into());
    }
    let roles = cx.store.user_roles(user.tenant, user.id).await?;
    let now = cx.now();
    let policy = cx.authority.session_policy(user.tenant, &cx.settings);
    let id = SessionId::new(cx.uuid());
    let expires_at = policy.absolute_timeout.map(|limit| later(now, limit));
    let refresh = OpaqueToken::generate(&cx.keyring, &*cx.random, OpaqueKind::Refresh, user.tenant, id.uuid());
    let session = Session {
        id,
        tenant: user.tenant,
        user: user.id,
        amr: amr.iter().map(|&factor| factor.to_owned()).collect(),
        auth_time: now,
        ip: origin.ip.map(|ip| ip.to_string()),
        user_agent: origin.user_agent.as_deref().map(printable),
        place: origin.ip.and_then(|ip| cx.places.place(ip)),
        created_at: now,
        last_active_at: now,
        expires_at,
        refresh: RefreshState {
            hash: refresh.hash(),
            expires_at: refresh_expiry(cx, now, expires_at),
            previous: None,
            rotated_at: None,
            idempotency: None,
            replay: None,
        },
    };
    let access = tokens::issue(cx, &session, user, &roles, now)?;
    let view = view(&session, user, access.token, refresh.secret().clone(), access.expires_at, now);

    unit.push(SessionChange::Create(Box::new(session)));
    unit.extend(policy.max_per_user.map(|keep| SessionChange::Cap { user: user.id, keep: keep.max(1) }));
    unit.push(
        audit::entry(cx, origin, "session.created").actor(user.id).person(user).data("session", id.to_string()).build(),
    );
    Ok(view)
}

/// What a client gets.
pub(super) fn view(
    session: &Session,
    user: &User,
    access: Secret,
    refresh: Secret,
    expires_at: Timestamp,
    now: Timestamp,
) -> TokensView {
    TokensView {
        access_token: access,
        refresh_token: refresh,
        token_type: "Bearer".into(),
        expires_in: expires_at.as_second().saturating_sub(now.as_second()).max(0),
        session_id: session.id,
        user: user.view(),
    }
}

/// No refresh token outlives its session.
pub(super) fn refresh_expiry(cx: &Context, now: Timestamp, session_ends: Option<Timestamp>) -> Timestamp {
    let unused = later(now, cx.settings.tokens.refresh);
    session_ends.map_or(unused, |end| end.min(unused))
}

fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(USER_AGENT).collect()
}
