use crate::{TransportError, TransportErrorKind};
use jiff::fmt::rfc2822;
use serde_json::Value;
use std::{fmt, time::Duration};

/// What came back for a [`Call`](crate::Call).
#[non_exhaustive]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body; `Null` where there is none.
    pub body: Value,
    /// How long the server asks to wait before the next try.
    pub retry_after: Option<Duration>,
    /// Finds the request in the server's logs.
    pub trace_id: Option<String>,
}

impl Answer {
    /// The longest body that is read, in bytes.
    pub const BODY_LIMIT: usize = 8 * 1024 * 1024;

    /// An answer with neither wait nor trace.
    #[must_use]
    pub const fn new(status: u16, body: Value) -> Self {
        Self { status, body, retry_after: None, trace_id: None }
    }

    /// Reads an HTTP answer, for transports that speak HTTP. `header` finds a header by its name in lower case.
    ///
    /// # Errors
    /// [`TransportErrorKind::Unreadable`] when it is a success but not JSON.
    pub fn from_http(
        status: u16,
        header: impl Fn(&str) -> Option<String>,
        body: &[u8],
    ) -> Result<Self, TransportError> {
        let read = if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(body) };
        let body = match read {
            Ok(body) => body,
            // What refuses without JSON is no AuthKit, but its status still says something.
            Err(_) if !(200..300).contains(&status) => Value::Null,
            Err(_) => {
                let message = format!(
                    "Something answered with status {status} and a body that is no JSON. Look at the base URL, and at what is between here and the server."
                );
                return Err(TransportError::new(TransportErrorKind::Unreadable { status }, message));
            }
        };
        let retry_after = header("retry-after").and_then(|wait| retry_after(&wait, header("date").as_deref()));
        Ok(Self { status, body, retry_after, trace_id: header("x-trace-id") })
    }

    /// The refusal to read on, for transports whose answer grows beyond [`BODY_LIMIT`](Self::BODY_LIMIT).
    #[must_use]
    pub fn too_large(status: u16) -> TransportError {
        let message = format!("The answer is larger than {} MiB. Ask for shorter pages.", Self::BODY_LIMIT >> 20);
        TransportError::new(TransportErrorKind::Unreadable { status }, message)
    }
}

/// Seconds, or a date (RFC 9110, section 10.2.3), which is compared with the sender's own clock.
fn retry_after(wait: &str, date: Option<&str>) -> Option<Duration> {
    if let Ok(seconds) = wait.trim().parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let until = rfc2822::parse(wait).ok()?.timestamp();
    let now = rfc2822::parse(date?).ok()?.timestamp();
    Some(Duration::try_from(until.duration_since(now)).unwrap_or_default())
}

impl fmt::Debug for Answer {
    /// Without the body, which may hold tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("retry_after", &self.retry_after)
            .field("trace_id", &self.trace_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(retry: &'static str, date: Option<&'static str>) -> Option<Duration> {
        let header = |name: &str| match name {
            "retry-after" => Some(retry.to_owned()),
            "date" => date.map(str::to_owned),
            _ => None,
        };
        Answer::from_http(503, header, b"").unwrap().retry_after
    }

    #[test]
    fn a_wait_is_seconds_or_a_date_by_the_servers_clock() {
        assert_eq!(wait("7", None), Some(Duration::from_secs(7)));
        let (later, now) = ("Sun, 06 Nov 1994 08:49:47 GMT", "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(wait(later, Some(now)), Some(Duration::from_secs(10)));
        assert_eq!(wait(now, Some(later)), Some(Duration::ZERO), "what has passed is no wait");
        for unknown in ["soon", "-1", "1.5", "99999999999", ""] {
            assert_eq!(wait(unknown, Some(now)), None, "{unknown}");
        }
        assert_eq!(wait(later, None), None);
    }

    #[test]
    fn a_success_must_be_json_and_a_refusal_need_not() {
        let none = |_: &str| None;
        let error = Answer::from_http(200, none, b"<html>").unwrap_err();
        assert_eq!(error.kind, TransportErrorKind::Unreadable { status: 200 });
        assert!(!error.message.contains("html"));
        assert_eq!(Answer::from_http(502, none, b"<html>").unwrap().body, Value::Null);
        assert_eq!(Answer::from_http(204, none, b"").unwrap().body, Value::Null);
    }
}
