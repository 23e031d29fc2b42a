//! E-mail addresses: parsed once, compared by a keyed hash.

use super::EmailKey;
use crate::{
    Error, Result,
    crypto::{Keyring, hex},
};
use authkit_wire::TenantId;
use idna::{AsciiDenyList, uts46::DnsLength, uts46::Hyphens, uts46::Uts46};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// The longest address (RFC 5321, section 4.5.3.1.3, less the angle brackets).
const MAX: usize = 254;
/// The longest local part (RFC 5321, section 4.5.3.1.1).
const MAX_LOCAL: usize = 64;
/// No address is longer than this before normalisation; longer texts are refused unread.
const MAX_RAW: usize = 4 * MAX;

/// An address that mail can go to, normalised: trimmed, NFC, its domain in ASCII (UTS #46).
///
/// Display names, quoted local parts, comments and address literals are refused, and so is everything that could
/// end a header line.
#[derive(Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Reads an address. `unicode_local` allows letters beyond ASCII before the `@` (RFC 6531).
    ///
    /// # Errors
    /// `request.validation_failed` with `email.invalid` or `email.too_long` for the field `email`.
    ///
    /// ```
    /// use authkit_core::accounts::Email;
    /// let email = Email::parse(" Ada@Bücher.Example ", false).expect("an address");
    /// assert_eq!(email.as_str(), "Ada@xn--bcher-kva.example");
    /// ```
    pub fn parse(text: &str, unicode_local: bool) -> Result<Self> {
        Self::parse_field("email", text, unicode_local)
    }

    /// The same for a request's field of another name.
    pub(crate) fn parse_field(field: &str, text: &str, unicode_local: bool) -> Result<Self> {
        let too_long = || Error::field(field, "email.too_long", format!("An address has at most {MAX} bytes."));
        if text.len() > MAX_RAW {
            return Err(too_long());
        }
        let email = normalise(text.trim(), unicode_local)
            .ok_or_else(|| Error::field(field, "email.invalid", "Give a plain address such as `ada@example.org`."))?;
        if email.len() > MAX { Err(too_long()) } else { Ok(Self(email)) }
    }

    /// The address as it is stored and mailed to.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the address is found by: a keyed hash over its lower case, which stays the same when keys rotate.
    #[must_use]
    pub fn key(&self, keyring: &Keyring, tenant: TenantId) -> EmailKey {
        // Lower case can leave the normal form, so it is made normal once more.
        let lower: String = self.0.to_lowercase().nfc().collect();
        keyring.index("email", &[tenant.uuid().as_bytes(), lower.as_bytes()])
    }
}

impl std::fmt::Debug for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Email(..)")
    }
}

/// What stands for an address without account in the audit log.
#[must_use]
pub fn pseudonym(keyring: &Keyring, key: &EmailKey) -> String {
    let index = keyring.index("pseudonym", &[key]);
    format!("anon_{}", hex(&index[1..17]))
}

fn normalise(text: &str, unicode_local: bool) -> Option<String> {
    if text.chars().any(char::is_control) {
        return None;
    }
    let text: String = text.nfc().collect();
    let (local, domain) = text.rsplit_once('@')?;
    let local_ok = !local.is_empty()
        && local.len() <= MAX_LOCAL
        && local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(|c| is_atom(c, unicode_local)));
    local_ok.then(|| Some(format!("{local}@{}", ascii_domain(domain)?))).flatten()
}

/// `atext` (RFC 5322, section 3.2.3), and letters and digits of every script when those are allowed (RFC 6532).
fn is_atom(c: char, unicode: bool) -> bool {
    c.is_ascii_alphanumeric()
        || "!#$%&'*+-/=?^_`{|}~".contains(c)
        || unicode && !c.is_ascii() && (c.is_alphanumeric() || is_combining_mark(c))
}

