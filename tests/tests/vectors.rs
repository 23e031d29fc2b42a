//! The committed vectors hold for this code. They are written once, and never made again to turn a test green: outside
//! clients rely on the bytes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use authkit_core::{
    Settings, SigningAlgorithm,
    crypto::PublicKey,
    memory::{ManualClock, SeededRandom, bare, prepare},
    ports::{Scope, Unit},
    sessions::{KeyChange, SigningKey},
    wire::{
        ErrorCode,
        device::{self, ClaimCode, KeyAlgorithm, Proof, Purpose, Statement, TooLong},
        pkce, totp,
    },
};
use authkit_testkit::authenticator;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fmt::Display, str::FromStr, sync::Arc};

fn vectors(name: &str) -> Value {
    let path = format!("{}/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let vectors: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(vectors["source"].as_str().unwrap().len() > 10, "{name} says where it comes from");
    vectors
}

/// The rows of a list that is not empty.
fn rows(list: &Value) -> &[Value] {
    let rows = list.as_array().unwrap();
    assert!(!rows.is_empty());
    rows
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn unhex(value: &Value) -> Vec<u8> {
    let digits = text(value).as_bytes();
    assert!(digits.len().is_multiple_of(2));
    digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn algorithm(name: &str) -> SigningAlgorithm {
    match name {
        "EdDSA" => SigningAlgorithm::EdDsa,
        "ES256" => SigningAlgorithm::Es256,
        "RS256" => SigningAlgorithm::Rs256,
        other => panic!("no such algorithm: {other}"),
    }
}

#[test]
fn every_file_is_read_here() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors");
    let files: BTreeSet<String> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    let source = include_str!("vectors.rs");
    for file in &files {
        let name = file.strip_suffix(".json").unwrap();
        assert!(source.contains(&format!("vectors(\"{name}\")")), "nothing reads {file}");
    }
}

#[test]
fn one_time_passwords() {
    let vectors = vectors("totp");
    let secret = text(&vectors["secret_base32"]);
    assert_eq!(vectors["period"], totp::PERIOD);
    for row in rows(&vectors["codes"]) {
        let unix = row["unix"].as_i64().unwrap();
        assert_eq!(authenticator::code(secret, Timestamp::from_second(unix).unwrap()), text(&row["code"]), "{unix}");
        assert!(text(&row["digits8"]).ends_with(text(&row["code"])));
    }
}

#[test]
fn proof_keys_for_code_exchange() {
    let vectors = vectors("pkce");
    let random = URL_SAFE_NO_PAD.decode(text(&vectors["random_base64url"])).unwrap().try_into().unwrap();
    let verifier = pkce::verifier(&random);
    assert_eq!(verifier, text(&vectors["verifier"]).as_bytes());
    assert_eq!(pkce::challenge(&verifier), text(&vectors["challenge"]).as_bytes());
}

#[test]
fn signatures() {
    let vectors = vectors("jws");
    for row in rows(&vectors["valid"]) {
        let key = PublicKey::from_jwk(algorithm(text(&row["alg"])), &row["jwk"]).unwrap();
        let (message, signature) = text(&row["jws"]).rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        assert!(key.verify(message.as_bytes(), &signature), "{}", row["name"]);
        assert!(!key.verify(format!("{message}A").as_bytes(), &signature), "{}", row["name"]);
        let mut other = signature.clone();
        other[0] ^= 1;
        assert!(!key.verify(message.as_bytes(), &other), "{}", row["name"]);
    }
}

/// An installation that trusts the vectors' key.
async fn trusting(vectors: &Value, clock: &ManualClock) -> Arc<authkit_core::Context> {
    let mut settings = Settings {
        issuer: text(&vectors["issuer"]).into(),
        audience: text(&vectors["audience"]).into(),
        ..Settings::default()
    };
    settings.tokens.leeway = SignedDuration::from_secs(vectors["leeway"].as_i64().unwrap());
    let cx = prepare(bare(clock.clone(), SeededRandom::new(1), settings).unwrap()).await.unwrap();
    let jwk = &rows(&vectors["jwks"]["keys"])[0];
    let key = SigningKey {
        id: text(&jwk["kid"]).parse().unwrap(),
        algorithm: algorithm(text(&jwk["alg"])),
        private: Vec::new(),
        public: jwk.to_string(),
        created_at: Timestamp::UNIX_EPOCH,
        active_at: Timestamp::UNIX_EPOCH,
        retired_at: None,
        revoked_at: None,
    };
    cx.store.commit(Scope::System, Unit::new().with(KeyChange::Create(key))).await.unwrap();
    cx.authority.load(&cx).await.unwrap();
    cx
}

#[tokio::test]
async fn access_tokens() {
    let vectors = vectors("access-tokens");
    let mut outcomes = BTreeSet::new();
    for row in rows(&vectors["tokens"]) {
        let clock = ManualClock::new(Timestamp::from_second(row["at"].as_i64().unwrap()).unwrap());
        let cx = trusting(&vectors, &clock).await;
        let accepted = cx.authority.authenticate(&cx, text(&row["token"]));
        assert_eq!(accepted.is_ok(), row["accepted"] == true, "{}", row["name"]);
        if let Ok(principal) = accepted {
            assert_eq!(principal.user.to_string(), vectors["claims"]["sub"]);
        }
        outcomes.insert(row["accepted"] == true);
    }
    assert_eq!(outcomes.len(), 2);
    // What is right by its own standard and still no token of ours.
    let clock = ManualClock::new(Timestamp::from_second(1_300_819_000).unwrap());
    let cx = trusting(&vectors, &clock).await;
    for row in rows(&self::vectors("jws")["unusable"]) {
        assert!(cx.authority.authenticate(&cx, text(&row["jws"])).is_err(), "{}", row["name"]);
    }
}

#[test]
fn ids() {
    use authkit_core::wire::*;

    fn check<T: FromStr + Display>(prefix: &str, id: &str) {
        assert!(id.starts_with(prefix));
        assert_eq!(id.parse::<T>().unwrap_or_else(|_| panic!("{id} is refused")).to_string(), id);
    }
    let vectors = vectors("ids");
    let mut kinds = BTreeSet::new();
    for row in rows(&vectors["kinds"]) {
        let (kind, prefix, id) = (text(&row["kind"]), text(&row["prefix"]), text(&row["id"]));
        match kind {
            "tenant" => check::<TenantId>(prefix, id),
            "user" => check::<UserId>(prefix, id),
            "session" => check::<SessionId>(prefix, id),
            "role" => check::<RoleId>(prefix, id),
            "key" => check::<KeyId>(prefix, id),
            "registration" => check::<RegistrationId>(prefix, id),
            "one_time_token" => check::<OneTimeTokenId>(prefix, id),
            "device" => check::<DeviceId>(prefix, id),
            "device_claim" => check::<DeviceClaimId>(prefix, id),
            "audit" => check::<AuditId>(prefix, id),
            "notice" => check::<NoticeId>(prefix, id),
            other => panic!("no such kind: {other}"),
        }
        assert!(kinds.insert(prefix), "{prefix} means two kinds");
        assert_eq!(kind == "user", id.parse::<UserId>().is_ok(), "an id of one kind is none of another");
    }
    for refused in rows(&vectors["refused_as_user"]) {
        assert!(text(refused).parse::<UserId>().is_err(), "{refused}");
    }
}

#[test]
fn claim_codes() {
    let vectors = vectors("claim-codes");
    for row in rows(&vectors["made"]) {
        let code = ClaimCode::new(unhex(&row["random_hex"]).try_into().unwrap());
        assert_eq!((code.as_str(), &*code.to_string()), (text(&row["code"]), text(&row["shown"])));
    }
    for row in rows(&vectors["read"]) {
        assert_eq!(text(&row["text"]).parse::<ClaimCode>().unwrap().as_str(), text(&row["code"]), "{row}");
    }
    for refused in rows(&vectors["refused"]) {
        assert!(text(refused).parse::<ClaimCode>().is_err(), "{refused}");
    }
}

#[test]
fn device_messages() {
    let vectors = vectors("device-messages");
    let server_key: [u8; device::SERVER_KEY] = unhex(&vectors["server_key_hex"]).try_into().unwrap();
    let okp = |key: &[u8]| json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(key)});
    let server = PublicKey::from_jwk(SigningAlgorithm::EdDsa, &okp(&server_key)).unwrap();
    let mut buffer = [0; device::MAX_MESSAGE];
    for row in rows(&vectors["statements"]) {
        let nonce = unhex(&row["nonce_hex"]).try_into().unwrap();
        let (server_time, challenge) = (row["server_time"].as_u64().unwrap(), text(&row["challenge"]));
        let length = Statement { server_time, nonce: &nonce, challenge }.write(&mut buffer).unwrap();
        assert_eq!(buffer[..length], unhex(&row["message_hex"]));
        assert!(server.verify(&buffer[..length], &unhex(&row["signature_hex"])));
    }

    let device_key = |alg: KeyAlgorithm| {
        let key = unhex(&vectors["device_keys"][alg.as_str()]["public_hex"]);
        assert_eq!(key.len(), alg.key_length());
        key
    };
    let (ed, ec) = (device_key(KeyAlgorithm::EdDsa), device_key(KeyAlgorithm::Es256));
    let (x, y) = (URL_SAFE_NO_PAD.encode(&ec[1..33]), URL_SAFE_NO_PAD.encode(&ec[33..]));
    let ec = json!({"kty": "EC", "crv": "P-256", "x": x, "y": y});
    let eddsa = PublicKey::from_jwk(SigningAlgorithm::EdDsa, &okp(&ed)).unwrap();
    let es256 = PublicKey::from_jwk(SigningAlgorithm::Es256, &ec).unwrap();
    for row in rows(&vectors["proofs"]) {
        let purpose =
            [Purpose::Claim, Purpose::Token].into_iter().find(|p| p.as_str() == text(&row["purpose"])).unwrap();
        let (subject, challenge) = (text(&row["subject"]), text(&row["challenge"]));
        let length = Proof { purpose, server_key: &server_key, subject, challenge }.write(&mut buffer).unwrap();
        assert_eq!(buffer[..length], unhex(&row["message_hex"]));
        assert!(eddsa.verify(&buffer[..length], &unhex(&row["eddsa_hex"])));
        assert!(es256.verify(&buffer[..length], &unhex(&row["es256_hex"])));
    }

    let long = |name: &str| "x".repeat(vectors["too_long"][name].as_u64().unwrap().try_into().unwrap());
    let (subject, challenge) = (long("subject"), long("challenge"));
    let proof = Proof { purpose: Purpose::Token, server_key: &server_key, subject: &subject, challenge: "" };
    assert_eq!(proof.write(&mut buffer), Err(TooLong));
    let statement = Statement { server_time: 0, nonce: &[0; device::NONCE], challenge: &challenge };
    assert_eq!(statement.write(&mut buffer), Err(TooLong));
}

#[test]
fn error_codes() {
    let vectors = vectors("errors");
    let known: Vec<Value> = ErrorCode::ALL
        .iter()
        .map(|code| json!({"code": code.as_str(), "status": code.status(), "retryable": code.retryable()}))
        .collect();
    for row in rows(&vectors["codes"]) {
        assert!(known.contains(row), "{row} is gone or has changed, and clients rely on it");
    }
    for code in &known {
        assert!(rows(&vectors["codes"]).contains(code), "add a row to tests/vectors/errors.json: {code}");
    }
}
