//! Every published way to make a token that is not one.

use super::*;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation, jwk::JwkSet};
use serde_json::{Value, json};

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn decode(segment: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).unwrap()).unwrap()
}

/// Signs with the key in use whatever header and claims it is given.
fn sign(house: &House, header: &Value, claims: &Value) -> String {
    let message = format!("{}.{}", encode(header), encode(claims));
    let snapshot = house.cx.authority.snapshot();
    let key = snapshot.keys().signer(house.cx.now()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()).unwrap()))
}

/// Header and claims of a good token.
async fn good(house: &House) -> (Value, Value, String) {
    let tokens = house.sign_in().await;
    let token = text(&tokens.access_token);
    let mut parts = token.split('.');
    (decode(parts.next().unwrap()), decode(parts.next().unwrap()), token.clone())
}

async fn refused(house: &House, token: &str, what: &str) {
    let fast = house.cx.authority.authenticate(&house.cx, token);
    let error = fast.err().unwrap_or_else(|| panic!("accepted: {what}"));
    assert_eq!(error.code, ErrorCode::InvalidToken, "{what}");
    let genuine = house.cx.authority.authenticate(&house.cx, "x").unwrap_err();
    assert_eq!(error.detail, genuine.detail, "the detail tells more than that it is invalid: {what}");
    assert_eq!(code(house.sessions.authenticate(token).await), Some(ErrorCode::InvalidToken), "{what}");
    let stale = house.cx.authority.authenticate_stale(&house.cx, token).await;
    assert_eq!(code(stale), Some(ErrorCode::InvalidToken), "{what}");
}

fn with(value: &Value, name: &str, new: impl Into<Value>) -> Value {
    let mut value = value.clone();
    value[name] = new.into();
    value
}

fn without(value: &Value, name: &str) -> Value {
    let mut value = value.clone();
    value.as_object_mut().unwrap().remove(name);
    value
}

#[tokio::test]
async fn a_good_token_is_accepted_and_says_who_and_what() {
    let house = house().await;
    let role = house.grant("auditor", &["audit:read"]).await;
    let tokens = house.sign_in().await;
    let principal = house.authenticate(&tokens).await.unwrap();
    assert_eq!(
        (principal.tenant, principal.user, principal.session),
        (DEFAULT_TENANT, house.user.id, tokens.session_id)
    );
    assert_eq!(*principal.amr, ["pwd".to_owned()]);
    assert_eq!(*principal.roles, [role.id]);
    assert!(principal.has("audit:read") && !principal.has("users:write"));
    assert_eq!(code(principal.require("users:write")), Some(ErrorCode::Forbidden));
    assert_eq!(tokens.expires_in, 900);
    assert_eq!(principal.expires_at.as_second(), START + 900);
}

#[tokio::test]
async fn the_token_is_a_plain_rfc_9068_token_for_others() {
    for algorithm in [crate::SigningAlgorithm::EdDsa, crate::SigningAlgorithm::Es256, crate::SigningAlgorithm::Rs256] {
        let house = house_with(|cx| cx.settings.tokens.algorithm = algorithm).await;
        let tokens = house.sign_in().await;
        assert!(house.authenticate(&tokens).await.is_ok());
        let jwks: JwkSet = serde_json::from_value(house.sessions.jwks()).unwrap();
        let header = jsonwebtoken::decode_header(tokens.access_token.expose()).unwrap();
        assert_eq!(header.typ.as_deref(), Some("at+jwt"));
        let jwk = jwks.find(header.kid.as_deref().unwrap()).unwrap();
        let mut validation = Validation::new(header.alg);
        validation.set_audience(&[&house.cx.settings.audience]);
        validation.set_issuer(&[&house.cx.settings.issuer]);
        validation.validate_exp = false;
        let token = jsonwebtoken::decode::<Value>(
            tokens.access_token.expose(),
            &DecodingKey::from_jwk(jwk).unwrap(),
            &validation,
        )
        .unwrap();
        let claims = token.claims;
        for name in ["iss", "aud", "sub", "sid", "tid", "iat", "nbf", "exp", "jti", "amr", "acr", "auth_time", "roles"]
        {
            assert!(!claims[name].is_null(), "{name}");
        }
        assert_eq!(claims["acr"], "aal1");
        assert!(claims.get("email").is_none() && claims.get("permissions").is_none());
    }
}

