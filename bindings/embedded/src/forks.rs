//! What a fork must not find open.

use crate::{embedded::Inner, failure, process};
use arc_swap::ArcSwap;
use authkit_client::Error;
use std::{
    sync::{Arc, LazyLock, Weak},
    thread,
};

/// Every engine of this process. Not under a lock: see [`process`].
static ENGINES: LazyLock<ArcSwap<Vec<Weak<Inner>>>> = LazyLock::new(ArcSwap::default);

pub(crate) fn remember(engine: &Arc<Inner>) {
    ENGINES.rcu(|engines| {
        let alive = engines.iter().filter(|engine| engine.strong_count() > 0).cloned();
        alive.chain([Arc::downgrade(engine)]).collect::<Vec<_>>()
    });
}

/// Closes what must not be open while this process forks: SQLite files. Each process opens them anew with its next call.
/// It returns once they are closed; call it right before the fork, while nothing else calls.
pub fn before_fork() {
    let engines = ENGINES.load_full();
    let files = engines.iter().filter_map(Weak::upgrade).filter(|engine| engine.source.is_file());
    let files: Vec<Arc<Inner>> = files.collect();
    let (Ok(runtime), false) = (process::runtime(), files.is_empty()) else { return };
    // On a thread of its own, since the caller's may be one of the runtime's.
    let resting = thread::spawn(move || {
        runtime.block_on(async {
            for engine in files {
                engine.rest().await;
            }
        });
    });
    let _ = resting.join();
}

/// The refusal of an engine that crossed a fork with an open file (<https://sqlite.org/howtocorrupt.html>, section 2.7): what
/// the library knows of locks is the parent's, and another process could take the file for unused.
pub(crate) fn torn() -> Error {
    failure::environment(
        "This process was forked while the engine's SQLite file was open, and cannot use it. Call `before_fork` before \
         the fork, or open the engine after it."
            .to_owned(),
    )
}
