use authkit_wire::AuditOutcome;
use std::fmt::Debug;

/// Hears what happened, for metrics: each audit record once its unit is committed.
///
/// # Behavior
/// It answers at once, and what it does cannot fail the operation. Nothing personal comes this way.
pub trait Observer: Debug + Send + Sync {
    /// `action`, for example `session.created`, was committed.
    fn committed(&self, action: &str, outcome: AuditOutcome);
}

/// Hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn committed(&self, _: &str, _: AuditOutcome) {}
}
