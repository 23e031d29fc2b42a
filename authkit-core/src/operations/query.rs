//! Query parameters: how lists are filtered and paged.

use crate::{Error, Result, accounts::UserFilter, audit::AuditFilter, devices::DeviceFilter, rbac::RoleFilter};
use authkit_wire::ErrorCode;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::{borrow::Cow, str::FromStr};

/// The parameters of one request, each at most once.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// From decoded pairs, of which only `known` ones count.
    ///
    /// # Errors
    /// `request.invalid_filter` for unknown and doubled parameters, and for what is not text.
    pub fn new<'a, K: AsRef<str>>(
        known: &[K],
        pairs: impl IntoIterator<Item = (Cow<'a, str>, Cow<'a, str>)>,
    ) -> Result<Self> {
        let mut query = Self::default();
        for (name, value) in pairs {
            check_name(known, &name)?;
            if value.contains(['\0', char::REPLACEMENT_CHARACTER]) {
                return Err(unreadable(&name));
            }
            if query.text(&name).is_some() {
                return Err(Error::new(ErrorCode::InvalidFilter, format!("`{name}` is there more than once.")));
            }
            query.0.push((name.into_owned(), value.into_owned()));
        }
        Ok(query)
    }

    /// From JSON: texts, numbers and truth values as a query writes them; `null` is absent.
    pub(super) fn of_arguments(known: &[&str], arguments: Map<String, Value>) -> Result<Self> {
        let mut pairs = Vec::with_capacity(arguments.len());
        for (name, value) in arguments {
            let text = match value {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Bool(truth) => truth.to_string(),
                Value::Null => {
                    check_name(known, &name)?;
                    continue;
                }
                Value::Array(_) | Value::Object(_) => {
                    check_name(known, &name)?;
                    return Err(unreadable(&name));
                }
            };
            pairs.push((Cow::Owned(name), Cow::Owned(text)));
        }
        Self::new(known, pairs)
    }

    /// A text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A value of another kind; `kind` says which.
    ///
    /// # Errors
    /// `request.invalid_filter`
    pub fn value<T: FromStr>(&self, name: &str, kind: &str) -> Result<Option<T>> {
        self.text(name)
            .map(|text| {
                text.parse().map_err(|_| Error::new(ErrorCode::InvalidFilter, format!("`{name}` must be {kind}.")))
            })
            .transpose()
    }

    /// One of the names of an enumeration.
    ///
    /// # Errors
    /// `request.invalid_filter`
    pub fn one_of<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        self.text(name)
            .map(|text| {
                serde_json::from_value(Value::String(text.to_owned())).map_err(|_| {
                    Error::new(ErrorCode::InvalidFilter, format!("`{name}` is not one of the known values."))
                })
            })
            .transpose()
    }

    /// The position in the list.
    #[must_use]
    pub fn cursor(&self) -> Option<&str> {
        self.text("cursor")
    }

    /// The size of the page.
    ///
    /// # Errors
    /// `request.invalid_limit`
    pub fn limit(&self) -> Result<Option<u32>> {
        self.text("limit")
            .map(|text| {
                // `parse` alone would also take `+5`.
                Some(text)
                    .filter(|text| text.bytes().all(|b| b.is_ascii_digit()))
                    .and_then(|text| text.parse().ok())
                    .ok_or_else(|| Error::new(ErrorCode::InvalidLimit, "`limit` must be a whole number."))
            })
            .transpose()
    }

    /// Which users `listUsers` is about.
    ///
    /// # Errors
    /// `request.invalid_filter`
    pub fn user_filter(&self) -> Result<UserFilter> {
        Ok(UserFilter {
            email_prefix: self.text("email").map(str::to_owned),
            name_contains: self.text("name").map(str::to_owned),
            status: self.one_of("status")?,
            role: self.value("role", "the id of a role")?,
        })
    }

    /// Which roles `listRoles` is about.
    ///
    /// # Errors
    /// `request.invalid_filter`
    pub fn role_filter(&self) -> Result<RoleFilter> {
        Ok(RoleFilter {
            parent: self.value("parent_id", "the id of a role")?,
            name: self.text("name").map(str::to_owned),
            system: self.value("system", "`true` or `false`")?,
        })
    }

    /// Which devices `listUserDevices` is about.
    ///
    /// # Errors
    /// `request.invalid_filter`
    pub fn device_filter(&self) -> Result<DeviceFilter> {
        Ok(DeviceFilter { owner: self.value("owner_id", "the id of a user")?, status: self.one_of("status")? })
    }

    /// Which records `listAudit` is about.
    ///
    /// # Errors
    /// `request.invalid_filter`
    pub fn audit_filter(&self) -> Result<AuditFilter> {
        Ok(AuditFilter {
            action: self.text("action").map(str::to_owned),
            actor: self.text("actor").map(str::to_owned),
            subject: self.text("subject").map(str::to_owned),
            outcome: self.one_of("outcome")?,
            from: self.value("from", "a time like `2026-11-20T15:00:00Z`")?,
            until: self.value("until", "a time like `2026-11-20T15:00:00Z`")?,
        })
    }
}

fn check_name<K: AsRef<str>>(known: &[K], name: &str) -> Result<()> {
    if known.iter().any(|known| known.as_ref() == name) {
        return Ok(());
    }
    let detail = if known.is_empty() {
        "This route takes no query parameters.".to_owned()
    } else {
        let list: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
        format!("The query parameters of this route are `{}`.", list.join("`, `"))
    };
    Err(Error::new(ErrorCode::InvalidFilter, detail))
}

fn unreadable(name: &str) -> Error {
    Error::new(ErrorCode::InvalidFilter, format!("`{name}` is not readable text."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(pairs: &[(&str, &str)]) -> Result<Query> {
        let pairs: Vec<_> = pairs.iter().map(|(k, v)| (Cow::from(*k), Cow::from(*v))).collect();
        Query::new(&["limit", "cursor"], pairs)
    }

    #[test]
    fn unknown_doubled_and_unreadable_parameters_are_refused() {
        assert!(of(&[("limit", "5"), ("cursor", "x")]).is_ok());
        for wrong in [
            &[("limits", "5")][..],
            &[("limit", "5"), ("limit", "6")],
            &[("cursor", "\0")],
            &[("cursor", "\u{fffd}")],
            &[("", "")],
        ] {
            assert_eq!(of(wrong).err().map(|error| error.code), Some(ErrorCode::InvalidFilter), "{wrong:?}");
        }
    }

    #[test]
    fn json_stands_for_what_a_query_writes() {
        let of = |arguments: Value| Query::of_arguments(&["limit", "system"], arguments.as_object().cloned().unwrap());
        let query = of(json!({"limit": 5, "system": true})).unwrap();
        assert_eq!((query.limit().unwrap(), query.text("system")), (Some(5), Some("true")));
        assert_eq!(of(json!({"limit": null})).unwrap().limit().unwrap(), None);
        assert_eq!(of(json!({"limit": -5})).unwrap().limit().unwrap_err().code, ErrorCode::InvalidLimit);
        for wrong in [json!({"limit": [5]}), json!({"limit": {}}), json!({"other": null}), json!({"other": {}})] {
            assert_eq!(of(wrong).unwrap_err().code, ErrorCode::InvalidFilter);
        }
    }

    #[test]
    fn a_limit_is_digits() {
        for wrong in ["+5", "-5", "5.0", "", "five", "99999999999"] {
            assert_eq!(of(&[("limit", wrong)]).unwrap().limit().unwrap_err().code, ErrorCode::InvalidLimit, "{wrong}");
        }
    }
}
