//! Tests over real processes, sockets and databases. Each runs on SQLite and on PostgreSQL where it stores anything.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking, and shows what it measured")]

mod attacks;
mod commands;
mod conformance;
mod crash;
mod devices;
mod enumeration;
mod flows;
mod logs;
mod nodes;
mod refresh;
mod scale;
mod shutdown;
mod walls;

/// Runs the case on both engines.
macro_rules! on_both_engines {
    ($($name:ident)+) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name(authkit_tests::Database::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$name(authkit_tests::Database::postgres().await).await;
            }
        }
    )+};
}
pub(crate) use on_both_engines;
