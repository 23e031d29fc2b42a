//! Over loopback: routes beside a bare axum server, each in a process of its own, in CPU time of the server.

use crate::{
    measure::{cpu, median, quantile},
    micro::PASSWORD,
    process::{CROWD, Served, crowd},
    report::Report,
};
use axum::{Router, extract::State, http::HeaderMap, routing::get};
use serde_json::Value;
use sqlx::{Row, SqlitePool, sqlite::SqliteConnectOptions};
use std::{
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::process::Command;

/// The bare counterpart: routes that answer the same bytes, one from memory and one after the same read. It prints where
/// it listens, as the server does. `spec` is JSON: `database` (a file), `body`, `me` and
/// `user` (an id).
pub(crate) async fn bare(spec: &str) {
    let spec: Value = serde_json::from_str(spec).unwrap();
    let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(spec["database"].as_str().unwrap()))
        .await
        .unwrap();
    let body: &'static str = Box::leak(spec["body"].as_str().unwrap().to_owned().into_boxed_str());
    let me: &'static str = Box::leak(spec["me"].as_str().unwrap().to_owned().into_boxed_str());
    let id = uuid::Uuid::try_parse(spec["user"].as_str().unwrap()).unwrap_or_default();
    let json = [("content-type", "application/json")];
    let app = Router::new()
        .route("/static", get(move |_: HeaderMap| async move { (json, body) }))
        .route(
            "/read",
            get(move |State(pool): State<SqlitePool>| async move {
                let row = sqlx::query("SELECT * FROM users WHERE id = $1").bind(id).fetch_one(&pool).await.unwrap();
                assert!(row.len() > 5);
                (json, me)
            }),
        )
        .route("/health/live", get(|| async { "ok" }))
        .route("/hash", get(flood_hash))
        .with_state(pool);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("listening on http://{}", listener.local_addr().unwrap());
    axum::serve(listener, app).await.unwrap();
}

/// Starts one raw Argon2id thread per core for ten seconds, so that the bare server answers beside the same work.
async fn flood_hash() -> &'static str {
    for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
        std::thread::spawn(|| {
            use argon2::{Algorithm, Argon2, Block, Params, Version};
            let params = Params::new(19 * 1024, 2, 1, None).unwrap();
            let mut blocks = vec![Block::default(); params.block_count()];
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let (start, mut out) = (Instant::now(), [0; 32]);
            while start.elapsed() < Duration::from_secs(10) {
                argon2.hash_password_into_with_memory(PASSWORD.as_bytes(), &[1; 16], &mut out, &mut blocks).unwrap();
            }
        });
    }
    "ok"
}

/// The load generator: `<url> <clients> <seconds> [authorization]`. Prints requests and the latency of each in microseconds.
pub(crate) async fn load(arguments: &[String]) {
    let [url, clients, seconds, rest @ ..] = arguments else { unreachable!("three arguments") };
    let seconds: f64 = seconds.parse().unwrap();
    let authorization = rest.first().cloned();
    let start = Instant::now();
    let tasks: Vec<_> = (0..clients.parse::<usize>().unwrap())
        .map(|_| {
            let (url, authorization) = (url.clone(), authorization.clone());
            tokio::spawn(async move {
                let client = reqwest::Client::builder().no_proxy().build().unwrap();
                let mut times = Vec::new();
                while start.elapsed().as_secs_f64() < seconds {
                    let mut request = client.get(&url);
                    if let Some(value) = &authorization {
                        request = request.header("authorization", value);
                    }
                    let begin = Instant::now();
                    let response = request.send().await.unwrap();
                    assert_eq!(response.status(), 200);
                    response.bytes().await.unwrap();
                    times.push(begin.elapsed().as_micros() as u64);
                }
                times
            })
        })
        .collect();
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.unwrap());
    }
    println!("{}", serde_json::to_string(&all).unwrap());
}

