//! Sessions and their refresh tokens.

use super::{assert_conflict, build, commit, must, must_system, parallel};
use authkit_core::{
    ports::{Conflict, Position, Scope, Store, Unit},
    sessions::{FeedEvent, RefreshState, Session, SessionChange},
    wire::{SessionId, TenantId},
};
use std::sync::Arc;

const DAY: i64 = 86_400;

async fn read(store: &dyn Store, session: &Session) -> Option<Session> {
    store.find_session(session.tenant, session.id).await.unwrap()
}

fn rotate(id: SessionId, expected: [u8; 32], next: RefreshState, seconds: i64) -> Unit {
    Unit::new().with(SessionChange::Rotate { id, expected, next, at: build::at(seconds) })
}

pub async fn a_session_is_kept_as_it_was(store: Arc<dyn Store>) {
    let user = build::stored_user(&*store, build::tenant()).await;
    let mut full = build::session(&user);
    full.place = Some("Bern, Switzerland".to_owned());
    full.refresh = RefreshState {
        previous: Some(build::bytes()),
        rotated_at: Some(build::at(4)),
        idempotency: Some(build::bytes()),
        replay: Some(vec![1; 700]),
        ..build::refresh()
    };
    let mut bare = build::session(&user);
    (bare.ip, bare.user_agent, bare.expires_at) = (None, None, None);
    for session in [full, bare] {
        build::keep_session(&*store, &session).await;
        let found = read(&*store, &session).await.unwrap();
        assert_eq!((found.id, found.tenant, found.user), (session.id, session.tenant, session.user));
        assert_eq!((&found.amr, found.auth_time, &found.ip), (&session.amr, session.auth_time, &session.ip));
        assert_eq!((&found.user_agent, &found.place), (&session.user_agent, &session.place));
        assert_eq!((found.created_at, found.last_active_at), (session.created_at, session.last_active_at));
        assert_eq!(found.expires_at, session.expires_at);
        assert_refresh(&found.refresh, &session.refresh);
    }
}

fn assert_refresh(found: &RefreshState, expected: &RefreshState) {
    assert_eq!((found.hash, found.expires_at), (expected.hash, expected.expires_at));
    assert_eq!((found.previous, found.rotated_at), (expected.previous, expected.rotated_at));
    assert_eq!((found.idempotency, &found.replay), (expected.idempotency, &expected.replay));
}

pub async fn a_refresh_token_rotates_once(store: Arc<dyn Store>) {
    let user = build::stored_user(&*store, build::tenant()).await;
    let session = build::stored_session(&*store, &user).await;
    let next = RefreshState {
        previous: Some(session.refresh.hash),
        rotated_at: Some(build::at(60)),
        idempotency: Some(build::bytes()),
        replay: Some(vec![2; 600]),
        ..build::refresh()
    };
    let unit = rotate(session.id, session.refresh.hash, next.clone(), 60);
    assert_conflict(&commit(&*store, build::tenant(), unit.clone()).await, 0, Conflict::Changed);
    must(&*store, user.tenant, unit.clone()).await;
    assert_conflict(&commit(&*store, user.tenant, unit).await, 0, Conflict::Changed);
    let found = read(&*store, &session).await.unwrap();
    assert_refresh(&found.refresh, &next);
    assert_eq!(found.last_active_at, build::at(60));
    let last = build::refresh();
    must(&*store, user.tenant, rotate(session.id, next.hash, last.clone(), 120)).await;
    assert_refresh(&read(&*store, &session).await.unwrap().refresh, &last);
}

pub async fn parallel_rotations_have_one_winner(store: Arc<dyn Store>) {
    let user = build::stored_user(&*store, build::tenant()).await;
    let session = build::stored_session(&*store, &user).await;
    let mut current = session.refresh.hash;
    for round in 0..10 {
        let results = parallel(0..8, |_| {
            let (store, next) = (Arc::clone(&store), build::refresh());
            let (hash, unit) = (next.hash, rotate(session.id, current, next, round));
            async move { (hash, commit(&*store, session.tenant, unit).await) }
        })
        .await;
        let winners: Vec<_> = results.iter().filter(|(_, result)| result.is_ok()).collect();
        assert_eq!(winners.len(), 1, "round {round}");
        for (_, result) in results.iter().filter(|(_, result)| result.is_err()) {
            assert_conflict(result, 0, Conflict::Changed);
        }
        current = winners[0].0;
        assert_eq!(read(&*store, &session).await.unwrap().refresh.hash, current);
    }
}

