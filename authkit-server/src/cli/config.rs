//! `authkit config …`

use super::{
    Failure, Outcome, Output, load,
    output::{GREEN, paint},
};
use authkit_engine::config::{self, Config};
use clap::Subcommand;
use serde_json::Value;
use std::{path::Path, process::ExitCode};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print the settings in force, without secrets
    Show,
    /// Say what keeps AuthKit from starting with these settings
    Check,
    /// Print the JSON Schema of the configuration
    Schema,
    /// Print the reference of all settings, in Markdown
    Docs,
}

pub(crate) fn run(command: Command, file: Option<&Path>, output: &Output) -> Outcome {
    match command {
        Command::Schema => {
            output.raw(&serde_json::to_string_pretty(&config::json_schema()).unwrap_or_default());
        }
        Command::Docs => output.raw(&config::reference()),
        Command::Show => {
            let config = load(file)?;
            let shown = config.redacted();
            output.result(&shown, || text(&shown));
            if let Some(refused) = refusal(&config) {
                // On standard error, so that what is piped on stays whole; the settings were asked for and are shown.
                let _ = output.fail(&refused);
            }
        }
        Command::Check => {
            let config: Config = load(file)?;
            config.check()?;
            output.result(&serde_json::json!({ "fine": true }), || {
                format!("{} the configuration can be used in {:?}", paint(GREEN, "fine:"), config.env)
            });
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What `serve` would say to these settings.
fn refusal(config: &Config) -> Option<Failure> {
    let refused = config.check().err()?;
    Some(Failure::from(refused).next("`authkit serve` does not start with these settings"))
}

/// One `name = value` on each line.
fn text(tree: &Value) -> String {
    fn walk(tree: &Value, name: &str, lines: &mut Vec<String>) {
        match tree {
            Value::Object(map) => {
                for (key, inner) in map {
                    let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                    walk(inner, &name, lines);
                }
            }
            Value::Null => {}
            other => lines.push(format!("{name} = {other}")),
        }
    }
    let mut lines = Vec::new();
    walk(tree, "", &mut lines);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_says_whether_serve_would_take_it() {
        let mut config = Config::development("sqlite::memory:");
        assert!(refusal(&config).is_none());
        config.env = config::Environment::Production;
        let refused = refusal(&config).expect("refused");
        assert!(refused.details.iter().any(|detail| detail.starts_with("keys.master:")), "{:?}", refused.details);
    }
}
