//! What an outbox record means at the time of its delivery. Here, not in the request, it turns out whether there is an
//! account, so that no request's time or writes tell.

use super::{
    AccountEvent, Notice, OutboxNotice,
    deliver::{Delivery, Failure},
    enqueue, limit,
    templates::Values,
};
use crate::{
    Context,
    accounts::{self, AccountChange, Email, EmailKey, Registration, TokenPurpose, User},
    ports::{Change, Mail, Scope, Unit},
};
use authkit_wire::{RegistrationId, Secret, TenantId, UserStatus};
use jiff::SignedDuration;

/// For how many registrations of an address a link is mailed again.
const MOST_RESENT: usize = 3;
/// How many links of one registration work at a time.
const MOST_LINKS: usize = 6;
/// How many rows of an address are looked at for that.
const MOST_ROWS: u32 = 200;

/// What `notice` comes to now.
pub(super) async fn decide(cx: &Context, record: &OutboxNotice, notice: &Notice) -> Result<Delivery, Failure> {
    let links = &cx.settings.links;
    match notice {
        Notice::Registration { registration, token, .. } => registered(cx, record, *registration, token, true).await,
        // What asked for it was counted.
        Notice::Verification { registration, token, .. } => registered(cx, record, *registration, token, false).await,
        Notice::ResendVerification { email } => resend(cx, record, email).await,
        Notice::PasswordResetRequested { email } => reset(cx, record, email).await,
        Notice::EmailChange { user, record: token_record, email, token, locale } => {
            let Some(row) = cx.store.find_token(record.tenant, *token_record).await? else {
                return Ok(Delivery::Nothing(Vec::new()));
            };
            if row.expires_at <= cx.now() || !is_of(token, &row.token_hash) {
                return Ok(Delivery::Nothing(Vec::new()));
            }
            let key = key(cx, record.tenant, email)?;
            let owner = cx.store.find_user_by_email(record.tenant, &key).await?;
            if let Some(owner) = owner.filter(|owner| owner.id != *user) {
                return taken(cx, record, &owner, Vec::new()).await;
            }
            if !limit::allows(cx, record, &key, "email_change").await? {
                return Ok(Delivery::Nothing(Vec::new()));
            }
            let letter = Letter { kind: "email_change", to: email, locale: locale.as_deref() };
            letter.with_link(cx, record, "confirm-email", token, links.email_change, Vec::new())
        }
        Notice::EmailChanged { email, new_email, token, locale } => {
            let letter = Letter { kind: "email_changed", to: email, locale: locale.as_deref() };
            let values = Values {
                new_email: new_email.clone(),
                link: link(cx, record.tenant, "undo-email", token),
                valid_minutes: links.email_undo.as_mins(),
                ..letter.values(cx, record)
            };
            letter.render(cx, record, &values, Vec::new())
        }
        Notice::Account { event, user, email, locale } => {
            // A lock is noted alike for addresses without account.
            if cx.store.find_user(record.tenant, *user).await?.is_none() {
                return Ok(Delivery::Nothing(Vec::new()));
            }
            let letter = Letter { kind: event.as_str(), to: email, locale: locale.as_deref() };
            let valid_minutes = match event {
                AccountEvent::DeletionScheduled => links.deletion_grace.as_mins(),
                _ => 0,
            };
            letter.render(cx, record, &Values { valid_minutes, ..letter.values(cx, record) }, Vec::new())
        }
        Notice::DeviceClaimed { user, email, locale, device, ip } => {
            if cx.store.find_user(record.tenant, *user).await?.is_none() {
                return Ok(Delivery::Nothing(Vec::new()));
            }
            let letter = Letter { kind: AccountEvent::DeviceClaimed.as_str(), to: email, locale: locale.as_deref() };
            let ip = ip.map(|ip| ip.to_string()).unwrap_or_default();
            let values = Values { device: device.clone(), ip, ..letter.values(cx, record) };
            letter.render(cx, record, &values, Vec::new())
        }
        Notice::Closed { event, email, token, locale, .. } => {
            let letter = Letter { kind: event.as_str(), to: email, locale: locale.as_deref() };
            let valid = match event {
                AccountEvent::DeletionScheduled => links.deletion_grace,
                _ => accounts::REACTIVATION,
            };
            letter.with_link(cx, record, "reactivate", token, valid, Vec::new())
        }
        Notice::Hook { operation } => Ok(Delivery::Hook(operation.clone())),
    }
}

