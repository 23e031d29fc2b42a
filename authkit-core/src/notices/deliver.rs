//! The delivery worker: claims what is due, decides what each record means now, and hands it on.

use super::{Notice, NoticeChange, OutboxNotice, decide, enqueue::PURPOSE};
use crate::{
    Context, Error,
    crypto::KeyringError,
    later,
    ports::{Change, Mail, MailError, Mailer, Operation, Scope, StoreError, Unit},
};
use authkit_wire::OutboxMailView;
use jiff::SignedDuration;
use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::Poll,
};
use uuid::Uuid;

/// How long a claimed record is this worker's. A mailer that takes longer is cut off, and another worker tries.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// How many records one call deals with, all at once.
const BATCH: u32 = 16;
/// How often a record is tried before it is dead.
const TRIES: i64 = 8;
/// The wait after the first failure; each further one waits four times as long …
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(10);
/// … up to this.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(2);

/// What a record comes to when it is looked at.
pub(super) enum Delivery {
    /// A mail, and what is written together with its delivery.
    Mail(Box<Mail>, Vec<Change>),
    /// A call of the host application.
    Hook(Operation),
    /// No mail: what it was about is over, never was, or was mailed often enough. Still, something may be to write.
    Nothing(Vec<Change>),
}

/// Why a record could not be dealt with now. The texts hold neither addresses nor content.
pub(super) enum Failure {
    /// Another try may help.
    Temporary(String),
    /// No further try will help.
    Permanent(String),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Temporary(error.to_string())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Temporary(error.code.to_string())
    }
}

/// Deals with up to [`BATCH`] due records at once and returns how many there were.
pub(super) async fn deliver_due(cx: &Context, owner: Uuid, mailer: &dyn Mailer) -> Result<usize, StoreError> {
    let now = cx.now();
    let claimed = cx.store.claim_notices(owner, now, later(now, LEASE), BATCH).await?;
    let count = claimed.len();
    let work = claimed.into_iter().map(|record| -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            let (id, kind) = (record.id, record.kind.clone());
            match settle(cx, owner, mailer, record).await {
                Ok(()) => {}
                // The lease ran out and the record is another worker's: it delivers again, with the same Message-ID.
                Err(error) if error.conflict().is_some() => tracing::warn!(%id, kind, "the lease of a notice ran out"),
                Err(error) => tracing::warn!(%id, kind, %error, "the outcome of a notice could not be recorded"),
            }
        })
    });
    all(work.collect()).await;
    Ok(count)
}

/// Tries one record and records the outcome.
async fn settle(cx: &Context, owner: Uuid, mailer: &dyn Mailer, record: OutboxNotice) -> Result<(), StoreError> {
    let (id, kind) = (record.id, record.kind.as_str());
    let outcome = if record.expires_at <= cx.now() {
        tracing::warn!(%id, kind, "a notice expired before it could be delivered");
        Ok(Vec::new())
    } else if record.attempts > TRIES {
        Err(Failure::Permanent("every try was broken off".into()))
    } else {
        attempt(cx, mailer, &record).await
    };
    let changes = match outcome {
        Ok(changes) => {
            let mut unit = changes;
            unit.push(NoticeChange::Delivered { id, owner }.into());
            unit
        }
        Err(Failure::Temporary(reason)) if record.attempts < TRIES => {
            tracing::warn!(%id, kind, attempt = record.attempts, reason, "a notice will be tried again");
            let available_at = cx.after(wait(cx, record.attempts));
            vec![NoticeChange::Retry { id, owner, available_at }.into()]
        }
        Err(Failure::Temporary(reason) | Failure::Permanent(reason)) => {
            tracing::error!(%id, kind, attempt = record.attempts, reason, "a notice was given up");
            vec![NoticeChange::Bury { id, owner }.into()]
        }
    };
    cx.commit(Scope::Tenant(record.tenant), Unit { changes }).await.map(|_| ())
}

/// Delivers, and returns what is to be written with the delivery.
async fn attempt(cx: &Context, mailer: &dyn Mailer, record: &OutboxNotice) -> Result<Vec<Change>, Failure> {
    let notice = open(cx, record)?;
    match decide::decide(cx, record, &notice).await? {
        Delivery::Nothing(changes) => Ok(changes),
        Delivery::Hook(operation) => cx.hooks.after(&operation).await.map(|()| Vec::new()).map_err(Failure::Temporary),
        Delivery::Mail(mail, changes) => match mailer.send(&mail).await {
            Ok(()) => Ok(changes.into_iter().chain(kept(cx, *mail)).collect()),
            Err(error @ MailError::Temporary(_)) => Err(Failure::Temporary(error.to_string())),
            Err(error @ MailError::Permanent(_)) => Err(Failure::Permanent(error.to_string())),
        },
    }
}

/// In development a delivered mail stays readable: the installation's outbox is where it goes.
fn kept(cx: &Context, mail: Mail) -> Option<Change> {
    cx.settings.development_outbox.then(|| {
        let Mail { id, kind, to, subject, text, html, links, .. } = mail;
        let view = OutboxMailView { kind, to, subject, text, html, links, code: None, created_at: cx.now() };
        NoticeChange::KeepForDevelopment { id, mail: view }.into()
    })
}

fn open(cx: &Context, record: &OutboxNotice) -> Result<Notice, Failure> {
    let plain =
        cx.keyring.open(PURPOSE, record.id.uuid().as_bytes(), &record.payload).map_err(|error| match error {
            // The operator forgot a key version: nothing is lost when it comes back in time.
            KeyringError::UnknownVersion(_) => Failure::Temporary(error.to_string()),
            KeyringError::Forged => Failure::Permanent(error.to_string()),
        })?;
    // serde's error would quote the payload. A newer node may have written it, and may yet claim it.
    serde_json::from_slice(&plain).map_err(|_| Failure::Temporary("the payload is of an unknown form".into()))
}

/// The wait after the failed try number `attempts`: four times the one before, spread by a quarter to either side.
fn wait(cx: &Context, attempts: i64) -> SignedDuration {
    let earlier = u32::try_from(attempts.clamp(1, TRIES) - 1).unwrap_or_default();
    let base = FIRST_WAIT.saturating_mul(4_i32.saturating_pow(earlier)).min(LONGEST_WAIT);
    let mut byte = [0; 2];
    cx.random.fill(&mut byte);
    let spread = i128::from(u16::from_be_bytes(byte)) * base.as_nanos() / 2 / i128::from(u16::MAX);
    base.saturating_sub(base / 4).saturating_add(SignedDuration::from_nanos_i128(spread))
}

/// Runs all futures on this task, side by side. One that panics takes no other with it: its record stays leased, and is
/// given up once that has happened too often.
async fn all(mut work: Vec<Pin<Box<dyn Future<Output = ()> + Send + '_>>>) {
    std::future::poll_fn(|task| {
        work.retain_mut(|future| {
            catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(task).is_pending())).unwrap_or_else(|_| {
                tracing::error!("the delivery of a notice panicked");
                false
            })
        });
        if work.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

#[cfg(test)]
mod tests;
