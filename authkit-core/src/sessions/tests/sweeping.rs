//! Deleting what has expired, and activity.

use super::*;

#[tokio::test]
async fn expired_sessions_are_deleted_and_others_stay() {
    let house = house().await;
    house.sign_in().await;
    house.advance(20 * 24 * 3600);
    let kept = house.sign_in().await;
    house.advance(10 * 24 * 3600 + 1);
    house.sessions.sweep().await.unwrap();
    assert_eq!(house.count_sessions().await, 1);
    assert!(house.refresh(&kept.refresh_token).await.is_ok());
}

#[tokio::test]
async fn idle_sessions_are_deleted_when_every_tenant_says_so() {
    use crate::tenants::{TenantSettings, Tenants};
    let house = house_with(|cx| cx.settings.sessions.idle_timeout = Some(SignedDuration::from_mins(30))).await;
    let patient = TenantSettings { idle_minutes: Some(60), ..TenantSettings::default() };
    Tenants::new(house.cx.clone()).create("patient", "Patient", &[], patient).await.unwrap();
    house.sign_in().await;
    house.advance(45 * 60);
    house.sessions.sweep().await.unwrap();
    assert_eq!(house.count_sessions().await, 1);
    house.advance(16 * 60);
    house.sessions.sweep().await.unwrap();
    assert_eq!(house.count_sessions().await, 0);
}

#[tokio::test]
async fn tenants_own_idle_limits_suffice_when_each_has_one() {
    use crate::tenants::Tenants;
    let house = house().await;
    let tenants = Tenants::new(house.cx.clone());
    tenants.create("careless", "Careless", &[], Default::default()).await.unwrap();
    let limit = async |slug: &str, minutes| {
        let mut tenant = tenants.find(slug).await.unwrap().unwrap();
        tenant.settings.idle_minutes = Some(minutes);
        tenants.update(tenant).await.unwrap();
    };
    house.sign_in().await;
    limit("default", 30).await;
    house.advance(45 * 60);
    house.sessions.sweep().await.unwrap();
    assert_eq!(house.count_sessions().await, 1, "one tenant has no limit");
    limit("careless", 40).await;
    house.sessions.sweep().await.unwrap();
    assert_eq!(house.count_sessions().await, 0);
}

#[tokio::test]
async fn activity_is_written_once_a_minute_however_busy_a_session_is() {
    let house = house().await;
    let tokens = house.sign_in().await;
    for _ in 0..100 {
        house.authenticate(&tokens).await.unwrap();
    }
    assert_eq!(house.sessions.flush_activity().await.unwrap(), 1);
    house.authenticate(&tokens).await.unwrap();
    assert_eq!(house.sessions.flush_activity().await.unwrap(), 0);
    house.advance(120);
    house.authenticate(&tokens).await.unwrap();
    assert_eq!(house.sessions.flush_activity().await.unwrap(), 1);
    let session = house.cx.store.find_session(DEFAULT_TENANT, tokens.session_id).await.unwrap().unwrap();
    assert_eq!(session.last_active_at.as_second(), START + 179, "the end of the minute");
    for _ in 0..10 {
        house.advance(60);
        house.cx.authority.take_activity();
    }
    assert_eq!(house.cx.authority.last_seen(tokens.session_id).map(Timestamp::as_second), Some(START + 179));
}
