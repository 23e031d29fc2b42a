//! Writing notices: the outbox record of an operation, made to be committed in the operation's own unit.

use super::{AccountEvent, Notice, NoticeChange, OutboxNotice};
use crate::{
    Context, Origin,
    accounts::{Email, User},
    later,
    ports::{Operation, Random},
};
use authkit_wire::{NoticeId, Secret, TenantId, UserId};
use jiff::SignedDuration;
use zeroize::Zeroizing;

/// What seals a record's payload, bound to the record's id.
pub(super) const PURPOSE: &str = "notice";

/// How long news about an account is worth delivering.
const NEWS: SignedDuration = SignedDuration::from_hours(3 * 24);

/// How long the host application's hook is tried.
const HOOK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The change that puts `notice` into the outbox of `tenant`.
///
/// It costs the same whatever the notice finds out later: the worker looks accounts up, not the request.
#[must_use]
pub fn enqueue(cx: &Context, tenant: TenantId, notice: &Notice) -> NoticeChange {
    let id = NoticeId::new(cx.uuid());
    let now = cx.now();
    NoticeChange::Enqueue(OutboxNotice {
        id,
        tenant,
        kind: notice.kind().to_owned(),
        recipient: recipient(cx, tenant, notice),
        payload: seal(cx, id, notice),
        attempts: 0,
        available_at: now,
        lease: None,
        dead: false,
        created_at: now,
        expires_at: later(now, lifetime(cx, notice)),
    })
}

/// The change that tells `user` what happened to the account.
#[must_use]
pub fn tell(cx: &Context, user: &User, event: AccountEvent) -> NoticeChange {
    let notice = Notice::Account { event, user: user.id, email: user.email.clone(), locale: user.locale.clone() };
    enqueue(cx, user.tenant, &notice)
}

/// The change that tells `owner` that the device called `name` was claimed, and from where.
#[must_use]
pub fn tell_of_device(cx: &Context, origin: &Origin, owner: &User, name: &str) -> NoticeChange {
    let (email, locale) = (owner.email.clone(), owner.locale.clone());
    let notice = Notice::DeviceClaimed { user: owner.id, email, locale, device: name.to_owned(), ip: origin.ip };
    enqueue(cx, owner.tenant, &notice)
}

/// A notice that costs what others cost and tells nobody: the worker finds no such user.
pub(crate) fn to_nobody(cx: &Context, email: &Email) -> Notice {
    let user = UserId::new(cx.uuid());
    Notice::Account { event: AccountEvent::AccountLocked, user, email: email.as_str().to_owned(), locale: None }
}

/// The change that tells `user`, who has switched the account off or put it up for deletion, of that and of the way back.
pub(crate) fn tell_with_way_back(cx: &Context, user: &User, event: AccountEvent, token: &Secret) -> NoticeChange {
    let (email, locale) = (user.email.clone(), user.locale.clone());
    enqueue(cx, user.tenant, &Notice::Closed { event, user: user.id, email, token: token.clone(), locale })
}

/// The change after which the host application's hook hears of `operation`; `None` when it does not want to.
#[must_use]
pub fn after_hook(cx: &Context, operation: Operation) -> Option<NoticeChange> {
    let tenant = operation.tenant;
    cx.hooks.wants(operation.kind).then(|| enqueue(cx, tenant, &Notice::Hook { operation }))
}

fn seal(cx: &Context, id: NoticeId, notice: &Notice) -> Vec<u8> {
    // Texts, ids and enums always have a JSON form.
    let plain = Zeroizing::new(serde_json::to_vec(notice).unwrap_or_default());
    cx.keyring.seal(&*cx.random as &dyn Random, PURPOSE, id.uuid().as_bytes(), &plain)
}

/// Notices of one address keep their order, and so do the hooks of one user.
fn recipient(cx: &Context, tenant: TenantId, notice: &Notice) -> [u8; 33] {
    let (kind, text) = match notice {
        Notice::Registration { email, .. }
        | Notice::ResendVerification { email }
        | Notice::Verification { email, .. }
        | Notice::PasswordResetRequested { email }
        | Notice::EmailChange { email, .. }
        | Notice::EmailChanged { email, .. }
        | Notice::Closed { email, .. }
        | Notice::DeviceClaimed { email, .. }
        | Notice::Account { email, .. } => ("mail", email.trim().to_lowercase()),
        Notice::Hook { operation } => {
            ("hook", operation.user.map_or_else(|| cx.uuid().to_string(), |user| user.to_string()))
        }
    };
    cx.keyring.index("recipient", &[tenant.uuid().as_bytes(), kind.as_bytes(), text.as_bytes()])
}

/// No notice outlives the link that it holds or asks for.
fn lifetime(cx: &Context, notice: &Notice) -> SignedDuration {
    let links = &cx.settings.links;
    match notice {
        Notice::Registration { .. } | Notice::ResendVerification { .. } | Notice::Verification { .. } => links.verify,
        Notice::PasswordResetRequested { .. } => links.reset,
        Notice::EmailChange { .. } => links.email_change,
        Notice::EmailChanged { .. } => links.email_undo,
        Notice::Account { .. } | Notice::Closed { .. } | Notice::DeviceClaimed { .. } => NEWS,
        Notice::Hook { .. } => HOOK,
    }
}
