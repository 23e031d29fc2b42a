//! A process that forks. Alone in its file: what forks must have no other test beside it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use authkit_client::{Client, code};
use authkit_embedded::{Embedded, EmbeddedTransport, before_fork, runtime};
use authkit_testkit::postgres::Postgres;
use fork::Fork;
use serde_json::json;
use std::time::Duration;

fn open(database: &str) -> (Embedded, Client) {
    let settings = json!({"database": database, "argon2": {"memory_kib": 64, "iterations": 1}});
    let engine = runtime().unwrap().block_on(Embedded::open(settings)).unwrap();
    let client = Client::builder().transport(EmbeddedTransport::new(&engine)).timeout(Duration::from_secs(10));
    (engine, client.build().unwrap())
}

/// The code of a call's outcome.
fn called(client: &Client) -> String {
    let runtime = runtime().unwrap();
    let call = async { client.login("nobody@example.com", "x").await };
    match runtime.block_on(async { tokio::time::timeout(Duration::from_secs(20), call).await }) {
        Ok(Ok(_)) => "signed in".to_owned(),
        Ok(Err(error)) => error.code.into_owned(),
        Err(_) => "it hangs".to_owned(),
    }
}

/// What `work` answers in a forked child.
fn in_child(work: impl FnOnce() -> String) -> String {
    let folder = tempfile::tempdir().unwrap();
    let answer = folder.path().join("answer");
    match fork::fork().unwrap() {
        Fork::Child => {
            std::fs::write(&answer, work()).unwrap();
            std::process::abort();
        }
        Fork::Parent(child) => {
            fork::waitpid(child).unwrap();
            std::fs::read_to_string(answer).unwrap_or_else(|_| "the child died".to_owned())
        }
    }
}

#[test]
fn an_engine_that_crossed_a_fork_opens_anew_in_the_child() {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite://{}", folder.path().join("a.db").display());
    let refused = "auth.invalid_credentials";

    let (engine, client) = open(&file);
    assert_eq!(called(&client), refused);
    let before = runtime().unwrap().id();
    before_fork();
    assert_eq!(
        in_child(|| format!("{} {}", called(&client), runtime().unwrap().id() == before)),
        format!("{refused} false")
    );
    assert_eq!(called(&client), refused, "the parent opens it anew too");

    // An open file is never used on both sides, whatever the caller forgot.
    assert_eq!(in_child(|| called(&client)), code::INVALID_ARGUMENT, "refused, not tried again");
    assert_eq!(in_child(|| engine.verify("x").is_none().to_string()), "true");
    assert_eq!(called(&client), refused);

    // Nothing of what the parent has open belongs to the child, which ends without touching it.
    let (other, on_postgres) = open(&Postgres::start_fast().create_database());
    assert_eq!(called(&on_postgres), refused);
    assert_eq!(in_child(|| called(&on_postgres)), refused);
    assert_eq!(
        in_child(|| {
            drop((other.clone(), on_postgres.clone()));
            "dropped".to_owned()
        }),
        "dropped"
    );
    assert_eq!(called(&on_postgres), refused);
}
