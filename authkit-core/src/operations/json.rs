//! JSON objects read into requests. What is refused is named by its path, and no value is repeated.

use crate::{Error, Result};
use authkit_wire::{ErrorCode, FieldError};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The request of an operation that takes none: an object without fields.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Empty {}

/// Reads a JSON object from the bytes of a body. Unknown and doubled fields, other shapes than an object and NUL
/// characters are refused.
///
/// # Errors
/// `request.malformed` for what is not JSON, `request.validation_failed` with the field for everything else.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let mut from = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut from);
    let value = match parsed {
        Ok(value) => value,
        Err(error) => {
            let path = error.path().to_string();
            return Err(match error.inner().classify() {
                serde_json::error::Category::Data if is_whole(bytes) => refused(&path, error.inner()),
                _ => malformed(error.inner()),
            });
        }
    };
    from.end().map_err(|error| malformed(&error))?;
    // serde also takes an array of a struct's fields in their order; the contract does not.
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(Error::field("", "invalid_type", "The body must be an object."));
    }
    // A raw NUL is no JSON, so only the escape can bring one; most bodies end here.
    if bytes.windows(6).any(|window| window == b"\\u0000")
        && let Ok(value) = serde_json::from_slice(bytes)
    {
        refuse_nul(&value)?;
    }
    Ok(value)
}

/// The same for an object that is parsed already.
pub(super) fn read<T: DeserializeOwned>(object: &Value) -> Result<T> {
    let value =
        serde_path_to_error::deserialize(object).map_err(|error| refused(&error.path().to_string(), error.inner()))?;
    refuse_nul(object)?;
    Ok(value)
}

/// Whether the text is JSON at all: what is not is malformed, whichever field a parser stumbled over first.
fn is_whole(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
}

fn malformed(error: &serde_json::Error) -> Error {
    let (line, column) = (error.line(), error.column());
    Error::new(ErrorCode::MalformedRequest, format!("The body is not valid JSON (line {line}, column {column})."))
}

/// One refused field. serde's message is taken apart, so that no value of the request, perhaps a password, is repeated.
fn refused(path: &str, error: &serde_json::Error) -> Error {
    let message = error.to_string();
    let named = |start: &str| {
        message.strip_prefix(start).and_then(|rest| rest.split_once('`')).map(|(name, _)| {
            // The path of an unknown field includes it already, that of a missing one does not.
            let parent = path.strip_suffix(name).unwrap_or(path).trim_end_matches('.');
            if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") }
        })
    };
    let field = if let Some(field) = named("unknown field `") {
        FieldError::new(field, "unknown_field", "There is no such field.")
    } else if let Some(field) = named("missing field `") {
        FieldError::new(field, "missing_field", "This field is required.")
    } else if let Some(field) = named("duplicate field `") {
        FieldError::new(field, "duplicate_field", "This field is there more than once.")
    } else {
        let path = if path == "." { "" } else { path };
        let expected =
            message.split_once(", expected ").map(|(_, rest)| rest.split(" at line ").next().unwrap_or(rest));
        // serde names the Rust type, which is nobody's business.
        let object = expected.is_some_and(|what| what.starts_with("struct ") || what.starts_with("a map"));
        let detail = match expected {
            _ if object => "Expected an object.".to_owned(),
            Some(expected) => format!("Expected {expected}."),
            None => "The value cannot be read.".to_owned(),
        };
        let wrong_type = object || message.starts_with("invalid type");
        let code = if wrong_type { "invalid_type" } else { "invalid_value" };
        FieldError::new(path, code, detail)
    };
    Error::fields(vec![field])
}

