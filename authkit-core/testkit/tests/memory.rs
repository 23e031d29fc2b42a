//! The small store in memory passes the suite too.

use authkit_core::{memory::MemoryStore, ports::Store};
use std::sync::Arc;

async fn make() -> Arc<dyn Store> {
    Arc::new(MemoryStore::default())
}

authkit_testkit::store_suite!(make);
