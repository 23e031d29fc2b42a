use super::*;
use crate::{
    accounts::AccountChange,
    ports::{Scope, Unit},
};

#[tokio::test]
async fn the_server_states_its_time_and_echoes_the_nonce() {
    let yard = yard().await;
    let view = yard.devices.challenge(&yard.origin, &ask_for_token(DeviceId::new(yard.cx.uuid()))).unwrap();
    assert!(view.challenge.starts_with("akd_") && view.challenge.len() <= device::MAX_CHALLENGE);
    assert_eq!(view.server_time, START);
    assert!(is_stated(&view, START, &[7; 16]));
    assert!(!is_stated(&view, START + 1, &[7; 16]), "another time");
    assert!(!is_stated(&view, START, &[8; 16]), "an answer to another question");
    let other = yard.devices.challenge(&yard.origin, &ask_for_token(DeviceId::new(yard.cx.uuid()))).unwrap();
    assert!(!is_stated(&DeviceChallengeView { challenge: other.challenge, ..view }, START, &[7; 16]));
}

#[tokio::test]
async fn a_challenge_asks_for_what_its_purpose_needs() {
    let (yard, key) = (yard().await, Key::new(1));
    let id = DeviceId::new(yard.cx.uuid());
    let (to_claim, for_token) = (key.ask_to_claim(), ask_for_token(id));
    let long = Some(URL_SAFE_NO_PAD.encode([4; 65]));
    for (request, field) in [
        (DeviceChallengeRequest { nonce: "AAAA".into(), ..to_claim.clone() }, "nonce"),
        (DeviceChallengeRequest { nonce: "A".repeat(100_000), ..to_claim.clone() }, "nonce"),
        (DeviceChallengeRequest { public_key: None, ..to_claim.clone() }, "public_key"),
        (DeviceChallengeRequest { public_key: long, ..to_claim.clone() }, "public_key"),
        (DeviceChallengeRequest { public_key: Some("A".repeat(86)), ..to_claim.clone() }, "public_key"),
        (DeviceChallengeRequest { algorithm: None, ..to_claim.clone() }, "algorithm"),
        (DeviceChallengeRequest { device_id: Some(id), ..to_claim.clone() }, "device_id"),
        (DeviceChallengeRequest { device_id: None, ..for_token.clone() }, "device_id"),
        (DeviceChallengeRequest { public_key: to_claim.public_key.clone(), ..for_token.clone() }, "public_key"),
        (DeviceChallengeRequest { algorithm: to_claim.algorithm, ..for_token }, "algorithm"),
    ] {
        let error = yard.devices.challenge(&yard.origin, &request).err().unwrap();
        assert_eq!((error.code, error.fields[0].field.as_str()), (ErrorCode::ValidationFailed, field));
    }
}

#[tokio::test]
async fn a_device_gets_tokens_for_its_key() {
    for algorithm in [KeyAlgorithm::EdDsa, KeyAlgorithm::Es256] {
        let (yard, key) = (yard().await, Key::of(algorithm, 1));
        let device = yard.claimed(&key).await;
        let token = yard.token(&key, device.id).await.unwrap();
        assert_eq!((token.expires_in, token.token_type.as_str(), token.device_id), (600, "Bearer", device.id));
        let principal = yard.authenticate(&token.access_token).await.unwrap();
        assert_eq!((principal.device, principal.owner, principal.tenant), (device.id, yard.ada.user, DEFAULT_TENANT));
        yard.advance(600 + 30);
        assert_eq!(code(yard.authenticate(&token.access_token).await), TOKEN);
    }
}

