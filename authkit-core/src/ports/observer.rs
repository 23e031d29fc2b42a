use authkit_wire::AuditOutcome;
use std::fmt::Debug;

/// Hears what happened, for metrics: each audit record once its unit is committed, and what leaves no record.
///
/// # Behavior
/// It answers at once, and what it does cannot fail the operation. Nothing personal comes this way.
pub trait Observer: Debug + Send + Sync {
    /// `action`, for example `session.created`, was committed.
    fn committed(&self, action: &str, outcome: AuditOutcome);

    /// `what`, for example `device.token`, happened. It is too frequent for the audit log, or strangers can cause it.
    fn happened(&self, what: &'static str, outcome: AuditOutcome) {
        let _ = (what, outcome);
    }
}

/// Hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn committed(&self, _: &str, _: AuditOutcome) {}
}
