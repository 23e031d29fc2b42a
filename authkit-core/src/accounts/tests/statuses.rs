use super::*;
use crate::rbac::RoleChange;

fn confirm() -> PasswordConfirmRequest {
    PasswordConfirmRequest { password: Some(PASSWORD.into()) }
}

/// Makes the user an administrator.
async fn promote(world: &World, user: UserId) {
    let (roles, version) = world.cx.store.list_roles(DEFAULT_TENANT).await.expect("read");
    let admin = roles.iter().find(|role| role.system && role.name == "admin").expect("the system role");
    let unit = Unit::new()
        .with(RoleChange::Advance { version })
        .with(RoleChange::Assign { user, role: admin.id, by: None, at: world.now() })
        .with(crate::sessions::FeedEvent::UserChanged(DEFAULT_TENANT, user));
    world.cx.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.expect("assigned");
}

#[tokio::test]
async fn a_switched_off_account_is_out_at_once_and_an_administrator_lets_it_in_again() {
    let world = World::new().await;
    let user = world.user(ADA).await;
    let tokens = world.tokens(ADA, PASSWORD).await;
    let principal = world.sessions.authenticate(tokens.access_token.expose()).await.expect("signed in");
    world.notices().await;
    let others = world.wait_for_proof(ADA).await;
    world.accounts.deactivate_me(&world.origin, &principal, confirm()).await.expect("deactivated");
    assert_eq!(world.left_of(&others).await, 0, "no token of before is left");
    assert!(!world.is_alive(&tokens).await);
    assert_eq!(code(world.accounts.get_me(&principal).await), ErrorCode::InvalidToken);
    assert_eq!(code(world.login(ADA, PASSWORD).await), ErrorCode::InvalidCredentials);
    let view = world.accounts.activate(&world.origin, None, user.id).await.expect("activated");
    assert_eq!(view.user.status, UserStatus::Active);
    world.tokens(ADA, PASSWORD).await;
    assert_eq!(world.kinds().await, ["account_deactivated", "account_reactivated"]);
}

#[tokio::test]
async fn deletion_waits_out_its_grace_and_can_be_called_off() {
    let world = World::new().await;
    let user = world.user(ADA).await;
    let principal = world.principal(ADA, PASSWORD).await;
    world.accounts.delete_me(&world.origin, &principal, confirm()).await.expect("scheduled");
    let stored = world.stored(ADA).await.expect("there");
    assert_eq!(stored.erase_at, Some(world.now() + world.cx.settings.links.deletion_grace));
    let view = world.accounts.deactivate(&world.origin, None, user.id).await.expect("nothing to do");
    assert_eq!(view.user.status, UserStatus::PendingDeletion, "deactivation does not call the deletion off");
    world.accounts.activate(&world.origin, None, user.id).await.expect("called off");
    assert_eq!(world.stored(ADA).await.expect("there").erase_at, None);
}

#[tokio::test]
async fn the_last_administrator_stays_and_nobody_deactivates_themself_without_the_password() {
    let world = World::new().await;
    let ada = world.user(ADA).await;
    let bob = world.user("bob@example.org").await;
    promote(&world, ada.id).await;
    let principal = world.principal(ADA, PASSWORD).await;
    let own = world.accounts.deactivate(&world.origin, Some(&principal), ada.id).await;
    assert_eq!(code(own), ErrorCode::RoleLastAdmin);
    assert_eq!(
        code(world.accounts.deactivate_me(&world.origin, &principal, confirm()).await),
        ErrorCode::RoleLastAdmin
    );
    assert_eq!(code(world.accounts.delete_me(&world.origin, &principal, confirm()).await), ErrorCode::RoleLastAdmin);

    promote(&world, bob.id).await;
    let own = world.accounts.deactivate(&world.origin, Some(&principal), ada.id).await;
    assert_eq!(code(own), ErrorCode::Forbidden);
    world.accounts.deactivate(&world.origin, Some(&principal), bob.id).await.expect("one is left");
    world.accounts.activate(&world.origin, Some(&principal), bob.id).await.expect("two again");
    world.accounts.deactivate_me(&world.origin, &principal, confirm()).await.expect("one is left");
}

