//! The feed of what every node must hear of.

use super::{build, must, must_system, parallel};
use authkit_core::{
    accounts::AccountChange,
    ports::{Store, Unit},
    rbac::RoleChange,
    sessions::{FeedCursor, FeedEvent, KeyChange},
    wire::{SessionId, UserId, UserStatus},
};
use jiff::Timestamp;
use std::{collections::HashSet, sync::Arc, time::Duration};

async fn start(store: &dyn Store) -> FeedCursor {
    store.feed_start(Timestamp::MIN).await.unwrap()
}

pub async fn events_are_read_from_a_cursor_on(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let first = [
        FeedEvent::SessionEnded(tenant, SessionId::new(build::uuid())),
        FeedEvent::UserChanged(tenant, UserId::new(build::uuid())),
        FeedEvent::RolesChanged(tenant),
    ];
    let unit = first.into_iter().fold(Unit::new(), Unit::with);
    let cursor = start(&*store).await;
    must(&*store, tenant, unit).await;
    let (events, cursor) = store.read_feed(&cursor).await.unwrap();
    assert_eq!(events, first);
    must_system(&*store, Unit::new().with(FeedEvent::KeysChanged).with(FeedEvent::TenantsChanged)).await;
    let (events, cursor) = store.read_feed(&cursor).await.unwrap();
    for event in [FeedEvent::KeysChanged, FeedEvent::TenantsChanged] {
        assert!(events.contains(&event), "{events:?}");
    }
    // What was read may come again while older units of anybody run, but not for ever.
    let mut cursor = cursor;
    for _ in 0..500 {
        let (events, next) = store.read_feed(&cursor).await.unwrap();
        if events.is_empty() {
            return;
        }
        cursor = next;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the same events come for ever");
}

pub async fn a_start_finds_what_was_written_since(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    must(&*store, tenant, Unit::new().with(FeedEvent::RolesChanged(tenant))).await;
    // Whatever clock the store goes by, it does not stand before the year 1970.
    let cursor = store.feed_start(Timestamp::UNIX_EPOCH).await.unwrap();
    let (events, _) = store.read_feed(&cursor).await.unwrap();
    assert!(events.contains(&FeedEvent::RolesChanged(tenant)), "{events:?}");
}

pub async fn a_units_events_come_only_when_it_commits(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let cursor = start(&*store).await;
    let unit = Unit::new().with(FeedEvent::RolesChanged(tenant)).with(AccountChange::SignedIn {
        user: UserId::new(build::uuid()),
        security_version: 1,
        at: build::at(0),
    });
    assert!(super::commit(&*store, tenant, unit).await.is_err());
    assert!(store.read_feed(&cursor).await.unwrap().0.is_empty());
}

/// A reader that goes on from its last cursor sees every event, in whatever order the writers commit.
pub async fn readers_miss_nothing_of_parallel_writers(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let cursor = start(&*store).await;
    let sessions: Vec<_> = (0..120).map(|_| SessionId::new(build::uuid())).collect();
    let reader = tokio::spawn({
        let (store, mut cursor) = (Arc::clone(&store), cursor);
        async move {
            let mut seen = HashSet::new();
            for _ in 0..2000 {
                let (events, next) = store.read_feed(&cursor).await.unwrap();
                seen.extend(events);
                cursor = next;
                if seen.len() == 120 {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            seen
        }
    });
    parallel(sessions.chunks(10).map(<[_]>::to_vec), |sessions| {
        let store = Arc::clone(&store);
        async move {
            for session in sessions {
                must(&*store, tenant, Unit::new().with(FeedEvent::SessionEnded(tenant, session))).await;
            }
        }
    })
    .await;
    let seen = reader.await.unwrap();
    for session in sessions {
        assert!(seen.contains(&FeedEvent::SessionEnded(tenant, session)), "{session} was missed");
    }
}

pub async fn a_waiting_reader_is_woken(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let waiter = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.feed_changed().await }
    });
    // Until the store listens, wherever it must connect for that.
    for _ in 0..100 {
        must(&*store, tenant, Unit::new().with(FeedEvent::RolesChanged(tenant))).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        if waiter.is_finished() {
            return;
        }
    }
    panic!("nobody was woken");
}

/// How far back the feed reaches is the store's own affair, as long as readers miss nothing.
pub async fn pruning_loses_nothing_new(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let cursor = start(&*store).await;
    must(&*store, tenant, Unit::new().with(FeedEvent::RolesChanged(tenant))).await;
    must_system(&*store, Unit::new().with(KeyChange::PruneFeed { before: Timestamp::UNIX_EPOCH })).await;
    let (events, next) = store.read_feed(&cursor).await.unwrap();
    assert!(events.contains(&FeedEvent::RolesChanged(tenant)), "it is not older: {events:?}");
    must_system(&*store, Unit::new().with(KeyChange::PruneFeed { before: Timestamp::MAX })).await;
    let ended = FeedEvent::SessionEnded(tenant, SessionId::new(build::uuid()));
    must(&*store, tenant, Unit::new().with(ended)).await;
    for cursor in [cursor, next] {
        let (events, _) = store.read_feed(&cursor).await.unwrap();
        assert!(events.contains(&ended), "every cursor still serves: {events:?}");
    }
}

pub async fn a_users_authority_is_read_as_a_whole(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let user = build::stored_user(&*store, tenant).await;
    let (one, two) = (build::role(tenant, "one"), build::role(tenant, "two"));
    let found = store.user_authority(tenant, user.id).await.unwrap().unwrap();
    assert_eq!((found.status, found.security_version, found.kept_session), (UserStatus::Active, 1, None));
    assert!(found.roles.is_empty());
    let kept = Some(SessionId::new(build::uuid()));
    let mut unit = Unit::new().with(AccountChange::SetPassword {
        user: user.id,
        security_version: 1,
        hash: "new".to_owned(),
        kept_session: kept,
        keep: 5,
        at: build::at(1),
    });
    for role in [&one, &two] {
        unit.push(RoleChange::Create(role.clone()));
        unit.push(RoleChange::Assign { user: user.id, role: role.id, by: None, at: build::at(1) });
    }
    must(&*store, tenant, unit).await;
    let mut found = store.user_authority(tenant, user.id).await.unwrap().unwrap();
    found.roles.sort_unstable();
    assert_eq!((found.status, found.security_version, found.kept_session), (UserStatus::Active, 2, kept));
    assert_eq!(found.roles, [one.id, two.id]);
    assert!(store.user_authority(tenant, UserId::new(build::uuid())).await.unwrap().is_none());
}
