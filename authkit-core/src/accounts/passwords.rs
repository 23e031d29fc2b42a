//! Passwords: how a new one is judged, and how the current one is checked.

use super::{User, wrong_credentials};
use crate::{
    Context, Error, Origin, PasswordPolicy, Principal, Result, audit,
    auth::{Lockout, Reservation},
    notices::{self, AccountEvent},
    ports::{Scope, Unit, Verified},
};
use authkit_wire::{ErrorCode, FieldError, Secret};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use unicode_normalization::UnicodeNormalization;

/// More bytes than any acceptable password has; longer ones are refused before any work.
const MAX_BYTES: usize = 1024;

/// How many characters of a password are judged for strength. More cannot make it weaker, only slower to judge: the
/// substitutions of 64 chosen ones take several times as long as a hash.
const JUDGED: usize = 40;

/// A password that may be set: normalised to NFC and in accordance with the policy.
pub(crate) struct NewPassword {
    text: Secret,
    field: &'static str,
}

impl NewPassword {
    /// Judges `text`, the value of the request's `field`. `inputs` are the person's address and name.
    ///
    /// # Errors
    /// `request.validation_failed` with every `password.*` code that applies.
    pub(crate) async fn judge(cx: &Context, field: &'static str, text: &Secret, inputs: &[&str]) -> Result<Self> {
        let policy = &cx.settings.password;
        let Some(text) = presented(text) else {
            return Err(refuse(field, ErrorCode::PasswordTooLong, too_long(policy)));
        };
        let length = text.expose().chars().count();
        if length > policy.max_length {
            return Err(refuse(field, ErrorCode::PasswordTooLong, too_long(policy)));
        }
        let mut errors = Vec::new();
        let error = |code: ErrorCode, detail: String| FieldError::new(field, code.as_str(), detail);
        if length < policy.min_length {
            errors.push(error(ErrorCode::PasswordTooShort, format!("Use at least {} characters.", policy.min_length)));
        }
        for (wanted, name) in missing_classes(policy, text.expose()) {
            if wanted {
                errors.push(error(ErrorCode::PasswordMissingClass, format!("Use at least one {name}.")));
            }
        }
        if errors.is_empty() && score(text.expose(), inputs) < policy.min_score {
            errors.push(error(ErrorCode::PasswordTooWeak, "Use a longer or less common phrase.".into()));
        }
        if errors.is_empty() && cx.breached.contains(&text).await {
            errors.push(error(
                ErrorCode::PasswordBreached,
                "Choose another one: this one is on the lists that attackers try.".into(),
            ));
        }
        if errors.is_empty() { Ok(Self { text, field }) } else { Err(Error::fields(errors)) }
    }

    /// Refuses the password when it is one of the user's last ones.
    ///
    /// # Errors
    /// `request.validation_failed` with `password.reused`.
    pub(crate) async fn refuse_reuse(&self, cx: &Context, user: &User) -> Result<()> {
        let keep = cx.settings.password.history;
        if keep == 0 {
            return Ok(());
        }
        let mut hashes = cx.store.password_history(user.tenant, user.id, keep).await?;
        // An account that was made without a history still has a current password.
        hashes.extend(user.password_hash.clone().filter(|current| !hashes.contains(current)));
        for hash in hashes.iter().take(keep as usize + 1) {
            if cx.hasher.verify(&self.text, Some(hash)).await? != Verified::No {
                return Err(refuse(
                    self.field,
                    ErrorCode::PasswordReused,
                    format!("Choose one that is not among the last {keep}."),
                ));
            }
        }
        Ok(())
    }

    /// Hashes it.
    pub(crate) async fn hash(&self, cx: &Context) -> Result<String> {
        Ok(cx.hasher.hash(&self.text).await?)
    }
}

/// The hash of a password that nobody has: the account is closed to passwords until a reset.
pub(super) async fn nobodys(cx: &Context) -> Result<String> {
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    cx.random.fill(&mut *bytes);
    Ok(cx.hasher.hash(&URL_SAFE_NO_PAD.encode(*bytes).into()).await?)
}

