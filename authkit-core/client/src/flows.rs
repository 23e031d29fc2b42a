//! The flows that change who is signed in.

use crate::{
    Client, Error, Event, Result, StoredTokens,
    client::Inner,
    sending::{Deadline, Request},
    typed::{arguments, read},
};
use authkit_wire::{
    LoginRequest, LoginView, MfaMethod, MfaRequiredView, MfaVerifyRequest, Secret, TokenRequest, TokensView,
    VerifiedView,
};
use serde_json::{Map, Value};
use std::{sync::Arc, time::Duration};

/// Signing out waits no longer than this for a refresh that runs.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a right password leads to.
#[derive(Clone, Debug)]
pub enum SignedIn {
    /// Signed in; the client has kept the tokens.
    Yes(Box<TokensView>),
    /// A second factor is asked for: [`Client::verify_mfa`].
    MfaRequired(MfaRequiredView),
}

impl Client {
    /// Proves an address with the token of the mailed link: `POST /v1/auth/verify-email`.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn verify_email(&self, token: impl Into<Secret>) -> Result<VerifiedView> {
        self.typed("verifyEmail", arguments(&TokenRequest { token: token.into() })).await
    }

    /// Signs in: `POST /v1/auth/login`. The client keeps the tokens, in place of those it had.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn login(&self, email: impl Into<String>, password: impl Into<Secret>) -> Result<SignedIn> {
        let request = LoginRequest { email: email.into(), password: password.into() };
        Ok(match self.typed("login", arguments(&request)).await? {
            LoginView::Tokens(tokens) => SignedIn::Yes(tokens),
            LoginView::MfaRequired(attempt) => SignedIn::MfaRequired(attempt),
        })
    }

    /// Answers the second factor: `POST /v1/auth/mfa/verify`. The client keeps the tokens.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn verify_mfa(
        &self,
        attempt: &MfaRequiredView,
        method: MfaMethod,
        code: impl Into<Secret>,
    ) -> Result<TokensView> {
        let request = MfaVerifyRequest { mfa_token: attempt.mfa_token.clone(), method, code: code.into() };
        self.typed("verifyMfa", arguments(&request)).await
    }

    /// Renews the tokens now: `POST /v1/auth/refresh`. There is no need to: calls do it in time by themselves.
    ///
    /// # Errors
    /// As [`call`](Self::call). A refusal signs out.
    pub async fn refresh(&self) -> Result<TokensView> {
        self.typed("refresh", Ok(Map::new())).await
    }

    /// Signs out: `POST /v1/auth/logout`. The tokens are gone from here whether or not the server is reached.
    ///
    /// # Errors
    /// When the server did not hear of it (the session then lives there until it runs out), or when the storage could
    /// not be cleared (and then holds the tokens still).
    pub async fn logout(&self) -> Result<()> {
        self.typed("logout", Ok(Map::new())).await
    }

    /// An access token that counts for a while yet, for calls of other services; of a client
    /// [`with_bearer`](Self::with_bearer) the one that was given, whatever it is worth.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn access_token(&self) -> Result<Secret> {
        if let Some(bearer) = self.bearer() {
            return Ok(bearer.clone());
        }
        let inner = self.inner();
        let work = async { Ok(inner.fresh_tokens().await?.access_token.clone()) };
        inner.within(inner.timeout, Box::pin(work)).await
    }

    /// Whether there are tokens, or one was given. Whether they count, the next call finds out.
    ///
    /// # Errors
    /// `client.storage`
    pub async fn is_signed_in(&self) -> Result<bool> {
        Ok(self.bearer().is_some() || self.inner().tokens().await?.is_some())
    }
}

impl Inner {
    /// `login` and `verifyMfa`
    pub(crate) async fn sign_in(&self, request: &Request<'_>) -> Result<Value> {
        let answer = self.send(request).await?;
        if answer.get("mfa_required").is_none() {
            let view: TokensView = read(answer.clone())?;
            self.adopt(StoredTokens::new(&view, self.runtime.now()), request.deadline).await?;
        }
        Ok(answer)
    }

    /// `refresh`: of the session, or of a token that is given, which then becomes the session's.
    pub(crate) async fn refresh_by_call(self: &Arc<Self>, request: &Request<'_>) -> Result<Value> {
        let own = self.tokens().await?;
        match request.arguments.get("refresh_token").filter(|given| !given.is_null()) {
            Some(given) if own.is_none_or(|own| given.as_str() != Some(own.refresh_token.expose())) => {
                let answer = self.send(request).await?;
                let view: TokensView = read(answer.clone())?;
                self.adopt(StoredTokens::new(&view, self.runtime.now()), request.deadline).await?;
                Ok(answer)
            }
            _ => self.renew_now().await,
        }
    }

    /// `logout`: of the session, or of a token that is given.
    pub(crate) async fn sign_out(&self, request: &Request<'_>) -> Result<Value> {
        let own = self.tokens().await.unwrap_or_default();
        let given = request.arguments.get("refresh_token").filter(|given| !given.is_null());
        if let Some(given) = given
            && own.is_none_or(|own| given.as_str() != Some(own.refresh_token.expose()))
        {
            return self.send(request).await;
        }
        let patience = PATIENCE.min(request.deadline.left(&*self.runtime) / 2);
        let (tokens, cleared) = {
            // Who cannot wait clears all the same; a refresh that ends later finds that, and keeps nothing.
            let _locked = self.locked(Deadline::after(&*self.runtime, patience)).await;
            let stored = self.storage.load().await.ok().flatten().map(Arc::new);
            (stored.or_else(|| self.session.cached()), self.storage.clear().await.map_err(Error::storage))
        };
        if self.session.note(None).is_some() || tokens.is_some() {
            self.emit(&Event::SignedOut { reason: None });
        }
        let Some(tokens) = tokens else { return cleared.map(|()| Value::Null) };
        let arguments = Map::from_iter([("refresh_token".to_owned(), tokens.refresh_token.expose().into())]);
        let request = Request { bearer: Some(&tokens.access_token), arguments: &arguments, ..*request };
        let told = self.send(&request).await;
        cleared?;
        told
    }
}
