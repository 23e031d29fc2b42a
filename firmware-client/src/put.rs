//! Writing of requests and of JSON into a buffer.

use base64ct::{Base64UrlUnpadded, Encoding};

/// Bytes put one after the other into a buffer; remembers when they did not fit.
pub(crate) struct Put<'a> {
    into: &'a mut [u8],
    length: usize,
    fits: bool,
}

impl<'a> Put<'a> {
    pub(crate) fn new(into: &'a mut [u8]) -> Self {
        Self { into, length: 0, fits: true }
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        match self.into.get_mut(self.length..self.length + bytes.len()) {
            Some(place) if self.fits => {
                place.copy_from_slice(bytes);
                self.length += bytes.len();
            }
            _ => self.fits = false,
        }
        self
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    pub(crate) fn number(&mut self, mut number: usize) -> &mut Self {
        let (mut digits, mut at) = ([b'0'; 20], 20);
        loop {
            at -= 1;
            digits[at] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.bytes(&digits[at..])
    }

    /// An id: its prefix, then hexadecimal digits.
    pub(crate) fn id(&mut self, prefix: &str, uuid: &[u8; 16]) -> &mut Self {
        self.text(prefix);
        for byte in uuid {
            self.bytes(&[hex(byte >> 4), hex(*byte)]);
        }
        self
    }

    /// As a JSON string.
    pub(crate) fn quoted(&mut self, text: &str) -> &mut Self {
        self.bytes(b"\"");
        for byte in text.bytes() {
            match byte {
                b'"' | b'\\' => self.bytes(&[b'\\', byte]),
                0..0x20 => self.bytes(&[b'\\', b'u', b'0', b'0', hex(byte >> 4), hex(byte)]),
                _ => self.bytes(&[byte]),
            };
        }
        self.bytes(b"\"")
    }

    /// As unpadded base64url in a JSON string.
    pub(crate) fn base64(&mut self, bytes: &[u8]) -> &mut Self {
        let mut encoded = [0; 96];
        match Base64UrlUnpadded::encode(bytes, &mut encoded) {
            Ok(text) => self.bytes(b"\"").text(text).bytes(b"\""),
            Err(_) => {
                self.fits = false;
                self
            }
        }
    }

    /// How much was put; none when it did not fit.
    pub(crate) fn length(&self) -> Option<usize> {
        self.fits.then_some(self.length)
    }
}

const fn hex(nibble: u8) -> u8 {
    b"0123456789abcdef"[(nibble & 15) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_quoted_text_is_what_serde_json_reads_back(text in ".*") {
            let mut buffer = [0; 4096];
            let length = { let mut put = Put::new(&mut buffer); put.quoted(&text); put.length() };
            if let Some(length) = length {
                prop_assert_eq!(serde_json::from_slice::<String>(&buffer[..length]).unwrap(), text);
            }
        }
    }
}
