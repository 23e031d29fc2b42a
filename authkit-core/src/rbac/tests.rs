use super::*;
use crate::{
    accounts::{AccountChange, AccountStore},
    audit::fixture::World,
    ports::{Hooks, NewAccount, Operation, Refusal, Store},
    tenants::DEFAULT_TENANT,
};
use async_trait::async_trait;
use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

fn roles(world: &World) -> Roles {
    Roles::new(world.cx.clone())
}

/// An installation whose application has a permission of its own that can be granted for one's own objects.
fn world_with_notes() -> World {
    World::with(|cx, _| {
        cx.permissions = Permissions::new(vec![Permission::new("notes:read", "Read notes")]).expect("valid");
    })
}

fn request(name: &str, parent: Option<RoleId>, grants: &[&str]) -> CreateRoleRequest {
    CreateRoleRequest {
        name: name.into(),
        description: String::new(),
        parent_id: parent,
        permissions: grants.iter().map(|grant| (*grant).to_owned()).collect(),
    }
}

fn nothing() -> UpdateRoleRequest {
    UpdateRoleRequest { name: None, description: None, parent_id: Patch::Absent, permissions: None }
}

fn grants(grants: &[&str]) -> UpdateRoleRequest {
    UpdateRoleRequest { permissions: Some(grants.iter().map(|grant| (*grant).to_owned()).collect()), ..nothing() }
}

fn under(parent: RoleId) -> UpdateRoleRequest {
    UpdateRoleRequest { parent_id: Patch::Set(parent), ..nothing() }
}

/// A principal with a role of its own that grants `grants`.
async fn holder(world: &World, name: &str, grants: &[&str]) -> Principal {
    let user = world.user(name).await;
    let role = world.role(&format!("role of {name}"), None, grants).await;
    world.assign(&user, role).await;
    world.principal(&user).await
}

fn code<T: std::fmt::Debug>(result: Result<T>) -> ErrorCode {
    result.expect_err("refused").code
}

#[tokio::test]
async fn an_operator_defines_changes_and_deletes_roles() {
    let world = World::new();
    let (roles, origin) = (roles(&world), world.origin());
    let made = roles.create(&origin, None, request("editor", None, &["users:read", "users:read"])).await.expect("made");
    assert_eq!((made.version, made.permissions.len(), made.system), (1, 1, false));
    world.advance(5);
    let renamed = UpdateRoleRequest { name: Some("writer".into()), ..nothing() };
    let changed = roles.update(&origin, None, made.id, renamed, Some(1)).await.expect("changed");
    assert_eq!((changed.version, changed.name.as_str()), (2, "writer"));
    let stored = roles.table(DEFAULT_TENANT).await.expect("read");
    assert_eq!(
        stored.get(made.id).expect("there").named_at,
        world.now(),
        "older tokens do not mean it by the new name"
    );
    let described = UpdateRoleRequest { description: Some("Writes.".into()), ..nothing() };
    world.advance(5);
    roles.update(&origin, None, made.id, described, None).await.expect("changed");
    let stored = roles.table(DEFAULT_TENANT).await.expect("read");
    assert!(stored.get(made.id).expect("there").named_at < world.now(), "the name is as old as it was");
    assert_eq!(code(roles.update(&origin, None, made.id, nothing(), Some(2)).await), ErrorCode::PreconditionFailed);
    let same = roles.update(&origin, None, made.id, nothing(), Some(3)).await.expect("nothing to do");
    assert_eq!(same.version, 3);
    world.advance(1);
    roles.delete(&origin, None, made.id, None).await.expect("deleted");
    assert!(roles.table(DEFAULT_TENANT).await.expect("read").get(made.id).is_none());
    assert_eq!(world.actions().await, ["role.created", "role.updated", "role.updated", "role.deleted"]);
}

