use crate::{Embedded, failure, process};
use async_trait::async_trait;
use authkit_client::{Answer, Call, Error, Result, Transport, TransportError, TransportErrorKind};
use authkit_engine::core::wire::Secret;

/// The operation whose repeats are answered alike under a key, also within a process.
const KEYED: &str = "refresh";

/// Brings a client's calls to an engine in the same process.
#[derive(Clone, Debug)]
pub struct EmbeddedTransport(Embedded);

impl EmbeddedTransport {
    /// To that engine.
    #[must_use]
    pub fn new(engine: &Embedded) -> Self {
        Self(engine.clone())
    }
}

#[async_trait]
impl Transport for EmbeddedTransport {
    async fn send(&self, call: Call<'_>) -> Result<Answer, TransportError> {
        let engine = self.0.clone();
        let name = call.operation.name;
        let (arguments, tenant) = (call.arguments.clone(), call.tenant.map(str::to_owned));
        let bearer: Option<Secret> = call.bearer.cloned();
        // Of its own accord the client gives every write a key.
        let key = call.idempotency_key.filter(|_| name == KEYED).map(str::to_owned);
        let asked = process::on_runtime(async move {
            let opened = engine.opened().await.map_err(unopened)?;
            let trace = opened.engine.context().uuid().to_string();
            let asked = async {
                let mut origin = opened.operations.origin(tenant.as_deref())?;
                origin.trace_id = Some(trace.clone());
                let bearer = bearer.as_ref().map(Secret::expose);
                opened.operations.call_with_key(&origin, bearer, key.as_deref(), name, arguments).await
            };
            Ok(match asked.await {
                Ok(body) => Answer::new(200, body),
                Err(error) => {
                    let mut answer = Answer::new(error.code.status(), failure::problem(&error, &trace));
                    answer.retry_after = error.retry_after;
                    answer
                }
            })
        });
        // Boxed: the operations' futures are large.
        Box::pin(asked).await.map_err(unopened)?
    }
}

/// The engine is not there: nothing was done.
fn unopened(error: Error) -> TransportError {
    let kind = if error.retryable { TransportErrorKind::NotSent } else { TransportErrorKind::InvalidRequest };
    TransportError::new(kind, error.message)
}

/// Refuses an idempotency key that a caller gives to an embedded client: it would promise what is not kept.
///
/// # Errors
/// `client.invalid_argument`, unless the operation takes one within a process.
pub fn refuse_key(operation: &str) -> Result<()> {
    if operation == KEYED {
        return Ok(());
    }
    Err(Error::invalid_argument(format!(
        "`{}` takes no idempotency key within a process, where no answer is lost on the way.",
        operation.escape_debug()
    )))
}
