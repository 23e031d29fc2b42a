//! `authkit audit …`

use super::{
    Outcome, Output, engine, finish,
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
            // What was committed before a crash is linked now: nobody else may be running who would. While another node
            // holds the lease it does so itself. A record without a valid MAC is linked as well, and named below.
            finish(&engine).await;
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

#[cfg(test)]
mod tests {
    use crate::cli::testing::Bench;
    use authkit_core::{
        Origin, audit,
        audit::AuditChange,
        memory::{ManualClock, SystemClock},
        ports::{Clock as _, Scope, Unit},
        tenants::DEFAULT_TENANT,
    };
    use authkit_testkit::{databases::Db, on_both_engines};
    use jiff::SignedDuration;

    on_both_engines! {
        what_a_killed_server_left_unsealed_is_linked_and_is_no_damage
        a_record_that_was_put_in_without_the_key_is_still_named
    }

    /// An installation whose node ended a minute ago without a word, after it had committed a record.
    async fn killed(db: Db) -> Bench {
        let clock = ManualClock::new(SystemClock.now() - SignedDuration::from_mins(1));
        let bench = Bench::at(db, clock.clone()).await;
        let record = audit::entry(bench.engine.context(), &ORIGIN, "test.before_the_end").system().build();
        commit(&bench, record).await;
        clock.advance(SignedDuration::from_mins(1));
        bench
    }

    const ORIGIN: Origin = Origin::local(DEFAULT_TENANT);

    async fn commit(bench: &Bench, record: AuditChange) {
        let unit = Unit::new().with(record);
        bench.engine.context().commit(Scope::Tenant(DEFAULT_TENANT), unit).await.expect("committed");
    }

    async fn what_a_killed_server_left_unsealed_is_linked_and_is_no_damage(db: Db) {
        let bench = killed(db).await;
        let report = bench.engine.audit().verify(|_| {}).await.expect("read");
        assert!(!report.is_clean(), "nothing is left unsealed, so that this test shows nothing");
        let told = bench.run("audit verify").await.expect("clean");
        assert_eq!(told["clean"], true, "{told}");
        assert_eq!(told["records"], told["links"]);
    }

    async fn a_record_that_was_put_in_without_the_key_is_still_named(db: Db) {
        let bench = killed(db).await;
        let entry = audit::entry(bench.engine.context(), &ORIGIN, "test.forged").system().build();
        let AuditChange::Write(mut forged) = entry else { panic!("an entry is a record") };
        forged.mac = [7; 32];
        commit(&bench, AuditChange::Write(forged.clone())).await;
        let failure = bench.run("audit verify").await.expect_err("damaged");
        assert!(failure.what.contains(&forged.id.to_string()), "{}", failure.what);
    }
}