#[tokio::test]
async fn values_are_refused_by_field() {
    let world = World::new();
    let (roles, origin) = (roles(&world), world.origin());
    let bad = CreateRoleRequest { description: "x".repeat(501), ..request(" ", None, &[]) };
    let error = roles.create(&origin, None, bad).await.expect_err("refused");
    assert_eq!(error.code, ErrorCode::ValidationFailed);
    assert_eq!(error.fields.iter().map(|f| f.field.as_str()).collect::<Vec<_>>(), ["name", "description"]);
    let bad = request("x", None, &["users:read", "users:fly", "*:*"]);
    let error = roles.create(&origin, None, bad).await.expect_err("refused");
    assert_eq!(error.code, ErrorCode::UnknownPermission);
    assert_eq!(error.fields.iter().map(|f| f.field.as_str()).collect::<Vec<_>>(), ["permissions[1]", "permissions[2]"]);
    let nowhere = RoleId::new(uuid::Uuid::from_u128(1));
    let error = roles.create(&origin, None, request("x", Some(nowhere), &[])).await.expect_err("refused");
    assert_eq!((error.code, error.fields[0].field.as_str()), (ErrorCode::ValidationFailed, "parent_id"));
    roles.create(&origin, None, request("Taken", None, &[])).await.expect("made");
    assert_eq!(code(roles.create(&origin, None, request("taken", None, &[])).await), ErrorCode::RoleNameTaken);
}

#[tokio::test]
async fn a_role_cannot_inherit_from_itself_through_any_path() {
    let world = World::new();
    let (roles, origin) = (roles(&world), world.origin());
    let a = world.role("a", None, &[]).await;
    let b = world.role("b", Some(a), &[]).await;
    let c = world.role("c", Some(b), &[]).await;
    for (role, parent) in [(a, a), (a, b), (a, c), (b, c)] {
        assert_eq!(code(roles.update(&origin, None, role, under(parent), None).await), ErrorCode::RoleCycle);
    }
    roles.update(&origin, None, c, under(a), None).await.expect("no cycle");
    let alone = UpdateRoleRequest { parent_id: Patch::Clear, ..nothing() };
    assert_eq!(roles.update(&origin, None, c, alone, None).await.expect("cleared").parent_id, None);
}

#[tokio::test]
async fn a_system_role_is_fixed_even_for_an_operator() {
    let world = World::new();
    let (roles, origin) = (roles(&world), world.origin());
    let admin = world.admin_role().await;
    assert_eq!(code(roles.update(&origin, None, admin, grants(&["users:read"]), None).await), ErrorCode::RoleIsSystem);
    assert_eq!(code(roles.delete(&origin, None, admin, None).await), ErrorCode::RoleIsSystem);
    roles.ensure_system_roles(DEFAULT_TENANT).await.expect("nothing to do");
    let all = roles.table(DEFAULT_TENANT).await.expect("read");
    assert_eq!(all.roles().len(), 1);
}

#[tokio::test]
async fn a_role_in_use_is_not_deleted() {
    let world = World::new();
    let (roles, origin) = (roles(&world), world.origin());
    let parent = world.role("parent", None, &[]).await;
    let child = world.role("child", Some(parent), &[]).await;
    let mut user = world.user("user").await;
    world.assign(&user, child).await;
    // A deactivated holder counts: activation would bring the role back.
    let deactivate = crate::accounts::AccountChange::SetStatus {
        user: user.id,
        security_version: user.security_version,
        status: UserStatus::Deactivated,
        erase_at: None,
        at: world.now(),
    };
    world.put(Scope::Tenant(DEFAULT_TENANT), deactivate).await;
    user.status = UserStatus::Deactivated;
    assert_eq!(code(roles.delete(&origin, None, parent, None).await), ErrorCode::RoleHasChildren);
    assert_eq!(code(roles.delete(&origin, None, child, None).await), ErrorCode::RoleAssigned);
    roles.remove(&origin, None, user.id, child).await.expect("removed");
    roles.delete(&origin, None, child, None).await.expect("deleted");
    roles.delete(&origin, None, parent, None).await.expect("deleted");
}

