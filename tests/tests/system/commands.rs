//! The command line, as an operator uses it.

use crate::on_both_engines;
use authkit_tests::{Database, PASSWORD, Server};

on_both_engines! { operators_find_their_way }

async fn operators_find_their_way(database: Database) {
    let create = ["user", "create", "--email", "ada@example.com", "--password-stdin", "--role", "admin"];
    let (code, text) = Server::run(&database, &["migrate"], None).await;
    assert_eq!(code, 0, "{text}");
    let (code, text) = Server::run(&database, &create, Some(&format!("{PASSWORD}\n"))).await;
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("ada@example.com"), "{text}");
    let (code, text) = Server::run(&database, &create, Some(PASSWORD)).await;
    assert_ne!(code, 0, "the address is taken: {text}");
    let weak = ["user", "create", "--email", "eve@example.com", "--password-stdin"];
    let (code, text) = Server::run(&database, &weak, Some("password")).await;
    assert_ne!(code, 0, "a weak password: {text}");
    for arguments in [
        &["user", "list", "--json"][..],
        &["role", "list", "--json"],
        &["key", "list", "--json"],
        &["doctor", "--json"],
    ] {
        let (code, text) = Server::run(&database, arguments, None).await;
        assert_eq!(code, 0, "{arguments:?}: {text}");
    }
    for arguments in [&["key", "rotate"][..], &["audit", "verify"]] {
        let (code, text) = Server::run(&database, arguments, None).await;
        assert_eq!(code, 0, "{arguments:?}: {text}");
    }
    let server = Server::start(&database).await;
    server.client().sign_in("ada@example.com").await;
}

#[tokio::test]
async fn production_names_every_unsafe_default_at_once() {
    let database = Database::sqlite();
    let mut command = Server::command(&database);
    let output = command.arg("serve").env("AUTHKIT_ENV", "production").output().await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{text}");
    for name in ["public_url", "keys", "mail"] {
        assert!(text.contains(name), "{name} is not named:\n{text}");
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_used_is_one_clear_line() {
    let newer = Database::sqlite();
    let (code, _) = Server::run(&newer, &["migrate"], None).await;
    assert_eq!(code, 0);
    assert_eq!(
        newer
            .execute(
                "INSERT INTO authkit_migrations (version, name, checksum, applied_at) \
                 SELECT 9999, name, checksum, applied_at FROM authkit_migrations LIMIT 1"
            )
            .await,
        1
    );
    let mut ahead = Server::command(&newer);
    ahead.arg("serve");
    refused_in_a_line(ahead, &["newer", "authkit.db"]).await;
    let mut nowhere = Server::command(&newer);
    nowhere.arg("serve").env("AUTHKIT_DATABASE_URL", "postgres://nobody@127.0.0.1:9/none");
    refused_in_a_line(nowhere, &["127.0.0.1:9/none"]).await;
}

/// It fails with one clear line, and perhaps one more that says what to do.
async fn refused_in_a_line(mut command: tokio::process::Command, names: &[&str]) {
    let output = command.output().await.unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.lines().count() <= 2 && !text.contains("panicked"), "{text}");
    for name in names {
        assert!(text.contains(name), "{name} is not named: {text}");
    }
}