/// The proof's link, or word to the owner that the address is taken.
async fn registered(
    cx: &Context,
    record: &OutboxNotice,
    id: RegistrationId,
    token: &Secret,
    first: bool,
) -> Result<Delivery, Failure> {
    let pending = cx.store.find_registration(record.tenant, id).await?;
    // A link that was renewed in the meantime is void, and its own notice tells of the new one.
    let Some(pending) = pending.filter(|row| row.expires_at > cx.now() && is_of(token, &row.token_hash)) else {
        return Ok(Delivery::Nothing(Vec::new()));
    };
    let over = || vec![AccountChange::DeleteRegistration { id }.into()];
    match owner_of(cx, record.tenant, &pending.email_key).await? {
        Some(owner) if first => taken(cx, record, &owner, over()).await,
        Some(_) => Ok(Delivery::Nothing(over())),
        None if first && !limit::allows(cx, record, &pending.email_key, "registration").await? => {
            Ok(Delivery::Nothing(Vec::new()))
        }
        None => verify(cx, record, &pending, token),
    }
}

/// A further link for each registration of the address, the newest ones: several may wait when strangers have signed up
/// with it, and only its owner can tell which one is theirs. Links that were mailed before go on working, so that nobody
/// voids them by asking.
async fn resend(cx: &Context, record: &OutboxNotice, email: &str) -> Result<Delivery, Failure> {
    let tenant = record.tenant;
    let key = key(cx, tenant, email)?;
    let mut pending = cx.store.list_registrations(tenant, &key, MOST_ROWS).await?;
    pending.retain(|row| row.expires_at > cx.now());
    if pending.is_empty()
        || owner_of(cx, tenant, &key).await?.is_some()
        || !limit::allows(cx, record, &key, "resend_verification").await?
    {
        return Ok(Delivery::Nothing(Vec::new()));
    }
    let mut signed_up: Vec<Vec<Registration>> = Vec::new();
    for row in pending {
        match signed_up.iter_mut().find(|rows| accounts::register::is_same(&rows[0], &row)) {
            Some(rows) => rows.push(row),
            None => signed_up.push(vec![row]),
        }
    }
    signed_up.sort_by_key(|rows| std::cmp::Reverse(rows[0].created_at));
    let mut changes: Vec<Change> = Vec::new();
    for rows in signed_up.iter().take(MOST_RESENT) {
        let newest = &rows[0];
        let is_account = cx.store.find_user(tenant, accounts::register::user_of(newest.id)).await?.is_some();
        let (change, registration, token) = accounts::register::another_link(cx, newest, is_account);
        changes.push(change.into());
        changes.extend(
            rows.iter().skip(MOST_LINKS - 1).map(|old| AccountChange::DeleteRegistration { id: old.id }.into()),
        );
        let (email, locale) = (newest.email.clone(), newest.locale.clone());
        let notice = Notice::Verification { registration, email, token: token.secret().clone(), locale };
        changes.push(enqueue(cx, tenant, &notice).into());
    }
    Ok(Delivery::Nothing(changes))
}

/// A reset token for the active account, if there is one; it voids the earlier ones.
async fn reset(cx: &Context, record: &OutboxNotice, email: &str) -> Result<Delivery, Failure> {
    let user = cx.store.find_user_by_email(record.tenant, &key(cx, record.tenant, email)?).await?;
    let user = user.filter(|user| user.status == UserStatus::Active);
    let Some(user) = user else { return Ok(Delivery::Nothing(Vec::new())) };
    // The newest link stays valid then: whoever asks for many cannot keep its owner from it.
    if !limit::allows(cx, record, &user.email_key, "password_reset").await? {
        return Ok(Delivery::Nothing(Vec::new()));
    }
    let (row, token) = accounts::reset::issue(cx, &user)?;
    let unit = Unit::new()
        .with(AccountChange::DeleteTokensOf { user: user.id, purpose: TokenPurpose::PasswordReset })
        .with(AccountChange::CreateToken(row));
    cx.commit(Scope::Tenant(user.tenant), unit).await?;
    let letter = Letter { kind: "password_reset", to: &user.email, locale: user.locale.as_deref() };
    letter.with_link(cx, record, "reset-password", token.secret(), cx.settings.links.reset, Vec::new())
}

fn verify(cx: &Context, record: &OutboxNotice, pending: &Registration, token: &Secret) -> Result<Delivery, Failure> {
    let letter = Letter { kind: "verify_email", to: &pending.email, locale: pending.locale.as_deref() };
    let values = Values {
        link: link(cx, record.tenant, "verify-email", token),
        valid_minutes: cx.settings.links.verify.as_mins(),
        // By this its maker knows it from a stranger's.
        at: pending.created_at.strftime("%-d %B %Y, %H:%M UTC").to_string(),
        ..letter.values(cx, record)
    };
    letter.render(cx, record, &values, Vec::new())
}

