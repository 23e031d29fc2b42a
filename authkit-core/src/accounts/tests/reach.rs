//! Administrators act on nobody who holds more than they do.

use super::*;
use crate::{
    mfa::{Mfa, MfaChange, Totp},
    rbac::{RoleChange, Roles},
    sessions::FeedEvent,
};

const HELPDESK: &[&str] = &["users:write", "mfa:reset", "sessions:revoke", "users:unlock"];

/// Makes a role.
async fn role(world: &World, name: &str, grants: &[&str]) -> RoleId {
    let request = CreateRoleRequest {
        name: name.into(),
        description: String::new(),
        parent_id: None,
        permissions: grants.iter().map(|grant| (*grant).into()).collect(),
    };
    Roles::new(world.cx.clone()).create(&world.origin, None, request).await.expect("made").id
}

/// Makes a user who holds the role.
async fn holder(world: &World, email: &str, role: RoleId) -> UserId {
    let user = world.user(email).await.id;
    Roles::new(world.cx.clone()).assign(&world.origin, None, user, role).await.expect("assigned");
    user
}

async fn admin_role(world: &World) -> RoleId {
    Roles::new(world.cx.clone()).find_by_name(DEFAULT_TENANT, "admin").await.expect("read").expect("there").id
}

/// What comes of each act on the user.
async fn acts(world: &World, by: Option<&Principal>, on: UserId) -> Vec<Option<ErrorCode>> {
    let (accounts, origin) = (&world.accounts, &world.origin);
    vec![
        accounts.unlock(origin, by, on).await.err().map(|error| error.code),
        world.sessions.revoke_all_of(origin, by, on).await.err().map(|error| error.code),
        Mfa::new(world.cx.clone()).reset(origin, by, on).await.err().map(|error| error.code),
        accounts.deactivate(origin, by, on).await.err().map(|error| error.code),
        accounts.activate(origin, by, on).await.err().map(|error| error.code),
    ]
}

#[tokio::test]
async fn the_helpdesk_acts_on_users_and_its_like_but_on_nobody_who_holds_more() {
    let world = World::new().await;
    let helpdesk = role(&world, "helpdesk", HELPDESK).await;
    holder(&world, "help@example.org", helpdesk).await;
    let admin = holder(&world, ADA, admin_role(&world).await).await;
    let auditor = role(&world, "auditor", &["users:write", "audit:read"]).await;
    let auditor = holder(&world, "audit@example.org", auditor).await;
    let like = holder(&world, "help2@example.org", helpdesk).await;
    let plain = world.user("bob@example.org").await.id;
    let tokens = world.tokens(ADA, PASSWORD).await;
    let principal = world.principal("help@example.org", PASSWORD).await;

    let exceeds = Some(ErrorCode::RoleExceedsCaller);
    for on in [admin, auditor] {
        assert_eq!(acts(&world, Some(&principal), on).await, [exceeds; 5]);
    }
    assert!(world.is_alive(&tokens).await && world.stored(ADA).await.expect("there").is_active());
    let done = [None, None, Some(ErrorCode::TotpNotEnrolled), None, None];
    for on in [like, plain] {
        assert_eq!(acts(&world, Some(&principal), on).await, done);
    }
    assert_eq!(acts(&world, None, admin).await, done, "an operator acts on everybody");
    let own = world.sessions.revoke_all_of(&world.origin, Some(&principal), principal.user).await;
    assert_eq!(own.expect("one's own").revoked, 1);
}

#[tokio::test]
async fn who_is_switched_off_is_judged_by_their_roles_too() {
    let world = World::new().await;
    let helpdesk = role(&world, "helpdesk", HELPDESK).await;
    holder(&world, "help@example.org", helpdesk).await;
    let admin = holder(&world, ADA, admin_role(&world).await).await;
    world.accounts.deactivate(&world.origin, None, admin).await.expect("by an operator");
    let principal = world.principal("help@example.org", PASSWORD).await;
    let refused = world.accounts.activate(&world.origin, Some(&principal), admin).await;
    assert_eq!(code(refused), ErrorCode::RoleExceedsCaller);
}

#[tokio::test]
async fn a_promotion_at_the_same_time_is_judged_as_well() {
    let world = World::new().await;
    let helpdesk = role(&world, "helpdesk", HELPDESK).await;
    holder(&world, "help@example.org", helpdesk).await;
    let principal = world.principal("help@example.org", PASSWORD).await;
    let admin = admin_role(&world).await;
    let by = Some(&principal);
    // The promotion has decided and commits some steps later: before the act reads, while it decides, or after it.
    for (act, steps) in (0..4).flat_map(|act| (0..16).map(move |steps| (act, steps))) {
        let email = format!("user{act}-{steps}@example.org");
        let user = world.user(&email).await.id;
        world.tokens(&email, PASSWORD).await;
        let now = world.now();
        let totp = Totp { user, secret: Vec::new(), confirmed: true, last_step: 0, created_at: now };
        world.cx.commit(Scope::Tenant(DEFAULT_TENANT), Unit::new().with(MfaChange::Enrol(totp))).await.expect("set up");
        let promotion = async {
            let (_, version) = world.cx.store.list_roles(DEFAULT_TENANT).await.expect("read");
            for _ in 0..steps {
                tokio::task::yield_now().await;
            }
            let unit = Unit::new()
                .with(RoleChange::Advance { version })
                .with(RoleChange::Assign { user, role: admin, by: None, at: world.now() })
                .with(FeedEvent::UserChanged(DEFAULT_TENANT, user));
            world.cx.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.is_ok()
        };
        let acting = async {
            match act {
                0 => world.accounts.deactivate(&world.origin, by, user).await.map(|_| ()),
                1 => world.accounts.unlock(&world.origin, by, user).await.map(|_| ()),
                2 => world.sessions.revoke_all_of(&world.origin, by, user).await.map(|_| ()),
                _ => Mfa::new(world.cx.clone()).reset(&world.origin, by, user).await,
            }
        };
        let (promoted, acted) = tokio::join!(promotion, acting);
        assert!(promoted != acted.is_ok(), "act {act}, {steps} steps: promoted {promoted}, acted {acted:?}");
        assert!(acted.is_ok() || acted.expect_err("refused").code == ErrorCode::RoleExceedsCaller);
    }
}
