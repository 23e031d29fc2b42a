//! `authkit doctor`: what would keep the server from working, before it does.

use super::{
    Failure, Outcome, Output, load,
    output::{BOLD, CYAN, GREEN, RED, YELLOW, paint},
};
use authkit_engine::{
    Config, Engine, EngineError,
    config::{SmtpTls, readable_by_others},
};
use jiff::SignedDuration;
use serde::Serialize;
use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};
use tokio::{io::AsyncReadExt as _, net::TcpStream};

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Fine,
    Warning,
    Failed,
}

/// One check.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    state: State,
    detail: String,
    /// One line each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Default)]
struct Report {
    checks: Vec<Check>,
}

impl Report {
    fn add(&mut self, name: &'static str, state: State, detail: impl Into<String>, next: Option<&str>) {
        let (detail, next) = (detail.into(), next.map(str::to_owned));
        self.checks.push(Check { name, state, detail, details: Vec::new(), next });
    }

    fn fine(&mut self, name: &'static str, detail: impl Into<String>) {
        self.add(name, State::Fine, detail, None);
    }

    fn warn(&mut self, name: &'static str, detail: impl Into<String>, next: &str) {
        self.add(name, State::Warning, detail, Some(next));
    }

    fn fail(&mut self, name: &'static str, failure: impl Into<Failure>) {
        let failure: Failure = failure.into();
        let Failure { what, details, next, .. } = failure;
        self.checks.push(Check { name, state: State::Failed, detail: what, details, next });
    }
}

