use super::*;

fn beat() -> HeartbeatRequest {
    HeartbeatRequest { status: None, version: None, capabilities: None }
}

#[tokio::test]
async fn a_heartbeat_notes_what_the_device_says() {
    let (yard, key) = (yard().await, Key::new(1));
    let id = yard.claimed(&key).await.id;
    let token = yard.token(&key, id).await.unwrap().access_token;
    let caller = yard.authenticate(&token).await.unwrap();
    yard.advance(5);
    let says = HeartbeatRequest {
        status: Some(DeviceHealth::Degraded),
        version: Some("1.1.0".into()),
        capabilities: Some(vec!["relay".into(), "relay".into(), "ota".into()]),
    };
    let answer = yard.devices.heartbeat(&caller, says).await.unwrap();
    assert_eq!((answer.server_time, answer.next_in), (START + 5, 60));
    let seen = yard.devices.get_self(&caller).await.unwrap();
    assert_eq!((seen.reported_status, seen.version.as_deref()), (Some(DeviceHealth::Degraded), Some("1.1.0")));
    assert_eq!(seen.capabilities, ["relay", "ota"]);
    assert_eq!(seen.last_seen_at.unwrap().as_second(), START + 5);
    // What is left out stays.
    yard.advance(60);
    yard.devices.heartbeat(&caller, beat()).await.unwrap();
    let later = yard.devices.get_self(&caller).await.unwrap();
    assert_eq!(
        (later.reported_status, later.version, later.capabilities),
        (seen.reported_status, seen.version, seen.capabilities)
    );
    assert_eq!(later.last_seen_at.unwrap().as_second(), START + 65);
}

#[tokio::test]
async fn heartbeats_write_once_a_minute_unless_something_changed() {
    use crate::accounts::tests::counting::{Counters, Counting};
    let counters = Arc::new(Counters::default());
    let yard = yard_with(1, |cx| {
        cx.store =
            Arc::new(Counting::<dyn crate::ports::Store> { inner: cx.store.clone(), counters: counters.clone() });
    })
    .await;
    let key = Key::new(1);
    let id = yard.claimed(&key).await.id;
    let token = yard.token(&key, id).await.unwrap().access_token;
    let caller = yard.authenticate(&token).await.unwrap();
    let ok = HeartbeatRequest { status: Some(DeviceHealth::Ok), ..beat() };
    counters.take();
    for (seconds, request, writes) in
        [(1, &beat(), 0), (1, &ok, 1), (1, &ok, 0), (56, &ok, 0), (3, &ok, 1), (59, &beat(), 0), (1, &beat(), 1)]
    {
        yard.advance(seconds);
        yard.devices.heartbeat(&caller, request.clone()).await.unwrap();
        assert_eq!(counters.take().commits, writes, "{request:?}");
    }
}

#[tokio::test]
async fn a_heartbeat_takes_short_words_only() {
    let (yard, key) = (yard().await, Key::new(1));
    let id = yard.claimed(&key).await.id;
    let token = yard.token(&key, id).await.unwrap().access_token;
    let caller = yard.authenticate(&token).await.unwrap();
    for (request, field) in [
        (HeartbeatRequest { version: Some("x".repeat(65)), ..beat() }, "version"),
        (HeartbeatRequest { capabilities: Some(vec!["x".into(); 33]), ..beat() }, "capabilities"),
        (HeartbeatRequest { capabilities: Some(vec!["ok".into(), "<b>".into()]), ..beat() }, "capabilities[1]"),
    ] {
        let error = yard.devices.heartbeat(&caller, request).await.err().unwrap();
        assert_eq!((error.code, error.fields[0].field.as_str()), (ErrorCode::ValidationFailed, field));
    }
}

#[tokio::test]
async fn a_device_that_was_revoked_meanwhile_says_nothing_more() {
    let (yard, key) = (yard().await, Key::new(1));
    let id = yard.claimed(&key).await.id;
    let token = yard.token(&key, id).await.unwrap().access_token;
    let caller = yard.authenticate(&token).await.unwrap();
    yard.devices.revoke(&yard.origin, &yard.ada, id).await.unwrap();
    let says = HeartbeatRequest { status: Some(DeviceHealth::Failing), ..beat() };
    assert_eq!(code(yard.devices.heartbeat(&caller, says).await), TOKEN);
    assert_eq!(yard.devices.get(&yard.ada, id).await.unwrap().reported_status, None);
}
