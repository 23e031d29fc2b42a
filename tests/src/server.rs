use crate::{Client, Database};
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::OnceLock,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, Command},
};

/// The `authkit` binary, built once.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let output = std::process::Command::new(env!("CARGO"))
            .args(["build", "-q", "-p", "authkit-server", "--bin", "authkit", "--message-format=json"])
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo runs");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .filter(|message| message["target"]["name"] == "authkit")
            .find_map(|message| message["executable"].as_str().map(PathBuf::from))
            .expect("cargo builds the server")
    })
}

/// A running server process.
pub struct Server {
    child: Child,
    /// Where it answers.
    pub url: String,
}

impl Server {
    /// The command with the environment of `database`, and nothing of ours.
    #[must_use]
    pub fn command(database: &Database) -> Command {
        let mut command = Command::new(binary());
        command
            .env_clear()
            .envs(std::env::var("PATH").map(|path| ("PATH", path)))
            .env("AUTHKIT_DATABASE_URL", &database.url)
            .env("AUTHKIT_LISTEN", "127.0.0.1:0")
            // Nodes of one installation share it, whatever port each listens on.
            .env("AUTHKIT_ISSUER", "http://127.0.0.1")
            .current_dir(database.directory())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Starts it in development mode without rate limits, which many clients of one address would hit.
    pub async fn start(database: &Database) -> Self {
        Self::start_with(database, &[("AUTHKIT_RATE_LIMITS__ENABLED", "false")]).await
    }

    /// Starts it in conformance mode, with cheap password hashes.
    pub async fn start_conformance(database: &Database) -> Self {
        let cheap = [("AUTHKIT_ARGON2__MEMORY_KIB", "64"), ("AUTHKIT_ARGON2__ITERATIONS", "1")];
        Self::serve(database, &["serve", "--conformance"], &cheap).await
    }

    /// Starts it with `env` and waits until it listens.
    pub async fn start_with(database: &Database, env: &[(&str, &str)]) -> Self {
        Self::serve(database, &["serve"], env).await
    }

    async fn serve(database: &Database, arguments: &[&str], env: &[(&str, &str)]) -> Self {
        let mut command = Self::command(database);
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(database.directory().join("server.log"))
            .unwrap();
        let mut child = command
            .args(arguments)
            .envs(env.iter().copied())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the server starts");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let found = tokio::time::timeout(Duration::from_secs(60), async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some((_, rest)) = line.split_once("listening on ") {
                    let url: String = rest.chars().take_while(|c| !c.is_whitespace() && *c != '\x1b').collect();
                    return Some(url);
                }
            }
            None
        })
        .await
        .expect("the server listens within a minute");
        let Some(url) = found else {
            let log = std::fs::read_to_string(database.directory().join("server.log")).unwrap_or_default();
            panic!("the server ended before it listened:\n{log}");
        };
        // Whatever else it prints must not fill the pipe, and can be looked at.
        let mut rest = tokio::fs::File::create(database.directory().join("server.out")).await.unwrap();
        tokio::spawn(async move {
            let _ = tokio::io::copy(&mut lines.into_inner(), &mut rest).await;
        });
        Self { child, url }
    }

    /// A client of it.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(&self.url)
    }

    /// Ends it as a power cut would end a process.
    pub async fn kill(mut self) {
        self.child.start_kill().unwrap();
        self.child.wait().await.unwrap();
    }

    /// Asks it to stop and returns its exit code.
    pub async fn terminate(self) -> Option<i32> {
        self.ask_to_stop();
        self.stopped().await
    }

    /// Sends SIGTERM.
    pub fn ask_to_stop(&self) {
        let pid = self.child.id().expect("still running").to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    }

    /// Waits until it has stopped and returns its exit code.
    pub async fn stopped(mut self) -> Option<i32> {
        tokio::time::timeout(Duration::from_secs(40), self.child.wait()).await.expect("it stops").unwrap().code()
    }

    /// Runs a command of the binary and returns its exit code with everything it printed.
    pub async fn run(database: &Database, arguments: &[&str], input: Option<&str>) -> (i32, String) {
        use tokio::io::AsyncWriteExt;
        let mut command = Self::command(database);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command starts");
        let mut stdin = child.stdin.take().unwrap();
        if let Some(input) = input {
            stdin.write_all(input.as_bytes()).await.unwrap();
        }
        drop(stdin);
        let (mut out, mut err) = (String::new(), String::new());
        let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let _ = tokio::join!(stdout.read_to_string(&mut out), stderr.read_to_string(&mut err));
        let code = child.wait().await.unwrap().code().unwrap_or(-1);
        (code, out + &err)
    }

    /// Makes an administrator by the command line.
    pub async fn create_admin(database: &Database, tenant: &str, email: &str) {
        let create = ["user", "create", "--tenant", tenant, "--email", email, "--password-stdin", "--role", "admin"];
        let (code, text) = Self::run(database, &create, Some(crate::PASSWORD)).await;
        assert_eq!(code, 0, "{text}");
    }

    /// Makes the first administrator of the database and signs it in.
    pub async fn administrator(&self, database: &Database) -> Client {
        Self::create_admin(database, "default", "root@example.com").await;
        let mut client = self.client();
        client.sign_in("root@example.com").await;
        client
    }
}
