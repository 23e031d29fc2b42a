//! Databases of earlier versions, as SQL text: each is brought up by this version's migrations, and what was in it works.
//!
//! A release adds its own with `AUTHKIT_WRITE_DUMPS=1 cargo test -p authkit-engine --test upgrades` and never changes
//! those that are there.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use authkit_engine::{
    Config, Engine,
    core::{
        Origin, Principal,
        devices::DeviceFilter,
        memory::{ManualClock, SeededRandom},
        tenants::{DEFAULT_TENANT, TenantSettings},
        wire::{CreateDeviceClaimRequest, CreateRoleRequest, EmailRequest, LoginRequest, LoginView},
    },
};
use authkit_testkit::{device::FakeDevice, postgres::Postgres};
use jiff::Timestamp;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use std::{path::PathBuf, process::Command};

const PASSWORD: &str = "violet tractor 12 umbrella";

/// Under which the dumps are sealed.
const MASTER_KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn config(url: &str) -> Config {
    let mut config = Config::development(url);
    config.argon2.memory_kib = 64;
    config.argon2.iterations = 1;
    config.keys.master.insert(1, MASTER_KEY.into());
    config
}

/// When dumps are made, and half an hour later, so that nothing in them ever runs out.
const MADE: i64 = 1_795_000_000;
const OPENED: i64 = MADE + 1800;

fn at(second: i64) -> ManualClock {
    ManualClock::new(Timestamp::from_second(second).unwrap())
}

fn dump_of(version: i64, kind: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/upgrades/version-{version}.{kind}.sql"))
}

/// Something of everything that is easily made.
async fn populate(url: &str) {
    let engine = Engine::builder(config(url)).clock(at(MADE)).build().await.unwrap();
    let origin = Origin::local(DEFAULT_TENANT);
    let password = PASSWORD.into();
    let ada = engine.accounts().create_verified(&origin, "ada@example.com", &password, Some("Ada")).await.unwrap();
    let request = CreateRoleRequest {
        name: "support".into(),
        description: "Helps".into(),
        parent_id: None,
        permissions: vec!["users:read".into()],
    };
    let role = engine.roles().create(&origin, None, request).await.unwrap();
    engine.roles().assign(&origin, None, ada.id, role.id).await.unwrap();
    let hosts = ["shop.example.com".to_owned()];
    let settings = TenantSettings { max_sessions: Some(3), ..TenantSettings::default() };
    let shop = engine.tenants().create("shop", "Shop", &hosts, settings).await.unwrap();
    let elsewhere = Origin::local(shop.id);
    engine.accounts().create_verified(&elsewhere, "ada@example.com", &password, None).await.unwrap();
    let ada = signed_in(&engine, &origin).await;
    signed_in(&engine, &elsewhere).await;
    let claim = CreateDeviceClaimRequest { name: Some("Greenhouse".into()) };
    let [_open, used] = [
        engine.devices().create_claim(&origin, &ada, claim.clone()).await.unwrap(),
        engine.devices().create_claim(&origin, &ada, claim).await.unwrap(),
    ];
    let mut device = device();
    let challenge = engine.devices().challenge(&origin, &device.ask_to_claim()).unwrap();
    engine.devices().claim(&origin, device.claim(used.code.expose(), &challenge).unwrap()).await.unwrap();
    engine.accounts().forgot_password(&origin, EmailRequest { email: "ada@example.com".into() }).await.unwrap();
    engine.audit().seal().await.unwrap();
    engine.audit().release().await.unwrap();
}

fn login() -> LoginRequest {
    LoginRequest { email: "ada@example.com".into(), password: PASSWORD.into() }
}

/// The device that was claimed before.
fn device() -> FakeDevice {
    FakeDevice::new(&SeededRandom::new(9)).unwrap()
}

async fn signed_in(engine: &Engine, origin: &Origin) -> Principal {
    let LoginView::Tokens(tokens) = engine.sign_in().login(origin, login()).await.unwrap() else {
        panic!("no second factor is set up")
    };
    engine.sessions().authenticate(tokens.access_token.expose()).await.unwrap()
}