/// Refuses the NUL character, which PostgreSQL's texts cannot hold, and says where it is.
fn refuse_nul(value: &Value) -> Result<()> {
    fn walk(value: &Value, path: &mut String) -> bool {
        let length = path.len();
        match value {
            Value::String(text) => text.contains('\0'),
            Value::Array(items) => items.iter().enumerate().any(|(i, item)| {
                path.truncate(length);
                path.push_str(&format!("[{i}]"));
                walk(item, path)
            }),
            Value::Object(fields) => fields.iter().any(|(name, item)| {
                path.truncate(length);
                if name.contains('\0') {
                    return true;
                }
                if length > 0 {
                    path.push('.');
                }
                path.push_str(name);
                walk(item, path)
            }),
            _ => false,
        }
    }

    let mut path = String::new();
    if walk(value, &mut path) {
        return Err(Error::field(path, "invalid_value", "The NUL character is not allowed."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use authkit_wire::{CreateRoleRequest, LoginRequest, UpdateMeRequest};

    fn named(error: Error) -> (ErrorCode, String, String) {
        let field = error.fields.first();
        (
            error.code,
            field.map(|field| field.field.clone()).unwrap_or_default(),
            field.map(|field| field.code.clone()).unwrap_or_default(),
        )
    }

    /// The refusal of a body; that of the same object as arguments must be the same, where it is one.
    #[track_caller]
    fn refusal<T: DeserializeOwned>(text: &str) -> (ErrorCode, String, String) {
        let error = parse::<T>(text.as_bytes()).err().expect("refused");
        if let Ok(value @ Value::Object(_)) = serde_json::from_str(text)
            && !error.fields.iter().any(|field| field.code == "duplicate_field")
        {
            let same = read::<T>(&value).err().expect("refused");
            assert_eq!((same.code, &same.fields, &same.detail), (error.code, &error.fields, &error.detail), "{text}");
        }
        named(error)
    }

    #[test]
    fn what_is_not_json_is_malformed() {
        for text in [
            "",
            "{",
            "{\"email\":",
            "nonsense",
            "{} {}",
            "{\"email\":5,",
            r#"{"email":"a","password":"b"} {}"#,
            "\"\\ud800\"",
            "{\"email\":\"\\ud800\"}",
        ] {
            let (code, _, _) = refusal::<LoginRequest>(text);
            assert_eq!(code, ErrorCode::MalformedRequest, "{text}");
        }
    }

    #[test]
    fn a_refused_field_is_named_and_its_value_is_not_repeated() {
        let wrong = ErrorCode::ValidationFailed;
        let check = |text: &str, field: &str, reason: &str| {
            assert_eq!(refusal::<LoginRequest>(text), (wrong, field.to_owned(), reason.to_owned()), "{text}");
        };
        check(r#"{"email":"a","password":"b","role":"admin"}"#, "role", "unknown_field");
        check(r#"{"email":"a"}"#, "password", "missing_field");
        check(r#"{"email":5,"password":"b"}"#, "email", "invalid_type");
        check(r#"{"email":"a","email":"b","password":"c"}"#, "email", "duplicate_field");
        check(r#"["a","b"]"#, "", "invalid_type");
        check(r#"{"email":"a\u0000","password":"b"}"#, "email", "invalid_value");
        let error = parse::<LoginRequest>(br#"{"email":"a","password":31337}"#).err().unwrap();
        assert!(!format!("{error:?}").contains("31337"), "{error:?}");
        let error = parse::<CreateRoleRequest>(br#"{"name":"x","parent_id":"hunter2"}"#).err().unwrap();
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        let (_, field, _) = refusal::<CreateRoleRequest>(r#"{"name":"x","permissions":["a",7]}"#);
        assert_eq!(field, "permissions[1]");
    }

    #[test]
    fn what_is_no_object_is_told_so_without_the_name_of_a_type() {
        for text in ["null", "5", "true", "\"x\""] {
            let error = parse::<LoginRequest>(text.as_bytes()).expect_err("refused");
            let field = &error.fields[0];
            assert_eq!((field.field.as_str(), field.code.as_str()), ("", "invalid_type"), "{text}");
            assert_eq!(field.detail, "Expected an object.", "{text}");
        }
        let error = parse::<UpdateMeRequest>(br#"{"profile":5}"#).expect_err("refused");
        assert_eq!(error.fields[0].detail, "Expected an object.");
    }

    #[test]
    fn a_nul_is_found_wherever_it_is_and_an_escaped_backslash_is_none() {
        let (_, field, _) = refusal::<UpdateMeRequest>(r#"{"profile":{"a":[{"b":"\u0000"}]}}"#);
        assert_eq!(field, "profile.a[0].b");
        assert!(parse::<UpdateMeRequest>(br#"{"profile":{"a":"\\u0000"}}"#).is_ok());
    }
}
