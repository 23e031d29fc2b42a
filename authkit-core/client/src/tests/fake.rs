//! A server that rotates refresh tokens as strictly as it may: an old one counts only with the key that consumed it.

use crate::{Answer, Call, Transport, TransportError, TransportErrorKind};
use authkit_wire::{ErrorCode, Secret};
use serde_json::{Map, Value, json};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

/// Seconds that its access tokens live.
pub(super) const LIFE: i64 = 900;

#[derive(Clone, Default)]
pub(super) struct Server(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// The pair that counts; 0 when none does.
    current: u32,
    /// How many there were.
    issued: u32,
    /// How often somebody signed in.
    sessions: u32,
    /// The pair before, and the key that consumed it.
    consumed: Option<(u32, Option<String>)>,
    /// Whether the current access token has run out.
    expired: bool,
    /// Whether hours have passed since the last pair was made.
    aged: bool,
    seen: Vec<Seen>,
    script: VecDeque<(&'static str, Reply)>,
}

/// What came in.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) operation: &'static str,
    pub(super) arguments: Map<String, Value>,
    pub(super) bearer: Option<String>,
    pub(super) key: Option<String>,
    pub(super) tenant: Option<String>,
}

/// What becomes of a call, when it is not simply answered.
pub(super) enum Reply {
    /// It does not leave.
    Unsent,
    /// It is done, and the answer does not arrive.
    Lost,
    /// It is done at once, and the answer takes that long.
    Slow(Duration),
    /// It is done, and no answer ever comes.
    Hang,
    /// This is answered, and nothing is done.
    Status(u16, Value, Option<u64>),
}

impl Reply {
    /// A refusal with that code.
    pub(super) fn refusal(code: ErrorCode) -> Self {
        Self::Status(code.status(), problem(code), None)
    }
}

pub(super) fn problem(code: ErrorCode) -> Value {
    json!({"type": "about:blank", "title": code.title(), "status": code.status(), "code": code.as_str(), "detail": "So it is."})
}

/// The answer with the pair of that number, of the session of that number.
pub(super) fn tokens(number: u32, session: u32) -> Value {
    json!({
        "access_token": format!("access-{number}"),
        "refresh_token": format!("refresh-{number}"),
        "token_type": "Bearer",
        "expires_in": LIFE,
        "session_id": format!("ses_000000000000700080000000{session:08}"),
        "user": user(),
    })
}

pub(super) fn user() -> Value {
    json!({
        "id": "usr_00000000000070008000000000000001",
        "tenant_id": "ten_00000000000070008000000000000001",
        "email": "ada@example.com",
        "email_verified": true,
        "name": "Ada",
        "locale": null,
        "profile": {},
        "preferences": {},
        "status": "active",
        "mfa_enabled": false,
        "version": 1,
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
    })
}

impl Server {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// The next call of the operation comes out so; several are taken one after the other.
    pub(super) fn next(&self, operation: &'static str, reply: Reply) {
        self.state().script.push_back((operation, reply));
    }

    /// The access token does not count any more.
    pub(super) fn expire(&self) {
        self.state().expired = true;
    }

    /// Hours pass: whoever repeats the last refresh gets its pair, with an access token that has run out.
    pub(super) fn age(&self) {
        let mut state = self.state();
        (state.aged, state.expired) = (true, true);
    }

    /// The session ends.
    pub(super) fn revoke(&self) {
        self.state().current = 0;
    }

    /// The number of the pair that counts.
    pub(super) fn current(&self) -> u32 {
        self.state().current
    }

    /// The calls of the operation until now.
    pub(super) fn seen(&self, operation: &str) -> Vec<Seen> {
        self.state().seen.iter().filter(|seen| seen.operation == operation).cloned().collect()
    }

    pub(super) fn count(&self, operation: &str) -> usize {
        self.seen(operation).len()
    }

    /// The keys that calls of the operation came with.
    pub(super) fn keys(&self, operation: &str) -> Vec<String> {
        self.seen(operation).into_iter().map(|seen| seen.key.unwrap_or_default()).collect()
    }
}

