//! Ending sessions.

use super::*;

#[tokio::test]
async fn signing_out_ends_the_session_by_either_token() {
    let house = house().await;
    let (by_access, by_refresh, other) = (house.sign_in().await, house.sign_in().await, house.sign_in().await);
    house.sessions.logout(&house.origin, Some(by_access.access_token.expose()), None).await.unwrap();
    house.sessions.logout(&house.origin, None, Some(&by_refresh.refresh_token)).await.unwrap();
    for tokens in [&by_access, &by_refresh] {
        assert!(house.authenticate(tokens).await.is_err() && house.refresh(&tokens.refresh_token).await.is_err());
    }
    assert!(house.authenticate(&other).await.is_ok());
    let ended = house.audited().await.into_iter().filter(|action| action == "session.ended").count();
    assert_eq!(ended, 2);
}

#[tokio::test]
async fn an_expired_access_token_and_an_old_refresh_token_sign_out_as_well() {
    let house = house().await;
    let first = house.sign_in().await;
    house.refresh(&first.refresh_token).await.unwrap();
    house.advance(24 * 3600);
    let second = house.sign_in().await;
    house.sessions.logout(&house.origin, Some(first.access_token.expose()), None).await.unwrap();
    assert_eq!(house.count_sessions().await, 1);
    house.refresh(&second.refresh_token).await.unwrap();
    house.sessions.logout(&house.origin, None, Some(&second.refresh_token)).await.unwrap();
    assert_eq!(house.count_sessions().await, 0);
}

#[tokio::test]
async fn signing_out_never_refuses_and_ends_nothing_for_a_forged_token() {
    let house = house().await;
    let tokens = house.sign_in().await;
    let token = text(&tokens.access_token);
    let (message, _) = token.rsplit_once('.').unwrap();
    let forged = format!("{message}.{}", "A".repeat(86));
    let refresh = Secret::from("akr_forged");
    for (access, refresh) in [(Some(&*forged), None), (Some(""), None), (None, Some(&refresh)), (None, None)] {
        house.sessions.logout(&house.origin, access, refresh).await.unwrap();
    }
    assert!(house.authenticate(&tokens).await.is_ok());
    // Twice is as good as once.
    for _ in 0..2 {
        house.sessions.logout(&house.origin, Some(&token), Some(&tokens.refresh_token)).await.unwrap();
    }
    assert_eq!(house.count_sessions().await, 0);
}

#[tokio::test]
async fn the_list_shows_ones_own_sessions_and_marks_the_current_one() {
    let house = house().await;
    let (first, second) = (house.sign_in().await, house.sign_in().await);
    let other = make_user(&house.cx, "bob@example.com").await;
    house.sign_in_as(&other).await;
    house.advance(90);
    let principal = house.authenticate(&first).await.unwrap();
    let page = house.sessions.list(&principal, None, None).await.unwrap();
    assert_eq!(page.data.len(), 2);
    for view in &page.data {
        assert_eq!(view.current, view.id == first.session_id);
        assert_eq!((view.ip.as_deref(), view.user_agent.as_deref()), (Some("192.0.2.7"), Some("Browser")));
    }
    assert!(page.data.iter().any(|view| view.id == second.session_id));
    let current = page.data.iter().find(|view| view.current).unwrap();
    assert!(current.last_active_at > current.created_at);

    let one = house.sessions.list(&principal, None, Some(1)).await.unwrap();
    let cursor = one.next_cursor.unwrap();
    let two = house.sessions.list(&principal, Some(&cursor), Some(1)).await.unwrap();
    assert!(one.data[0].id != two.data[0].id && two.next_cursor.is_none());
    assert_eq!(code(house.sessions.list(&principal, Some("x"), None).await), Some(ErrorCode::InvalidCursor));
    let stranger = house.sign_in_as(&other).await;
    let stranger = house.authenticate(&stranger).await.unwrap();
    assert_eq!(code(house.sessions.list(&stranger, Some(&cursor), None).await), Some(ErrorCode::InvalidCursor));
}

#[tokio::test]
async fn an_administrator_sees_the_sessions_of_a_user_of_the_same_tenant() {
    let house = house().await;
    let (one, two) = (house.sign_in().await, house.sign_in().await);
    let other = make_user(&house.cx, "bob@example.com").await;
    let plain = house.authenticate(&house.sign_in_as(&other).await).await.unwrap();
    assert_eq!(code(house.sessions.list_of(&plain, house.user.id, None, None).await), Some(ErrorCode::Forbidden));
    house.grant_to(&other, "support", &["sessions:read"]).await;
    let reader = house.authenticate(&house.sign_in_as(&other).await).await.unwrap();
    let first = house.sessions.list_of(&reader, house.user.id, None, Some(1)).await.unwrap();
    let cursor = first.next_cursor.as_deref();
    let second = house.sessions.list_of(&reader, house.user.id, cursor, Some(1)).await.unwrap();
    let mut seen = [first.data[0].id, second.data[0].id];
    seen.sort_unstable();
    let mut expected = [one.session_id, two.session_id];
    expected.sort_unstable();
    assert_eq!(seen, expected);
    assert!(!first.data[0].current && second.next_cursor.is_none());
    let nobody = house.sessions.list_of(&reader, UserId::new(house.cx.uuid()), None, None).await;
    assert_eq!(code(nobody), Some(ErrorCode::UserNotFound));
}

