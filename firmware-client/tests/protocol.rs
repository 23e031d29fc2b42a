//! What the client says, believes and does, against a server that keeps the rules, and others that do not.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use authkit_firmware_client::{
    ConnectError, Error, Health, Heartbeat, Invitation, KeyKind, MAX_ADDRESS, MIN_BUFFER, Server, Settings, State,
};
use world::{
    Device, Fault, Shared, World, invitation, run,
    server::{self, CODE, Forgery},
    start,
};

const CHALLENGE: &str = "/v1/devices/challenge";
const CLAIM: &str = "/v1/devices/claim";
const TOKEN: &str = "/v1/devices/token";
const BEAT: &str = "/v1/devices/heartbeat";

fn claimed<'b>(world: &Shared, buffer: &'b mut [u8; MIN_BUFFER]) -> Device<'b> {
    let mut client = start(world, buffer).unwrap();
    run(client.claim(&invitation(world))).unwrap();
    world.borrow_mut().sent.clear();
    client
}

fn beat(client: &mut Device<'_>) -> Result<u64, Error> {
    run(client.heartbeat(&Heartbeat::default()))
}

fn typed() -> Invitation {
    Invitation::new(Server::parse("https://id.example.com").unwrap(), CODE.parse().unwrap())
}

#[test]
fn a_claim_asks_for_the_time_first_and_sends_secrets_only_with_it() {
    let world = World::new();
    let mut buffer = [0; MIN_BUFFER];
    let mut client = start(&world, &mut buffer).unwrap();
    assert_eq!((client.state(), client.now()), (State::Unclaimed, None));
    let id = run(client.claim(&invitation(&world))).unwrap();
    assert_eq!(client.state(), State::Claimed(id));
    let world = world.borrow();
    let sent: Vec<_> = world.sent.iter().map(|(path, dated)| (path.as_str(), *dated)).collect();
    assert_eq!(sent, [(CHALLENGE, false), (CLAIM, true)]);
    assert_eq!(world.date, Some(world.server.time));
}

#[test]
fn a_token_is_fetched_before_it_ends_and_time_goes_on() {
    let world = World::new();
    let mut buffer = [0; MIN_BUFFER];
    let mut client = claimed(&world, &mut buffer);
    let start = client.now().unwrap();
    beat(&mut client).unwrap();
    world.borrow_mut().uptime += 539_000;
    beat(&mut client).unwrap();
    assert_eq!(client.now(), Some(start + 539));
    world.borrow_mut().uptime += 2_000;
    beat(&mut client).unwrap();
    assert_eq!(world.borrow().paths(), [BEAT, BEAT, CHALLENGE, TOKEN, BEAT]);
}

#[test]
fn a_heartbeat_says_what_the_device_says() {
    let world = World::new();
    let mut buffer = [0; MIN_BUFFER];
    let mut client = claimed(&world, &mut buffer);
    let said = Heartbeat { health: Some(Health::Degraded), capabilities: Some(&["relay", "a\"b"]) };
    assert_eq!(run(client.heartbeat(&said)), Ok(60_000));
    let expected = serde_json::json!({"status": "degraded", "version": "1.4.0", "capabilities": ["relay", "a\"b"]});
    assert_eq!(world.borrow().server.devices[0].beats, [expected]);
}

#[test]
fn a_token_that_does_not_count_is_replaced_once() {
    let world = World::new();
    let mut buffer = [0; MIN_BUFFER];
    let mut client = claimed(&world, &mut buffer);
    world.borrow_mut().server.forget_tokens();
    beat(&mut client).unwrap();
    assert_eq!(world.borrow().paths(), [BEAT, CHALLENGE, TOKEN, BEAT]);

    let refuses = b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n".to_vec();
    world.borrow_mut().server.instead.insert(BEAT.to_owned(), refuses);
    world.borrow_mut().sent.clear();
    assert_eq!(beat(&mut client), Err(Error::Status(401)), "not for ever");
    assert_eq!(world.borrow().paths(), [BEAT, CHALLENGE, TOKEN, BEAT]);
}

