//! Users.

use super::{assert_conflict, build, commit, must, parallel};
use authkit_core::{
    accounts::{AccountChange, User, UserFilter},
    ports::{Conflict, Position, Store, Unit},
    rbac::RoleChange,
    wire::{SessionId, UserId, UserStatus},
};
use std::sync::Arc;

async fn read(store: &dyn Store, user: &User) -> User {
    store.find_user(user.tenant, user.id).await.unwrap().unwrap()
}

fn create(user: &User) -> Unit {
    Unit::new().with(AccountChange::CreateUser(Box::new(user.clone())))
}

pub async fn a_user_is_kept_as_it_was(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let mut user = build::user(tenant);
    user.status = UserStatus::PendingDeletion;
    user.mfa_enabled = true;
    user.kept_session = Some(SessionId::new(build::uuid()));
    user.erase_at = Some(build::at(99));
    user.last_sign_in_at = Some(build::at(3));
    let mut bare = build::user(tenant);
    (bare.name, bare.locale, bare.password_hash, bare.email_verified) = (None, None, None, false);
    for user in [user, bare] {
        must(&*store, tenant, create(&user)).await;
        let by_id = read(&*store, &user).await;
        let by_email = store.find_user_by_email(tenant, &user.email_key).await.unwrap().unwrap();
        for found in [by_id, by_email] {
            assert_eq!((found.id, found.tenant, &found.email), (user.id, user.tenant, &user.email));
            assert_eq!((found.email_key, found.email_verified), (user.email_key, user.email_verified));
            assert_eq!((&found.name, &found.locale), (&user.name, &user.locale));
            assert_eq!((&found.profile, &found.preferences), (&user.profile, &user.preferences));
            assert_eq!((&found.password_hash, found.status), (&user.password_hash, user.status));
            assert_eq!((found.mfa_enabled, &found.subject_key), (user.mfa_enabled, &user.subject_key));
            assert_eq!((found.security_version, found.kept_session), (user.security_version, user.kept_session));
            assert_eq!((found.version, found.erase_at), (user.version, user.erase_at));
            assert_eq!(found.last_sign_in_at, user.last_sign_in_at);
            assert_eq!((found.created_at, found.updated_at), (user.created_at, user.updated_at));
        }
        let history = store.password_history(tenant, user.id, 5).await.unwrap();
        assert_eq!(history, user.password_hash.into_iter().collect::<Vec<_>>());
    }
}

pub async fn an_address_is_taken_once_in_a_tenant(store: Arc<dyn Store>) {
    let (tenant, other) = (build::tenant(), build::tenant());
    let user = build::stored_user(&*store, tenant).await;
    let mut twin = build::user(tenant);
    twin.email_key = user.email_key;
    assert_conflict(&commit(&*store, tenant, create(&twin)).await, 0, Conflict::Taken);
    twin.tenant = other;
    must(&*store, other, create(&twin)).await;
}