pub(crate) async fn run(file: Option<&Path>, output: &Output) -> Outcome {
    let mut report = Report::default();
    match load(file) {
        Err(failure) => report.fail("configuration", failure),
        Ok(config) => {
            secret_files(file, &mut report);
            examine(&config, &mut report).await;
        }
    }
    let failed = report.checks.iter().filter(|check| check.state == State::Failed).count();
    output.result(&serde_json::json!({ "healthy": failed == 0, "checks": report.checks }), || text(&report, failed));
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn examine(config: &Config, report: &mut Report) {
    match config.check() {
        Ok(()) => report.fine("configuration", format!("{:?}, every setting is known and safe there", config.env)),
        Err(error) => report.fail("configuration", error),
    }
    master_keys(config, report);
    disk(config, report);
    listener(config, report);
    mail(config, report).await;
    database(config, report).await;
}

/// Files that hold secrets are their owner's only.
fn secret_files(file: Option<&Path>, report: &mut Report) {
    let variables = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    let named: Vec<(String, PathBuf)> = variables.map(|(name, value)| (name, value.into())).collect();
    let from_variables = named.iter().filter(|(name, _)| name.starts_with("AUTHKIT_") && name.ends_with("_FILE"));
    let configured =
        file.or_else(|| named.iter().find(|(name, _)| name == "AUTHKIT_CONFIG").map(|(_, path)| path.as_path()));
    let holds_key = |path: &&Path| std::fs::read_to_string(path).is_ok_and(|text| text.contains("master"));
    let paths = from_variables.map(|(_, path)| path.as_path()).chain(configured.filter(holds_key));
    for path in paths.filter(|path| readable_by_others(path)) {
        let next = format!("chmod 600 {}", path.display());
        report.warn("secrets", format!("others can read {}", path.display()), &next);
    }
}

fn master_keys(config: &Config, report: &mut Report) {
    let versions: Vec<String> = config.keys.master.keys().map(ToString::to_string).collect();
    for path in key_files(config) {
        if let Some(days) = age_in_days(&path).filter(|days| *days > OLD_KEY_DAYS) {
            let next = "add a new version beside it (AUTHKIT_KEYS__MASTER__2); the old one still opens what it sealed";
            report.warn("master key", format!("{} is {days} days old", path.display()), next);
        }
    }
    match config.key_file() {
        _ if !versions.is_empty() => {
            report.fine("master key", format!("configured, version {}", versions.join(", ")));
        }
        Some(path) if !path.exists() => {
            // Where there is a database, opening it tells whether the key should be there.
            if config.database_file().is_some_and(|file| !file.exists()) {
                report.fine("master key", format!("generated at the first start, in {}", path.display()));
            }
        }
        Some(path) if readable_by_others(&path) => {
            let next = format!("chmod 600 {}", path.display());
            report.warn("master key", format!("others can read {}", path.display()), &next);
        }
        Some(path) => report.fine("master key", format!("generated, private, in {}", path.display())),
        None if config.is_development() => report.fine("master key", "generated, kept in the database (development)"),
        None => report.fail("master key", Failure::new("there is none").next("set AUTHKIT_KEYS__MASTER__1")),
    }
}

/// After so many days a sealing key should have a successor.
const OLD_KEY_DAYS: u64 = 365;

/// The files that sealing keys are read from.
fn key_files(config: &Config) -> Vec<PathBuf> {
    let named = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    let of_keys = |name: &str| name.starts_with("AUTHKIT_KEYS__MASTER__") && name.ends_with("_FILE");
    let from_variables = named.filter(|(name, _)| of_keys(name)).map(|(_, path)| PathBuf::from(path));
    from_variables.chain(config.key_file()).collect()
}

fn age_in_days(path: &Path) -> Option<u64> {
    let written = std::fs::metadata(path).ok()?.modified().ok()?;
    Some(written.elapsed().ok()?.as_secs() / 86_400)
}

/// Between the clocks of this machine and of the database: nodes should agree to the second, and tokens allow for half a
/// minute.
async fn clocks(config: &Config, report: &mut Report) {
    let ahead = match config.clock_difference().await {
        Ok(Some(ahead)) => ahead,
        Ok(None) => return,
        Err(error) => return report.fail("clock", error),
    };
    let detail = format!("the database's clock differs by {:.3} s", ahead.as_secs_f64());
    match skew(ahead) {
        State::Fine => report.fine("clock", detail),
        state => report.add("clock", state, detail, Some("set both clocks (NTP)")),
    }
}

fn skew(ahead: SignedDuration) -> State {
    match ahead.abs() {
        difference if difference > SignedDuration::from_secs(30) => State::Failed,
        difference if difference > SignedDuration::from_secs(2) => State::Warning,
        _ => State::Fine,
    }
}

/// Below this much free space writes may soon fail.
const LITTLE_SPACE: u64 = 512 << 20;

fn disk(config: &Config, report: &mut Report) {
    let Some(file) = config.database_file() else { return };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A folder that is not there yet is made at the first start, on the disk of the nearest one that is.
    let there = folder.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."));
    match free_space(there) {
        Err(error) => report.fail("disk", Failure::new(format!("{}: {error}", there.display()))),
        Ok(free) if free < LITTLE_SPACE => {
            let detail = format!("{} MiB are free at {}", free >> 20, there.display());
            report.warn("disk", detail, "make room: a full disk stops every write");
        }
        Ok(free) => report.fine("disk", format!("{} MiB are free at {}", free >> 20, there.display())),
    }
}

#[cfg(unix)]
fn free_space(folder: &Path) -> io::Result<u64> {
    let space = rustix::fs::statvfs(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?;
    if space.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY) {
        return Err(io::Error::new(io::ErrorKind::ReadOnlyFilesystem, "the file system is read-only"));
    }
    Ok(space.f_bavail.saturating_mul(space.f_frsize))
}

#[cfg(not(unix))]
fn free_space(_: &Path) -> io::Result<u64> {
    Ok(u64::MAX)
}

fn listener(config: &Config, report: &mut Report) {
    match std::net::TcpListener::bind(config.listen) {
        Ok(_) => report.fine("listener", format!("{} is free", config.listen)),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            report.warn("listener", format!("{} is in use", config.listen), "fine when that is the running server");
        }
        Err(error) => report.fail("listener", Failure::new(format!("cannot listen on {}: {error}", config.listen))),
    }
}

async fn mail(config: &Config, report: &mut Report) {
    let Some(smtp) = &config.mail.smtp else {
        if config.keeps_mail() {
            report.fine("mail", "kept in the development outbox, nothing is sent");
        }
        return;
    };
    let port = smtp.port.unwrap_or(match smtp.tls {
        SmtpTls::StartTls => 587,
        SmtpTls::Implicit => 465,
        SmtpTls::None => 25,
    });
    let greeting = async {
        let mut stream = TcpStream::connect((smtp.host.as_str(), port)).await?;
        let mut code = [0; 3];
        if smtp.tls != SmtpTls::Implicit {
            stream.read_exact(&mut code).await?;
        }
        io::Result::Ok(code)
    };
    let place = format!("{}:{port}", smtp.host);
    match tokio::time::timeout(Duration::from_secs(5), greeting).await {
        Ok(Ok(code)) if smtp.tls == SmtpTls::Implicit || &code == b"220" => {
            report.fine("mail", format!("{place} answers"))
        }
        Ok(Ok(_)) => report.fail("mail", Failure::new(format!("{place} answers, but not as an SMTP relay"))),
        Ok(Err(error)) => report.fail("mail", Failure::new(format!("{place} cannot be reached: {error}"))),
        Err(_) => report.fail("mail", Failure::new(format!("{place} does not answer within 5 seconds"))),
    }
}

