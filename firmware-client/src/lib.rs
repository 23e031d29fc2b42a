#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod backoff;
mod client;
mod error;
mod http;
pub mod json;
mod keys;
mod machine;
mod plain;
mod ports;
mod put;
mod record;
#[cfg(feature = "embedded-tls")]
mod records;
mod server;
mod text;
#[cfg(feature = "embedded-tls")]
mod tls;
mod vault;

pub use backoff::Backoff;
pub use client::{Answer, Client, Health, Heartbeat, MIN_BUFFER, Ports, Settings};
pub use error::Error;
pub use keys::KeyKind;
pub use plain::{PlainText, PlainTextForTests};
pub use ports::{
    Clock, Connect, ConnectError, Dial, Endpoint, Random, RandomError, SecureTransport, Slot, Storage, StorageError,
};
pub use record::{RECORD, State};
pub use server::{Invitation, MAX_ADDRESS, Server};
#[cfg(feature = "embedded-tls")]
pub use tls::{READ_BUFFER, Tls, TlsStream, WRITE_BUFFER};

pub use authkit_wire::{DeviceId, device::ClaimCode};