#[tokio::test]
async fn nobody_hands_out_what_they_do_not_hold() {
    let world = world_with_notes();
    let (roles, origin) = (roles(&world), world.origin());
    let caller = holder(&world, "caller", &["roles:write", "roles:assign", "notes:read:own", "users:*"]).await;
    let by = Some(&caller);
    for grant in ["audit:read", "*", "roles:*", "notes:read", "notes:*", "users:*:own"] {
        let refused = code(roles.create(&origin, by, request("x", None, &[grant])).await);
        assert!(matches!(refused, ErrorCode::RoleExceedsCaller | ErrorCode::UnknownPermission), "{grant}: {refused:?}");
    }
    let allowed = ["roles:write", "notes:read:own", "users:*", "users:write"];
    let mine = roles.create(&origin, by, request("x", None, &allowed)).await.expect("held");

    let strong = world.role("strong", None, &["audit:read"]).await;
    let weak = world.role("weak", Some(strong), &["users:read"]).await;
    let other = world.user("other").await;
    let exceeds = ErrorCode::RoleExceedsCaller;
    assert_eq!(code(roles.create(&origin, by, request("y", Some(weak), &[])).await), exceeds, "by its parent's parent");
    assert_eq!(code(roles.update(&origin, by, mine.id, grants(&["audit:read"]), None).await), exceeds, "after");
    assert_eq!(code(roles.update(&origin, by, strong, grants(&["users:read"]), None).await), exceeds, "before");
    assert_eq!(code(roles.update(&origin, by, mine.id, under(weak), None).await), exceeds, "by the new parent");
    assert_eq!(code(roles.delete(&origin, by, strong, None).await), exceeds);
    assert_eq!(code(roles.assign(&origin, by, other.id, weak).await), exceeds, "inherited");
    assert_eq!(code(roles.assign(&origin, by, caller.user, strong).await), exceeds, "to oneself");
    roles.assign(&origin, None, other.id, strong).await.expect("by an operator");
    assert_eq!(code(roles.remove(&origin, by, other.id, strong).await), exceeds);
    roles.assign(&origin, by, other.id, mine.id).await.expect("held");
    roles.remove(&origin, by, other.id, mine.id).await.expect("held");
}

#[tokio::test]
async fn holding_every_permission_of_today_is_not_holding_those_to_come() {
    let world = World::new();
    let all: Vec<String> = world.cx.permissions.iter().map(|permission| permission.name.clone()).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let caller = holder(&world, "caller", &all).await;
    for wildcard in ["*", "users:*"] {
        let made = roles(&world).create(&world.origin(), Some(&caller), request("x", None, &[wildcard])).await;
        assert_eq!(code(made), ErrorCode::RoleExceedsCaller);
    }
}

#[tokio::test]
async fn every_write_needs_its_permission() {
    let world = World::new();
    let (roles, origin) = (roles(&world), world.origin());
    let caller = holder(&world, "caller", &["roles:read", "users:read"]).await;
    let (role, user, by) = (caller.roles[0], caller.user, Some(&caller));
    let forbidden = ErrorCode::Forbidden;
    assert_eq!(code(roles.create(&origin, by, request("x", None, &[])).await), forbidden);
    assert_eq!(code(roles.update(&origin, by, role, nothing(), None).await), forbidden);
    assert_eq!(code(roles.delete(&origin, by, role, None).await), forbidden);
    assert_eq!(code(roles.assign(&origin, by, user, role).await), forbidden);
    assert_eq!(code(roles.remove(&origin, by, user, role).await), forbidden);
    let nobody = holder(&world, "nobody", &[]).await;
    assert_eq!(code(roles.list(&nobody, RoleFilter::default(), None, None).await), forbidden);
}

#[tokio::test]
async fn assigning_tells_every_node_once() {
    let world = World::new();
    let (roles, origin) = (roles(&world), world.origin());
    let role = world.role("role", None, &["users:read"]).await;
    let user = world.user("user").await;
    for _ in 0..2 {
        roles.assign(&origin, None, user.id, role).await.expect("assigned");
    }
    world.advance(1);
    for _ in 0..2 {
        roles.remove(&origin, None, user.id, role).await.expect("removed");
    }
    assert_eq!(world.actions().await, ["role.assigned", "role.removed"]);
    let (feed, _) = crate::sessions::FeedStore::read_feed(&world.store, &Default::default()).await.expect("read");
    let heard = feed.iter().filter(|e| matches!(e, crate::sessions::FeedEvent::UserChanged(_, id) if *id == user.id));
    assert_eq!(heard.count(), 2);
    let nowhere = UserId::new(uuid::Uuid::from_u128(1));
    assert_eq!(code(roles.assign(&origin, None, nowhere, role).await), ErrorCode::UserNotFound);
    let nothing = RoleId::new(uuid::Uuid::from_u128(1));
    assert_eq!(code(roles.assign(&origin, None, user.id, nothing).await), ErrorCode::RoleNotFound);
}

