use crate::{Context, Result};
use authkit_wire::TenantId;
use std::sync::Arc;

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

/// The reservation of a running request.
#[derive(Debug)]
pub struct Guard {
    cx: Arc<Context>,
}

impl Idempotency {
    /// Reserves the key, or finds the answer to the same request.
    ///
    /// # Errors
    /// `request.idempotency_mismatch`, `request.idempotency_in_progress`, a field error for a malformed key.
    pub async fn begin(
        cx: &Arc<Context>,
        tenant: TenantId,
        principal: &str,
        route: &str,
        key: &str,
        body: &[u8],
    ) -> Result<Begin> {
        let _ = (cx, tenant, principal, route, key, body);
        todo!()
    }

    /// Keeps the answer for a day.
    pub async fn complete(guard: Guard, answer: &[u8]) -> Result<()> {
        let _ = (guard, answer);
        todo!()
    }

    /// Forgets the request, which failed and may be tried again.
    pub async fn release(guard: Guard) -> Result<()> {
        let _ = guard;
        todo!()
    }
}
