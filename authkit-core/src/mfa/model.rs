use authkit_wire::UserId;
use jiff::Timestamp;

/// A user's TOTP authenticator.
#[derive(Clone, Debug)]
pub struct Totp {
    /// Whose.
    pub user: UserId,
    /// The shared secret, sealed.
    pub secret: Vec<u8>,
    /// Whether it was confirmed; until then it asks for nothing.
    pub confirmed: bool,
    /// The newest accepted time step; no step up to it is accepted again (RFC 6238, section 5.2).
    pub last_step: i64,
    /// When it was enrolled.
    pub created_at: Timestamp,
}
