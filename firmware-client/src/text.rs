//! Text of bounded length in place, wiped when it goes. It has no `Debug`: most of it is secret.

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
