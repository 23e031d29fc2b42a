//! The native layer of `@authkit/node`, which only its TypeScript face uses. What crosses is JSON; an error's message is the
//! JSON of the client's error.

#[cfg(feature = "bench")]
pub mod bench;
pub mod client;
pub mod conformance;
pub mod engine;
pub mod host;
mod options;
pub mod promise;
pub mod storage;