#[tokio::test]
async fn users_and_roles_of_another_tenant_do_not_exist() {
    let world = World::new();
    let (roles, origin) = (roles(&world), world.origin());
    let other = TenantId::new(uuid::Uuid::from_u128(77));
    let stranger = world.user_of(other, "stranger").await;
    let role = world.role("role", None, &[]).await;
    assert_eq!(code(roles.assign(&origin, None, stranger.id, role).await), ErrorCode::UserNotFound);
    let seen = |principal: Principal| {
        let roles = roles.clone();
        async move { (code(roles.get(&principal, role).await), code(roles.version(&principal, role).await)) }
    };
    let mut abroad = holder(&world, "abroad", &["roles:*"]).await;
    abroad.tenant = other;
    assert_eq!(seen(abroad).await, (ErrorCode::RoleNotFound, ErrorCode::RoleNotFound));
    let nobody = holder(&world, "nobody", &[]).await;
    assert_eq!(seen(nobody).await, (ErrorCode::Forbidden, ErrorCode::Forbidden));
    let elsewhere = crate::Origin::local(other);
    assert_eq!(code(roles.update(&elsewhere, None, role, nothing(), None).await), ErrorCode::RoleNotFound);
    let admin = holder(&world, "admin", &["*"]).await;
    let ask = CheckPermissionRequest { permission: "users:read".into(), user_id: Some(stranger.id), owner_id: None };
    assert_eq!(code(roles.check(&admin, ask).await), ErrorCode::UserNotFound);
}

#[tokio::test]
async fn the_last_active_administrator_stays_one() {
    let world = World::new();
    let (roles, origin) = (roles(&world), world.origin());
    let admin = world.admin_role().await;
    let (first, second) = (world.user("first").await, world.user("second").await);
    roles.assign(&origin, None, first.id, admin).await.expect("assigned");
    assert_eq!(code(roles.remove(&origin, None, first.id, admin).await), ErrorCode::RoleLastAdmin);
    roles.assign(&origin, None, second.id, admin).await.expect("assigned");
    let by = world.principal(&first).await;
    roles.remove(&origin, Some(&by), first.id, admin).await.expect("another one is left");
    assert_eq!(code(roles.remove(&origin, None, second.id, admin).await), ErrorCode::RoleLastAdmin);
}

#[tokio::test]
async fn decisions_say_which_role_and_grant_decided() {
    let world = world_with_notes();
    let roles = roles(&world);
    let base = world.role("base", None, &["notes:read:own", "users:*"]).await;
    let top = world.role("top", Some(base), &["permissions:check"]).await;
    let user = world.user("user").await;
    world.assign(&user, top).await;
    let principal = world.principal(&user).await;
    let other = world.user("other").await;
    let ask = |permission: &str, user_id, owner_id| CheckPermissionRequest {
        permission: permission.into(),
        user_id,
        owner_id,
    };
    let yes = roles.check(&principal, ask("users:unlock", None, None)).await.expect("decided");
    let via = yes.via.expect("explained");
    assert!(yes.allowed);
    assert_eq!((via.roles, via.grant.as_str()), (vec!["top".to_owned(), "base".to_owned()], "users:*"));
    for (owner, allowed) in [(None, false), (Some(other.id), false), (Some(user.id), true)] {
        let decision = roles.check(&principal, ask("notes:read", None, owner)).await.expect("decided");
        assert_eq!((decision.allowed, decision.via.is_some()), (allowed, allowed), "{owner:?}");
    }
    let error = roles.check(&principal, ask("users:*", None, None)).await.expect_err("refused");
    assert_eq!((error.code, error.fields[0].field.as_str()), (ErrorCode::UnknownPermission, "permission"));

    assert!(!roles.check(&principal, ask("users:read", Some(other.id), None)).await.expect("decided").allowed);
    world.assign(&other, base).await;
    assert!(roles.check(&principal, ask("users:read", Some(other.id), None)).await.expect("decided").allowed);
    let own = roles.check(&principal, ask("notes:read", Some(other.id), Some(user.id))).await.expect("decided");
    assert!(!own.allowed, "the owner is not the one in question");
    let other = world.principal(&other).await;
    assert!(roles.check(&other, ask("users:read", Some(other.user), None)).await.expect("about oneself").allowed);
    assert_eq!(code(roles.check(&other, ask("users:read", Some(user.id), None)).await), ErrorCode::Forbidden);
}

