//! One of the two slots fails: to be read, to be written, or to keep what was written.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use authkit_firmware_client::{Error, Heartbeat, MIN_BUFFER, State};
use world::{Fault, Shared, World, invitation, run, start};

/// A world whose device began a claim, the answer to which was lost.
fn claiming() -> Shared {
    let world = World::new();
    world.borrow_mut().fault = Some((1, Fault::Answer));
    let mut buffer = [0; MIN_BUFFER];
    assert_eq!(run(start(&world, &mut buffer).unwrap().claim(&invitation(&world))), Err(Error::Network));
    world.borrow_mut().fault = None;
    world
}

fn claimed() -> Shared {
    let world = claiming();
    let mut buffer = [0; MIN_BUFFER];
    run(start(&world, &mut buffer).unwrap().resume()).unwrap();
    world
}

/// Starts the device, and whether it is claimed and lives.
fn lives(world: &Shared) -> bool {
    let mut buffer = [0; MIN_BUFFER];
    let mut client = start(world, &mut buffer).unwrap();
    matches!(client.state(), State::Claimed(_)) && run(client.heartbeat(&Heartbeat::default())) == Ok(60_000)
}

#[test]
fn a_device_lives_on_one_slot() {
    for slot in 0..2 {
        let world = claimed();
        world.borrow_mut().unreadable[slot] = true;
        assert!(lives(&world), "unreadable {slot}");

        let world = claimed();
        world.borrow_mut().slots[slot][100] ^= 1;
        world.borrow_mut().worn[slot] = true;
        assert!(lives(&world), "worn {slot}");
        world.borrow_mut().locked[slot] = true;
        assert!(lives(&world), "locked {slot}");
    }
}

#[test]
fn a_device_that_can_read_nothing_does_not_take_itself_for_nobodys() {
    let world = claimed();
    world.borrow_mut().unreadable = [true; 2];
    let mut buffer = [0; MIN_BUFFER];
    assert_eq!(start(&world, &mut buffer).err(), Some(Error::Storage));
}

#[test]
fn what_cannot_be_read_for_a_while_is_not_overwritten() {
    for slot in 0..2 {
        let world = claiming();
        let before = world.borrow().slots[0];
        let mut buffer = [0; MIN_BUFFER];
        run(start(&world, &mut buffer).unwrap().resume()).unwrap();
        // The other slot was not reached any more, and this one is away for a while.
        world.borrow_mut().slots[1 - slot] = before;
        world.borrow_mut().unreadable[slot] = true;
        assert_eq!(start(&world, &mut buffer).unwrap().state(), State::Claiming);
        world.borrow_mut().unreadable[slot] = false;
        assert!(lives(&world), "{slot}");
    }
}

#[test]
fn a_slot_that_fails_in_a_claim_does_not_stop_it_where_nothing_can_be_lost() {
    for slot in 0..2 {
        let world = claiming();
        world.borrow_mut().locked[slot] = true;
        let mut buffer = [0; MIN_BUFFER];
        run(start(&world, &mut buffer).unwrap().resume()).unwrap();
        assert!(lives(&world), "{slot}");
        assert_eq!(world.borrow().server.devices.len(), 1);
    }
}

/// With the power failing at each moment, too.
#[test]
fn the_one_whole_record_is_not_overwritten_first() {
    for slot in 0..2 {
        for moments in 0..300 {
            let world = claiming();
            world.borrow_mut().worn[slot] = true;
            world.borrow_mut().power = Some(moments);
            let mut buffer = [0; MIN_BUFFER];
            let resumed = start(&world, &mut buffer).and_then(|mut client| run(client.resume()));
            world.borrow_mut().power = None;
            world.borrow_mut().worn[slot] = false;
            let mut client = start(&world, &mut buffer).unwrap();
            assert_ne!(client.state(), State::Unclaimed, "{slot} {moments} {resumed:?}");
            run(client.resume()).unwrap();
            assert_eq!(world.borrow().server.devices.len(), 1);
        }
    }
}

#[test]
fn a_slot_that_does_not_keep_what_is_written_is_noticed_before_anything_is_sent() {
    for worn in [[true, true], [true, false], [false, true]] {
        let world = World::new();
        world.borrow_mut().worn = worn;
        let mut buffer = [0; MIN_BUFFER];
        let mut client = start(&world, &mut buffer).unwrap();
        assert_eq!(run(client.claim(&invitation(&world))), Err(Error::Storage), "{worn:?}");
        assert_eq!(world.borrow().paths(), [""; 0]);
        // Only for a moment, as it turns out.
        world.borrow_mut().worn = [false; 2];
        run(client.resume()).unwrap();
        drop(client);
        assert!(lives(&world));
    }
}

#[test]
fn a_reset_that_leaves_the_key_somewhere_says_so_and_counts() {
    for slot in 0..2 {
        let world = claimed();
        let secret = world.borrow().slots[0][12..44].to_vec();
        let holds = |slot: usize| world.borrow().slots[slot].windows(32).any(|window| window == secret);
        world.borrow_mut().locked[slot] = true;
        let mut buffer = [0; MIN_BUFFER];
        let mut client = start(&world, &mut buffer).unwrap();
        assert_eq!(run(client.reset()), Err(Error::Storage));
        assert!(holds(slot) && !holds(1 - slot));
        drop(client);
        let mut client = start(&world, &mut buffer).unwrap();
        assert_eq!(client.state(), State::Unclaimed);
        world.borrow_mut().locked[slot] = false;
        run(client.reset()).unwrap();
        assert!(!holds(slot) && !holds(1 - slot));
    }
}
