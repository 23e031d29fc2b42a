//! What an authenticator app is given: base32, the key URI and its QR code.

use crate::{Error, Result};
use qrcode::{EcLevel, QrCode, render::svg};
use std::fmt::Write;
use zeroize::Zeroizing;

/// Base32 without padding (RFC 4648, section 6).
pub(super) fn base32(bytes: &[u8]) -> Zeroizing<String> {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = Zeroizing::new(String::with_capacity(bytes.len().div_ceil(5) * 8));
    let (mut buffer, mut bits) = (0_u32, 0);
    for &byte in bytes {
        buffer = (buffer << 8) | u32::from(byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(ALPHABET[(buffer >> bits & 31) as usize]));
        }
    }
    if bits > 0 {
        text.push(char::from(ALPHABET[(buffer << (5 - bits) & 31) as usize]));
    }
    text
}

/// Everything but the unreserved characters of RFC 3986, section 2.3, is encoded: neither issuer nor account can add a
/// parameter.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing into a String does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// The key URI that authenticator apps read.
pub(super) fn uri(issuer: &str, account: &str, secret: &str) -> Zeroizing<String> {
    let (issuer, account) = (encoded(issuer), encoded(account));
    Zeroizing::new(format!(
        "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30"
    ))
}

/// The QR code of `text` as a PNG picture in a `data:` address.
pub(crate) fn qr_png(text: &str) -> Result<String> {
    Ok(super::png::data_url(&code(text)?))
}

fn code(text: &str) -> Result<QrCode> {
    QrCode::with_error_correction_level(text, EcLevel::M).map_err(Error::internal)
}

/// The QR code of `text` as an SVG element that can stand in a page.
pub fn qr_svg(text: &str) -> Result<String> {
    let code = code(text)?;
    let svg = code.render::<svg::Color<'_>>().module_dimensions(4, 4).build();
    // The XML declaration must not stand inside HTML.
    Ok(svg.find("<svg").map_or(svg.clone(), |start| svg[start..].to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base32_is_that_of_rfc_4648_section_10() {
        for (plain, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(plain.as_bytes()).as_str(), text);
        }
    }

    #[test]
    fn neither_issuer_nor_account_adds_a_parameter() {
        let uri = uri("A&B: ?#/é", "x+y&secret=AAAA@example.com", "SECRET");
        assert_eq!(
            uri.as_str(),
            "otpauth://totp/A%26B%3A%20%3F%23%2F%C3%A9:x%2By%26secret%3DAAAA%40example.com\
             ?secret=SECRET&issuer=A%26B%3A%20%3F%23%2F%C3%A9&algorithm=SHA1&digits=6&period=30"
        );
    }

    #[test]
    fn the_qr_code_is_an_svg_element_even_for_the_longest_account() {
        let uri = uri(&"é".repeat(64), &format!("{}@{}", "x".repeat(64), "y".repeat(189)), &"A".repeat(32));
        let svg = qr_svg(&uri).expect("fits");
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>"));
    }
}
