use crate::ports::{BreachedPasswords, Clock, HashError, Mail, MailError, Mailer, PasswordHasher, Random, Verified};
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use async_trait::async_trait;
use authkit_wire::Secret;
use jiff::{SignedDuration, Timestamp};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicI64, Ordering},
};

/// The system's time.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the port's one place that reads the system's time")]
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }
}

/// A clock that stands until it is moved. Its clones move together.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock that stands at `start`.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(start.as_microsecond())))
    }

    /// Moves it.
    pub fn advance(&self, by: SignedDuration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.load(Ordering::SeqCst)).unwrap_or(Timestamp::MAX)
    }
}

/// The system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        #[expect(
            clippy::expect_used,
            clippy::disallowed_methods,
            reason = "the port itself; without randomness nothing may go on"
        )]
        getrandom::fill(bytes).expect("the system gives randomness");
    }
}

/// Repeatable bytes for tests and scenarios (SplitMix64). Never for production.
#[derive(Clone, Debug)]
pub struct SeededRandom(Arc<Mutex<u64>>);

impl SeededRandom {
    /// The sequence of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(seed)))
    }

    /// Goes on with the sequence of `seed`, as do its clones.
    pub fn reseed(&self, seed: u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = seed;
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in bytes.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = *state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

/// Argon2id on the caller's thread.
#[derive(Clone, Debug)]
pub struct InlineHasher {
    argon2: Argon2<'static>,
}

impl InlineHasher {
    /// With `memory_kib`, `iterations` and one lane. `None` for parameters that Argon2 does not take.
    #[must_use]
    pub fn new(memory_kib: u32, iterations: u32) -> Option<Self> {
        let params = Params::new(memory_kib, iterations, 1, None).ok()?;
        Some(Self { argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params) })
    }
}

#[async_trait]
impl PasswordHasher for InlineHasher {
    async fn hash(&self, password: &Secret) -> Result<String, HashError> {
        let mut salt = [0; 16];
        SystemRandom.fill(&mut salt);
        self.argon2
            .hash_password_with_salt(password.expose().as_bytes(), &salt)
            .map(|hash| hash.to_string())
            .map_err(|_| HashError::Unreadable)
    }

    async fn verify(&self, password: &Secret, hash: Option<&str>) -> Result<Verified, HashError> {
        let Some(hash) = hash else {
            self.hash(password).await?;
            return Ok(Verified::No);
        };
        let parsed = PasswordHash::new(hash).map_err(|_| HashError::Unreadable)?;
        if self.argon2.verify_password(password.expose().as_bytes(), &parsed).is_err() {
            return Ok(Verified::No);
        }
        let current = Params::try_from(&parsed).is_ok_and(|params| {
            params.m_cost() == self.argon2.params().m_cost() && params.t_cost() == self.argon2.params().t_cost()
        });
        Ok(if current { Verified::Yes } else { Verified::Outdated })
    }
}

/// Knows no breached password.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBreaches;

#[async_trait]
impl BreachedPasswords for NoBreaches {
    async fn contains(&self, _: &Secret) -> bool {
        false
    }
}

/// Sends nothing: where the development outbox keeps mail readable, that is where it goes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unsent;

#[async_trait]
impl Mailer for Unsent {
    async fn send(&self, _: &Mail) -> Result<(), MailError> {
        Ok(())
    }
}