#[tokio::test]
async fn no_other_algorithm_is_accepted() {
    let house = house().await;
    let (header, claims, token) = good(&house).await;
    let signature = token.rsplit_once('.').unwrap().1;
    for alg in ["none", "None", "NONE", "nOnE", "", "HS256", "ES256", "RS256", "EdDSA ", "eddsa", "Ed25519", "PS256"] {
        let forged = with(&header, "alg", alg);
        refused(&house, &sign(&house, &forged, &claims), alg).await;
        refused(&house, &format!("{}.{}.", encode(&forged), encode(&claims)), alg).await;
        refused(&house, &format!("{}.{}.{signature}", encode(&forged), encode(&claims)), alg).await;
    }
    refused(&house, &sign(&house, &without(&header, "alg"), &claims), "no alg").await;
}

#[tokio::test]
async fn the_public_key_is_no_hmac_secret_in_any_encoding() {
    for algorithm in [crate::SigningAlgorithm::EdDsa, crate::SigningAlgorithm::Es256, crate::SigningAlgorithm::Rs256] {
        let house = house_with(|cx| cx.settings.tokens.algorithm = algorithm).await;
        let (header, claims, _) = good(&house).await;
        let jwk = house.sessions.jwks()["keys"][0].clone();
        let member = if algorithm == crate::SigningAlgorithm::Rs256 { "n" } else { "x" };
        let raw = URL_SAFE_NO_PAD.decode(jwk[member].as_str().unwrap()).unwrap();
        // SubjectPublicKeyInfo (RFC 8410) around the raw key.
        let spki = [&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00][..], &raw].concat();
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(&spki));
        let hex: String = raw.iter().map(|b| format!("{b:02x}")).collect();
        let secrets: Vec<Vec<u8>> = vec![
            raw.clone(),
            spki.clone(),
            pem.clone().into_bytes(),
            pem.trim_end().as_bytes().to_vec(),
            STANDARD.encode(&raw).into_bytes(),
            STANDARD.encode(&spki).into_bytes(),
            URL_SAFE_NO_PAD.encode(&raw).into_bytes(),
            URL_SAFE.encode(&raw).into_bytes(),
            hex.into_bytes(),
            jwk.to_string().into_bytes(),
            house.sessions.jwks().to_string().into_bytes(),
            Vec::new(),
        ];
        for (name, hmac) in [("HS256", Algorithm::HS256), ("HS384", Algorithm::HS384), ("HS512", Algorithm::HS512)] {
            for secret in &secrets {
                for header in [with(&header, "alg", name), header.clone()] {
                    let message = format!("{}.{}", encode(&header), encode(&claims));
                    let key = EncodingKey::from_secret(secret);
                    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, hmac).unwrap();
                    refused(&house, &format!("{message}.{signature}"), name).await;
                }
            }
        }
    }
}

#[tokio::test]
async fn the_kid_must_be_there_and_name_the_key_that_signed() {
    let house = house().await;
    let (header, claims, token) = good(&house).await;
    let other = house.sessions.rotate_key(&house.origin).await.unwrap().id;
    assert_ne!(header["kid"], other.to_string());

    refused(&house, &sign(&house, &without(&header, "kid"), &claims), "no kid").await;
    refused(&house, &sign(&house, &with(&header, "kid", ""), &claims), "empty kid").await;
    refused(&house, &sign(&house, &with(&header, "kid", Value::Null), &claims), "null kid").await;
    refused(&house, &sign(&house, &with(&header, "kid", json!([header["kid"]])), &claims), "list of kids").await;
    refused(&house, &sign(&house, &with(&header, "kid", "../../dev/null"), &claims), "path").await;
    refused(&house, &sign(&house, &with(&header, "kid", "' OR 1=1 --"), &claims), "injection").await;
    let unknown = KeyId::new(house.cx.uuid()).to_string();
    refused(&house, &sign(&house, &with(&header, "kid", unknown), &claims), "unknown kid").await;
    // A valid signature, but of another key than the one it names.
    let swapped = with(&header, "kid", other.to_string());
    refused(&house, &sign(&house, &swapped, &claims), "swapped kid").await;
    let (_, rest) = token.split_once('.').unwrap();
    refused(&house, &format!("{}.{rest}", encode(&swapped)), "swapped kid, old signature").await;
}

