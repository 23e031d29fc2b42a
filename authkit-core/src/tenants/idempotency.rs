//! Requests that may be repeated: the first answer is given again for a day.

use super::{IdempotencyChange, IdempotencyRecord};
use crate::{
    Context, Error, Result, later,
    ports::{Conflict, Scope, Unit},
};
use authkit_wire::{ErrorCode, TenantId};
use jiff::SignedDuration;
use std::{sync::Arc, time::Duration};
use subtle::ConstantTimeEq;

/// Longest `Idempotency-Key`.
const MAX_KEY: usize = 255;

/// How long an answer is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// What seals answers, bound to the record's key.
const PURPOSE: &str = "idempotency";

/// Requests that may be repeated under an `Idempotency-Key`.
#[derive(Clone, Copy, Debug)]
pub struct Idempotency;

/// How a request with an `Idempotency-Key` goes on.
#[derive(Debug)]
pub enum Begin {
    /// It is the first: run it, then [`complete`](Idempotency::complete) or [`release`](Idempotency::release).
    Run(Guard),
    /// It was answered before: answer the same.
    Replay(Vec<u8>),
}

/// The reservation of a running request. When it is dropped without a word, the key is free again two minutes later.
#[derive(Debug)]
pub struct Guard {
    cx: Arc<Context>,
    tenant: TenantId,
    pub(super) key: [u8; 32],
}

impl Idempotency {
    /// How long a request may run: after that it is taken for one whose node died.
    pub const RUNNING: SignedDuration = SignedDuration::from_mins(2);

    /// Whether it is a key at all.
    ///
    /// # Errors
    /// `request.malformed` when it is not.
    pub fn check_key(key: &str) -> Result<()> {
        if (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()) {
            return Ok(());
        }
        let detail = "`Idempotency-Key` takes 1 to 255 visible ASCII characters.";
        Err(Error::new(ErrorCode::MalformedRequest, detail))
    }

    /// Reserves the key of `principal` on `route`, or finds the answer to the same request.
    ///
    /// # Errors
    /// `request.idempotency_mismatch` when the key came with another body, `request.idempotency_in_progress` while the
    /// first request runs, `request.malformed` for a key that is none.
    pub async fn begin(
        cx: &Arc<Context>,
        tenant: TenantId,
        principal: &str,
        route: &str,
        key: &str,
        body: &[u8],
    ) -> Result<Begin> {
        Self::check_key(key)?;
        let (key, body) = identity(cx, tenant, principal, route, key, body);
        // Twice: what holds the key may expire, or come, between the read and the write.
        for _ in 0..2 {
            let now = cx.now();
            let found = cx.store.find_idempotency(tenant, &key).await?.filter(|record| now <= record.expires_at);
            if let Some(record) = found {
                return replay(cx, &record, &body);
            }
            let record = IdempotencyRecord {
                tenant,
                key,
                body,
                answer: None,
                created_at: now,
                expires_at: later(now, Self::RUNNING),
            };
            let unit = Unit::new().with(IdempotencyChange::Reserve(record));
            match cx.commit(Scope::Tenant(tenant), unit).await {
                Ok(_) => return Ok(Begin::Run(Guard { cx: cx.clone(), tenant, key })),
                Err(error) if error.conflict().is_some_and(|(_, reason)| reason == Conflict::Taken) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(in_progress())
    }

    /// The answer to the same request of before, if there is one; it reserves nothing.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn find(
        cx: &Context,
        tenant: TenantId,
        principal: &str,
        route: &str,
        key: &str,
        body: &[u8],
    ) -> Result<Option<Vec<u8>>> {
        let (key, body) = identity(cx, tenant, principal, route, key, body);
        let found = cx.store.find_idempotency(tenant, &key).await?;
        let found = found.filter(|record| record.answer.is_some() && cx.now() <= record.expires_at);
        match found.map(|record| replay(cx, &record, &body)) {
            Some(Ok(Begin::Replay(answer))) => Ok(Some(answer)),
            _ => Ok(None),
        }
    }

    /// Keeps the answer for a day. It is sealed; an answer with tokens in it does not belong here all the same.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn complete(guard: Guard, answer: &[u8]) -> Result<()> {
        let cx = &guard.cx;
        let sealed = cx.keyring.seal(&*cx.random, PURPOSE, &guard.key, answer);
        let expires_at = cx.after(KEPT);
        let complete = IdempotencyChange::Complete { key: guard.key, answer: sealed, expires_at };
        cx.commit(Scope::Tenant(guard.tenant), Unit::new().with(complete)).await?;
        Ok(())
    }

    /// Forgets the request, which failed and may be tried again.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn release(guard: Guard) -> Result<()> {
        let release = IdempotencyChange::Release { key: guard.key };
        guard.cx.commit(Scope::Tenant(guard.tenant), Unit::new().with(release)).await?;
        Ok(())
    }
}

/// The record's key, and what its body must match.
fn identity(
    cx: &Context,
    tenant: TenantId,
    principal: &str,
    route: &str,
    key: &str,
    body: &[u8],
) -> ([u8; 32], [u8; 32]) {
    // The index key does not rotate, so that a repeat finds the first request across a rotation.
    let tenant_id = tenant.uuid();
    let parts: [&[u8]; 4] = [tenant_id.as_bytes(), principal.as_bytes(), route.as_bytes(), key.as_bytes()];
    let key = tail(cx.keyring.index("idempotency-key", &parts));
    let body = tail(cx.keyring.index("idempotency-body", &[&key, body]));
    (key, body)
}

fn replay(cx: &Context, record: &IdempotencyRecord, body: &[u8; 32]) -> Result<Begin> {
    if !bool::from(record.body.ct_eq(body)) {
        return Err(ErrorCode::IdempotencyMismatch.into());
    }
    let Some(answer) = &record.answer else { return Err(in_progress()) };
    let plain = cx.keyring.open(PURPOSE, &record.key, answer).map_err(Error::internal)?;
    Ok(Begin::Replay(plain.to_vec()))
}

fn in_progress() -> Error {
    Error::from(ErrorCode::IdempotencyInProgress).retry_after(Duration::from_secs(1))
}

fn tail(index: [u8; 33]) -> [u8; 32] {
    let mut tail = [0; 32];
    tail.copy_from_slice(&index[1..]);
    tail
}
