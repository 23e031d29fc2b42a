use super::*;
use crate::{
    accounts::AccountChange,
    notices::Notice,
    ports::{Scope, Unit},
};

#[tokio::test]
async fn a_device_is_claimed_with_a_code_once_and_gets_its_first_token() {
    for algorithm in [KeyAlgorithm::EdDsa, KeyAlgorithm::Es256] {
        let (yard, key) = (yard().await, Key::of(algorithm, 1));
        let claim = yard.code().await;
        assert_eq!(claim.expires_at.as_second(), START + 900);
        let claimed = yard.claim(&key, &claim.code.expose().to_lowercase().replace('-', " ")).await.unwrap();
        let device = &claimed.device;
        assert_eq!(
            (device.owner_id, device.name.as_str(), device.algorithm),
            (yard.ada.user, "Thermometer", algorithm)
        );
        assert_eq!((device.version.as_deref(), device.status), (Some("1.0.0"), DeviceStatus::Active));
        assert_eq!(device.key_thumbprint, URL_SAFE_NO_PAD.encode(crate::crypto::sha256(&key.public)));
        assert_eq!(claimed.expires_in, 600);
        let principal = yard.authenticate(&claimed.access_token).await.unwrap();
        assert_eq!((principal.device, principal.owner), (device.id, yard.ada.user));
        assert_eq!(yard.audited().await, ["device.claim_created", "device.claimed"]);
        assert_eq!(code(yard.claim(&Key::new(2), claim.code.expose()).await), CLAIM);
        assert_eq!(yard.devices.list(&yard.ada, None, None, None).await.unwrap().data.len(), 1);
        let counted = yard.counts.0.lock().unwrap().clone();
        assert_eq!(counted, [("device.claim", AuditOutcome::Success), ("device.claim", AuditOutcome::Failure)]);
    }
}

#[tokio::test]
async fn the_owner_hears_of_a_claimed_device() {
    let (yard, key) = (yard().await, Key::new(1));
    yard.claimed(&key).await;
    let (owner, now) = (yard.cx.uuid(), yard.cx.now());
    let rows = yard.cx.store.claim_notices(owner, now, now, 100).await.unwrap();
    let told = rows.iter().map(|row| {
        let plain = yard.cx.keyring.open("notice", row.id.uuid().as_bytes(), &row.payload).unwrap();
        serde_json::from_slice::<Notice>(&plain).unwrap()
    });
    let told: Vec<_> = told.filter(|notice| notice.kind() == "device_claimed").collect();
    let [Notice::DeviceClaimed { email, device, ip, .. }] = &told[..] else { panic!("{told:?}") };
    assert_eq!((email.as_str(), device.as_str(), *ip), ("ada@example.org", "Thermometer", yard.origin.ip));
}

#[tokio::test]
async fn the_qr_code_says_server_code_and_key() {
    let yard = yard().await;
    let claim = yard.code().await;
    let key = URL_SAFE_NO_PAD.encode(yard.cx.keyring.server_key());
    let expected = format!("authkit:claim?server=http%3A%2F%2F127.0.0.1%3A8080&code={}&key={key}", claim.code.expose());
    assert_eq!((claim.uri.expose(), claim.server_key), (expected.as_str(), key));
    assert!(claim.qr_svg.expose().starts_with("<svg") && claim.qr_png.expose().starts_with("data:image/png"));
    // A tenant that no host names is named.
    let acme = yard.elsewhere().await;
    let eve = sign_up(&yard.cx, &acme, "eve@example.org").await;
    let claim = yard.devices.create_claim(&acme, &eve, CreateDeviceClaimRequest { name: None }).await.unwrap();
    assert!(claim.uri.expose().ends_with(&format!("&tenant={}", acme.tenant)), "{}", claim.uri.expose());
}

