//! `authkit migrate`

use super::{
    Outcome, Output, missing_database,
    output::{GREEN, YELLOW, paint},
};
use authkit_engine::{Config, MigrationState};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Change nothing; exit with 1 when migrations are missing
    #[arg(long)]
    check: bool,
}

pub(crate) async fn run(config: &Config, arguments: &Arguments, output: &Output) -> Outcome {
    let missing = missing_database(config).filter(|_| arguments.check);
    let before = match &missing {
        None => config.migration_state().await?,
        // As a new database would be, without making one.
        Some(_) => Config { database_url: "sqlite::memory:".into(), ..config.clone() }.migration_state().await?,
    };
    if arguments.check {
        let current = before.pending.is_empty();
        output.result(&view(&before, &[]), || {
            if current {
                return format!("{} the schema is at version {}", paint(GREEN, "current:"), before.applied);
            }
            let names: Vec<String> = before.pending.iter().map(|(version, name)| format!("{version} {name}")).collect();
            let nowhere = missing.map(|file| format!(" (there is no database at {})", file.display()));
            let (missing, nowhere) = (paint(YELLOW, "missing:"), nowhere.unwrap_or_default());
            format!("{missing} {}; run `authkit migrate`{nowhere}", names.join(", "))
        });
        return Ok(if current { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    // Drawn on standard error, and only where somebody watches.
    let bar = if output.is_text() { ProgressBar::new(before.pending.len() as u64) } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template("{spinner} [{bar:30}] {pos}/{len} {msg}") {
        bar.set_style(style.progress_chars("=> "));
    }
    let mut applied = Vec::new();
    let outcome = config
        .migrate(|step| {
            bar.set_length(step.steps as u64);
            bar.set_message(format!("{} {}", step.version, step.name));
            if step.done {
                bar.inc(1);
                applied.push((step.version, step.name));
            }
        })
        .await;
    bar.finish_and_clear();
    let after = outcome?;
    output.result(&view(&after, &applied), || {
        if applied.is_empty() {
            return format!("{} the schema is at version {}", paint(GREEN, "current:"), after.applied);
        }
        let names: Vec<String> = applied.iter().map(|(version, name)| format!("{version} {name}")).collect();
        format!(
            "{} {}; the schema is at version {}, the rows are consistent",
            paint(GREEN, "migrated:"),
            names.join(", "),
            after.applied
        )
    });
    Ok(ExitCode::SUCCESS)
}

fn view(state: &MigrationState, applied: &[(i64, &str)]) -> Value {
    let list = |steps: &[(i64, &str)]| -> Vec<Value> {
        steps.iter().map(|(version, name)| json!({ "version": version, "name": name })).collect()
    };
    json!({
        "version": state.applied,
        "latest": state.latest,
        "applied": list(applied),
        "pending": list(&state.pending),
    })
}