#[tokio::test]
async fn nobody_ends_somebody_elses_session() {
    let house = house().await;
    let tokens = house.sign_in().await;
    let other = make_user(&house.cx, "bob@example.com").await;
    let stranger = house.sign_in_as(&other).await;
    let stranger = house.authenticate(&stranger).await.unwrap();
    let refused = house.sessions.revoke(&house.origin, &stranger, tokens.session_id).await;
    assert_eq!(code(refused), Some(ErrorCode::SessionNotFound));
    let refused = house.sessions.revoke_all_of(&house.origin, Some(&stranger), house.user.id).await;
    assert_eq!(code(refused), Some(ErrorCode::Forbidden));
    assert!(house.authenticate(&tokens).await.is_ok());
}

#[tokio::test]
async fn an_operator_ends_a_session_of_the_user_that_is_named_only() {
    let house = house().await;
    let tokens = house.sign_in().await;
    let other = make_user(&house.cx, "bob@example.com").await;
    let refused = house.sessions.revoke_of(&house.origin, other.id, tokens.session_id).await;
    assert_eq!(code(refused), Some(ErrorCode::SessionNotFound));
    assert!(house.authenticate(&tokens).await.is_ok());
    house.sessions.revoke_of(&house.origin, house.user.id, tokens.session_id).await.unwrap();
    assert!(house.authenticate(&tokens).await.is_err());
}

#[tokio::test]
async fn ending_the_others_leaves_the_current_one() {
    let house = house().await;
    let mut tokens = Vec::new();
    for _ in 0..7 {
        tokens.push(house.sign_in().await);
    }
    let principal = house.authenticate(&tokens[3]).await.unwrap();
    let view = house.sessions.revoke_others(&house.origin, &principal).await.unwrap();
    assert_eq!(view.revoked, 6);
    for (place, tokens) in tokens.iter().enumerate() {
        assert_eq!(house.authenticate(tokens).await.is_ok(), place == 3, "{place}");
    }
    assert_eq!(house.sessions.revoke_others(&house.origin, &principal).await.unwrap().revoked, 0);
}

#[tokio::test]
async fn an_administrator_ends_all_sessions_of_a_user_however_many() {
    let house = house_with(|cx| cx.settings.sessions.max_per_user = None).await;
    let other = make_user(&house.cx, "bob@example.com").await;
    let mut last = None;
    for _ in 0..230 {
        last = Some(house.sign_in_as(&other).await);
    }
    house.grant("support", &["sessions:revoke"]).await;
    let admin = house.sign_in().await;
    let admin = house.authenticate(&admin).await.unwrap();
    let view = house.sessions.revoke_all_of(&house.origin, Some(&admin), other.id).await.unwrap();
    assert_eq!(view.revoked, 230);
    assert!(house.authenticate(&last.unwrap()).await.is_err());
    let unknown = UserId::new(house.cx.uuid());
    let refused = house.sessions.revoke_all_of(&house.origin, None, unknown).await;
    assert_eq!(code(refused), Some(ErrorCode::UserNotFound));
}

#[tokio::test]
async fn the_oldest_session_goes_when_there_are_too_many() {
    let house = house_with(|cx| cx.settings.sessions.max_per_user = Some(2)).await;
    let mut tokens = Vec::new();
    for _ in 0..3 {
        tokens.push(house.sign_in().await);
        house.advance(1);
    }
    assert_eq!(house.count_sessions().await, 2);
    house.cx.authority.poll(&house.cx).await.unwrap();
    assert!(house.authenticate(&tokens[0]).await.is_err(), "its access token as well");
    assert!(house.authenticate(&tokens[1]).await.is_ok() && house.authenticate(&tokens[2]).await.is_ok());
}

#[tokio::test]
async fn a_session_keeps_a_printable_user_agent_of_bounded_length() {
    let mut house = house().await;
    house.origin.user_agent = Some(format!("evil\r\nX: y\u{0}{}", "x".repeat(1000)));
    let tokens = house.sign_in().await;
    let session = house.cx.store.find_session(DEFAULT_TENANT, tokens.session_id).await.unwrap().unwrap();
    let kept = session.user_agent.unwrap();
    assert!(kept.starts_with("evilX: y") && kept.chars().count() == 256 && !kept.contains(char::is_control));
}
