use crate::ErrorCode;
use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

/// What was wrong with one field of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// The field's path, for example `permissions[0]`.
    pub field: String,
    /// A stable code.
    pub code: String,
    /// What would be right.
    pub detail: String,
}

impl FieldError {
    /// A refusal of `field` for the reason of `code`.
    pub fn new(field: impl Into<String>, code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { field: field.into(), code: code.into(), detail: detail.into() }
    }
}

/// A problem document (RFC 9457), the body of every HTTP error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// A URI reference that identifies the kind of problem.
    pub r#type: String,
    /// The same text for every occurrence of the code.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time, and what to do next.
    pub detail: String,
    /// The stable code.
    pub code: String,
    /// Finds the request in the server's logs.
    pub trace_id: String,
    /// The refused fields, when there are any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

impl Problem {
    /// The document for `code`.
    pub fn new(
        code: ErrorCode,
        detail: impl Into<String>,
        trace_id: impl Into<String>,
        errors: Vec<FieldError>,
    ) -> Self {
        Self {
            r#type: alloc::format!("urn:authkit:problem:{}", code.as_str()),
            title: code.title().into(),
            status: code.status(),
            detail: detail.into(),
            code: code.as_str().into(),
            trace_id: trace_id.into(),
            errors,
        }
    }
}
