//! The power fails at every moment of a claim and of a reset: at each erasure, each word of flash, each connection, before
//! and after the server heard each message.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use authkit_firmware_client::{Error, Heartbeat, MIN_BUFFER, State};
use world::{Shared, World, invitation, run, start};

/// Claims with the power failing after `moments`; whether it lasted to the end.
fn claim_until_it_fails(world: &Shared, moments: usize) -> bool {
    world.borrow_mut().power = Some(moments);
    let mut buffer = [0; MIN_BUFFER];
    let claimed = start(world, &mut buffer).and_then(|mut client| run(client.claim(&invitation(world)))).is_ok();
    let lasted = !world.borrow().is_dark();
    world.borrow_mut().power = None;
    claimed && lasted
}

/// After whatever happened the board is started again, and the owner shows the same code again.
fn comes_to_be_claimed(world: &Shared) {
    let mut buffer = [0; MIN_BUFFER];
    let mut client = start(world, &mut buffer).unwrap();
    match client.state() {
        State::Claimed(_) => {}
        State::Claiming => _ = run(client.resume()).unwrap(),
        State::Unclaimed => _ = run(client.claim(&invitation(world))).unwrap(),
        other => panic!("{other:?}"),
    }
    assert_eq!(run(client.heartbeat(&Heartbeat::default())), Ok(60_000));
    let State::Claimed(id) = client.state() else { panic!("{:?}", client.state()) };
    drop(client);
    let world = world.borrow();
    assert_eq!(world.server.devices.len(), 1, "one device, whatever happened");
    assert_eq!(world.server.devices[0].id, id.to_string());
    assert_eq!(world.slots[0], world.slots[1], "an interrupted write is finished");
}

#[test]
fn a_claim_that_loses_power_anywhere_ends_as_one_device() {
    let mut moments = 0;
    loop {
        let world = World::new();
        let whole = claim_until_it_fails(&world, moments);
        comes_to_be_claimed(&world);
        if whole {
            break;
        }
        moments += 1;
    }
    // Two records in two slots, an erasure and 84 words each; two connections, and two messages before and after they
    // arrive.
    assert_eq!(moments, 2 * 2 * 85 + 6);
}

#[test]
fn the_way_back_may_lose_power_too() {
    // The second failure goes through all of the way back, for first failures in each part of the claim.
    for first in (0..350).step_by(23) {
        for second in (0..350).step_by(7) {
            let world = World::new();
            if claim_until_it_fails(&world, first) {
                break;
            }
            world.borrow_mut().power = Some(second);
            let mut buffer = [0; MIN_BUFFER];
            if let Ok(mut client) = start(&world, &mut buffer) {
                let _ = match client.state() {
                    State::Unclaimed => run(client.claim(&invitation(&world))),
                    _ => run(client.resume()),
                };
            }
            world.borrow_mut().power = None;
            comes_to_be_claimed(&world);
        }
    }
}

#[test]
fn nothing_is_sent_before_the_key_is_in_the_storage() {
    // Erasure and all words of both slots.
    for moments in 0..2 * 85 {
        let world = World::new();
        assert!(!claim_until_it_fails(&world, moments));
        assert_eq!(world.borrow().paths(), [""; 0]);
    }
}

#[test]
fn a_typed_code_without_a_known_server_survives_as_well() {
    use authkit_firmware_client::{Invitation, Server};
    let typed =
        || Invitation::new(Server::parse("https://id.example.com").unwrap(), world::server::CODE.parse().unwrap());
    let mut moments = 0;
    loop {
        let world = World::new();
        world.borrow_mut().power = Some(moments);
        let mut buffer = [0; MIN_BUFFER];
        let claimed = start(&world, &mut buffer).and_then(|mut client| run(client.claim(&typed()))).is_ok();
        let whole = claimed && !world.borrow().is_dark();
        world.borrow_mut().power = None;
        // The same code, typed again, in every state but the last.
        let mut client = start(&world, &mut buffer).unwrap();
        if !matches!(client.state(), State::Claimed(_)) {
            run(client.claim(&typed())).unwrap();
        }
        drop(client);
        comes_to_be_claimed(&world);
        if whole {
            break;
        }
        moments += 5;
    }
    assert!(moments > 2 * 2 * 85, "the server's key is kept with the device's id: {moments}");
}

#[test]
fn a_reset_that_loses_power_leaves_the_device_or_nothing() {
    let mut moments = 0;
    loop {
        let world = World::new();
        comes_to_be_claimed(&world);
        let secret = world.borrow().slots[0][12..44].to_vec();
        let mut buffer = [0; MIN_BUFFER];
        world.borrow_mut().power = Some(moments);
        let whole = start(&world, &mut buffer).and_then(|mut client| run(client.reset())).is_ok();
        world.borrow_mut().power = None;

        let mut client = start(&world, &mut buffer).unwrap();
        match client.state() {
            State::Unclaimed => assert_eq!(run(client.heartbeat(&Heartbeat::default())), Err(Error::Unclaimed)),
            State::Claimed(_) => assert_eq!(run(client.heartbeat(&Heartbeat::default())), Ok(60_000)),
            other => panic!("{other:?}"),
        }
        run(client.reset()).unwrap();
        assert_eq!(client.state(), State::Unclaimed);
        drop(client);
        for slot in &world.borrow().slots {
            assert!(!slot.windows(secret.len()).any(|window| window == secret), "the key is gone from both slots");
        }
        if whole {
            break;
        }
        moments += 1;
    }
    assert_eq!(moments, 2 * 85);
}