async fn generate(url: &str, clients: usize, seconds: f64, authorization: Option<&str>) -> Vec<f64> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["load", url, &clients.to_string(), &seconds.to_string()])
        .args(authorization)
        .stderr(Stdio::inherit())
        .output()
        .await
        .unwrap();
    let times: Vec<u64> = serde_json::from_slice(&output.stdout).unwrap();
    times.into_iter().map(|time| time as f64).collect()
}

/// Requests per second of the server's CPU time.
async fn per_cpu_second(server: &Served, path: &str, authorization: Option<&str>) -> f64 {
    let before = cpu(server.pid());
    let times = generate(&format!("{}{path}", server.url), 8, 1.5, authorization).await;
    times.len() as f64 / (cpu(server.pid()) - before).as_secs_f64()
}

pub(crate) async fn run(report: &mut Report, binary: &str) {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("bench.db");
    let ours = Served::authkit(binary, &database).await;
    let tokens = ours.sign_up(binary, &database).await;
    let authorization = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let fetch =
        |path: &'static str| client.get(format!("{}{path}", ours.url)).header("authorization", &authorization).send();
    let spec = serde_json::json!({
        "database": database,
        "body": fetch("/v1/permissions").await.unwrap().text().await.unwrap(),
        "me": fetch("/v1/me").await.unwrap().text().await.unwrap(),
        "user": tokens["user"]["id"].as_str().unwrap().trim_start_matches("usr_"),
    });
    let bare = Served::bare(&spec.to_string()).await;

    for (what, path, counterpart, bound) in [
        (
            "a signed-in route that reads no row (`GET /v1/permissions`), beside a bare axum route with the same body",
            "/v1/permissions",
            "/static",
            0.65,
        ),
        ("`GET /v1/me`, beside a bare axum route that does the same read", "/v1/me", "/read", 0.7),
    ] {
        let (mut one, mut two) = (Vec::new(), Vec::new());
        for _ in 0..5 {
            one.push(per_cpu_second(&ours, path, Some(&authorization)).await);
            two.push(per_cpu_second(&bare, counterpart, Some(&authorization)).await);
        }
        let (one, two) = (median(one), median(two));
        let rate = |value: f64| format!("{value:.0} per CPU second");
        report.at_least(what, rate(one), rate(two), one / two, bound);
    }
    for n in 0..CROWD {
        Served::create(binary, &database, &crowd(n)).await;
    }
    flood(report, &ours, &bare, &authorization).await;
}

/// The p99 of `GET /v1/me` while 64 clients sign in without pause, beside a bare route while raw threads hash.
async fn flood(report: &mut Report, ours: &Served, bare: &Served, authorization: &str) {
    let stop = tokio::sync::watch::Sender::new(false);
    let mut tasks = Vec::new();
    for n in 0..CROWD {
        let (url, stopped) = (format!("{}/v1/auth/login", ours.url), stop.subscribe());
        tasks.push(tokio::spawn(async move {
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            let body = serde_json::json!({"email": crowd(n), "password": PASSWORD}).to_string();
            while !*stopped.borrow() {
                let request = client.post(&url).header("content-type", "application/json").body(body.clone());
                if request.send().await.is_ok_and(|answer| answer.status() == 503) {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let with_us = generate(&format!("{}/v1/me", ours.url), 4, 8.0, Some(authorization)).await;
    stop.send_replace(true);
    for task in tasks {
        let _ = task.await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let hashing = reqwest::Client::builder().no_proxy().build().unwrap().get(format!("{}/hash", bare.url)).send().await;
    assert_eq!(hashing.unwrap().status(), 200);
    let without = generate(&format!("{}/read", bare.url), 4, 8.0, None).await;
    let (one, two) = (quantile(with_us, 0.99), quantile(without, 0.99));
    let time = |value: f64| format!("{:.1} ms", value / 1000.0);
    report.at_most(
        "p99 of `GET /v1/me` while 64 clients sign in, beside a bare route while as many threads hash",
        time(one),
        time(two),
        one / two,
        2.0,
    );
}