#[tokio::test]
async fn keys_that_a_token_brings_along_are_not_looked_at() {
    let house = house().await;
    let (header, claims, _) = good(&house).await;
    // An attacker's own key, offered in every way.
    let pkcs8 = crate::crypto::PrivateKey::generate(crate::SigningAlgorithm::EdDsa, &SeededRandom::new(99)).unwrap();
    let attacker = crate::crypto::PrivateKey::from_pkcs8(crate::SigningAlgorithm::EdDsa, &pkcs8).unwrap();
    let jwk = attacker.public_jwk().unwrap();
    for (name, value) in [
        ("jwk", jwk),
        ("jku", json!("http://127.0.0.1:9/keys.json")),
        ("x5u", json!("http://127.0.0.1:9/chain.pem")),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!("abc")),
    ] {
        let header = with(&header, name, value);
        let message = format!("{}.{}", encode(&header), encode(&claims));
        let forged = format!("{message}.{}", URL_SAFE_NO_PAD.encode(attacker.sign(message.as_bytes()).unwrap()));
        refused(&house, &forged, name).await;
        // The same header on a token of ours is of no consequence.
        assert!(house.cx.authority.authenticate(&house.cx, &sign(&house, &header, &claims)).is_ok(), "{name}");
    }
}

#[tokio::test]
async fn extensions_that_must_be_understood_are_refused() {
    let house = house().await;
    let (header, claims, _) = good(&house).await;
    for crit in [json!(["b64"]), json!(["exp"]), json!([]), json!("b64"), Value::Null, json!(["http://example.com/x"])]
    {
        let forged = with(&with(&header, "crit", crit.clone()), "b64", false);
        refused(&house, &sign(&house, &forged, &claims), &crit.to_string()).await;
    }
}

#[tokio::test]
async fn a_token_of_another_purpose_is_no_access_token() {
    let house = house().await;
    let (header, claims, _) = good(&house).await;
    for typ in ["JWT", "jwt", "id_token+jwt", "logout+jwt", "dpop+jwt", "at+jwt ", "at+jwtx", "application/jwt", ""] {
        refused(&house, &sign(&house, &with(&header, "typ", typ), &claims), typ).await;
    }
    refused(&house, &sign(&house, &without(&header, "typ"), &claims), "no typ").await;
    // RFC 7515, section 4.1.9: the long form, in any case.
    for typ in ["application/at+jwt", "AT+JWT"] {
        let token = sign(&house, &with(&header, "typ", typ), &claims);
        assert!(house.cx.authority.authenticate(&house.cx, &token).is_ok(), "{typ}");
    }
    let tokens = house.sign_in().await;
    refused(&house, tokens.refresh_token.expose(), "the refresh token").await;
    for kind in ["akv_", "akp_", "ake_", "aku_", "akm_"] {
        refused(&house, &tokens.refresh_token.expose().replacen("akr_", kind, 1), kind).await;
    }
}

