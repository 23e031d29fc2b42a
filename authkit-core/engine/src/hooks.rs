//! The host application's hooks, which may not hold up what is not theirs.

use async_trait::async_trait;
use authkit_core::ports::{Hooks, NewAccount, Operation, OperationKind, Refusal, TokenSubject};
use serde_json::{Map, Value};
use std::{sync::Arc, time::Duration};

/// How long one call after a commit may take. The outbox delivers in batches, and mail would wait with it.
const AFTER: Duration = Duration::from_secs(10);

/// Hooks whose calls after a commit end: one that hangs is tried again later, as one that fails.
#[derive(Debug)]
pub(crate) struct Patient {
    hooks: Arc<dyn Hooks>,
    after: Duration,
}

impl Patient {
    pub(crate) fn new(hooks: Arc<dyn Hooks>) -> Self {
        Self { hooks, after: AFTER }
    }
}

#[async_trait]
impl Hooks for Patient {
    async fn before(&self, operation: &Operation, account: Option<&NewAccount<'_>>) -> Result<(), Refusal> {
        self.hooks.before(operation, account).await
    }

    fn wants(&self, kind: OperationKind) -> bool {
        self.hooks.wants(kind)
    }

    async fn after(&self, operation: &Operation) -> Result<(), String> {
        let late = |_| Err(format!("the application did not come back within {} s", self.after.as_secs()));
        tokio::time::timeout(self.after, self.hooks.after(operation)).await.unwrap_or_else(late)
    }

    fn claims(&self, subject: &TokenSubject<'_>) -> Map<String, Value> {
        self.hooks.claims(subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use authkit_core::tenants::DEFAULT_TENANT;

    #[derive(Debug)]
    struct Hanging;

    #[async_trait]
    impl Hooks for Hanging {
        fn wants(&self, kind: OperationKind) -> bool {
            kind == OperationKind::SignIn
        }

        async fn after(&self, _: &Operation) -> Result<(), String> {
            std::future::pending().await
        }
    }

    #[tokio::test]
    async fn a_hook_that_hangs_fails_and_is_tried_again() {
        let hooks = Patient { after: Duration::from_millis(10), ..Patient::new(Arc::new(Hanging)) };
        let operation = Operation::new(OperationKind::SignIn, DEFAULT_TENANT);
        hooks.after(&operation).await.expect_err("in time");
        assert!(hooks.wants(OperationKind::SignIn) && !hooks.wants(OperationKind::Refresh));
    }
}