#[test]
fn a_revoked_device_knows_it_and_is_silent_until_it_is_told_to_try_again() {
    let world = World::new();
    let mut buffer = [0; MIN_BUFFER];
    let mut client = claimed(&world, &mut buffer);
    let State::Claimed(id) = client.state() else { panic!() };
    world.borrow_mut().server.devices[0].revoked = true;
    assert_eq!(beat(&mut client), Err(Error::Refused));
    assert_eq!(client.state(), State::Refused(id));
    // Twice, because the first refusal may have been of a challenge that came late.
    assert_eq!(world.borrow().paths(), [BEAT, CHALLENGE, TOKEN, CHALLENGE, TOKEN]);
    world.borrow_mut().sent.clear();
    assert_eq!(beat(&mut client), Err(Error::Refused));
    assert_eq!(run(client.resume()), Err(Error::Refused));
    assert_eq!(world.borrow().paths(), [""; 0]);
    assert!(!Error::Refused.retryable());

    client.try_again();
    assert_eq!(beat(&mut client), Err(Error::Refused));
    world.borrow_mut().server.devices[0].revoked = false;
    client.try_again();
    assert_eq!(beat(&mut client), Ok(60_000));
    // The key is still there unless its maker wipes it.
    drop(client);
    assert_eq!(start(&world, &mut buffer).unwrap().state(), State::Claimed(id));
}

#[test]
fn a_reset_device_is_claimed_with_another_key() {
    let world = World::new();
    let mut buffer = [0; MIN_BUFFER];
    let mut client = claimed(&world, &mut buffer);
    assert_eq!(run(client.claim(&invitation(&world))), Err(Error::AlreadyClaimed));
    run(client.reset()).unwrap();
    assert_eq!(beat(&mut client), Err(Error::Unclaimed));
    world.borrow_mut().server.new_code("AAAA-BBBB-CCCC");
    run(client.claim(&invitation(&world))).unwrap();
    assert_eq!(world.borrow().server.devices.len(), 2);
    assert_eq!(world.borrow().server.keys_seen.len(), 2);
}

#[test]
fn the_time_of_one_server_is_not_believed_for_another() {
    for claimed_before in [true, false] {
        let world = World::new();
        let mut buffer = [0; MIN_BUFFER];
        let mut client = start(&world, &mut buffer).unwrap();
        world.borrow_mut().server.code_counts = claimed_before;
        assert_eq!(run(client.claim(&invitation(&world))).is_ok(), claimed_before);
        assert!(client.now().is_some());
        if claimed_before {
            run(client.reset()).unwrap();
        }
        world.borrow_mut().server = server::Server::new(2);
        world.borrow_mut().server.host = "other.example.com";
        world.borrow_mut().sent.clear();
        run(client.claim(&invitation(&world))).unwrap();
        let sent = world.borrow().sent.clone();
        assert_eq!(sent, [(CHALLENGE, false), (CLAIM, true)].map(|(path, on)| (path.to_owned(), on)));
    }
}

#[test]
fn what_the_server_did_not_sign_for_this_nonce_is_not_believed() {
    for (forgery, pinned, error) in [
        (Forgery::Time, true, Error::BadSignature),
        (Forgery::Nonce, true, Error::BadSignature),
        (Forgery::Challenge, true, Error::BadSignature),
        (Forgery::Signature, true, Error::BadSignature),
        (Forgery::Key, true, Error::WrongServer),
        (Forgery::Time, false, Error::BadSignature),
        (Forgery::Nonce, false, Error::BadSignature),
    ] {
        let world = World::new();
        world.borrow_mut().server.forgery = Some(forgery);
        let mut buffer = [0; MIN_BUFFER];
        let mut client = start(&world, &mut buffer).unwrap();
        let invitation = if pinned { invitation(&world) } else { typed() };
        assert_eq!(run(client.claim(&invitation)), Err(error), "{forgery:?}");
        assert_eq!((client.state(), client.now()), (State::Claiming, None));
        assert_eq!(world.borrow().date, None, "{forgery:?}");
        assert_eq!(world.borrow().paths(), [CHALLENGE]);
        // Whoever it was is gone, and the same claim goes on.
        world.borrow_mut().server.forgery = None;
        run(client.resume()).unwrap();
    }
}

