//! A device over sockets, as firmware would do it: claimed by its owner, its own key, heartbeats, revocation.

use authkit_core::{
    memory::SystemRandom,
    wire::{DeviceId, device::CHALLENGE_SECONDS},
};
use authkit_testkit::device::FakeDevice;
use authkit_tests::{Client, Database, Server, rounds};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A device that talks to a server.
pub(crate) struct Device {
    key: FakeDevice,
    client: Client,
    id: Option<DeviceId>,
}

impl Device {
    pub(crate) fn new(client: Client) -> Self {
        Self { key: FakeDevice::new(&SystemRandom).unwrap(), client, id: None }
    }

    fn move_to(&mut self, server: &Server) {
        self.client = self.client.at(&server.url);
    }

    /// Claims itself with what it read in the QR code.
    pub(crate) async fn claim(&mut self, uri: &str) -> Value {
        let value = |name: &str| {
            let (_, query) = uri.split_once('?').unwrap();
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.into_iter().find(|(key, _)| *key == name).unwrap().1.to_owned()
        };
        let asked = serde_json::to_value(self.key.ask_to_claim()).unwrap();
        let challenge = self.client.post("/v1/devices/challenge", asked).await.expect(200);
        // The server is the one that the owner's screen named.
        assert_eq!(challenge["server_key"].as_str(), Some(&*value("key")));
        let request = self.key.claim(&value("code"), &serde_json::from_value(challenge).unwrap()).unwrap();
        let claimed = self.client.post("/v1/devices/claim", serde_json::to_value(request).unwrap()).await.expect(201);
        self.id = Some(claimed["device"]["id"].as_str().unwrap().parse().unwrap());
        self.client.tokens = claimed.clone();
        claimed
    }

    /// Gets a token, which must be answered with `status`.
    async fn authenticate(&mut self, status: u16) -> Value {
        self.client.tokens = Value::Null;
        let id = self.id.unwrap();
        let asked = serde_json::to_value(self.key.ask_for_token(id)).unwrap();
        let challenge = self.client.post("/v1/devices/challenge", asked).await.expect(200);
        let request = self.key.token(id, &serde_json::from_value(challenge).unwrap()).unwrap();
        let answer = self.client.post("/v1/devices/token", serde_json::to_value(request).unwrap()).await.expect(status);
        self.client.tokens = answer.clone();
        answer
    }

    pub(crate) async fn beat(&self) -> u16 {
        self.client.post("/v1/devices/heartbeat", json!({"status": "ok", "version": "1.0.0"})).await.status
    }
}

/// From the claim at one node to the refusal at another one.
async fn a_life(one: &Server, two: &Server) {
    for round in 0..rounds(3, 30) {
        let owner = one.client().new_user(&format!("owner{round}@example.com")).await;
        let made = owner.post("/v1/devices/claims", json!({"name": "Greenhouse"})).await.expect(201);
        let mut device = Device::new(two.client());
        let claimed = device.claim(made["uri"].as_str().unwrap()).await;
        assert_eq!(claimed["device"]["owner_id"], owner.user_id());
        // The answer is lost, and it asks again, at another node.
        device.move_to(one);
        assert_eq!(device.claim(made["uri"].as_str().unwrap()).await["device"]["id"], claimed["device"]["id"]);
        let mail = one.client().mail(&format!("owner{round}@example.com"), "device_claimed").await;
        assert!(mail["text"].as_str().unwrap().contains("this device was added"), "{mail}");

        for node in [one, two] {
            device.move_to(node);
            device.authenticate(200).await;
            assert_eq!(device.beat().await, 200);
        }
        let path = format!("/v1/devices/{}", device.id.unwrap());
        let seen = owner.get(&path).await.expect(200);
        assert_eq!((&seen["reported_status"], &seen["version"]), (&json!("ok"), &json!("1.0.0")));

        let start = Instant::now();
        assert_eq!(owner.delete(&path).await.status, 204);
        while device.beat().await != 401 {
            assert!(start.elapsed() < Duration::from_secs(1), "still accepted after a second");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        device.authenticate(401).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_is_claimed_beats_and_is_refused_once_revoked_on_sqlite() {
    let database = Database::sqlite();
    let server = Server::start(&database).await;
    a_life(&server, &server).await;
    assert_eq!(server.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_is_claimed_beats_and_is_refused_once_revoked_at_another_node_on_postgres() {
    let database = Database::postgres().await;
    let (one, two) = (Server::start(&database).await, Server::start(&database).await);
    a_life(&one, &two).await;
    assert_eq!(one.terminate().await, Some(0));
    assert_eq!(two.terminate().await, Some(0));
}

/// One challenge at two nodes at the same moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_challenge_used_at_two_nodes_has_one_winner() {
    let database = Database::postgres().await;
    let (one, two) = (Server::start(&database).await, Server::start(&database).await);
    let owner = one.client().new_user("owner@example.com").await;
    let made = owner.post("/v1/devices/claims", json!({})).await.expect(201);
    let mut device = Device::new(one.client());
    device.claim(made["uri"].as_str().unwrap()).await;
    let id = device.id.unwrap();
    for _ in 0..rounds(10, 200) {
        let asked = serde_json::to_value(device.key.ask_for_token(id)).unwrap();
        let challenge = one.client().post("/v1/devices/challenge", asked).await.expect(200);
        let request = device.key.token(id, &serde_json::from_value(challenge).unwrap()).unwrap();
        let body = serde_json::to_value(request).unwrap();
        let nodes = [one.client(), two.client()];
        let uses = (0..6).map(|n| nodes[n % 2].post("/v1/devices/token", body.clone()));
        let answers = futures_util::future::join_all(uses).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            answer.refused(401, "device.invalid_proof");
        }
    }
}

/// What only the server's restart and time tell: nothing of a challenge is kept before its use.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn challenges_write_nothing_and_outlive_a_restart() {
    let database = Database::sqlite();
    let server = Server::start(&database).await;
    let owner = server.client().new_user("owner@example.com").await;
    let made = owner.post("/v1/devices/claims", json!({})).await.expect(201);
    let mut device = Device::new(server.client());
    device.claim(made["uri"].as_str().unwrap()).await;
    let id = device.id.unwrap();
    let rows = async || database.number("SELECT count(*) FROM device_challenges").await;
    let before = rows().await;
    let asked = serde_json::to_value(device.key.ask_for_token(id)).unwrap();
    let client = server.client();
    let mut challenge = Value::Null;
    for _ in 0..50 {
        challenge = client.post("/v1/devices/challenge", asked.clone()).await.expect(200);
    }
    assert_eq!(rows().await, before);
    let started = Instant::now();
    server.kill().await;
    let server = Server::start(&database).await;
    // The same server after its restart: its key comes of the master key.
    let request = device.key.token(id, &serde_json::from_value(challenge).unwrap()).unwrap();
    if started.elapsed() < Duration::from_secs(CHALLENGE_SECONDS - 20) {
        let body = serde_json::to_value(request).unwrap();
        let _ = server.client().post("/v1/devices/token", body).await.expect(200);
    }
    device.move_to(&server);
    device.authenticate(200).await;
    assert_eq!(device.beat().await, 200);
}
