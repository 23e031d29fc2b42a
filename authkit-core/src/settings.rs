//! Policies and limits of an installation. The engine's configuration fills them and documents each value.

use jiff::SignedDuration;

const fn minutes(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}

const fn hours(n: i64) -> SignedDuration {
    SignedDuration::from_hours(n)
}

/// Policies and limits of an installation.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where people reach the server, without a trailing slash. Every mailed link starts with it, never with a `Host` header.
    pub public_url: String,
    /// `iss` of access tokens (RFC 7519, section 4.1.1).
    pub issuer: String,
    /// `aud` of access tokens (RFC 7519, section 4.1.3).
    pub audience: String,
    /// How new passwords are judged.
    pub password: PasswordPolicy,
    /// Lifetimes and algorithm of tokens.
    pub tokens: TokenSettings,
    /// When wrong passwords and codes lock.
    pub lockout: LockoutPolicy,
    /// How many sessions, and for how long.
    pub sessions: SessionPolicy,
    /// Lifetimes of mailed links.
    pub links: LinkSettings,
    /// Claims, number and heartbeat of devices.
    pub devices: DeviceSettings,
    /// The name that authenticator apps and mails show.
    pub product_name: String,
    /// Redirect addresses that every tenant may use: exact origin and path prefix at a segment boundary.
    pub redirect_urls: Vec<String>,
    /// Names of the profile fields that the application has declared, with their JSON type.
    pub profile_fields: Vec<ProfileField>,
    /// Whether delivered mail is kept readable in the development outbox.
    pub development_outbox: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public_url: "http://127.0.0.1:8080".into(),
            issuer: "http://127.0.0.1:8080".into(),
            audience: "authkit".into(),
            password: PasswordPolicy::default(),
            tokens: TokenSettings::default(),
            lockout: LockoutPolicy::default(),
            sessions: SessionPolicy::default(),
            links: LinkSettings::default(),
            devices: DeviceSettings::default(),
            product_name: "AuthKit".into(),
            redirect_urls: Vec::new(),
            profile_fields: Vec::new(),
            development_outbox: false,
        }
    }
}

/// A profile field that the application has declared.
#[derive(Clone, Debug)]
pub struct ProfileField {
    /// Its name in `profile`.
    pub name: String,
    /// Its JSON type.
    pub kind: ProfileKind,
}

/// The JSON type of a profile field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileKind {
    /// A text of at most 1,000 characters.
    Text,
    /// A number.
    Number,
    /// True or false.
    Boolean,
}

/// How new passwords are judged.
#[derive(Clone, Debug)]
pub struct PasswordPolicy {
    /// Characters after NFC, at least.
    pub min_length: usize,
    /// Characters after NFC, at most.
    pub max_length: usize,
    /// zxcvbn score from 0 to 4, at least.
    pub min_score: u8,
    /// Required kinds of characters.
    pub require_lowercase: bool,
    /// See above.
    pub require_uppercase: bool,
    /// See above.
    pub require_digit: bool,
    /// See above.
    pub require_symbol: bool,
    /// How many earlier passwords cannot be used again, the current one included.
    pub history: u32,
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self {
            min_length: 10,
            max_length: 128,
            min_score: 2,
            require_lowercase: false,
            require_uppercase: false,
            require_digit: false,
            require_symbol: false,
            history: 5,
        }
    }
}

/// A signature algorithm of access tokens (RFC 7518, RFC 8037).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SigningAlgorithm {
    /// Ed25519.
    EdDsa,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSA PKCS#1 v1.5 with SHA-256, 3072 bits.
    Rs256,
}

impl SigningAlgorithm {
    /// Its `alg` value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }
}

