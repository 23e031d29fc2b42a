//! Typed identifiers: a prefix that names the kind, then a `UUIDv7` (RFC 9562, section 5.7) as 32 hexadecimal digits.

use core::{fmt, str::FromStr};
use uuid::Uuid;

/// The text was not an id of the expected kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdError;

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an id of the expected kind")
    }
}

impl core::error::Error for IdError {}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// What every id of this kind starts with.
            pub const PREFIX: &'static str = $prefix;

            /// The id over an existing UUID.
            #[must_use]
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID without its prefix.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}", $prefix, self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let hex = text.strip_prefix($prefix).ok_or(IdError)?;
                // One spelling only: comparing ids as text must be the same as comparing ids.
                if hex.len() != 32 || !hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
                    return Err(IdError);
                }
                Uuid::try_parse(hex).map(Self).map_err(|_| IdError)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct Text;
                impl serde::de::Visitor<'_> for Text {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str(concat!("an id that starts with ", $prefix))
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
                    }
                }
                from.deserialize_str(Text)
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some(concat!("^", $prefix, "[0-9a-f]{32}$")))
                    .examples([concat!($prefix, "0192f0c1a4b87c3d9e5f60718293a4b5")])
                    .into()
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $name {
            fn name() -> alloc::borrow::Cow<'static, str> {
                alloc::borrow::Cow::Borrowed(stringify!($name))
            }
        }
    )+};
}

ids! {
    /// A tenant: the wall that no query crosses.
    TenantId = "ten_";
    /// A user, who belongs to exactly one tenant.
    UserId = "usr_";
    /// A session: one sign-in on one device, and the family of its refresh tokens.
    SessionId = "ses_";
    /// A role of a tenant.
    RoleId = "rol_";
    /// A signing key.
    KeyId = "key_";
    /// A registration that is not proved yet.
    RegistrationId = "reg_";
    /// A single-use token's record (reset, e-mail change, undo, MFA attempt).
    OneTimeTokenId = "ott_";
    /// A device, which signs in with a key of its own.
    DeviceId = "dev_";
    /// An invitation for one device to become a user's.
    DeviceClaimId = "clm_";
    /// An audit record.
    AuditId = "aud_";
    /// A notice in the outbox.
    NoticeId = "ntc_";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn an_id_round_trips_and_refuses_other_kinds_and_spellings() {
        let id = UserId::new(Uuid::from_u128(0x0192_f0c1_a4b8_7c3d_9e5f_6071_8293_a4b5));
        let text = id.to_string();
        assert_eq!(text, "usr_0192f0c1a4b87c3d9e5f60718293a4b5");
        assert_eq!(text.parse(), Ok(id));
        for wrong in [
            "ses_0192f0c1a4b87c3d9e5f60718293a4b5",
            "usr_0192F0C1A4B87C3D9E5F60718293A4B5",
            "usr_0192f0c1-a4b8-7c3d-9e5f-60718293a4b5",
            "usr_",
            "",
        ] {
            assert_eq!(wrong.parse::<UserId>(), Err(IdError), "{wrong}");
        }
    }
}
