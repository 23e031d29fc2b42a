#![doc = include_str!("../README.md")]

mod answer;
#[cfg(feature = "http")]
mod base_url;
mod builder;
mod call;
mod client;
mod error;
mod event;
mod flows;
#[rustfmt::skip]
mod methods;
mod operation;
#[rustfmt::skip]
mod operations;
mod pages;
mod refresh;
mod runtime;
mod sendable;
mod sending;
mod session;
mod storage;
mod tokens;
mod transport;
mod typed;

#[cfg(test)]
mod tests;

pub use answer::Answer;
pub use authkit_wire as wire;
pub use builder::Builder;
pub use call::{Call, HttpParts};
pub use client::{CallOptions, Client};
pub use error::{Error, Result, code};
pub use event::{Event, EventHandler};
pub use flows::SignedIn;
pub use methods::*;
pub use operation::{Auth, Method, Operation};
pub use pages::Pages;
#[cfg(all(feature = "tokio", not(target_arch = "wasm32")))]
pub use runtime::TokioRuntime;
#[cfg(target_arch = "wasm32")]
pub use runtime::WebRuntime;
pub use runtime::{Runtime, Task};
pub use sendable::Sendable;
#[cfg(not(target_arch = "wasm32"))]
pub use storage::FileStorage;
pub use storage::{MemoryStorage, StorageError, StorageLock, TokenStorage};
pub use tokens::StoredTokens;
#[cfg(feature = "http")]
pub use transport::HttpTransport;
pub use transport::{Transport, TransportError, TransportErrorKind};
