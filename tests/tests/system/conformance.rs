//! Where conformance mode does not start, and what it leaves alone.

use authkit_tests::{Database, Server};

async fn refused(database: &Database, env: &[(&str, &str)]) -> String {
    let mut command = Server::command(database);
    command.args(["serve", "--conformance"]).envs(env.iter().copied());
    let ended = tokio::time::timeout(std::time::Duration::from_secs(60), command.output()).await;
    let output = ended.expect("it does not run on").unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test]
async fn production_does_not_take_the_flag_however_well_it_is_configured() {
    let production = [
        ("AUTHKIT_ENV", "production"),
        ("AUTHKIT_PUBLIC_URL", "https://id.example.com"),
        ("AUTHKIT_ISSUER", "https://id.example.com"),
        ("AUTHKIT_KEYS__MASTER__1", "9f8a1c5be3d7420616fb0e94d2a87735c1bb40e96ad35f08e2714f9d83c6a05b"),
        ("AUTHKIT_MAIL__FROM", "AuthKit <no-reply@example.com>"),
        ("AUTHKIT_MAIL__SMTP__HOST", "mail.example.com"),
        ("AUTHKIT_DATABASE__AUTO_MIGRATE", "true"),
    ];
    let told = refused(&Database::sqlite(), &production).await;
    assert!(told.contains("conformance mode does not start in production"), "{told}");
}

#[tokio::test]
async fn only_loopback_is_listened_on() {
    let told = refused(&Database::memory(), &[("AUTHKIT_LISTEN", "0.0.0.0:0")]).await;
    assert!(told.contains("loopback"), "{told}");
}

#[tokio::test]
async fn an_installation_is_left_alone_on_either_engine() {
    for database in [Database::sqlite(), Database::postgres().await] {
        Server::create_admin(&database, "default", "root@example.com").await;
        let told = refused(&database, &[]).await;
        assert!(told.contains("would delete it"), "{told}");
        assert_eq!(database.number("SELECT count(*) FROM users").await, 1);
    }
}

#[tokio::test]
async fn the_database_of_an_ordinary_start_is_not_touched() {
    let mut unset = Database::sqlite();
    unset.url = "sqlite://data/authkit.db".to_owned();
    let server = Server::start_conformance(&unset).await;
    assert_eq!(server.terminate().await, Some(0));
    assert!(!unset.directory().join("data").exists(), "it runs in memory");
}
