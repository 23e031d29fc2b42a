use super::{cookies::Cookie, visit::Visit};
use authkit_core::{
    Principal, Result,
    crypto::hex,
    tenants::DEFAULT_TENANT,
    wire::{Secret, SessionId, TokensView},
};
use serde::{Deserialize, Serialize};

/// Refreshed when the access token has less left than this.
const MARGIN_SECONDS: i64 = 30;

/// The longest access token that a cookie can hold beside the rest.
const MAX_ACCESS: usize = 2048;

/// The tokens of a browser's session, sealed in its cookie.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PageSession {
    pub(super) access: Secret,
    pub(super) refresh: Secret,
    pub(super) session: SessionId,
    /// Unix seconds.
    expires: i64,
}

/// Where to go after signing in: only to pages of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Back {
    Account,
    Mfa,
    Close,
}

impl Back {
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Account => "/account",
            Self::Mfa => "/account/mfa",
            Self::Close => "/account/close",
        }
    }

    /// The page to come back to after an interrupted request to `path`.
    pub(super) fn of(path: &str) -> Self {
        match path {
            _ if path.starts_with("/account/mfa") => Self::Mfa,
            "/account/close" | "/account/delete" | "/account/deactivate" => Self::Close,
            _ => Self::Account,
        }
    }

    /// The value of `back` in a sign-in page's address.
    pub(super) fn named(name: &str) -> Self {
        match name {
            "mfa" => Self::Mfa,
            "close" => Self::Close,
            _ => Self::Account,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Mfa => "mfa",
            Self::Close => "close",
        }
    }

    /// The sign-in page that comes back here.
    pub(super) const fn sign_in(self) -> &'static str {
        match self {
            Self::Account => "/sign-in",
            Self::Mfa => "/sign-in?back=mfa",
            Self::Close => "/sign-in?back=close",
        }
    }
}

impl Visit {
    /// Keeps the tokens of a session in the browser's cookie.
    pub(super) fn keep(&mut self, tokens: &TokensView) {
        let mut page = PageSession {
            access: tokens.access_token.clone(),
            refresh: tokens.refresh_token.clone(),
            session: tokens.session_id,
            expires: self.pages.engine.context().now().as_second() + tokens.expires_in,
        };
        if page.access.expose().len() > MAX_ACCESS {
            // Browsers drop cookies of more than 4 KiB: an application's claims that fill one cost a refresh per page.
            page.access = Secret::default();
            page.expires = 0;
        }
        let seconds = self.pages.engine.context().settings.tokens.refresh.as_secs();
        self.jar.seal(Cookie::Session, "", &page, seconds);
    }

    /// Who is signed in. Tokens that are about to run out are renewed on the way; a session that has ended leaves no
    /// cookie behind.
    pub(super) async fn principal(&mut self) -> Result<Option<Principal>> {
        let Some(page) = self.session() else {
            self.jar.clear(Cookie::Session);
            return Ok(None);
        };
        let sessions = self.pages.engine.sessions();
        if page.expires > self.pages.engine.context().now().as_second() + MARGIN_SECONDS {
            match sessions.authenticate(page.access.expose()).await {
                Ok(principal) => return Ok(self.at_home(principal)),
                Err(error) if error.code.status() >= 500 => return Err(error),
                Err(_) => {}
            }
        }
        match sessions.refresh(&self.origin, &page.refresh, Some(&self.repeat_key(&page.refresh))).await {
            Ok(tokens) => {
                let principal = sessions.authenticate(tokens.access_token.expose()).await?;
                self.keep(&tokens);
                Ok(self.at_home(principal))
            }
            Err(error) if error.code.status() == 429 || error.code.status() >= 500 => Err(error),
            Err(_) => {
                self.jar.clear(Cookie::Session);
                Ok(None)
            }
        }
    }

    /// Nobody is signed in at another tenant than their own.
    fn at_home(&self, principal: Principal) -> Option<Principal> {
        let tenant = self.origin.tenant;
        (principal.tenant == tenant || tenant == DEFAULT_TENANT).then_some(principal)
    }

    /// The idempotency key of a refresh: always the same for one token, so that an answer that never reached the
    /// browser is given again instead of ending the session.
    fn repeat_key(&self, refresh: &Secret) -> String {
        let mac = self.pages.engine.context().keyring.mac_current("page-refresh", &[refresh.expose().as_bytes()]);
        hex(&mac[..16])
    }
}
