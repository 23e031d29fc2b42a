//! The client of devices against real servers: on this machine, and as a whole device in an emulator.
#![expect(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test fails by panicking")]

mod client;
mod qemu;
mod tls;

use authkit_tests::{Client, Database, Server};
use serde_json::json;
use std::net::TcpListener;

/// A server that comes back at the same address, which claim codes name.
struct House {
    database: Database,
    port: u16,
    server: Option<Server>,
}

impl House {
    async fn open(database: Database) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut house = Self { database, port, server: None };
        house.start().await;
        house
    }

    async fn start(&mut self) {
        let (listen, url) = (format!("127.0.0.1:{}", self.port), format!("http://127.0.0.1:{}", self.port));
        let env =
            [("AUTHKIT_RATE_LIMITS__ENABLED", "false"), ("AUTHKIT_LISTEN", &listen), ("AUTHKIT_PUBLIC_URL", &url)];
        self.server = Some(Server::start_with(&self.database, &env).await);
    }

    /// As if its power failed.
    async fn kill(&mut self) {
        if let Some(server) = self.server.take() {
            server.kill().await;
        }
    }

    fn client(&self) -> Client {
        Client::new(&format!("http://127.0.0.1:{}", self.port))
    }
}

/// The text of a new QR code.
async fn code(owner: &Client) -> String {
    owner.post("/v1/devices/claims", json!({"name": "Greenhouse"})).await.expect(201)["uri"]
        .as_str()
        .unwrap()
        .to_owned()
}
