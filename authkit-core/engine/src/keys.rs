//! The installation's master keys: reading, judging, and what development does without one.

use authkit_core::{
    crypto::{MasterKey, hex, sha256},
    wire::Secret,
};
use base64::{
    Engine as _,
    engine::GeneralPurpose,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use std::{
    io::{ErrorKind, Read as _, Write as _},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Reads 64 hexadecimal digits, or base64 of 32 bytes.
///
/// # Errors
/// What it should be; the text itself is never repeated.
pub(crate) fn parse(text: &Secret) -> Result<MasterKey, String> {
    let text = text.expose().trim();
    let mut key = Zeroizing::new([0; 32]);
    if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        for (byte, digits) in key.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| WANTED)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| WANTED)?;
        }
        return Ok(key);
    }
    let engines: [&GeneralPurpose; 4] = [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD];
    for engine in engines {
        if let Ok(bytes) = engine.decode(text).map(Zeroizing::new)
            && bytes.len() == 32
        {
            key.copy_from_slice(&bytes);
            return Ok(key);
        }
    }
    Err(WANTED.into())
}

const WANTED: &str = "it is neither 64 hexadecimal digits nor base64 of 32 bytes; make one with `openssl rand -hex 32`";

/// Why a key is no random one, if that can be seen. A random key passes but for one in 10¹².
pub(crate) fn weakness(key: &MasterKey) -> Option<&'static str> {
    let mut seen = [0_u8; 256];
    for byte in key.iter() {
        seen[usize::from(*byte)] += 1;
    }
    let different = seen.iter().filter(|count| **count > 0).count();
    let steps_alike = key.windows(3).all(|w| w[1].wrapping_sub(w[0]) == w[2].wrapping_sub(w[1]));
    let readable = key.iter().all(|byte| (0x20..0x7f).contains(byte));
    let repeated = (1..=16).any(|period| key.iter().zip(key.iter().skip(period)).all(|(a, b)| a == b));
    if different == 1 {
        Some("one byte repeated")
    } else if steps_alike {
        Some("a counting sequence")
    } else if repeated {
        Some("a repeated pattern")
    } else if readable {
        Some("readable text, not random bytes")
    } else if different < 18 {
        Some("of low entropy")
    } else {
        None
    }
}

/// The development key in the file at `path`, which is made of `candidate` with mode 0600 when it is not there.
///
/// # Errors
/// What stands in the way.
pub(crate) fn development_file(path: &Path, candidate: &[u8; 32]) -> Result<MasterKey, String> {
    let failed = |what: &str, error: std::io::Error| format!("the development key {} {what}: {error}", path.display());
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| failed("needs its folder", error))?;
    }
    // Written whole under another name first: two processes that start at once, or a crash, never leave half a key.
    if !path.exists() {
        let draft = draft(path, candidate);
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&draft).map_err(|error| failed("cannot be written", error))?;
        let digits = Zeroizing::new(hex(candidate));
        let written = file.write_all(digits.as_bytes()).and_then(|()| file.write_all(b"\n"));
        let written = written.and_then(|()| file.sync_all());
        let linked = written.and_then(|()| std::fs::hard_link(&draft, path));
        let _ = std::fs::remove_file(&draft);
        match linked {
            // Another process was first: its key is the one.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            other => other.map_err(|error| failed("cannot be written", error))?,
        }
    }
    let mut text = Zeroizing::new(String::new());
    std::fs::File::open(path)
        .and_then(|file| file.take(4_096).read_to_string(&mut text))
        .map_err(|error| failed("cannot be read", error))?;
    parse(&Secret::from(text.as_str())).map_err(|error| format!("the development key {}: {error}", path.display()))
}

/// A name of its own for each candidate, which tells nothing about it.
fn draft(path: &Path, candidate: &[u8; 32]) -> PathBuf {
    path.with_extension(format!("{}.new", hex(&sha256(candidate)[..8])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_hexadecimal_and_base64_and_nothing_else() {
        let bytes: Vec<u8> = (0..32_u8).map(|i| i.wrapping_mul(37).wrapping_add(11)).collect();
        let hex = hex(&bytes);
        for text in [
            hex.clone(),
            hex.to_uppercase(),
            format!(" {hex}\n"),
            STANDARD.encode(&bytes),
            URL_SAFE_NO_PAD.encode(&bytes),
        ] {
            assert_eq!(parse(&text.as_str().into()).expect("a key")[..], bytes[..], "{text}");
        }
        for wrong in ["", "secret", &hex[..62], &format!("{hex}00"), &STANDARD.encode(&bytes[..31])] {
            let error = parse(&(*wrong).into()).expect_err(wrong);
            assert!(wrong.is_empty() || !error.contains(wrong), "the error repeats the text");
        }
    }

    #[test]
    fn weak_keys_are_recognised_and_random_ones_are_not() {
        let of = |f: fn(usize) -> u8| MasterKey::new(std::array::from_fn(f));
        assert_eq!(weakness(&of(|_| 7)), Some("one byte repeated"));
        assert_eq!(weakness(&of(|i| i as u8)), Some("a counting sequence"));
        assert_eq!(weakness(&of(|i| [3, 200, 17, 94][i % 4])), Some("a repeated pattern"));
        assert_eq!(
            weakness(&MasterKey::new(*b"correct horse battery staple 123")),
            Some("readable text, not random bytes")
        );
        assert_eq!(weakness(&of(|i| (i * i) as u8 % 13)), Some("of low entropy"));
        let random = authkit_core::memory::SeededRandom::new(7);
        for _ in 0..10_000 {
            let mut key = MasterKey::default();
            authkit_core::ports::Random::fill(&random, key.as_mut());
            assert_eq!(weakness(&key), None);
        }
    }

    #[test]
    fn the_name_of_a_draft_tells_nothing_of_the_key() {
        let name = |candidate| draft(Path::new("a.key"), candidate).display().to_string();
        assert_eq!(name(&[9; 32]), "a.8c0cc17a04942cc4.new", "of SHA-256");
        assert_ne!(name(&[9; 32]), name(&[8; 32]));
    }

    #[test]
    fn the_development_key_is_made_once_and_private() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("data/authkit.db.key");
        let first = development_file(&path, &[9; 32]).expect("made");
        let second = development_file(&path, &[8; 32]).expect("read");
        assert_eq!(first, second);
        assert!(!crate::config::readable_by_others(&path));
        assert_eq!(std::fs::read_dir(path.parent().expect("a folder")).expect("listed").count(), 1, "no draft is left");
    }
}