#[tokio::test]
async fn two_administrators_who_switch_each_other_off_leave_one() {
    let world = World::new().await;
    let mut both = Vec::new();
    for email in [ADA, "bob@example.org"] {
        let user = world.user(email).await;
        promote(&world, user.id).await;
        both.push((world.principal(email, PASSWORD).await, user.id));
    }
    let mut running = Vec::new();
    for (by, whom) in [(0, 1), (1, 0)] {
        let (accounts, origin) = (world.accounts.clone(), world.origin.clone());
        let (principal, id) = (both[by].0.clone(), both[whom].1);
        running.push(tokio::spawn(async move { accounts.deactivate(&origin, Some(&principal), id).await }));
    }
    let mut done = 0;
    for task in running {
        match task.await.expect("ran") {
            Ok(_) => done += 1,
            Err(error) => assert_eq!(error.code, ErrorCode::RoleLastAdmin),
        }
    }
    assert_eq!(done, 1);
}

#[tokio::test]
async fn administration_needs_its_permissions_and_stays_in_its_tenant() {
    let world = World::new().await;
    let ada = world.user(ADA).await;
    let bob = world.user("bob@example.org").await;
    let principal = world.principal(ADA, PASSWORD).await;
    let (accounts, origin, by) = (&world.accounts, &world.origin, Some(&principal));
    assert_eq!(code(accounts.get_user(&principal, bob.id).await), ErrorCode::Forbidden);
    assert_eq!(code(accounts.list_users(&principal, UserFilter::default(), None, None).await), ErrorCode::Forbidden);
    assert_eq!(code(accounts.deactivate(origin, by, bob.id).await), ErrorCode::Forbidden);
    assert_eq!(code(accounts.activate(origin, by, bob.id).await), ErrorCode::Forbidden);
    assert_eq!(code(accounts.unlock(origin, by, bob.id).await), ErrorCode::Forbidden);

    promote(&world, ada.id).await;
    let principal = world.principal(ADA, PASSWORD).await;
    assert_eq!(accounts.get_user(&principal, bob.id).await.expect("found").user.id, bob.id);
    let abroad = Principal { tenant: TenantId::new(uuid::Uuid::from_u128(9)), ..principal };
    assert_eq!(code(accounts.get_user(&abroad, bob.id).await), ErrorCode::UserNotFound);
    assert_eq!(code(accounts.deactivate(origin, Some(&abroad), bob.id).await), ErrorCode::UserNotFound);
}

#[tokio::test]
async fn what_administrators_do_is_recorded_with_where_they_did_it_from() {
    let world = World::new().await;
    let (ada, bob) = (world.user(ADA).await, world.user("bob@example.org").await);
    promote(&world, ada.id).await;
    let principal = world.principal(ADA, PASSWORD).await;
    let origin = Origin {
        ip: Some("192.0.2.7".parse().expect("an address")),
        user_agent: Some("Browser".into()),
        trace_id: Some("trace-7".into()),
        ..world.origin.clone()
    };
    let by = Some(&principal);
    world.accounts.deactivate(&origin, by, bob.id).await.expect("deactivated");
    world.accounts.activate(&origin, by, bob.id).await.expect("activated");
    world.accounts.unlock(&origin, by, bob.id).await.expect("unlocked");
    // With none open: that somebody tried is recorded as well.
    let revoked = world.sessions.revoke_all_of(&origin, by, bob.id).await.expect("ended");
    assert_eq!(revoked.revoked, 0);
    let log = crate::audit::AuditLog::new(world.cx.clone());
    log.list(&origin, &principal, crate::audit::AuditFilter::default(), None, None).await.expect("read");
    for (action, subject) in [
        ("user.deactivated", bob.id),
        ("user.activated", bob.id),
        ("user.unlocked", bob.id),
        ("session.ended", bob.id),
        ("audit.read", ada.id),
    ] {
        let filter = crate::audit::AuditFilter { action: Some(action.into()), ..Default::default() };
        let page = log.list(&origin, &principal, filter, None, None).await.expect("read");
        let record = page.data.last().expect(action);
        assert_eq!(record.actor, Some(ada.id.to_string()), "{action}");
        assert_eq!(record.subject, Some(subject.to_string()), "{action}");
        assert_eq!(record.ip.as_deref(), Some("192.0.2.7"), "{action}");
        assert_eq!(record.user_agent.as_deref(), Some("Browser"), "{action}");
        assert_eq!(record.trace_id.as_deref(), Some("trace-7"), "{action}");
    }
}

