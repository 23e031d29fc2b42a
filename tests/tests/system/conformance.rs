//! Where conformance mode does not start, what it leaves alone, and that scenarios can fail.

use authkit_engine::{Config, Conformance};
use authkit_tests::{Database, PASSWORD, Place, Scenario, Server};
use serde_json::{Value, json};

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
        let (code, text) = Server::run(&database, &["migrate"], None).await;
        assert_eq!(code, 0, "{text}");
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

/// A runner that takes everything for right would show nothing.
#[tokio::test]
async fn a_scenario_that_does_not_hold_fails_and_says_where() {
    let mut config = Config::development("sqlite::memory:");
    (config.argon2.memory_kib, config.argon2.iterations) = (64, 1);
    let place = Place::inside(Conformance::in_memory(config).unwrap()).await;
    let register = json!({"email": "ada@example.com", "password": PASSWORD});
    let call = |more: Value| {
        let mut step = json!({"as": "ada", "call": "register", "with": register});
        step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        step
    };
    let good = call(json!({"expect": {"status": "verification_required"}}));
    for (steps, told) in [
        (json!([good, call(json!({"expect": {"status": "other"}}))]), "step 2: result.status is"),
        (json!([call(json!({"expect": {"more": "*"}}))]), "result.more is not there"),
        (json!([call(json!({"expect": ["*"]}))]), "result is"),
        (json!([call(json!({"fails": {"status": 422}}))]), "it succeeds"),
        (json!([{"as": "ada", "call": "getMe"}]), "it fails"),
        (json!([{"as": "ada", "call": "getMe", "fails": {"code": "auth.forbidden"}}]), "error.code is"),
        (json!([{"as": "admin", "call": "listUsers", "expect": {"data": []}}]), "result.data is"),
        (json!([{"as": "admin", "call": "listUsers", "expect": {"data": ["*", "*"]}}]), "result.data is"),
        (
            json!([{"as": "admin", "call": "listUsers", "expect": {"next_cursor": "*"}}]),
            "result.next_cursor is not there",
        ),
        (json!([{"mail": {"to": "ada@example.com", "kind": "verify_email"}}]), "no such mail"),
        (json!([call(json!({"save": {"id": "id"}}))]), "no text at `id`"),
        (json!([{"as": "ada", "call": "verifyEmail", "with": {"token": "${nowhere}"}}]), "`nowhere` was not saved"),
        (json!([{"expect": {}}]), "there is no such step"),
    ] {
        let scenario: Scenario = serde_json::from_value(json!({"name": "wrong", "steps": steps})).unwrap();
        let reason = scenario.run(&place).await.expect_err(told);
        assert!(reason.contains(told), "{told}: {reason}");
    }
    let held: Scenario = serde_json::from_value(json!({"name": "right", "steps": [good]})).unwrap();
    held.run(&place).await.unwrap();
    assert!(serde_json::from_value::<Scenario>(json!({"name": "typo", "steps": [{"cal": "getMe"}]})).is_err());
}

#[test]
fn what_a_runner_does_not_offer_is_left_out_with_a_reason() {
    let scenario = json!({"name": "n", "needs": ["device"], "skip": {"kotlin": "no keys there"}, "steps": []});
    let scenario: Scenario = serde_json::from_value(scenario).unwrap();
    assert_eq!(scenario.skipped("rust", &["http"]).as_deref(), Some("needs device"));
    assert_eq!(scenario.skipped("rust", &["http", "device"]), None);
    assert_eq!(scenario.skipped("kotlin", &["device"]).as_deref(), Some("no keys there"));
}