#[test]
fn the_key_of_the_first_contact_is_kept_over_a_restart() {
    let world = World::new();
    let mut buffer = [0; MIN_BUFFER];
    let mut client = start(&world, &mut buffer).unwrap();
    run(client.claim(&typed())).unwrap();
    drop(client);
    let mut client = start(&world, &mut buffer).unwrap();
    world.borrow_mut().server.forgery = Some(Forgery::Key);
    assert_eq!(beat(&mut client), Err(Error::WrongServer));
    world.borrow_mut().server.forgery = None;
    assert_eq!(beat(&mut client), Ok(60_000));
}

#[test]
fn the_key_of_a_server_that_did_not_take_the_claim_is_not_kept() {
    for restarted in [true, false] {
        let world = World::new();
        world.borrow_mut().server.forgery = Some(Forgery::Key);
        world.borrow_mut().fault = Some((1, Fault::Request));
        let mut buffer = [0; MIN_BUFFER];
        let mut client = start(&world, &mut buffer).unwrap();
        assert_eq!(run(client.claim(&typed())), Err(Error::Network));
        assert_eq!(world.borrow().paths(), [CHALLENGE, CLAIM]);
        world.borrow_mut().server.forgery = None;
        if restarted {
            drop(client);
            client = start(&world, &mut buffer).unwrap();
        }
        run(client.resume()).unwrap();
        assert_eq!(beat(&mut client), Ok(60_000), "{restarted}");
    }
}

#[test]
fn a_claim_that_goes_on_writes_nothing_and_keeps_the_key_that_was_scanned() {
    let world = World::new();
    world.borrow_mut().connects = Err(ConnectError::Unreachable);
    let mut buffer = [0; MIN_BUFFER];
    let mut client = start(&world, &mut buffer).unwrap();
    assert_eq!(run(client.claim(&invitation(&world))), Err(Error::Network));
    let moments = world.borrow().moments;
    assert_eq!(run(client.claim(&invitation(&world))), Err(Error::Network));
    assert_eq!(run(client.claim(&typed())), Err(Error::Network));
    assert_eq!(world.borrow().moments, moments, "flash wears out");
    world.borrow_mut().connects = Ok(());
    world.borrow_mut().server.forgery = Some(Forgery::Key);
    assert_eq!(run(client.claim(&typed())), Err(Error::WrongServer));
}

#[test]
fn no_time_before_the_firmwares_own_is_believed() {
    let world = World::new();
    let time = world.borrow().server.time;
    for (not_before, believed) in [(time + 1, false), (time, true)] {
        let mut buffer = [0; MIN_BUFFER];
        let settings = Settings { not_before, ..Settings::default() };
        let mut client = world::start_with(&world, settings, &mut buffer).unwrap();
        world.borrow_mut().sent.clear();
        assert_eq!(run(client.claim(&typed())).is_ok(), believed);
        assert_eq!(client.now().is_some(), believed);
        assert_eq!(world.borrow().date.is_some(), believed);
        assert_eq!(world.borrow().paths().contains(&CLAIM), believed);
    }
}

#[test]
fn a_code_that_does_not_count_is_said_to_be_one_and_another_is_taken() {
    let world = World::new();
    world.borrow_mut().server.code_counts = false;
    let mut buffer = [0; MIN_BUFFER];
    let mut client = start(&world, &mut buffer).unwrap();
    assert_eq!(run(client.claim(&invitation(&world))), Err(Error::ClaimRefused));
    assert_eq!(client.state(), State::Claiming);
    world.borrow_mut().server.new_code("AAAA-BBBB-CCCC");
    run(client.claim(&invitation(&world))).unwrap();
    assert_eq!(world.borrow().server.devices.len(), 1);
}

#[test]
fn a_lost_message_is_a_network_failure_and_the_next_try_goes_on() {
    for fault in [Fault::Request, Fault::Answer] {
        for lost in 0..2 {
            let world = World::new();
            world.borrow_mut().fault = Some((lost, fault));
            let mut buffer = [0; MIN_BUFFER];
            let mut client = start(&world, &mut buffer).unwrap();
            assert_eq!(run(client.claim(&invitation(&world))), Err(Error::Network), "{fault:?} {lost}");
            assert!(Error::Network.retryable());
            run(client.resume()).unwrap();
            assert_eq!(world.borrow().server.devices.len(), 1);
        }
    }
}

