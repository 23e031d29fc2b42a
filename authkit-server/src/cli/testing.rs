//! Commands in a test, beside a node of the same installation.

use super::{Cli, Failure, Output};
use authkit_core::{
    Origin,
    accounts::User,
    memory::SystemClock,
    ports::Clock,
    wire::{LoginRequest, LoginView},
};
use authkit_engine::{Config, Engine};
use authkit_testkit::databases::{Database, Db};
use clap::Parser as _;
use serde_json::Value;
use std::process::ExitCode;

const PASSWORD: &str = "violet tractor 12 umbrella";

/// A node, and what commands beside it need.
pub(super) struct Bench {
    pub(super) engine: Engine,
    pub(super) config: Config,
    _database: Database,
}

impl Bench {
    pub(super) async fn new(db: Db) -> Self {
        Self::at(db, SystemClock).await
    }

    /// The node goes by `clock`; commands go by the system's.
    pub(super) async fn at(db: Db, clock: impl Clock + 'static) -> Self {
        let migrate = async |url: String| drop(Config::development(&url).migrate(|_| {}).await.expect("migrated"));
        let database = db.create(migrate);
        let mut config = Config::development(&database.url);
        config.argon2.memory_kib = 64;
        config.argon2.iterations = 1;
        let engine = Engine::builder(config.clone()).clock(clock).build().await.expect("an engine");
        Self { engine, config, _database: database }
    }

    /// Reads the arguments, which are separated by blanks.
    pub(super) fn parse(&self, arguments: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once("authkit").chain(arguments.split(' ')))
    }

    /// What the command prints for programs; an error when it ends with another code than 0.
    pub(super) async fn run(&self, arguments: &str) -> Result<Value, Failure> {
        let cli = self.parse(arguments).unwrap_or_else(|error| panic!("{arguments}: {error}"));
        let output = Output::keeping();
        let code = Box::pin(cli.administer(self.config.clone(), &output)).await?;
        let printed = serde_json::from_str(&output.kept()).unwrap_or_default();
        if code == ExitCode::SUCCESS { Ok(printed) } else { Err(Failure::new(format!("{printed}"))) }
    }

    /// Creates a user who can sign in.
    pub(super) async fn user(&self, origin: &Origin, email: &str) -> User {
        let password = PASSWORD.into();
        let created = self.engine.accounts().create_verified(origin, email, &password, None);
        let id = created.await.expect("created").id;
        self.engine.context().store.find_user(origin.tenant, id).await.expect("read").expect("there")
    }

    /// Signs in.
    pub(super) async fn login(&self, origin: &Origin, email: &str) -> authkit_core::Result<LoginView> {
        let request = LoginRequest { email: email.into(), password: PASSWORD.into() };
        Box::pin(self.engine.sign_in().login(origin, request)).await
    }
}
