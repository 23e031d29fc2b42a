//! Mail templates: the built-in ones, and those the host application puts in their place.

use minijinja::{AutoEscape, Environment, HtmlEscape, UndefinedBehavior, Value};
use std::{borrow::Cow, collections::BTreeSet, fmt, sync::Arc};

macro_rules! builtin {
    ($($kind:literal),+ $(,)?) => {
        /// What mails there are.
        const KINDS: &[&str] = &[$($kind),+];

        /// The built-in templates by name.
        const BUILTIN: &[(&str, &str)] = &[
            $(
                (concat!($kind, ".subject.txt"), include_str!(concat!("templates/", $kind, ".subject.txt"))),
                (concat!($kind, ".txt"), include_str!(concat!("templates/", $kind, ".txt"))),
                (concat!($kind, ".html"), include_str!(concat!("templates/", $kind, ".html"))),
            )+
            ("layout.txt", include_str!("templates/layout.txt")),
            ("layout.html", include_str!("templates/layout.html")),
        ];
    };
}

builtin! {
    "verify_email", "address_taken", "password_reset", "email_change", "email_changed", "welcome", "password_changed",
    "account_locked", "mfa_enabled", "mfa_disabled", "backup_codes_regenerated", "backup_codes_low", "token_reuse",
    "account_deactivated", "account_reactivated", "deletion_scheduled", "device_claimed",
}

/// What stands around every mail, with the mail itself as `content`.
const LAYOUT: &str = "layout";

/// Longer subjects are cut.
const SUBJECT_CHARACTERS: usize = 200;

/// One template in the language of [minijinja](https://docs.rs/minijinja).
///
/// It may use `product`, `public_url`, `email` (the recipient), `lang`, `link` (what the mail is about; empty when there is
/// none), `sign_in_url`, `forgot_url`, `account_url`, `new_email`, `at` (when it happened), `valid_minutes` (how long the
/// link works), `account` (in `address_taken`: `active`, `deactivated` or `pending_deletion`), `device` and `ip` (in
/// `device_claimed`: its name and the address that it was claimed from, empty when unknown); in HTML also
/// `button(url, label)`, and everywhere the English `valid_minutes|duration`.
/// The layout gets `content` and `subject` as well. All of them are data: HTML escapes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateSource {
    /// The subject; the layout has none.
    pub subject: Cow<'static, str>,
    /// The plain text.
    pub text: Cow<'static, str>,
    /// The HTML that the layout surrounds.
    pub html: Cow<'static, str>,
}

/// A template was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the mail template {name}: {reason}")]
pub struct TemplateError {
    /// Which part of which template.
    pub name: String,
    /// What is wrong.
    pub reason: String,
}

/// What templates may show.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    pub(super) product: String,
    pub(super) public_url: String,
    pub(super) email: String,
    pub(super) link: String,
    pub(super) sign_in_url: String,
    pub(super) forgot_url: String,
    pub(super) account_url: String,
    pub(super) new_email: String,
    pub(super) at: String,
    pub(super) valid_minutes: i64,
    pub(super) account: &'static str,
    pub(super) device: String,
    pub(super) ip: String,
}

impl Values {
    fn sample() -> Self {
        Self {
            product: "Sample <&> Product".into(),
            public_url: "https://id.example.org".into(),
            email: "ada@example.org".into(),
            link: "https://id.example.org/verify-email?token=sample".into(),
            sign_in_url: "https://id.example.org/sign-in".into(),
            forgot_url: "https://id.example.org/forgot-password".into(),
            account_url: "https://id.example.org/account".into(),
            new_email: "grace@example.org".into(),
            at: "2026-11-20 15:45 UTC".into(),
            valid_minutes: 1440,
            account: "active",
            device: "Greenhouse".into(),
            ip: "192.0.2.7".into(),
        }
    }

    /// The links that a rendered `text` holds.
    pub(super) fn links_in(&self, text: &str) -> Vec<String> {
        let links = [&self.link, &self.sign_in_url, &self.account_url, &self.forgot_url];
        links.into_iter().filter(|link| !link.is_empty() && text.contains(link.as_str())).cloned().collect()
    }
}

/// A mail without its envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rendered {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
}

struct Framed<'a> {
    values: &'a Values,
    lang: &'a str,
    subject: &'a str,
    content: Value,
}

