use std::fmt;

/// Who may call an operation. A route of the server takes one when it is registered, and the OpenAPI document shows it as
/// `x-authkit-access`. Exhaustive on purpose: whoever enforces it must not forget one that comes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Everybody who is signed in.
    SignedIn,
    /// Everybody who is signed in, on what is their own: what belongs to somebody else does not exist for them.
    Own,
    /// Those who hold the permission for everything in their tenant.
    Permission(&'static str),
    /// Devices, with a token that they got for their key. A user's token does not count here, nor a device's anywhere else.
    Device,
    /// Whoever presents the operator's token (`operations.token`). Where none is set, everybody in development and on
    /// the operator's own listener.
    Machine,
}

impl Access {
    /// Whether an access token is asked for.
    #[must_use]
    pub const fn needs_token(self) -> bool {
        matches!(self, Self::SignedIn | Self::Own | Self::Permission(_) | Self::Device)
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public => f.write_str("public"),
            Self::SignedIn => f.write_str("signed_in"),
            Self::Own => f.write_str("own"),
            Self::Permission(name) => write!(f, "permission:{name}"),
            Self::Device => f.write_str("device"),
            Self::Machine => f.write_str("machine"),
        }
    }
}
