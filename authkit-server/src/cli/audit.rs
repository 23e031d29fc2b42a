//! `authkit audit …`

use super::{
    Outcome, Output, engine,
    output::{GREEN, RED, paint},
};
use authkit_engine::Config;
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check every record, link and signature; exits with 1 when something is wrong
    Verify,
}

pub(crate) async fn run(config: Config, command: Command, output: &Output) -> Outcome {
    let engine = engine(config).await?;
    match command {
        Command::Verify => {
            // Drawn on standard error, and only where somebody watches.
            let bar = if output.is_text() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
            if let Ok(style) = ProgressStyle::with_template("{spinner} checked {pos} records ({per_sec})") {
                bar.set_style(style);
            }
            let report = engine.audit().verify(|records| bar.set_position(records)).await?;
            bar.finish_and_clear();
            let value = json!({
                "clean": report.is_clean(),
                "records": report.records,
                "links": report.links,
                "heads": report.heads,
                "last_sequence": report.last_sequence,
                "last_signed": report.last_signed,
                "problem_count": report.problem_count,
                "problems": report.problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
            });
            output.result(&value, || {
                let counted = format!(
                    "{} records, {} links, {} signed heads; signed up to place {} of {}",
                    report.records, report.links, report.heads, report.last_signed, report.last_sequence
                );
                if report.is_clean() {
                    return format!("{} {counted}", paint(GREEN, "intact:"));
                }
                let mut text = format!("{} {} problem(s) in {counted}", paint(RED, "damaged:"), report.problem_count);
                for problem in &report.problems {
                    text.push_str(&format!("\n  - {problem}"));
                }
                let more = report.problem_count.saturating_sub(report.problems.len() as u64);
                if more > 0 {
                    text.push_str(&format!("\n  … and {more} more"));
                }
                text
            });
            Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}
