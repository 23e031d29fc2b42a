//! The engine as a whole, on a database of its own.

use crate::{Config, Engine, EngineError};
use authkit_core::{
    Origin,
    ports::{MailError, Mailer},
    tenants::DEFAULT_TENANT,
    wire::{LoginRequest, LoginView, RegisterRequest, TokenRequest},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

const PASSWORD: &str = "violet tractor 12 umbrella";

fn config(url: &str) -> Config {
    let mut config = Config::development(url);
    config.argon2.memory_kib = 64;
    config.argon2.iterations = 1;
    config
}

fn file(folder: &tempfile::TempDir) -> String {
    format!("sqlite://{}", folder.path().join("authkit.db").display())
}

async fn engine(url: &str) -> Engine {
    Engine::builder(config(url)).build().await.expect("an engine")
}

fn login() -> LoginRequest {
    LoginRequest { email: "ada@example.com".into(), password: PASSWORD.into() }
}

/// Waits for something that the worker does, without a sleep that is longer than needed.
async fn until<T>(mut found: impl AsyncFnMut() -> Option<T>) -> T {
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            if let Some(value) = found().await {
                return value;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    waited.await.expect("it happens within 20 seconds")
}

#[tokio::test]
async fn an_embedded_engine_registers_mails_proves_and_signs_in() {
    let engine = engine("sqlite::memory:").await;
    let worker = engine.start_worker();
    let origin = Origin::local(DEFAULT_TENANT);
    let request = RegisterRequest {
        email: "ada@example.com".into(),
        password: PASSWORD.into(),
        name: None,
        locale: None,
        profile: None,
        redirect_url: None,
    };
    engine.accounts().register(&origin, request).await.expect("registered");
    let mail = until(async || {
        engine.notices().development_outbox(DEFAULT_TENANT, Some("ada@example.com")).await.expect("read").pop()
    });
    let mail = mail.await;
    let token = mail.links.iter().find_map(|link| link.split_once("token=")).expect("a link with a token").1;
    engine.accounts().verify_email(&origin, TokenRequest { token: token.into() }).await.expect("proved");
    let LoginView::Tokens(tokens) = engine.sign_in().login(&origin, login()).await.expect("signed in") else {
        panic!("no second factor is set up")
    };
    let principal = engine.sessions().authenticate(tokens.access_token.expose()).await.expect("accepted");
    assert_eq!(principal.user, tokens.user.id);
    until(async || engine.ready().await.ok()).await;
    worker.stop(Duration::from_secs(5)).await;
    let report = engine.audit().verify(|_| {}).await.expect("read");
    assert!(report.is_clean() && report.records > 0, "{report:?}");
    assert_eq!(report.records, report.links, "records are left unsealed");
}

#[tokio::test]
async fn what_is_sealed_opens_after_a_restart_with_the_key_beside_the_database() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = file(&folder);
    let origin = Origin::local(DEFAULT_TENANT);
    let first = engine(&url).await;
    first.accounts().create_verified(&origin, "ada@example.com", &PASSWORD.into(), None).await.expect("created");
    drop(first);
    let second = engine(&url).await;
    second.sign_in().login(&origin, login()).await.expect("the address is found by the same key");
    assert!(folder.path().join("authkit.db.key").is_file());
}

#[tokio::test]
async fn a_database_that_is_not_migrated_is_refused_when_nobody_may_migrate_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let builder = Engine::builder(config(&file(&folder))).migrate(false);
    let error = builder.build().await.expect_err("refused");
    assert!(matches!(error, EngineError::NotMigrated(pending) if pending > 0), "{error}");
    assert!(error.to_string().contains("authkit migrate"));
    let state = config(&file(&folder)).migrate(|_| {}).await.expect("migrated");
    assert!(state.pending.is_empty());
    Engine::builder(config(&file(&folder))).migrate(false).build().await.expect("an engine");
}