#[tokio::test]
async fn lists_are_by_name_in_pages_and_by_parent() {
    let world = World::new();
    let roles = roles(&world);
    let reader = holder(&world, "reader", &["roles:read"]).await;
    let parent = world.role("m", None, &[]).await;
    for name in ["z", "a", "k"] {
        world.role(name, Some(parent), &[]).await;
    }
    let under_parent = || RoleFilter { parent: Some(parent), ..RoleFilter::default() };
    let (mut names, mut cursor) = (Vec::new(), None);
    loop {
        let page = roles.list(&reader, RoleFilter::default(), cursor.as_deref(), Some(2)).await.expect("a page");
        names.extend(page.data.into_iter().map(|role| role.name));
        let Some(next) = page.next_cursor else { break };
        let mixed = roles.list(&reader, under_parent(), Some(&next), Some(2)).await;
        assert_eq!(code(mixed), ErrorCode::InvalidCursor);
        cursor = Some(next);
    }
    assert_eq!(names, ["a", "k", "m", "role of reader", "z"]);
    let children = roles.list(&reader, under_parent(), None, None).await.expect("a page").data;
    assert_eq!(children.into_iter().map(|role| role.name).collect::<Vec<_>>(), ["a", "k", "z"]);
    assert_eq!(code(roles.list(&reader, RoleFilter::default(), None, Some(0)).await), ErrorCode::InvalidLimit);
}

#[tokio::test]
async fn lists_are_narrowed_by_the_start_of_the_name_and_by_kind() {
    let world = World::new();
    let roles = roles(&world);
    roles.ensure_system_roles(DEFAULT_TENANT).await.expect("there");
    let reader = holder(&world, "reader", &["roles:read"]).await;
    for name in ["editor", "editor-in-chief", "Editor", "adviser"] {
        world.role(name, None, &[]).await;
    }
    let names = async |name: Option<&str>, system| {
        let filter = RoleFilter { name: name.map(str::to_owned), system, ..RoleFilter::default() };
        let page = roles.list(&reader, filter, None, None).await.expect("a page");
        page.data.into_iter().map(|role| role.name).collect::<Vec<_>>()
    };
    assert_eq!(names(Some("edit"), None).await, ["editor", "editor-in-chief"]);
    assert_eq!(names(Some("ad"), None).await, [ADMIN, "adviser"]);
    assert_eq!(names(Some("ad"), Some(false)).await, ["adviser"]);
    assert_eq!(names(None, Some(true)).await, [ADMIN]);
    assert!(names(Some("%"), None).await.is_empty());
}

#[tokio::test]
async fn a_deletion_based_on_an_old_version_is_refused() {
    let world = World::new();
    let (roles, origin) = (roles(&world), world.origin());
    let made = roles.create(&origin, None, request("editor", None, &["users:read"])).await.expect("made");
    roles.update(&origin, None, made.id, grants(&["users:write"]), None).await.expect("changed");
    assert_eq!(code(roles.delete(&origin, None, made.id, Some(made.version)).await), ErrorCode::PreconditionFailed);
    roles.delete(&origin, None, made.id, Some(made.version + 1)).await.expect("deleted");
}

#[test]
fn permissions_are_grouped_by_resource() {
    let extra =
        vec![Permission::new("documents:edit", "Edit"), Permission::new("documents:delete", "Delete").all_only()];
    let groups = Permissions::new(extra).expect("valid").views();
    assert!(groups.is_sorted_by_key(|group| group.resource.clone()));
    let documents = groups.iter().find(|group| group.resource == "documents").expect("there");
    let scopes: Vec<_> = documents.permissions.iter().map(|p| (p.name.as_str(), p.scopes.len())).collect();
    assert_eq!(scopes, [("documents:delete", 1), ("documents:edit", 2)]);
    assert!(groups.iter().flat_map(|group| &group.permissions).all(|p| !p.description.is_empty()));
}

/// Does something to the store the first time that a service is about to commit, as another node would.
#[derive(Debug)]
struct Meanwhile {
    asked: AtomicUsize,
    store: crate::memory::MemoryStore,
    unit: OnceLock<Unit>,
}

#[async_trait]
impl Hooks for Meanwhile {
    async fn before(&self, _: &Operation, _: Option<&NewAccount<'_>>) -> Result<(), Refusal> {
        if let Some(unit) = self.unit.get()
            && self.asked.fetch_add(1, Ordering::SeqCst) == 0
        {
            self.store.commit(Scope::Tenant(DEFAULT_TENANT), unit.clone()).await.expect("committed");
        }
        Ok(())
    }
}

fn raced() -> (World, Arc<Meanwhile>) {
    let mut hook = None;
    let world = World::with(|cx, store| {
        let asked = AtomicUsize::new(0);
        let meanwhile = Arc::new(Meanwhile { asked, store: store.clone(), unit: OnceLock::new() });
        cx.hooks = meanwhile.clone();
        hook = Some(meanwhile);
    });
    (world, hook.expect("put in place"))
}

