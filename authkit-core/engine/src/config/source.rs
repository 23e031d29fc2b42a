use super::{
    Config, ConfigError, Problem,
    schema::{Kind, Setting, settings},
};
use serde_json::{Map, Number, Value};
use std::path::{Path, PathBuf};

/// Variables of AuthKit's own that are no settings.
const CONFIG: &str = "AUTHKIT_CONFIG";

impl Config {
    /// The configuration of this process: its `AUTHKIT_…` variables over `file`, else over the one that `AUTHKIT_CONFIG`
    /// names.
    ///
    /// # Errors
    /// Everything that cannot be read, at once.
    pub fn from_env(file: Option<&Path>) -> Result<Self, ConfigError> {
        // A value that is not UTF-8 does not pass as what it was meant to be: it is refused by name below, or plainly wrong.
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())));
        Self::load(variables, file)
    }

    /// The configuration from `variables` (name and value; others than `AUTHKIT_…` are left alone) over the TOML file: `file`, else
    /// the one that `AUTHKIT_CONFIG` names, else none.
    ///
    /// It is read, not judged: see [`check`](Self::check).
    ///
    /// # Errors
    /// Everything that cannot be read, at once.
    pub fn load(
        variables: impl IntoIterator<Item = (String, String)>,
        file: Option<&Path>,
    ) -> Result<Self, ConfigError> {
        let settings = settings();
        let mut problems = Vec::new();
        let mut ours: Vec<(String, String)> =
            variables.into_iter().filter(|(name, _)| name.starts_with("AUTHKIT_")).collect();
        ours.sort();
        let named = ours.iter().find(|(name, value)| name == CONFIG && !value.is_empty());
        let path = file.map(Path::to_owned).or_else(|| named.map(|(_, value)| PathBuf::from(value)));
        let mut tree = path.map_or_else(Map::new, |path| from_file(&path, &settings, &mut problems));
        for (name, value) in ours.iter().filter(|(name, _)| name != CONFIG) {
            match from_variable(name, value, &settings, &ours) {
                Ok(Some((path, value))) => insert(&mut tree, &path, value),
                Ok(None) => {}
                Err(problem) => problems.push(problem),
            }
        }
        let config = build(tree, &mut problems);
        match config {
            Some(config) if problems.is_empty() => Ok(config),
            _ => Err(ConfigError { problems }),
        }
    }

    /// The configuration from a tree of settings, as an application gives it that holds the engine. Neither the environment nor
    /// a file is read.
    ///
    /// It is read, not judged: see [`check`](Self::check).
    ///
    /// # Errors
    /// Everything that cannot be read, at once.
    pub fn from_settings(tree: Map<String, Value>) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let mut tree = Value::Object(tree);
        unknown(&mut tree, &mut Vec::new(), &settings(), &mut problems);
        let config = if let Value::Object(tree) = tree { build(tree, &mut problems) } else { None };
        match config {
            Some(config) if problems.is_empty() => Ok(config),
            _ => Err(ConfigError { problems }),
        }
    }
}

/// Lays `tree` over the defaults and deserializes it; each refused value is noted and left out, so that one run finds
/// them all.
fn build(tree: Map<String, Value>, problems: &mut Vec<Problem>) -> Option<Config> {
    let defaults = serde_json::to_value(Config::default()).ok()?;
    let mut tree = Value::Object(tree);
    for _ in 0..200 {
        let mut whole = defaults.clone();
        overlay(&mut whole, &tree);
        match serde_path_to_error::deserialize::<_, Config>(whole) {
            Ok(config) => return Some(config),
            Err(error) => {
                let path: Vec<String> = error.path().to_string().split('.').map(str::to_owned).collect();
                problems.push(Problem::new(path.join("."), error.inner().to_string()));
                if !remove(&mut tree, &path) {
                    return None;
                }
            }
        }
    }
    None
}