impl Framed<'_> {
    fn value(&self) -> Value {
        let values = self.values;
        Value::from_pairs([
            ("product", Value::from(values.product.as_str())),
            ("public_url", values.public_url.as_str().into()),
            ("email", values.email.as_str().into()),
            ("link", values.link.as_str().into()),
            ("sign_in_url", values.sign_in_url.as_str().into()),
            ("forgot_url", values.forgot_url.as_str().into()),
            ("account_url", values.account_url.as_str().into()),
            ("new_email", values.new_email.as_str().into()),
            ("at", values.at.as_str().into()),
            ("valid_minutes", values.valid_minutes.into()),
            ("account", values.account.into()),
            ("device", values.device.as_str().into()),
            ("ip", values.ip.as_str().into()),
            ("lang", self.lang.into()),
            ("subject", self.subject.into()),
            ("content", self.content.clone()),
        ])
    }
}

/// Mail templates: the built-in English ones, and those the host application puts in their place.
///
/// ```
/// use authkit_core::notices::{TemplateSource, Templates};
///
/// let german = TemplateSource {
///     subject: "Willkommen bei {{ product }}".into(),
///     text: "Schön, dass Sie da sind: {{ sign_in_url }}".into(),
///     html: "<p>Schön, dass Sie da sind.</p>{{ button(sign_in_url, 'Anmelden') }}".into(),
/// };
/// let templates = Templates::builtin().with("welcome", "de", german)?;
/// # Ok::<(), authkit_core::notices::TemplateError>(())
/// ```
#[derive(Clone)]
pub struct Templates {
    environment: Arc<Environment<'static>>,
    /// Kind and locale of everything that was added; the empty locale replaces the built-in templates.
    known: Arc<BTreeSet<(String, String)>>,
}

impl Templates {
    /// The built-in templates.
    #[must_use]
    pub fn builtin() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_auto_escape_callback(
            |name| {
                if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None }
            },
        );
        environment.add_function("button", button);
        environment.add_filter("duration", duration);
        // Parsed when first needed: most starts send no mail for a while, and most mails are never sent.
        environment.set_loader(|name| {
            Ok(BUILTIN.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned()))
        });
        Self { environment: Arc::new(environment), known: Arc::default() }
    }

    /// What mails there are, and `layout`, which surrounds them all.
    pub fn kinds() -> impl Iterator<Item = &'static str> {
        KINDS.iter().copied().chain([LAYOUT])
    }

    /// The same with `source` for mails of `kind` to people whose language is `locale` (a BCP 47 tag; empty replaces the
    /// built-in one). A locale falls back to its language, then to the built-in one: `de-AT`, `de`, English.
    ///
    /// # Errors
    /// For an unknown kind, a locale that is none, and a template that cannot be parsed or rendered with sample values.
    pub fn with(mut self, kind: &str, locale: &str, source: TemplateSource) -> Result<Self, TemplateError> {
        let refused = |reason: String| TemplateError { name: kind.to_owned(), reason };
        if !Self::kinds().any(|known| known == kind) {
            let kinds: Vec<_> = Self::kinds().collect();
            return Err(refused(format!("there is no such mail; there are {}", kinds.join(", "))));
        }
        let tag = normal(locale);
        if !tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(refused(format!("`{locale}` is not a BCP 47 language tag")));
        }
        if kind != LAYOUT && [&source.subject, &source.text, &source.html].iter().any(|part| part.trim().is_empty()) {
            return Err(refused("subject, text and HTML must not be empty".into()));
        }
        self.add(kind, &tag, source)?;
        self.try_out(&tag)?;
        Ok(self)
    }

    /// Renders every mail in every locale with sample values.
    ///
    /// # Errors
    /// The first template that cannot be rendered.
    pub fn check(&self) -> Result<(), TemplateError> {
        let locales: BTreeSet<&str> = self.known.iter().map(|(_, locale)| locale.as_str()).collect();
        locales.into_iter().chain([""]).try_for_each(|locale| self.try_out(locale))
    }

    fn try_out(&self, locale: &str) -> Result<(), TemplateError> {
        for kind in KINDS {
            self.render(kind, Some(locale), &Values::sample())?;
        }
        Ok(())
    }

    fn add(&mut self, kind: &str, locale: &str, source: TemplateSource) -> Result<(), TemplateError> {
        let environment = Arc::make_mut(&mut self.environment);
        for (part, text) in [("subject.txt", source.subject), ("txt", source.text), ("html", source.html)] {
            let name = name(kind, locale, part);
            environment
                .add_template_owned(name.clone(), text.into_owned())
                .map_err(|error| TemplateError { name, reason: error.to_string() })?;
        }
        Arc::make_mut(&mut self.known).insert((kind.to_owned(), locale.to_owned()));
        Ok(())
    }

    /// Renders the mail of `kind` for someone whose language is `locale`.
    pub(super) fn render(&self, kind: &str, locale: Option<&str>, values: &Values) -> Result<Rendered, TemplateError> {
        let tag = normal(locale.unwrap_or_default());
        let found = self.nearest(kind, &tag);
        let lang = if found.is_empty() { "en" } else { found };
        let plain = Framed { values, lang, subject: "", content: Value::from("") };
        let subject = one_line(&self.part(kind, found, "subject.txt", &plain)?);
        let [text, html] = [("txt", false), ("html", true)].map(|(part, safe)| {
            let body =
                self.part(kind, found, part, &Framed { subject: &subject, content: Value::from(""), ..plain })?;
            let body = body.trim().to_owned();
            let content = if safe { Value::from_safe_string(body) } else { Value::from(body) };
            let layout = self.nearest(LAYOUT, found);
            self.part(LAYOUT, layout, part, &Framed { values, lang, subject: &subject, content })
        });
        Ok(Rendered { subject, text: text?, html: html? })
    }

    /// The best locale that there is for `tag`; empty for the built-in one.
    fn nearest<'a>(&self, kind: &str, tag: &'a str) -> &'a str {
        let mut tag = tag;
        while !tag.is_empty() && !self.known.contains(&(kind.to_owned(), tag.to_owned())) {
            tag = tag.rsplit_once('-').map_or("", |(shorter, _)| shorter);
        }
        tag
    }

    fn part(&self, kind: &str, locale: &str, part: &str, values: &Framed<'_>) -> Result<String, TemplateError> {
        let name = name(kind, locale, part);
        let rendered = self
            .environment
            .get_template(&name)
            .and_then(|template| template.render(values.value()))
            .map_err(|error| error.to_string());
        rendered.map_err(|reason| TemplateError { name, reason })
    }
}

