//! The table of docs/conformance.md: what each runner says about each scenario.

use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

/// What became of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not.
    Failed,
    /// It cannot be run there, and `reason` says why.
    Skipped,
}

/// One line that a runner prints, as JSON.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// For example `rust`.
    pub language: String,
    /// For example `HTTP, PostgreSQL`.
    pub mode: String,
    /// The scenario's file without its ending.
    pub scenario: String,
    /// What became of it.
    pub outcome: Outcome,
    /// What went wrong, or why it was left out.
    #[serde(default)]
    pub reason: Option<String>,
}

impl Record {
    fn runner(&self) -> (String, String) {
        (self.language.clone(), self.mode.clone())
    }

    fn reason(&self) -> &str {
        self.reason.as_deref().unwrap_or_default().trim()
    }
}

/// Everything that is wrong with a run: failures, skips without a reason, scenarios that a runner said nothing about, or
/// said something about twice or that there are none of.
#[must_use]
pub fn faults(records: &[Record], scenarios: &BTreeMap<String, String>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for record in records {
        let (language, mode) = record.runner();
        let place = format!("{language} ({mode}), {}", record.scenario);
        match record.outcome {
            Outcome::Failed => faults.push(format!("{place}: {}", record.reason())),
            Outcome::Skipped if record.reason().is_empty() => faults.push(format!("{place}: skipped without a reason")),
            _ => {}
        }
        if !scenarios.contains_key(&record.scenario) {
            faults.push(format!("{place}: there is no such scenario"));
        }
        if !seen.insert((record.runner(), record.scenario.clone())) {
            faults.push(format!("{place}: reported twice"));
        }
    }
    let runners: BTreeSet<_> = records.iter().map(Record::runner).collect();
    for runner in runners {
        for scenario in scenarios.keys().filter(|name| !seen.contains(&(runner.clone(), (*name).clone()))) {
            faults.push(format!("{} ({}), {scenario}: not reported", runner.0, runner.1));
        }
    }
    faults
}

/// The page. `scenarios` are titles by file name.
#[must_use]
pub fn page(records: &[Record], scenarios: &BTreeMap<String, String>) -> String {
    let mut runners: Vec<(String, String)> = Vec::new();
    for record in records {
        if !runners.contains(&record.runner()) {
            runners.push(record.runner());
        }
    }
    let mut page = String::from(
        "# Conformance\n\n\
        Written by `make conformance`, compared by `make test`. Each scenario is a file in\n\
        [tests/scenarios](../tests/scenarios), and runs on a fresh state: ✓ it holds, ✗ it does not, – it is not run there,\n\
        for the reason below.\n\n| Scenario |",
    );
    for (language, mode) in &runners {
        let _ = write!(page, " {language}<br>{mode} |");
    }
    page.push_str("\n|---|");
    page.push_str(&"---|".repeat(runners.len()));
    let mut reasons: Vec<&str> = Vec::new();
    for (name, title) in scenarios {
        let _ = write!(page, "\n| [{title}](../tests/scenarios/{name}.json) |");
        for runner in &runners {
            let found = records.iter().find(|record| record.scenario == *name && record.runner() == *runner);
            let cell = match found.map(|record| (record.outcome, record.reason())) {
                Some((Outcome::Passed, _)) => "✓".to_owned(),
                Some((Outcome::Skipped, reason)) => {
                    let place = reasons.iter().position(|known| *known == reason).unwrap_or_else(|| {
                        reasons.push(reason);
                        reasons.len() - 1
                    });
                    format!("–{}", superscript(place + 1))
                }
                Some((Outcome::Failed, _)) | None => "✗".to_owned(),
            };
            let _ = write!(page, " {cell} |");
        }
    }
    page.push('\n');
    for (place, reason) in reasons.iter().enumerate() {
        let _ = write!(page, "\n{}. {reason}", place + 1);
    }
    if !reasons.is_empty() {
        page.push('\n');
    }
    page
}

fn superscript(number: usize) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    number.to_string().bytes().map(|digit| DIGITS[usize::from(digit - b'0')]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(mode: &str, scenario: &str, outcome: Outcome, reason: Option<&str>) -> Record {
        Record {
            language: "rust".into(),
            mode: mode.into(),
            scenario: scenario.into(),
            outcome,
            reason: reason.map(Into::into),
        }
    }

    fn scenarios() -> BTreeMap<String, String> {
        [("one", "The first"), ("two", "The second")].map(|(name, title)| (name.into(), title.into())).into()
    }

    #[test]
    fn failures_silent_skips_and_gaps_are_faults() {
        use Outcome::{Failed, Passed, Skipped};
        let good = [record("a", "one", Passed, None), record("a", "two", Skipped, Some("no keys"))];
        assert_eq!(faults(&good, &scenarios()), Vec::<String>::new());
        for (bad, fault) in [
            (record("a", "two", Failed, Some("it broke")), "it broke"),
            (record("a", "two", Skipped, None), "without a reason"),
            (record("a", "two", Skipped, Some(" ")), "without a reason"),
            (record("a", "three", Passed, None), "no such scenario"),
            (record("a", "one", Passed, None), "twice"),
            (record("b", "two", Passed, None), "not reported"),
        ] {
            let found = faults(&[good[0].clone(), bad], &scenarios());
            assert!(found.iter().any(|found| found.contains(fault)), "{fault}: {found:?}");
        }
    }

    #[test]
    fn the_page_shows_each_runner_and_every_reason_once() {
        let records = [
            record("a", "one", Outcome::Passed, None),
            record("a", "two", Outcome::Skipped, Some("no keys")),
            record("b", "one", Outcome::Skipped, Some("no keys")),
            record("b", "two", Outcome::Failed, Some("it broke")),
        ];
        let page = page(&records, &scenarios());
        assert!(page.contains("| Scenario | rust<br>a | rust<br>b |\n|---|---|---|\n"), "{page}");
        assert!(page.contains("(../tests/scenarios/one.json) | ✓ | –¹ |\n"), "{page}");
        assert!(page.contains("(../tests/scenarios/two.json) | –¹ | ✗ |\n"), "{page}");
        assert!(page.ends_with("\n\n1. no keys\n"), "{page}");
    }
}
