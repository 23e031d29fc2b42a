//! `authkit key …`

use super::{
    Outcome, Output, engine, finish,
    output::{BOLD, GREEN, paint},
};
use authkit_core::{
    Origin, crypto::hex, memory::SystemRandom, ports::Random as _, sessions::SigningKey, tenants::DEFAULT_TENANT,
    wire::KeyId,
};
use authkit_engine::Config;
use clap::Subcommand;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::process::ExitCode;
use zeroize::Zeroizing;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List signing keys
    List,
    /// Make the next signing key: published at once, signing ten minutes later, so that outside caches have it in time
    Rotate {
        /// Sign with it at once
        #[arg(long)]
        now: bool,
    },
    /// Revoke a signing key at once, with every access token that it signed
    Revoke {
        /// The key; `authkit key list` shows them
        id: KeyId,
    },
    /// Print a new random master key, for AUTHKIT_KEYS__MASTER__1
    Generate,
}

pub(crate) async fn run(config: Config, command: Command, output: &Output) -> Outcome {
    if matches!(command, Command::Generate) {
        let mut key = Zeroizing::new([0; 32]);
        SystemRandom.fill(key.as_mut());
        let digits = Zeroizing::new(hex(key.as_ref()));
        output.result(&json!({ "key": digits.as_str() }), || digits.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    let engine = engine(config).await?;
    let origin = Origin::local(DEFAULT_TENANT);
    let now = engine.context().now();
    match command {
        Command::List => {
            let keys = engine.sessions().list_keys().await?;
            let rows: Vec<[String; 5]> = keys
                .iter()
                .map(|key| {
                    [
                        key.id.to_string(),
                        key.algorithm.as_str().to_owned(),
                        state(key, now).to_owned(),
                        format!("{:.0}", key.created_at),
                        format!("{:.0}", key.active_at),
                    ]
                })
                .collect();
            let views: Vec<Value> = keys.iter().map(|key| view(key, now)).collect();
            output.table(&json!({ "data": views }), ["id", "algorithm", "state", "created", "signs from"], &rows);
        }
        Command::Rotate { now: at_once } => {
            let key = if at_once {
                engine.sessions().rotate_key_now(&origin).await?
            } else {
                engine.sessions().rotate_key(&origin).await?
            };
            finish(&engine).await;
            output.result(&view(&key, now), || {
                let when =
                    if at_once { "signs at once".to_owned() } else { format!("signs from {:.0}", key.active_at) };
                format!("{} {}, which {when}", paint(GREEN, "made"), paint(BOLD, key.id))
            });
        }
        Command::Revoke { id } => {
            engine.sessions().revoke_key(&origin, id).await?;
            finish(&engine).await;
            output.result(&json!({ "id": id, "revoked": true }), || {
                format!("{} {}; nothing that it signed is valid any more", paint(GREEN, "revoked"), paint(BOLD, id))
            });
        }
        Command::Generate => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn state(key: &SigningKey, now: Timestamp) -> &'static str {
    if key.revoked_at.is_some() {
        "revoked"
    } else if key.retired_at.is_some_and(|at| at <= now) {
        "retired"
    } else if key.active_at > now {
        "published"
    } else {
        "signing"
    }
}

fn view(key: &SigningKey, now: Timestamp) -> Value {
    json!({
        "id": key.id,
        "algorithm": key.algorithm.as_str(),
        "state": state(key, now),
        "created_at": key.created_at,
        "active_at": key.active_at,
        "retired_at": key.retired_at,
        "revoked_at": key.revoked_at,
    })
}
