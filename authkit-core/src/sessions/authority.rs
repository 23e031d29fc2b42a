use super::{FeedEvent, Principal};
use crate::{Context, Result, Settings};
use authkit_wire::{SessionId, TenantId};
use jiff::Timestamp;

/// What this node knows without asking the store.
#[derive(Debug)]
pub struct Authority {}

impl Authority {
    /// An authority that knows nothing yet: [`load`](Self::load) it before use.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let _ = settings;
        todo!()
    }

    /// Reads keys, tenants, roles and the recent feed.
    pub async fn load(&self, cx: &Context) -> Result<()> {
        let _ = cx;
        todo!()
    }

    /// Takes events in: reads again what they name. When a read fails, this node counts as stale until a
    /// [`poll`](Self::poll) has made up for it.
    pub async fn apply(&self, cx: &Context, events: &[FeedEvent]) {
        let _ = (cx, events);
        todo!()
    }

    /// Reads the feed from where it was left, and takes its events in.
    pub async fn poll(&self, cx: &Context) -> Result<()> {
        let _ = cx;
        todo!()
    }

    /// Whether the last successful poll is too long ago to trust what this node knows.
    #[must_use]
    pub fn is_stale(&self, now: Timestamp) -> bool {
        let _ = now;
        todo!()
    }

    /// Verifies an access token against what this node knows. It reads nothing.
    pub fn authenticate(&self, cx: &Context, token: &str) -> Result<Principal> {
        let _ = (cx, token);
        todo!()
    }

    /// The same for a stale node: hears the feed, or reads what the token depends on.
    pub async fn authenticate_stale(&self, cx: &Context, token: &str) -> Result<Principal> {
        let _ = (cx, token);
        todo!()
    }

    /// Notes that a session is in use.
    pub fn note_activity(&self, tenant: TenantId, session: SessionId, now: Timestamp) {
        let _ = (tenant, session, now);
        todo!()
    }

    /// Takes what was noted since the last call.
    pub fn take_activity(&self) -> Vec<(TenantId, SessionId, Timestamp)> {
        todo!()
    }
}
