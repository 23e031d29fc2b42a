//! The native layer of `@authkit/node`, which only its TypeScript face uses. What crosses is JSON; an error's message is the
//! JSON of the client's error.

#[cfg(feature = "bench")]
mod bench;
mod client;
mod conformance;
mod engine;
mod host;
mod options;
mod promise;
mod storage;
