//! Known and unknown addresses do the same work, counted at the ports.

use super::{counting::Work, *};

async fn work_of(world: &World, email: &str, password: &str) -> Work {
    world.counters.take();
    let error = world.login(email, password).await.expect_err("refused");
    assert_eq!((error.code, error.retry_after), (ErrorCode::InvalidCredentials, None));
    world.counters.take()
}

#[tokio::test]
async fn every_failed_sign_in_does_the_same_work() {
    let world = World::new().await;
    for name in ["known", "locked", "off", "leaving"] {
        world.user(&format!("{name}@example.org")).await;
    }
    let principal = world.principal("off@example.org", PASSWORD).await;
    let confirm = || PasswordConfirmRequest { password: Some(PASSWORD.into()) };
    world.accounts.deactivate_me(&world.origin, &principal, confirm()).await.expect("deactivated");
    let principal = world.principal("leaving@example.org", PASSWORD).await;
    world.accounts.delete_me(&world.origin, &principal, confirm()).await.expect("leaving");
    world.register("pending@example.org", PASSWORD).await;
    world.lock("locked@example.org").await;
    world.lock("locked-unknown@example.org").await;

    let expected = Work { reads: 1, commits: 2, changes: 2, hashes: 1 };
    for (email, password) in [
        ("unknown", PASSWORD),
        ("known", "a wrong password"),
        ("pending", PASSWORD),
        ("off", PASSWORD),
        ("off", "a wrong password"),
        ("leaving", PASSWORD),
        ("locked", PASSWORD),
        ("locked", "a wrong password"),
        ("locked-unknown", PASSWORD),
        ("unknown", &"x".repeat(9_000_000)),
        ("known", &"x".repeat(9_000_000)),
    ] {
        assert_eq!(work_of(&world, &format!("{email}@example.org"), password).await, expected, "{email}");
    }
}

#[tokio::test]
async fn a_tenant_that_there_is_not_does_the_work_of_one_without_anybody() {
    let world = World::new().await;
    world.user(ADA).await;
    let tenants = Tenants::new(world.cx.clone());
    let empty = tenants.create("empty", "Empty", &[], TenantSettings::default()).await.expect("made");
    let mut off = tenants.create("off", "Off", &[], TenantSettings::default()).await.expect("made");
    off.active = false;
    let off = tenants.update(off).await.expect("switched off");
    let unknown = TenantId::new(uuid::Uuid::from_u128(9));
    let mut work: Vec<Vec<Work>> = Vec::new();
    for tenant in [empty.id, off.id, unknown] {
        let origin = Origin { tenant, ..world.origin.clone() };
        let mut of_tenant = Vec::new();
        let login = |email: &str| LoginRequest { email: email.into(), password: PASSWORD.into() };
        world.counters.take();
        // Up to the one that locks and beyond it.
        for _ in 0..7 {
            let refused = world.sign_in.login(&origin, login(ADA)).await;
            assert_eq!(code(refused), ErrorCode::InvalidCredentials);
            of_tenant.push(world.counters.take());
        }
        assert_eq!(code(world.sign_in.login(&origin, login("no address")).await), ErrorCode::ValidationFailed);
        of_tenant.push(world.counters.take());
        world.accounts.register(&origin, registration(ADA, PASSWORD)).await.expect("accepted");
        of_tenant.push(world.counters.take());
        let request = || EmailRequest { email: ADA.into() };
        world.accounts.forgot_password(&origin, request()).await.expect("accepted");
        of_tenant.push(world.counters.take());
        world.accounts.resend_verification(&origin, request()).await.expect("accepted");
        of_tenant.push(world.counters.take());
        work.push(of_tenant);
    }
    assert_eq!(work[0], work[1]);
    assert_eq!(work[0], work[2]);

    // None of it reached the default tenant's user of that address, or made one there.
    world.tokens(ADA, PASSWORD).await;
    let mails = world.notices().await;
    assert!(!mails.iter().any(|notice| matches!(notice, Notice::Closed { .. })));
    let links: Vec<_> = mails
        .iter()
        .filter_map(|notice| match notice {
            Notice::Registration { token, .. } => Some(token.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(links.len(), 3);
    let mut proved = 0;
    for token in links {
        proved += usize::from(world.accounts.verify_email(&world.origin, TokenRequest { token }).await.is_ok());
    }
    assert_eq!(proved, 1, "only that of the tenant that there is");
}

#[tokio::test]
async fn the_failure_that_locks_does_the_same_work_too() {
    let world = World::new().await;
    world.user(ADA).await;
    let mut work = Vec::new();
    for email in [ADA, "unknown@example.org"] {
        let mut of_address = Vec::new();
        for _ in 0..7 {
            of_address.push(work_of(&world, email, "a wrong password").await);
        }
        work.push(of_address);
    }
    assert_eq!(work[0], work[1]);
    assert_ne!(work[0][3], work[0][4], "the fifth one writes the lock's record and notice");
}

#[tokio::test]
async fn registering_a_taken_address_does_the_same_work_and_answers_alike() {
    let world = World::new().await;
    world.user(ADA).await;
    world.register("pending@example.org", PASSWORD).await;
    for email in ["free@example.org", ADA, "pending@example.org"] {
        world.counters.take();
        let view = world.accounts.register(&world.origin, registration(email, PASSWORD)).await.expect("accepted");
        assert_eq!(view.status, "verification_required");
        assert_eq!(world.counters.take(), Work { reads: 0, commits: 1, changes: 3, hashes: 1 }, "{email}");
        assert_eq!(world.kinds().await, ["registration"]);
    }
}

#[tokio::test]
async fn forgotten_passwords_and_lost_links_enqueue_the_same_row_whatever_the_address() {
    let world = World::new().await;
    world.user(ADA).await;
    world.register("pending@example.org", PASSWORD).await;
    for email in [ADA, "pending@example.org", "unknown@example.org"] {
        world.counters.take();
        let request = || EmailRequest { email: email.into() };
        world.accounts.forgot_password(&world.origin, request()).await.expect("accepted");
        assert_eq!(world.counters.take(), Work { reads: 0, commits: 1, changes: 2, hashes: 0 });
        world.accounts.resend_verification(&world.origin, request()).await.expect("accepted");
        assert_eq!(world.counters.take(), Work { reads: 0, commits: 1, changes: 1, hashes: 0 });
        assert_eq!(world.kinds().await, ["password_reset_requested", "resend_verification"]);
    }
}

#[tokio::test]
async fn asking_for_a_taken_address_is_answered_like_a_free_one() {
    let world = World::new().await;
    world.user(ADA).await;
    world.user("bob@example.org").await;
    let principal = world.principal(ADA, PASSWORD).await;
    let mut work = Vec::new();
    for email in ["bob@example.org", "free@example.org"] {
        world.counters.take();
        let request = ChangeEmailRequest { new_email: email.into() };
        world.accounts.request_email_change(&world.origin, &principal, request).await.expect("accepted");
        work.push(world.counters.take());
    }
    assert_eq!(work[0], work[1]);
}
