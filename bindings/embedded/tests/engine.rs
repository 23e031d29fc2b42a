//! An engine inside this process, beside another one on the same database.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use authkit_client::{CallOptions, Client, code};
use authkit_embedded::{
    ConformanceState, Embedded, EmbeddedTransport, principal_to_json, refuse_key, require, runtime,
};
use authkit_engine::{
    Config, Engine, WorkerHandle,
    core::{Origin, tenants::DEFAULT_TENANT, wire::Secret},
};
use authkit_testkit::{
    databases::{Database, Db},
    on_both_engines,
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const ADA: &str = "ada@example.com";
const PASSWORD: &str = "violet tractor 12 umbrella";

on_both_engines! {
    what_is_revoked_at_one_node_is_refused_at_the_other_within_a_second
    a_token_is_checked_without_waiting_while_the_node_knows_enough
}

fn settings(url: &str) -> Value {
    json!({"database": url, "issuer": "http://127.0.0.1", "argon2": {"memory_kib": 64, "iterations": 1}})
}

fn client(engine: &Embedded) -> Client {
    Client::builder().transport(EmbeddedTransport::new(engine)).build().unwrap()
}

/// What a server is, without its sockets; it has made an account and an administrator.
struct Node(Engine, #[expect(dead_code, reason = "it works until it is dropped")] WorkerHandle);

impl Node {
    async fn open(url: &str) -> Self {
        let mut config = Config::development(url);
        config.issuer = Some("http://127.0.0.1".to_owned());
        (config.argon2.memory_kib, config.argon2.iterations) = (64, 1);
        let engine = Engine::builder(config).build().await.unwrap();
        let worker = engine.start_worker();
        let here = Origin::local(DEFAULT_TENANT);
        let user = engine.accounts().create_verified(&here, ADA, &Secret::from(PASSWORD), None).await.unwrap();
        let admin = engine.operator(DEFAULT_TENANT).get_role("admin").await.unwrap();
        engine.roles().assign(&here, None, user.id, admin.id).await.unwrap();
        Self(engine, worker)
    }

    async fn knows(&self, token: &str) -> bool {
        self.0.sessions().authenticate(token).await.is_ok()
    }
}

async fn database(db: Db) -> Database {
    db.create(async |url| drop(Config::development(&url).migrate(|_| {}).await.unwrap()))
}

async fn within_a_second(mut holds: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < Duration::from_secs(1), "not within a second");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn what_is_revoked_at_one_node_is_refused_at_the_other_within_a_second(db: Db) {
    let database = database(db).await;
    let node = Node::open(&database.url).await;
    let engine = Embedded::open(settings(&database.url)).await.unwrap();
    let session = async || {
        let client = client(&engine);
        client.login(ADA, PASSWORD).await.unwrap();
        let token = client.access_token().await.unwrap();
        assert!(node.knows(token.expose()).await);
        assert!(engine.authenticate(token.expose()).await.is_ok());
        (client, token)
    };
    // At the other node.
    let (_client, token) = session().await;
    let principal = node.0.sessions().authenticate(token.expose()).await.unwrap();
    node.0.sessions().revoke(&Origin::local(principal.tenant), &principal, principal.session).await.unwrap();
    within_a_second(async || engine.authenticate(token.expose()).await.is_err()).await;
    assert_eq!(engine.authenticate(token.expose()).await.unwrap_err().code, "auth.invalid_token");
    // And here.
    let (client, token) = session().await;
    client.logout().await.unwrap();
    within_a_second(async || !node.knows(token.expose()).await).await;
    engine.close().await;
}

async fn a_token_is_checked_without_waiting_while_the_node_knows_enough(db: Db) {
    let database = database(db).await;
    drop(Node::open(&database.url).await);
    let engine = Embedded::open(settings(&database.url)).await.unwrap();
    let ada = client(&engine);
    ada.login(ADA, PASSWORD).await.unwrap();
    let token = ada.access_token().await.unwrap();
    let principal = engine.verify(token.expose()).unwrap().unwrap();
    let shown = principal_to_json(&principal);
    assert_eq!(shown["user"], ada.call("getMe", json!({})).await.unwrap()["id"]);
    assert!(shown["permissions"].as_array().unwrap().contains(&"users:read".into()), "{shown}");
    require(&principal, "users:read", None).unwrap();
    let forbidden = require(&principal, "nothing:here", Some(&principal.user.to_string())).unwrap_err();
    assert_eq!((forbidden.code.as_ref(), forbidden.status), ("auth.forbidden", 403));
    assert_eq!(require(&principal, "users:read", Some("me")).unwrap_err().code, code::INVALID_ARGUMENT);
    let refused = engine.verify("x.y.z").unwrap().unwrap_err();
    assert_eq!((refused.code.as_ref(), refused.status), ("auth.invalid_token", 401));
    // Without the worker this node soon knows too little, and says so instead of guessing.
    engine.close().await;
    assert!(engine.verify(token.expose()).is_none());
    assert_eq!(engine.authenticate(token.expose()).await.unwrap_err().code, code::INVALID_ARGUMENT);
}

#[tokio::test]
async fn a_client_is_refused_as_over_http_and_keys_of_callers_are_not_taken() {
    let state = ConformanceState::open(settings("sqlite::memory:")).await.unwrap();
    let administrator = state.reset().await.unwrap();
    let client = client(state.engine());
    let wrong = client.login(administrator.email.clone(), "another").await.unwrap_err();
    assert_eq!((wrong.code.as_ref(), wrong.status), ("auth.invalid_credentials", 401));
    client.login(administrator.email.clone(), administrator.password).await.unwrap();
    let wrong = client.call("createRole", json!({"name": 5})).await.unwrap_err();
    assert_eq!(wrong.fields[0].field, "name");
    assert!(wrong.trace_id.is_some());
    client.call("createRole", json!({"name": "editor"})).await.unwrap();
    state.advance(901 + 30).await.unwrap();
    assert_eq!(client.get_me().await.unwrap().email, administrator.email, "it refreshes by itself");
    let key = CallOptions::default().idempotency_key("k-1");
    client.call_with("refresh", json!({}), key).await.unwrap();
    refuse_key("refresh").unwrap();
    assert_eq!(refuse_key("createRole").unwrap_err().code, code::INVALID_ARGUMENT);
    state.reset().await.unwrap();
    assert_eq!(client.get_me().await.unwrap_err().code, "auth.invalid_refresh_token");
}

#[tokio::test]
async fn what_stands_in_the_way_of_opening_is_named_and_no_secret_is_in_it() {
    for (settings, code, named) in [
        (json!({"database": "mysql://u:hunter2@h/d"}), code::INVALID_ARGUMENT, "database_url"),
        (json!({"database": "postgres://u:hunter2@127.0.0.1:1/d"}), code::ENVIRONMENT, "127.0.0.1"),
        (json!({"database": "sqlite::memory:", "env": "production"}), code::INVALID_ARGUMENT, "keys.master"),
    ] {
        let error = Embedded::open(settings).await.unwrap_err();
        assert_eq!(error.code, code, "{error}");
        assert!(error.message.contains(named) && !error.message.contains("hunter2"), "{error}");
    }
    let engine = Embedded::open(
        json!({"database": "sqlite::memory:", "operations": {"token": "hunter2-hunter2-hunter2-hunter2"}}),
    );
    assert!(!format!("{:?}", engine.await.unwrap()).contains("hunter2"));
}

/// The files of this process that begin with `path`.
fn open_files(path: &str) -> usize {
    let files =
        std::fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    files.filter(|file| file.to_string_lossy().starts_with(path)).count()
}

#[tokio::test]
async fn closing_waits_until_the_file_is_closed_and_dropping_closes_it_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db").display().to_string();
    let engine = Embedded::open(settings(&format!("sqlite://{path}"))).await.unwrap();
    let used = client(&engine);
    used.login("nobody@example.com", "x").await.unwrap_err();
    assert!(open_files(&path) > 0);
    engine.close().await;
    assert_eq!(open_files(&path), 0);
    assert_eq!(used.get_jwks().await.unwrap_err().code, code::INVALID_ARGUMENT);
    engine.close().await;

    let engine = Embedded::open(settings(&format!("sqlite://{path}"))).await.unwrap();
    assert!(open_files(&path) > 0);
    drop(engine);
    let started = Instant::now();
    while open_files(&path) > 0 {
        assert!(started.elapsed() < Duration::from_secs(10), "dropping did not close the file");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[test]
fn any_runtime_may_call() {
    let engine = runtime().unwrap().block_on(Embedded::open(settings("sqlite::memory:"))).unwrap();
    let other = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let keys = other.block_on(engine.authenticate("x"));
    assert_eq!(keys.unwrap_err().code, "auth.invalid_token");
}

#[tokio::test]
async fn an_application_makes_accounts_of_its_own() {
    let engine = Embedded::open(settings("sqlite::memory:")).await.unwrap();
    let admin = ["admin".to_owned()];
    let id = engine.create_user("root@example.com", PASSWORD.into(), Some("Root"), &admin).await.unwrap();
    let client = client(&engine);
    client.login("root@example.com", PASSWORD).await.unwrap();
    assert_eq!(client.get_user(id).await.unwrap().user.email, "root@example.com");
    let none = engine.create_user("b@example.com", PASSWORD.into(), None, &["nobody".to_owned()]).await.unwrap_err();
    assert_eq!(none.code, "role.not_found");
    client.login("b@example.com", PASSWORD).await.unwrap_err();
}
