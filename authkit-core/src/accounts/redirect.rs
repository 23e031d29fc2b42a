//! Where people may be sent after a mailed link: exact origin, and a path beneath an allowed one.
//!
//! The grammar is narrower than that of URLs on purpose. What two parsers could read differently is refused, so that no
//! browser ends up elsewhere than where this file looked.

use crate::{Error, Result};
use authkit_wire::ErrorCode;

const MAX: usize = 2048;

/// Accepts `url` when one of `allowed` covers it.
///
/// # Errors
/// `redirect.not_allowed`.
pub(crate) fn check<'a>(url: &str, allowed: impl IntoIterator<Item = &'a String>) -> Result<()> {
    let fits = parse(url)
        .is_some_and(|target| allowed.into_iter().filter_map(|entry| parse(entry)).any(|entry| entry.covers(&target)));
    fits.then_some(()).ok_or_else(|| {
        Error::new(ErrorCode::RedirectNotAllowed, "Use an address on the list of allowed redirects, written plainly.")
    })
}

/// Whether `entry` can stand in a list of allowed redirects: `https` (or `http` to this machine), a plain path, no query.
#[must_use]
pub fn is_redirect_entry(entry: &str) -> bool {
    parse(entry).is_some_and(|url| url.query.is_none())
}

#[derive(Debug, PartialEq, Eq)]
struct Target<'a> {
    secure: bool,
    host: String,
    port: u16,
    path: &'a str,
    query: Option<&'a str>,
}

impl Target<'_> {
    /// Whether `other` has the same origin and a path at or beneath this one's.
    fn covers(&self, other: &Self) -> bool {
        self.query.is_none()
            && (self.secure, &self.host, self.port) == (other.secure, &other.host, other.port)
            && other
                .path
                .strip_prefix(self.path)
                .is_some_and(|rest| rest.is_empty() || self.path.ends_with('/') || rest.starts_with('/'))
    }
}

fn parse(url: &str) -> Option<Target<'_>> {
    if url.len() > MAX || !url.bytes().all(is_plain) {
        return None;
    }
    let (scheme, rest) = url.split_once("://")?;
    let secure = match scheme {
        "https" => true,
        "http" => false,
        _ => return None,
    };
    let (authority, path) = rest.find(['/', '?']).map_or((rest, ""), |at| rest.split_at(at));
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let (host, port) = parse_authority(authority, secure)?;
    if !secure && !matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]") {
        return None;
    }
    let path = if path.is_empty() { "/" } else { path };
    (path_is_plain(path) && query.is_none_or(escapes_are_plain)).then_some(Target { secure, host, port, path, query })
}

/// The characters of RFC 3986 but `#` (a fragment), `@` (user information) and those that browsers repair (`\`).
const fn is_plain(b: u8) -> bool {
    b.is_ascii_alphanumeric()
        || matches!(
            b,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b':'
                | b'/'
                | b'?'
                | b'['
                | b']'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
                | b'%'
        )
}

fn parse_authority(authority: &str, secure: bool) -> Option<(String, u16)> {
    let (host, port) = match authority.strip_prefix("[::1]") {
        Some(rest) => ("[::1]", if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) }),
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    let labels_are_plain = host.split('.').all(|label| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    });
    // Browsers read `0x7f.1` and `2130706433` as IPv4 addresses; only the usual spelling passes.
    let last = host.rsplit('.').next()?;
    let numeric = last.bytes().all(|b| b.is_ascii_digit()) || last.to_ascii_lowercase().starts_with("0x");
    let host_ok = host == "[::1]" || labels_are_plain && (!numeric || host.parse::<std::net::Ipv4Addr>().is_ok());
    let port = match port {
        None => {
            if secure {
                443
            } else {
                80
            }
        }
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0') => {
            digits.parse().ok()?
        }
        Some(_) => return None,
    };
    host_ok.then(|| (host.to_ascii_lowercase(), port))
}

fn path_is_plain(path: &str) -> bool {
    let mut segments = path.split('/').skip(1).peekable();
    let mut plain = !path.contains(['[', ']', '*']);
    while let Some(segment) = segments.next() {
        // Some servers drop what follows `;` before they look for dot segments.
        let name = segment.split(';').next().unwrap_or_default();
        let is_last = segments.peek().is_none();
        plain &= !matches!(name, "." | "..") && (is_last || !segment.is_empty());
    }
    plain && escapes_are_plain(path) && !has_escape(path, |b| matches!(b, b'.' | b'/' | b'\\' | b'%' | b';'))
}

/// Every `%` starts a whole escape, and none hides a control character.
fn escapes_are_plain(text: &str) -> bool {
    let whole =
        text.split('%').skip(1).all(|rest| rest.len() >= 2 && rest.as_bytes()[..2].iter().all(u8::is_ascii_hexdigit));
    whole && !has_escape(text, |b| b.is_ascii_control())
}