#[test]
fn silence_ends_after_the_time_that_was_set() {
    let world = World::new();
    world.borrow_mut().fault = Some((0, Fault::Silence));
    let mut buffer = [0; MIN_BUFFER];
    let mut client = start(&world, &mut buffer).unwrap();
    let before = world.borrow().uptime;
    assert_eq!(run(client.claim(&invitation(&world))), Err(Error::Timeout));
    assert_eq!(world.borrow().uptime, before + 20_000);
    run(client.resume()).unwrap();
}

#[test]
fn a_challenge_is_not_used_when_it_has_become_old() {
    let world = World::new();
    let mut buffer = [0; MIN_BUFFER];
    let mut client = start(&world, &mut buffer).unwrap();
    world.borrow_mut().fault = Some((1, Fault::Request));
    assert_eq!(run(client.claim(&typed())), Err(Error::Network));
    world.borrow_mut().fault = None;
    world.borrow_mut().uptime += 51_000;
    world.borrow_mut().sent.clear();
    run(client.resume()).unwrap();
    assert_eq!(world.borrow().paths(), [CHALLENGE, CLAIM]);
}

#[test]
fn a_busy_server_says_when_to_come_back() {
    let world = World::new();
    let mut buffer = [0; MIN_BUFFER];
    let mut client = claimed(&world, &mut buffer);
    let busy = b"HTTP/1.1 503 No\r\nRetry-After: 9\r\nContent-Length: 0\r\n\r\n".to_vec();
    world.borrow_mut().server.instead.insert(BEAT.to_owned(), busy.clone());
    let error = beat(&mut client).unwrap_err();
    assert_eq!((error, error.retryable()), (Error::Busy { retry_after: Some(9) }, true));
    world.borrow_mut().server.instead.insert(TOKEN.to_owned(), busy);
    world.borrow_mut().server.instead.remove(BEAT);
    world.borrow_mut().server.forget_tokens();
    assert_eq!(beat(&mut client), Err(Error::Busy { retry_after: Some(9) }));
    assert!(matches!(client.state(), State::Claimed(_)), "not refused");
}

