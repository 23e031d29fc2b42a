//! A strict, small reader of JSON (RFC 8259) over borrowed bytes. It finds members of an object and checks all of the text
//! on the way; a text that is wrong anywhere gives nothing.

/// How deep values may nest.
const DEPTH: usize = 16;

/// The bytes are not JSON, or not of the shape that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonError;

/// A value as it stands in the text.
#[derive(Clone, Copy)]
pub struct Value<'a>(&'a [u8]);

impl<'a> Value<'a> {
    /// The whole of `text` as one value.
    ///
    /// # Errors
    /// [`JsonError`] when it is not exactly one.
    pub fn parse(text: &'a [u8]) -> Result<Self, JsonError> {
        let mut scan = Scan { text, at: 0 };
        scan.space();
        let value = scan.value(0)?;
        scan.space();
        if scan.at == text.len() { Ok(value) } else { Err(JsonError) }
    }

    /// A member of an object; none when it is missing or `null`.
    ///
    /// # Errors
    /// [`JsonError`] when this is no object, or has the member twice.
    pub fn member(self, name: &str) -> Result<Option<Self>, JsonError> {
        let mut scan = Scan { text: self.0, at: 0 };
        let mut found = None;
        scan.expect(b'{')?;
        scan.members(1, |key, value| {
            if key == name.as_bytes() && found.replace(value).is_some() {
                return Err(JsonError);
            }
            Ok(())
        })?;
        Ok(found.filter(|value| value.0 != b"null"))
    }

    /// A member that must be there.
    ///
    /// # Errors
    /// [`JsonError`].
    pub fn required(self, name: &str) -> Result<Self, JsonError> {
        self.member(name)?.ok_or(JsonError)
    }

