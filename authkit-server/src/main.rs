//! AuthKit.
fn main() {}
