//! firmware-client/examples/qemu-virt in `qemu-system-riscv32`: its power fails, its server goes away, it is revoked.
//! scripts/test-firmware.sh builds the image and runs these.

use crate::{House, code};
use authkit_tests::Database;
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// A machine that runs the image.
struct Machine {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    seen: Vec<String>,
}

impl Machine {
    fn start(disk: &Path, arguments: &[&str]) -> Self {
        let image = std::env::var("AUTHKIT_FIRMWARE_IMAGE").expect("scripts/test-firmware.sh names the image");
        let semihosting = arguments.iter().fold("enable=on,target=native,arg=device".to_owned(), |all, argument| {
            all + ",arg=" + &argument.replace(',', ",,")
        });
        let mut child = Command::new("qemu-system-riscv32")
            .args(["-machine", "virt", "-m", "16M", "-bios", "none", "-display", "none", "-serial", "none"])
            .args(["-monitor", "none", "-kernel", &image, "-semihosting-config", &semihosting])
            .args(["-global", "virtio-mmio.force-legacy=false", "-device", "virtio-rng-device"])
            .args(["-netdev", "user,id=net", "-device", "virtio-net-device,netdev=net"])
            .args(["-drive", &format!("file={},format=raw,if=none,id=disk", disk.display())])
            .args(["-device", "virtio-blk-device,drive=disk"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("qemu-system-riscv32 is installed");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, seen: Vec::new() }
    }

    /// Waits for a line that begins so; the rest of it.
    async fn says(&mut self, wanted: &str) -> String {
        let found = tokio::time::timeout(Duration::from_secs(30), async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                self.seen.push(line.clone());
                if let Some(rest) = line.strip_prefix(wanted) {
                    return Some(rest.trim().to_owned());
                }
            }
            None
        });
        match found.await {
            Ok(Some(rest)) => rest,
            ended => panic!("it never said `{wanted}` ({ended:?}):\n{}", self.seen.join("\n")),
        }
    }

    /// As if its power failed.
    async fn cut(mut self) {
        self.child.kill().await.unwrap();
    }

    async fn ended(mut self) -> Option<i32> {
        let ended = tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await;
        ended.expect("it ends").unwrap().code()
    }
}

fn blank_disk(house: &House) -> PathBuf {
    let disk = house.database.directory().join("disk.img");
    std::fs::write(&disk, vec![0xff; 64 * 1024]).unwrap();
    disk
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "scripts/test-firmware.sh runs it"]
async fn a_device_outlives_its_servers_restart_and_its_own_and_is_refused_once_revoked() {
    let mut house = House::open(Database::sqlite()).await;
    let owner = house.client().new_user("owner@example.com").await;
    let uri = format!("uri={}", code(&owner).await);
    let disk = blank_disk(&house);

    let mut machine = Machine::start(&disk, &[&uri, "every=100"]);
    machine.says("started unclaimed").await;
    let id = machine.says("claimed ").await;
    machine.says("beat 3").await;
    house.kill().await;
    machine.says("later: ").await;
    house.start().await;
    machine.says("beat ").await;
    machine.cut().await;

    // It needs no code any more: its key is on the disk.
    let mut machine = Machine::start(&disk, &["every=100"]);
    assert_eq!(machine.says("started claimed ").await, id);
    machine.says("beat 10").await;
    let path = format!("/v1/devices/{id}");
    let seen = house.client();
    let owner = owner.at(&format!("http://127.0.0.1:{}", house.port));
    assert_eq!(seen.get(&path).await.status, 401, "only its owner sees it");
    let device = owner.get(&path).await.expect(200);
    assert_eq!((&device["reported_status"], &device["status"]), (&"ok".into(), &"active".into()));

    // Its owner is switched off and on again.
    let administrator = house.server.as_ref().unwrap().administrator(&house.database).await;
    let user = format!("/v1/admin/users/{}", owner.user_id());
    assert_eq!(administrator.post(&format!("{user}/deactivate"), json!({})).await.status, 200);
    machine.says("refused").await;
    assert_eq!(administrator.post(&format!("{user}/activate"), json!({})).await.status, 200);
    machine.says("beat ").await;

    let mut owner = owner;
    owner.sign_in("owner@example.com").await;
    assert_eq!(owner.delete(&path).await.status, 204);
    let revoked = Instant::now();
    machine.says("refused").await;
    assert!(revoked.elapsed() < Duration::from_secs(1), "{:?}", revoked.elapsed());
    machine.says("refused").await;
    machine.cut().await;

    // It stays refused, and forgets its key when its maker wants that.
    let key = std::fs::read(&disk).unwrap()[12..44].to_vec();
    let mut machine = Machine::start(&disk, &["reset=yes"]);
    machine.says("started claimed").await;
    machine.says("reset").await;
    assert_eq!(machine.ended().await, Some(0));
    assert!(!std::fs::read(&disk).unwrap().windows(key.len()).any(|window| window == key), "the key is still there");
    let mut machine = Machine::start(&disk, &[]);
    machine.says("started unclaimed").await;
    machine.says("failed: ").await;
    assert_eq!(machine.ended().await, Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "scripts/test-firmware.sh runs it"]
async fn a_device_that_loses_power_while_it_is_claimed_becomes_one_device() {
    let house = House::open(Database::sqlite()).await;
    let owner = house.client().new_user("owner@example.com").await;
    let (mut interrupted, mut claims) = (0, 0);
    for after in [0, 2, 5, 10, 20, 40, 60, 90, 130] {
        let uri = format!("uri={}", code(&owner).await);
        claims += 1;
        let disk = blank_disk(&house);
        let mut machine = Machine::start(&disk, &[&uri, "beats=1"]);
        machine.says("started").await;
        tokio::time::sleep(Duration::from_millis(after)).await;
        machine.cut().await;

        let mut machine = Machine::start(&disk, &[&uri, "beats=1"]);
        interrupted += usize::from(!machine.says("started ").await.starts_with("claimed"));
        machine.says("beat 1").await;
        assert_eq!(machine.ended().await, Some(0));
        let devices = owner.get("/v1/devices?limit=100").await.expect(200);
        assert_eq!(devices["data"].as_array().unwrap().len(), claims, "one device for each code");
    }
    assert!(interrupted > 0, "no claim was interrupted");
}
