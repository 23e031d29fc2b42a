//! How calls reach AuthKit.

#[cfg(all(feature = "http", target_arch = "wasm32"))]
mod fetch;
#[cfg(all(feature = "http", not(target_arch = "wasm32")))]
mod native;

#[cfg(all(feature = "http", target_arch = "wasm32"))]
pub use fetch::HttpTransport;
#[cfg(all(feature = "http", not(target_arch = "wasm32")))]
pub use native::HttpTransport;

use crate::{Answer, Call, Sendable};
use std::sync::Arc;

/// Brings a call to AuthKit and its answer back.
///
/// # Behavior
/// - One call is sent once: repeats, deadlines and tokens are the client's work.
/// - Every answer is returned as it is, whatever its status. A redirect is an answer too and is never followed.
/// - Dropping the future gives the call up.
/// - No message of an error holds an argument, a token or a key.
#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
pub trait Transport: Sendable {
    /// Sends the call.
    async fn send(&self, call: Call<'_>) -> Result<Answer, TransportError>;
}

#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
impl<T: Transport + ?Sized> Transport for Arc<T> {
    async fn send(&self, call: Call<'_>) -> Result<Answer, TransportError> {
        (**self).send(call).await
    }
}

/// Why a call brought no answer.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct TransportError {
    /// What is known of the call.
    pub kind: TransportErrorKind,
    /// What happened, without secrets.
    pub message: String,
}

/// What is known of a call that brought no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// It never left: a repeat is always safe.
    NotSent,
    /// It may have been done: a repeat is safe only for what may be done twice.
    Lost,
    /// It cannot be written as a request.
    InvalidRequest,
    /// An answer came that cannot be read.
    Unreadable {
        /// Its HTTP status.
        status: u16,
    },
}

impl TransportError {
    /// An error with a message that holds no secret.
    pub fn new(kind: TransportErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}
