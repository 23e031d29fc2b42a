use super::*;
use crate::tenants::DEFAULT_TENANT;
use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

const GRANTS: &[&str] = &[
    "*",
    "users:*",
    "roles:*",
    "notes:*",
    "documents:*",
    "users:read",
    "notes:read",
    "notes:read:own",
    "notes:write:own",
    "documents:edit",
    "documents:edit:own",
    "users:read:own", // cannot be granted so
    "gone:read",      // does not exist any more
];

fn id(n: usize) -> RoleId {
    RoleId::new(Uuid::from_u128(n as u128 + 1))
}

fn role(n: usize, parent: Option<usize>, grants: &[&str]) -> Role {
    Role {
        id: id(n),
        tenant: DEFAULT_TENANT,
        name: format!("role {n}"),
        named_at: Timestamp::UNIX_EPOCH,
        description: String::new(),
        parent: parent.map(id),
        permissions: grants.iter().map(|grant| (*grant).to_owned()).collect(),
        system: false,
        version: 1,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    }
}

fn catalogue() -> Permissions {
    let own = ["documents:edit", "notes:read", "notes:write"];
    Permissions::new(own.map(|name| Permission::new(name, "")).to_vec()).expect("valid")
}

/// What one grant says of one permission, told without the code under test.
fn told(grant: &str, permission: &Permission) -> Option<GrantScope> {
    let resource = permission.name.split(':').next().expect("a resource");
    if grant == "*" || grant == permission.name || grant == format!("{resource}:*") {
        return Some(GrantScope::All);
    }
    (permission.own && grant == format!("{}:own", permission.name)).then_some(GrantScope::Own)
}

/// The roles that are reached from `from`, the slow way.
fn reached(roles: &[Role], from: &[usize]) -> Vec<usize> {
    let mut reached: Vec<usize> = from.iter().copied().filter(|n| *n < roles.len()).collect();
    loop {
        let parents: Vec<usize> = reached
            .iter()
            .filter_map(|&n| roles.iter().position(|role| Some(role.id) == roles[n].parent))
            .filter(|n| !reached.contains(n))
            .collect();
        let Some(&next) = parents.first() else { return reached };
        reached.push(next);
    }
}

prop_compose! {
    /// Any graph, cycles and parents that do not exist included, as corrupted rows could hold it.
    fn roles()(rows in prop::collection::vec(
        (prop::option::of(0_usize..10), prop::collection::vec(prop::sample::select(GRANTS), 0..4)), 1..9,
    )) -> Vec<Role> {
        rows.iter().enumerate().map(|(n, (parent, grants))| role(n, *parent, grants)).collect()
    }
}

proptest! {
    #[test]
    fn a_user_may_do_what_any_assigned_role_or_ancestor_grants_and_nothing_else(
        roles in roles(), assigned in prop::collection::vec(0_usize..10, 0..4),
    ) {
        let permissions = catalogue();
        let table = RoleTable::new(roles.clone(), 1, &permissions);
        let ids: Vec<RoleId> = assigned.iter().map(|n| id(*n)).collect();
        let set = table.permissions_of(&ids);
        let reached = reached(&roles, &assigned);
        for permission in permissions.iter() {
            let expected =
                reached.iter().flat_map(|n| &roles[*n].permissions).filter_map(|grant| told(grant, permission)).max();
            prop_assert_eq!(set.grants(&permission.name).map(|grant| grant.scope), expected, "{}", permission.name);
        }
        prop_assert!(set.iter().all(|(name, _)| permissions.get(name).is_some()));
    }

    #[test]
    fn the_explanation_is_a_path_from_an_assigned_role_to_one_that_holds_the_grant(
        roles in roles(), assigned in prop::collection::vec(0_usize..10, 0..4),
    ) {
        let table = RoleTable::new(roles, 1, &catalogue());
        let ids: Vec<RoleId> = assigned.iter().map(|n| id(*n)).collect();
        for (name, grant) in table.permissions_of(&ids).iter() {
            let path: Vec<&Role> = grant.roles.iter().map(|name| table.by_name(name).expect("a role")).collect();
            prop_assert!(ids.contains(&path[0].id));
            prop_assert!(path.windows(2).all(|pair| pair[0].parent == Some(pair[1].id)));
            let last = path.last().expect("at least one");
            prop_assert!(last.permissions.iter().any(|held| **held == *grant.grant));
            let permission = table.permissions().get(name).expect("exists");
            prop_assert_eq!(told(&grant.grant, permission), Some(grant.scope));
        }
    }

    #[test]
    fn whoever_covers_the_grants_of_a_role_can_do_all_that_it_can(
        roles in roles(), held in 0_usize..9, given in 0_usize..9,
    ) {
        let table = RoleTable::new(roles, 1, &catalogue());
        let (held, given) = (table.permissions_of(&[id(held)]), id(given));
        let Some(role) = table.get(given) else { return Ok(()) };
        if table.chain(role).iter().flat_map(|role| &role.permissions).all(|grant| held.covers(grant)) {
            for (name, grant) in table.permissions_of(&[given]).iter() {
                prop_assert!(held.grants(name).is_some_and(|mine| mine.scope >= grant.scope), "{}", name);
            }
        }
    }
}

#[test]
fn own_grants_reach_own_objects_only_and_a_wider_grant_wins() {
    let rows = vec![role(0, None, &["documents:edit:own"]), role(1, None, &["documents:*"]), role(2, Some(0), &[])];
    let table = RoleTable::new(rows, 1, &catalogue());
    let (me, other) = (UserId::new(Uuid::from_u128(1)), UserId::new(Uuid::from_u128(2)));
    let own = table.permissions_of(&[id(2)]);
    assert!(!own.allows("documents:edit"));
    assert!(own.decide("documents:edit", me, Some(me)).is_some());
    assert!(own.decide("documents:edit", me, Some(other)).is_none());
    assert!(own.decide("documents:edit", me, None).is_none());
    let both = table.permissions_of(&[id(2), id(1)]);
    assert!(both.decide("documents:edit", me, Some(other)).is_some());
    assert_eq!(&*both.grants("documents:edit").expect("granted").grant, "documents:*");
}

#[test]
fn the_memory_of_combinations_is_bounded_and_order_does_not_matter() {
    let table = RoleTable::new((0..3000).map(|n| role(n, None, &["users:read"])).collect(), 1, &catalogue());
    for n in 0..3000 {
        assert!(table.permissions_of(&[id(n)]).allows("users:read"));
        assert!(table.remembered() <= 1024);
    }
    let one = table.permissions_of(&[id(1), id(2)]);
    assert!(Arc::ptr_eq(&one, &table.permissions_of(&[id(2), id(1)])));
    assert!(table.permissions_of(&[]).grants("users:read").is_none());
    assert!(table.permissions_of(&[RoleId::new(Uuid::nil())]).grants("users:read").is_none());
}