async fn advance(world: &World) -> RoleChange {
    let (_, version) = world.store.list_roles(DEFAULT_TENANT).await.expect("read");
    RoleChange::Advance { version }
}

#[tokio::test]
async fn two_moves_at_once_make_no_cycle() {
    let (world, hook) = raced();
    let (a, b) = (world.role("a", None, &[]).await, world.role("b", None, &[]).await);
    let table = roles(&world).table(DEFAULT_TENANT).await.expect("read");
    let moved = Role { parent: Some(a), version: 2, ..table.get(b).expect("there").clone() };
    let unit = Unit::new().with(advance(&world).await).with(RoleChange::Update(moved));
    hook.unit.set(unit).expect("once");
    assert_eq!(code(roles(&world).update(&world.origin(), None, a, under(b), None).await), ErrorCode::RoleCycle);
}

#[tokio::test]
async fn a_caller_who_loses_the_permission_meanwhile_is_refused() {
    let (world, hook) = raced();
    let caller = holder(&world, "caller", &["roles:assign"]).await;
    let user = world.user("user").await;
    let unassign = RoleChange::Unassign { user: caller.user, role: caller.roles[0] };
    hook.unit.set(Unit::new().with(advance(&world).await).with(unassign)).expect("once");
    let assigned = roles(&world).assign(&world.origin(), Some(&caller), user.id, caller.roles[0]).await;
    assert_eq!(code(assigned), ErrorCode::Forbidden);
}

#[tokio::test]
async fn a_caller_who_was_switched_off_meanwhile_is_refused() {
    let world = World::new();
    let caller = holder(&world, "caller", &["*"]).await;
    let tenant = caller.tenant;
    let user = world.store.find_user(tenant, caller.user).await.expect("read").expect("there");
    let unit = Unit::new().with(AccountChange::SetStatus {
        user: user.id,
        security_version: user.security_version,
        status: UserStatus::Deactivated,
        erase_at: None,
        at: world.now(),
    });
    world.cx.commit(Scope::Tenant(tenant), unit).await.expect("deactivated");
    let made = roles(&world).create(&world.origin(), Some(&caller), request("new", None, &[])).await;
    assert_eq!(code(made), ErrorCode::InvalidToken);
}

#[tokio::test]
async fn of_two_administrators_who_remove_each_other_one_stays() {
    let (world, hook) = raced();
    let admin = world.admin_role().await;
    let (first, second) = (world.user("first").await, world.user("second").await);
    world.assign(&first, admin).await;
    world.assign(&second, admin).await;
    let other = RoleChange::Unassign { user: first.id, role: admin };
    hook.unit.set(Unit::new().with(advance(&world).await).with(other)).expect("once");
    let removed = roles(&world).remove(&world.origin(), None, second.id, admin).await;
    assert_eq!(code(removed), ErrorCode::RoleLastAdmin);
}

#[tokio::test]
async fn an_unrelated_write_meanwhile_only_costs_another_try() {
    let (world, hook) = raced();
    hook.unit.set(Unit::new().with(advance(&world).await)).expect("once");
    roles(&world).create(&world.origin(), None, request("x", None, &[])).await.expect("made");
    assert_eq!(hook.asked.load(Ordering::SeqCst), 1, "the application is asked once for all tries");
}

#[tokio::test]
async fn a_hook_refuses() {
    #[derive(Debug)]
    struct Never;
    #[async_trait]
    impl Hooks for Never {
        async fn before(&self, _: &Operation, _: Option<&NewAccount<'_>>) -> Result<(), Refusal> {
            Err(Refusal { reason: "Not today.".into() })
        }
    }
    let world = World::with(|cx, _| cx.hooks = Arc::new(Never));
    let refused = roles(&world).create(&world.origin(), None, request("x", None, &[])).await;
    assert_eq!(code(refused), ErrorCode::HookRefused);
    assert!(world.actions().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writes_at_once_all_get_their_turn() {
    let world = World::new();
    let roles = roles(&world);
    let mut writes = tokio::task::JoinSet::new();
    for n in 0..64 {
        let (roles, origin) = (roles.clone(), world.origin());
        writes.spawn(async move { roles.create(&origin, None, request(&format!("role {n}"), None, &[])).await });
    }
    while let Some(made) = writes.join_next().await {
        made.expect("no panic").expect("made");
    }
    assert_eq!(roles.table(DEFAULT_TENANT).await.expect("read").roles().len(), 64);
}
