use super::Pages;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fmt;

/// The cookies that pages use. Each is `HttpOnly`, and all but the browser's are sealed for their own purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cookie {
    /// The tokens of the page session.
    Session,
    /// A random value that forms are bound to.
    Browser,
    /// A sign-in that waits for its second factor.
    Attempt,
    /// A TOTP secret that waits for its confirmation.
    Enrolment,
    /// Backup codes on their way to the page that shows them once.
    Codes,
    /// What the next page says of the last action.
    Notice,
}

impl Cookie {
    const fn name(self) -> &'static str {
        match self {
            Self::Session => "authkit-session",
            Self::Browser => "authkit-browser",
            Self::Attempt => "authkit-attempt",
            Self::Enrolment => "authkit-enrolment",
            Self::Codes => "authkit-codes",
            Self::Notice => "authkit-notice",
        }
    }

    /// The keyring's purpose, so that one cookie's value is never taken for another's.
    const fn purpose(self) -> &'static str {
        match self {
            Self::Session => "page-session",
            Self::Browser => "page-browser",
            Self::Attempt => "page-attempt",
            Self::Enrolment => "page-enrolment",
            Self::Codes => "page-codes",
            Self::Notice => "page-notice",
        }
    }
}

/// What is sealed: a value and the Unix second from which it counts no more.
#[derive(Serialize, Deserialize)]
struct Dated<T> {
    expires: i64,
    value: T,
}

/// The cookies of one request and those that its answer sets.
pub(super) struct Jar {
    pages: Pages,
    sent: Vec<(String, String)>,
    set: Vec<HeaderValue>,
}

impl Jar {
    pub(super) fn new(pages: &Pages, headers: &HeaderMap) -> Self {
        let sent = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Self { pages: pages.clone(), sent, set: Vec::new() }
    }

    /// `__Host-` binds a cookie to this very host, whatever a sibling domain sets (RFC 6265bis, section 4.1.3.2).
    fn name(&self, cookie: Cookie) -> String {
        if self.pages.secure { format!("__Host-{}", cookie.name()) } else { cookie.name().to_owned() }
    }

    /// The value as it was sent.
    pub(super) fn plain(&self, cookie: Cookie) -> Option<&str> {
        let name = self.name(cookie);
        self.sent.iter().find(|(sent, _)| *sent == name).map(|(_, value)| value.as_str()).filter(|v| !v.is_empty())
    }

    /// What [`seal`](Self::seal) put in, until it has expired. Anything else reads as absent.
    pub(super) fn open<T: DeserializeOwned>(&self, cookie: Cookie, bound: &str) -> Option<T> {
        let sealed = URL_SAFE_NO_PAD.decode(self.plain(cookie)?).ok()?;
        let plain = self.pages.engine.context().keyring.open(cookie.purpose(), bound.as_bytes(), &sealed).ok()?;
        let Dated { expires, value } = serde_json::from_slice(&plain).ok()?;
        (self.pages.engine.context().now().as_second() < expires).then_some(value)
    }

    /// Sets `cookie` to `value`, sealed under the installation's keys; `bound` is what it belongs to. It counts for so
    /// many `seconds`, however long a browser, or who copied it, keeps it.
    pub(super) fn seal(&mut self, cookie: Cookie, bound: &str, value: &impl Serialize, seconds: i64) {
        let expires = self.pages.engine.context().now().as_second().saturating_add(seconds);
        let Ok(plain) = serde_json::to_vec(&Dated { expires, value }) else { return };
        let sealed = self.pages.engine.context().keyring.seal(
            &*self.pages.engine.context().random,
            cookie.purpose(),
            bound.as_bytes(),
            &plain,
        );
        self.put(cookie, &URL_SAFE_NO_PAD.encode(sealed), seconds);
    }

    /// Sets `cookie` to `value` as it is, a text of the URL-safe alphabet.
    pub(super) fn put(&mut self, cookie: Cookie, value: &str, seconds: i64) {
        let name = self.name(cookie);
        let secure = if self.pages.secure { "; Secure" } else { "" };
        let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
        let prefix = format!("{name}=");
        self.set.retain(|set| !set.as_bytes().starts_with(prefix.as_bytes()));
        self.sent.retain(|(sent, _)| *sent != name);
        self.sent.push((name, value.to_owned()));
        // Names and values are ASCII of our own making.
        if let Ok(mut header) = HeaderValue::from_str(&text) {
            header.set_sensitive(true);
            self.set.push(header);
        }
    }

    /// Deletes `cookie` if the browser has it.
    pub(super) fn clear(&mut self, cookie: Cookie) {
        if self.plain(cookie).is_some() {
            self.put(cookie, "", 0);
        }
    }

    /// Writes the changes into an answer.
    pub(super) fn write(&mut self, headers: &mut HeaderMap) {
        for value in self.set.drain(..) {
            headers.append(header::SET_COOKIE, value);
        }
    }
}

impl fmt::Debug for Jar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jar").field("set", &self.set.len()).finish_non_exhaustive()
    }
}