async fn taken(cx: &Context, record: &OutboxNotice, owner: &User, with: Vec<Change>) -> Result<Delivery, Failure> {
    if !limit::allows(cx, record, &owner.email_key, "address_taken").await? {
        return Ok(Delivery::Nothing(with));
    }
    let letter = Letter { kind: "address_taken", to: &owner.email, locale: owner.locale.as_deref() };
    let values = Values { account: owner.status.as_str(), ..letter.values(cx, record) };
    letter.render(cx, record, &values, with)
}

/// The user who has proved the address.
async fn owner_of(cx: &Context, tenant: TenantId, key: &EmailKey) -> Result<Option<User>, Failure> {
    Ok(cx.store.find_user_by_email(tenant, key).await?.filter(|user| user.email_verified))
}

fn key(cx: &Context, tenant: TenantId, email: &str) -> Result<EmailKey, Failure> {
    // It was read by the tenant's rules when the request came; here it only has to lead to the same key.
    let email = Email::parse(email, true).map_err(|_| Failure::Permanent("the address is none".into()))?;
    Ok(email.key(&cx.keyring, tenant))
}

fn is_of(token: &Secret, hash: &[u8; 32]) -> bool {
    crate::crypto::sha256(token.expose().as_bytes()) == *hash
}

/// A mail before it is rendered.
struct Letter<'a> {
    kind: &'a str,
    to: &'a str,
    locale: Option<&'a str>,
}

impl Letter<'_> {
    fn values(&self, cx: &Context, record: &OutboxNotice) -> Values {
        let base = public_url(cx, record.tenant);
        Values {
            product: cx.settings.product_name.clone(),
            sign_in_url: format!("{base}/sign-in"),
            forgot_url: format!("{base}/forgot-password"),
            account_url: format!("{base}/account"),
            public_url: base,
            email: self.to.to_owned(),
            at: record.created_at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
            ..Values::default()
        }
    }

    fn with_link(
        &self,
        cx: &Context,
        record: &OutboxNotice,
        page: &str,
        token: &Secret,
        valid: SignedDuration,
        with: Vec<Change>,
    ) -> Result<Delivery, Failure> {
        let link = link(cx, record.tenant, page, token);
        self.render(cx, record, &Values { link, valid_minutes: valid.as_mins(), ..self.values(cx, record) }, with)
    }

    fn render(
        &self,
        cx: &Context,
        record: &OutboxNotice,
        values: &Values,
        with: Vec<Change>,
    ) -> Result<Delivery, Failure> {
        // A template error may quote values, which hold a live link.
        let rendered = cx
            .templates
            .render(self.kind, self.locale, values)
            .map_err(|error| Failure::Temporary(format!("the template {} cannot be rendered", error.name)))?;
        let mail = Mail {
            id: record.id,
            tenant: record.tenant,
            kind: self.kind.to_owned(),
            to: self.to.to_owned(),
            links: values.links_in(&rendered.text),
            subject: rendered.subject,
            text: rendered.text,
            html: rendered.html,
        };
        Ok(Delivery::Mail(Box::new(mail), with))
    }
}

fn link(cx: &Context, tenant: TenantId, page: &str, token: &Secret) -> String {
    // Opaque tokens are of the URL-safe alphabet.
    format!("{}/{page}?token={}", public_url(cx, tenant), token.expose())
}

/// Where people of the tenant reach the server: the installation's address, at the tenant's own host when it has one.
/// Never what a request says.
pub(crate) fn public_url(cx: &Context, tenant: TenantId) -> String {
    let host = cx.authority.tenant(tenant).and_then(|tenant| tenant.hosts.first().cloned());
    at_host(&cx.settings.public_url, host.as_deref())
}

fn at_host(public_url: &str, host: Option<&str>) -> String {
    let base = public_url.trim_end_matches('/');
    let (Some(host), Some((scheme, rest))) = (host, base.split_once("://")) else { return base.to_owned() };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let after_address = authority.rsplit_once(']').map_or(authority, |(_, after)| after);
    let port = after_address.rsplit_once(':').map_or(String::new(), |(_, port)| format!(":{port}"));
    format!("{scheme}://{host}{port}{path}")
}

#[cfg(test)]
mod tests {
    use super::at_host;

    #[test]
    fn a_tenants_host_replaces_only_the_host() {
        assert_eq!(at_host("https://id.example.org/", None), "https://id.example.org");
        assert_eq!(at_host("https://id.example.org", Some("acme.example")), "https://acme.example");
        assert_eq!(at_host("http://127.0.0.1:8080", Some("acme.example")), "http://acme.example:8080");
        assert_eq!(at_host("http://[::1]:8080/id", Some("acme.example")), "http://acme.example:8080/id");
        assert_eq!(at_host("http://[::1]", Some("acme.example")), "http://acme.example");
    }
}
