use async_trait::async_trait;
use authkit_wire::Secret;
use sha1::{Digest as _, Sha1};
use std::fmt::{Debug, Write as _};

/// Passwords known from breaches.
#[async_trait]
pub trait BreachedPasswords: Debug + Send + Sync {
    /// Whether `password` is known. An adapter that cannot answer says `false` and logs.
    async fn contains(&self, password: &Secret) -> bool;
}

/// Characters of a hash that leave this process: some 800 known passwords share each such prefix.
const PREFIX: usize = 5;

/// A source that tells which known hashes begin with a prefix, so that it never learns which one is asked for.
///
/// Have I Been Pwned is one: `GET https://api.pwnedpasswords.com/range/{prefix}` answers with a line `SUFFIX:COUNT` for
/// each hash. Send `Add-Padding: true`, so that the length of the answer tells nothing either; padding has the count 0.
/// A mirror of its files inside the own network answers alike. Give the source short timeouts: somebody is waiting
/// for the answer.
///
/// ```
/// use authkit_core::ports::{BreachRanges, BreachedPasswords, KAnonymous};
///
/// /// What an HTTP client would get.
/// #[derive(Debug)]
/// struct Mirror;
///
/// #[async_trait::async_trait]
/// impl BreachRanges for Mirror {
///     async fn suffixes(&self, prefix: &str) -> Result<Vec<String>, String> {
///         let page = match prefix {
///             "5BAA6" => "1E4C9B93F3F0682250B6CF8331B7EE68FD8:9545824",
///             _ => "",
///         };
///         Ok(page.lines().map(str::to_owned).collect())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let breached = KAnonymous::new(Mirror);
/// assert!(breached.contains(&"password".into()).await);
/// assert!(!breached.contains(&"a quiet orange tram".into()).await);
/// # }
/// ```
#[async_trait]
pub trait BreachRanges: Debug + Send + Sync {
    /// The rest of every known SHA-1 that begins with `prefix` (five hexadecimal digits, upper case): 35 hexadecimal
    /// digits in any case, each with or without `:COUNT` behind it. One with the count 0 is padding.
    ///
    /// # Errors
    /// The reason, for the log.
    async fn suffixes(&self, prefix: &str) -> Result<Vec<String>, String>;
}

/// [`BreachedPasswords`] over a source of ranges: the hash is made and compared here, and only its first five digits
/// leave (k-anonymity). A source that fails refuses nobody's password; the log tells.
#[derive(Debug)]
pub struct KAnonymous<R> {
    ranges: R,
}

impl<R: BreachRanges> KAnonymous<R> {
    /// Over `ranges`.
    pub const fn new(ranges: R) -> Self {
        Self { ranges }
    }
}

#[async_trait]
impl<R: BreachRanges> BreachedPasswords for KAnonymous<R> {
    async fn contains(&self, password: &Secret) -> bool {
        let mut hash = zeroize::Zeroizing::new(String::with_capacity(40));
        for byte in Sha1::digest(password.expose().as_bytes()) {
            // Writing into a string does not fail.
            let _ = write!(hash, "{byte:02X}");
        }
        let (prefix, rest) = hash.split_at(PREFIX);
        match self.ranges.suffixes(prefix).await {
            Ok(suffixes) => suffixes.iter().any(|line| {
                let (suffix, count) = line.trim().split_once(':').unwrap_or((line.trim(), "1"));
                suffix.trim().eq_ignore_ascii_case(rest) && count.trim() != "0"
            }),
            Err(reason) => {
                tracing::warn!(reason, "whether a password is known from breaches could not be asked");
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Remembers what it was asked and answers alike.
    #[derive(Debug)]
    struct Source(Mutex<Vec<String>>, Result<Vec<String>, String>);

    #[async_trait]
    impl BreachRanges for Source {
        async fn suffixes(&self, prefix: &str) -> Result<Vec<String>, String> {
            self.0.lock().expect("not poisoned").push(prefix.to_owned());
            self.1.clone()
        }
    }

    /// `abc` has the hash A9993E364706816ABA3E25717850C26C9CD0D89D (FIPS 180-4, RFC 3174 section 7.3).
    async fn abc_is_in(answer: Result<&[&str], &str>) -> (bool, Vec<String>) {
        let answer = answer.map(|lines| lines.iter().map(|line| (*line).to_owned()).collect());
        let checked = KAnonymous::new(Source(Mutex::default(), answer.map_err(str::to_owned)));
        let found = checked.contains(&"abc".into()).await;
        (found, checked.ranges.0.into_inner().expect("not poisoned"))
    }

    #[tokio::test]
    async fn the_rest_of_the_hash_is_compared_here_and_only_the_prefix_leaves() {
        let rest = "E364706816ABA3E25717850C26C9CD0D89D";
        for lines in [
            vec!["0018A45C4D1DEF81644B54AB7F969B88D65:3", "E364706816ABA3E25717850C26C9CD0D89D:42\r"],
            vec!["e364706816aba3e25717850c26c9cd0d89d"],
            vec![rest],
        ] {
            assert_eq!(abc_is_in(Ok(&lines)).await, (true, vec!["A9993".to_owned()]), "{lines:?}");
        }
        for lines in [vec![], vec!["E364706816ABA3E25717850C26C9CD0D89D:0"], vec!["E364"], vec!["", ":", "A9993"]] {
            assert!(!abc_is_in(Ok(&lines)).await.0, "{lines:?}");
        }
    }

    #[tokio::test]
    async fn a_source_that_fails_refuses_nobody() {
        assert!(!abc_is_in(Err("timed out")).await.0);
    }
}