#[tokio::test]
async fn several_nodes_start_on_one_empty_database_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = file(&folder);
    let nodes: Vec<_> = (0..4)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { engine(&url).await })
        })
        .collect();
    let mut keys = Vec::new();
    for node in nodes {
        let engine = node.await.expect("no panic");
        assert_eq!(engine.tenants().list().await.expect("read").len(), 1);
        let operator = engine.operator(DEFAULT_TENANT);
        assert_eq!(operator.list_roles().await.expect("read").iter().filter(|role| role.system).count(), 1);
        keys.push(engine.sessions().list_keys().await.expect("read").first().map(|key| key.id));
    }
    keys.dedup();
    assert_eq!(keys.len(), 1, "the nodes do not agree on the first key");
}

#[tokio::test]
async fn an_unsafe_configuration_builds_no_engine() {
    let mut config = config("sqlite::memory:");
    config.listen = "0.0.0.0:8080".parse().expect("an address");
    let error = Engine::builder(config).build().await.expect_err("refused");
    assert!(matches!(&error, EngineError::Config(refused) if refused.problems[0].name == "listen"), "{error}");
}

/// Panics once, then refuses for now, then delivers.
#[derive(Debug, Default)]
struct Stumbling(Arc<AtomicUsize>);

#[async_trait::async_trait]
impl Mailer for Stumbling {
    async fn send(&self, _: &authkit_core::ports::Mail) -> Result<(), MailError> {
        assert!(self.0.fetch_add(1, Ordering::SeqCst) > 0, "the first delivery panics");
        Ok(())
    }
}

#[tokio::test]
async fn a_panic_in_a_background_task_does_not_end_it() {
    let sent = Arc::new(AtomicUsize::new(0));
    let mut config = config("sqlite::memory:");
    // With a relay there is no outbox; the port takes its place.
    config.mail.smtp = Some(crate::config::Smtp::default());
    let builder = Engine::builder(config).mailer(Stumbling(Arc::clone(&sent)));
    let engine = builder.build().await.expect("an engine");
    let worker = engine.start_worker();
    let origin = Origin::local(DEFAULT_TENANT);
    for email in ["ada@example.com", "bob@example.com"] {
        let request = RegisterRequest {
            email: email.into(),
            password: PASSWORD.into(),
            name: None,
            locale: None,
            profile: None,
            redirect_url: None,
        };
        engine.accounts().register(&origin, request).await.expect("registered");
    }
    until(async || (sent.load(Ordering::SeqCst) >= 2).then_some(())).await;
    worker.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn what_the_domain_does_is_counted() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let read = recorder.handle();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let engine = engine("sqlite::memory:").await;
    let origin = Origin::local(DEFAULT_TENANT);
    engine.accounts().create_verified(&origin, "ada@example.com", &PASSWORD.into(), None).await.expect("created");
    engine.sign_in().login(&origin, login()).await.expect("signed in");
    for _ in 0..5 {
        let wrong = LoginRequest { password: "violet tractor 13 umbrella".into(), ..login() };
        engine.sign_in().login(&origin, wrong).await.expect_err("refused");
    }
    let worker = engine.start_worker();
    until(async || read.render().contains("authkit_audit_unsealed ").then_some(())).await;
    worker.stop(Duration::from_secs(5)).await;
    let text = read.render();
    let migrations = ["authkit_migrations_applied_total", "authkit_migration_seconds_count"]
        .map(|name| format!("{name} {}", authkit_sql::LATEST));
    for line in [
        migrations[0].as_str(),
        migrations[1].as_str(),
        "authkit_sign_ins_total{outcome=\"success\"} 1",
        "authkit_sign_ins_total{outcome=\"failure\"} 5",
        "authkit_lockouts_total 1",
        "authkit_operations_total{action=\"user.created\",outcome=\"success\"} 1",
        "authkit_notices_waiting ",
        "authkit_notices_dead 0",
        "authkit_feed_age_seconds ",
    ] {
        assert!(text.lines().any(|shown| shown.starts_with(line)), "{line} is missing in\n{text}");
    }
    assert!(!text.contains("ada"), "something personal is counted:\n{text}");
}