/// Lifetimes and algorithm of tokens.
#[derive(Clone, Debug)]
pub struct TokenSettings {
    /// For keys made from now on.
    pub algorithm: SigningAlgorithm,
    /// Life of an access token.
    pub access: SignedDuration,
    /// Life of a device's access token.
    pub device: SignedDuration,
    /// Life of an unused refresh token.
    pub refresh: SignedDuration,
    /// How long the immediately previous refresh token replays its successor pair.
    pub refresh_overlap: SignedDuration,
    /// The same for a repeat with the consuming request's `Idempotency-Key`, while the successor is unused.
    pub refresh_replay: SignedDuration,
    /// Allowed difference between clocks.
    pub leeway: SignedDuration,
    /// A signing key is replaced after this time.
    pub key_rotation: SignedDuration,
}

impl Default for TokenSettings {
    fn default() -> Self {
        Self {
            algorithm: SigningAlgorithm::EdDsa,
            access: minutes(15),
            device: minutes(10),
            refresh: hours(30 * 24),
            refresh_overlap: SignedDuration::from_secs(10),
            refresh_replay: hours(24),
            leeway: SignedDuration::from_secs(30),
            key_rotation: hours(90 * 24),
        }
    }
}

/// How many attempts lock what they are counted under, and for how long. The default is that of wrong passwords and
/// codes.
#[derive(Clone, Debug)]
pub struct LockoutPolicy {
    /// Failures that lock.
    pub failures: i64,
    /// Time in which they count.
    pub window: SignedDuration,
    /// The first lock; each further one lasts twice as long.
    pub first_lock: SignedDuration,
    /// The longest lock, so that a stranger cannot shut somebody out for long.
    pub longest_lock: SignedDuration,
}

impl Default for LockoutPolicy {
    fn default() -> Self {
        Self { failures: 5, window: minutes(15), first_lock: minutes(1), longest_lock: minutes(15) }
    }
}

/// How many sessions a user may have, and for how long.
#[derive(Clone, Debug)]
pub struct SessionPolicy {
    /// The oldest goes when one more is opened; `None` for no limit.
    pub max_per_user: Option<u32>,
    /// Ends a session that was not used for so long; at least [`SHORTEST_IDLE`](Self::SHORTEST_IDLE).
    pub idle_timeout: Option<SignedDuration>,
    /// Ends a session so long after its sign-in.
    pub absolute_timeout: Option<SignedDuration>,
    /// How recent a sign-in must be for what needs a fresh one.
    pub fresh: SignedDuration,
}

impl SessionPolicy {
    /// The shortest idle time that can be kept: activity is known to the minute, and on other nodes a minute later.
    pub const SHORTEST_IDLE: SignedDuration = minutes(3);
}

impl Default for SessionPolicy {
    fn default() -> Self {
        Self { max_per_user: Some(50), idle_timeout: None, absolute_timeout: Some(hours(180 * 24)), fresh: minutes(10) }
    }
}

/// Lifetimes of mailed links and of an MFA attempt.
#[derive(Clone, Debug)]
pub struct LinkSettings {
    /// A registration's proof.
    pub verify: SignedDuration,
    /// A password reset.
    pub reset: SignedDuration,
    /// The proof of a new address.
    pub email_change: SignedDuration,
    /// The old address's way back.
    pub email_undo: SignedDuration,
    /// An attempt that waits for its second factor.
    pub mfa: SignedDuration,
    /// How long an account that was put up for deletion may be opened again by its owner.
    pub deletion_grace: SignedDuration,
}

impl Default for LinkSettings {
    fn default() -> Self {
        Self {
            verify: hours(24),
            reset: hours(1),
            email_change: hours(24),
            email_undo: hours(72),
            mfa: minutes(5),
            deletion_grace: hours(30 * 24),
        }
    }
}

/// Claims, number and heartbeat of devices.
#[derive(Clone, Debug)]
pub struct DeviceSettings {
    /// How long a claim code counts.
    pub claim: SignedDuration,
    /// Active devices of one user, at most.
    pub max_per_user: u32,
    /// How often a device is to send a heartbeat.
    pub heartbeat: SignedDuration,
}

impl Default for DeviceSettings {
    fn default() -> Self {
        Self { claim: minutes(15), max_per_user: 100, heartbeat: minutes(1) }
    }
}
