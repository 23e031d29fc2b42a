//! Devices, their claims, and challenges that were used.

use super::{assert_conflict, build, commit, must, must_system, parallel};
use authkit_core::{
    accounts::{AccountChange, User},
    devices::{Device, DeviceChange, DeviceClaim, DeviceFilter, UsedClaim},
    ports::{Conflict, Position, Store, Unit},
    wire::{DeviceHealth, DeviceId, DeviceStatus, UserStatus, device::KeyAlgorithm},
};
use std::sync::Arc;

const MANY: u32 = 100;

fn one(change: DeviceChange) -> Unit {
    Unit::new().with(change)
}

fn hold(user: &User) -> DeviceChange {
    DeviceChange::HoldOwner { user: user.id, security_version: user.security_version }
}

fn create(owner: &User, device: &Device, at_most: u32) -> Unit {
    one(hold(owner)).with(DeviceChange::Create { device: Box::new(device.clone()), at_most })
}

async fn stored(store: &dyn Store, owner: &User) -> Device {
    let device = build::device(owner);
    must(store, owner.tenant, create(owner, &device, MANY)).await;
    device
}

fn create_claim(owner: &User, claim: &DeviceClaim, at_most: u32) -> Unit {
    one(hold(owner)).with(DeviceChange::CreateClaim { claim: claim.clone(), at_most })
}

async fn stored_claim(store: &dyn Store, owner: &User) -> DeviceClaim {
    let claim = build::device_claim(owner);
    must(store, owner.tenant, create_claim(owner, &claim, MANY)).await;
    claim
}

fn use_claim(claim: &DeviceClaim, device: DeviceId, key_thumbprint: [u8; 32], seconds: i64) -> Unit {
    let (at, keep_until) = (build::at(seconds), build::at(seconds + 86_400));
    one(DeviceChange::UseClaim { id: claim.id, device, key_thumbprint, at, keep_until })
}

async fn read(store: &dyn Store, device: &Device) -> Option<Device> {
    store.find_device(device.tenant, device.id).await.unwrap().map(|(device, _)| device)
}

pub async fn a_device_is_kept_as_it_was(store: Arc<dyn Store>) {
    let user = build::stored_user(&*store, build::tenant()).await;
    let bare = build::device(&user);
    let full = Device {
        algorithm: KeyAlgorithm::Es256,
        public_key: vec![4; 65],
        version: Some("1.2".to_owned()),
        capabilities: vec!["relay".to_owned(), "ota".to_owned()],
        reported_status: Some(DeviceHealth::Degraded),
        last_seen_at: Some(build::at(7)),
        status: DeviceStatus::Revoked,
        revoked_at: Some(build::at(9)),
        ..build::device(&user)
    };
    for device in [bare, full] {
        must(&*store, user.tenant, create(&user, &device, MANY)).await;
        assert_eq!(
            store.find_device(user.tenant, device.id).await.unwrap(),
            Some((device.clone(), UserStatus::Active))
        );
        assert_eq!(
            store.find_device_by_key(user.tenant, &device.key_thumbprint).await.unwrap(),
            Some(device).filter(Device::is_active)
        );
    }
}

pub async fn a_device_says_how_its_owner_is(store: Arc<dyn Store>) {
    let user = build::stored_user(&*store, build::tenant()).await;
    let device = stored(&*store, &user).await;
    let status = UserStatus::Deactivated;
    let set = AccountChange::SetStatus { user: user.id, security_version: 1, status, erase_at: None, at: build::at(1) };
    must(&*store, user.tenant, Unit::new().with(set)).await;
    assert_eq!(store.find_device(user.tenant, device.id).await.unwrap().unwrap().1, status);
}

