use super::Config;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};
use std::fmt::Write as _;

/// The configuration's JSON Schema (draft 2020-12).
#[must_use]
pub fn json_schema() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.into_generator().into_root_schema_for::<Config>().to_value()
}

/// How a setting's value is written in a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Boolean,
    /// Comma-separated texts, or a JSON array.
    List,
    /// One level more: the rest of the name is the key.
    Map,
}

/// One leaf of the configuration.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    /// Its names, level by level.
    pub(super) path: Vec<String>,
    pub(super) kind: Kind,
    pub(super) secret: bool,
    default: Option<Value>,
    about: String,
    values: Vec<String>,
}

impl Setting {
    pub(super) fn name(&self) -> String {
        self.path.join(".")
    }

    /// Its variable's name; a map's ends where the key begins.
    pub(super) fn variable(&self) -> String {
        let tail = if self.kind == Kind::Map { "__" } else { "" };
        format!("{}{tail}", variable(&self.path))
    }
}

/// The variable of the setting at `path`.
pub(super) fn variable<S: AsRef<str>>(path: &[S]) -> String {
    let levels: Vec<String> = path.iter().map(|level| level.as_ref().to_uppercase()).collect();
    format!("AUTHKIT_{}", levels.join("__"))
}

/// Whether `path` leads to a setting, to settings, or into a map that is one.
pub(super) fn is_known(path: &[&str]) -> bool {
    let leads = |setting: &Setting| {
        let shared = setting.path.iter().zip(path).all(|(level, name)| level == name);
        shared && (path.len() <= setting.path.len() || setting.kind == Kind::Map)
    };
    settings().iter().any(leads)
}

/// Every setting, in the order of the schema.
pub(super) fn settings() -> Vec<Setting> {
    let mut found = Vec::new();
    walk(&json_schema(), &mut Vec::new(), None, &mut found);
    found
}

fn walk(schema: &Value, path: &mut Vec<String>, default: Option<&Value>, found: &mut Vec<Setting>) {
    let about = schema["description"].as_str().unwrap_or_default().to_owned();
    let secret = schema["x-secret"] == true;
    let schema_default = schema.get("default");
    let shape = present(schema);
    if let Some(properties) = shape["properties"].as_object() {
        for (name, inner) in properties {
            let default = inner.get("default").or_else(|| schema_default.or(default).and_then(|outer| outer.get(name)));
            path.push(name.clone());
            walk(inner, path, default, found);
            path.pop();
        }
        return;
    }
    let values: Vec<String> = ["oneOf", "enum"]
        .iter()
        .filter_map(|key| shape[key].as_array())
        .flatten()
        .filter_map(|one| one["const"].as_str().or_else(|| one.as_str()).map(str::to_owned))
        .collect();
    let kind = match type_of(shape) {
        "integer" => Kind::Integer,
        "boolean" => Kind::Boolean,
        "array" => Kind::List,
        "object" => Kind::Map,
        _ => Kind::Text,
    };
    let default = schema_default.or(default).filter(|value| !value.is_null()).cloned();
    found.push(Setting { path: path.clone(), kind, secret, default, about, values });
}

/// The schema without the `null` that an optional value allows.
fn present(schema: &Value) -> &Value {
    let choices = schema["anyOf"].as_array().map(Vec::as_slice).unwrap_or_default();
    choices.iter().find(|choice| type_of(choice) != "null").unwrap_or(schema)
}

fn type_of(schema: &Value) -> &str {
    match &schema["type"] {
        Value::String(one) => one,
        Value::Array(several) => several.iter().filter_map(Value::as_str).find(|t| *t != "null").unwrap_or_default(),
        _ => "",
    }
}

/// Puts `***` in the place of every secret of a serialized configuration. Of an address only the password is one.
pub(super) fn redact(tree: &mut Value) {
    for setting in settings().into_iter().filter(|setting| setting.secret) {
        let pointer = format!("/{}", setting.path.join("/"));
        match tree.pointer_mut(&pointer) {
            Some(Value::Object(map)) => map.values_mut().for_each(|value| *value = "***".into()),
            Some(Value::String(text)) => *text = without_password(text).unwrap_or_else(|| "***".into()),
            _ => {}
        }
    }
}

/// An address without its password, when it is one.
pub(super) fn without_password(text: &str) -> Option<String> {
    let (scheme, rest) =
        text.split_once(':').filter(|(scheme, _)| matches!(*scheme, "sqlite" | "postgres" | "postgresql"))?;
    if scheme == "sqlite" {
        return Some(text.to_owned());
    }
    let rest = rest.strip_prefix("//")?;
    // PostgreSQL takes a password as a parameter, too.
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let place = match authority.rsplit_once('@') {
        Some((user, host)) => format!("{}:***@{host}", user.split(':').next().unwrap_or_default()),
        None => authority.to_owned(),
    };
    let more = if query.is_empty() { "" } else { "?***" };
    Some(format!("{scheme}://{place}/{path}{more}"))
}