#[tokio::test]
async fn the_code_is_stored_as_a_keyed_hash_only() {
    let yard = yard().await;
    let claim = yard.code().await;
    let plain: ClaimCode = claim.code.expose().parse().unwrap();
    let stored = yard.cx.store.find_device_claim(DEFAULT_TENANT, &claims_key(&yard, &plain)).await.unwrap().unwrap();
    assert_eq!(stored.id, claim.id);
    let shown = format!("{stored:?} {claim:?}");
    assert!(!shown.contains(plain.as_str()) && !shown.contains(claim.code.expose()), "{shown}");
    assert_ne!(stored.code[1..], crate::crypto::sha256(plain.as_str().as_bytes()));
}

fn claims_key(yard: &Yard, code: &ClaimCode) -> [u8; 33] {
    super::super::claims::code_key(&yard.cx, DEFAULT_TENANT, code)
}

#[tokio::test]
async fn the_name_of_the_owner_comes_before_that_of_the_device() {
    let yard = yard().await;
    let request = CreateDeviceClaimRequest { name: Some(" Greenhouse ".into()) };
    let claim = yard.devices.create_claim(&yard.origin, &yard.ada, request).await.unwrap();
    assert_eq!(yard.claim(&Key::new(1), claim.code.expose()).await.unwrap().device.name, "Greenhouse");
    let (key, claim) = (Key::new(2), yard.code().await);
    let challenge = key.challenge_to_claim(&yard, &yard.origin).challenge;
    let request = ClaimDeviceRequest { name: None, ..key.claim(&yard, claim.code.expose(), &challenge) };
    assert_eq!(yard.devices.claim(&yard.origin, request).await.unwrap().device.name, "Device");
}

#[tokio::test]
async fn a_repeat_of_the_same_key_is_the_same_device_for_a_day() {
    let (yard, key) = (yard().await, Key::new(1));
    let claim = yard.code().await;
    let first = yard.claim(&key, claim.code.expose()).await.unwrap().device;
    // Long after the code has run out, and after a sweep.
    yard.advance(23 * 3600);
    Sessions::new(yard.cx.clone()).sweep().await.unwrap();
    let again = yard.claim(&key, claim.code.expose()).await.unwrap();
    assert_eq!(again.device.id, first.id);
    yard.authenticate(&again.access_token).await.unwrap();
    assert_eq!(code(yard.claim(&Key::new(2), claim.code.expose()).await), CLAIM);
    assert_eq!(yard.devices.list(&yard.ada, None, None, None).await.unwrap().data.len(), 1);
    assert_eq!(yard.audited().await, ["device.claim_created", "device.claimed"]);
    yard.advance(3600);
    assert_eq!(code(yard.claim(&key, claim.code.expose()).await), CLAIM);
}

#[tokio::test]
async fn a_repeat_needs_a_fresh_challenge_and_an_active_device() {
    let (yard, key) = (yard().await, Key::new(1));
    let claim = yard.code().await;
    let challenge = key.challenge_to_claim(&yard, &yard.origin).challenge;
    let request = key.claim(&yard, claim.code.expose(), &challenge);
    let device = yard.devices.claim(&yard.origin, request.clone()).await.unwrap().device;
    assert_eq!(code(yard.devices.claim(&yard.origin, request).await), PROOF);
    yard.devices.revoke(&yard.origin, &yard.ada, device.id).await.unwrap();
    assert_eq!(code(yard.claim(&key, claim.code.expose()).await), CLAIM);
}

#[tokio::test]
async fn two_keys_race_for_a_code_and_one_wins() {
    let yard = yard().await;
    for round in 0..20 {
        let claim = yard.code().await;
        let keys = [Key::new(round * 2), Key::new(round * 2 + 1)];
        let [one, two] = &keys;
        let (one, two) = tokio::join!(yard.claim(one, claim.code.expose()), yard.claim(two, claim.code.expose()));
        assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1);
        assert_eq!(code(one).or(code(two)), CLAIM);
    }
    assert_eq!(yard.devices.list(&yard.ada, None, None, Some(100)).await.unwrap().data.len(), 20);
}

