//! The one runtime of a process.

use crate::failure;
use arc_swap::ArcSwapOption;
use authkit_client::Result;
use std::{
    mem::{ManuallyDrop, forget},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use tokio::runtime::{Builder, Handle, Runtime};

/// Not a lock: whoever held one while the process forked would hold it in the child for ever.
static CURRENT: ArcSwapOption<Process> = ArcSwapOption::const_empty();

struct Process {
    id: u32,
    handle: Handle,
    /// Its threads do not exist in a forked child, which would wait for them in vain.
    runtime: ManuallyDrop<Runtime>,
}

/// The runtime on which every engine of this process works. It is made when it is first asked for, and anew in a forked
/// child, and ends with the process.
///
/// # Errors
/// `client.environment` when the system gives no threads.
pub fn runtime() -> Result<Handle> {
    let id = std::process::id();
    loop {
        let current = CURRENT.load_full();
        match &current {
            Some(process) if process.id == id => return Ok(process.handle.clone()),
            _ => {}
        }
        let runtime = Builder::new_multi_thread()
            .enable_all()
            .thread_name("authkit")
            .build()
            .map_err(|error| failure::environment(format!("The system gave no threads: {error}")))?;
        let made = Arc::new(Process { id, handle: runtime.handle().clone(), runtime: ManuallyDrop::new(runtime) });
        CURRENT.compare_and_swap(&current, Some(made.clone()));
        // Another thread may have been quicker; the next round finds whichever it is.
        if let Ok(unused) = Arc::try_unwrap(made) {
            ManuallyDrop::into_inner(unused.runtime).shutdown_background();
        }
    }
}

/// Ends the runtime of this process, for hosts that come apart while its threads would still run. What does not end within
/// `patience` goes on by itself. Whoever asks for a runtime later gets a new one.
pub fn end_runtime(patience: Duration) {
    let until = Instant::now() + patience;
    let Some(mut process) = CURRENT.swap(None) else { return };
    if process.id != std::process::id() {
        return forget(process);
    }
    loop {
        process = match Arc::try_unwrap(process) {
            Ok(process) => return ManuallyDrop::into_inner(process.runtime).shutdown_timeout(patience),
            // Somebody reads it for an instant.
            Err(process) if Instant::now() < until => process,
            Err(process) => return forget(process),
        };
        thread::yield_now();
    }
}

/// Runs `work` on the runtime of this process: here, when this is one of its threads. Work is large, so it is boxed once for all
/// who wait for it.
pub(crate) fn on_runtime<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = Result<T>> + Send {
    let work = Box::pin(work);
    async move {
        let runtime = runtime()?;
        if Handle::try_current().is_ok_and(|here| here.id() == runtime.id()) {
            return Ok(work.await);
        }
        let mut given_up = AbortOnDrop(runtime.spawn(work));
        (&mut given_up.0).await.map_err(|_| failure::environment("The runtime of this process has ended.".to_owned()))
    }
}

struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_one_runtime() {
        let all: Vec<_> = (0..8).map(|_| std::thread::spawn(|| runtime().unwrap().id())).collect();
        let first = runtime().unwrap().id();
        assert!(all.into_iter().all(|thread| thread.join().unwrap() == first));
    }

    #[test]
    fn an_ended_runtime_has_ended_its_work_and_makes_place_for_another() {
        // In a process of its own, since the other tests share this one's.
        if std::env::var_os("AUTHKIT_TEST_ENDS").is_none() {
            let name = "process::tests::an_ended_runtime_has_ended_its_work_and_makes_place_for_another";
            let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
            let ran = alone.args([name, "--exact"]).env("AUTHKIT_TEST_ENDS", "1").output().unwrap();
            assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
            return;
        }
        let first = runtime().unwrap();
        let (told, heard) = std::sync::mpsc::channel::<()>();
        first.spawn(async move {
            let _told = told;
            std::future::pending::<()>().await;
        });
        end_runtime(Duration::from_secs(5));
        assert_eq!(heard.recv(), Err(std::sync::mpsc::RecvError));
        assert_ne!(runtime().unwrap().id(), first.id());
        end_runtime(Duration::from_secs(5));
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_is_given_up() {
        let (told, heard) = tokio::sync::oneshot::channel::<()>();
        let work = on_runtime(async move {
            let _told = told;
            std::future::pending::<()>().await;
        });
        assert!(tokio::time::timeout(std::time::Duration::from_millis(20), work).await.is_err());
        heard.await.unwrap_err();
    }
}