async fn database(config: &Config, report: &mut Report) {
    if let Some(file) = config.database_file()
        && !file.exists()
    {
        report.fine("database", format!("{} does not exist yet; the first start makes it", file.display()));
        return;
    }
    // One in memory is empty whenever it is opened.
    if !config.database_url.expose().contains(":memory:") {
        match config.migration_state().await {
            Err(error) => return report.fail("database", error),
            Ok(state) if !state.pending.is_empty() => {
                let detail = format!("{} migration(s) are missing", state.pending.len());
                return report.add("database", State::Failed, detail, Some("authkit migrate"));
            }
            Ok(state) => report.fine("database", format!("answers; the schema is at version {}", state.applied)),
        }
        clocks(config, report).await;
    }
    if config.check().is_err() {
        // An engine would refuse, for the reasons named above.
        return;
    }
    match Box::pin(Engine::builder(config.clone()).build()).await {
        Err(error @ EngineError::Key(_)) => report.fail("master key", error),
        Err(error) => report.fail("engine", error),
        Ok(engine) => {
            if let Err(error) = contents(&engine, report).await {
                report.fail("database", error);
            }
        }
    }
}

/// What the rows tell.
async fn contents(engine: &Engine, report: &mut Report) -> Result<(), authkit_core::Error> {
    let cx = engine.context();
    let now = cx.now();
    let keys = engine.sessions().list_keys().await?;
    let signing = keys.iter().filter(|key| {
        key.revoked_at.is_none() && key.active_at <= now && key.retired_at.is_none_or(|retired| retired > now)
    });
    match signing.count() {
        0 => report.warn("signing keys", "no key signs at this moment", "authkit key rotate --now"),
        count => report.fine("signing keys", format!("{count} signing of {}", keys.len())),
    }
    let signs = keys.iter().filter(|key| key.revoked_at.is_none() && key.active_at <= now);
    let age = signs.map(|key| now.duration_since(key.active_at)).min().unwrap_or_default();
    if age > cx.settings.tokens.key_rotation + SignedDuration::from_hours(48) {
        let detail = format!("the newest signs since {} days", age.as_hours() / 24);
        report.warn("signing keys", detail, "a running server replaces them; `authkit key rotate` does so now");
    }
    let newest = keys.iter().map(|key| key.created_at).max();
    let ahead = newest.map_or(SignedDuration::ZERO, |newest| newest.duration_since(now));
    if ahead > SignedDuration::from_secs(60) {
        let detail = format!("the newest key was made {ahead:#} from now: this clock is behind");
        report.add("clock", State::Failed, detail, Some("set the clock (NTP)"));
    } else {
        report.fine("clock", format!("{now:.0}, not behind what is stored"));
    }
    let (waiting, dead) = cx.store.count_notices().await?;
    if dead > 0 {
        let next = "look for `given up` in the log; the relay refused them";
        report.warn("outbox", format!("{dead} mail(s) were given up, {waiting} wait"), next);
    } else {
        report.fine("outbox", format!("{waiting} mail(s) wait, none was given up"));
    }
    let oldest = cx.store.list_unlinked_audit(None, 1).await?.first().map(|record| now.duration_since(record.at));
    match oldest.filter(|age| *age > SignedDuration::from_secs(10)) {
        Some(age) => {
            let next = "a running server seals within a second; start one";
            report.warn("audit log", format!("a record waits for its seal since {age:#}"), next);
        }
        None => report.fine("audit log", "sealed; `authkit audit verify` checks all of it"),
    }
    Ok(())
}