#[tokio::test]
async fn codes_that_are_unknown_void_or_run_out_are_refused_alike() {
    let (yard, key) = (yard().await, Key::new(1));
    let void = yard.code().await;
    yard.devices.void_claim(&yard.origin, &yard.ada, void.id).await.unwrap();
    let old = yard.code().await;
    yard.advance(900);
    for text in ["0000-0000-0000", void.code.expose(), old.code.expose()] {
        assert_eq!(code(yard.claim(&key, text).await), CLAIM);
    }
    let challenge = key.challenge_to_claim(&yard, &yard.origin).challenge;
    let unreadable = ClaimDeviceRequest { code: "nonsense".into(), ..key.claim(&yard, "0000-0000-0000", &challenge) };
    assert_eq!(code(yard.devices.claim(&yard.origin, unreadable).await), CLAIM);
    assert_eq!(yard.audited().await, ["device.claim_created", "device.claim_created", "device.claim_voided"]);
}

#[tokio::test]
async fn a_code_of_another_tenant_does_not_count() {
    let (yard, key) = (yard().await, Key::new(1));
    let claim = yard.code().await;
    let acme = yard.elsewhere().await;
    let challenge = key.challenge_to_claim(&yard, &acme).challenge;
    let request = key.claim(&yard, claim.code.expose(), &challenge);
    assert_eq!(code(yard.devices.claim(&acme, request.clone()).await), CLAIM);
    // Nor does the challenge here.
    assert_eq!(code(yard.devices.claim(&yard.origin, request).await), PROOF);
}

#[tokio::test]
async fn a_proof_is_for_its_code_key_purpose_and_server() {
    let (yard, key) = (yard().await, Key::new(1));
    let claim = yard.code().await;
    let text = claim.code.expose();
    let plain: ClaimCode = text.parse().unwrap();
    let server = yard.cx.keyring.server_key();
    let challenge = key.challenge_to_claim(&yard, &yard.origin).challenge;
    let right = key.claim(&yard, text, &challenge);
    let signed = |signature: String| ClaimDeviceRequest { signature, ..right.clone() };
    let others = Key::new(2).challenge_to_claim(&yard, &yard.origin).challenge;
    for wrong in [
        signed(key.sign(server, Purpose::Claim, "000000000000", &challenge)),
        signed(key.sign(server, Purpose::Token, plain.as_str(), &challenge)),
        signed(key.sign(&[9; 32], Purpose::Claim, plain.as_str(), &challenge)),
        signed(key.sign(server, Purpose::Claim, plain.as_str(), &others)),
        signed(Key::new(2).sign(server, Purpose::Claim, plain.as_str(), &challenge)),
        signed(String::new()),
        // A challenge for another key, with all else right for it.
        key.claim(&yard, text, &others),
        // A key that is put in the place of the one that signed.
        ClaimDeviceRequest { public_key: URL_SAFE_NO_PAD.encode(&Key::new(2).public), ..right.clone() },
    ] {
        assert_eq!(code(yard.devices.claim(&yard.origin, wrong).await), PROOF);
    }
    yard.devices.claim(&yard.origin, right).await.unwrap();
}

#[tokio::test]
async fn a_user_has_so_many_open_claims_and_devices() {
    let yard = yard_with(1, |cx| cx.settings.devices.max_per_user = 2).await;
    let mut claims = Vec::new();
    for _ in 0..OPEN_CLAIMS {
        claims.push(yard.code().await);
    }
    let another = || yard.devices.create_claim(&yard.origin, &yard.ada, CreateDeviceClaimRequest { name: None });
    assert_eq!(code(another().await), Some(ErrorCode::DeviceQuotaReached));
    let first = yard.claim(&Key::new(1), claims[0].code.expose()).await.unwrap().device;
    yard.claim(&Key::new(2), claims[1].code.expose()).await.unwrap();
    assert_eq!(code(yard.claim(&Key::new(3), claims[2].code.expose()).await), Some(ErrorCode::DeviceQuotaReached));
    // Revoked ones do not count, and the code is as good as before.
    yard.devices.revoke(&yard.origin, &yard.ada, first.id).await.unwrap();
    yard.claim(&Key::new(3), claims[2].code.expose()).await.unwrap();
    // Codes that have run out make room.
    yard.advance(900);
    yard.code_of(&sign_in(&yard.cx, &yard.origin, "ada@example.org").await).await;
}

