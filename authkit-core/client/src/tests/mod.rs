//! The client against a scripted transport.
