//! The command line: arguments, and how failures are told.

mod audit;
mod config;
mod doctor;
mod failure;
mod key;
mod lines;
mod log;
mod migrate;
mod output;
mod role;
mod serve;
mod session;
mod tenant;
#[cfg(test)]
mod testing;
mod user;

pub(crate) use failure::{Failure, Outcome};
pub(crate) use output::Output;

use authkit_core::{
    tenants::{DEFAULT_TENANT, Tenant},
    wire::TenantId,
};
use authkit_engine::{Config, Engine, Operator};
use clap::{
    Parser, Subcommand,
    builder::styling::{AnsiColor, Styles},
};
use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// AuthKit: who is this, and what may they do.
///
/// Without any setting `authkit serve` starts on this machine only, over SQLite. Settings come from a TOML file and
/// `AUTHKIT_…` variables; `authkit config show` prints those in force.
#[derive(Debug, Parser)]
#[command(name = "authkit", version, styles = STYLES, max_term_width = 100, arg_required_else_help = true)]
struct Cli {
    /// The configuration file (TOML); also AUTHKIT_CONFIG
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON, for programs
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve {
        /// Listen on this address instead of the configured one; port 0 takes a free port
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<SocketAddr>,
        /// Serve scenarios: a clock set by hand, randomness that can be foretold, no limits, a state deleted at each
        /// reset; in memory unless another database is configured
        #[arg(long)]
        conformance: bool,
    },
    /// Bring the database's schema up to date
    Migrate(migrate::Arguments),
    /// Create and administer users
    #[command(subcommand)]
    User(user::Command),
    /// Define and assign roles
    #[command(subcommand)]
    Role(role::Command),
    /// List and end sessions
    #[command(subcommand)]
    Session(session::Command),
    /// Create and administer tenants
    #[command(subcommand)]
    Tenant(tenant::Command),
    /// Administer signing keys
    #[command(subcommand)]
    Key(key::Command),
    /// Check the audit log
    #[command(subcommand)]
    Audit(audit::Command),
    /// Check configuration, database, keys, mail, clock and disk
    Doctor,
    /// Show the configuration, its schema and its reference
    #[command(subcommand)]
    Config(config::Command),
    /// Print the OpenAPI document
    Openapi,
}

/// Runs the command of this process.
pub(crate) fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(wrong) if wrong.use_stderr() && std::env::args_os().any(|argument| argument == "--json") => {
            let text = wrong.to_string();
            let what = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
            Output::new(true).fail(&Failure::new(what).next("`authkit help` tells the commands and their arguments"));
            return ExitCode::from(2);
        }
        Err(other) => other.exit(),
    };
    let output = Output::new(cli.json);
    let serving = matches!(cli.command, Command::Serve { .. });
    // Before there is a second thread: the first concurrent map of a process asks the kernel for cheap memory barriers,
    // and a kernel that has several threads to tell takes 5 to 25 ms for it.
    authkit_server::install_recorder();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output.fail(&Failure::new(format!("the runtime does not start: {error}"))),
    };
    if !serving {
        log::quiet();
    }
    let outcome = runtime.block_on(Box::pin(cli.perform(&output)));
    // A background thread that still waits (a name lookup, a blocking read) must not hold the process.
    runtime.shutdown_background();
    log::flush();
    match outcome {
        Ok(code) => code,
        Err(failure) => output.fail(&failure),
    }
}

impl Cli {
    async fn perform(self, output: &Output) -> Outcome {
        match self.command {
            Command::Openapi => {
                output.raw(&authkit_server::openapi_json());
                return Ok(ExitCode::SUCCESS);
            }
            Command::Config(command) => return config::run(command, self.config.as_deref(), output),
            Command::Doctor => return doctor::run(self.config.as_deref(), output).await,
            _ => {}
        }
        let config = load(self.config.as_deref())?;
        self.administer(config, output).await
    }

    /// What works on an installation.
    async fn administer(self, config: Config, output: &Output) -> Outcome {
        // In another folder than the server's, the database would be another one: nobody asked for that.
        if !matches!(self.command, Command::Serve { .. } | Command::Migrate(_))
            && let Some(file) = missing_database(&config)
        {
            let next = "run this where the server runs and with its settings; `authkit serve` and `authkit migrate` make \
                        a new database";
            return Err(Failure::new(format!("there is no database at {}", file.display())).next(next));
        }
        match self.command {
            Command::Serve { listen, conformance } => serve::run(config, listen, conformance, output).await,
            Command::Migrate(arguments) => migrate::run(&config, &arguments, output).await,
            Command::User(command) => user::run(config, command, output).await,
            Command::Role(command) => role::run(config, command, output).await,
            Command::Session(command) => session::run(config, command, output).await,
            Command::Tenant(command) => tenant::run(config, command, output).await,
            Command::Key(command) => key::run(config, command, output).await,
            Command::Audit(command) => audit::run(config, command, output).await,
            Command::Doctor | Command::Config(_) | Command::Openapi => Ok(ExitCode::SUCCESS),
        }
    }
}

/// Reads the configuration of this process.
fn load(file: Option<&std::path::Path>) -> Result<Config, Failure> {
    Ok(Config::from_env(file)?)
}

