//! The client over TCP, on SQLite and on PostgreSQL.

use crate::{House, code};
use authkit_firmware_client::{Error, Health, Heartbeat, Invitation, State};
use authkit_tests::{
    Database, Server,
    firmware::{Flash, run, start},
};
use std::time::{Duration, Instant};
use tokio::task::block_in_place;

async fn a_life(database: Database) {
    let mut house = House::open(database).await;
    let owner = house.client().new_user("owner@example.com").await;
    let uri = code(&owner).await;
    let flash = Flash::default();
    let beat = Heartbeat { health: Some(Health::Degraded), capabilities: Some(&["relay", "thermometer"]) };

    let id = block_in_place(|| {
        let mut device = start(&flash);
        let id = run(device.claim(&Invitation::parse(&uri).unwrap())).unwrap();
        assert!(run(device.heartbeat(&beat)).unwrap() > 0);
        id
    });
    let path = format!("/v1/devices/{id}");
    let seen = owner.get(&path).await.expect(200);
    assert_eq!(seen["owner_id"], owner.user_id());
    assert_eq!(
        (&seen["name"], &seen["reported_status"], &seen["version"]),
        (&"Greenhouse".into(), &"degraded".into(), &"1.4.0".into())
    );
    assert_eq!(seen["capabilities"], serde_json::json!(["relay", "thermometer"]));

    // A second device with the same code gets nothing.
    block_in_place(|| {
        let mut thief = start(&Flash::default());
        assert_eq!(run(thief.claim(&Invitation::parse(&uri).unwrap())), Err(Error::ClaimRefused));
    });

    // Device and server restart.
    let mut device = block_in_place(|| start(&flash));
    assert_eq!(device.state(), State::Claimed(id));
    block_in_place(|| run(device.heartbeat(&beat))).unwrap();
    house.kill().await;
    let failed = block_in_place(|| run(device.heartbeat(&beat))).unwrap_err();
    assert!(failed.retryable(), "{failed}");
    house.start().await;
    block_in_place(|| run(device.heartbeat(&beat))).unwrap();
    let answer = block_in_place(|| run(device.get("/v1/me")).map(|answer| answer.status));
    assert!(matches!(answer, Ok(401 | 403) | Err(Error::Status(401))), "a device is no user: {answer:?}");

    let owner = owner.at(&house.server.as_ref().unwrap().url);
    assert_eq!(owner.delete(&path).await.status, 204);
    let revoked = Instant::now();
    while block_in_place(|| run(device.heartbeat(&beat))) != Err(Error::Refused) {
        assert!(revoked.elapsed() < Duration::from_secs(1), "still accepted after a second");
    }
    assert_eq!(device.state(), State::Refused(id));

    // Given away: another key, another device.
    let uri = code(&owner).await;
    let again = block_in_place(|| {
        run(device.reset()).unwrap();
        run(device.claim(&Invitation::parse(&uri).unwrap())).unwrap()
    });
    assert_ne!(again, id);
    assert_eq!(owner.get("/v1/devices").await.expect(200)["data"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_lives_and_is_refused_once_revoked_on_sqlite() {
    a_life(Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_lives_and_is_refused_once_revoked_on_postgres() {
    a_life(Database::postgres().await).await;
}

/// Where the QR code names the tenant, every request does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_of_a_tenant_without_a_host_names_it() {
    let database = Database::sqlite();
    for command in [&["migrate"][..], &["tenant", "create", "second"]] {
        let (status, printed) = Server::run(&database, command, None).await;
        assert_eq!(status, 0, "{printed}");
    }
    Server::create_admin(&database, "second", "root@example.com").await;
    let house = House::open(database).await;
    let mut owner = house.client();
    owner.tenant = Some("second".to_owned());
    owner.sign_in("root@example.com").await;
    let uri = code(&owner).await;
    assert!(uri.contains("&tenant=ten_"), "{uri}");
    let flash = Flash::default();
    block_in_place(|| {
        run(start(&flash).claim(&Invitation::parse(&uri).unwrap())).unwrap();
        // The tenant is in the flash, too.
        run(start(&flash).heartbeat(&Heartbeat::default())).unwrap();
    });
    let without = uri.split("&tenant=").next().unwrap().to_owned();
    let stranger = block_in_place(|| run(start(&Flash::default()).claim(&Invitation::parse(&without).unwrap())));
    assert_eq!(stranger, Err(Error::ClaimRefused));
}
