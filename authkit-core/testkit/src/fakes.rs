//! Fakes of the ports, for tests of AuthKit and of applications that embed it.

pub use authkit_core::memory::{ManualClock as TestClock, SeededRandom};

use async_trait::async_trait;
use authkit_core::{
    ports::{BreachedPasswords, Hooks, Mail, MailError, Mailer, NewAccount, Operation, OperationKind, Places, Refusal},
    wire::Secret,
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Delivers everything to a list. Its clones share it.
#[derive(Clone, Debug, Default)]
pub struct RecordingMailer {
    mails: Arc<Mutex<Vec<Mail>>>,
}

impl RecordingMailer {
    /// Everything that was delivered, the oldest first.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        lock(&self.mails).clone()
    }

    /// Empties the list and returns what was in it.
    #[must_use]
    pub fn take(&self) -> Vec<Mail> {
        std::mem::take(&mut *lock(&self.mails))
    }

    /// The newest mail of `kind` to `to`.
    #[must_use]
    pub fn find(&self, to: &str, kind: &str) -> Option<Mail> {
        lock(&self.mails).iter().rev().find(|mail| mail.to == to && mail.kind == kind).cloned()
    }

    /// The token in the first link of the newest mail of `kind` to `to`.
    #[must_use]
    pub fn token(&self, to: &str, kind: &str) -> Option<Secret> {
        let mail = self.find(to, kind)?;
        mail.links.first()?.split_once("?token=").map(|(_, token)| token.into())
    }
}

#[async_trait]
impl Mailer for RecordingMailer {
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        lock(&self.mails).push(mail.clone());
        Ok(())
    }
}

/// Answers as its script says, and delivers to a [`RecordingMailer`] once that is over. A mail it fails is not delivered.
#[derive(Clone, Debug, Default)]
pub struct FailingMailer {
    script: Arc<Mutex<VecDeque<MailError>>>,
    /// Where mail goes that is not failed.
    pub delivered: RecordingMailer,
}

impl FailingMailer {
    /// Fails as often as there are `failures`, in their order.
    #[must_use]
    pub fn new(failures: impl IntoIterator<Item = MailError>) -> Self {
        Self { script: Arc::new(Mutex::new(failures.into_iter().collect())), delivered: RecordingMailer::default() }
    }

    /// How many failures are left.
    #[must_use]
    pub fn left(&self) -> usize {
        lock(&self.script).len()
    }
}

#[async_trait]
impl Mailer for FailingMailer {
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let failure = lock(&self.script).pop_front();
        match failure {
            Some(error) => Err(error),
            None => self.delivered.send(mail).await,
        }
    }
}

/// Knows the places that it was given.
#[derive(Clone, Debug, Default)]
pub struct FixedPlaces(BTreeMap<IpAddr, String>);

impl FixedPlaces {
    /// With those places.
    #[must_use]
    pub fn new<P: Into<String>>(places: impl IntoIterator<Item = (IpAddr, P)>) -> Self {
        Self(places.into_iter().map(|(ip, place)| (ip, place.into())).collect())
    }
}

impl Places for FixedPlaces {
    fn place(&self, ip: IpAddr) -> Option<String> {
        self.0.get(&ip).cloned()
    }
}

/// Knows the breached passwords that it was given.
#[derive(Clone, Default)]
pub struct FixedBreaches(BTreeSet<String>);

impl FixedBreaches {
    /// With those passwords.
    #[must_use]
    pub fn new<P: Into<String>>(passwords: impl IntoIterator<Item = P>) -> Self {
        Self(passwords.into_iter().map(Into::into).collect())
    }
}

impl std::fmt::Debug for FixedBreaches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FixedBreaches").finish_non_exhaustive()
    }
}

#[async_trait]
impl BreachedPasswords for FixedBreaches {
    async fn contains(&self, password: &Secret) -> bool {
        self.0.contains(password.expose())
    }
}

/// Refuses operations of some kinds, and remembers everything it was asked and told.
#[derive(Clone, Debug, Default)]
pub struct RefusingHooks {
    refused: Vec<OperationKind>,
    asked: Arc<Mutex<Vec<OperationKind>>>,
    told: Arc<Mutex<Vec<Operation>>>,
}

impl RefusingHooks {
    /// Refuses operations of these kinds.
    #[must_use]
    pub fn new(refused: impl IntoIterator<Item = OperationKind>) -> Self {
        Self { refused: refused.into_iter().collect(), ..Self::default() }
    }

    /// The kinds it was asked for, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<OperationKind> {
        lock(&self.asked).clone()
    }

    /// What it heard of after the commit, in order.
    #[must_use]
    pub fn told(&self) -> Vec<Operation> {
        lock(&self.told).clone()
    }
}

#[async_trait]
impl Hooks for RefusingHooks {
    async fn before(&self, operation: &Operation, _: Option<&NewAccount<'_>>) -> Result<(), Refusal> {
        lock(&self.asked).push(operation.kind);
        if self.refused.contains(&operation.kind) {
            return Err(Refusal { reason: "The application refuses this.".into() });
        }
        Ok(())
    }

    fn wants(&self, _: OperationKind) -> bool {
        true
    }

    async fn after(&self, operation: &Operation) -> Result<(), String> {
        lock(&self.told).push(operation.clone());
        Ok(())
    }
}
