use crate::{
    Answer,
    transport::{TransportError, TransportErrorKind},
};
use authkit_wire::{ErrorCode, FieldError};
use serde_json::{Value, json};
use std::{borrow::Cow, fmt, time::Duration};

/// The result of a call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Codes of failures that the client finds by itself; the server's are [`ErrorCode`].
pub mod code {
    /// The server could not be reached, or the connection was lost before it answered.
    pub const NETWORK: &str = "client.network";
    /// There was no answer in time.
    pub const TIMEOUT: &str = "client.timeout";
    /// Nobody is signed in, or somebody else than when the call began.
    pub const SIGNED_OUT: &str = "client.signed_out";
    /// The tokens could not be read or kept.
    pub const STORAGE: &str = "client.storage";
    /// An argument or a setting cannot be used.
    pub const INVALID_ARGUMENT: &str = "client.invalid_argument";
    /// Something answered, but not as AuthKit does.
    pub const UNEXPECTED_ANSWER: &str = "client.unexpected_answer";
    /// The environment lacks something, such as randomness.
    pub const ENVIRONMENT: &str = "client.environment";
}

/// Why a call failed. It never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Error {
    /// A stable code: one of the server's ([`ErrorCode`]) or of the client's ([`code`]).
    pub code: Cow<'static, str>,
    /// The HTTP status; 0 when nothing answered.
    pub status: u16,
    /// What happened, and what to do next.
    pub message: String,
    /// Whether the same call may succeed later.
    pub retryable: bool,
    /// How long the server asks to wait before that.
    pub retry_after: Option<Duration>,
    /// Finds the request in the server's logs.
    pub trace_id: Option<String>,
    /// The refused arguments, when there are any.
    pub fields: Vec<FieldError>,
}

impl Error {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code: Cow::Borrowed(code),
            status: 0,
            message: message.into(),
            retryable: false,
            retry_after: None,
            trace_id: None,
            fields: Vec::new(),
        }
    }

    pub(crate) fn again(mut self) -> Self {
        self.retryable = true;
        self
    }

    /// The refusal of an argument before anything was sent.
    #[must_use]
    pub fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new(code::INVALID_ARGUMENT, message)
    }

    pub(crate) fn signed_out() -> Self {
        Self::new(code::SIGNED_OUT, "Nobody is signed in. Sign in and call again.")
    }

    /// The storage holds another session by now. What was asked of the first one is not asked of that one.
    pub(crate) fn replaced() -> Self {
        let message = "Another session has taken the place of this one, and nothing was sent in it. Look who is signed in, and call again.";
        Self::new(code::SIGNED_OUT, message)
    }

    pub(crate) fn timeout(limit: Duration) -> Self {
        let message = format!(
            "There was no answer within {} ms. What was asked for may have been done; try again later.",
            limit.as_millis()
        );
        Self::new(code::TIMEOUT, message).again()
    }

    pub(crate) fn storage(error: impl fmt::Display) -> Self {
        Self::new(code::STORAGE, format!("The tokens could not be read or kept: {error}"))
    }

    pub(crate) fn unexpected(status: u16, message: impl Into<String>) -> Self {
        Self { status, ..Self::new(code::UNEXPECTED_ANSWER, message) }
    }

    pub(crate) fn from_transport(error: TransportError) -> Self {
        let TransportError { kind, message, .. } = error;
        match kind {
            TransportErrorKind::NotSent | TransportErrorKind::Lost => Self::new(code::NETWORK, message).again(),
            TransportErrorKind::InvalidRequest => Self::invalid_argument(message),
            TransportErrorKind::Unreadable { status } => Self::unexpected(status, message),
        }
    }

    /// Reads an answer that is no success.
    pub(crate) fn from_answer(answer: Answer) -> Self {
        let Answer { status, mut body, retry_after, trace_id } = answer;
        let own = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let (Some(code), true) = (own("code"), status >= 400) else {
            let message = match status {
                300..=399 => format!(
                    "The server answered with a redirect ({status}), which is not followed, since the tokens would go with it. Give the final address as base URL."
                ),
                _ => format!(
                    "Something answered with status {status} and without a problem document of AuthKit. Look at the base URL, and at what is between here and the server."
                ),
            };
            return Self {
                retryable: matches!(status, 408 | 425 | 429 | 502 | 503 | 504),
                retry_after,
                trace_id,
                ..Self::unexpected(status, message)
            };
        };
        let known = ErrorCode::ALL.iter().find(|known| known.as_str() == code);
        let message = own("detail").or_else(|| own("title")).unwrap_or(code).to_owned();
        let trace_id = own("trace_id").map(str::to_owned).or(trace_id);
        let code = known.map_or_else(|| Cow::Owned(code.to_owned()), |known| Cow::Borrowed(known.as_str()));
        let fields = body.get_mut("errors").map(Value::take).and_then(|fields| serde_json::from_value(fields).ok());
        Self {
            code,
            status,
            message,
            retryable: known.map_or(matches!(status, 408 | 425 | 429 | 502 | 503 | 504), |known| known.retryable()),
            retry_after,
            trace_id,
            fields: fields.unwrap_or_default(),
        }
    }

    /// Whether the server refused with this code.
    #[must_use]
    pub fn is(&self, code: ErrorCode) -> bool {
        self.code == code.as_str()
    }

    /// The error as JSON, for what crosses a language's border: `{code, status, message, retryable, retry_after,
    /// trace_id, fields}`, with `retry_after` in seconds.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "code": self.code,
            "status": self.status,
            "message": self.message,
            "retryable": self.retryable,
            "retry_after": self.retry_after.map(|wait| wait.as_secs_f64()),
            "trace_id": self.trace_id,
            "fields": self.fields,
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

impl std::error::Error for Error {}