#[tokio::test]
async fn users_are_listed_newest_first_in_pages_that_are_bound_to_their_filter() {
    let world = World::new().await;
    let ada = world.user(ADA).await;
    for at in 0..5 {
        world.clock.advance(SignedDuration::from_secs(1));
        world.user(&format!("user{at}@example.org")).await;
    }
    promote(&world, ada.id).await;
    let principal = world.principal(ADA, PASSWORD).await;
    let filter = UserFilter { email_prefix: Some("USER".into()), ..UserFilter::default() };
    let mut seen = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = world.accounts.list_users(&principal, filter.clone(), cursor.as_deref(), Some(2)).await;
        let page = page.expect("a page");
        seen.extend(page.data.into_iter().map(|view| view.user.email));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
        let other = world.accounts.list_users(&principal, UserFilter::default(), cursor.as_deref(), Some(2)).await;
        assert_eq!(code(other), ErrorCode::InvalidCursor);
    }
    assert_eq!(seen, (0..5).rev().map(|at| format!("user{at}@example.org")).collect::<Vec<_>>());
    world.lock("user3@example.org").await;
    world.counters.take();
    let page = world.accounts.list_users(&principal, UserFilter::default(), None, None).await.expect("a page");
    assert_eq!(world.counters.take().reads, 3, "users, roles and locks, however many there are");
    let locked: Vec<_> = page.data.iter().filter(|view| view.locked_until.is_some()).collect();
    assert!(locked.len() == 1 && locked[0].user.email == "user3@example.org");
    let roles: Vec<_> = page.data.iter().map(|view| view.roles.len()).collect();
    assert_eq!(roles, [0, 0, 0, 0, 0, 1]);
    let filter = UserFilter { name_contains: Some("a\0b".into()), ..UserFilter::default() };
    assert_eq!(code(world.accounts.list_users(&principal, filter, None, None).await), ErrorCode::InvalidFilter);
}

#[tokio::test]
async fn an_unlock_lifts_the_lock_that_administration_shows() {
    let world = World::new().await;
    let user = world.user(ADA).await;
    world.lock(ADA).await;
    let view = world.accounts.activate(&world.origin, None, user.id).await.expect("read");
    assert_eq!(view.locked_until, Some(world.now() + world.cx.settings.lockout.first_lock));
    assert_eq!(code(world.login(ADA, PASSWORD).await), ErrorCode::InvalidCredentials);
    let view = world.accounts.unlock(&world.origin, None, user.id).await.expect("unlocked");
    assert_eq!(view.locked_until, None);
    world.tokens(ADA, PASSWORD).await;
}

#[tokio::test]
async fn a_profile_update_keeps_what_was_not_sent_and_refuses_a_stale_version() {
    let world = World::new().await;
    world.user(ADA).await;
    let principal = world.principal(ADA, PASSWORD).await;
    let update = |json: serde_json::Value| serde_json::from_value::<UpdateMeRequest>(json).expect("a request");
    let me = async |request, version| world.accounts.update_me(&world.origin, &principal, request, version).await;
    let view =
        me(update(serde_json::json!({"name": "Ada", "preferences": {"a": 1, "b": 2}})), None).await.expect("set");
    let after = me(update(serde_json::json!({"locale": "de", "preferences": {"a": null}})), Some(view.version)).await;
    let after = after.expect("set");
    assert_eq!((after.name.as_deref(), after.locale.as_deref()), (Some("Ada"), Some("de")));
    assert_eq!(serde_json::Value::from(after.preferences.clone()), serde_json::json!({"b": 2}));
    let stale = me(update(serde_json::json!({"name": null})), Some(view.version)).await;
    assert_eq!(code(stale), ErrorCode::PreconditionFailed);
    let cleared = me(update(serde_json::json!({"name": null})), None).await.expect("cleared");
    assert_eq!((cleared.name, cleared.version), (None, after.version + 1));
    assert_eq!(world.stored(ADA).await.expect("there").version, cleared.version);
    let huge = serde_json::json!({"preferences": {"x": "y".repeat(20_000)}});
    assert_eq!(codes(me(update(huge), None).await), ["preferences: preferences.invalid"]);
}
