use super::Roles;
use crate::{Error, Result, TRIES, ports::Operation};
use async_lock::MutexGuard;
use authkit_wire::ErrorCode;

/// The tries of one write.
///
/// The first runs beside other writes. Once one was faster the write waits for its turn on this node, so that many at
/// once do not starve each other. The host application was asked by then: its code never runs inside a turn.
pub(super) struct Tries<'a> {
    roles: &'a Roles,
    made: usize,
    turn: Option<MutexGuard<'a, ()>>,
    asked: bool,
}

impl Roles {
    pub(super) const fn tries(&self) -> Tries<'_> {
        Tries { roles: self, made: 0, turn: None, asked: false }
    }
}

impl Tries<'_> {
    /// Begins the next try.
    pub(super) async fn next(&mut self) -> Result<()> {
        if self.made == TRIES {
            return Err(Error::new(ErrorCode::Conflict, "Roles change too often at this moment; try again."));
        }
        if self.made > 0 && self.turn.is_none() {
            self.turn = Some(self.roles.turns.lock().await);
        }
        self.made += 1;
        Ok(())
    }

    /// Asks the host application, once for all tries.
    pub(super) async fn ask(&mut self, operation: &Operation) -> Result<()> {
        if std::mem::replace(&mut self.asked, true) {
            return Ok(());
        }
        self.roles.cx.before(operation, None).await
    }
}
