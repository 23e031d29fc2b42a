//! The AuthKit domain: who is this, what may they do, and who should hear of it.
//!
//! This crate knows no database, no HTTP and no runtime. What it needs from outside are the traits in [`ports`];
//! [`memory`] fills them for tests, examples and the browser.
//!
//! A service is made from an [`Arc<Context>`](Context) and offers the operations of its domain. Each operation takes
//! the [`Origin`] of the request and, when someone is signed in, the [`Principal`]; it takes requests and
//! returns views of [`wire`], so that every binding and the server speak of the same things.

pub use authkit_wire as wire;

pub mod accounts;
pub mod audit;
pub mod auth;
mod context;
pub mod crypto;
pub mod devices;
mod error;
pub mod memory;
pub mod mfa;
pub mod notices;
pub mod operations;
mod paging;
pub mod ports;
pub mod rbac;
pub mod sessions;
mod settings;
pub mod tenants;
mod text;

pub use context::{Context, Origin};
pub(crate) use context::{TRIES, later};
pub use error::{Error, Result};
pub use sessions::Principal;
pub use settings::*;
