//! The session in memory, and turns at its storage.

use crate::{Error, Event, Result, StorageLock, StoredTokens, client::Inner, refresh::Flight, sending::Deadline};
use futures_util::{
    future::WeakShared,
    lock::{Mutex as Turns, MutexGuard as Turn},
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How often a client looks whether another one has left the storage.
const LOOK: Duration = Duration::from_millis(25);

#[derive(Default)]
pub(crate) struct Session {
    cached: Mutex<Cached>,
    /// The refresh that runs, if one does.
    pub(crate) flight: Mutex<Option<WeakShared<Flight>>>,
    turns: Turns<()>,
}

/// What is known of the storage.
#[derive(Default)]
enum Cached {
    /// Nothing: it was not read yet.
    #[default]
    Unread,
    Known(Option<Arc<StoredTokens>>),
}

/// No other client of this session or its storage writes meanwhile.
pub(crate) struct Locked<'a> {
    _storage: StorageLock,
    _turn: Turn<'a, ()>,
}

pub(crate) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Session {
    /// The tokens as last seen in the storage; `None` also when it was not read yet.
    pub(crate) fn cached(&self) -> Option<Arc<StoredTokens>> {
        match &*held(&self.cached) {
            Cached::Known(tokens) => tokens.clone(),
            Cached::Unread => None,
        }
    }

    /// Notes the tokens, and returns those before.
    pub(crate) fn note(&self, tokens: Option<Arc<StoredTokens>>) -> Option<Arc<StoredTokens>> {
        match std::mem::replace(&mut *held(&self.cached), Cached::Known(tokens)) {
            Cached::Known(tokens) => tokens,
            Cached::Unread => None,
        }
    }
}

impl Inner {
    /// The tokens, if somebody is signed in. The storage is read once; after that, when they no longer count.
    pub(crate) async fn tokens(&self) -> Result<Option<Arc<StoredTokens>>> {
        if let Cached::Known(tokens) = &*held(&self.session.cached) {
            return Ok(tokens.clone());
        }
        let loaded = self.storage.load().await.map_err(Error::storage)?.map(Arc::new);
        let mut cached = held(&self.session.cached);
        // Somebody may have signed in meanwhile.
        if let Cached::Known(tokens) = &*cached {
            return Ok(tokens.clone());
        }
        *cached = Cached::Known(loaded.clone());
        Ok(loaded)
    }

    /// Waits for its turn until the deadline.
    pub(crate) async fn locked(&self, deadline: Deadline) -> Result<Locked<'_>> {
        let left = deadline.left(&*self.runtime);
        let waiting = async {
            let turn = self.session.turns.lock().await;
            loop {
                if let Some(storage) = self.storage.try_lock().await.map_err(Error::storage)? {
                    return Ok(Locked { _storage: storage, _turn: turn });
                }
                self.runtime.sleep(LOOK).await;
            }
        };
        self.within(left, Box::pin(waiting)).await.map_err(|error| {
            if error.code == crate::code::TIMEOUT {
                Error::storage("another client of the same storage did not leave it in time").again()
            } else {
                error
            }
        })
    }

    /// Keeps the tokens of a new session.
    pub(crate) async fn adopt(&self, tokens: StoredTokens, deadline: Deadline) -> Result<()> {
        {
            let _locked = self.locked(deadline).await?;
            self.storage.save(&tokens).await.map_err(Error::storage)?;
            self.session.note(Some(Arc::new(tokens)));
        }
        self.emit(&Event::SignedIn);
        Ok(())
    }
}