pub async fn an_owner_is_held_while_active_and_of_the_same_version(store: Arc<dyn Store>) {
    let user = build::stored_user(&*store, build::tenant()).await;
    must(&*store, user.tenant, one(hold(&user))).await;
    let changed = User { security_version: 2, ..user.clone() };
    for (tenant, unit) in [(build::tenant(), one(hold(&user))), (user.tenant, one(hold(&changed)))] {
        assert_conflict(&commit(&*store, tenant, unit).await, 0, Conflict::Changed);
    }
    let status = UserStatus::PendingDeletion;
    let set = AccountChange::SetStatus { user: user.id, security_version: 1, status, erase_at: None, at: build::at(1) };
    must(&*store, user.tenant, Unit::new().with(set)).await;
    assert_conflict(&commit(&*store, user.tenant, one(hold(&changed))).await, 0, Conflict::Changed);
    assert_eq!(store.find_user(user.tenant, user.id).await.unwrap().unwrap().version, 2, "holding changes nothing");
}

pub async fn a_key_is_one_active_device_of_a_tenant(store: Arc<dyn Store>) {
    let user = build::stored_user(&*store, build::tenant()).await;
    let first = stored(&*store, &user).await;
    let second = Device { key_thumbprint: first.key_thumbprint, ..build::device(&user) };
    assert_conflict(&commit(&*store, user.tenant, create(&user, &second, MANY)).await, 1, Conflict::Taken);
    let elsewhere = build::stored_user(&*store, build::tenant()).await;
    let other = Device { key_thumbprint: first.key_thumbprint, ..build::device(&elsewhere) };
    must(&*store, elsewhere.tenant, create(&elsewhere, &other, MANY)).await;
    must(&*store, user.tenant, one(DeviceChange::Revoke { id: first.id, at: build::at(1) })).await;
    must(&*store, user.tenant, create(&user, &second, MANY)).await;
    let found = store.find_device_by_key(user.tenant, &first.key_thumbprint).await.unwrap().unwrap();
    assert_eq!(found.id, second.id);
}

pub async fn an_owner_has_so_many_active_devices(store: Arc<dyn Store>) {
    let user = build::stored_user(&*store, build::tenant()).await;
    let first = build::device(&user);
    must(&*store, user.tenant, create(&user, &first, 2)).await;
    must(&*store, user.tenant, create(&user, &build::device(&user), 2)).await;
    let third = create(&user, &build::device(&user), 2);
    assert_conflict(&commit(&*store, user.tenant, third.clone()).await, 1, Conflict::Changed);
    let other = build::stored_user(&*store, user.tenant).await;
    must(&*store, user.tenant, create(&other, &build::device(&other), 2)).await;
    must(&*store, user.tenant, one(DeviceChange::Revoke { id: first.id, at: build::at(1) })).await;
    must(&*store, user.tenant, third).await;
}