#[tokio::test]
async fn a_device_token_is_no_users_and_a_users_no_devices() {
    let (yard, key) = (yard().await, Key::new(1));
    let device = yard.claimed(&key).await;
    let token = yard.token(&key, device.id).await.unwrap().access_token;
    let sessions = Sessions::new(yard.cx.clone());
    assert_eq!(code(sessions.authenticate(token.expose()).await), TOKEN);
    assert!(sessions.holder(token.expose()).is_none());
    let payload = token.expose().split('.').nth(1).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    assert_eq!((&claims["sub"], &claims["client_id"]), (&device.id.to_string().into(), &claims["sub"]));
    assert_eq!((claims["scope"].as_str(), claims.get("sid"), claims.get("roles")), (Some("device"), None, None));

    let request = LoginRequest { email: "ada@example.org".into(), password: PASSWORD.into() };
    let LoginView::Tokens(users) = SignIn::new(yard.cx.clone()).login(&yard.origin, request).await.unwrap() else {
        panic!("no second factor is set up")
    };
    assert_eq!(code(yard.authenticate(&users.access_token).await), TOKEN);
    // Nor is anything else a device's.
    for text in ["", "a.b.c", users.refresh_token.expose(), &"x".repeat(10_000)] {
        assert_eq!(code(yard.authenticate(&text.into()).await), TOKEN);
    }
}

#[tokio::test]
async fn a_challenge_counts_once_also_at_the_same_moment() {
    let (yard, key) = (yard().await, Key::new(1));
    let device = yard.claimed(&key).await;
    let challenge = key.challenge_for_token(&yard, &yard.origin, device.id).challenge;
    let request = key.token(&yard, device.id, &challenge);
    let (one, two) = tokio::join!(
        yard.devices.token(&yard.origin, request.clone()),
        yard.devices.token(&yard.origin, request.clone())
    );
    assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1);
    assert_eq!(code(one).or(code(two)), PROOF);
    assert_eq!(code(yard.devices.token(&yard.origin, request).await), PROOF);
}

#[tokio::test]
async fn a_challenge_counts_for_a_minute_and_its_use_is_swept_later() {
    let (yard, key) = (yard().await, Key::new(1));
    let device = yard.claimed(&key).await;
    let challenge = key.challenge_for_token(&yard, &yard.origin, device.id).challenge;
    let request = key.token(&yard, device.id, &challenge);
    yard.advance(59);
    yard.devices.token(&yard.origin, request.clone()).await.unwrap();
    let unused = key.challenge_for_token(&yard, &yard.origin, device.id).challenge;
    yard.advance(60);
    assert_eq!(code(yard.devices.token(&yard.origin, key.token(&yard, device.id, &unused)).await), PROOF);

    // The use is still known when the clock goes back after a sweep.
    let sessions = Sessions::new(yard.cx.clone());
    sessions.sweep().await.unwrap();
    yard.advance(-70);
    assert_eq!(code(yard.devices.token(&yard.origin, request.clone()).await), PROOF);
    yard.advance(3600);
    // Those of the claim and of the token.
    assert_eq!(sessions.sweep().await.unwrap(), 2);
}

#[tokio::test]
async fn a_challenge_of_the_future_does_not_count() {
    let (yard, key) = (yard().await, Key::new(1));
    yard.advance(100);
    let device = yard.claimed(&key).await;
    let challenge = key.challenge_for_token(&yard, &yard.origin, device.id).challenge;
    let request = key.token(&yard, device.id, &challenge);
    // The clock was wrong and is set right: beyond the leeway between nodes nothing is taken from then.
    yard.advance(-31);
    assert_eq!(code(yard.devices.token(&yard.origin, request.clone()).await), PROOF);
    yard.advance(1);
    yard.devices.token(&yard.origin, request).await.unwrap();
}

#[tokio::test]
async fn a_clock_that_is_wrong_by_years_still_works() {
    let (yard, key) = (yard().await, Key::new(1));
    let device = yard.claimed(&key).await;
    yard.advance(-40 * 365 * 86_400);
    let view = key.challenge_for_token(&yard, &yard.origin, device.id);
    assert!(is_stated(&view, yard.cx.now().as_second(), &[7; 16]));
}

