//! AuthKit.
