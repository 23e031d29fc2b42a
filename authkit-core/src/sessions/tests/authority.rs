//! What a node knows, how soon, and what it does when it knows nothing.

use super::*;
use crate::{
    rbac::{Permission, Permissions},
    tenants::{TenantSettings, Tenants},
};
use std::sync::atomic::Ordering;
use tokio::sync::Semaphore;

const INVALID: Option<ErrorCode> = Some(ErrorCode::InvalidToken);

async fn set_status(house: &House, cx: &Context, status: UserStatus) {
    let user = house.store.inner_user(house.user.id).await;
    let unit = Unit::new()
        .with(AccountChange::SetStatus {
            user: user.id,
            security_version: user.security_version,
            status,
            erase_at: None,
            at: cx.now(),
        })
        .with(FeedEvent::UserChanged(DEFAULT_TENANT, user.id));
    cx.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.unwrap();
}

impl Flaky {
    async fn inner_user(&self, id: UserId) -> User {
        use crate::accounts::AccountStore;
        self.inner.find_user(DEFAULT_TENANT, id).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn a_token_that_was_just_verified_is_refused_as_soon_as_its_session_ends() {
    let house = house().await;
    let tokens = house.sign_in().await;
    let principal = house.authenticate(&tokens).await.unwrap();
    house.authenticate(&tokens).await.unwrap();
    house.sessions.revoke(&house.origin, &principal, tokens.session_id).await.unwrap();
    assert_eq!(code(house.cx.authority.authenticate(&house.cx, tokens.access_token.expose())), INVALID);
}

#[tokio::test]
async fn verifying_reads_nothing() {
    let house = house().await;
    let tokens = house.sign_in().await;
    let before = house.store.reads.load(Ordering::SeqCst);
    for _ in 0..10 {
        house.authenticate(&tokens).await.unwrap();
    }
    assert_eq!(house.store.reads.load(Ordering::SeqCst), before);
}

#[tokio::test]
async fn another_node_hears_of_it_with_its_next_poll() {
    let house = house().await;
    let (other, sessions) = house.other_node().await;
    let (revoked, removed, kept) = (house.sign_in().await, house.sign_in().await, house.sign_in().await);
    for tokens in [&revoked, &removed, &kept] {
        sessions.authenticate(tokens.access_token.expose()).await.unwrap();
    }
    let principal = house.authenticate(&revoked).await.unwrap();
    house.sessions.revoke(&house.origin, &principal, revoked.session_id).await.unwrap();
    other.authority.poll(&other).await.unwrap();
    assert_eq!(code(other.authority.authenticate(&other, revoked.access_token.expose())), INVALID);
    assert!(other.authority.authenticate(&other, kept.access_token.expose()).is_ok());

    set_status(&house, &house.cx, UserStatus::Deactivated).await;
    other.authority.poll(&other).await.unwrap();
    assert_eq!(code(other.authority.authenticate(&other, kept.access_token.expose())), INVALID);
}

#[tokio::test]
async fn a_changed_users_roles_are_in_force_whatever_the_token_says() {
    let house = house().await;
    let role = house.grant("auditor", &["audit:read"]).await;
    let tokens = house.sign_in().await;
    let (other, _) = house.other_node().await;
    assert!(house.authenticate(&tokens).await.unwrap().has("audit:read"));

    let unit = Unit::new()
        .with(RoleChange::Unassign { user: house.user.id, role: role.id })
        .with(FeedEvent::UserChanged(DEFAULT_TENANT, house.user.id));
    house.cx.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.unwrap();
    assert!(!house.authenticate(&tokens).await.unwrap().has("audit:read"));
    other.authority.poll(&other).await.unwrap();
    assert!(!other.authority.authenticate(&other, tokens.access_token.expose()).unwrap().has("audit:read"));

    let added = house.grant("reader", &["users:read"]).await;
    let principal = house.authenticate(&tokens).await.unwrap();
    assert_eq!(*principal.roles, [added.id]);
    assert!(principal.has("users:read"));
}

#[tokio::test]
async fn a_changed_role_is_in_force_also_for_verified_tokens() {
    let house = house().await;
    let role = house.grant("auditor", &["audit:read"]).await;
    let tokens = house.sign_in().await;
    assert!(house.authenticate(&tokens).await.unwrap().has("audit:read"));
    let changed = Role { permissions: vec!["users:read".into()], version: 2, ..role };
    let unit = Unit::new().with(RoleChange::Update(changed)).with(FeedEvent::RolesChanged(DEFAULT_TENANT));
    house.cx.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.unwrap();
    let principal = house.authenticate(&tokens).await.unwrap();
    assert!(!principal.has("audit:read") && principal.has("users:read"));
}

#[tokio::test]
async fn a_name_that_a_role_was_given_later_does_not_mean_that_role() {
    let house = house().await;
    let old = house.grant("helper", &["users:read"]).await;
    let tokens = house.sign_in().await;
    // When the assignment is no longer remembered, a node goes by the names in the token.
    house.cx.authority.forget_users();
    assert_eq!(*house.authenticate(&tokens).await.unwrap().roles, [old.id]);
    house.advance(1);
    let renamed = Role { name: "assistant".into(), named_at: house.cx.now(), version: 2, ..old };
    let unit = Unit::new().with(RoleChange::Update(renamed)).with(FeedEvent::RolesChanged(DEFAULT_TENANT));
    house.cx.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.unwrap();
    make_role(&house.cx, "helper", &["*"]).await;
    let principal = house.authenticate(&tokens).await.unwrap();
    assert!(principal.roles.is_empty() && !principal.has("users:read"));
}

#[tokio::test]
async fn a_user_who_changed_credentials_keeps_only_the_session_that_did_it() {
    let house = house().await;
    let (kept, other) = (house.sign_in().await, house.sign_in().await);
    let unit = Unit::new()
        .with(AccountChange::SetPassword {
            user: house.user.id,
            security_version: 1,
            hash: "hash".into(),
            kept_session: Some(kept.session_id),
            keep: 5,
            at: house.cx.now(),
        })
        .with(FeedEvent::UserChanged(DEFAULT_TENANT, house.user.id));
    house.cx.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.unwrap();
    assert!(house.authenticate(&kept).await.is_ok());
    assert_eq!(code(house.authenticate(&other).await), INVALID);
    let later = house.sign_in().await;
    assert!(house.authenticate(&later).await.is_ok());
}

#[tokio::test]
async fn a_fresh_node_knows_of_recent_revocations() {
    let house = house().await;
    let tokens = house.sign_in().await;
    let principal = house.authenticate(&tokens).await.unwrap();
    house.sessions.revoke(&house.origin, &principal, tokens.session_id).await.unwrap();
    house.advance(600);
    let (other, sessions) = house.other_node().await;
    assert_eq!(code(other.authority.authenticate(&other, tokens.access_token.expose())), INVALID);
    assert_eq!(code(sessions.authenticate(tokens.access_token.expose()).await), INVALID);
}

#[tokio::test]
async fn a_node_that_was_not_loaded_loads_when_it_is_first_asked() {
    let house = house().await;
    let tokens = house.sign_in().await;
    let mut bare = memory::bare(house.clock.clone(), SeededRandom::new(1), Settings::default()).unwrap();
    bare.store = Arc::new(house.store.clone());
    assert!(bare.authority.is_stale(bare.now()));
    let sessions = Sessions::new(Arc::new(bare));
    assert!(sessions.authenticate(tokens.access_token.expose()).await.is_ok());
}

#[tokio::test]
async fn a_node_is_stale_two_seconds_after_it_last_heard_the_feed() {
    let house = house().await;
    house.cx.authority.poll(&house.cx).await.unwrap();
    assert!(!house.cx.authority.is_stale(house.cx.now()));
    house.advance(2);
    assert!(!house.cx.authority.is_stale(house.cx.now()));
    house.clock.advance(SignedDuration::from_micros(1));
    assert!(house.cx.authority.is_stale(house.cx.now()));
    house.cx.authority.poll(&house.cx).await.unwrap();
    house.advance(-3600);
    assert!(house.cx.authority.is_stale(house.cx.now()), "a clock that was set back proves nothing");
}

#[tokio::test]
async fn a_stale_node_hears_the_feed_before_it_answers() {
    let house = house().await;
    let (_, sessions) = house.other_node().await;
    let tokens = house.sign_in().await;
    let principal = house.authenticate(&tokens).await.unwrap();
    house.sessions.revoke(&house.origin, &principal, tokens.session_id).await.unwrap();
    house.advance(3);
    assert_eq!(code(sessions.authenticate(tokens.access_token.expose()).await), INVALID);
}

#[tokio::test]
async fn a_stale_node_that_cannot_hear_reads_the_rows() {
    let house = house().await;
    let role = house.grant("auditor", &["audit:read"]).await;
    let (_, sessions) = house.other_node().await;
    let (revoked, kept) = (house.sign_in().await, house.sign_in().await);
    sessions.authenticate(revoked.access_token.expose()).await.unwrap();
    let principal = house.authenticate(&revoked).await.unwrap();
    house.sessions.revoke(&house.origin, &principal, revoked.session_id).await.unwrap();
    house.store.deaf.store(true, Ordering::SeqCst);
    house.advance(3);
    assert_eq!(code(sessions.authenticate(revoked.access_token.expose()).await), INVALID);
    assert_eq!(*sessions.authenticate(kept.access_token.expose()).await.unwrap().roles, [role.id]);

    let unit = Unit::new().with(RoleChange::Unassign { user: house.user.id, role: role.id });
    house.cx.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.unwrap();
    assert!(sessions.authenticate(kept.access_token.expose()).await.unwrap().roles.is_empty());
    set_status(&house, &house.cx, UserStatus::Deactivated).await;
    assert_eq!(code(sessions.authenticate(kept.access_token.expose()).await), INVALID);
}

#[tokio::test]
async fn a_stale_node_that_can_read_nothing_refuses() {
    let house = house().await;
    let tokens = house.sign_in().await;
    house.authenticate(&tokens).await.unwrap();
    house.store.down.store(true, Ordering::SeqCst);
    assert!(house.authenticate(&tokens).await.is_ok(), "what was heard two seconds ago is trusted");
    house.advance(3);
    assert_eq!(code(house.authenticate(&tokens).await), Some(ErrorCode::Unavailable));
    assert_eq!(code(house.sessions.authenticate("forged").await), INVALID);
    house.store.down.store(false, Ordering::SeqCst);
    assert!(house.authenticate(&tokens).await.is_ok());
}

#[tokio::test]
async fn a_failed_poll_moves_nothing_and_the_next_one_makes_up_for_it() {
    let house = house().await;
    let (other, _) = house.other_node().await;
    let tokens = house.sign_in().await;
    set_status(&house, &house.cx, UserStatus::Deactivated).await;
    house.store.down.store(true, Ordering::SeqCst);
    assert!(other.authority.poll(&other).await.is_err());
    house.store.down.store(false, Ordering::SeqCst);
    other.authority.poll(&other).await.unwrap();
    assert_eq!(code(other.authority.authenticate(&other, tokens.access_token.expose())), INVALID);
}

#[tokio::test]
async fn a_node_that_could_not_read_its_own_change_does_not_trust_itself() {
    let house = house().await;
    let tokens = house.sign_in().await;
    house.authenticate(&tokens).await.unwrap();
    let user = house.store.inner_user(house.user.id).await;
    house.store.down.store(true, Ordering::SeqCst);
    set_status(&house, &house.cx, UserStatus::Deactivated).await;
    assert!(house.cx.authority.is_stale(house.cx.now()), "{user:?}");
    assert_eq!(code(house.authenticate(&tokens).await), Some(ErrorCode::Unavailable));
    house.store.down.store(false, Ordering::SeqCst);
    assert_eq!(code(house.authenticate(&tokens).await), INVALID);
    assert!(!house.cx.authority.is_stale(house.cx.now()));
}

#[tokio::test]
async fn the_later_of_two_reads_counts_whichever_arrives_first() {
    let house = house().await;
    let tokens = house.sign_in().await;
    let gate = Arc::new(Semaphore::new(0));
    *house.store.late.lock().unwrap() = Some(gate.clone());
    // Reads the user as active, and is held up with the answer.
    let slow = {
        let cx = house.cx.clone();
        let event = FeedEvent::UserChanged(DEFAULT_TENANT, house.user.id);
        tokio::spawn(async move { cx.authority.apply(&cx, &[event]).await })
    };
    while house.store.late.lock().unwrap().is_some() {
        tokio::task::yield_now().await;
    }
    set_status(&house, &house.cx, UserStatus::Deactivated).await;
    assert_eq!(code(house.authenticate(&tokens).await), INVALID);
    gate.add_permits(1);
    slow.await.unwrap();
    assert_eq!(code(house.authenticate(&tokens).await), INVALID);
}

#[tokio::test]
async fn an_event_whose_caller_went_away_is_made_up_for() {
    let house = house().await;
    let tokens = house.sign_in().await;
    let gate = Arc::new(Semaphore::new(0));
    *house.store.late.lock().unwrap() = Some(gate);
    let dropped = set_status(&house, &house.cx, UserStatus::Deactivated);
    assert!(tokio::time::timeout(std::time::Duration::from_millis(20), dropped).await.is_err());
    house.cx.authority.poll(&house.cx).await.unwrap();
    assert_eq!(code(house.authenticate(&tokens).await), INVALID);
}

#[tokio::test]
async fn a_user_who_is_not_active_is_refused_whatever_the_version_says() {
    let house = house().await;
    let user = User {
        id: UserId::new(house.cx.uuid()),
        email_key: house.cx.keyring.index("email", &[b"bob@example.com"]),
        status: UserStatus::Deactivated,
        ..house.user.clone()
    };
    let mut unit = Unit::new().with(AccountChange::CreateUser(Box::new(user.clone())));
    let tokens = open(&house.cx, &house.origin, &user, &["pwd"], &mut unit).await.unwrap();
    unit.push(FeedEvent::UserChanged(DEFAULT_TENANT, user.id));
    house.cx.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.unwrap();
    assert_eq!(code(house.authenticate(&tokens).await), INVALID);
}

#[tokio::test]
async fn an_inactive_tenants_tokens_are_refused() {
    let house = house().await;
    let tenants = Tenants::new(house.cx.clone());
    let mut tenant = tenants.create("acme", "Acme", &[], TenantSettings::default()).await.unwrap();
    let user = User { id: UserId::new(house.cx.uuid()), tenant: tenant.id, ..house.user.clone() };
    let unit = Unit::new().with(AccountChange::CreateUser(Box::new(user.clone())));
    house.cx.commit(Scope::Tenant(tenant.id), unit).await.unwrap();
    let tokens = house.sign_in_as(&user).await;
    assert_eq!(house.authenticate(&tokens).await.unwrap().tenant, tenant.id);
    tenant.active = false;
    let mut tenant = tenants.update(tenant).await.unwrap();
    assert_eq!(code(house.authenticate(&tokens).await), INVALID);
    let refused = house.refresh(&tokens.refresh_token).await;
    assert_eq!(code(refused), Some(ErrorCode::InvalidRefreshToken));
    tenant.active = true;
    tenants.update(tenant).await.unwrap();
    assert!(house.authenticate(&tokens).await.is_ok());
}

#[tokio::test]
async fn a_key_that_another_node_has_just_made_is_looked_for_but_not_in_a_loop() {
    let house = house().await;
    let (other, sessions) = house.other_node().await;
    house.sessions.rotate_key_now(&house.origin).await.unwrap();
    let tokens = house.sign_in().await;
    assert_eq!(code(other.authority.authenticate(&other, tokens.access_token.expose())), INVALID);
    assert!(sessions.authenticate(tokens.access_token.expose()).await.is_ok());

    let before = house.store.reads.load(Ordering::SeqCst);
    for n in 0..100 {
        let kid = KeyId::new(uuid::Uuid::from_u128(n));
        let header = format!(r#"{{"typ":"at+jwt","alg":"EdDSA","kid":"{kid}"}}"#);
        use base64::Engine;
        let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header);
        let rest = text(&tokens.access_token).split_once('.').unwrap().1.to_owned();
        assert_eq!(code(sessions.authenticate(&format!("{header}.{rest}")).await), INVALID);
    }
    assert!(house.store.reads.load(Ordering::SeqCst) - before <= 8);
}

#[tokio::test]
async fn a_tenant_that_another_node_has_just_made_is_looked_for() {
    let house = house().await;
    let (_, sessions) = house.other_node().await;
    let tenants = Tenants::new(house.cx.clone());
    let tenant = tenants.create("acme", "Acme", &[], TenantSettings::default()).await.unwrap();
    let user = User { id: UserId::new(house.cx.uuid()), tenant: tenant.id, ..house.user.clone() };
    let unit = Unit::new().with(AccountChange::CreateUser(Box::new(user.clone())));
    house.cx.commit(Scope::Tenant(tenant.id), unit).await.unwrap();
    let tokens = house.sign_in_as(&user).await;
    assert_eq!(sessions.authenticate(tokens.access_token.expose()).await.unwrap().tenant, tenant.id);
}

#[tokio::test]
async fn what_no_token_can_depend_on_any_more_is_forgotten() {
    let house = house().await;
    for _ in 0..5 {
        let tokens = house.sign_in().await;
        let principal = house.authenticate(&tokens).await.unwrap();
        house.sessions.revoke(&house.origin, &principal, tokens.session_id).await.unwrap();
    }
    house.grant("auditor", &[]).await;
    house.cx.authority.poll(&house.cx).await.unwrap();
    assert_eq!(house.cx.authority.remembered(), (5, 1));
    house.advance(900 + 120);
    house.cx.authority.poll(&house.cx).await.unwrap();
    house.advance(11);
    house.cx.authority.poll(&house.cx).await.unwrap();
    assert_eq!(house.cx.authority.remembered(), (0, 0));
}

#[tokio::test]
async fn a_fresh_sign_in_is_asked_for_after_ten_minutes() {
    let house = house().await;
    let tokens = house.sign_in().await;
    let principal = house.authenticate(&tokens).await.unwrap();
    house.advance(600);
    assert!(principal.require_fresh(&house.cx).is_ok());
    house.advance(1);
    assert_eq!(code(principal.require_fresh(&house.cx)), Some(ErrorCode::StepUpRequired));
    let refreshed = house.refresh(&tokens.refresh_token).await.unwrap();
    let principal = house.authenticate(&refreshed).await.unwrap();
    assert_eq!(code(principal.require_fresh(&house.cx)), Some(ErrorCode::StepUpRequired), "a refresh is no sign-in");
    house.advance(-601 - 31);
    assert_eq!(code(principal.require_fresh(&house.cx)), Some(ErrorCode::StepUpRequired), "nor is one that is to come");
}

#[tokio::test]
async fn a_permission_on_ones_own_is_for_ones_own() {
    let house = house_with(|cx| {
        cx.permissions = Permissions::new(vec![Permission::new("notes:read", "Read notes")]).unwrap();
    })
    .await;
    house.grant("member", &["notes:read:own"]).await;
    let tokens = house.sign_in().await;
    let principal = house.authenticate(&tokens).await.unwrap();
    let somebody = UserId::new(house.cx.uuid());
    assert!(principal.require_for("notes:read", house.user.id).is_ok());
    assert_eq!(code(principal.require_for("notes:read", somebody)), Some(ErrorCode::Forbidden));
    assert!(!principal.has("notes:read"));
}

#[tokio::test]
async fn what_was_read_again_unchanged_leaves_verified_tokens_verified() {
    let house = house().await;
    let generation = || house.cx.authority.snapshot().generation;
    let before = generation();
    let again = [FeedEvent::KeysChanged, FeedEvent::TenantsChanged, FeedEvent::RolesChanged(DEFAULT_TENANT)];
    house.cx.authority.apply(&house.cx, &again).await;
    assert_eq!(generation(), before);
    make_role(&house.cx, "helper", &[]).await;
    assert_eq!(generation(), before + 1);
}

#[tokio::test]
async fn a_node_without_a_worker_does_not_sign_with_a_revoked_key() {
    let house = house().await;
    let (other, sessions) = house.other_node().await;
    let first = house.sign_in().await;
    let old = house.sessions.list_keys().await.unwrap()[0].id;
    house.sessions.revoke_key(&house.origin, old).await.unwrap();
    house.advance(3);
    let tokens = sessions.refresh(&house.origin, &first.refresh_token, None).await.unwrap();
    assert!(other.authority.authenticate(&other, tokens.access_token.expose()).is_ok());
    assert!(house.authenticate(&tokens).await.is_ok());
}
