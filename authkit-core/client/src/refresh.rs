//! Renewing the tokens: once for all who wait, with a key that is kept before it is sent.

use crate::{
    Error, Event, Operation, Result, StoredTokens,
    client::Inner,
    runtime::idempotency_key,
    sendable::BoxFuture,
    sending::{Deadline, Request},
    session::held,
    typed::read,
};
use authkit_wire::{ErrorCode, Secret, TokensView};
use futures_util::{FutureExt, future::Shared};
use serde_json::{Map, Value};
use std::sync::Arc;

/// A refresh that everybody waits for who needs one.
pub(crate) type Flight = BoxFuture<'static, Result<Arc<Renewed>>>;

pub(crate) struct Renewed {
    pub(crate) tokens: Arc<StoredTokens>,
    /// What the server answered; `None` when another client of the storage had renewed them already.
    pub(crate) answer: Option<Value>,
}

impl Inner {
    /// Tokens that count for a while yet.
    pub(crate) async fn fresh_tokens(self: &Arc<Self>) -> Result<Arc<StoredTokens>> {
        let tokens = self.tokens().await?.ok_or_else(Error::signed_out)?;
        if !tokens.stale(self.runtime.now()) {
            return Ok(tokens);
        }
        match self.renewed(&tokens).await {
            // Being early, a failure costs nothing yet.
            Err(error) if error.retryable && !tokens.expired(self.runtime.now()) => Ok(tokens),
            renewed => renewed?.ok_or_else(Error::replaced),
        }
    }

    /// Tokens in place of those, which no longer count; `None` when another session, perhaps of another user, has taken
    /// the place of theirs.
    pub(crate) async fn renewed(self: &Arc<Self>, seen: &StoredTokens) -> Result<Option<Arc<StoredTokens>>> {
        let tokens = self.flight(Some(seen)).await?.tokens.clone();
        Ok((tokens.session_id == seen.session_id).then_some(tokens))
    }

    /// New tokens, whatever the present ones are worth.
    pub(crate) async fn renew_now(self: &Arc<Self>) -> Result<Value> {
        loop {
            // The flight that runs already may find that it need not ask.
            if let Some(answer) = &self.flight(None).await?.answer {
                return Ok(answer.clone());
            }
        }
    }

    /// The refresh that runs, or a new one. It ends whether or not its callers wait for it: with the answer the new
    /// tokens would be lost.
    fn flight(self: &Arc<Self>, seen: Option<&StoredTokens>) -> Shared<Flight> {
        let mut slot = held(&self.session.flight);
        let running = slot.as_ref().and_then(|flight| flight.upgrade()).filter(|flight| flight.peek().is_none());
        if let Some(flight) = running {
            return flight;
        }
        // One may have ended since the caller looked.
        if let (Some(seen), Some(tokens)) = (seen, self.session.cached())
            && tokens.access_token != seen.access_token
        {
            let ready: Flight = Box::pin(async { Ok(Arc::new(Renewed { tokens, answer: None })) });
            return ready.shared();
        }
        let (inner, seen) = (self.clone(), seen.map(|seen| seen.access_token.clone()));
        let work: Flight = Box::pin(async move { inner.renew(seen).await });
        let flight = work.shared();
        *slot = flight.downgrade();
        drop(slot);
        self.runtime.spawn(Box::pin(flight.clone().map(drop)));
        flight
    }

    async fn renew(&self, seen: Option<Secret>) -> Result<Arc<Renewed>> {
        let deadline = Deadline::after(&*self.runtime, self.timeout);
        let (result, event) = {
            let _locked = self.locked(deadline).await?;
            self.within(self.timeout, Box::pin(self.renew_alone(seen, deadline))).await?
        };
        if let Some(event) = event {
            self.emit(&event);
        }
        result.map(Arc::new)
    }

    /// The result, and the event to raise once others may go on.
    async fn renew_alone(&self, seen: Option<Secret>, deadline: Deadline) -> Result<(Result<Renewed>, Option<Event>)> {
        let first = self.exchange(seen, deadline).await?;
        match &first.0 {
            // The answer to a request of hours ago: its access token has run out since, its refresh token counts.
            Ok(Renewed { tokens, answer: Some(_) }) if tokens.expired(self.runtime.now()) => {
                self.exchange(None, deadline).await
            }
            _ => Ok(first),
        }
    }

    /// Exchanges the tokens that are kept for new ones, unless others than those that were seen are kept by now.
    async fn exchange(&self, seen: Option<Secret>, deadline: Deadline) -> Result<(Result<Renewed>, Option<Event>)> {
        let Some(mut tokens) = self.storage.load().await.map_err(Error::storage)? else {
            return Ok(self.found_signed_out());
        };
        if let Some(seen) = seen
            && tokens.access_token != seen
            && !tokens.stale(self.runtime.now())
        {
            return Ok(self.found(tokens, None));
        }
        let key = match tokens.refresh_key.clone() {
            Some(key) => key,
            None => {
                let key = Secret::new(idempotency_key(&*self.runtime)?);
                tokens.refresh_key = Some(key.clone());
                self.storage.save(&tokens).await.map_err(Error::storage)?;
                key
            }
        };
        let arguments = Map::from_iter([("refresh_token".to_owned(), tokens.refresh_token.expose().into())]);
        let operation = Operation::find("refresh")?;
        let request = Request { operation, arguments: &arguments, bearer: None, key: Some(key.expose()), deadline };
        let answer = match self.send(&request).await {
            Ok(answer) => answer,
            // This alone ends the session. Everything else may pass, also a refusal of the application.
            Err(error) if error.is(ErrorCode::InvalidRefreshToken) => return Ok(self.refused(&tokens, error).await),
            Err(error) => return Err(error),
        };
        let view: TokensView = read(answer.clone())?;
        // Who signed out or in meanwhile, without waiting, is not overruled.
        match self.storage.load().await.map_err(Error::storage)? {
            Some(now) if now.refresh_token == tokens.refresh_token => {}
            Some(_) => return Err(Error::storage("other tokens were kept while these were renewed").again()),
            None => return Ok(self.found_signed_out()),
        }
        // Should this fail, the key is kept still, and the same answer comes again.
        let renewed = StoredTokens::new(&view, self.runtime.now());
        self.storage.save(&renewed).await.map_err(Error::storage)?;
        Ok(self.found(renewed, Some(answer)))
    }

    fn found(&self, tokens: StoredTokens, answer: Option<Value>) -> (Result<Renewed>, Option<Event>) {
        let tokens = Arc::new(tokens);
        let before = self.session.note(Some(tokens.clone()));
        let same = before.is_some_and(|before| before.session_id == tokens.session_id);
        let event = if same { Event::Refreshed } else { Event::SignedIn };
        (Ok(Renewed { tokens, answer }), Some(event))
    }

    fn found_signed_out(&self) -> (Result<Renewed>, Option<Event>) {
        let before = self.session.note(None);
        (Err(Error::signed_out()), before.map(|_| Event::SignedOut { reason: None }))
    }

    async fn refused(&self, sent: &StoredTokens, error: Error) -> (Result<Renewed>, Option<Event>) {
        // Only what was refused is removed. Where that fails, the next refusal removes it.
        if let Ok(Some(now)) = self.storage.load().await
            && now.refresh_token == sent.refresh_token
        {
            let _ = self.storage.clear().await;
        }
        self.session.note(None);
        (Err(error.clone()), Some(Event::SignedOut { reason: Some(error) }))
    }
}
