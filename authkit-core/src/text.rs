//! Rules of text that people read.

/// Characters that show nothing or turn the direction of what follows, so that two texts look the same.
pub(crate) const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Whether `text` holds an [invisible](is_invisible) character that is no part of how people write.
///
/// Joiners (U+200C, U+200D) belong to Persian and Indic words and to emoji, and so do the selectors U+FE0E and U+FE0F:
/// joiners are right between two visible characters beyond ASCII, selectors after one.
pub(crate) fn hides_something(text: &str) -> bool {
    let shows = |c: Option<char>| c.is_some_and(|c| !c.is_ascii() && !c.is_whitespace() && !is_invisible(c));
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let is_written = match c {
            // An emoji's selector may stand before its joiner.
            '\u{200c}' | '\u{200d}' => (shows(before) || before == Some('\u{fe0f}')) && shows(rest.peek().copied()),
            '\u{fe0e}' | '\u{fe0f}' => shows(before),
            _ => !is_invisible(c),
        };
        if !is_written {
            return true;
        }
        before = Some(c);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::hides_something;

    #[test]
    fn what_people_write_hides_nothing() {
        for text in [
            "Zoë",
            "علی\u{200c}رضا",
            "क्\u{200d}ष",
            "Ada \u{1f469}\u{200d}\u{1f52c}",
            "\u{1f6e0}\u{fe0f}",
            "❤\u{fe0f}\u{200d}\u{1f525}",
        ] {
            assert!(!hides_something(text), "{text:?}");
        }
    }

    #[test]
    fn what_shows_nothing_or_turns_text_is_found() {
        for text in [
            "\u{200b}",
            "Ad\u{200b}a",
            "Ad\u{200d}a",
            "\u{200d}\u{200c}",
            "\u{3164}",
            "\u{2800}\u{2800}",
            "a\u{ad}b",
            "\u{202e}adA",
            "\u{2067}x\u{2069}",
            "\u{200f}x",
            "a\u{feff}b",
            "A\u{fe0f}",
            "é\u{fe0f}\u{fe0f}",
            "a\u{e0041}",
        ] {
            assert!(hides_something(text), "{text:?}");
        }
    }
}