#[tokio::test]
async fn claims_must_be_there_right_and_of_their_type() {
    let house = house().await;
    let (header, claims, _) = good(&house).await;
    let id = uuid::Uuid::from_u128(1);
    let wrong: Vec<(&str, Value)> = vec![
        ("iss", json!("http://evil.example")),
        ("iss", json!("http://127.0.0.1:8080/")),
        ("iss", json!(["http://127.0.0.1:8080"])),
        ("aud", json!("authkit2")),
        ("aud", json!([])),
        ("aud", json!(["other"])),
        ("aud", json!({ "authkit": true })),
        ("aud", Value::Null),
        ("sub", json!("")),
        ("sub", json!(TenantId::new(id))),
        ("sub", json!(1)),
        ("sid", json!(UserId::new(id))),
        ("tid", json!("default")),
        ("tid", json!(TenantId::new(id))),
        ("exp", json!(START - 31)),
        ("exp", json!(-1)),
        ("exp", json!("9999999999")),
        ("exp", json!(1.8e9)),
        ("exp", json!(u64::MAX)),
        ("nbf", json!(START + 31)),
        ("nbf", json!(i64::MAX)),
        ("iat", json!(START + 31)),
        ("iat", json!(START - 1000)),
        ("iat", json!(i64::MIN)),
        ("auth_time", json!(i64::MAX)),
        ("auth_time", json!("now")),
        ("amr", json!("pwd")),
        ("roles", json!("admin")),
        ("roles", json!([1])),
        ("ver", json!("1")),
    ];
    for (name, value) in wrong {
        refused(&house, &sign(&house, &header, &with(&claims, name, value.clone())), &format!("{name}: {value}")).await;
    }
    for name in ["iss", "aud", "sub", "sid", "tid", "exp", "nbf", "iat", "auth_time", "ver"] {
        refused(&house, &sign(&house, &header, &without(&claims, name)), &format!("no {name}")).await;
    }
    let several = with(&claims, "aud", json!(["other", "authkit"]));
    assert!(house.cx.authority.authenticate(&house.cx, &sign(&house, &header, &several)).is_ok());
    for claims in [json!([]), json!("text"), json!(1), Value::Null] {
        refused(&house, &sign(&house, &header, &claims), &claims.to_string()).await;
    }
}

#[tokio::test]
async fn names_that_occur_twice_are_refused() {
    let house = house().await;
    let (header, claims, _) = good(&house).await;
    let snapshot = house.cx.authority.snapshot();
    let key = snapshot.keys().signer(house.cx.now()).unwrap();
    let double = |value: &Value, name: &str| value.to_string().replacen('{', &format!("{{\"{name}\":\"none\","), 1);
    for (header, claims) in [
        (double(&header, "alg"), claims.to_string()),
        (double(&header, "kid"), claims.to_string()),
        (header.to_string(), double(&claims, "sub")),
        (header.to_string(), double(&claims, "iss")),
    ] {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()).unwrap());
        refused(&house, &format!("{message}.{signature}"), "double").await;
    }
}

#[tokio::test]
async fn a_token_has_one_spelling() {
    let house = house().await;
    let (_, _, token) = good(&house).await;
    let parts: Vec<&str> = token.split('.').collect();
    let (header, claims, signature) = (parts[0], parts[1], parts[2]);
    let spellings = [
        format!("{token}="),
        format!("{token}=="),
        format!("{header}=.{claims}.{signature}"),
        format!("{header}.{claims}=.{signature}"),
        format!("{token}."),
        format!(".{token}"),
        format!("{header}.{claims}"),
        format!("{header}.{claims}."),
        format!("{header}..{signature}"),
        format!(".{claims}.{signature}"),
        format!("{header}.{claims}.{signature}.{signature}"),
        format!(" {token}"),
        format!("{token} "),
        format!("{token}\n"),
        token.replace('.', ".."),
        format!("{header}.{claims}.{}", &signature[..signature.len() - 1]),
        format!("{header}.{claims}.{}", STANDARD.encode(URL_SAFE_NO_PAD.decode(signature).unwrap())),
        format!("{header}.{claims}.{signature}{signature}"),
        format!("{header}.{}.{signature}", &claims[..claims.len() - 4]),
        String::new(),
        ".".into(),
        "..".into(),
        "...".into(),
        "\u{1F600}.\u{1F600}.\u{1F600}".into(),
    ];
    for spelling in spellings {
        refused(&house, &spelling, &spelling).await;
    }
    // Bits that base64 leaves unused.
    let last = signature.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let at = alphabet.find(last).unwrap();
    let sibling = alphabet.chars().nth(at ^ 1).unwrap();
    refused(&house, &format!("{}{sibling}", &token[..token.len() - 1]), "trailing bits").await;
}

#[tokio::test]
async fn every_changed_character_is_noticed() {
    let house = house().await;
    let (_, _, token) = good(&house).await;
    for at in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(house.cx.authority.authenticate(&house.cx, &changed).is_err(), "changed at {at}");
    }
}

