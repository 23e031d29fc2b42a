//! Clients, as JavaScript holds them.

use crate::{
    options::{ClientSettings, call_options},
    promise::{cancellable, promise, thrown},
    storage::{JsStorage, Question},
};
use authkit_client::{Builder, Client, Error, Event};
use authkit_embedded::refuse_key;
use napi::{
    Env, Status,
    bindgen_prelude::{FnArgs, Function, Object},
    threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode::NonBlocking},
};
use napi_derive::napi;
use serde_json::Value;

/// An event's name, and the error that is its reason.
pub(crate) type Told = FnArgs<(String, Option<String>)>;
type Tell = ThreadsafeFunction<Told, (), Told, Status, false, true>;

/// A client as JavaScript holds it.
#[napi]
pub struct Core {
    client: Client,
    embedded: bool,
}

/// Functions of JavaScript that a client calls.
pub(crate) struct Callbacks<'a> {
    pub(crate) storage: Option<Function<'a, Question, ()>>,
    pub(crate) shared: bool,
    pub(crate) events: Option<Function<'a, Told, ()>>,
}

impl Core {
    pub(crate) fn build(
        mut builder: Builder,
        settings: &str,
        callbacks: &Callbacks<'_>,
        embedded: bool,
    ) -> napi::Result<Self> {
        let settings = ClientSettings::parse(settings).map_err(|error| thrown(&error))?;
        builder = settings.apply(builder);
        if let Some(storage) = &callbacks.storage {
            builder = builder.storage(JsStorage::new(storage, callbacks.shared)?);
        }
        if let Some(events) = &callbacks.events {
            let tell: Tell = events.build_threadsafe_function().callee_handled::<false>().weak::<true>().build()?;
            builder = builder.on_event(move |event: &Event| {
                let reason = match event {
                    Event::SignedOut { reason: Some(reason) } => Some(reason.to_json().to_string()),
                    _ => None,
                };
                let _ = tell.call(FnArgs::from((event.name().to_owned(), reason)), NonBlocking);
            });
        }
        let client = builder.build().map_err(|error| thrown(&error))?;
        Ok(Self { client, embedded })
    }
}

/// A client of the server at the settings' `base_url`.
#[napi]
pub fn connect(
    settings: String,
    storage: Option<Function<'_, Question, ()>>,
    shared: bool,
    events: Option<Function<'_, Told, ()>>,
) -> napi::Result<Core> {
    Core::build(Client::builder(), &settings, &Callbacks { storage, shared, events }, false)
}

#[napi]
impl Core {
    /// Calls an operation. With a number, it can be given up.
    #[napi]
    pub fn call<'env>(
        &self,
        env: &'env Env,
        operation: String,
        arguments: String,
        options: String,
        number: u32,
    ) -> napi::Result<Object<'env>> {
        let (client, embedded) = (self.client.clone(), self.embedded);
        cancellable(env, number, async move {
            let arguments: Value = serde_json::from_str(&arguments)
                .map_err(|_| Error::invalid_argument("The arguments must be one JSON object."))?;
            let options = call_options(&options)?;
            if embedded && options.idempotency_key.is_some() {
                refuse_key(&operation)?;
            }
            // Boxed: the call's future is large.
            let answer = Box::pin(client.call_with(&operation, arguments, options)).await?;
            Ok(answer.to_string())
        })
    }

    /// An access token that counts for a while yet.
    #[napi]
    pub fn access_token<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let client = self.client.clone();
        promise(env, async move { client.access_token().await.map(|token| token.expose().to_owned()) })
    }

    /// Whether there are tokens.
    #[napi]
    pub fn is_signed_in<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let client = self.client.clone();
        promise(env, async move { client.is_signed_in().await })
    }

    /// The same client with this access token and without the session.
    #[napi]
    pub fn with_bearer(&self, access_token: String) -> Core {
        Self { client: self.client.with_bearer(access_token), embedded: self.embedded }
    }
}