#[tokio::test]
async fn a_proof_is_for_its_device_purpose_tenant_and_server() {
    let (yard, key, others) = (yard().await, Key::new(1), Key::new(2));
    let (device, other) = (yard.claimed(&key).await, yard.claimed(&others).await);
    let challenge = key.challenge_for_token(&yard, &yard.origin, device.id).challenge;
    let right = key.token(&yard, device.id, &challenge);
    let subject = device.id.to_string();
    let server = yard.cx.keyring.server_key();
    let with = |challenge: &str| key.token(&yard, device.id, challenge);
    let acme = yard.elsewhere().await;
    // Another installation: whatever it signs and makes is its own.
    let elsewhere = yard_with(2, |_| {}).await;
    assert_ne!(elsewhere.cx.keyring.server_key(), server);
    let foreign = key.challenge_for_token(&elsewhere, &elsewhere.origin, device.id).challenge;
    for (place, wrong) in [
        with(&key.challenge_for_token(&yard, &yard.origin, other.id).challenge),
        with(&key.challenge_to_claim(&yard, &yard.origin).challenge),
        with(&key.challenge_for_token(&yard, &acme, device.id).challenge),
        with(&foreign),
        with(&challenge.replace("akd_", "akr_")),
        with(""),
        with("akd_"),
        DeviceTokenRequest { device_id: other.id, ..right.clone() },
        DeviceTokenRequest { signature: others.token(&yard, device.id, &challenge).signature, ..right.clone() },
        DeviceTokenRequest { signature: key.sign(server, Purpose::Claim, &subject, &challenge), ..right.clone() },
        DeviceTokenRequest { signature: key.sign(&[9; 32], Purpose::Token, &subject, &challenge), ..right.clone() },
        DeviceTokenRequest { signature: right.signature.clone() + "A", ..right.clone() },
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(code(yard.devices.token(&yard.origin, wrong).await), PROOF, "{place}");
    }
    assert_eq!(code(yard.devices.token(&acme, right.clone()).await), PROOF);
    // What failed has used nothing up.
    yard.devices.token(&yard.origin, right).await.unwrap();
}

#[tokio::test]
async fn no_changed_challenge_counts() {
    let (yard, key) = (yard().await, Key::new(1));
    let device = yard.claimed(&key).await;
    let challenge = key.challenge_for_token(&yard, &yard.origin, device.id).challenge;
    for at in 0..challenge.len() {
        let mut changed = challenge.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        let request = key.token(&yard, device.id, &changed);
        assert_eq!(code(yard.devices.token(&yard.origin, request).await), PROOF, "changed at {at}");
    }
}

#[tokio::test]
async fn unknown_and_revoked_devices_are_answered_like_a_wrong_signature() {
    let (yard, key) = (yard().await, Key::new(1));
    let device = yard.claimed(&key).await;
    let token = yard.token(&key, device.id).await.unwrap().access_token;
    let unknown = DeviceId::new(yard.cx.uuid());
    yard.devices.revoke(&yard.origin, &yard.ada, device.id).await.unwrap();
    let wrong = yard.token(&Key::new(2), device.id).await.err().unwrap();
    for id in [unknown, device.id] {
        let error = yard.token(&key, id).await.err().unwrap();
        assert_eq!((error.code, &error.detail), (ErrorCode::InvalidDeviceProof, &wrong.detail));
    }
    assert_eq!(code(yard.authenticate(&token).await), TOKEN);
    let failures = yard.counts.0.lock().unwrap().iter().filter(|(_, how)| *how == AuditOutcome::Failure).count();
    assert_eq!(failures, 3);
}

#[tokio::test]
async fn devices_of_an_owner_who_is_not_active_stop() {
    for status in [UserStatus::Deactivated, UserStatus::PendingDeletion] {
        let (yard, key) = (yard().await, Key::new(1));
        let claim = yard.code().await;
        let device = yard.claimed(&key).await;
        let token = yard.token(&key, device.id).await.unwrap().access_token;
        let set = async |security_version, status| {
            let change = AccountChange::SetStatus {
                user: yard.ada.user,
                security_version,
                status,
                erase_at: None,
                at: yard.cx.now(),
            };
            yard.cx.commit(Scope::Tenant(DEFAULT_TENANT), Unit::new().with(change)).await.unwrap();
        };
        set(1, status).await;
        assert_eq!(code(yard.authenticate(&token).await), TOKEN);
        assert_eq!(code(yard.token(&key, device.id).await), PROOF);
        assert_eq!(code(yard.claim(&Key::new(2), claim.code.expose()).await), CLAIM);
        set(2, UserStatus::Active).await;
        yard.authenticate(&token).await.unwrap();
        yard.token(&key, device.id).await.unwrap();
    }
}

