//! `make conformance`: runs every scenario in every language, and writes docs/conformance.md. `--check` compares instead;
//! `--only rust` runs one language, and writes nothing.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a harness fails by panicking, and tells how it went")]

use authkit_engine::{Config, Conformance};
use authkit_tests::{
    Database, Place, Scenario, Server,
    table::{Outcome, Record, faults, page},
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{ExitCode, Stdio},
};
use tokio::process::Command;

/// The other languages, each with the command that runs its runner, from the repository's root.
const RUNNERS: &[(&str, &[&str])] = &[
    ("node", &["bindings/node/test/scenarios.sh"]),
    ("python", &["scripts/python.sh", "tests/runners/python/run.py"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let only = arguments.windows(2).find(|pair| pair[0] == "--only").map(|pair| pair[1].as_str());
    let wanted = |language: &str| only.is_none_or(|only| only == language);
    let scenarios = Scenario::read_all();
    let titles: BTreeMap<String, String> = scenarios.iter().map(|s| (s.file.clone(), s.name.clone())).collect();
    let (mut records, mut wrong) = (Vec::new(), Vec::new());
    if wanted("rust") {
        records.extend(rust(&scenarios).await);
    }
    let database = Database::memory();
    let server = Server::start_conformance(&database).await;
    if wanted("firmware") {
        let place = Place::at(&server.url).with_firmware();
        records.extend(all(&scenarios, "firmware", "on this machine, HTTP", &place).await);
    }
    for (language, command) in RUNNERS.iter().filter(|(language, _)| wanted(language)) {
        match run(command, &server.url).await {
            Ok(found) if found.is_empty() => wrong.push(format!("{language}: its runner reported nothing")),
            Ok(found) => records.extend(found),
            Err(reason) => wrong.push(format!("{language}: {reason}")),
        }
    }
    wrong.extend(faults(&records, &titles));

    let (file, fresh) = (root().join("docs/conformance.md"), page(&records, &titles));
    if arguments.iter().any(|argument| argument == "--check") {
        if std::fs::read_to_string(&file).unwrap_or_default() != fresh {
            wrong.push(
                "docs/conformance.md is not what this run found: run `make conformance` and commit the result".into(),
            );
        }
    } else if only.is_none() {
        std::fs::write(&file, &fresh).unwrap();
    }
    for fault in &wrong {
        println!("!! {fault}");
    }
    let passed = records.iter().filter(|record| record.outcome == Outcome::Passed).count();
    let skipped = records.iter().filter(|record| record.outcome == Outcome::Skipped).count();
    let verdict = if wrong.is_empty() { "ok" } else { "FAILED" };
    println!("test result: {verdict}. {passed} passed; {} failed; {skipped} ignored", wrong.len());
    if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Rust's own runner: in this process and over sockets, on each store.
async fn rust(scenarios: &[Scenario]) -> Vec<Record> {
    let cheap = |url: &str| {
        let mut config = Config::development(url);
        (config.argon2.memory_kib, config.argon2.iterations) = (64, 1);
        config
    };
    let mut records = Vec::new();
    let memory = Conformance::in_memory(cheap("sqlite::memory:")).unwrap();
    records.extend(all(scenarios, "rust", "in process, memory", &Place::inside(memory).await).await);
    let databases = || async { [("SQLite", Database::sqlite()), ("PostgreSQL", Database::postgres().await)] };
    for (name, database) in databases().await {
        let inside = Conformance::open(cheap(&database.url)).await.unwrap();
        records.extend(all(scenarios, "rust", &format!("in process, {name}"), &Place::inside(inside).await).await);
    }
    for (name, database) in [("memory", Database::memory())].into_iter().chain(databases().await) {
        let server = Server::start_conformance(&database).await;
        records.extend(all(scenarios, "rust", &format!("HTTP, {name}"), &Place::at(&server.url)).await);
    }
    records
}

async fn all(scenarios: &[Scenario], language: &str, mode: &str, place: &Place) -> Vec<Record> {
    let mut records = Vec::new();
    for scenario in scenarios {
        let no_device = language == "firmware" && scenario.skipped(language, &["http"]).is_none();
        let skipped = no_device.then(|| "there is no device in it".to_owned());
        let (outcome, reason) = match skipped.or_else(|| scenario.skipped(language, &["http", "device"])) {
            Some(reason) => (Outcome::Skipped, Some(reason)),
            None => match scenario.run(place).await {
                Ok(()) => (Outcome::Passed, None),
                Err(reason) => (Outcome::Failed, Some(reason)),
            },
        };
        let (language, mode, scenario) = (language.to_owned(), mode.to_owned(), scenario.file.clone());
        records.push(Record { language, mode, scenario, outcome, reason });
    }
    records
}

/// Another language's runner; every line that it prints is a record.
async fn run(command: &[&str], url: &str) -> Result<Vec<Record>, String> {
    let output = Command::new(command[0])
        .args(&command[1..])
        .current_dir(root())
        .env("AUTHKIT_CONFORMANCE_URL", url)
        .env("AUTHKIT_SCENARIOS", root().join("tests/scenarios"))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| format!("`{}` cannot be run: {error}", command.join(" ")))?;
    if !output.status.success() {
        return Err(format!("`{}` ended with {}", command.join(" "), output.status));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))).collect()
}