impl Default for Templates {
    fn default() -> Self {
        Self::builtin()
    }
}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Templates").field("known", &self.known.len()).finish_non_exhaustive()
    }
}

fn name(kind: &str, locale: &str, part: &str) -> String {
    if locale.is_empty() { format!("{kind}.{part}") } else { format!("{locale}/{kind}.{part}") }
}

fn normal(locale: &str) -> String {
    locale.trim().replace('_', "-").to_ascii_lowercase()
}

/// A subject is one header line (RFC 5322, section 2.2) whatever the values hold.
fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() || is_line_break(c) { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(SUBJECT_CHARACTERS).collect()
}

const fn is_line_break(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// A button that mail clients without CSS show as well.
fn button(url: &str, label: &str) -> Value {
    let (url, label) = (HtmlEscape(url), HtmlEscape(label));
    Value::from_safe_string(format!(
        "<table role=\"presentation\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" style=\"margin:6px 0 24px;\"><tr>\
         <td class=\"button\" bgcolor=\"#2f55d4\" style=\"border-radius:9px;background:#2f55d4;\">\
         <a href=\"{url}\" style=\"display:inline-block;padding:13px 26px;border-radius:9px;background:#2f55d4;\
         color:#ffffff;font-weight:600;font-size:16px;line-height:22px;text-decoration:none;\">{label}</a></td></tr></table>"
    ))
}

/// Minutes in English: `30 minutes`, `1 hour`, `3 days`.
#[must_use]
pub fn duration(minutes: i64) -> String {
    let (number, unit) = match minutes {
        m if m >= 2 * 1440 && m % 1440 == 0 => (m / 1440, "day"),
        m if m >= 60 && m % 60 == 0 => (m / 60, "hour"),
        m => (m, "minute"),
    };
    if number == 1 { format!("1 {unit}") } else { format!("{number} {unit}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(subject: &'static str, text: &'static str, html: &'static str) -> TemplateSource {
        TemplateSource { subject: subject.into(), text: text.into(), html: html.into() }
    }

    #[test]
    fn every_built_in_mail_renders() {
        let templates = Templates::builtin();
        assert_eq!(templates.check(), Ok(()));
        for kind in KINDS {
            let mail = templates.render(kind, None, &Values::sample()).expect(kind);
            assert!(mail.html.starts_with("<!doctype html>") && mail.html.contains("lang=\"en\""), "{kind}");
            assert!(mail.subject.contains("Sample <&> Product"), "{kind}: {}", mail.subject);
            assert!(mail.text.lines().all(|line| line.len() <= 110), "{kind}: {}", mail.text);
            assert!(!mail.html.contains("{{") && !mail.text.contains("{{"), "{kind}");
        }
    }

    #[test]
    fn values_are_data_in_html_and_in_the_subject() {
        let values = Values {
            product: "Eve\r\nBcc: all@example.org\u{2028}<script>alert(1)</script>".into(),
            link: "https://id.example.org/?token=\"><script>".into(),
            new_email: "{{ product }}<b>".into(),
            device: "{{ product }}<b>".into(),
            ..Values::sample()
        };
        for kind in KINDS {
            let mail = Templates::builtin().render(kind, None, &values).expect(kind);
            assert!(!mail.html.contains("<script"), "{kind}: {}", mail.html);
            assert!(!mail.html.contains("<b>"), "{kind}");
            assert!(!mail.subject.contains(['\r', '\n', '\u{2028}']), "{kind}: {:?}", mail.subject);
        }
    }

    #[test]
    fn a_locale_falls_back_to_its_language_and_then_to_english() {
        let templates = Templates::builtin()
            .with("welcome", "de", source("Willkommen", "Hallo {{ email }}", "<p>Hallo</p>"))
            .expect("a good template")
            .with("welcome", "de-CH", source("Grüezi", "Grüezi", "<p>Grüezi</p>"))
            .expect("a good template");
        let subject = |locale: Option<&str>| {
            templates.render("welcome", locale, &Values::sample()).map(|mail| mail.subject).expect("renders")
        };
        assert_eq!(subject(Some("de_CH")), "Grüezi");
        assert_eq!(subject(Some("de-AT-1996")), "Willkommen");
        assert_eq!(subject(Some("fr")), "Welcome to Sample <&> Product");
        assert_eq!(subject(Some("../../etc/passwd")), "Welcome to Sample <&> Product");
        assert_eq!(subject(None), "Welcome to Sample <&> Product");
        let mail = templates.render("welcome", Some("de-AT"), &Values::sample()).expect("renders");
        assert!(mail.html.contains("lang=\"de\""), "{}", mail.html);
    }

    #[test]
    fn a_bad_template_is_refused_with_its_name() {
        let with = |kind: &str, locale: &str, html: &'static str| {
            Templates::builtin()
                .with(kind, locale, source("Subject", "Text", html))
                .err()
                .map(|error| error.to_string())
        };
        let error = with("welcome", "de", "{% if %}").expect("a syntax error");
        assert!(error.contains("de/welcome.html"), "{error}");
        let error = with("welcome", "de", "{{ emial }}").expect("an unknown value");
        assert!(error.contains("de/welcome.html"), "{error}");
        assert!(with("wellcome", "de", "x").expect("an unknown kind").contains("verify_email"));
        assert!(with("welcome", "de/../x", "x").expect("no locale").contains("BCP 47"));
        assert!(with("welcome", "de", "  ").expect("an empty part").contains("empty"));
        assert!(with("layout", "", "{% include 'secret' %}").is_some());
    }

    #[test]
    fn the_layout_can_be_replaced() {
        let templates = Templates::builtin()
            .with("layout", "", source("", "[{{ content }}]", "<main>{{ content }}</main>"))
            .expect("a good layout");
        let mail = templates.render("welcome", None, &Values::sample()).expect("renders");
        assert!(mail.html.starts_with("<main><h1"), "{}", mail.html);
        assert!(mail.text.starts_with('['), "{}", mail.text);
    }

    #[test]
    fn durations_read_well() {
        let read = [1, 30, 60, 90, 1440, 4320, 43200].map(duration);
        assert_eq!(read, ["1 minute", "30 minutes", "1 hour", "90 minutes", "24 hours", "3 days", "30 days"]);
    }
}
