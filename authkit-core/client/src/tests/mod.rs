//! The client against a server that is made up, by a clock that tests move.

mod fake;
#[cfg(feature = "http")]
mod http;
mod refresh;
mod repeats;
mod requests;
mod sessions;
mod sharing;
mod storage;

use crate::{Client, Event, Runtime, StoredTokens, Task};
use authkit_wire::TokensView;
use fake::{Server, tokens};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// Tokio's paused time, a wall clock that can be set, and randomness that is known.
#[derive(Clone)]
struct World(Arc<Inner>);

struct Inner {
    start: Instant,
    ahead: AtomicI64,
    chance: AtomicU8,
    keys: AtomicU64,
    events: Mutex<Vec<Event>>,
}

impl World {
    fn new() -> Self {
        Self(Arc::new(Inner {
            start: Instant::now(),
            ahead: AtomicI64::new(0),
            chance: AtomicU8::new(0),
            keys: AtomicU64::new(0),
            events: Mutex::default(),
        }))
    }

    /// Moves the wall clock only.
    fn advance(&self, seconds: i64) {
        self.0.ahead.fetch_add(seconds, Ordering::Relaxed);
    }

    /// From here on every wait is this part of the longest one, in 255ths.
    fn set_chance(&self, chance: u8) {
        self.0.chance.store(chance, Ordering::Relaxed);
    }

    fn passed(&self) -> Duration {
        self.0.start.elapsed()
    }

    fn builder(&self, server: &Server) -> crate::Builder {
        let world = self.clone();
        let hear = move |event: &Event| world.0.events.lock().unwrap().push(event.clone());
        Client::builder().transport(server.clone()).runtime(self.clone()).on_event(hear)
    }

    fn client(&self, server: &Server) -> Client {
        self.builder(server).build().unwrap()
    }

    /// A client that is signed in.
    async fn signed_in(&self, server: &Server) -> Client {
        let client = self.client(server);
        client.login("ada@example.com", "a quiet orange tram").await.unwrap();
        self.heard();
        client
    }

    /// The names of the events since the last look.
    fn heard(&self) -> Vec<&'static str> {
        self.0.events.lock().unwrap().drain(..).map(|event| event.name()).collect()
    }
}

#[async_trait::async_trait]
impl Runtime for World {
    fn now(&self) -> i64 {
        1_800_000_000 + i64::try_from(self.passed().as_secs()).unwrap() + self.0.ahead.load(Ordering::Relaxed)
    }

    fn monotonic(&self) -> Duration {
        self.passed()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    fn spawn(&self, task: Task) {
        drop(tokio::spawn(task));
    }

    /// Waits are decided by four bytes; everything else is a key, and no two are the same.
    fn fill(&self, bytes: &mut [u8]) -> crate::Result<()> {
        if bytes.len() == 4 {
            bytes.fill(self.0.chance.load(Ordering::Relaxed));
        } else {
            let key = self.0.keys.fetch_add(1, Ordering::Relaxed).to_le_bytes();
            bytes.iter_mut().zip(key.iter().cycle()).for_each(|(byte, part)| *byte = *part);
        }
        Ok(())
    }
}

/// The pair of that number, of the first session, as it is kept.
fn stored(number: u32, now: i64) -> StoredTokens {
    StoredTokens::new(&serde_json::from_value::<TokensView>(tokens(number, 1)).unwrap(), now)
}