    /// A string without escapes, which ids, tokens and keys never need.
    ///
    /// # Errors
    /// [`JsonError`] when it is no string or has an escape.
    pub fn text(self) -> Result<&'a str, JsonError> {
        let inner = self.0.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).ok_or(JsonError)?;
        if inner.contains(&b'\\') {
            return Err(JsonError);
        }
        core::str::from_utf8(inner).map_err(|_| JsonError)
    }

    /// A whole number that is not negative.
    ///
    /// # Errors
    /// [`JsonError`] when it is something else or too large.
    pub fn integer(self) -> Result<u64, JsonError> {
        let mut number = 0_u64;
        for byte in self.0 {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return Err(JsonError);
            }
            number = number.checked_mul(10).and_then(|n| n.checked_add(u64::from(digit))).ok_or(JsonError)?;
        }
        Ok(number)
    }

    /// As it stands in the text.
    #[must_use]
    pub fn raw(self) -> &'a [u8] {
        self.0
    }
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.peek() != Some(byte) {
            return Err(JsonError);
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Value<'a>, JsonError> {
        if depth > DEPTH {
            return Err(JsonError);
        }
        let start = self.at;
        match self.peek().ok_or(JsonError)? {
            b'{' => {
                self.at += 1;
                self.members(depth + 1, |_, _| Ok(()))?;
            }
            b'[' => self.elements(depth + 1)?,
            b'"' => {
                self.string()?;
            }
            b't' => self.literal(b"true")?,
            b'f' => self.literal(b"false")?,
            b'n' => self.literal(b"null")?,
            _ => self.number()?,
        }
        Ok(Value(&self.text[start..self.at]))
    }

    /// After `{`, up to and with `}`.
    fn members(
        &mut self,
        depth: usize,
        mut each: impl FnMut(&'a [u8], Value<'a>) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.space();
            let key = self.string()?;
            self.space();
            self.expect(b':')?;
            self.space();
            let value = self.value(depth)?;
            each(key, value)?;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                _ => return self.expect(b'}'),
            }
        }
    }

    fn elements(&mut self, depth: usize) -> Result<(), JsonError> {
        self.expect(b'[')?;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.space();
            self.value(depth)?;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                _ => return self.expect(b']'),
            }
        }
    }

    fn string(&mut self) -> Result<&'a [u8], JsonError> {
        self.expect(b'"')?;
        let start = self.at;
        loop {
            match self.peek().ok_or(JsonError)? {
                b'"' => break,
                b'\\' => {
                    self.at += 1;
                    match self.peek().ok_or(JsonError)? {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
                        b'u' => {
                            let digits = self.text.get(self.at + 1..self.at + 5).ok_or(JsonError)?;
                            if !digits.iter().all(u8::is_ascii_hexdigit) {
                                return Err(JsonError);
                            }
                            self.at += 5;
                        }
                        _ => return Err(JsonError),
                    }
                }
                byte if byte < b' ' => return Err(JsonError),
                _ => self.at += 1,
            }
        }
        let inner = &self.text[start..self.at];
        self.at += 1;
        core::str::from_utf8(inner).map_err(|_| JsonError)?;
        Ok(inner)
    }

    fn literal(&mut self, word: &[u8]) -> Result<(), JsonError> {
        if !self.text[self.at..].starts_with(word) {
            return Err(JsonError);
        }
        self.at += word.len();
        Ok(())
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { Err(JsonError) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<(), JsonError> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1
        } else {
            self.digits()?
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn members_are_found_and_anything_wrong_gives_nothing() {
        let value =
            Value::parse(br#" {"a": 1, "b": {"a": "x\n"}, "c": "text", "d": null, "e": [1, {"c": 2}]} "#).unwrap();
        assert_eq!(value.required("a").unwrap().integer(), Ok(1));
        assert_eq!(value.required("c").unwrap().text(), Ok("text"));
        assert!(value.member("d").unwrap().is_none());
        assert!(value.member("f").unwrap().is_none());
        let inner = value.required("b").unwrap().required("a").unwrap();
        assert_eq!(inner.text(), Err(JsonError), "an escape is refused where none belongs");
        for wrong in [
            "",
            "{",
            "{}x",
            r#"{"a":1,}"#,
            r#"{"a" 1}"#,
            r#"{a:1}"#,
            r#"{"a":01}"#,
            r#"{"a":1.}"#,
            r#"{"a":-}"#,
            r#"{"a":"\x"}"#,
            "{\"a\":\"\n\"}",
            r#"{"a":tru}"#,
            "[1,]",
            r#"{"a":"\u12"}"#,
            "nul",
            "+1",
            ".5",
            "{\"a\":\"\u{7f}\"",
        ] {
            assert!(Value::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
        assert!(Value::parse(b"\"\xff\"").is_err());
        assert!(Value::parse(br#"{"a":1,"a":2}"#).unwrap().member("a").is_err(), "twice");
        for number in ["-1", "1.0", "1e3", "18446744073709551616", "\"1\""] {
            assert!(Value::parse(number.as_bytes()).unwrap().integer().is_err(), "{number}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(Value::parse(nested(DEPTH).as_bytes()).is_ok());
        assert!(Value::parse(nested(100_000).as_bytes()).is_err());
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            ".*".prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(4, 24, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                prop::collection::btree_map(".{0,6}", inner, 0..6)
                    .prop_map(|members| members.into_iter().collect::<serde_json::Map<_, _>>().into()),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_serde_json_writes_is_read(value in json()) {
            let text = serde_json::to_vec(&value).unwrap();
            prop_assert!(Value::parse(&text).is_ok());
            prop_assert!(Value::parse(&serde_json::to_vec_pretty(&value).unwrap()).is_ok());
        }

        #[test]
        fn what_is_read_serde_json_reads_too(bytes in "[\\[\\]{}\",:0-9a-e\\\\ .tru-]{0,24}") {
            if Value::parse(bytes.as_bytes()).is_ok() {
                // Surrogates and the range of numbers are not checked here.
                if !bytes.contains("\\u") && !bytes.contains('e') {
                    prop_assert!(serde_json::from_str::<serde_json::Value>(&bytes).is_ok(), "{}", bytes);
                }
            }
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(value) = Value::parse(&bytes) {
                let _ = (value.text(), value.integer(), value.member("a"));
            }
        }
    }
}