fn refuse(field: &str, code: ErrorCode, detail: impl Into<String>) -> Error {
    Error::field(field, code.as_str(), detail)
}

fn too_long(policy: &PasswordPolicy) -> String {
    format!("Use at most {} characters.", policy.max_length)
}

/// The form of a presented password that is hashed: NFC (RFC 8265, section 4.2.2). `None` when it has more bytes than any
/// password, so that a body of megabytes reaches neither normalisation nor the hash.
pub(crate) fn presented(text: &Secret) -> Option<Secret> {
    (text.expose().len() <= MAX_BYTES).then(|| Secret::new(text.expose().nfc().collect()))
}

/// Checks a presented password against `hash`. Whatever is presented and whether there is a hash, one hash is computed.
pub(crate) async fn verify(cx: &Context, text: &Secret, hash: Option<&str>) -> Result<Verified> {
    Ok(match presented(text) {
        Some(text) => cx.hasher.verify(&text, hash).await?,
        None => cx.hasher.verify(&Secret::default(), None).await.map(|_| Verified::No)?,
    })
}

fn missing_classes(policy: &PasswordPolicy, text: &str) -> [(bool, &'static str); 4] {
    let lacks = |class: fn(char) -> bool| !text.chars().any(class);
    [
        (policy.require_lowercase && lacks(char::is_lowercase), "lower-case letter"),
        (policy.require_uppercase && lacks(char::is_uppercase), "upper-case letter"),
        (policy.require_digit && lacks(char::is_numeric), "digit"),
        (policy.require_symbol && lacks(|c| !c.is_alphanumeric()), "symbol"),
    ]
}

fn score(text: &str, inputs: &[&str]) -> u8 {
    let judged: String = text.chars().take(JUDGED).collect();
    // The parts of an address and of a name are as guessable as the whole.
    let parts: Vec<&str> = inputs
        .iter()
        .flat_map(|input| {
            let parts = input.split(['@', ' ']).chain(input.split(|c: char| !c.is_alphanumeric()));
            std::iter::once(*input).chain(parts)
        })
        .filter(|part| part.chars().count() > 2)
        .collect();
    zxcvbn::zxcvbn(&judged, &parts).score().into()
}

/// What cannot be undone by accident needs the current password, or a fresh sign-in. A password that is given must be
/// right.
///
/// # Errors
/// `auth.step_up_required` without a password when the sign-in is not fresh; those of [`check_current_from`].
pub(crate) async fn confirm(
    cx: &Context,
    origin: &Origin,
    principal: &Principal,
    user: &User,
    password: Option<&Secret>,
) -> Result<()> {
    match password {
        Some(password) => check_current_from(cx, origin, user, password).await,
        None => principal.require_fresh(cx),
    }
}

/// Checks the current password of a signed-in user, for what needs it again. Attempts count per user, apart from those at
/// sign-in: a stranger who locks the sign-in does not lock out whoever is signed in.
///
/// # Errors
/// `auth.invalid_credentials`, also while too many wrong ones keep the check locked.
pub(crate) async fn check_current_from(cx: &Context, origin: &Origin, user: &User, password: &Secret) -> Result<()> {
    let lockout = Lockout::reauthentication(cx, user);
    let reservation = lockout.reserve(cx).await?;
    let verified = match verify(cx, password, user.password_hash.as_deref()).await {
        Ok(verified) => verified,
        Err(error) => {
            lockout.withdraw(cx, reservation).await?;
            return Err(error);
        }
    };
    let scope = Scope::Tenant(user.tenant);
    if verified != Verified::No && reservation != Reservation::Locked {
        cx.commit(scope, Unit::new().with(lockout.clear())).await?;
        return Ok(());
    }
    // Not the record of a sign-in: whoever gives it is signed in.
    let record = |action: &str| audit::entry(cx, origin, action).actor(user.id).person(user).failure().build();
    let mut unit = Unit::new().with(record("password.failed"));
    if reservation == Reservation::Last {
        unit.push(record("user.locked"));
        unit.push(notices::tell(cx, user, AccountEvent::AccountLocked));
    }
    cx.commit(scope, unit).await?;
    Err(wrong_credentials())
}
