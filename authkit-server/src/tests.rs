//! The whole router in process.
