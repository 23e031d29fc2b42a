//! What belongs to the environments of this process: the main thread's and those of workers.

use napi::{Env, bindgen_prelude::Object};
use napi_derive::napi;
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// How long the end of a process may wait for engines that nobody closed.
const PATIENCE: Duration = Duration::from_secs(3);

static ENVIRONMENTS: AtomicUsize = AtomicUsize::new(0);

/// Notes an environment, when it loads this library and when it ends.
#[napi(module_exports)]
pub fn start(_exports: Object<'_>, env: Env) -> napi::Result<()> {
    ENVIRONMENTS.fetch_add(1, Ordering::SeqCst);
    // The last one to go is the main thread's: workers end before it.
    env.add_env_cleanup_hook((), |()| {
        if ENVIRONMENTS.fetch_sub(1, Ordering::SeqCst) == 1 {
            authkit_embedded::close_all(PATIENCE);
        }
    })?;
    Ok(())
}