fn ascii_domain(domain: &str) -> Option<String> {
    let ascii = Uts46::new()
        .to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
        .ok()?;
    let top = ascii.rsplit_once('.')?.1;
    // A numeric top label makes it look like an IPv4 address (RFC 3696, section 2).
    (!top.bytes().all(|b| b.is_ascii_digit())).then(|| ascii.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use uuid::Uuid;

    fn stored(text: &str) -> Option<String> {
        Email::parse(text, false).ok().map(|email| email.0)
    }

    #[test]
    fn addresses_are_normalised() {
        assert_eq!(stored(" Ada@Example.ORG\n").as_deref(), Some("Ada@example.org"));
        assert_eq!(stored("ada+tag@mail.example.org").as_deref(), Some("ada+tag@mail.example.org"));
        assert_eq!(stored("ada@BÜCHER.example").as_deref(), Some("ada@xn--bcher-kva.example"));
        assert_eq!(stored("ada@bu\u{308}cher.example").as_deref(), Some("ada@xn--bcher-kva.example"));
        assert_eq!(stored("ada@example。org").as_deref(), Some("ada@example.org"));
        assert_eq!(
            Email::parse("Zoe\u{308}@example.org", true).expect("allowed").as_str(),
            "Zoë@example.org",
            "the local part is NFC"
        );
    }

    #[test]
    fn what_is_not_a_plain_address_is_refused() {
        for wrong in [
            "",
            "@",
            "ada",
            "ada@",
            "@example.org",
            "ada@localhost",
            "ada@example.org.",
            "ada@.example.org",
            "ada@example..org",
            "ada@-a.example",
            "ada@a_b.example",
            "ada@127.0.0.1",
            "ada@[127.0.0.1]",
            "ada@xn--a.example",
            "ada@exa mple.org",
            ".ada@example.org",
            "ada.@example.org",
            "a..da@example.org",
            "a da@example.org",
            "\"ada\"@example.org",
            "Ada <ada@example.org>",
            "ada@example.org, eve@example.org",
            "ada@example.org;eve@example.org",
            "ada@eve@example.org",
            "ada(x)@example.org",
            "ada\\@example.org",
            "ada\r\nBcc: eve@example.org",
            "ada@example.org\r\nBcc: eve@example.org",
            "ada\0@example.org",
            "ada@exam\u{0}ple.org",
            "ada\u{85}@example.org",
            "ada\u{200b}@example.org",
            "zoë@example.org",
        ] {
            assert_eq!(stored(wrong), None, "{wrong:?}");
        }
        for wrong in
            ["ada\u{202e}@example.org", "ada\u{200d}@example.org", "ada\u{a0}@example.org", "\u{2028}@example.org"]
        {
            assert!(Email::parse(wrong, true).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn lengths_are_capped() {
        let domain = format!("{0}.{0}.{0}.example", "d".repeat(58));
        assert!(stored(&format!("{}@{domain}", "a".repeat(64))).is_some());
        assert!(stored(&format!("{}@{domain}", "a".repeat(65))).is_none());
        assert!(stored(&format!("ada@{}.example", "d".repeat(64))).is_none());
        let long = format!("{0}.{0}.{0}.{1}.example", "d".repeat(60), "d".repeat(10));
        assert!(stored(&format!("ada@{long}")).is_some());
        let refused = Email::parse(&format!("{}@{long}", "a".repeat(60)), false).expect_err("too long");
        assert_eq!(refused.fields[0].code, "email.too_long");
        let refused = Email::parse(&"a".repeat(9_000_000), false).expect_err("too long");
        assert_eq!(refused.fields[0].code, "email.too_long");
    }

    #[test]
    fn keys_ignore_case_and_differ_by_tenant() {
        let ring = Keyring::new(&BTreeMap::from([(1, [7; 32].into())])).expect("one key");
        let (one, two) = (TenantId::new(Uuid::from_u128(1)), TenantId::new(Uuid::from_u128(2)));
        let key = |text: &str, tenant| Email::parse(text, true).expect("an address").key(&ring, tenant);
        assert_eq!(key("Ada@Example.org", one), key("ada@example.ORG", one));
        assert_eq!(key("ZOË@example.org", one), key("zoe\u{308}@example.org", one));
        assert_ne!(key("ada@example.org", one), key("ada@example.org", two));
        assert_ne!(key("ada@example.org", one), key("a.da@example.org", one));
        let name = pseudonym(&ring, &key("ada@example.org", one));
        assert!(name.starts_with("anon_") && name.len() == 37);
        assert_eq!(format!("{:?}", Email::parse("ada@example.org", false).expect("an address")), "Email(..)");
    }

    proptest::proptest! {
        #[test]
        fn an_accepted_address_is_its_own_normal_form(text in "\\PC{0,20}@?\\PC{0,20}(\\.example)?", unicode: bool) {
            if let Ok(email) = Email::parse(&text, unicode) {
                proptest::prop_assert_eq!(&Email::parse(email.as_str(), unicode).expect("again"), &email);
                proptest::prop_assert_eq!(email.as_str().matches('@').count(), 1);
                proptest::prop_assert!(!email.as_str().contains(|c: char| c.is_control() || c.is_whitespace()));
            }
        }
    }
}