pub async fn a_session_ends_once(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let user = build::stored_user(&*store, tenant).await;
    let other = build::stored_user(&*store, tenant).await;
    let session = build::stored_session(&*store, &user).await;
    let end = |user| Unit::new().with(SessionChange::End { id: session.id, user });
    assert_eq!(must(&*store, tenant, end(other.id)).await.get(0), 0, "it is not theirs");
    assert_eq!(must(&*store, build::tenant(), end(user.id)).await.get(0), 0);
    assert!(read(&*store, &session).await.is_some());
    assert_eq!(must(&*store, tenant, end(user.id)).await.get(0), 1);
    assert_eq!(must(&*store, tenant, end(user.id)).await.get(0), 0);
    assert!(read(&*store, &session).await.is_none());
    let late = rotate(session.id, session.refresh.hash, build::refresh(), 1);
    assert_conflict(&commit(&*store, tenant, late).await, 0, Conflict::Changed);
}

pub async fn all_sessions_but_one_end(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let (user, other) = (build::stored_user(&*store, tenant).await, build::stored_user(&*store, tenant).await);
    let mut sessions = Vec::new();
    for _ in 0..3 {
        sessions.push(build::stored_session(&*store, &user).await);
    }
    let theirs = build::stored_session(&*store, &other).await;
    let end = |except| Unit::new().with(SessionChange::EndAllOf { user: user.id, except });
    assert_eq!(must(&*store, tenant, end(Some(sessions[1].id))).await.get(0), 2);
    assert!(read(&*store, &sessions[0]).await.is_none());
    assert!(read(&*store, &sessions[1]).await.is_some());
    assert_eq!(must(&*store, tenant, end(None)).await.get(0), 1);
    assert!(read(&*store, &sessions[1]).await.is_none());
    assert!(read(&*store, &theirs).await.is_some());
}

pub async fn a_cap_ends_the_oldest_and_tells_of_them(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let (user, other) = (build::stored_user(&*store, tenant).await, build::stored_user(&*store, tenant).await);
    let mut sessions = Vec::new();
    for age in 0..4 {
        let session = Session { created_at: build::at(age), ..build::session(&user) };
        build::keep_session(&*store, &session).await;
        sessions.push(session);
    }
    let theirs = build::stored_session(&*store, &other).await;
    let (_, cursor) = store.read_feed(&store.feed_start(build::at(0)).await.unwrap()).await.unwrap();
    let cap = |keep| Unit::new().with(SessionChange::Cap { user: user.id, keep });
    assert_eq!(must(&*store, tenant, cap(4)).await.get(0), 0);
    assert_eq!(must(&*store, tenant, cap(2)).await.get(0), 2);
    for (session, left) in sessions.iter().chain([&theirs]).zip([false, false, true, true, true]) {
        assert_eq!(read(&*store, session).await.is_some(), left);
    }
    let (events, _) = store.read_feed(&cursor).await.unwrap();
    for ended in &sessions[..2] {
        assert!(events.contains(&FeedEvent::SessionEnded(tenant, ended.id)), "{events:?}");
    }
    assert!(!events.contains(&FeedEvent::SessionEnded(tenant, sessions[2].id)), "{events:?}");
}

pub async fn sessions_are_listed_newest_first_by_page(store: Arc<dyn Store>) {
    let user = build::stored_user(&*store, build::tenant()).await;
    let mut expected = Vec::new();
    for _ in 0..5 {
        expected.insert(0, build::stored_session(&*store, &user).await.id);
    }
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.list_sessions(user.tenant, user.id, after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(Position { key: String::new(), id: last.id.uuid() });
        found.extend(page.iter().map(|session| session.id));
    }
    assert_eq!(found, expected);
}

async fn touch(store: &dyn Store, seen: Vec<(TenantId, SessionId, jiff::Timestamp)>) -> i64 {
    must_system(store, Unit::new().with(SessionChange::Touch(seen))).await.get(0)
}

pub async fn last_seen_never_goes_back(store: Arc<dyn Store>) {
    let user = build::stored_user(&*store, build::tenant()).await;
    let session = build::stored_session(&*store, &user).await;
    touch(&*store, vec![(session.tenant, session.id, build::at(100))]).await;
    assert_eq!(read(&*store, &session).await.unwrap().last_active_at, build::at(100));
    touch(&*store, vec![(session.tenant, session.id, build::at(50))]).await;
    touch(&*store, vec![(build::tenant(), session.id, build::at(200))]).await;
    assert_eq!(read(&*store, &session).await.unwrap().last_active_at, build::at(100));
    touch(&*store, Vec::new()).await;
}

