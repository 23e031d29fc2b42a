//! Refresh beside the same row writes through sqlx without AuthKit.

use crate::{
    measure::median,
    micro::{PASSWORD, engine, sign_in},
    report::Report,
};
use authkit_core::{Origin, tenants::DEFAULT_TENANT};
use sqlx::{
    Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::time::{Duration, Instant};

const SPAN: Duration = Duration::from_millis(1500);

/// Transactions per second of one connection that makes the writes of a refresh, as durable as AuthKit's.
async fn bare(mut connection: SqliteConnection, id: [u8; 16]) -> (f64, SqliteConnection) {
    let (start, mut count) = (Instant::now(), 0_u32);
    while start.elapsed() < SPAN {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.unwrap();
        sqlx::query(
            "UPDATE bare SET hash = $1, previous = $2, replay = $3, rotated_at = $4, expires_at = $5, last_active_at = $4 WHERE id = $6",
        )
        .bind([count as u8; 32].as_slice())
        .bind([1; 32].as_slice())
        .bind([2_u8; 1200].as_slice())
        .bind(i64::from(count))
        .bind(i64::from(count))
        .bind(id.as_slice())
        .execute(&mut *transaction)
        .await
        .unwrap();
        transaction.commit().await.unwrap();
        count += 1;
    }
    (f64::from(count) / start.elapsed().as_secs_f64(), connection)
}

/// Refreshes per second of `clients`, each with a session of its own.
async fn ours(engine: &authkit_engine::Engine, clients: usize) -> f64 {
    let origin = Origin::local(DEFAULT_TENANT);
    let mut pairs = Vec::new();
    for _ in 0..clients {
        pairs.push(sign_in(engine, "ada@example.com").await);
    }
    let start = Instant::now();
    let tasks: Vec<_> = pairs
        .into_iter()
        .map(|mut pair| {
            let (engine, origin) = (engine.clone(), origin.clone());
            tokio::spawn(async move {
                let mut count = 0_u32;
                while start.elapsed() < SPAN {
                    pair = engine.sessions().refresh(&origin, &pair.refresh_token, None).await.unwrap();
                    count += 1;
                }
                count
            })
        })
        .collect();
    let mut count = 0;
    for task in tasks {
        count += task.await.unwrap();
    }
    f64::from(count) / start.elapsed().as_secs_f64()
}

pub(crate) async fn run(report: &mut Report) {
    let directory = tempfile::tempdir().unwrap();
    let engine = engine(&format!("sqlite://{}/bench.db", directory.path().display())).await;
    let origin = Origin::local(DEFAULT_TENANT);
    engine.accounts().create_verified(&origin, "ada@example.com", &PASSWORD.into(), None).await.unwrap();
    let options = SqliteConnectOptions::new()
        .filename(directory.path().join("bare.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query(
        "CREATE TABLE bare (id BLOB PRIMARY KEY, hash BLOB, previous BLOB, replay BLOB, rotated_at INTEGER, expires_at INTEGER, last_active_at INTEGER) STRICT",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    let id = [7_u8; 16];
    sqlx::query("INSERT INTO bare (id) VALUES ($1)").bind(id.as_slice()).execute(&mut connection).await.unwrap();

    let (mut raw, mut one, mut sixteen) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..5 {
        // In a task as well: the thread that only waits for a task is woken faster than those that run many.
        let rate;
        (rate, connection) = tokio::spawn(bare(connection, id)).await.unwrap();
        raw.push(rate);
        one.push(ours(&engine, 1).await);
        sixteen.push(ours(&engine, 16).await);
    }
    let (raw, one, sixteen) = (median(raw), median(one), median(sixteen));
    let rate = |value: f64| format!("{value:.0}/s");
    report.at_least(
        "refresh by one client on SQLite, beside the same writes through sqlx",
        rate(one),
        rate(raw),
        one / raw,
        0.5,
    );
    report.at_least(
        "refresh by 16 clients on SQLite (group commit), beside the same single writes through sqlx",
        rate(sixteen),
        rate(raw),
        sixteen / raw,
        1.5,
    );
}
