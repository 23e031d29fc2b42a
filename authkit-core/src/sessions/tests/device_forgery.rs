//! Every way to make a device's token that is not one, signed with the key in use.

use super::*;
use crate::sessions::device_tokens;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

async fn read(house: &House, token: &str) -> Result<device_tokens::DeviceClaims> {
    house.cx.authority.device_claims(&house.cx, token).await
}

fn sign(house: &House, header: &str, claims: &Value) -> String {
    let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let snapshot = house.cx.authority.snapshot();
    let key = snapshot.keys().signer(house.cx.now()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()).unwrap()))
}

#[tokio::test]
async fn only_what_is_wholly_a_devices_token_counts() {
    let house = house().await;
    let id = DeviceId::new(house.cx.uuid());
    let token = device_tokens::issue(&house.cx, DEFAULT_TENANT, id).unwrap().0;
    let (header, payload) = token.expose().rsplit_once('.').unwrap().0.split_once('.').unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    let said = read(&house, token.expose()).await.unwrap();
    assert_eq!((said.device, said.tenant, said.expires_at.as_second()), (id, DEFAULT_TENANT, START + 600));
    assert_eq!(read(&house, &sign(&house, header, &claims)).await.unwrap(), said);

    let other = DeviceId::new(house.cx.uuid()).to_string();
    for (name, value) in [
        ("scope", json!("device admin")),
        ("scope", json!("")),
        ("scope", json!(["device"])),
        ("sid", json!(SessionId::new(house.cx.uuid()))),
        ("sid", json!("")),
        ("client_id", json!(other)),
        ("sub", json!(other)),
        ("sub", json!(house.user.id)),
        ("tid", json!(TenantId::new(house.cx.uuid()))),
        ("iss", json!("https://evil.example")),
        ("aud", json!("another")),
        ("nbf", json!(START + 31)),
        ("iat", json!(START + 31)),
        ("exp", json!(START - 30)),
        // A lifetime of its own choice does not help.
        ("iat", json!(START - 630)),
    ] {
        let mut forged = claims.clone();
        forged[name] = value.clone();
        assert_eq!(code(read(&house, &sign(&house, header, &forged)).await), INVALID, "{name} {value}");
    }
    for name in ["scope", "client_id", "sub", "tid", "iss", "aud", "iat", "nbf", "exp"] {
        let mut forged = claims.clone();
        forged.as_object_mut().unwrap().remove(name);
        assert_eq!(code(read(&house, &sign(&house, header, &forged)).await), INVALID, "without {name}");
    }
    let plain = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"EdDSA"}"#);
    assert_eq!(code(read(&house, &sign(&house, &plain, &claims)).await), INVALID);
    let changed = token.expose().replacen(payload, &URL_SAFE_NO_PAD.encode(claims.to_string() + " "), 1);
    assert_eq!(code(read(&house, &changed).await), INVALID);
    assert_eq!(code(read(&house, &"a.".repeat(5_000)).await), INVALID);
}

#[tokio::test]
async fn a_revoked_signing_key_takes_devices_tokens_with_it() {
    let house = house().await;
    let token = device_tokens::issue(&house.cx, DEFAULT_TENANT, DeviceId::new(house.cx.uuid())).unwrap().0;
    read(&house, token.expose()).await.unwrap();
    let key = house.cx.store.list_keys().await.unwrap()[0].id;
    house.sessions.revoke_key(&house.origin, key).await.unwrap();
    assert_eq!(code(read(&house, token.expose()).await), INVALID);
}

#[tokio::test]
async fn a_retired_signing_key_is_kept_as_long_as_devices_tokens_live() {
    let house = house_with(|cx| cx.settings.tokens.device = SignedDuration::from_mins(50)).await;
    let token = device_tokens::issue(&house.cx, DEFAULT_TENANT, DeviceId::new(house.cx.uuid())).unwrap().0;
    house.sessions.rotate_key_now(&house.origin).await.unwrap();
    house.advance(49 * 60);
    house.sessions.ensure_keys().await.unwrap();
    read(&house, token.expose()).await.unwrap();
}

const INVALID: Option<ErrorCode> = Some(ErrorCode::InvalidToken);