pub async fn parallel_devices_do_not_exceed_the_number(store: Arc<dyn Store>) {
    let user = build::stored_user(&*store, build::tenant()).await;
    let results = parallel(0..12, |_| {
        let (store, tenant) = (Arc::clone(&store), user.tenant);
        let unit = create(&user, &build::device(&user), 3);
        async move { commit(&*store, tenant, unit).await }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 3);
    for result in results.iter().filter(|result| result.is_err()) {
        assert_conflict(result, 1, Conflict::Changed);
    }
}

pub async fn a_device_is_named_by_its_owner(store: Arc<dyn Store>) {
    let user = build::stored_user(&*store, build::tenant()).await;
    let device = stored(&*store, &user).await;
    let stranger = build::stored_user(&*store, user.tenant).await;
    let rename = |owner| one(DeviceChange::Rename { id: device.id, owner, name: "Shed".to_owned() });
    assert_conflict(&commit(&*store, user.tenant, rename(stranger.id)).await, 0, Conflict::Changed);
    assert_conflict(&commit(&*store, build::tenant(), rename(user.id)).await, 0, Conflict::Changed);
    must(&*store, user.tenant, rename(user.id)).await;
    assert_eq!(read(&*store, &device).await.unwrap(), Device { name: "Shed".to_owned(), ..device });
}

pub async fn a_device_is_revoked_once(store: Arc<dyn Store>) {
    let user = build::stored_user(&*store, build::tenant()).await;
    let device = stored(&*store, &user).await;
    let revoke = |seconds| one(DeviceChange::Revoke { id: device.id, at: build::at(seconds) });
    assert_conflict(&commit(&*store, build::tenant(), revoke(1)).await, 0, Conflict::Changed);
    must(&*store, user.tenant, revoke(2)).await;
    assert_conflict(&commit(&*store, user.tenant, revoke(3)).await, 0, Conflict::Changed);
    let expected = Device { status: DeviceStatus::Revoked, revoked_at: Some(build::at(2)), ..device };
    assert_eq!(read(&*store, &expected).await.unwrap(), expected);
}

pub async fn all_devices_of_an_owner_are_revoked(store: Arc<dyn Store>) {
    let user = build::stored_user(&*store, build::tenant()).await;
    let other = build::stored_user(&*store, user.tenant).await;
    let (first, second, theirs) =
        (stored(&*store, &user).await, stored(&*store, &user).await, stored(&*store, &other).await);
    must(&*store, user.tenant, one(DeviceChange::Revoke { id: first.id, at: build::at(1) })).await;
    let all = one(DeviceChange::RevokeAllOf { owner: user.id, at: build::at(2) });
    must(&*store, build::tenant(), all.clone()).await;
    assert!(read(&*store, &second).await.unwrap().is_active(), "another tenant's unit reaches none");
    must(&*store, user.tenant, all.clone()).await;
    must(&*store, user.tenant, all).await;
    assert_eq!(read(&*store, &first).await.unwrap().revoked_at, Some(build::at(1)));
    assert_eq!(read(&*store, &second).await.unwrap().revoked_at, Some(build::at(2)));
    assert!(read(&*store, &theirs).await.unwrap().is_active());
}

pub async fn of_revoked_devices_the_oldest_are_forgotten(store: Arc<dyn Store>) {
    let user = build::stored_user(&*store, build::tenant()).await;
    let other = build::stored_user(&*store, user.tenant).await;
    let revoked = async |owner: &User, at_most| {
        let device = build::device(owner);
        must(&*store, owner.tenant, create(owner, &device, at_most)).await;
        must(&*store, owner.tenant, one(DeviceChange::Revoke { id: device.id, at: build::at(1) })).await;
        device
    };
    let theirs = revoked(&other, 2).await;
    let mut devices = Vec::new();
    for _ in 0..4 {
        devices.push(revoked(&user, 2).await);
    }
    let kept = async |device: &Device| read(&*store, device).await.is_some();
    assert!(!kept(&devices[0]).await);
    assert!(kept(&devices[1]).await && kept(&devices[2]).await && kept(&devices[3]).await && kept(&theirs).await);
    let active = build::device(&user);
    must(&*store, user.tenant, create(&user, &active, 2)).await;
    assert!(!kept(&devices[1]).await && kept(&devices[2]).await && kept(&active).await);
}

pub async fn what_a_device_says_is_noted_while_it_is_active(store: Arc<dyn Store>) {
    let user = build::stored_user(&*store, build::tenant()).await;
    let device = stored(&*store, &user).await;
    let beat = |seconds, status, version: Option<&str>, words: Option<&[&str]>| {
        one(DeviceChange::Beat {
            id: device.id,
            at: build::at(seconds),
            status,
            version: version.map(str::to_owned),
            capabilities: words.map(|words| words.iter().map(|&word| word.to_owned()).collect()),
        })
    };
    let failing = Some(DeviceHealth::Failing);
    must(&*store, user.tenant, beat(5, failing, Some("2"), Some(&["a", "b"]))).await;
    let said = Device {
        reported_status: failing,
        version: Some("2".to_owned()),
        capabilities: vec!["a".to_owned(), "b".to_owned()],
        last_seen_at: Some(build::at(5)),
        ..device.clone()
    };
    assert_eq!(read(&*store, &device).await.unwrap(), said);
    // What is left out stays, and the time does not go back.
    must(&*store, user.tenant, beat(3, None, None, None)).await;
    assert_eq!(read(&*store, &device).await.unwrap(), said);
    must(&*store, user.tenant, beat(6, None, None, Some(&[]))).await;
    let silent = Device { capabilities: Vec::new(), last_seen_at: Some(build::at(6)), ..said };
    assert_eq!(read(&*store, &device).await.unwrap(), silent);
    assert_conflict(&commit(&*store, build::tenant(), beat(7, None, None, None)).await, 0, Conflict::Changed);
    must(&*store, user.tenant, one(DeviceChange::Revoke { id: device.id, at: build::at(8) })).await;
    assert_conflict(&commit(&*store, user.tenant, beat(9, None, None, None)).await, 0, Conflict::Changed);
}

pub async fn a_device_is_seen_unless_that_is_known(store: Arc<dyn Store>) {
    let user = build::stored_user(&*store, build::tenant()).await;
    let device = stored(&*store, &user).await;
    for (at, since, rows, seen) in [(10, 0, 1, 10), (20, 5, 0, 10), (20, 10, 0, 10), (20, 11, 1, 20)] {
        let change = DeviceChange::Seen { id: device.id, at: build::at(at), unless_since: build::at(since) };
        assert_eq!(must(&*store, build::tenant(), one(change.clone())).await.get(0), 0);
        assert_eq!(must(&*store, user.tenant, one(change)).await.get(0), rows, "{at} {since}");
        assert_eq!(read(&*store, &device).await.unwrap().last_seen_at, Some(build::at(seen)));
    }
}

pub async fn devices_are_listed_newest_first_by_page(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let (ada, eve) = (build::stored_user(&*store, tenant).await, build::stored_user(&*store, tenant).await);
    let mut made = Vec::new();
    for owner in [&ada, &eve, &ada, &ada] {
        made.push(stored(&*store, owner).await);
    }
    must(&*store, tenant, one(DeviceChange::Revoke { id: made[2].id, at: build::at(1) })).await;
    let list = async |filter, after: Option<usize>, limit| {
        let after = after.map(|place: usize| Position { key: String::new(), id: made[place].id.uuid() });
        let found = store.list_devices(tenant, filter, after.as_ref(), limit).await.unwrap();
        let place = |device: &Device| made.iter().position(|made| made.id == device.id).unwrap();
        found.iter().map(place).collect::<Vec<_>>()
    };
    let of = |owner: Option<&User>, status| DeviceFilter { owner: owner.map(|user| user.id), status };
    assert_eq!(list(of(None, None), None, 3).await, [3, 2, 1]);
    assert_eq!(list(of(None, None), Some(1), 3).await, [0]);
    assert_eq!(list(of(Some(&ada), None), None, 5).await, [3, 2, 0]);
    assert_eq!(list(of(Some(&ada), None), Some(2), 5).await, [0]);
    assert_eq!(list(of(None, Some(DeviceStatus::Revoked)), None, 5).await, [2]);
    assert_eq!(list(of(None, Some(DeviceStatus::Active)), Some(3), 5).await, [1, 0]);
    assert_eq!(list(of(Some(&ada), Some(DeviceStatus::Active)), None, 5).await, [3, 0]);
    assert_eq!(list(of(Some(&eve), Some(DeviceStatus::Active)), Some(3), 5).await, [1]);
}

pub async fn devices_of_another_tenant_are_invisible(store: Arc<dyn Store>) {
    let user = build::stored_user(&*store, build::tenant()).await;
    let (device, claim) = (stored(&*store, &user).await, stored_claim(&*store, &user).await);
    let ours = build::tenant();
    assert!(store.find_device(ours, device.id).await.unwrap().is_none());
    assert!(store.find_device_by_key(ours, &device.key_thumbprint).await.unwrap().is_none());
    assert!(store.find_device_claim(ours, &claim.code).await.unwrap().is_none());
    for filter in [DeviceFilter::default(), DeviceFilter { owner: Some(user.id), status: None }] {
        assert!(store.list_devices(ours, filter, None, 5).await.unwrap().is_empty());
    }
    // Nor does anybody there own one of here.
    let foreign = Device { tenant: ours, ..build::device(&user) };
    let unit = one(DeviceChange::Create { device: Box::new(foreign), at_most: MANY });
    assert_conflict(&commit(&*store, ours, unit).await, 0, Conflict::Changed);
    let foreign = DeviceClaim { tenant: ours, ..build::device_claim(&user) };
    let unit = one(DeviceChange::CreateClaim { claim: foreign, at_most: MANY });
    assert_conflict(&commit(&*store, ours, unit).await, 0, Conflict::Changed);
}

pub async fn a_claim_is_kept_used_once_and_found_by_its_code(store: Arc<dyn Store>) {
    let user = build::stored_user(&*store, build::tenant()).await;
    let claim = stored_claim(&*store, &user).await;
    let read = async || store.find_device_claim(user.tenant, &claim.code).await.unwrap().unwrap();
    assert!(read().await == claim);
    let (device, key) = (DeviceId::new(build::uuid()), build::bytes());
    assert_conflict(&commit(&*store, build::tenant(), use_claim(&claim, device, key, 1)).await, 0, Conflict::Changed);
    must(&*store, user.tenant, use_claim(&claim, device, key, 1)).await;
    let again = use_claim(&claim, DeviceId::new(build::uuid()), build::bytes(), 2);
    assert_conflict(&commit(&*store, user.tenant, again).await, 0, Conflict::Changed);
    let used = Some(UsedClaim { at: build::at(1), device, key_thumbprint: key });
    assert!(read().await == DeviceClaim { used, keep_until: build::at(86_401), ..claim.clone() });
}

pub async fn a_claim_that_ran_out_is_not_used(store: Arc<dyn Store>) {
    let user = build::stored_user(&*store, build::tenant()).await;
    let claim = stored_claim(&*store, &user).await;
    let at = |seconds| use_claim(&claim, DeviceId::new(build::uuid()), build::bytes(), seconds);
    assert_conflict(&commit(&*store, user.tenant, at(900)).await, 0, Conflict::Changed);
    must(&*store, user.tenant, at(899)).await;
}

pub async fn parallel_uses_of_a_claim_have_one_winner(store: Arc<dyn Store>) {
    let user = build::stored_user(&*store, build::tenant()).await;
    for _ in 0..5 {
        let claim = stored_claim(&*store, &user).await;
        let results = parallel(0..8, |_| {
            let (store, tenant) = (Arc::clone(&store), user.tenant);
            let unit = use_claim(&claim, DeviceId::new(build::uuid()), build::bytes(), 1);
            async move { commit(&*store, tenant, unit).await }
        })
        .await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    }
}

pub async fn a_claim_is_voided_by_its_owner_while_unused(store: Arc<dyn Store>) {
    let user = build::stored_user(&*store, build::tenant()).await;
    let stranger = build::stored_user(&*store, user.tenant).await;
    let (claim, used) = (stored_claim(&*store, &user).await, stored_claim(&*store, &user).await);
    must(&*store, user.tenant, use_claim(&used, DeviceId::new(build::uuid()), build::bytes(), 1)).await;
    let void = |claim: &DeviceClaim, owner| one(DeviceChange::VoidClaim { id: claim.id, owner });
    for (tenant, unit) in [
        (user.tenant, void(&claim, stranger.id)),
        (build::tenant(), void(&claim, user.id)),
        (user.tenant, void(&used, user.id)),
    ] {
        assert_conflict(&commit(&*store, tenant, unit).await, 0, Conflict::Changed);
    }
    must(&*store, user.tenant, void(&claim, user.id)).await;
    assert!(store.find_device_claim(user.tenant, &claim.code).await.unwrap().is_none());
}

pub async fn all_open_claims_of_an_owner_are_voided(store: Arc<dyn Store>) {
    let user = build::stored_user(&*store, build::tenant()).await;
    let other = build::stored_user(&*store, user.tenant).await;
    let (open, used, theirs) =
        (stored_claim(&*store, &user).await, stored_claim(&*store, &user).await, stored_claim(&*store, &other).await);
    must(&*store, user.tenant, use_claim(&used, build::device(&user).id, [1; 32], 1)).await;
    let void = one(DeviceChange::VoidClaimsOf { owner: user.id });
    let kept = async |claim: &DeviceClaim| store.find_device_claim(claim.tenant, &claim.code).await.unwrap().is_some();
    must(&*store, build::tenant(), void.clone()).await;
    assert!(kept(&open).await, "another tenant's unit reaches none");
    must(&*store, user.tenant, void).await;
    assert!(!kept(&open).await && kept(&used).await && kept(&theirs).await);
}

pub async fn an_owner_has_so_many_open_claims(store: Arc<dyn Store>) {
    let user = build::stored_user(&*store, build::tenant()).await;
    let first = build::device_claim(&user);
    must(&*store, user.tenant, create_claim(&user, &first, 2)).await;
    must(&*store, user.tenant, create_claim(&user, &build::device_claim(&user), 2)).await;
    let third = create_claim(&user, &build::device_claim(&user), 2);
    assert_conflict(&commit(&*store, user.tenant, third.clone()).await, 1, Conflict::Changed);
    // Used ones and those that have run out make room.
    must(&*store, user.tenant, use_claim(&first, DeviceId::new(build::uuid()), build::bytes(), 1)).await;
    must(&*store, user.tenant, third).await;
    let later = DeviceClaim { created_at: build::at(900), expires_at: build::at(1800), ..build::device_claim(&user) };
    must(&*store, user.tenant, create_claim(&user, &later, 2)).await;
}

pub async fn parallel_claims_do_not_exceed_the_number(store: Arc<dyn Store>) {
    let user = build::stored_user(&*store, build::tenant()).await;
    let results = parallel(0..12, |_| {
        let (store, tenant) = (Arc::clone(&store), user.tenant);
        let unit = create_claim(&user, &build::device_claim(&user), 3);
        async move { commit(&*store, tenant, unit).await }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 3);
}

pub async fn a_challenge_is_used_once(store: Arc<dyn Store>) {
    let (tenant, id) = (build::tenant(), build::uuid());
    let unit = || one(DeviceChange::UseChallenge { id, expires_at: build::at(60) });
    must(&*store, tenant, unit()).await;
    assert_conflict(&commit(&*store, tenant, unit()).await, 0, Conflict::Taken);
    must(&*store, build::tenant(), unit()).await;
}

pub async fn parallel_uses_of_a_challenge_have_one_winner(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    for _ in 0..10 {
        let id = build::uuid();
        let results = parallel(0..8, |_| {
            let store = Arc::clone(&store);
            let unit = one(DeviceChange::UseChallenge { id, expires_at: build::at(60) });
            async move { commit(&*store, tenant, unit).await }
        })
        .await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
        for result in results.iter().filter(|result| result.is_err()) {
            assert_conflict(result, 0, Conflict::Taken);
        }
    }
}

pub async fn claims_and_challenges_that_are_over_are_deleted(store: Arc<dyn Store>) {
    let user = build::stored_user(&*store, build::tenant()).await;
    let (open, used) = (stored_claim(&*store, &user).await, stored_claim(&*store, &user).await);
    must(&*store, user.tenant, use_claim(&used, DeviceId::new(build::uuid()), build::bytes(), 1)).await;
    let [old, fresh] = [10, 20].map(|end| (build::uuid(), build::at(end)));
    for (id, expires_at) in [old, fresh] {
        must(&*store, user.tenant, one(DeviceChange::UseChallenge { id, expires_at })).await;
    }
    let sweep = |claims, challenges| {
        one(DeviceChange::DeleteExpired { claims: build::at(claims), challenges: build::at(challenges) })
    };
    assert_eq!(must_system(&*store, sweep(900, 10)).await.get(0), 0);
    assert_eq!(must_system(&*store, sweep(901, 11)).await.get(0), 2);
    let found = async |claim: &DeviceClaim| store.find_device_claim(user.tenant, &claim.code).await.unwrap().is_some();
    assert_eq!((found(&open).await, found(&used).await), (false, true));
    // The older one may be used again, had it not run out; the other not.
    let again = |(id, expires_at)| one(DeviceChange::UseChallenge { id, expires_at });
    assert_conflict(&commit(&*store, user.tenant, again(fresh)).await, 0, Conflict::Taken);
    must(&*store, user.tenant, again(old)).await;
    assert_eq!(must_system(&*store, sweep(86_402, 0)).await.get(0), 1);
    assert!(commit(&*store, user.tenant, sweep(0, 0)).await.is_err(), "only the installation sweeps");
}
