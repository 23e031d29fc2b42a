//! Text of bounded length, wiped when it goes. It has no `Debug`: most of it is secret.

use zeroize::Zeroize;

#[derive(Clone)]
pub(crate) struct Text<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Text<N> {
    pub(crate) fn new(text: &str) -> Option<Self> {
        let mut bytes = [0; N];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Self { bytes, length: text.len() })
    }

    pub(crate) fn as_str(&self) -> &str {
        // Made from a `&str`, never cut.
        core::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

impl<const N: usize> Drop for Text<N> {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

/// Text in a part of the caller's buffer, empty when there is none. Tokens are large, and every copy costs the stack.
pub(crate) struct Held<'b> {
    bytes: &'b mut [u8],
    length: usize,
}

impl<'b> Held<'b> {
    pub(crate) fn new(bytes: &'b mut [u8]) -> Self {
        Self { bytes, length: 0 }
    }

    /// Puts another text in its place, unless that is too long.
    pub(crate) fn set(&mut self, text: &str) -> bool {
        self.clear();
        let Some(place) = self.bytes.get_mut(..text.len()) else { return false };
        place.copy_from_slice(text.as_bytes());
        self.length = text.len();
        true
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.zeroize();
        self.length = 0;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.length == 0
    }

    pub(crate) fn as_str(&self) -> &str {
        // Put here as a `&str`, never cut.
        core::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}
