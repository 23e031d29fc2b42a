use crate::{Error, Sendable};

/// What happened to the tokens of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Somebody signed in, here or through another client of the same storage in place of whoever was signed in here.
    SignedIn,
    /// The tokens were renewed, here or by another client of the same storage.
    Refreshed,
    /// Nobody is signed in any more. Raised once for each end of a session.
    SignedOut {
        /// The refusal that ended it; `None` after a sign-out, here or by another client of the same storage.
        reason: Option<Error>,
    },
}

impl Event {
    /// Its name, for bindings: `signed_in`, `refreshed` or `signed_out`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::Refreshed => "refreshed",
            Self::SignedOut { .. } => "signed_out",
        }
    }
}

/// Hears of events: any function or closure of `&Event`. It is called between other work and must not block.
pub trait EventHandler: Sendable {
    /// Takes notice.
    fn on_event(&self, event: &Event);
}

impl<F: Fn(&Event) + Sendable> EventHandler for F {
    fn on_event(&self, event: &Event) {
        self(event);
    }
}
