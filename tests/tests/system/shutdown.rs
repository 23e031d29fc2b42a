//! A server that is asked to stop: what runs is finished, and nothing stays taken.

use crate::on_both_engines;
use authkit_tests::{Database, PASSWORD, Server};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

on_both_engines! {
    running_requests_finish_and_new_connections_are_refused
    mail_that_was_under_way_goes_out_by_the_next_server_at_once
}

async fn running_requests_finish_and_new_connections_are_refused(database: Database) {
    let server = Server::start(&database).await;
    let client = server.client();
    client.register("ada@example.com").await;
    let address = server.url.trim_start_matches("http://").to_owned();

    // A sign-in whose body has not arrived in full when the signal comes.
    let body = json!({"email": "ada@example.com", "password": PASSWORD}).to_string();
    let (first, second) = body.split_at(body.len() / 2);
    let mut running = TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "POST /v1/auth/login HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{first}",
        body.len()
    );
    running.write_all(head.as_bytes()).await.unwrap();
    let mut idle = TcpStream::connect(&address).await.unwrap();
    idle.write_all(format!("GET /health/live HTTP/1.1\r\nhost: {address}\r\n\r\n").as_bytes()).await.unwrap();
    let mut start = [0; 12];
    idle.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 200");

    server.ask_to_stop();
    let asked = Instant::now();
    while TcpStream::connect(&address).await.is_ok() {
        assert!(asked.elapsed() < Duration::from_secs(5), "it still takes connections");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // A kept connection without a request does not hold the server.
    let mut rest = Vec::new();
    tokio::time::timeout(Duration::from_secs(5), idle.read_to_end(&mut rest)).await.expect("closed").unwrap();

    running.write_all(second.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(Duration::from_secs(20), running.read_to_string(&mut answer))
        .await
        .expect("answered")
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("access_token"), "{answer}");
    assert_eq!(server.stopped().await, Some(0));

    // The session that was opened while it stopped is kept, and so is the audit chain.
    assert_eq!(database.number("SELECT count(*) FROM sessions").await, 1);
    assert_eq!(database.number("SELECT count(*) FROM audit_records WHERE sequence IS NULL").await, 0, "not linked");
}

async fn mail_that_was_under_way_goes_out_by_the_next_server_at_once(database: Database) {
    // A relay that takes connections and says nothing holds the delivery, and with it the lease.
    let relay = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = relay.local_addr().unwrap().port().to_string();
    let env = [
        ("AUTHKIT_RATE_LIMITS__ENABLED", "false"),
        ("AUTHKIT_MAIL__SMTP__HOST", "127.0.0.1"),
        ("AUTHKIT_MAIL__SMTP__PORT", &port),
        ("AUTHKIT_MAIL__SMTP__TLS", "none"),
        ("AUTHKIT_SHUTDOWN__DEADLINE", "1s"),
    ];
    let server = Server::start_with(&database, &env).await;
    let register = json!({"email": "ada@example.com", "password": PASSWORD});
    let _ = server.client().post("/v1/auth/register", register).await.expect(202);
    let _held = tokio::time::timeout(Duration::from_secs(20), relay.accept()).await.expect("a delivery").unwrap();
    assert_eq!(database.number("SELECT count(*) FROM notices WHERE lease_owner IS NOT NULL").await, 1);
    assert_eq!(server.terminate().await, Some(0));
    assert_eq!(database.number("SELECT count(*) FROM notices WHERE lease_owner IS NOT NULL").await, 0);
    // The turn to make the first key is over by itself.
    let jobs = "SELECT count(*) FROM leases WHERE name <> 'first-signing-key'";
    assert_eq!(database.number(jobs).await, 0, "jobs of one node at a time");

    // A lease that was left would run for a minute.
    let next = Server::start(&database).await;
    let client = next.client();
    let mail = client.find_mail("ada@example.com", "verify_email", Duration::from_secs(10)).await;
    assert!(mail.is_some(), "the mail waits for a lease that nobody holds");
    assert_eq!(next.terminate().await, Some(0));
}
