//! The server as a process: memory, and the time from its start to its first answer.

use crate::{
    measure::{median, memory},
    micro::PASSWORD,
    report::Report,
};
use serde_json::{Value, json};
use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, Command},
};

/// A server process of ours, or the bare one.
pub(crate) struct Served {
    child: Child,
    pub(crate) url: String,
}

impl Served {
    async fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = loop {
            let line = lines.next_line().await.unwrap().expect("the server listens");
            if let Some((_, rest)) = line.split_once("listening on ") {
                break rest.chars().take_while(|c| !c.is_whitespace() && *c != '\x1b').collect();
            }
        };
        tokio::spawn(async move {
            let _ = tokio::io::copy(&mut lines.into_inner(), &mut tokio::io::sink()).await;
        });
        Self { child, url }
    }

    pub(crate) fn command(binary: &str, database: &Path) -> Command {
        let mut command = Command::new(std::fs::canonicalize(binary).unwrap());
        // Settings of ours are no part of what is measured.
        command
            .env_clear()
            .envs(std::env::var("PATH").map(|path| ("PATH", path)))
            .env("AUTHKIT_DATABASE_URL", format!("sqlite://{}", database.display()))
            .env("AUTHKIT_LISTEN", "127.0.0.1:0")
            .env("AUTHKIT_RATE_LIMITS__ENABLED", "false")
            .current_dir(database.parent().unwrap());
        command
    }

    pub(crate) async fn authkit(binary: &str, database: &Path) -> Self {
        let mut command = Self::command(binary, database);
        command.arg("serve");
        Self::start(command).await
    }

    pub(crate) async fn bare(spec: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["bare", spec]);
        Self::start(command).await
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Makes an account by the command line.
    pub(crate) async fn create(binary: &str, database: &Path, email: &str) {
        let mut command = Self::command(binary, database);
        command.args(["user", "create", "--email", email, "--password-stdin"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).await.unwrap();
        assert!(child.wait().await.unwrap().success());
    }

    /// Makes an account and signs it in.
    pub(crate) async fn sign_up(&self, binary: &str, database: &Path) -> Value {
        Self::create(binary, database, "ada@example.com").await;
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let body = json!({"email": "ada@example.com", "password": PASSWORD});
        client.post(format!("{}/v1/auth/login", self.url)).json(&body).send().await.unwrap().json().await.unwrap()
    }
}

/// How many clients sign in without pause, each as somebody else.
pub(crate) const CROWD: usize = 64;

/// One of them.
pub(crate) fn crowd(n: usize) -> String {
    format!("crowd{n}@example.com")
}

/// Seconds from starting the process to the first 200 of `path`.
async fn first_answer(start: impl AsyncFn() -> Served, path: &str) -> f64 {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let begin = Instant::now();
    let server = start().await;
    loop {
        if client.get(format!("{}{path}", server.url)).send().await.is_ok_and(|answer| answer.status() == 200) {
            return begin.elapsed().as_secs_f64();
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

pub(crate) async fn run(report: &mut Report, binary: &str) {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("bench.db");
    let server = Served::authkit(binary, &database).await;
    server.sign_up(binary, &database).await;
    drop(server);

    let spec = json!({"database": database, "body": "", "me": "", "user": "00"}).to_string();
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..15 {
        ours.push(first_answer(async || Served::authkit(binary, &database).await, "/health/live").await);
        bare.push(first_answer(async || Served::bare(&spec).await, "/health/live").await);
    }
    let (ours, bare) = (median(ours), median(bare));
    let time = |value: f64| format!("{:.1} ms", value * 1000.0);
    report.at_most(
        "from exec to the first 200 on an existing database, beside a bare axum binary that opens it too",
        time(ours),
        time(bare),
        ours / bare,
        5.0,
    );

    for n in 0..CROWD {
        Served::create(binary, &database, &crowd(n)).await;
    }
    let server = Served::authkit(binary, &database).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let idle = memory(server.pid());
    report.at_most("resident memory idle, in MB", format!("{idle:.1} MB"), "30 MB".into(), idle / 30.0, 1.0);

    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let left = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(10_000));
    let tasks: Vec<_> = (0..CROWD)
        .map(|n| {
            let body = json!({"email": crowd(n), "password": PASSWORD});
            let (client, left) = (client.clone(), left.clone());
            let url = format!("{}/v1/auth/login", server.url);
            tokio::spawn(async move {
                while left.fetch_sub(1, std::sync::atomic::Ordering::Relaxed) > 0 {
                    while client.post(&url).json(&body).send().await.is_ok_and(|answer| answer.status() == 503) {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let pool = 19.0 * std::thread::available_parallelism().map_or(1, usize::from) as f64 * 1.024 * 1.024;
    let after = memory(server.pid());
    report.at_most(
        "resident memory after 10,000 sign-ins, in MB, less the hash pool's blocks",
        format!("{after:.1} MB"),
        format!("30 MB + {pool:.0} MB"),
        (after - pool) / 30.0,
        1.0,
    );
}