/// The version of the schema, and how many of the migrations are missing, before and after; and what works then.
async fn is_brought_up(url: &str, version: i64) {
    let state = config(url).migrate(|_| {}).await.unwrap();
    assert!(state.pending.is_empty() && state.applied == state.latest, "{state:?}");
    let engine = Engine::builder(config(url)).clock(at(OPENED)).migrate(false).build().await.unwrap();
    for tenant in ["default", "shop"] {
        let tenant = engine.tenants().find(tenant).await.unwrap().unwrap();
        let origin = Origin::local(tenant.id);
        let principal = signed_in(&engine, &origin).await;
        assert_eq!(engine.operator(tenant.id).list_sessions(principal.user, 10).await.unwrap().len(), 2);
    }
    let store = &engine.context().store;
    let devices = store.list_devices(DEFAULT_TENANT, DeviceFilter::default(), None, 10).await.unwrap();
    assert_eq!(devices.len(), usize::from(version >= 2));
    for found in devices {
        let (origin, mut device) = (Origin::local(DEFAULT_TENANT), device());
        let challenge = engine.devices().challenge(&origin, &device.ask_for_token(found.id)).unwrap();
        engine.devices().token(&origin, device.token(found.id, &challenge).unwrap()).await.unwrap();
    }
    let operator = engine.operator(DEFAULT_TENANT);
    let ada = operator.get_user("ada@example.com").await.unwrap();
    assert_eq!((ada.name.as_deref(), operator.roles_of(ada.id).await.unwrap()), (Some("Ada"), vec!["support".into()]));
    assert_eq!(engine.tenants().find("shop").await.unwrap().unwrap().settings.max_sessions, Some(3));
    assert_eq!(engine.context().store.count_notices().await.unwrap().0, version.min(2), "the mail that waited is gone");
    engine.audit().seal().await.unwrap();
    let report = engine.audit().verify(|_| {}).await.unwrap();
    assert!(report.is_clean() && report.records > 8 && report.heads > 0, "{report:?}");
}

fn program(name: &str, arguments: &[&str]) -> String {
    let output = Command::new(name).args(arguments).output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn writes() -> bool {
    std::env::var_os("AUTHKIT_WRITE_DUMPS").is_some()
}

/// The versions of which there is a dump.
fn versions() -> std::ops::RangeInclusive<i64> {
    1..=authkit_sql::LATEST
}

#[tokio::test]
async fn sqlite_databases_of_every_version_are_brought_up() {
    let folder = tempfile::tempdir().unwrap();
    let url = |name: String| format!("sqlite://{}", folder.path().join(name).display());
    if writes() {
        populate(&url("made.db".into())).await;
        let text = program("sqlite3", &[folder.path().join("made.db").to_str().unwrap(), ".dump"]);
        std::fs::write(dump_of(authkit_sql::LATEST, "sqlite"), text).unwrap();
    }
    for version in versions() {
        let text = std::fs::read_to_string(dump_of(version, "sqlite")).unwrap();
        let url = url(format!("{version}.db"));
        let mut connection = SqliteConnection::connect(&format!("{url}?mode=rwc")).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        is_brought_up(&url, version).await;
    }
}

#[tokio::test]
async fn postgres_databases_of_every_version_are_brought_up() {
    if writes() {
        let url = Postgres::start_fast().create_database();
        populate(&url).await;
        // The feed counts transactions of its own server, and nobody reads an old one.
        let options = ["--no-owner", "--no-privileges", "--no-comments", "--inserts", "--exclude-table-data=feed"];
        let text = program("pg_dump", &[&options[..], &[&url]].concat());
        // Neither settings that other versions of the server do not know, nor commands of psql.
        let plain = |line: &&str| {
            !line.is_empty()
                && !["SET ", "--", "\\", "SELECT pg_catalog.set_config"].iter().any(|s| line.starts_with(s))
        };
        let lines: Vec<&str> = text.lines().filter(plain).collect();
        std::fs::write(dump_of(authkit_sql::LATEST, "postgres"), lines.join("\n") + "\n").unwrap();
    }
    for version in versions() {
        let text = std::fs::read_to_string(dump_of(version, "postgres")).unwrap();
        let url = Postgres::start_fast().create_database();
        let mut connection = PgConnection::connect(&url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        is_brought_up(&url, version).await;
    }
}
