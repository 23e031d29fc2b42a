//! Signing keys.

use super::*;
use crate::sessions::SigningKey;
use serde_json::Value;

const HOUR: i64 = 3600;

fn published(sessions: &Sessions) -> Vec<String> {
    let set = sessions.jwks();
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

async fn signing(house: &House) -> String {
    let tokens = house.sign_in().await;
    jsonwebtoken::decode_header(tokens.access_token.expose()).unwrap().kid.unwrap()
}

async fn keys(house: &House) -> Vec<SigningKey> {
    house.sessions.list_keys().await.unwrap()
}

#[tokio::test]
async fn several_nodes_make_one_first_key() {
    let clock = ManualClock::new(Timestamp::from_second(START).unwrap());
    let store = Flaky::default();
    let nodes: Vec<_> = (0..4)
        .map(|seed| {
            let mut bare = memory::bare(clock.clone(), SeededRandom::new(1), Settings::default()).unwrap();
            bare.store = Arc::new(store.clone());
            bare.random = Arc::new(SeededRandom::new(10 + seed));
            tokio::spawn(async move { memory::prepare(bare).await.unwrap() })
        })
        .collect();
    for node in nodes {
        let cx = node.await.unwrap();
        assert_eq!(Sessions::new(cx.clone()).list_keys().await.unwrap().len(), 1);
        assert_eq!(published(&Sessions::new(cx)).len(), 1);
    }
}

#[tokio::test]
async fn a_next_key_is_published_ten_minutes_before_it_signs() {
    let house = house().await;
    let old = signing(&house).await;
    let tokens = house.sign_in().await;
    let next = house.sessions.rotate_key(&house.origin).await.unwrap().id.to_string();
    assert_eq!(published(&house.sessions), [old.clone(), next.clone()]);
    assert_eq!(signing(&house).await, old);
    house.advance(599);
    assert_eq!(signing(&house).await, old);
    house.advance(1);
    assert_eq!(signing(&house).await, next);
    assert!(house.authenticate(&tokens).await.is_ok(), "the old key still verifies");
    // Until its last token has run out.
    let last = 900 + 60;
    house.advance(last - 1);
    assert!(published(&house.sessions).contains(&old));
    house.advance(1);
    assert_eq!(published(&house.sessions), std::slice::from_ref(&next));
    house.sessions.ensure_keys().await.unwrap();
    assert_eq!(keys(&house).await.len(), 1);
    assert_eq!(signing(&house).await, next);
}

#[tokio::test]
async fn keys_are_replaced_in_time_by_one_node_only() {
    let house = house().await;
    let (_, other) = house.other_node().await;
    let old = signing(&house).await;
    house.advance(90 * 24 * HOUR - 601);
    house.sessions.ensure_keys().await.unwrap();
    assert_eq!(keys(&house).await.len(), 1);
    house.advance(1);
    let (a, b) = tokio::join!(house.sessions.ensure_keys(), other.ensure_keys());
    a.unwrap();
    b.unwrap();
    house.sessions.ensure_keys().await.unwrap();
    other.ensure_keys().await.unwrap();
    assert_eq!(keys(&house).await.len(), 2);
    assert_eq!(signing(&house).await, old);
    house.advance(600);
    assert_ne!(signing(&house).await, old);
}

#[tokio::test]
async fn a_second_rotation_before_the_first_is_done_makes_one_line() {
    let house = house().await;
    house.sessions.rotate_key(&house.origin).await.unwrap();
    let urgent = house.sessions.rotate_key_now(&house.origin).await.unwrap();
    // After the one that is published already, which other nodes may sign with.
    assert!(urgent.active_at >= house.cx.now());
    house.advance(600);
    assert_eq!(signing(&house).await, urgent.id.to_string());
    assert_eq!(keys(&house).await.iter().filter(|key| key.retired_at.is_none()).count(), 1);
}

#[tokio::test]
async fn a_retired_key_makes_no_new_tokens_also_for_whoever_has_it() {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let house = house().await;
    let tokens = house.sign_in().await;
    let stolen = house.cx.authority.snapshot().keys().signer(house.cx.now()).unwrap().clone();
    house.sessions.rotate_key_now(&house.origin).await.unwrap();
    house.advance(120);
    let claims = text(&tokens.access_token);
    let mut claims: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims.split('.').nth(1).unwrap()).unwrap()).unwrap();
    let now = house.cx.now().as_second();
    claims["iat"] = now.into();
    claims["exp"] = (now + 900).into();
    let message = format!("{}.{}", stolen.header, URL_SAFE_NO_PAD.encode(claims.to_string()));
    let forged = format!("{message}.{}", URL_SAFE_NO_PAD.encode(stolen.sign(message.as_bytes()).unwrap()));
    assert!(house.sessions.authenticate(&forged).await.is_err());
    assert!(house.authenticate(&tokens).await.is_ok());
}