fn has_escape(text: &str, wanted: impl Fn(u8) -> bool) -> bool {
    text.split('%').skip(1).filter_map(|rest| u8::from_str_radix(rest.get(..2)?, 16).ok()).any(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(entries: &[&str], url: &str) -> bool {
        let entries: Vec<String> = entries.iter().map(ToString::to_string).collect();
        check(url, &entries).is_ok()
    }

    const APP: &[&str] = &["https://app.example/welcome", "http://127.0.0.1:3000", "https://shop.example/a/"];

    #[test]
    fn exact_origin_and_paths_at_a_segment_boundary_are_allowed() {
        for url in [
            "https://app.example/welcome",
            "https://app.example/welcome/",
            "https://app.example/welcome/back",
            "https://app.example/welcome?from=mail&next=%2Fhome",
            "https://APP.example/welcome",
            "https://app.example:443/welcome",
            "http://127.0.0.1:3000",
            "http://127.0.0.1:3000/",
            "http://127.0.0.1:3000/any/where",
            "https://shop.example/a/",
            "https://shop.example/a/b%20c",
        ] {
            assert!(allowed(APP, url), "{url}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for url in [
            "",
            "/welcome",
            "//app.example/welcome",
            "app.example/welcome",
            "javascript:alert(1)",
            "data:text/html,x",
            "https:app.example/welcome",
            "https:/app.example/welcome",
            "https:///app.example/welcome",
            "https:\\\\app.example/welcome",
            "HTTPS://app.example/welcome",
            " https://app.example/welcome",
            "https://app.example/welcome ",
            "https://app.example/welcome\r\nSet-Cookie: a=b",
            "https://app.example/welcome\t",
            "https://app.example/wel\ncome",
            "https://app.example/welcome\0",
            "http://app.example/welcome",
            "https://app.example/",
            "https://app.example",
            "https://app.example/welcomed",
            "https://app.example/Welcome",
            "https://app.example/welcome.evil",
            "https://app.example/welcome/../admin",
            "https://app.example/welcome/./x",
            "https://app.example/welcome/..",
            "https://app.example/welcome/%2e%2e/admin",
            "https://app.example/welcome/%2E./admin",
            "https://app.example/welcome/..%2fadmin",
            "https://app.example/welcome/..%5cadmin",
            "https://app.example/welcome/%252e%252e/admin",
            "https://app.example/welcome/..;/admin",
            "https://app.example/welcome/..;x=1/admin",
            "https://app.example/welcome/..%3b/admin",
            "https://app.example/welcome\\..\\admin",
            "https://app.example/welcome//evil.example",
            "https://app.example/welcome/%0d%0aSet-Cookie:a=b",
            "https://app.example/welcome?x=%0d%0a",
            "https://app.example/welcome?x=%00",
            "https://app.example/welcome/%",
            "https://app.example/welcome/%2",
            "https://app.example/welcome/%zz",
            "https://app.example/welcome#fragment",
            "https://app.example/welcome?x#y",
            "https://app.example/*",
            "https://app.example.evil.example/welcome",
            "https://evil-app.example/welcome",
            "https://x.app.example/welcome",
            "https://app.example./welcome",
            "https://app.example:8443/welcome",
            "https://app.example:0443/welcome",
            "https://app.example:/welcome",
            "https://app.example:443x/welcome",
            "https://app.example:99999/welcome",
            "https://app.example@evil.example/welcome",
            "https://user:pw@app.example/welcome",
            "https://evil.example\\@app.example/welcome",
            "https://evil.example%2f@app.example/welcome",
            "https://app.example%2eevil.example/welcome",
            "https://app.example?.evil.example/welcome",
            "https://app.example;.evil.example/welcome",
            "https://app\u{3002}example/welcome",
            "https://\u{430}pp.example/welcome",
            "http://localhost:3000/",
            "http://127.0.0.1/",
            "http://127.1:3000/",
            "http://2130706433:3000/",
            "http://0x7f.0.0.1:3000/",
            "http://127.0.0.1:3000@evil.example/",
            "http://127.0.0.1:3000.evil.example/",
            "https://shop.example/a",
            "https://shop.example/ab",
        ] {
            assert!(!allowed(APP, url), "{url:?}");
        }
        assert!(!allowed(APP, &format!("https://app.example/welcome/{}", "a".repeat(MAX))));
    }

    #[test]
    fn a_list_entry_that_is_not_plain_covers_nothing() {
        for entry in [
            "https://*.example/welcome",
            "https://*",
            "*",
            "https://",
            "http://app.example/welcome",
            "https://app.example/*",
            "https://app.example/welcome?x=1",
            "https://user@app.example/",
        ] {
            assert!(!is_redirect_entry(entry), "{entry}");
            assert!(!allowed(&[entry], "https://app.example/welcome"), "{entry}");
            assert!(!allowed(&[entry], "https://app.example/welcome?x=1"), "{entry}");
        }
        assert!(!allowed(&[], "https://app.example/welcome"));
        assert!(is_redirect_entry("https://app.example") && is_redirect_entry("http://[::1]:3000/x"));
        assert!(allowed(&["http://[::1]:3000/x"], "http://[::1]:3000/x/y"));
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_accepted_starts_with_the_entry(
            origin in "(https|http|HTTPS|//)?(:|://|:/)?(a@|app|app.example|APP.EXAMPLE|x)?(:443|:80|:|@|\\\\|%2f)?",
            rest in "(/|//|\\\\)?(welcome|%77elcome)?(/|;|%2f|%5c|\\\\|@|\\.\\.|\\.|%2e|%00|#|\\?|[a-z]|\\PC){0,8}",
        ) {
            let url = format!("{origin}{rest}");
            if allowed(&["https://app.example/welcome"], &url) {
                let plain = url.to_lowercase().replacen(":443", "", 1);
                let rest = plain.strip_prefix("https://app.example/welcome").expect("the entry");
                proptest::prop_assert!(rest.is_empty() || rest.starts_with(['/', '?']));
                proptest::prop_assert!(!rest.split('?').next().unwrap_or_default().contains(".."));
            }
        }
    }
}
