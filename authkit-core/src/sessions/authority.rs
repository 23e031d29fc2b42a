use super::FeedEvent;
use crate::ports::Store;
use jiff::Timestamp;

/// What this node knows without asking the store.
#[derive(Debug)]
pub struct Authority {}

impl Authority {
    /// Takes events in: reads again what they name. When a read fails, this node counts as stale until the feed
    /// brings the event again.
    pub async fn apply(&self, store: &dyn Store, events: &[FeedEvent], now: Timestamp) {
        todo!()
    }
}
