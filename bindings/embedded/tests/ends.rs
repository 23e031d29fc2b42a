//! The end of a process. Alone in its file, since it closes every engine.

use authkit_embedded::{Embedded, close_all, runtime};
use serde_json::json;
use std::time::Duration;

#[test]
fn whoever_ends_closes_every_engine_and_whoever_has_none_does_not_wait() {
    close_all(Duration::from_secs(5));
    let open = || runtime().unwrap().block_on(Embedded::open(json!({"database": "sqlite::memory:"}))).unwrap();
    let engines = [open(), open()];
    close_all(Duration::from_secs(5));
    for engine in engines {
        let refused = runtime().unwrap().block_on(engine.authenticate("x")).unwrap_err();
        assert!(refused.message.contains("closed"), "{refused}");
    }
}