#[tokio::test]
async fn what_is_too_long_is_not_looked_at() {
    let house = house().await;
    let (header, claims, _) = good(&house).await;
    let fits = sign(&house, &header, &with(&claims, "extra", "x".repeat(4000)));
    assert!(house.cx.authority.authenticate(&house.cx, &fits).is_ok());
    let long = sign(&house, &header, &with(&claims, "extra", "x".repeat(9000)));
    refused(&house, &long, "9 KB").await;
    refused(&house, &"a".repeat(9_000_000), "9 MB").await;
}

#[tokio::test]
async fn a_token_runs_out_also_when_it_was_just_verified() {
    let house = house().await;
    let tokens = house.sign_in().await;
    house.advance(900 + 29);
    assert!(house.authenticate(&tokens).await.is_ok(), "the leeway");
    house.advance(1);
    assert!(house.authenticate(&tokens).await.is_err());
}

#[tokio::test]
async fn a_token_that_was_just_verified_does_not_count_before_its_time() {
    let house = house().await;
    let (_, _, token) = good(&house).await;
    assert!(house.cx.authority.authenticate(&house.cx, &token).is_ok());
    house.advance(-30);
    assert!(house.cx.authority.authenticate(&house.cx, &token).is_ok(), "the leeway");
    house.advance(-1);
    assert!(house.cx.authority.authenticate(&house.cx, &token).is_err());
}

#[tokio::test]
async fn a_text_that_shares_its_slot_with_a_verified_token_is_not_taken_for_it() {
    let house = house().await;
    let (_, _, token) = good(&house).await;
    assert!(house.cx.authority.authenticate(&house.cx, &token).is_ok());
    let start = |text: &str| crate::crypto::sha256(text.as_bytes())[..2].to_vec();
    let forged = (0_u32..).map(|n| format!("{token}{n}")).find(|text| start(text) == start(&token)).unwrap();
    assert!(house.cx.authority.authenticate(&house.cx, &forged).is_err());
}

#[tokio::test]
async fn a_shortened_lifetime_counts_for_tokens_that_are_out() {
    let house = house().await;
    let tokens = house.sign_in().await;
    let (cx, _) = house.other_node_with(|cx| cx.settings.tokens.access = SignedDuration::from_secs(60)).await;
    assert!(cx.authority.authenticate(&cx, tokens.access_token.expose()).is_ok());
    house.advance(60 + 31);
    assert!(cx.authority.authenticate(&cx, tokens.access_token.expose()).is_err());
}

#[tokio::test]
async fn hooks_add_claims_but_never_replace_ours() {
    #[derive(Debug)]
    struct Claims;
    impl crate::ports::Hooks for Claims {
        fn claims(&self, subject: &crate::ports::TokenSubject<'_>) -> serde_json::Map<String, Value> {
            let own = json!({
                "plan": "gold", "address": subject.email, "sub": "usr_0", "roles": ["admin"], "exp": 1, "ver": 99,
                "scope": "all", "iss": "x", "aud": "y", "tid": "z", "cnf": {}, "act": {},
            });
            if let Value::Object(map) = own { map } else { unreachable!() }
        }
    }
    let house = house_with(|cx| cx.hooks = Arc::new(Claims)).await;
    let (_, claims, _) = good(&house).await;
    assert_eq!((&claims["plan"], &claims["address"]), (&json!("gold"), &json!("ada@example.com")));
    assert_eq!((&claims["sub"], &claims["roles"]), (&json!(house.user.id), &json!([])));
    assert_eq!((&claims["ver"], &claims["exp"]), (&json!(1), &json!(START + 900)));
    for name in ["scope", "cnf", "act"] {
        assert!(claims.get(name).is_none(), "{name}");
    }
}

proptest::proptest! {
    #[test]
    fn no_input_panics(token in "\\PC{0,200}", parts in proptest::collection::vec("[A-Za-z0-9_=-]{0,80}", 0..5)) {
        let keys = crate::sessions::KeySet::default();
        let now = Timestamp::from_second(START).unwrap();
        for token in [token, parts.join(".")] {
            let verified = crate::sessions::verify::verify(
                &keys, &Settings::default(), &token, now, crate::sessions::verify::Expiry::Checked,
            );
            proptest::prop_assert!(verified.is_err());
        }
    }
}
