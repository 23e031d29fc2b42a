//! QR codes as PNG pictures (RFC 2083), for clients that cannot show SVG. Black and white, not compressed: a code is a
//! few kilobytes, and a compressor would be the larger part of it.

use base64::{Engine, engine::general_purpose::STANDARD};
use qrcode::{Color, QrCode};

/// Pixels of a module's side.
const SCALE: usize = 4;

/// Modules of light around the code (ISO/IEC 18004, section 9.1).
const QUIET: usize = 4;

/// The picture as a `data:` address.
pub(super) fn data_url(code: &QrCode) -> String {
    format!("data:image/png;base64,{}", STANDARD.encode(png(code)))
}

fn png(code: &QrCode) -> Vec<u8> {
    let modules = code.width();
    let side = (modules + 2 * QUIET) * SCALE;
    let dark = |x: usize, y: usize| {
        let (x, y) = (x / SCALE, y / SCALE);
        let inside = |place: usize| (QUIET..QUIET + modules).contains(&place);
        inside(x) && inside(y) && code[(x - QUIET, y - QUIET)] == Color::Dark
    };
    let mut rows = Vec::with_capacity(side * (side / 8 + 2));
    for y in 0..side {
        // No filter.
        rows.push(0);
        rows.extend((0..side).step_by(8).map(|x| {
            let light = |bit: usize| x + bit < side && !dark(x + bit, y);
            (0..8).fold(0, |byte: u8, bit| byte << 1 | u8::from(light(bit)))
        }));
    }
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let length = (side as u32).to_be_bytes();
    // One bit of grey for each pixel.
    chunk(&mut file, b"IHDR", &[&length[..], &length[..], &[1, 0, 0, 0, 0]].concat());
    chunk(&mut file, b"IDAT", &stored(&rows));
    chunk(&mut file, b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    file.extend((data.len() as u32).to_be_bytes());
    let start = file.len();
    file.extend(kind);
    file.extend(data);
    let sum = crc32(&file[start..]);
    file.extend(sum.to_be_bytes());
}

/// A zlib stream (RFC 1950) of stored blocks (RFC 1951, section 3.2.4).
fn stored(data: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let last = data.chunks(0xffff).count().saturating_sub(1);
    for (place, block) in data.chunks(0xffff).enumerate() {
        let length = block.len() as u16;
        stream.push(u8::from(place == last));
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    let (mut a, mut b) = (1_u32, 0_u32);
    for &byte in data {
        a = (a + u32::from(byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    stream.extend((b << 16 | a).to_be_bytes());
    stream
}

fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(u32::MAX, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| sum >> 1 ^ (0xedb8_8320 & 0_u32.wrapping_sub(sum & 1)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standards() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(stored(b"Wikipedia")[2 + 5 + 9..], 0x11e6_0398_u32.to_be_bytes());
    }

    #[test]
    fn the_picture_shows_the_modules_of_the_code() {
        let code = QrCode::new("otpauth://totp/AuthKit:ada@example.org?secret=ABC").expect("short enough");
        let file = png(&code);
        let side = (code.width() + 8) * 4;
        assert_eq!(file[16..24], [(side as u32).to_be_bytes(), (side as u32).to_be_bytes()].concat());
        // Signature, IHDR, the head of IDAT, of zlib and of its only block.
        let rows = &file[8 + 25 + 8 + 2 + 5..];
        let dark = |x: usize, y: usize| rows[y * (side.div_ceil(8) + 1) + 1 + x / 8] >> (7 - x % 8) & 1 == 0;
        for y in 0..code.width() {
            for x in 0..code.width() {
                assert_eq!(dark((x + 4) * 4, (y + 4) * 4), code[(x, y)] == Color::Dark, "{x} {y}");
            }
        }
        assert!(!dark(0, 0) && !dark(15, side - 1) && dark(16, 16));
        assert!(file.ends_with(b"IEND\xae\x42\x60\x82"));
    }
}
