//! What the domain does, as counters for whoever records them.

use authkit_core::{ports::Observer, wire::AuditOutcome};
use std::time::{Duration, Instant};

/// Counts what was committed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counting;

impl Observer for Counting {
    fn committed(&self, action: &str, outcome: AuditOutcome) {
        let outcome = if outcome == AuditOutcome::Success { "success" } else { "failure" };
        match action {
            "session.created" => metrics::counter!("authkit_sign_ins_total", "outcome" => "success").increment(1),
            "session.failed" => metrics::counter!("authkit_sign_ins_total", "outcome" => "failure").increment(1),
            "mfa.failed" => metrics::counter!("authkit_sign_ins_total", "outcome" => "mfa_failure").increment(1),
            "user.locked" => metrics::counter!("authkit_lockouts_total").increment(1),
            "session.reuse_detected" => metrics::counter!("authkit_refresh_reuse_total").increment(1),
            _ => {}
        }
        metrics::counter!("authkit_operations_total", "action" => action.to_owned(), "outcome" => outcome).increment(1);
    }

    fn happened(&self, what: &'static str, outcome: AuditOutcome) {
        let outcome = if outcome == AuditOutcome::Success { "success" } else { "failure" };
        if let Some(purpose) = what.strip_prefix("device.") {
            metrics::counter!("authkit_device_proofs_total", "purpose" => purpose, "outcome" => outcome).increment(1);
        }
    }
}

/// What the numbers mean.
pub(crate) fn describe() {
    metrics::describe_counter!("authkit_sign_ins_total", "Sign-ins by outcome: success, failure, mfa_failure.");
    metrics::describe_counter!("authkit_lockouts_total", "Accounts locked by wrong passwords or codes.");
    metrics::describe_counter!("authkit_refresh_reuse_total", "Sessions ended because an old refresh token came back.");
    metrics::describe_counter!("authkit_operations_total", "Audit records by action and outcome.");
    metrics::describe_counter!(
        "authkit_device_proofs_total",
        "Proofs of devices by purpose (claim, token) and outcome."
    );
    metrics::describe_counter!("authkit_migrations_applied_total", "Migrations that this process applied.");
    metrics::describe_histogram!("authkit_migration_seconds", metrics::Unit::Seconds, "Time of a migration.");
}

/// Counts migrations and how long each took.
#[derive(Debug)]
pub(crate) struct Migrations(Instant);

impl Migrations {
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }

    /// A migration begins, or is done.
    pub(crate) fn step(&mut self, done: bool) {
        if done {
            let took: Duration = self.0.elapsed();
            metrics::counter!("authkit_migrations_applied_total").increment(1);
            metrics::histogram!("authkit_migration_seconds").record(took.as_secs_f64());
        } else {
            self.0 = Instant::now();
        }
    }
}