/// Puts the values of `over` in the place of those of `base`, level by level.
fn overlay(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (name, value) in over {
                overlay(base.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over.clone(),
    }
}

fn remove(tree: &mut Value, path: &[String]) -> bool {
    let Some((last, levels)) = path.split_last() else { return false };
    let mut here = tree;
    for level in levels {
        match here.get_mut(level) {
            Some(next) => here = next,
            None => return false,
        }
    }
    // A list's item cannot be left out by name (`origins[0]`): the whole list is.
    let last = last.split_once('[').map_or(last.as_str(), |(list, _)| list);
    here.as_object_mut().is_some_and(|map| map.remove(last).is_some())
}

fn from_file(path: &Path, settings: &[Setting], problems: &mut Vec<Problem>) -> Map<String, Value> {
    let shown = path.display();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            problems.push(Problem::new(CONFIG, format!("the file {shown} cannot be read: {error}")));
            return Map::new();
        }
    };
    match toml::from_str::<Map<String, Value>>(&text) {
        Ok(tree) => {
            let mut tree = Value::Object(tree);
            unknown(&mut tree, &mut Vec::new(), settings, problems);
            if let Value::Object(tree) = tree { tree } else { Map::new() }
        }
        Err(error) => {
            // The library quotes the offending line, which may hold a secret: say where, not what.
            let line = error.span().map(|span| text[..span.start.min(text.len())].lines().count().max(1));
            let place = line.map(|line| format!(" in line {line}")).unwrap_or_default();
            problems.push(Problem::new(CONFIG, format!("{shown} is not TOML{place}: {}", error.message())));
            Map::new()
        }
    }
}

/// Notes and takes out the names of the file that no setting has.
fn unknown(tree: &mut Value, path: &mut Vec<String>, settings: &[Setting], problems: &mut Vec<Problem>) {
    let Some(map) = tree.as_object_mut() else { return };
    let names: Vec<String> = map.keys().cloned().collect();
    for name in names {
        path.push(name.clone());
        let exact = settings.iter().any(|s| s.path == *path || (s.kind == Kind::Map && path.starts_with(&s.path)));
        let level = settings.iter().any(|s| s.path.len() > path.len() && s.path.starts_with(path));
        if level && !exact {
            if let Some(inner) = map.get_mut(&name) {
                unknown(inner, path, settings, problems);
            }
        } else if !exact {
            map.remove(&name);
            let wanted = path.join(".");
            let near = nearest(&wanted, settings.iter().map(Setting::name));
            problems.push(Problem::new(wanted, format!("there is no such setting{}", did_you_mean(near))));
        }
        path.pop();
    }
}

type Place = (Vec<String>, Value);

fn from_variable(
    name: &str,
    value: &str,
    settings: &[Setting],
    all: &[(String, String)],
) -> Result<Option<Place>, Problem> {
    if let Some((setting, path)) = find(name, settings) {
        // An empty variable counts as not set, as container tools write what they have no value for.
        return if value.is_empty() { Ok(None) } else { Ok(Some((path, typed(setting, name, value)?))) };
    }
    if let Some(base) = name.strip_suffix("_FILE")
        && let Some((setting, path)) = find(base, settings)
        && setting.secret
    {
        if value.is_empty() {
            return Ok(None);
        }
        if all.iter().any(|(other, value)| other == base && !value.is_empty()) {
            return Err(Problem::new(name, format!("{base} is set as well; set one of the two")));
        }
        let text = std::fs::read_to_string(value)
            .map_err(|error| Problem::new(name, format!("the file {value} cannot be read: {error}")))?;
        let text = text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
        return Ok(Some((path, typed(setting, name, text)?)));
    }
    let near = nearest(name, settings.iter().map(Setting::variable).chain([CONFIG.to_owned()]));
    Err(Problem::new(name, format!("there is no such setting{}", did_you_mean(near))))
}

/// The setting of a variable, and its place in the tree.
fn find<'a>(name: &str, settings: &'a [Setting]) -> Option<(&'a Setting, Vec<String>)> {
    settings.iter().find_map(|setting| {
        let variable = setting.variable();
        if setting.kind == Kind::Map {
            let key = name.strip_prefix(&variable).filter(|key| !key.is_empty())?;
            // `…_FILE` is the file of a secret, never a key of a map of secrets.
            (!(setting.secret && key.ends_with("_FILE"))).then_some(())?;
            let mut path = setting.path.clone();
            path.push(key.to_lowercase());
            return Some((setting, path));
        }
        (variable == name).then(|| (setting, setting.path.clone()))
    })
}

