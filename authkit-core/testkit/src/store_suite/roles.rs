//! Roles.

use super::{assert_conflict, build, commit, must, parallel};
use authkit_core::{
    accounts::AccountChange,
    ports::{Conflict, Store, Unit},
    rbac::{Role, RoleChange},
    wire::{RoleId, TenantId, UserId, UserStatus},
};
use std::sync::Arc;

async fn stored(store: &dyn Store, tenant: TenantId, name: &str) -> Role {
    let role = build::role(tenant, name);
    must(store, tenant, Unit::new().with(RoleChange::Create(role.clone()))).await;
    role
}

fn assign(user: UserId, role: RoleId) -> Unit {
    Unit::new().with(RoleChange::Assign { user, role, by: Some(user), at: build::at(0) })
}

pub async fn a_role_is_kept_and_updated(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    assert_eq!(store.list_roles(tenant).await.unwrap(), (Vec::new(), 0));
    let parent = stored(&*store, tenant, "parent").await;
    let role = Role { parent: Some(parent.id), system: true, ..build::role(tenant, "child") };
    must(&*store, tenant, Unit::new().with(RoleChange::Create(role.clone()))).await;
    assert_eq!(store.list_roles(tenant).await.unwrap().0, [parent.clone(), role.clone()]);
    let next = Role {
        name: "renamed".to_owned(),
        named_at: build::at(3),
        description: "Other".to_owned(),
        parent: None,
        permissions: vec!["audit:read".to_owned()],
        version: 2,
        updated_at: build::at(3),
        ..role.clone()
    };
    must(&*store, tenant, Unit::new().with(RoleChange::Update(next.clone()))).await;
    let again = commit(&*store, tenant, Unit::new().with(RoleChange::Update(next.clone()))).await;
    assert_conflict(&again, 0, Conflict::Changed);
    assert_eq!(store.list_roles(tenant).await.unwrap().0, [parent, next]);
}

pub async fn a_name_is_taken_once_in_a_tenant(store: Arc<dyn Store>) {
    let (tenant, other) = (build::tenant(), build::tenant());
    stored(&*store, tenant, "editor").await;
    let reader = stored(&*store, tenant, "reader").await;
    stored(&*store, other, "editor").await;
    let twin = RoleChange::Create(build::role(tenant, "editor"));
    assert_conflict(&commit(&*store, tenant, Unit::new().with(twin)).await, 0, Conflict::Taken);
    let renamed = RoleChange::Update(Role { name: "editor".to_owned(), version: 2, ..reader });
    assert_conflict(&commit(&*store, tenant, Unit::new().with(renamed)).await, 0, Conflict::Taken);
}

pub async fn the_version_advances_once(store: Arc<dyn Store>) {
    let (tenant, other) = (build::tenant(), build::tenant());
    let advance = |version| Unit::new().with(RoleChange::Advance { version });
    assert_conflict(&commit(&*store, tenant, advance(1)).await, 0, Conflict::Changed);
    for version in 0..3 {
        must(&*store, tenant, advance(version)).await;
        assert_conflict(&commit(&*store, tenant, advance(version)).await, 0, Conflict::Changed);
        assert_eq!(store.list_roles(tenant).await.unwrap().1, version + 1);
    }
    assert_conflict(&commit(&*store, tenant, advance(0)).await, 0, Conflict::Changed);
    assert_eq!(store.list_roles(other).await.unwrap().1, 0);
}

pub async fn parallel_advances_have_one_winner(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    for version in 0..5 {
        let results = parallel(0..8, |_| {
            let store = Arc::clone(&store);
            async move { commit(&*store, tenant, Unit::new().with(RoleChange::Advance { version })).await }
        })
        .await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "version {version}");
        for result in results.iter().filter(|result| result.is_err()) {
            assert_conflict(result, 0, Conflict::Changed);
        }
    }
}

pub async fn a_role_in_use_is_not_deleted(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let user = build::stored_user(&*store, tenant).await;
    let held = stored(&*store, tenant, "held").await;
    let parent = stored(&*store, tenant, "parent").await;
    let child = Role { parent: Some(parent.id), ..build::role(tenant, "child") };
    let system = Role { system: true, ..build::role(tenant, "system") };
    must(&*store, tenant, Unit::new().with(RoleChange::Create(child.clone())).with(RoleChange::Create(system.clone())))
        .await;
    must(&*store, tenant, assign(user.id, held.id)).await;
    let delete = |id| Unit::new().with(RoleChange::Delete { id });
    for id in [held.id, parent.id, system.id, RoleId::new(build::uuid())] {
        assert_conflict(&commit(&*store, tenant, delete(id)).await, 0, Conflict::Changed);
    }
    assert_conflict(&commit(&*store, build::tenant(), delete(child.id)).await, 0, Conflict::Changed);
    must(&*store, tenant, Unit::new().with(RoleChange::Unassign { user: user.id, role: held.id })).await;
    for id in [held.id, child.id, parent.id] {
        must(&*store, tenant, delete(id)).await;
    }
    assert_eq!(store.list_roles(tenant).await.unwrap().0, [system]);
}