#[tokio::test]
async fn a_key_that_is_only_published_makes_no_tokens_yet() {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let house = house().await;
    let tokens = house.sign_in().await;
    let next = house.sessions.rotate_key(&house.origin).await.unwrap().id;
    let next = house.cx.authority.snapshot().keys().find(next).unwrap().clone();
    let token = text(&tokens.access_token);
    let message = format!("{}.{}", next.header, token.split('.').nth(1).unwrap());
    let early = format!("{message}.{}", URL_SAFE_NO_PAD.encode(next.sign(message.as_bytes()).unwrap()));
    assert!(house.sessions.authenticate(&early).await.is_err());
}

#[tokio::test]
async fn a_revoked_key_is_worth_nothing_at_once_and_another_signs() {
    let house = house().await;
    let (other, other_sessions) = house.other_node().await;
    let tokens = house.sign_in().await;
    house.authenticate(&tokens).await.unwrap();
    other_sessions.authenticate(tokens.access_token.expose()).await.unwrap();
    let old = keys(&house).await[0].id;
    house.sessions.revoke_key(&house.origin, old).await.unwrap();

    assert!(house.authenticate(&tokens).await.is_err());
    assert!(!published(&house.sessions).contains(&old.to_string()));
    let fresh = house.sign_in().await;
    assert!(house.authenticate(&fresh).await.is_ok());
    assert!(house.refresh(&tokens.refresh_token).await.is_ok(), "sessions live on");
    other.authority.poll(&other).await.unwrap();
    assert!(other.authority.authenticate(&other, tokens.access_token.expose()).is_err());
    assert!(other.authority.authenticate(&other, fresh.access_token.expose()).is_ok());

    assert_eq!(code(house.sessions.revoke_key(&house.origin, old).await), Some(ErrorCode::KeyNotFound));
    let unknown = KeyId::new(house.cx.uuid());
    assert_eq!(code(house.sessions.revoke_key(&house.origin, unknown).await), Some(ErrorCode::KeyNotFound));
    assert!(house.audited().await.contains(&"key.revoked".to_owned()));
}

#[tokio::test]
async fn revoking_the_next_key_leaves_one_that_lasts() {
    let house = house().await;
    let next = house.sessions.rotate_key(&house.origin).await.unwrap();
    house.sessions.revoke_key(&house.origin, next.id).await.unwrap();
    let signer = signing(&house).await;
    assert_ne!(signer, next.id.to_string());
    house.advance(3 * HOUR);
    assert_eq!(signing(&house).await, signer);
}

#[tokio::test]
async fn a_key_that_stands_in_for_a_revoked_one_retires_when_the_next_one_signs() {
    let house = house().await;
    let old = keys(&house).await[0].id;
    let next = house.sessions.rotate_key(&house.origin).await.unwrap();
    house.sessions.revoke_key(&house.origin, old).await.unwrap();
    let between = signing(&house).await;
    assert!(between != old.to_string() && between != next.id.to_string());
    house.advance(3 * HOUR);
    house.sessions.ensure_keys().await.unwrap();
    let left: Vec<_> = keys(&house).await.into_iter().filter(|key| key.retired_at.is_none()).collect();
    assert_eq!(left.iter().map(|key| key.id).collect::<Vec<_>>(), [next.id]);
    assert_eq!(signing(&house).await, next.id.to_string());
    assert!(!published(&house.sessions).contains(&between));
}

#[tokio::test]
async fn the_configured_algorithm_comes_with_the_next_rotation() {
    let house = house().await;
    let (_, other) = house.other_node_with(|cx| cx.settings.tokens.algorithm = crate::SigningAlgorithm::Es256).await;
    other.ensure_keys().await.unwrap();
    house.cx.authority.poll(&house.cx).await.unwrap();
    assert_eq!(keys(&house).await.len(), 2);
    house.advance(600);
    let tokens = house.sign_in().await;
    assert_eq!(jsonwebtoken::decode_header(tokens.access_token.expose()).unwrap().alg, jsonwebtoken::Algorithm::ES256);
    assert!(house.authenticate(&tokens).await.is_ok());
}

#[tokio::test]
async fn a_key_of_another_installation_stops_the_start() {
    let house = house().await;
    // Another seed draws another master key.
    let mut bare = memory::bare(house.clock.clone(), SeededRandom::new(77), Settings::default()).unwrap();
    bare.store = Arc::new(house.store.clone());
    assert_eq!(memory::prepare(bare).await.err().map(|error| error.code), Some(ErrorCode::Internal));
    assert_eq!(keys(&house).await.len(), 1);
}

#[tokio::test]
async fn published_keys_hold_no_private_part() {
    for algorithm in [crate::SigningAlgorithm::EdDsa, crate::SigningAlgorithm::Es256, crate::SigningAlgorithm::Rs256] {
        let house = house_with(|cx| cx.settings.tokens.algorithm = algorithm).await;
        let set = house.sessions.jwks();
        let key = set["keys"][0].as_object().unwrap();
        for member in ["d", "p", "q", "dp", "dq", "qi", "k", "oth"] {
            assert!(!key.contains_key(member), "{member}");
        }
        assert_eq!((&key["use"], &key["alg"]), (&Value::from("sig"), &Value::from(algorithm.as_str())));
        let stored = &keys(&house).await[0];
        assert!(house.cx.keyring.open("signing-key", b"another", &stored.private).is_err());
    }
}
