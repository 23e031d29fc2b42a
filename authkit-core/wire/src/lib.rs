//! Types that cross AuthKit's boundaries, defined once for the server, every SDK and the firmware.
//!
//! The crate is `no_std`. Without the feature `alloc` it holds ids, error codes, grants, TOTP, PKCE and what devices
//! sign; with it, also the requests and views of the HTTP contract. The feature `openapi` adds their schemas.
// utoipa's derives name `std`; schemas are only made on machines that have it.
#![cfg_attr(not(any(feature = "openapi", test)), no_std)]

#[cfg(feature = "alloc")]
extern crate alloc;

mod codes;
pub mod device;
pub mod grants;
mod ids;
pub mod pkce;
pub mod totp;

#[cfg(feature = "alloc")]
mod problem;
#[cfg(feature = "alloc")]
mod requests;
#[cfg(feature = "alloc")]
mod secret;
#[cfg(feature = "alloc")]
mod views;

pub use codes::ErrorCode;
pub use ids::*;

#[cfg(feature = "alloc")]
pub use {
    problem::{FieldError, Problem},
    requests::*,
    secret::Secret,
    views::*,
};
