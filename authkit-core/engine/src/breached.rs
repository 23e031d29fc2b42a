//! Passwords known from breaches, without the network.

use async_trait::async_trait;
use authkit_core::{
    crypto::{hex, sha256},
    ports::BreachedPasswords,
    wire::Secret,
};
use sha1::{Digest as _, Sha1};
use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::Path,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

/// Common passwords of eight and more characters, lower case, sorted bytewise. From the frequency list of zxcvbn
/// (MIT, Dropbox and the authors of zxcvbn-rs), and the sentences that this project's documentation shows.
static COMMON: LazyLock<Vec<&str>> = LazyLock::new(|| include_str!("../data/breached.txt").lines().collect());

/// The built-in list of common passwords, and optionally a file of hashes.
///
/// The file holds one SHA-1 or SHA-256 hash in hexadecimal on each line, sorted, with or without `:COUNT` behind it, as Have I
/// Been Pwned publishes it. It is searched where it lies: a lookup reads some 40 places, whatever its size.
#[derive(Debug, Default)]
pub struct BreachedList {
    file: Option<Arc<HashFile>>,
}

impl BreachedList {
    /// The built-in list and the file at `path`.
    ///
    /// # Errors
    /// When the file cannot be read or its first line is no hash.
    pub fn with_file(path: &Path) -> io::Result<Self> {
        Ok(Self { file: Some(Arc::new(HashFile::open(path)?)) })
    }
}

#[async_trait]
impl BreachedPasswords for BreachedList {
    async fn contains(&self, password: &Secret) -> bool {
        if COMMON.binary_search(&password.expose().to_lowercase().as_str()).is_ok() {
            return true;
        }
        let Some(file) = self.file.clone() else { return false };
        let hash = file.hash(password.expose());
        let found = tokio::task::spawn_blocking(move || file.contains(&hash)).await;
        match found {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the list of breached passwords cannot be searched");
                false
            }
            Err(error) => {
                tracing::error!(%error, "the search in the list of breached passwords failed");
                false
            }
        }
    }
}

/// A sorted file of hashes.
#[derive(Debug)]
struct HashFile {
    file: Mutex<File>,
    length: u64,
    digits: usize,
}

/// Longer than any line of such a file.
const LINE: usize = 160;

impl HashFile {
    fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut start = [0; 65];
        let read = read_some(&mut file, &mut start)?;
        let digits = start[..read].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        if digits != 40 && digits != 64 {
            let wanted = "the first line is neither a SHA-1 nor a SHA-256 hash in hexadecimal";
            return Err(io::Error::new(io::ErrorKind::InvalidData, wanted));
        }
        Ok(Self { file: Mutex::new(file), length, digits })
    }

    fn hash(&self, password: &str) -> Vec<u8> {
        let hex = |bytes: &[u8]| hex(bytes).to_ascii_uppercase().into_bytes();
        if self.digits == 40 { hex(&Sha1::digest(password.as_bytes())) } else { hex(&sha256(password.as_bytes())) }
    }

    /// Bisects by bytes: the line that begins at or after the middle decides for one half.
    fn contains(&self, wanted: &[u8]) -> io::Result<bool> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut low, mut high) = (0, self.length);
        while low < high {
            let middle = low + (high - low) / 2;
            let Some((hash, end)) = self.line_from(&mut file, middle)? else {
                high = middle;
                continue;
            };
            match hash.as_slice().cmp(wanted) {
                std::cmp::Ordering::Equal => return Ok(true),
                std::cmp::Ordering::Less => low = end,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(false)
    }

    /// The hash of the first line that begins at or after `offset`, in upper case, and where that line ends.
    fn line_from(&self, file: &mut File, offset: u64) -> io::Result<Option<(Vec<u8>, u64)>> {
        // From one byte before: when that is a line's end, a line begins exactly at `offset`.
        let from = offset.saturating_sub(1);
        let mut buffer = [0; 2 * LINE];
        file.seek(SeekFrom::Start(from))?;
        let read = read_some(file, &mut buffer)?;
        let text = &buffer[..read];
        let begin = if offset == 0 {
            0
        } else {
            match text.iter().position(|byte| *byte == b'\n') {
                Some(at) => at + 1,
                None => return Ok(None),
            }
        };
        let line = &text[begin..];
        if line.len() < self.digits {
            return Ok(None);
        }
        let end = line.iter().position(|byte| *byte == b'\n').map_or(line.len(), |at| at + 1);
        Ok(Some((line[..self.digits].to_ascii_uppercase(), from + (begin + end) as u64)))
    }
}

fn read_some(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[tokio::test]
    async fn common_passwords_are_known_in_any_case() {
        let list = BreachedList::default();
        assert!(COMMON.len() > 5_000 && COMMON.is_sorted());
        let documented = ["a quiet orange tram", "Another quiet orange tram", "correct horse battery staple"];
        for known in ["1234567890", "qwertyuiop", "QwertyUiop", "password1"].into_iter().chain(documented) {
            assert!(list.contains(&known.into()).await, "{known}");
        }
        assert!(!list.contains(&"a long and unlikely sentence".into()).await);
    }

    #[tokio::test]
    async fn every_line_of_a_file_is_found_and_nothing_else() {
        for (digits, ending) in [(40, "\n"), (40, "\r\n"), (64, "\n")] {
            let hash = |password: &str| match digits {
                40 => hex(&Sha1::digest(password.as_bytes())).to_ascii_uppercase(),
                _ => hex(&sha256(password.as_bytes())),
            };
            let mut lines: Vec<String> =
                (0..500).map(|i| format!("{}:{}", hash(&format!("known {i}")), i * i)).collect();
            lines.sort();
            let mut file = tempfile::NamedTempFile::new().expect("a file");
            // Without an end of the last line, as some tools leave it.
            file.write_all(lines.join(ending).as_bytes()).expect("written");
            let list = BreachedList::with_file(file.path()).expect("opened");
            for i in 0..500 {
                assert!(list.contains(&format!("known {i}").into()).await, "known {i} of {digits} digits");
                assert!(!list.contains(&format!("unknown {i}").into()).await, "unknown {i}");
            }
        }
    }

    #[test]
    fn a_file_of_something_else_is_refused() {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(b"password\n123456\n").expect("written");
        assert!(BreachedList::with_file(file.path()).is_err());
    }
}