fn text(report: &Report, failed: usize) -> String {
    let mut lines = Vec::new();
    for check in &report.checks {
        let sign = match check.state {
            State::Fine => paint(GREEN, "✓"),
            State::Warning => paint(YELLOW, "!"),
            State::Failed => paint(RED, "✗"),
        };
        lines.push(format!("{sign} {} {}", paint(BOLD, format!("{:13}", check.name)), check.detail));
        lines.extend(check.details.iter().map(|detail| format!("                - {detail}")));
        if let Some(next) = &check.next {
            lines.push(format!("                {} {next}", paint(CYAN, "next:")));
        }
    }
    lines.push(match failed {
        0 => paint(GREEN, "healthy"),
        _ => paint(RED, format!("{failed} check(s) failed")),
    });
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::{Report, State, age_in_days, contents, database, master_keys, skew, text};
    use crate::cli::testing::Bench;
    use authkit_core::{
        Origin, audit,
        memory::{ManualClock, SystemClock},
        notices::NoticeChange,
        ports::{Clock as _, Scope, Unit},
        tenants::DEFAULT_TENANT,
        wire::EmailRequest,
    };
    use authkit_engine::{Config, Engine, config::Environment};
    use authkit_testkit::{databases::Db, on_both_engines};
    use jiff::SignedDuration;
    use std::time::Duration;

    on_both_engines! {
        old_keys_given_up_mail_and_unsealed_records_are_told
    }

    fn state(report: &Report, name: &str) -> State {
        report.checks.iter().rfind(|check| check.name == name).map_or(State::Failed, |check| check.state)
    }

    #[test]
    fn clocks_may_differ_by_a_little() {
        for (millis, state) in
            [(0, State::Fine), (1_500, State::Fine), (5_000, State::Warning), (60_000, State::Failed)]
        {
            for millis in [millis, -millis] {
                assert_eq!(skew(SignedDuration::from_millis(millis)), state, "{millis}");
            }
        }
    }

    #[test]
    fn a_key_files_age_is_that_of_its_last_change() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        assert_eq!(age_in_days(file.path()), Some(0));
        let written = file.as_file().metadata().and_then(|data| data.modified()).expect("known");
        let long_ago = written - Duration::from_secs(400 * 86_400);
        file.as_file().set_modified(long_ago).expect("set");
        assert_eq!(age_in_days(file.path()), Some(400));
        assert_eq!(age_in_days(&file.path().join("none")), None);
    }

    #[test]
    fn each_refused_setting_has_its_line() {
        let config = Config { env: Environment::Production, ..Config::development("sqlite::memory:") };
        let mut report = Report::default();
        report.fail("configuration", config.check().expect_err("refused"));
        let lines = text(&report, 1);
        for name in ["public_url: ", "keys.master: "] {
            assert!(lines.lines().any(|line| line.trim_start().starts_with(&format!("- {name}"))), "{lines}");
        }
    }

    #[tokio::test]
    async fn a_lost_development_key_is_told_and_not_replaced() {
        let bench = Bench::new(Db::Sqlite).await;
        let key = bench.config.key_file().expect("a file");
        std::fs::remove_file(&key).expect("removed");
        let mut told = Report::default();
        master_keys(&bench.config, &mut told);
        database(&bench.config, &mut told).await;
        assert_eq!(state(&told, "master key"), State::Failed, "{:?}", told.checks);
        let lost = told.checks.iter().find(|check| check.name == "master key").expect("told");
        assert!(lost.detail.contains("restore it from the backup"), "{}", lost.detail);
        assert!(!key.exists(), "another key was written");
    }

    async fn old_keys_given_up_mail_and_unsealed_records_are_told(db: Db) {
        let bench = Bench::new(db).await;
        let mut fine = Report::default();
        contents(&bench.engine, &mut fine).await.expect("read");
        for name in ["signing keys", "clock", "outbox", "audit log"] {
            assert_eq!(state(&fine, name), State::Fine, "{name}: {fine:?}", fine = fine.checks);
        }
        // The same installation a year later.
        let clock = ManualClock::new(SystemClock.now() + SignedDuration::from_hours(365 * 24));
        let later = Engine::builder(bench.config.clone()).clock(clock.clone()).build().await.expect("an engine");
        let origin = Origin::local(DEFAULT_TENANT);
        let request = EmailRequest { email: "ada@example.com".into() };
        later.accounts().forgot_password(&origin, request).await.expect("taken");
        let cx = later.context();
        let owner = cx.uuid();
        let until = cx.now() + SignedDuration::from_mins(1);
        let waiting = cx.store.claim_notices(owner, cx.now(), until, 10).await.expect("claimed");
        let mut unit = Unit::new();
        for notice in &waiting {
            unit.push(NoticeChange::Bury { id: notice.id, owner });
        }
        unit.push(audit::entry(cx, &origin, "test.unsealed").system().build());
        cx.commit(Scope::System, unit).await.expect("committed");
        clock.advance(SignedDuration::from_secs(11));
        let mut told = Report::default();
        contents(&later, &mut told).await.expect("read");
        for name in ["outbox", "audit log"] {
            assert_eq!(state(&told, name), State::Warning, "{name}: {told:?}", told = told.checks);
        }
        let old = told.checks.iter().any(|check| check.name == "signing keys" && check.state == State::Warning);
        assert!(old, "{:?}", told.checks);
    }
}
