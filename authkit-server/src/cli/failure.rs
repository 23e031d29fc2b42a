use authkit_engine::{EngineError, config::ConfigError};
use std::{error::Error as _, process::ExitCode};

/// What a command ends with.
pub(crate) type Outcome = Result<ExitCode, Failure>;

/// Why a command failed: what happened, the details, and what to do next.
#[derive(Debug)]
pub(crate) struct Failure {
    /// A stable code, when there is one.
    pub(crate) code: Option<&'static str>,
    /// What happened and why, in one line.
    pub(crate) what: String,
    /// One line each.
    pub(crate) details: Vec<String>,
    /// What to do.
    pub(crate) next: Option<String>,
}

impl Failure {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { code: None, what: what.into(), details: Vec::new(), next: None }
    }

    pub(crate) fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self {
            code: Some("config.refused"),
            details: error
                .problems
                .iter()
                .map(|problem| {
                    let variable = problem.variable().filter(|variable| *variable != problem.name);
                    variable.map_or_else(|| problem.to_string(), |variable| format!("{problem} [{variable}]"))
                })
                .collect(),
            ..Self::new("the configuration is refused")
        }
        .next("every setting is described in docs/configuration.md; `authkit config show` prints those in force")
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Config(error) => error.into(),
            EngineError::Start(error) => error.into(),
            other => Self::new(other.to_string()),
        }
    }
}

impl From<authkit_core::Error> for Failure {
    fn from(error: authkit_core::Error) -> Self {
        let fields = error.fields.iter().map(|field| format!("{}: {}", field.field, field.detail));
        // An operator is no client: the cause may be shown.
        let causes =
            std::iter::successors(error.source(), |cause| (*cause).source()).map(|cause| format!("cause: {cause}"));
        Self { code: Some(error.code.as_str()), details: fields.chain(causes).collect(), ..Self::new(told(&error)) }
    }
}

/// What happened, and what is to be said of this time: a detail alone may only say what to do.
fn told(error: &authkit_core::Error) -> String {
    let (title, detail) = (error.code.title(), error.detail.trim_end_matches('.').replace("; see `errors`", ""));
    if detail.starts_with(title) || !error.fields.is_empty() { detail } else { format!("{title}. {detail}") }
}

impl From<authkit_core::ports::StoreError> for Failure {
    fn from(error: authkit_core::ports::StoreError) -> Self {
        authkit_core::Error::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::Failure;
    use authkit_core::{Error, wire::ErrorCode};

    #[test]
    fn a_failure_says_what_happened_and_what_to_do() {
        let what = |error: Error| Failure::from(error).what;
        let taken = Error::new(ErrorCode::EmailTaken, "Sign in with it, or use another address.");
        assert_eq!(what(taken), "The address belongs to another account. Sign in with it, or use another address");
        assert_eq!(what(ErrorCode::EmailTaken.into()), "The address belongs to another account");
        assert_eq!(what(Error::field("email", "email.invalid", "No.")), "One or more fields were refused");
    }
}