fn typed(setting: &Setting, name: &str, text: &str) -> Result<Value, Problem> {
    Ok(match setting.kind {
        Kind::Text | Kind::Map => Value::String(text.to_owned()),
        Kind::Integer => {
            let number: i64 =
                text.trim().parse().map_err(|_| Problem::new(name, format!("`{text}` is not a whole number")))?;
            Value::Number(Number::from(number))
        }
        Kind::Boolean => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Value::Bool(true),
            "false" | "0" | "no" | "off" => Value::Bool(false),
            _ => return Err(Problem::new(name, format!("`{text}` is neither `true` nor `false`"))),
        },
        Kind::List => {
            if text.trim_start().starts_with('[') {
                return serde_json::from_str(text)
                    .map_err(|error| Problem::new(name, format!("it is not a JSON array: {error}")));
            }
            text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(Value::from).collect()
        }
    })
}

fn insert(tree: &mut Map<String, Value>, path: &[String], value: Value) {
    match path {
        [] => {}
        [last] => {
            tree.insert(last.clone(), value);
        }
        [level, rest @ ..] => {
            let next = tree.entry(level.clone()).or_insert_with(|| Value::Object(Map::new()));
            if !next.is_object() {
                *next = Value::Object(Map::new());
            }
            if let Some(next) = next.as_object_mut() {
                insert(next, rest, value);
            }
        }
    }
}

