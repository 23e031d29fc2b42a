//! What people and devices write: names, versions, capabilities.

use crate::{Error, Result, text::hides_something};
use unicode_normalization::UnicodeNormalization;

const NAME: usize = 100;
const VERSION: usize = 64;
const CAPABILITIES: usize = 32;
const CAPABILITY: usize = 32;

/// A device's name: trimmed, NFC, on one line, and all of it shows. An empty one is none.
pub(super) fn name(text: &str) -> Result<Option<String>> {
    let name: String = text.trim().nfc().take(NAME + 1).collect();
    if name.chars().count() > NAME || name.chars().any(char::is_control) || hides_something(&name) {
        let detail = "A name has at most 100 characters, and none that is invisible or turns the direction of text.";
        return Err(Error::field("name", "name.invalid", detail));
    }
    Ok((!name.is_empty()).then_some(name))
}

/// The version of a device's software: visible ASCII.
pub(super) fn version(text: &str) -> Result<String> {
    if (1..=VERSION).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'!'..=b'~')) {
        return Ok(text.to_owned());
    }
    let detail = "A version has 1 to 64 visible ASCII characters and no spaces.";
    Err(Error::field("version", "version.invalid", detail))
}

/// What a device can do: each word once, in the order given.
pub(super) fn capabilities(words: &[String]) -> Result<Vec<String>> {
    let is_word = |word: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'/' | b'-');
        (1..=CAPABILITY).contains(&word.len()) && word.bytes().all(fits)
    };
    if words.len() > CAPABILITIES {
        let detail = "A device has at most 32 capabilities.";
        return Err(Error::field("capabilities", "capabilities.too_many", detail));
    }
    let mut once: Vec<String> = Vec::with_capacity(words.len());
    for (place, word) in words.iter().enumerate() {
        if !is_word(word) {
            let detail = "A capability has 1 to 32 ASCII letters, digits and `. _ : / -`.";
            return Err(Error::field(format!("capabilities[{place}]"), "capability.invalid", detail));
        }
        if !once.contains(word) {
            once.push(word.clone());
        }
    }
    Ok(once)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_show_what_they_are() {
        assert_eq!(name("  Kitchen e\u{301} ").unwrap().as_deref(), Some("Kitchen é"));
        assert_eq!(name(" ").unwrap(), None);
        for wrong in ["a\nb", "\u{202e}x", &"x".repeat(101), &"\u{301}".repeat(5000)] {
            assert!(name(wrong).is_err(), "{wrong:?}");
        }
        assert!(name(&"é".repeat(100)).is_ok());
    }

    #[test]
    fn versions_and_capabilities_are_short_words() {
        assert!(version("1.2.3+build/7").is_ok());
        for wrong in ["", "1 2", "é", &"x".repeat(65)] {
            assert!(version(wrong).is_err(), "{wrong:?}");
        }
        let words = |list: &[&str]| capabilities(&list.iter().map(|&word| word.to_owned()).collect::<Vec<_>>());
        assert_eq!(words(&["ota", "relay:2", "ota"]).unwrap(), ["ota", "relay:2"]);
        assert_eq!(words(&["ok", "not ok"]).unwrap_err().fields[0].field, "capabilities[1]");
        assert!(words(&["x"; 33]).is_err() && words(&["x"; 32]).is_ok());
        assert!(words(&[&"x".repeat(33)]).is_err() && words(&[""]).is_err());
    }
}
