//! The native layer of the Python package `authkit`, which is private to it.
//!
//! Everything that waits runs on one Tokio runtime, and no thread of it ever takes the interpreter's lock to deliver a
//! result: results go into an inbox, which wakes the event loop through a socket, or to the thread that waits for
//! them. So a thread of the runtime cannot be caught in an interpreter that ends.

mod client;
mod engine;
mod inbox;
#[cfg(feature = "bench")]
mod measure;
mod outcome;
mod principal;
mod runtime;
mod storage;

use pyo3::prelude::*;

#[pymodule(gil_used = true)]
mod _native {
    #[pymodule_export]
    use super::{
        client::Client,
        engine::{Conformance, Engine},
        inbox::{Call, Inbox},
        principal::Principal,
        runtime::{alive, before_fork, shutdown},
    };

    #[cfg(feature = "bench")]
    #[pymodule_export]
    use super::measure::{hash_alone, nothing, time_verify};
}
