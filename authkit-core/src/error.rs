use crate::ports::StoreError;
use authkit_wire::{ErrorCode, FieldError};
use std::{error::Error as StdError, fmt, time::Duration};

/// The outcome of an operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation was refused or failed.
///
/// What a client may know (`code`, `detail`, `fields`, `retry_after`) is apart from what only the log may know
/// (`source`).
#[derive(Debug)]
pub struct Error {
    /// The stable code.
    pub code: ErrorCode,
    /// What happened this time and what to do next. Shown to the client.
    pub detail: String,
    /// The refused fields.
    pub fields: Vec<FieldError>,
    /// When it is worth to try again.
    pub retry_after: Option<Duration>,
    /// The cause, for the log only.
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error with `detail` for the client.
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), fields: Vec::new(), retry_after: None, source: None }
    }

    /// One refused field; the problem's code is `request.validation_failed`.
    pub fn field(field: impl Into<String>, code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::fields(vec![FieldError::new(field, code, detail)])
    }

    /// Several refused fields.
    #[must_use]
    pub fn fields(fields: Vec<FieldError>) -> Self {
        Self { fields, ..Self::new(ErrorCode::ValidationFailed, "One or more fields were refused; see `errors`.") }
    }

    /// A failure of this installation; the client learns nothing of `source`.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            source: Some(source.into()),
            ..Self::new(ErrorCode::Internal, "The failure was recorded under the trace id.")
        }
    }

    /// The same error, worth another try after `wait`.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }
}

impl From<ErrorCode> for Error {
    fn from(code: ErrorCode) -> Self {
        Self::new(code, format!("{}.", code.title()))
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { .. } => Self { source: Some(error.into()), ..Self::from(ErrorCode::Conflict) },
            StoreError::Unsupported => ErrorCode::Unsupported.into(),
            StoreError::Unavailable(_) => Self {
                source: Some(error.into()),
                ..Self::new(ErrorCode::Unavailable, "The database does not answer; try again shortly.")
            }
            .retry_after(Duration::from_secs(1)),
            StoreError::CrossTenant | StoreError::Corrupt(_) => Self::internal(error),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