#[tokio::test]
async fn many_claims_at_once_do_not_exceed_the_quota() {
    let yard = yard().await;
    let make = || yard.devices.create_claim(&yard.origin, &yard.ada, CreateDeviceClaimRequest { name: None });
    let made = futures_join(std::iter::repeat_with(make).take(25)).await;
    assert_eq!(made.iter().filter(|claim| claim.is_ok()).count(), OPEN_CLAIMS as usize);
}

/// All of them at the same time.
async fn futures_join<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.map(|future| (Some(Box::pin(future)), None)).collect();
    std::future::poll_fn(|task| {
        let mut pending = false;
        for (future, output) in &mut futures {
            if let Some(running) = future {
                match running.as_mut().poll(task) {
                    std::task::Poll::Ready(value) => (*future, *output) = (None, Some(value)),
                    std::task::Poll::Pending => pending = true,
                }
            }
        }
        if pending { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
    futures.into_iter().filter_map(|(_, output)| output).collect()
}

#[tokio::test]
async fn a_claim_does_not_outlive_its_makers_credentials() {
    let (yard, key) = (yard().await, Key::new(1));
    let claim = yard.code().await;
    let unit = Unit::new().with(AccountChange::SetPassword {
        user: yard.ada.user,
        security_version: 1,
        hash: "$other".into(),
        kept_session: None,
        keep: 1,
        at: yard.cx.now(),
    });
    yard.cx.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.unwrap();
    assert_eq!(code(yard.claim(&key, claim.code.expose()).await), CLAIM);
}

#[tokio::test]
async fn a_key_is_never_two_active_devices() {
    let (yard, key) = (yard().await, Key::new(1));
    let device = yard.claimed(&key).await;
    // With another code of the same owner it is the device that there is.
    let again = yard.code().await;
    assert_eq!(yard.claim(&key, again.code.expose()).await.unwrap().device.id, device.id);
    // Somebody else has to wait until it is revoked.
    let eve = sign_up(&yard.cx, &yard.origin, "eve@example.org").await;
    let theirs = yard.code_of(&eve).await;
    assert_eq!(code(yard.claim(&key, theirs.code.expose()).await), Some(ErrorCode::DeviceKeyInUse));
    yard.devices.revoke(&yard.origin, &yard.ada, device.id).await.unwrap();
    let moved = yard.claim(&key, theirs.code.expose()).await.unwrap().device;
    assert_eq!((moved.owner_id, moved.id == device.id), (eve.user, false));
    assert_eq!(code(yard.token(&key, device.id).await), PROOF);
    yard.token(&key, moved.id).await.unwrap();
}

#[tokio::test]
async fn one_key_races_with_two_codes_and_is_one_device() {
    let yard = yard().await;
    for round in 0..10 {
        let key = Key::new(round);
        let (first, second) = (yard.code().await, yard.code().await);
        let (one, two) = tokio::join!(yard.claim(&key, first.code.expose()), yard.claim(&key, second.code.expose()));
        assert_eq!(one.unwrap().device.id, two.unwrap().device.id);
    }
}

#[tokio::test]
async fn wrong_codes_lock_an_address_for_a_while_and_no_other() {
    let (yard, key) = (yard().await, Key::new(1));
    let claim = yard.code().await;
    let text = claim.code.expose();
    // Requests without a right proof cost no try: nothing was looked up.
    for _ in 0..30 {
        let challenge = key.challenge_to_claim(&yard, &yard.origin).challenge;
        let wrong = ClaimDeviceRequest { signature: "A".repeat(86), ..key.claim(&yard, "0000-0000-0000", &challenge) };
        assert_eq!(code(yard.devices.claim(&yard.origin, wrong).await), PROOF);
    }
    for _ in 0..20 {
        assert_eq!(code(yard.claim(&key, "0000-0000-0000").await), CLAIM);
    }
    let locked = yard.claim(&key, text).await.err().unwrap();
    assert_eq!(
        (locked.code, locked.retry_after),
        (ErrorCode::TooManyAttempts, Some(std::time::Duration::from_secs(60)))
    );
    // Whoever has an address of a network has them all; others are not concerned.
    let from = |ip: &str| Origin { ip: Some(ip.parse().unwrap()), ..yard.origin.clone() };
    let claim_from = async |ip: &str, key: &Key, text: &str| {
        let challenge = key.challenge_to_claim(&yard, &yard.origin).challenge;
        yard.devices.claim(&from(ip), key.claim(&yard, text, &challenge)).await
    };
    for n in 0..20 {
        assert_eq!(code(claim_from(&format!("2001:db8:1:2::{n}"), &key, "0000-0000-0000").await), CLAIM);
    }
    assert_eq!(code(claim_from("2001:db8:1:2:f::1", &key, text).await), Some(ErrorCode::TooManyAttempts));
    claim_from("2001:db8:1:3::1", &Key::new(2), text).await.unwrap();
    yard.advance(61);
    let next = yard.code().await;
    yard.claim(&key, next.code.expose()).await.unwrap();
}

#[tokio::test]
async fn a_claim_of_ones_own_does_not_wash_wrong_codes_off() {
    let yard = yard().await;
    for round in 0..20 {
        assert_eq!(code(yard.claim(&Key::new(0), "0000-0000-0000").await), CLAIM);
        if round % 5 == 0 {
            let key = Key::new(100 + round);
            yard.claimed(&key).await;
        }
    }
    assert_eq!(code(yard.claim(&Key::new(0), "0000-0000-0000").await), Some(ErrorCode::TooManyAttempts));
}

#[tokio::test]
async fn guessing_from_many_addresses_is_slowed_down_and_keeps_no_honest_device_out() {
    let (yard, key) = (yard().await, Key::new(1));
    let claim = yard.code().await;
    let challenge = || key.challenge_to_claim(&yard, &yard.origin).challenge;
    let guess = async |n: u32| {
        let origin = Origin { ip: Some(std::net::Ipv4Addr::from_bits(0x0a00_0000 + n).into()), ..yard.origin.clone() };
        yard.devices.claim(&origin, key.claim(&yard, "0000-0000-0000", &challenge())).await
    };
    for n in 0..500 {
        assert_eq!(code(guess(n).await), CLAIM, "{n}");
    }
    // Whoever was wrong before waits.
    assert_eq!(code(guess(3).await), Some(ErrorCode::TooManyAttempts));
    yard.claim(&key, claim.code.expose()).await.unwrap();
    yard.advance(61);
    assert_eq!(code(guess(3).await), CLAIM);
}

#[tokio::test]
async fn a_claim_is_made_by_a_recent_sign_in_only() {
    let yard = yard().await;
    yard.clock.advance(yard.cx.settings.sessions.fresh + SignedDuration::from_secs(1));
    let request = CreateDeviceClaimRequest { name: None };
    let stale = yard.devices.create_claim(&yard.origin, &yard.ada, request).await;
    assert_eq!(code(stale), Some(ErrorCode::StepUpRequired));
}

#[tokio::test]
async fn whoever_ends_a_session_from_elsewhere_voids_open_codes_but_no_device() {
    let (yard, sessions) = (yard().await, |yard: &Yard| Sessions::new(yard.cx.clone()));
    let device = yard.claimed(&Key::new(1)).await;
    for all in [true, false] {
        let thief = sign_in(&yard.cx, &yard.origin, "ada@example.org").await;
        let (stolen, key) = (yard.code_of(&thief).await, Key::new(2));
        if all {
            sessions(&yard).revoke_others(&yard.origin, &yard.ada).await.unwrap();
        } else {
            sessions(&yard).revoke(&yard.origin, &yard.ada, thief.session).await.unwrap();
        }
        assert_eq!(code(yard.claim(&key, stolen.code.expose()).await), CLAIM);
    }
    yard.token(&Key::new(1), device.id).await.unwrap();
}
