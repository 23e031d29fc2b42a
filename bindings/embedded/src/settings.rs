//! The settings of an engine as a host gives them.

use authkit_client::{Error, Result};
use authkit_engine::Config;
use serde_json::{Map, Value};

/// Reads the settings, which have the names of docs/configuration.md.
pub(crate) fn read(settings: Value) -> Result<Config> {
    let Value::Object(mut settings) = settings else {
        return Err(Error::invalid_argument("The settings must be one object; see docs/configuration.md."));
    };
    // What is left out by hosts that write `undefined` as `null` is not set.
    settings.retain(|_, value| !value.is_null());
    match settings.remove("database") {
        Some(Value::String(url)) if settings.contains_key("database_url") => {
            drop(url);
            return Err(Error::invalid_argument("Give the database once: `database` or `database_url`."));
        }
        Some(Value::String(url)) => drop(settings.insert("database_url".to_owned(), url.into())),
        Some(section) => drop(settings.insert("database".to_owned(), section)),
        None => {}
    }
    if !settings.contains_key("database_url") {
        let message = "Give the database: `sqlite://path`, `sqlite::memory:` or `postgres://…`.";
        return Err(Error::invalid_argument(message));
    }
    quiet(&mut settings);
    Config::from_settings(settings).map_err(|error| Error::invalid_argument(error.to_string()))
}

/// Whoever embeds an engine wants to hear of what goes wrong, not of all that happens.
fn quiet(settings: &mut Map<String, Value>) {
    let log = settings.entry("log").or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(log) = log {
        log.entry("level").or_insert_with(|| "warn".into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn settings_are_those_of_the_reference_and_the_database_may_be_a_text() {
        let config = read(json!({"database": "sqlite::memory:", "tokens": {"access": "5m"}, "issuer": null})).unwrap();
        assert_eq!(config.database_url.expose(), "sqlite::memory:");
        assert_eq!(config.log.level, "warn");
        let both =
            json!({"database": {"max_connections": 3}, "database_url": "sqlite::memory:", "log": {"level": "info"}});
        let config = read(both).unwrap();
        assert_eq!((config.database.max_connections, config.log.level.as_str()), (3, "info"));
    }

    #[test]
    fn what_cannot_be_a_setting_is_refused_by_name_and_not_repeated() {
        for (settings, named) in [
            (json!([]), "one object"),
            (json!({}), "database"),
            (json!({"database": "sqlite::memory:", "database_url": "x"}), "once"),
            (json!({"database": "sqlite::memory:", "tokens": {"acess": "5m"}}), "tokens.access"),
            (json!({"database": "sqlite::memory:", "listen": "hunter2"}), "listen"),
        ] {
            let error = read(settings).unwrap_err();
            assert_eq!(error.code, authkit_client::code::INVALID_ARGUMENT);
            assert!(error.message.contains(named) && !error.message.contains("hunter2"), "{}", error.message);
        }
    }
}
