//! Notices: what people are told, from the outbox to the mailer.
//!
//! An operation writes a sealed [`Notice`] in its own unit ([`enqueue`], [`tell`], [`after_hook`]). A worker claims what is
//! due ([`Notices::deliver_due`]), decides what it means by then, renders it with [`Templates`] and hands it to the
//! [`Mailer`]. Delivery is at least once, under a `Message-ID` that stays the same, and in order for each recipient.

mod decide;
mod deliver;
mod enqueue;
mod limit;
mod model;
mod store;
mod templates;

pub(crate) use decide::public_url;
pub use enqueue::{after_hook, enqueue, tell, tell_of_device};
pub(crate) use enqueue::{tell_with_way_back, to_nobody};
pub use model::{AccountEvent, Notice, OutboxNotice};
pub use store::{KEPT_MAIL, NoticeChange, NoticeStore};
pub use templates::{TemplateError, TemplateSource, Templates, duration};

use crate::{Context, Error, Result, accounts::Email, ports::Mailer};
use authkit_wire::*;
use std::sync::Arc;
use uuid::Uuid;

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

    /// Delivers what is due through `mailer`; returns how many records it dealt with, so that a full batch can be followed
    /// by the next at once. `owner` names this worker.
    ///
    /// Dropping the future is safe: what it has not recorded is delivered again when its lease of a minute is over, or given
    /// back ([`NoticeChange::ReleaseLeases`]).
    ///
    /// # Errors
    /// When the store cannot be read. Failures of single records are logged and tried again later.
    pub async fn deliver_due(&self, owner: Uuid, mailer: &dyn Mailer) -> Result<usize> {
        Ok(deliver::deliver_due(&self.cx, owner, mailer).await?)
    }

    /// Mails kept for development, newest first. `to` is an address in any spelling.
    ///
    /// # Errors
    /// `request.route_not_found` where mail is not kept, also of what an earlier configuration kept: its links are live.
    pub async fn development_outbox(&self, tenant: TenantId, to: Option<&str>) -> Result<Vec<OutboxMailView>> {
        if !self.cx.settings.development_outbox {
            return Err(Error::new(ErrorCode::RouteNotFound, "Only development keeps an outbox that can be read."));
        }
        let to = to.map(|text| {
            let normal = Email::parse(text, true).map(|email| email.as_str().to_lowercase());
            normal.unwrap_or_else(|_| text.trim().to_lowercase())
        });
        Ok(self.cx.store.list_development_mail(tenant, to.as_deref()).await?)
    }
}