fn did_you_mean(near: Option<String>) -> String {
    near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

/// The name with the fewest edits, when there are few.
fn nearest(wanted: &str, names: impl Iterator<Item = String>) -> Option<String> {
    let most = (wanted.len() / 3).max(2);
    names.map(|name| (distance(wanted, &name), name)).min().filter(|(edits, _)| *edits <= most).map(|(_, name)| name)
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Algorithm, Environment, Span};
    use std::io::Write;

    fn load(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::load(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())), None)
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(text.as_bytes()).expect("written");
        file
    }

    #[test]
    fn variables_of_every_type_are_read() {
        let config = load(&[
            ("AUTHKIT_ENV", "production"),
            ("AUTHKIT_LISTEN", "127.0.0.1:0"),
            ("AUTHKIT_TOKENS__ACCESS", "5m"),
            ("AUTHKIT_TOKENS__ALGORITHM", "ES256"),
            ("AUTHKIT_RATE_LIMITS__ENABLED", "false"),
            ("AUTHKIT_ARGON2__MEMORY_KIB", "65536"),
            ("AUTHKIT_TRUSTED_PROXIES", "10.0.0.0/8, ::1/128"),
            ("AUTHKIT_CORS__ORIGINS", r#"["https://a.example"]"#),
            ("AUTHKIT_KEYS__MASTER__2", "aa"),
            ("AUTHKIT_MAIL__SMTP__HOST", "relay"),
            ("AUTHKIT_PROFILE_FIELDS__COMPANY", "text"),
            ("AUTHKIT_PUBLIC_URL", ""),
            ("PATH", "/bin"),
        ])
        .expect("all known");
        assert_eq!(config.env, Environment::Production);
        assert_eq!(config.listen.port(), 0);
        assert_eq!(config.tokens.access, Span::minutes(5));
        assert_eq!(config.tokens.algorithm, Algorithm::Es256);
        assert!(!config.rate_limits.enabled);
        assert_eq!(config.argon2.memory_kib, 65_536);
        assert_eq!(config.trusted_proxies.len(), 2);
        assert_eq!(config.cors.origins, ["https://a.example"]);
        assert_eq!(config.keys.master[&2].expose(), "aa");
        assert_eq!(config.mail.smtp.map(|smtp| smtp.host).as_deref(), Some("relay"));
        assert!(config.profile_fields.contains_key("company"));
        assert_eq!(config.public_url, None);
    }

    #[test]
    fn one_value_of_a_section_leaves_the_others_as_they_are() {
        let config = load(&[("AUTHKIT_RATE_LIMITS__SIGN_IN__REQUESTS", "5")]).expect("fine");
        assert_eq!(
            config.rate_limits.sign_in,
            crate::config::Rate { requests: 5, ..Config::default().rate_limits.sign_in }
        );
        let error = load(&[("AUTHKIT_RATE_LIMITS__SIGN_IN__PER", "never")]).expect_err("wrong");
        assert_eq!(error.problems.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["rate_limits.sign_in.per"]);
    }

    #[test]
    fn unknown_names_are_refused_with_the_nearest_known_one() {
        let error = load(&[("AUTHKIT_DATABSE_URL", "x"), ("AUTHKIT_TOKENS__ACESS", "5m"), ("AUTHKIT_QQQ", "1")])
            .expect_err("unknown")
            .to_string();
        assert!(error.contains("AUTHKIT_DATABSE_URL: there is no such setting; did you mean `AUTHKIT_DATABASE_URL`?"));
        assert!(error.contains("did you mean `AUTHKIT_TOKENS__ACCESS`?"));
        assert!(error.contains("AUTHKIT_QQQ: there is no such setting"));
    }

    #[test]
    fn every_wrong_value_is_named_at_once() {
        let error = load(&[
            ("AUTHKIT_LISTEN", "nowhere"),
            ("AUTHKIT_TOKENS__ACCESS", "soon"),
            ("AUTHKIT_LOCKOUT__FAILURES", "five"),
            ("AUTHKIT_TRUSTED_PROXIES", "10.0.0.0/8,nonsense"),
        ])
        .expect_err("wrong");
        let names: Vec<&str> = error.problems.iter().map(|problem| problem.name.as_str()).collect();
        for name in ["listen", "tokens.access", "AUTHKIT_LOCKOUT__FAILURES"] {
            assert!(names.contains(&name), "{name} is missing in {names:?}");
        }
        assert!(names.iter().any(|name| name.starts_with("trusted_proxies")), "{names:?}");
    }

    #[test]
    fn variables_win_over_the_file_and_the_file_over_defaults() {
        let file =
            file("listen = '127.0.0.1:9000'\n[tokens]\naccess = '1m'\nrefresh = '1d'\n[keys.master]\n1 = 'ab'\n");
        let name = file.path().display().to_string();
        let config = load(&[("AUTHKIT_CONFIG", &name), ("AUTHKIT_TOKENS__ACCESS", "2m")]).expect("fine");
        assert_eq!((config.tokens.access, config.tokens.refresh), (Span::minutes(2), Span::days(1)));
        assert_eq!(config.tokens.leeway, Span::seconds(30));
        assert_eq!((config.listen.port(), config.keys.master.len()), (9000, 1));
    }

    #[test]
    fn unknown_names_of_the_file_are_all_refused() {
        let file = file("listn = 'x'\n[tokens]\nacces = '1m'\n[token]\naccess = '1m'\n");
        let error = Config::load([], Some(file.path())).expect_err("unknown").to_string();
        assert!(error.contains("listn: there is no such setting; did you mean `listen`?"), "{error}");
        assert!(error.contains("did you mean `tokens.access`?"), "{error}");
        assert!(error.contains("token: there is no such setting"), "{error}");
    }

    #[test]
    fn a_broken_file_is_reported_without_its_content() {
        let file = file("listen = '127.0.0.1:1'\ndatabase_url = 'postgres://u:hunter2@h/d\n");
        let error = Config::load([], Some(file.path())).expect_err("no TOML").to_string();
        assert!(error.contains("in line 2") && !error.contains("hunter2"), "{error}");
        assert!(load(&[("AUTHKIT_CONFIG", "/nowhere/x.toml")]).expect_err("missing").to_string().contains("/nowhere"));
    }

    #[test]
    fn a_secret_is_read_from_a_file_and_only_a_secret() {
        let secret = file("postgres://u:p@h/d\r\n");
        let path = secret.path().display().to_string();
        let config =
            load(&[("AUTHKIT_DATABASE_URL_FILE", &path), ("AUTHKIT_KEYS__MASTER__1_FILE", &path)]).expect("fine");
        assert_eq!(config.database_url.expose(), "postgres://u:p@h/d");
        assert_eq!(config.keys.master[&1].expose(), "postgres://u:p@h/d");
        assert!(load(&[("AUTHKIT_LISTEN_FILE", &path)]).is_err());
        let both = load(&[("AUTHKIT_DATABASE_URL_FILE", &path), ("AUTHKIT_DATABASE_URL", "sqlite::memory:")]);
        assert!(both.expect_err("both").to_string().contains("set one of the two"));
    }
}
