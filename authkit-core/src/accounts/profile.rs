//! The profile: what a person says about themself, within what the application has declared.

use super::{AccountChange, Accounts, User, push_hook, signed_in};
use crate::{
    Context, Error, Origin, Principal, ProfileKind, Result, TRIES, audit,
    ports::{Operation, OperationKind, Scope, Unit},
    text::hides_something,
};
use authkit_wire::{ErrorCode, FieldError, Patch, UpdateMeRequest, UserView};
use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization;

const MAX_NAME: usize = 200;
const MAX_LOCALE: usize = 35;
const MAX_TEXT: usize = 1_000;
const MAX_PREFERENCES: usize = 16 * 1024;

impl Accounts {
    /// The signed-in user.
    ///
    /// # Errors
    /// `auth.invalid_token` when there is no such active user any more.
    pub async fn get_me(&self, principal: &Principal) -> Result<UserView> {
        Ok(signed_in(&self.cx, principal).await?.view())
    }

    /// Updates the profile. `if_match` is the version that the client saw.
    ///
    /// # Errors
    /// `request.validation_failed`, `request.precondition_failed`, `auth.refused_by_application`.
    pub async fn update_me(
        &self,
        origin: &Origin,
        principal: &Principal,
        request: UpdateMeRequest,
        if_match: Option<i64>,
    ) -> Result<UserView> {
        let cx = &*self.cx;
        let mut user = signed_in(cx, principal).await?;
        let mut changed = edited(cx, &user, request.clone(), if_match)?;
        let operation = Operation::new(OperationKind::UpdateProfile, user.tenant).on(user.id).by(Some(principal));
        cx.before(&operation, None).await?;
        for _ in 0..TRIES {
            let at = cx.now();
            let mut unit = Unit::new().with(AccountChange::UpdateProfile {
                user: user.id,
                version: user.version,
                name: changed.name.clone(),
                locale: changed.locale.clone(),
                profile: changed.profile.clone(),
                preferences: changed.preferences.clone(),
                at,
            });
            unit.push(audit::entry(cx, origin, "user.updated").actor(user.id).person(&user).build());
            push_hook(cx, &mut unit, &operation);
            if cx.try_commit(Scope::Tenant(user.tenant), unit).await?.is_some() {
                changed.version += 1;
                changed.updated_at = at;
                return Ok(changed.view());
            }
            user = signed_in(cx, principal).await?;
            changed = edited(cx, &user, request.clone(), if_match)?;
        }
        Err(ErrorCode::Conflict.into())
    }
}

/// `user` with what the request changes.
fn edited(cx: &Context, user: &User, request: UpdateMeRequest, if_match: Option<i64>) -> Result<User> {
    let mut user = user.clone();
    user.name = patch(request.name, name)?.apply(user.name);
    user.locale = patch(request.locale, locale)?.apply(user.locale);
    user.profile = fields(cx, &user.profile, request.profile.unwrap_or_default())?;
    user.preferences = preferences(&user.preferences, request.preferences.unwrap_or_default())?;
    if if_match.is_some_and(|version| version != user.version) {
        return Err(ErrorCode::PreconditionFailed.into());
    }
    Ok(user)
}

fn patch(value: Patch<String>, check: fn(&str) -> Result<Option<String>>) -> Result<Patch<String>> {
    Ok(match value {
        Patch::Absent => Patch::Absent,
        Patch::Clear => Patch::Clear,
        Patch::Set(text) => check(&text)?.map_or(Patch::Clear, Patch::Set),
    })
}

/// A display name: trimmed, NFC, on one line, and all of it shows: what makes mail and log lines read otherwise than
/// they are is refused (Unicode TR 36, 3.2). An empty one is none.
pub(super) fn name(text: &str) -> Result<Option<String>> {
    let refuse = |detail: &str| Error::field("name", "name.invalid", detail);
    if text.len() > 4 * MAX_NAME {
        return Err(refuse("A name has at most 200 characters."));
    }
    let name: String = text.trim().nfc().collect();
    if name.chars().count() > MAX_NAME {
        return Err(refuse("A name has at most 200 characters."));
    }
    if name.chars().any(char::is_control) || hides_something(&name) {
        return Err(refuse(
            "A name has no control or invisible characters and no marks that turn the direction of text.",
        ));
    }
    Ok((!name.is_empty()).then_some(name))
}

