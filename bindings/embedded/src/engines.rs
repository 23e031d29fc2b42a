//! Every engine of this process, for what must happen to all of them.

use crate::{embedded::Inner, process};
use arc_swap::ArcSwap;
use std::{
    sync::{Arc, LazyLock, Weak},
    thread,
    time::Duration,
};

/// Not under a lock: whoever held one while the process forked would hold it in the child for ever.
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
    let files: Vec<_> = engines.iter().filter_map(Weak::upgrade).filter(|engine| engine.source.is_file()).collect();
    if !files.is_empty() {
        wait_for(async move {
            for engine in files {
                engine.rest().await;
            }
        });
    }
}

/// Closes every engine, for a process that is about to end: what was written is sealed, and others need not wait for what this
/// one had taken on. It takes no longer than `patience`.
pub fn close_all(patience: Duration) {
    let engines: Vec<_> = ENGINES.load().iter().filter_map(Weak::upgrade).filter(|engine| engine.is_open()).collect();
    if !engines.is_empty() {
        wait_for(async move {
            let closing = async {
                for engine in engines {
                    engine.close().await;
                }
            };
            let _ = tokio::time::timeout(patience, closing).await;
        });
    }
}

/// On a thread of its own, since the caller's may be one of the runtime's.
fn wait_for(work: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = process::runtime() {
        let _ = thread::spawn(move || runtime.block_on(work)).join();
    }
}