pub async fn parallel_creations_of_an_address_have_one_winner(store: Arc<dyn Store>) {
    let (tenant, key) = (build::tenant(), build::key());
    let results = parallel(0..8, |_| {
        let store = Arc::clone(&store);
        async move {
            let mut user = build::user(tenant);
            user.email_key = key;
            commit(&*store, tenant, create(&user)).await
        }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for result in results.iter().filter(|result| result.is_err()) {
        assert_conflict(result, 0, Conflict::Taken);
    }
}

pub async fn a_profile_is_set_once_per_version(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let user = build::stored_user(&*store, tenant).await;
    let update = |version| {
        Unit::new().with(AccountChange::UpdateProfile {
            user: user.id,
            version,
            name: None,
            locale: Some("en".to_owned()),
            profile: build::map(serde_json::json!({ "x": 1 })),
            preferences: build::map(serde_json::json!({ "y": 2 })),
            at: build::at(5),
        })
    };
    must(&*store, tenant, update(1)).await;
    assert_conflict(&commit(&*store, tenant, update(1)).await, 0, Conflict::Changed);
    let found = read(&*store, &user).await;
    assert_eq!((found.version, found.security_version, found.updated_at), (2, 1, build::at(5)));
    assert_eq!((found.name, found.locale.as_deref()), (None, Some("en")));
    assert_eq!((found.profile["x"].clone(), found.preferences["y"].clone()), (1.into(), 2.into()));
}

fn set_password(user: UserId, security_version: i64, hash: &str, kept_session: Option<SessionId>) -> Unit {
    Unit::new().with(AccountChange::SetPassword {
        user,
        security_version,
        hash: hash.to_owned(),
        kept_session,
        keep: 3,
        at: build::at(7),
    })
}

pub async fn setting_a_password_grows_the_versions_and_the_history(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let user = build::stored_user(&*store, tenant).await;
    let kept = SessionId::new(build::uuid());
    must(&*store, tenant, set_password(user.id, 1, "second", Some(kept))).await;
    assert_conflict(&commit(&*store, tenant, set_password(user.id, 1, "third", None)).await, 0, Conflict::Changed);
    let found = read(&*store, &user).await;
    assert_eq!(found.password_hash.as_deref(), Some("second"));
    assert_eq!((found.security_version, found.version, found.kept_session), (2, 2, Some(kept)));
    assert_eq!(found.updated_at, build::at(7));
    let history = store.password_history(tenant, user.id, 5).await.unwrap();
    assert_eq!(history, ["second".to_owned(), user.password_hash.unwrap()]);
}

pub async fn the_history_keeps_the_newest(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let user = build::stored_user(&*store, tenant).await;
    let other = build::stored_user(&*store, tenant).await;
    for (version, hash) in (1..).zip(["b", "c", "d", "e"]) {
        must(&*store, tenant, set_password(user.id, version, hash, None)).await;
    }
    assert_eq!(store.password_history(tenant, user.id, 9).await.unwrap(), ["e", "d", "c"]);
    assert_eq!(store.password_history(tenant, user.id, 2).await.unwrap(), ["e", "d"]);
    assert_eq!(store.password_history(tenant, other.id, 9).await.unwrap().len(), 1, "others keep theirs");
}

pub async fn a_rehash_changes_nothing_but_the_hash(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let user = build::stored_user(&*store, tenant).await;
    let rehash = |security_version| {
        Unit::new().with(AccountChange::Rehash { user: user.id, security_version, hash: "stronger".to_owned() })
    };
    assert_eq!(must(&*store, tenant, rehash(2)).await.get(0), 0, "another version is no conflict");
    assert_eq!(read(&*store, &user).await.password_hash, user.password_hash);
    assert_eq!(must(&*store, tenant, rehash(1)).await.get(0), 1);
    let found = read(&*store, &user).await;
    assert_eq!(found.password_hash.as_deref(), Some("stronger"));
    assert_eq!((found.security_version, found.version), (1, 1));
}

pub async fn an_address_change_is_checked_like_a_creation(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let user = build::stored_user(&*store, tenant).await;
    let other = build::stored_user(&*store, tenant).await;
    let change = |security_version, email_key| {
        Unit::new().with(AccountChange::SetEmail {
            user: user.id,
            security_version,
            email: "New@example.org".to_owned(),
            email_key,
            kept_session: None,
            at: build::at(4),
        })
    };
    let key = build::key();
    assert_conflict(&commit(&*store, tenant, change(1, other.email_key)).await, 0, Conflict::Taken);
    assert_conflict(&commit(&*store, tenant, change(2, key)).await, 0, Conflict::Changed);
    must(&*store, tenant, change(1, key)).await;
    let found = store.find_user_by_email(tenant, &key).await.unwrap().unwrap();
    assert_eq!((found.id, found.email.as_str(), found.email_verified), (user.id, "New@example.org", true));
    assert_eq!((found.security_version, found.version), (2, 2));
    assert!(store.find_user_by_email(tenant, &user.email_key).await.unwrap().is_none());
    let filter = UserFilter { email_prefix: Some("new@".to_owned()), ..UserFilter::default() };
    assert_eq!(store.list_users(tenant, &filter, None, 5).await.unwrap().len(), 1, "the list finds it");
}

pub async fn an_address_is_verified_once(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let mut user = build::user(tenant);
    user.email_verified = false;
    must(&*store, tenant, create(&user)).await;
    let verify =
        |email_key| Unit::new().with(AccountChange::VerifyEmail { user: user.id, email_key, at: build::at(6) });
    assert_conflict(&commit(&*store, tenant, verify(build::key())).await, 0, Conflict::Changed);
    must(&*store, tenant, verify(user.email_key)).await;
    assert_conflict(&commit(&*store, tenant, verify(user.email_key)).await, 0, Conflict::Changed);
    let found = read(&*store, &user).await;
    assert_eq!((found.email_verified, found.version, found.security_version), (true, 2, 1));
}

pub async fn status_and_factor_changes_grow_the_versions(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let user = build::stored_user(&*store, tenant).await;
    let kept = Some(SessionId::new(build::uuid()));
    let mfa = |security_version| {
        let at = build::at(1);
        Unit::new().with(AccountChange::SetMfa {
            user: user.id,
            security_version,
            enabled: true,
            kept_session: kept,
            at,
        })
    };
    must(&*store, tenant, mfa(1)).await;
    assert_conflict(&commit(&*store, tenant, mfa(1)).await, 0, Conflict::Changed);
    let found = read(&*store, &user).await;
    assert_eq!((found.mfa_enabled, found.security_version, found.version), (true, 2, 2));
    assert_eq!(found.kept_session, kept);
    let status = |security_version| {
        Unit::new().with(AccountChange::SetStatus {
            user: user.id,
            security_version,
            status: UserStatus::PendingDeletion,
            erase_at: Some(build::at(50)),
            at: build::at(2),
        })
    };
    must(&*store, tenant, status(2)).await;
    assert_conflict(&commit(&*store, tenant, status(2)).await, 0, Conflict::Changed);
    let found = read(&*store, &user).await;
    assert_eq!((found.status, found.erase_at), (UserStatus::PendingDeletion, Some(build::at(50))));
    assert_eq!((found.security_version, found.version, found.kept_session), (3, 3, None));
}

pub async fn only_an_active_user_of_the_same_version_signs_in(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let user = build::stored_user(&*store, tenant).await;
    let sign_in = |security_version| {
        Unit::new().with(AccountChange::SignedIn { user: user.id, security_version, at: build::at(8) })
    };
    must(&*store, tenant, sign_in(1)).await;
    let found = read(&*store, &user).await;
    assert_eq!((found.last_sign_in_at, found.version), (Some(build::at(8)), 1));
    assert_conflict(&commit(&*store, tenant, sign_in(2)).await, 0, Conflict::Changed);
    for (version, status) in [(1, UserStatus::Deactivated), (2, UserStatus::PendingDeletion)] {
        let change = AccountChange::SetStatus {
            user: user.id,
            security_version: version,
            status,
            erase_at: None,
            at: build::at(9),
        };
        must(&*store, tenant, Unit::new().with(change)).await;
        assert_conflict(&commit(&*store, tenant, sign_in(version + 1)).await, 0, Conflict::Changed);
    }
    let elsewhere = commit(&*store, build::tenant(), sign_in(1)).await;
    assert_conflict(&elsewhere, 0, Conflict::Changed);
}

/// Whoever comes first, no session that the change should have ended is left.
pub async fn sign_in_and_password_change_exclude_each_other(store: Arc<dyn Store>) {
    use authkit_core::sessions::SessionChange;
    let tenant = build::tenant();
    for _ in 0..20 {
        let user = build::stored_user(&*store, tenant).await;
        let session = build::session(&user);
        let sign_in = Unit::new()
            .with(AccountChange::SignedIn { user: user.id, security_version: 1, at: build::at(1) })
            .with(SessionChange::Create(Box::new(session.clone())));
        let mut reset = set_password(user.id, 1, "new", None);
        reset.push(SessionChange::EndAllOf { user: user.id, except: None });
        let results = parallel([sign_in, reset], |unit| {
            let store = Arc::clone(&store);
            async move { commit(&*store, tenant, unit).await }
        })
        .await;
        assert!(results[1].is_ok(), "a sign-in does not stop a reset: {:?}", results[1]);
        assert!(store.find_session(tenant, session.id).await.unwrap().is_none());
    }
}

pub async fn users_are_listed_newest_first_by_page(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let mut expected = Vec::new();
    for _ in 0..5 {
        expected.insert(0, build::stored_user(&*store, tenant).await.id);
    }
    build::stored_user(&*store, build::tenant()).await;
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.list_users(tenant, &UserFilter::default(), after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(Position { key: String::new(), id: last.id.uuid() });
        assert!(page.len() <= 2);
        found.extend(page.iter().map(|user| user.id));
    }
    assert_eq!(found, expected);
}

pub async fn users_are_filtered(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let mut ids = Vec::new();
    for (email, name) in [
        ("ada@example.org", Some("Ada Lovelace")),
        ("adam@example.org", Some("ÄDAM 100%_sure")),
        ("bob@example.org", None),
        ("a%a@example.org", Some("Lovelace")),
    ] {
        let mut user = build::user(tenant);
        (user.email, user.name) = (email.to_owned(), name.map(str::to_owned));
        must(&*store, tenant, create(&user)).await;
        ids.push(user.id);
    }
    let (ada, adam, bob, percent) = (ids[0], ids[1], ids[2], ids[3]);
    let role = build::role(tenant, "editor");
    must(
        &*store,
        tenant,
        Unit::new()
            .with(RoleChange::Create(role.clone()))
            .with(RoleChange::Assign { user: bob, role: role.id, by: None, at: build::at(0) })
            .with(AccountChange::SetStatus {
                user: ada,
                security_version: 1,
                status: UserStatus::Deactivated,
                erase_at: None,
                at: build::at(1),
            }),
    )
    .await;
    let text = |text: &str| Some(text.to_owned());
    let cases = [
        (UserFilter { email_prefix: text("ada"), ..UserFilter::default() }, vec![adam, ada]),
        (UserFilter { email_prefix: text("a%"), ..UserFilter::default() }, vec![percent]),
        (UserFilter { email_prefix: text("da"), ..UserFilter::default() }, vec![]),
        (UserFilter { name_contains: text("LOVE"), ..UserFilter::default() }, vec![percent, ada]),
        (UserFilter { name_contains: text("ädam"), ..UserFilter::default() }, vec![adam]),
        (UserFilter { name_contains: text("0%_s"), ..UserFilter::default() }, vec![adam]),
        (UserFilter { name_contains: text("%"), ..UserFilter::default() }, vec![adam]),
        (UserFilter { name_contains: text("_"), ..UserFilter::default() }, vec![adam]),
        (UserFilter { name_contains: text("\\"), ..UserFilter::default() }, vec![]),
        (UserFilter { status: Some(UserStatus::Deactivated), ..UserFilter::default() }, vec![ada]),
        (UserFilter { role: Some(role.id), ..UserFilter::default() }, vec![bob]),
        (
            UserFilter {
                status: Some(UserStatus::Active),
                email_prefix: text("ad"),
                name_contains: text("m"),
                ..UserFilter::default()
            },
            vec![adam],
        ),
    ];
    for (filter, expected) in cases {
        let found = store.list_users(tenant, &filter, None, 10).await.unwrap();
        assert_eq!(found.iter().map(|user| user.id).collect::<Vec<_>>(), expected, "{filter:?}");
    }
}

pub async fn users_of_another_tenant_are_invisible(store: Arc<dyn Store>) {
    let (ours, theirs) = (build::tenant(), build::tenant());
    let user = build::stored_user(&*store, theirs).await;
    assert!(store.find_user(ours, user.id).await.unwrap().is_none());
    assert!(store.find_user_by_email(ours, &user.email_key).await.unwrap().is_none());
    assert!(store.list_users(ours, &UserFilter::default(), None, 5).await.unwrap().is_empty());
    assert!(store.password_history(ours, user.id, 5).await.unwrap().is_empty());
    assert!(store.user_authority(ours, user.id).await.unwrap().is_none());
    assert_conflict(&commit(&*store, ours, set_password(user.id, 1, "stolen", None)).await, 0, Conflict::Changed);
}