/// A language tag that is well-formed as far as RFC 5646, section 2.1, can be checked without its registry.
pub(super) fn locale(text: &str) -> Result<Option<String>> {
    let mut subtags = text.split('-');
    let alphabetic = |tag: &str| tag.bytes().all(|b| b.is_ascii_alphabetic());
    let language_ok = subtags.next().is_some_and(|tag| (2..=8).contains(&tag.len()) && alphabetic(tag));
    let rest_ok = subtags.all(|tag| (1..=8).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric()));
    if language_ok && rest_ok && text.len() <= MAX_LOCALE {
        Ok(Some(text.to_owned()))
    } else {
        Err(Error::field("locale", "locale.invalid", "Give a language tag such as `en` or `de-AT`."))
    }
}

/// `before` with the declared fields of `given` set; a `null` removes one.
pub(super) fn fields(
    cx: &Context,
    before: &Map<String, Value>,
    given: Map<String, Value>,
) -> Result<Map<String, Value>> {
    let mut after = before.clone();
    let mut refused = Vec::new();
    for (key, value) in given {
        let Some(declared) = cx.settings.profile_fields.iter().find(|field| field.name == key) else {
            refused.push(FieldError::new(
                format!("profile.{}", shown(&key)),
                "profile.unknown_field",
                "The application has not declared this field.",
            ));
            continue;
        };
        let fits = match (declared.kind, &value) {
            (_, Value::Null) | (ProfileKind::Number, Value::Number(_)) | (ProfileKind::Boolean, Value::Bool(_)) => true,
            (ProfileKind::Text, Value::String(text)) => text.chars().count() <= MAX_TEXT && !text.contains('\0'),
            _ => false,
        };
        if !fits {
            let detail = match declared.kind {
                ProfileKind::Text => "Give a text of at most 1,000 characters.",
                ProfileKind::Number => "Give a number.",
                ProfileKind::Boolean => "Give `true` or `false`.",
            };
            refused.push(FieldError::new(format!("profile.{key}"), "profile.invalid_value", detail));
        } else if value.is_null() {
            after.remove(&key);
        } else {
            after.insert(key, value);
        }
    }
    if refused.is_empty() { Ok(after) } else { Err(Error::fields(refused)) }
}

fn preferences(before: &Map<String, Value>, given: Map<String, Value>) -> Result<Map<String, Value>> {
    let mut after = before.clone();
    for (key, value) in given {
        if value.is_null() {
            after.remove(&key);
        } else {
            after.insert(key, value);
        }
    }
    let text = serde_json::to_string(&after).map_err(Error::internal)?;
    if text.len() > MAX_PREFERENCES || text.contains("\\u0000") {
        return Err(Error::field(
            "preferences",
            "preferences.invalid",
            "All preferences together have at most 16 KiB as JSON, without NUL.",
        ));
    }
    Ok(after)
}

fn shown(key: &str) -> String {
    key.chars().filter(|c| !c.is_control()).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_clean_line() {
        assert_eq!(name(" Zoe\u{308} ").expect("a name").as_deref(), Some("Zoë"));
        assert_eq!(name("  ").expect("none"), None);
        for wrong in
            ["\u{200b}", "\u{3164}\u{3164}", "\u{200d}", "Ada\u{200b}", "\u{2067}Ada", "Ada\u{e0020}", "\u{feff}"]
        {
            assert!(name(wrong).is_err(), "{wrong:?}");
        }
        for wrong in ["a\r\nBcc: b", "a\0b", "a\u{202e}b", "a\u{2028}b", &"a".repeat(201), &"a".repeat(9_000_000)] {
            assert!(name(wrong).is_err());
        }
    }

    #[test]
    fn locales_are_language_tags() {
        for right in ["en", "de-AT", "zh-Hant-TW", "sl-rozaj-biske"] {
            assert_eq!(locale(right).expect("a tag").as_deref(), Some(right));
        }
        for wrong in ["", "e", "en_US", "en-", "../../etc", "en\r\n", "de-AT-".repeat(9).as_str()] {
            assert!(locale(wrong).is_err(), "{wrong:?}");
        }
    }
}