pub async fn a_role_is_assigned_and_removed_once(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let user = build::stored_user(&*store, tenant).await;
    let role = stored(&*store, tenant, "editor").await;
    assert_eq!(must(&*store, tenant, assign(user.id, role.id)).await.get(0), 1);
    assert_eq!(must(&*store, tenant, assign(user.id, role.id)).await.get(0), 0);
    assert_eq!(store.user_roles(tenant, user.id).await.unwrap(), [role.id]);
    let remove = Unit::new().with(RoleChange::Unassign { user: user.id, role: role.id });
    assert_eq!(must(&*store, build::tenant(), remove.clone()).await.get(0), 0);
    assert_eq!(must(&*store, tenant, remove.clone()).await.get(0), 1);
    assert_eq!(must(&*store, tenant, remove).await.get(0), 0);
    assert!(store.user_roles(tenant, user.id).await.unwrap().is_empty());
}

pub async fn roles_of_many_users_are_read_at_once(store: Arc<dyn Store>) {
    let (tenant, elsewhere) = (build::tenant(), build::tenant());
    let (one, two) = (stored(&*store, tenant, "one").await, stored(&*store, tenant, "two").await);
    let mut users = Vec::new();
    for _ in 0..9 {
        users.push(build::stored_user(&*store, tenant).await.id);
    }
    must(&*store, tenant, assign(users[0], one.id)).await;
    must(&*store, tenant, assign(users[0], two.id)).await;
    must(&*store, tenant, assign(users[8], two.id)).await;
    let mut held = store.roles_of_users(tenant, &users).await.unwrap();
    held.sort_unstable();
    let mut expected = [(users[0], one.id), (users[0], two.id), (users[8], two.id)];
    expected.sort_unstable();
    assert_eq!(held, expected);
    assert_eq!(store.roles_of_users(tenant, &users[1..]).await.unwrap(), [(users[8], two.id)]);
    assert!(store.roles_of_users(tenant, &users[1..8]).await.unwrap().is_empty());
    assert!(store.roles_of_users(tenant, &[]).await.unwrap().is_empty());
    assert!(store.roles_of_users(elsewhere, &users).await.unwrap().is_empty());
}

pub async fn only_active_holders_count(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let role = stored(&*store, tenant, "admin").await;
    let other = stored(&*store, tenant, "other").await;
    let mut users = Vec::new();
    for _ in 0..3 {
        let user = build::stored_user(&*store, tenant).await;
        must(&*store, tenant, assign(user.id, role.id)).await;
        users.push(user);
    }
    assert_eq!(store.count_holders(tenant, role.id).await.unwrap(), 3);
    assert_eq!(store.count_holders(tenant, other.id).await.unwrap(), 0);
    assert_eq!(store.count_holders(build::tenant(), role.id).await.unwrap(), 0);
    for (user, status) in users.iter().zip([UserStatus::Deactivated, UserStatus::PendingDeletion]) {
        let change =
            AccountChange::SetStatus { user: user.id, security_version: 1, status, erase_at: None, at: build::at(1) };
        must(&*store, tenant, Unit::new().with(change)).await;
    }
    assert_eq!(store.count_holders(tenant, role.id).await.unwrap(), 1);
}

pub async fn roles_of_another_tenant_are_invisible(store: Arc<dyn Store>) {
    let (ours, theirs) = (build::tenant(), build::tenant());
    let user = build::stored_user(&*store, theirs).await;
    let role = stored(&*store, theirs, "editor").await;
    must(&*store, theirs, assign(user.id, role.id)).await;
    assert!(store.list_roles(ours).await.unwrap().0.is_empty());
    assert!(store.user_roles(ours, user.id).await.unwrap().is_empty());
    let update = RoleChange::Update(Role { version: 2, tenant: ours, ..role.clone() });
    assert_conflict(&commit(&*store, ours, Unit::new().with(update)).await, 0, Conflict::Changed);
    assert_eq!(store.list_roles(theirs).await.unwrap().0, [role]);
}
