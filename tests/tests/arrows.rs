//! The arrows of the architecture page point one way: `wire ← core ← adapters ← engine ← server`, and `wire ← client`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId, camino::Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet};

struct House {
    metadata: Metadata,
}

impl House {
    fn read() -> Self {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
        Self { metadata: MetadataCommand::new().manifest_path(root).exec().unwrap() }
    }

    fn name(&self, id: &PackageId) -> String {
        self.metadata[id].name.to_string()
    }

    /// The workspace's crates with their folder.
    fn rooms(&self) -> BTreeMap<String, Utf8PathBuf> {
        self.metadata
            .workspace_packages()
            .into_iter()
            .map(|package| (package.name.to_string(), package.manifest_path.parent().unwrap().to_owned()))
            .collect()
    }

    /// What `name` depends on outside of tests and build scripts, on any target; with `deep`, also by way of others.
    fn needs(&self, name: &str, deep: bool) -> BTreeSet<String> {
        let resolve = self.metadata.resolve.as_ref().unwrap();
        let nodes: BTreeMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
        let start = self.metadata.workspace_packages().into_iter().find(|package| *package.name == name).unwrap();
        let (mut found, mut open) = (BTreeSet::new(), vec![&start.id]);
        while let Some(id) = open.pop() {
            for dependency in &nodes[id].deps {
                let normal = dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal);
                if normal && found.insert(&dependency.pkg) && deep {
                    open.push(&dependency.pkg);
                }
            }
        }
        found.into_iter().map(|id| self.name(id)).collect()
    }
}

fn is_adapter(folder: &Utf8PathBuf) -> bool {
    folder.parent().is_some_and(|parent| parent.file_name() == Some("adapters"))
}

#[test]
fn every_crate_knows_only_the_rooms_before_it() {
    let house = House::read();
    let rooms = house.rooms();
    let adapters: BTreeSet<&str> =
        rooms.iter().filter(|(_, folder)| is_adapter(folder)).map(|(name, _)| name.as_str()).collect();
    for name in rooms.keys() {
        let core = ["authkit-wire", "authkit-core"];
        let allowed: BTreeSet<&str> = match name.as_str() {
            "authkit-wire" => BTreeSet::new(),
            "authkit-core" | "authkit-client" | "authkit-firmware-client" => BTreeSet::from(["authkit-wire"]),
            adapter if adapters.contains(adapter) => BTreeSet::from(core),
            "authkit-engine" => adapters.iter().copied().chain(core).collect(),
            "authkit-testkit" => adapters.iter().copied().chain(core).chain(["authkit-engine"]).collect(),
            "authkit-server" => core.into_iter().chain(["authkit-engine"]).collect(),
            "authkit-embedded" => core.into_iter().chain(["authkit-engine", "authkit-client"]).collect(),
            "authkit-node" | "authkit-python" => BTreeSet::from(["authkit-client", "authkit-embedded"]),
            "authkit-tests" | "authkit-benches" => continue,
            other => panic!("{other} has no place in the house yet: add its arrows here and to ARCHITECTURE.md"),
        };
        for need in house.needs(name, false).iter().filter(|need| rooms.contains_key(*need)) {
            assert!(allowed.contains(need.as_str()), "{name} must not depend on {need}");
        }
    }
}

#[test]
fn core_knows_no_database_no_http_and_no_runtime() {
    let needs = House::read().needs("authkit-core", true);
    for banned in ["sqlx", "sqlx-core", "reqwest", "axum", "hyper", "tower", "tokio", "async-std", "smol", "lettre"] {
        assert!(!needs.contains(banned), "authkit-core reaches {banned}");
    }
}

#[test]
fn server_speaks_no_sql_and_knows_no_adapter() {
    let house = House::read();
    let needs = house.needs("authkit-server", false);
    for banned in ["sqlx", "rusqlite", "tokio-postgres", "lettre"] {
        assert!(!needs.contains(banned), "authkit-server depends on {banned}");
    }
}

#[test]
fn engine_speaks_no_http() {
    let needs = House::read().needs("authkit-engine", false);
    for banned in ["axum", "hyper", "tower", "tower-http", "utoipa"] {
        assert!(!needs.contains(banned), "authkit-engine depends on {banned}");
    }
}

#[test]
fn wire_is_no_std_and_needs_no_runtime() {
    let house = House::read();
    let source = std::fs::read_to_string(house.rooms()["authkit-wire"].join("src/lib.rs")).unwrap();
    assert!(
        source.lines().any(|line| line.starts_with("#![") && line.contains("no_std")),
        "authkit-wire has lost its `no_std`"
    );
    let needs = house.needs("authkit-wire", true);
    for banned in ["tokio", "reqwest", "sqlx", "axum", "jsonwebtoken"] {
        assert!(!needs.contains(banned), "authkit-wire reaches {banned}");
    }
}

#[test]
fn the_device_client_is_no_std_and_has_no_unsafe_code() {
    let house = House::read();
    let source = std::fs::read_to_string(house.rooms()["authkit-firmware-client"].join("src/lib.rs")).unwrap();
    for attribute in ["#![cfg_attr(not(test), no_std)]", "#![forbid(unsafe_code)]"] {
        assert!(source.lines().any(|line| line == attribute), "authkit-firmware-client has lost `{attribute}`");
    }
    let needs = house.needs("authkit-firmware-client", true);
    for banned in ["tokio", "reqwest", "aws-lc-rs", "embassy-net", "smoltcp"] {
        assert!(!needs.contains(banned), "authkit-firmware-client reaches {banned}");
    }
}

#[test]
fn client_knows_nothing_of_the_server() {
    let needs = House::read().needs("authkit-client", true);
    for banned in ["authkit-core", "sqlx", "axum", "jsonwebtoken", "argon2", "openssl", "native-tls"] {
        assert!(!needs.contains(banned), "authkit-client reaches {banned}");
    }
}

#[test]
fn every_crate_takes_the_workspace_lints() {
    let workspace = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml")).unwrap();
    let (_, lints) = workspace.split_once("[workspace.lints.rust]").unwrap();
    let (lints, _) = lints.split_once("[profile").unwrap();
    // What napi's macros write holds an `allow`, which cannot be in a crate that forbids.
    let denied =
        format!("[lints.rust]{}", lints.trim_end()).replace("workspace.", "").replace("\"forbid\"", "\"deny\"");
    for (name, folder) in House::read().rooms() {
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let takes = if name == "authkit-node" { &denied } else { "[lints]\nworkspace = true" };
        assert!(manifest.contains(takes), "{name} does not take the workspace's lints");
    }
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../bindings/node/src")).unwrap() {
        let path = file.unwrap().path();
        assert!(!std::fs::read_to_string(&path).unwrap().contains("unsafe"), "{} has unsafe code", path.display());
    }
}