impl State {
    fn issue(&mut self) -> Answer {
        self.issued += 1;
        self.current = self.issued;
        (self.expired, self.aged) = (false, false);
        Answer::new(200, tokens(self.current, self.sessions))
    }

    fn refresh(&mut self, presented: &str, key: Option<String>) -> Answer {
        let number: u32 = presented.trim_start_matches("refresh-").parse().unwrap_or_default();
        if number > 0 && number == self.current {
            self.consumed = Some((number, key));
            return self.issue();
        }
        if self.current > 0 && key.is_some() && self.consumed == Some((number, key)) {
            let mut pair = tokens(self.current, self.sessions);
            if self.aged {
                pair["expires_in"] = 0.into();
            }
            return Answer::new(200, pair);
        }
        self.current = 0;
        refuse(ErrorCode::InvalidRefreshToken)
    }

    fn answer(&mut self, seen: &Seen) -> Answer {
        match seen.operation {
            "login" if seen.arguments["email"] == "mfa@example.com" => {
                Answer::new(200, json!({"mfa_required": true, "mfa_token": "attempt", "methods": ["totp"]}))
            }
            "login" | "verifyMfa" => {
                self.sessions += 1;
                self.issue()
            }
            "refresh" => {
                let presented = seen.arguments["refresh_token"].as_str().unwrap_or_default();
                self.refresh(presented, seen.key.clone())
            }
            "logout" => {
                self.current = 0;
                Answer::new(204, Value::Null)
            }
            "getDiscovery" => Answer::new(200, json!({"issuer": "https://id.example.com"})),
            "getOwnDevice" => Answer::new(200, json!({"bearer": seen.bearer})),
            _ if self.current == 0 || self.expired => refuse(ErrorCode::InvalidToken),
            _ if seen.bearer.as_deref() != Some(&format!("access-{}", self.current)) => refuse(ErrorCode::InvalidToken),
            _ => Answer::new(200, user()),
        }
    }
}

fn refuse(code: ErrorCode) -> Answer {
    Answer::new(code.status(), problem(code))
}

#[async_trait::async_trait]
impl Transport for Server {
    async fn send(&self, call: Call<'_>) -> Result<Answer, TransportError> {
        // What cannot be written as HTTP does not arrive here either.
        call.http()?;
        let (reply, answer) = {
            let mut state = self.state();
            let seen = Seen {
                operation: call.operation.name,
                arguments: call.arguments.clone(),
                bearer: call.bearer.map(|token| token.expose().to_owned()),
                key: call.idempotency_key.map(str::to_owned),
                tenant: call.tenant.map(str::to_owned),
            };
            state.seen.push(seen.clone());
            let place = state.script.iter().position(|(operation, _)| *operation == seen.operation);
            let reply = place.and_then(|place| state.script.remove(place)).map(|(_, reply)| reply);
            match reply {
                Some(Reply::Unsent | Reply::Status(..)) => (reply, None),
                reply => (reply, Some(state.answer(&seen))),
            }
        };
        match (reply, answer) {
            (Some(Reply::Slow(time)), Some(answer)) => {
                tokio::time::sleep(time).await;
                Ok(answer)
            }
            (Some(Reply::Hang), _) => std::future::pending().await,
            (Some(Reply::Lost), _) => Err(TransportError::new(TransportErrorKind::Lost, "The connection was lost.")),
            (Some(Reply::Status(status, body, wait)), _) => {
                let mut answer = Answer::new(status, body);
                answer.retry_after = wait.map(Duration::from_secs);
                Ok(answer)
            }
            (None, Some(answer)) => Ok(answer),
            _ => Err(TransportError::new(TransportErrorKind::NotSent, "The server could not be reached.")),
        }
    }
}

/// The token of that number.
pub(super) fn access(number: u32) -> Secret {
    Secret::new(format!("access-{number}"))
}