/// The file of the SQLite database, when it is not there.
fn missing_database(config: &Config) -> Option<PathBuf> {
    let file = config.database_file().filter(|file| !file.exists())?;
    // The driver reads `%20` in a name as a blank; it says itself when there is none of the name.
    let plain = !file.to_string_lossy().contains('%');
    plain.then(|| std::path::absolute(&file).unwrap_or(file))
}

/// An engine for one command. Call [`finish`] after a change.
async fn engine(config: Config) -> Result<Engine, Failure> {
    Ok(Box::pin(Engine::builder(config).build()).await?)
}

/// Links the audit records of this command: nothing else may be running that would. What was changed is changed, so it is
/// no failure of the command when that does not succeed; a server does so later.
async fn finish(engine: &Engine) {
    let sealed = async {
        engine.audit().seal().await?;
        engine.audit().release().await
    };
    if let Err(error) = sealed.await {
        tracing::warn!(cause = Failure::from(error).what, "the newest audit records could not be sealed");
    }
}

/// The tenant of that short name or id.
async fn get_tenant(engine: &Engine, name: &str) -> Result<Tenant, Failure> {
    let missing = || Failure::new(format!("there is no tenant `{name}`")).next("`authkit tenant list` shows them");
    engine.tenants().find(name).await?.ok_or_else(missing)
}

/// Which tenant a command is about.
#[derive(Debug, clap::Args)]
struct TenantArgument {
    /// The tenant, by short name or id
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
}

impl TenantArgument {
    async fn id(&self, engine: &Engine) -> Result<TenantId, Failure> {
        match &self.tenant {
            None => Ok(DEFAULT_TENANT),
            Some(name) => Ok(get_tenant(engine, name).await?.id),
        }
    }

    async fn operator(&self, engine: &Engine) -> Result<Operator, Failure> {
        Ok(engine.operator(self.id(engine).await?))
    }
}

#[cfg(test)]
mod tests {
    use super::{Cli, Output, load};
    use authkit_engine::Config;
    use clap::{CommandFactory, Parser};
    use std::io::Write as _;

    #[test]
    fn arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[tokio::test]
    async fn only_serve_and_migrate_make_a_database() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("below").join("authkit.db");
        let config = Config::development(&format!("sqlite://{}", file.display()));
        let run = async |arguments: &str| {
            let cli = Cli::try_parse_from(std::iter::once("authkit").chain(arguments.split(' '))).expect("arguments");
            let output = Output::keeping();
            let outcome = Box::pin(cli.administer(config.clone(), &output)).await;
            (outcome, output.kept())
        };
        for arguments in [
            "user create --email ada@example.com --password-stdin",
            "user list",
            "role list",
            "session list --user ada@example.com",
            "tenant list",
            "key rotate",
            "audit verify",
        ] {
            let failure = run(arguments).await.0.expect_err(arguments);
            assert!(failure.what.contains(&file.display().to_string()), "{arguments}: {}", failure.what);
            assert!(failure.next.is_some_and(|next| next.contains("authkit serve")), "{arguments}");
        }
        let (checked, told) = run("migrate --check").await;
        assert_eq!(checked.expect("checked"), std::process::ExitCode::FAILURE);
        assert!(told.contains("\"version\": 0") && told.contains("\"pending\": [\n"), "{told}");
        assert!(!folder.path().join("below").exists(), "something was made");
        run("migrate").await.0.expect("migrated");
        assert!(file.exists());
        run("role list").await.0.expect("listed");
    }

    #[tokio::test]
    async fn production_refuses_conformance_before_it_listens() {
        let mut config = Config::development("sqlite:///var/lib/authkit/authkit.db");
        config.env = authkit_engine::config::Environment::Production;
        let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        config.listen = taken.local_addr().expect("an address");
        config.public_url = Some("https://id.example.com".into());
        config.keys.master.insert(1, "2c61d08e95f7ab3340be17d9c8526e0f74a39db15ce8f260871d4bf39a05e6c7".into());
        config.mail.smtp = Some(authkit_engine::config::Smtp { host: "mail.example.com".into(), ..Default::default() });
        config.mail.from = "id@example.com".into();
        let cli = Cli::try_parse_from(["authkit", "serve", "--conformance"]).expect("arguments");
        let refused = Box::pin(cli.administer(config, &Output::keeping())).await.expect_err("refused");
        assert!(refused.what.contains("conformance mode does not start in production"), "{refused:?}");
    }

    #[test]
    fn a_misspelt_key_of_the_file_is_named_as_it_stands_there() {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(b"[tokens]\nacess = \"5m\"\n").expect("written");
        let refused = load(Some(file.path())).expect_err("refused");
        let told = refused.details.iter().find(|detail| detail.contains("acess")).expect("named");
        assert!(told.starts_with("tokens.acess: ") && told.contains("`tokens.access`"), "{told}");
        assert!(!told.contains("AUTHKIT_"), "{told}");
    }

    #[test]
    fn every_command_is_in_the_guide() {
        fn walk(command: &clap::Command, path: &str, guide: &str) {
            if !command.has_subcommands() {
                assert!(guide.contains(&format!("\n| `{path}` |")), "`{path}` is missing in docs/guide/commands.md");
            }
            for inner in command.get_subcommands() {
                walk(inner, format!("{path} {}", inner.get_name()).trim(), guide);
            }
        }
        walk(&Cli::command(), "", include_str!("../../../docs/guide/commands.md"));
    }
}
