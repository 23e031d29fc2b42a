//! Notices: what people are told, from the outbox to the mailer.

mod enqueue;
mod model;
mod store;
mod templates;

pub use enqueue::{after_hook, enqueue, tell};
pub use model::{AccountEvent, Notice, OutboxNotice};
pub use store::{NoticeChange, NoticeStore};
pub use templates::{TemplateError, TemplateSource, Templates};

use crate::{Context, Result, ports::Mailer};
use authkit_wire::*;
use std::sync::Arc;

/// Operations on the outbox.
#[derive(Clone, Debug)]
pub struct Notices {
    cx: Arc<Context>,
}

impl Notices {
    /// The service over `cx`.
    #[must_use]
    pub const fn new(cx: Arc<Context>) -> Self {
        Self { cx }
    }

    /// Delivers what is due through `mailer`; returns how many records it dealt with.
    pub async fn deliver_due(&self, owner: uuid::Uuid, mailer: &dyn Mailer) -> Result<usize> {
        todo!()
    }

    /// Mails kept for development.
    pub async fn development_outbox(&self, tenant: TenantId, to: Option<&str>) -> Result<Vec<OutboxMailView>> {
        todo!()
    }
}
