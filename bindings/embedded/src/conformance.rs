//! Engines for conformance runs.

use crate::{
    Embedded,
    embedded::{Opened, Source},
    failure, process, settings,
};
use authkit_client::{Error, Result};
use authkit_engine::{Administrator, Conformance, Start};
use serde_json::Value;
use std::fmt;

/// An engine over a state that each scenario finds new, with a clock that is moved by hand. Refused in production, and over a
/// database that somebody uses.
#[derive(Clone)]
pub struct ConformanceState(Embedded);

impl ConformanceState {
    /// Over the database of the settings.
    ///
    /// # Errors
    /// Those of [`Embedded::open`].
    pub async fn open(settings: Value) -> Result<Self> {
        let config = settings::read(settings)?;
        let opening = process::on_runtime(async move { Conformance::open(config).await });
        let conformance = opening.await?.map_err(failure::opening)?;
        Embedded::start(Source::Conformance(Box::new(conformance))).await.map(Self)
    }

    /// The engine, for clients. It stays the same over resets.
    #[must_use]
    pub const fn engine(&self) -> &Embedded {
        &self.0
    }

    /// Deletes everything and begins anew.
    ///
    /// # Errors
    /// Those of [`Embedded::open`].
    pub async fn reset(&self) -> Result<Administrator> {
        let state = self.clone();
        let reset = process::on_runtime(async move {
            let (engine, administrator) =
                state.conformance()?.reset(Start::default()).await.map_err(failure::opening)?;
            state.0.0.replace(Opened::new(engine, None, Some(administrator.clone()))).await;
            Ok(administrator)
        });
        reset.await?
    }

    /// Moves the clock, and does what a worker would have done by then.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn advance(&self, seconds: u32) -> Result<()> {
        let opened = self.0.opened().await?;
        self.conformance()?.clock().advance(seconds);
        let done = process::on_runtime(async move { opened.engine.catch_up().await }).await?;
        done.map_err(|error| failure::refused(error, None))
    }

    /// What the clock shows, in seconds since 1970.
    ///
    /// # Errors
    /// None: it is always a conformance run's.
    pub fn now(&self) -> Result<i64> {
        Ok(self.conformance()?.clock().shows().as_second())
    }

    /// The administrator of the state as it was opened or last reset.
    ///
    /// # Errors
    /// Those of a closed engine.
    pub async fn administrator(&self) -> Result<Administrator> {
        let opened = self.0.opened().await?;
        opened.administrator.clone().ok_or_else(|| Error::invalid_argument("This is no conformance run."))
    }

    fn conformance(&self) -> Result<&Conformance> {
        match &self.0.0.source {
            Source::Conformance(conformance) => Ok(conformance),
            Source::Installation(_) => Err(Error::invalid_argument("This is no conformance run.")),
        }
    }
}

impl fmt::Debug for ConformanceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConformanceState").field(&self.0).finish()
    }
}