#[test]
fn no_server_silences_a_device_for_more_than_a_day() {
    let world = World::new();
    let mut buffer = [0; MIN_BUFFER];
    let mut client = claimed(&world, &mut buffer);
    let instead = |answer: &str| {
        world.borrow_mut().server.instead.insert(BEAT.to_owned(), answer.as_bytes().to_vec());
    };
    instead("HTTP/1.1 200 X\r\nContent-Length: 32\r\n\r\n{\"next_in\":18446744073709551615}");
    assert_eq!(beat(&mut client), Ok(86_400_000));
    instead("HTTP/1.1 429 X\r\nRetry-After: 999999999\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(beat(&mut client), Err(Error::Busy { retry_after: Some(86_400) }));
}

#[test]
fn no_time_after_the_last_one_of_certificates_is_believed() {
    for (time, believed) in [(253_402_300_800, false), (u64::MAX, false), (253_402_300_799, true)] {
        let world = World::new();
        world.borrow_mut().server.time = time;
        let mut buffer = [0; MIN_BUFFER];
        let mut client = start(&world, &mut buffer).unwrap();
        assert_eq!(run(client.claim(&invitation(&world))).is_ok(), believed, "{time}");
        assert_eq!(client.now().is_some(), believed);
    }
}

#[test]
fn answers_that_are_not_what_they_should_be_change_nothing() {
    let json = |body: &str| format!("HTTP/1.1 200 X\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes();
    let token = |fields: &str| json(&format!("{{{fields}}}"));
    let id = "\"device_id\":\"dev_0192f0c1a4b87c3d9e5f607182930001\"";
    let other = "\"device_id\":\"dev_0192f0c1a4b87c3d9e5f607182930002\"";
    for (path, answer) in [
        (CHALLENGE, json("{}")),
        (CHALLENGE, json("[")),
        (CHALLENGE, b"HTTP/1.1 200 X\r\n\r\n".to_vec()),
        (CHALLENGE, json(&" ".repeat(MIN_BUFFER))),
        (TOKEN, token(&format!("{id},\"access_token\":\"a\",\"token_type\":\"Bearer\""))),
        (TOKEN, token(&format!("{id},\"access_token\":\"a\",\"token_type\":\"DPoP\",\"expires_in\":600"))),
        (TOKEN, token(&format!("{id},\"access_token\":\"a b\",\"token_type\":\"Bearer\",\"expires_in\":600"))),
        (TOKEN, token(&format!("{id},\"access_token\":\"a\\r\\nX: y\",\"token_type\":\"Bearer\",\"expires_in\":600"))),
        (TOKEN, token(&format!("{id},\"access_token\":\"\",\"token_type\":\"Bearer\",\"expires_in\":600"))),
        (TOKEN, token(&format!("{other},\"access_token\":\"a\",\"token_type\":\"Bearer\",\"expires_in\":600"))),
    ] {
        let world = World::new();
        let mut buffer = [0; MIN_BUFFER];
        let mut client = claimed(&world, &mut buffer);
        let slots = world.borrow().slots;
        world.borrow_mut().server.forget_tokens();
        world.borrow_mut().server.instead.insert(path.to_owned(), answer);
        assert!(matches!(beat(&mut client), Err(Error::Protocol(_))), "{path}");
        assert_eq!(world.borrow().slots, slots);
        world.borrow_mut().server.instead.clear();
        assert_eq!(beat(&mut client), Ok(60_000));
    }
}

#[test]
fn calls_of_the_application_go_with_the_token_and_cannot_smuggle_headers() {
    let world = World::new();
    world.borrow_mut().server.chunked = true;
    let mut buffer = [0; MIN_BUFFER];
    let mut client = claimed(&world, &mut buffer);
    let answer = run(client.get("/v1/devices/self")).unwrap();
    let id = answer.json().unwrap().required("id").unwrap().text().unwrap();
    assert_eq!((answer.status, id), (200, "dev_0192f0c1a4b87c3d9e5f607182930001"));
    let answer = run(client.post("/readings", "{\"celsius\":21}")).unwrap();
    assert_eq!((answer.status, answer.code()), (404, Some("not_found")));
    world.borrow_mut().sent.clear();
    for path in ["", "x", "/a\r\nX: y", "/a b"] {
        assert_eq!(run(client.get(path)).err(), Some(Error::Argument("the path")));
    }
    let long = format!("\"{}\"", "x".repeat(MIN_BUFFER));
    assert_eq!(run(client.post("/readings", &long)).err(), Some(Error::TooLarge));
    assert_eq!(world.borrow().paths(), [""; 0]);
}

/// As long as the server takes them: devices/text.rs of the core.
#[test]
fn every_request_of_the_protocol_fits_into_the_smallest_buffer() {
    let world = World::new();
    let (name, version, word) = ("\u{1f33f}".repeat(100), "\"".repeat(64), "x".repeat(32));
    {
        let server = &mut world.borrow_mut().server;
        server.host = "a".repeat(MAX_ADDRESS - "https://".len()).leak();
        server.tenant = Some("ten_0192f0c1a4b87c3d9e5f60718293a4b5".to_owned());
        server.longest = true;
    }
    // The longer one.
    #[cfg(feature = "p256")]
    let key = KeyKind::P256;
    #[cfg(not(feature = "p256"))]
    let key = KeyKind::Ed25519;
    let settings = Settings { key, name: Some(&name), version: Some(&version), ..Settings::default() };
    let mut buffer = [0; MIN_BUFFER];
    let mut client = world::start_with(&world, settings, &mut buffer).unwrap();
    run(client.claim(&invitation(&world))).unwrap();
    let said = Heartbeat { health: Some(Health::Degraded), capabilities: Some(&[&*word; 32]) };
    assert_eq!(run(client.heartbeat(&said)), Ok(60_000));
    world.borrow_mut().server.forget_tokens();
    assert_eq!(run(client.heartbeat(&said)), Ok(60_000));
}

#[test]
fn the_tenant_of_the_code_goes_with_every_request_also_after_a_restart() {
    let world = World::new();
    // The server of this test refuses requests without it.
    world.borrow_mut().server.tenant = Some("ten_0192f0c1a4b87c3d9e5f60718293a4b5".to_owned());
    let mut buffer = [0; MIN_BUFFER];
    let mut client = claimed(&world, &mut buffer);
    beat(&mut client).unwrap();
    drop(client);
    let mut client = start(&world, &mut buffer).unwrap();
    beat(&mut client).unwrap();
}

#[test]
fn a_wrong_time_that_the_server_signed_does_not_lock_the_device_out() {
    let world = World::new();
    let right = world.borrow().server.time;
    world.borrow_mut().valid = right - 86_400..=right + 86_400;
    world.borrow_mut().server.time = right + 40 * 365 * 86_400;
    let mut buffer = [0; MIN_BUFFER];
    let mut client = start(&world, &mut buffer).unwrap();
    assert_eq!(run(client.claim(&invitation(&world))), Err(Error::Untrusted));
    assert_eq!(client.now(), None);
    world.borrow_mut().server.time = right;
    run(client.resume()).unwrap();
    let sent = world.borrow().sent.clone();
    assert_eq!(sent, [(CHALLENGE, false), (CHALLENGE, false), (CLAIM, true)].map(|(path, on)| (path.to_owned(), on)));

    // The same when a device has lived for long: what was believed wrongly costs one call.
    world.borrow_mut().uptime += 600_000;
    world.borrow_mut().server.time = 1;
    assert_eq!(beat(&mut client), Ok(60_000), "the connection was open before");
    world.borrow_mut().sent.clear();
    world.borrow_mut().server.time = right;
    assert_eq!(beat(&mut client), Err(Error::Untrusted));
    assert_eq!(beat(&mut client), Ok(60_000));
    let sent = world.borrow().sent.clone();
    assert_eq!(sent, [(CHALLENGE, false), (BEAT, true)].map(|(path, on)| (path.to_owned(), on)));
}

#[test]
fn what_the_connector_says_is_passed_on() {
    for (said, error) in [
        (ConnectError::Unreachable, Error::Network),
        (ConnectError::Untrusted, Error::Untrusted),
        (ConnectError::Insecure, Error::Insecure),
    ] {
        let world = World::new();
        let mut buffer = [0; MIN_BUFFER];
        let mut client = claimed(&world, &mut buffer);
        world.borrow_mut().connects = Err(said);
        assert_eq!(beat(&mut client), Err(error));
    }
}

#[test]
fn without_randomness_there_is_no_key() {
    let world = World::new();
    world.borrow_mut().generator_fails = true;
    let mut buffer = [0; MIN_BUFFER];
    let mut client = start(&world, &mut buffer).unwrap();
    assert_eq!(run(client.claim(&invitation(&world))), Err(Error::Random));
    assert_eq!(client.state(), State::Unclaimed);
    assert_eq!(world.borrow().slots[0], [0xff; authkit_firmware_client::RECORD]);
}

#[test]
fn nothing_is_left_in_the_buffer() {
    let world = World::new();
    let mut buffer = [0; MIN_BUFFER];
    drop(claimed(&world, &mut buffer));
    assert_eq!(buffer, [0; MIN_BUFFER]);
}

#[cfg(feature = "p256")]
#[test]
fn a_device_may_sign_on_p256() {
    let world = World::new();
    let mut buffer = [0; MIN_BUFFER];
    let settings = || Settings { key: KeyKind::P256, ..Settings::default() };
    let mut client = world::start_with(&world, settings(), &mut buffer).unwrap();
    run(client.claim(&invitation(&world))).unwrap();
    drop(client);
    let mut client = world::start_with(&world, settings(), &mut buffer).unwrap();
    assert_eq!(beat(&mut client), Ok(60_000));
    assert_eq!(world.borrow().server.devices[0].public.len(), 65);
}