#[tokio::test]
async fn devices_of_a_tenant_that_is_not_active_stop() {
    let (yard, key) = (yard().await, Key::new(1));
    let acme = yard.elsewhere().await;
    let eve = sign_up(&yard.cx, &acme, "eve@example.org").await;
    let claim = yard.devices.create_claim(&acme, &eve, CreateDeviceClaimRequest { name: None }).await.unwrap();
    let challenge = key.challenge_to_claim(&yard, &acme).challenge;
    let claimed = yard.devices.claim(&acme, key.claim(&yard, claim.code.expose(), &challenge)).await.unwrap();
    yard.authenticate(&claimed.access_token).await.unwrap();
    let tenants = Tenants::new(yard.cx.clone());
    let mut tenant = tenants.find("acme").await.unwrap().unwrap();
    tenant.active = false;
    tenants.update(tenant).await.unwrap();
    assert_eq!(code(yard.authenticate(&claimed.access_token).await), TOKEN);
    let challenge = key.challenge_for_token(&yard, &acme, claimed.device.id).challenge;
    let request = key.token(&yard, claimed.device.id, &challenge);
    assert_eq!(code(yard.devices.token(&acme, request).await), PROOF);
}

#[tokio::test]
async fn every_way_to_be_wrong_does_the_same_work() {
    use crate::accounts::tests::counting::{Counters, Counting};
    let counters = Arc::new(Counters::default());
    let yard = yard_with(1, |cx| {
        cx.store =
            Arc::new(Counting::<dyn crate::ports::Store> { inner: cx.store.clone(), counters: counters.clone() });
    })
    .await;
    let key = Key::new(1);
    let (device, revoked) = (yard.claimed(&key).await, yard.claimed(&Key::new(2)).await);
    yard.devices.revoke(&yard.origin, &yard.ada, revoked.id).await.unwrap();
    let challenge = |id| key.challenge_for_token(&yard, &yard.origin, id).challenge;
    let unknown = DeviceId::new(yard.cx.uuid());
    let mut work = Vec::new();
    for request in [
        key.token(&yard, unknown, &challenge(unknown)),
        Key::new(2).token(&yard, revoked.id, &challenge(revoked.id)),
        Key::new(2).token(&yard, device.id, &challenge(device.id)),
        key.token(&yard, device.id, "akd_nonsense"),
    ] {
        counters.take();
        assert_eq!(code(yard.devices.token(&yard.origin, request).await), PROOF);
        work.push(counters.take());
    }
    assert!(work.iter().all(|done| *done == work[0]), "{work:?}");
    assert_eq!((work[0].reads, work[0].commits), (1, 0));
    // Asking for a challenge costs nothing at all.
    challenge(unknown);
    assert_eq!((counters.take().reads, counters.take().commits), (0, 0));
}

#[tokio::test]
async fn another_node_refuses_a_revoked_device_at_once() {
    let (yard, key) = (yard().await, Key::new(1));
    let mut bare = memory::bare(yard.clock.clone(), SeededRandom::new(1), Settings::default()).unwrap();
    bare.store = yard.cx.store.clone();
    let there = Devices::new(memory::prepare(bare).await.unwrap());
    let device = yard.claimed(&key).await;
    let token = yard.token(&key, device.id).await.unwrap().access_token;
    there.authenticate(token.expose()).await.unwrap();
    yard.devices.revoke(&yard.origin, &yard.ada, device.id).await.unwrap();
    // Without hearing the feed.
    assert_eq!(code(there.authenticate(token.expose()).await), TOKEN);
}
