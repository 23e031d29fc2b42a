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

/// What was last seen in the storage.
#[derive(Default)]
struct Cached {
    tokens: Option<Arc<StoredTokens>>,
    /// How often that was noted, so that what was read before is not noted after.
    notes: u64,
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
        held(&self.cached).tokens.clone()
    }

    /// Notes the tokens, and returns those before.
    pub(crate) fn note(&self, tokens: Option<Arc<StoredTokens>>) -> Option<Arc<StoredTokens>> {
        let mut cached = held(&self.cached);
        cached.notes += 1;
        std::mem::replace(&mut cached.tokens, tokens)
    }
}

impl Inner {
    /// The tokens, if somebody is signed in. The storage is read until it holds some, which another client may have put
    /// there; after that, when they no longer count.
    pub(crate) async fn tokens(&self) -> Result<Option<Arc<StoredTokens>>> {
        let notes = match &*held(&self.session.cached) {
            Cached { tokens: Some(tokens), .. } => return Ok(Some(tokens.clone())),
            Cached { notes, .. } => *notes,
        };
        // Without its turn: nobody waits for a refresh that hangs to hear that nobody is signed in.
        let loaded = self.storage.load().await.map_err(Error::storage)?.map(Arc::new);
        let mut cached = held(&self.session.cached);
        // Who signed in or out meanwhile is not overruled.
        if cached.notes == notes && cached.tokens.is_none() {
            cached.tokens = loaded;
        }
        Ok(cached.tokens.clone())
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