/// The reference of all settings as Markdown, made from the schema.
#[must_use]
pub fn reference() -> String {
    let mut page = String::from(
        "# Configuration\n\n\
         <!-- Made by `authkit config docs` from the schema; do not edit. -->\n\n\
         Defaults, then the TOML file that `AUTHKIT_CONFIG` names, then `AUTHKIT_…` variables: the later one wins. Unknown\n\
         names are refused, in the file and in the environment. Lengths of time are written `90s`, `15m`, `24h`, `30d`.\n\
         Lists in variables are separated by commas. A setting marked *secret* can also be read from a file that the variable with\n\
         `_FILE` at its end names (`AUTHKIT_DATABASE_URL_FILE=/run/secrets/database-url`); one trailing newline is dropped.\n\n\
         `authkit doctor` checks a configuration without starting the server.\n",
    );
    let schema = json_schema();
    let empty = Map::new();
    let sections = schema["properties"].as_object().unwrap_or(&empty);
    let all = settings();
    let (top, nested): (Vec<&Setting>, Vec<&Setting>) = all.iter().partition(|setting| setting.path.len() == 1);
    page.push_str("\n## General\n");
    table(&mut page, &top);
    for (name, section) in sections {
        let inside: Vec<&Setting> = nested.iter().copied().filter(|setting| &setting.path[0] == name).collect();
        if !inside.is_empty() {
            let about = section["description"].as_str().unwrap_or_default().replace('\n', " ");
            let _ = write!(page, "\n## `{name}`\n\n{about}\n");
            table(&mut page, &inside);
        }
    }
    page
}

fn table(page: &mut String, settings: &[&Setting]) {
    page.push_str("\n| setting | variable | default | meaning |\n|---|---|---|---|\n");
    for setting in settings {
        let default = match &setting.default {
            None => String::new(),
            Some(Value::String(text)) => format!("`{text}`"),
            Some(Value::Array(list)) if list.is_empty() => String::new(),
            Some(Value::Object(map)) if map.is_empty() => String::new(),
            Some(other) => format!("`{other}`"),
        };
        let mut about = setting.about.replace('\n', " ").replace('|', "\\|");
        if !setting.values.is_empty() && setting.values.iter().any(|value| !about.contains(value.as_str())) {
            let _ = write!(about, " One of `{}`.", setting.values.join("`, `"));
        }
        if setting.secret {
            about.push_str(" *Secret.*");
        }
        let (name, variable) = match setting.kind {
            Kind::Map => (format!("{}.*", setting.name()), format!("{}*", setting.variable())),
            _ => (setting.name(), setting.variable()),
        };
        let _ = writeln!(page, "| `{name}` | `{variable}` | {default} | {about} |");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_documented_and_typed() {
        let all = settings();
        for setting in &all {
            assert!(!setting.about.is_empty(), "{} has no documentation", setting.name());
        }
        let kind = |name: &str| all.iter().find(|s| s.name() == name).map(|s| (s.kind, s.secret));
        assert_eq!(kind("database_url"), Some((Kind::Text, true)));
        assert_eq!(kind("keys.master"), Some((Kind::Map, true)));
        assert_eq!(kind("mail.smtp.port"), Some((Kind::Integer, false)));
        assert_eq!(kind("mail.smtp.password"), Some((Kind::Text, true)));
        assert_eq!(kind("rate_limits.sign_in.requests"), Some((Kind::Integer, false)));
        assert_eq!(kind("trusted_proxies"), Some((Kind::List, false)));
        assert_eq!(kind("operations.docs"), Some((Kind::Boolean, false)));
        assert_eq!(kind("tls.cert"), Some((Kind::Text, false)));
    }

    #[test]
    fn the_reference_names_setting_variable_default_and_meaning() {
        let page = reference();
        assert!(
            page.contains("| `tokens.access` | `AUTHKIT_TOKENS__ACCESS` | `15m` | Life of an access token. |"),
            "{page}"
        );
        assert!(page.contains("| `keys.master.*` | `AUTHKIT_KEYS__MASTER__*` |"));
        assert!(page.contains("| `rate_limits.sign_in.requests` | `AUTHKIT_RATE_LIMITS__SIGN_IN__REQUESTS` | `30` |"));
    }
}