pub async fn many_sessions_are_touched_at_once(store: Arc<dyn Store>) {
    let (mut sessions, mut seen) = (Vec::new(), Vec::new());
    let user = build::stored_user(&*store, build::tenant()).await;
    let other = build::stored_user(&*store, build::tenant()).await;
    for number in 0..75 {
        let session = build::stored_session(&*store, if number % 2 == 0 { &user } else { &other }).await;
        seen.push((session.tenant, session.id, build::at(100 + number)));
        sessions.push(session);
    }
    assert_eq!(touch(&*store, seen).await, 75);
    for (number, session) in (0..).zip(&sessions) {
        assert_eq!(read(&*store, session).await.unwrap().last_active_at, build::at(100 + number));
    }
}

pub async fn expired_sessions_are_deleted(store: Arc<dyn Store>) {
    let user = build::stored_user(&*store, build::tenant()).await;
    let fresh = Session { last_active_at: build::at(2 * DAY), ..build::session(&user) };
    let by_time = Session { expires_at: Some(build::at(DAY)), ..fresh.clone() };
    let by_time = Session { id: build::session(&user).id, ..by_time };
    let mut by_refresh = Session { id: build::session(&user).id, ..fresh.clone() };
    by_refresh.refresh.expires_at = build::at(DAY);
    let idle = Session { last_active_at: build::at(0), ..build::session(&user) };
    for session in [&fresh, &by_time, &by_refresh, &idle] {
        build::keep_session(&*store, session).await;
    }
    let sweep = |seconds, idle_since: Option<i64>| {
        let change = SessionChange::DeleteExpired { before: build::at(seconds), idle_since: idle_since.map(build::at) };
        Unit::new().with(change)
    };
    assert_eq!(must_system(&*store, sweep(DAY, None)).await.get(0), 0, "what expires at the time is kept");
    assert_eq!(must_system(&*store, sweep(2 * DAY, None)).await.get(0), 2);
    assert_eq!(must_system(&*store, sweep(2 * DAY, Some(DAY))).await.get(0), 1);
    for (session, left) in [(&fresh, true), (&by_time, false), (&by_refresh, false), (&idle, false)] {
        assert_eq!(read(&*store, session).await.is_some(), left);
    }
}

pub async fn a_session_that_is_used_is_not_swept(store: Arc<dyn Store>) {
    let user = build::stored_user(&*store, build::tenant()).await;
    let used = Session { expires_at: None, ..build::session(&user) };
    let idle = Session { expires_at: None, ..build::session(&user) };
    for session in [&used, &idle] {
        build::keep_session(&*store, session).await;
    }
    let mut hash = used.refresh.hash;
    for day in 1..=40 {
        let mut next = build::refresh();
        next.expires_at = build::at((day + 30) * DAY);
        let expected = std::mem::replace(&mut hash, next.hash);
        must(&*store, user.tenant, rotate(used.id, expected, next, day * DAY)).await;
        let sweep = SessionChange::DeleteExpired {
            before: build::at(day * DAY + 1),
            idle_since: Some(build::at((day - 20) * DAY)),
        };
        store.commit(Scope::System, Unit::new().with(sweep)).await.unwrap();
        assert!(read(&*store, &used).await.is_some(), "day {day}");
        assert_eq!(read(&*store, &idle).await.is_some(), day <= 20, "day {day}");
    }
}

pub async fn sessions_of_another_tenant_are_invisible(store: Arc<dyn Store>) {
    let user = build::stored_user(&*store, build::tenant()).await;
    let session = build::stored_session(&*store, &user).await;
    let ours = build::tenant();
    assert!(store.find_session(ours, session.id).await.unwrap().is_none());
    assert!(store.list_sessions(ours, user.id, None, 5).await.unwrap().is_empty());
    for change in [
        SessionChange::EndAllOf { user: user.id, except: None },
        SessionChange::Cap { user: user.id, keep: 0 },
        SessionChange::End { id: session.id, user: user.id },
    ] {
        assert_eq!(must(&*store, ours, Unit::new().with(change)).await.get(0), 0);
    }
    assert!(read(&*store, &session).await.is_some());
}
