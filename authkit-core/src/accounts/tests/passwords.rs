use super::*;
use crate::{PasswordPolicy, ports::BreachedPasswords};
use async_trait::async_trait;

#[derive(Debug)]
struct Knows(&'static str);

#[async_trait]
impl BreachedPasswords for Knows {
    async fn contains(&self, password: &Secret) -> bool {
        password.expose() == self.0
    }
}

async fn judge(settings: Settings, password: &str) -> Vec<String> {
    let mut cx = memory::bare(memory::SystemClock, SeededRandom::new(1), settings).expect("a context");
    cx.breached = Arc::new(Knows("wandering albatross 1798"));
    let inputs = ["ada.lovelace@analytical.example", "Ada Lovelace"];
    match super::super::passwords::NewPassword::judge(&cx, "password", &password.into(), &inputs).await {
        Ok(_) => Vec::new(),
        Err(error) => error.fields.into_iter().map(|field| field.code).collect(),
    }
}

#[tokio::test]
async fn length_counts_characters_after_normalisation() {
    let settings = Settings::default;
    assert_eq!(judge(settings(), "zq7!vTw9x").await, ["password.too_short"]);
    assert!(judge(settings(), "zq7!vTw9xK").await.is_empty());
    // Nine characters written with ten code points, and ten with thirteen.
    assert_eq!(judge(settings(), "o\u{308}q7!vTw9x").await, ["password.too_short"]);
    assert!(judge(settings(), "o\u{308}q7u\u{308}vTe\u{301}9xK").await.is_empty());
    let long: String = (0..128).map(|n| char::from(b'!' + (n * 37 % 90) as u8)).collect();
    assert!(judge(settings(), &long).await.is_empty());
    assert_eq!(judge(settings(), &format!("{long}x")).await, ["password.too_long"]);
    assert_eq!(judge(settings(), &"x".repeat(9_000_000)).await, ["password.too_long"]);
}

#[tokio::test]
async fn guessable_breached_and_personal_passwords_are_refused() {
    for weak in ["password12", "qwertyuiop", "aaaaaaaaaaaaaaaaaaaaaa", "adalovelace", "Ada.Lovelace", "lovelace2026"] {
        assert_eq!(judge(Settings::default(), weak).await, ["password.too_weak"], "{weak}");
    }
    assert_eq!(judge(Settings::default(), "wandering albatross 1798").await, ["password.breached"]);
    assert!(judge(Settings::default(), PASSWORD).await.is_empty());
}

#[tokio::test]
async fn the_start_of_a_long_password_is_judged() {
    let filler = "a".repeat(40);
    assert_eq!(judge(Settings::default(), &format!("{filler}{OTHER_PASSWORD}")).await, ["password.too_weak"]);
    assert!(judge(Settings::default(), &format!("{OTHER_PASSWORD}{filler}")).await.is_empty());
}

#[tokio::test]
async fn required_classes_are_told_each() {
    let policy = PasswordPolicy {
        require_lowercase: true,
        require_uppercase: true,
        require_digit: true,
        require_symbol: true,
        ..PasswordPolicy::default()
    };
    let settings = Settings { password: policy, ..Settings::default() };
    assert_eq!(judge(settings.clone(), "zqvtwxkmbn").await, ["password.missing_class"; 3]);
    assert!(judge(settings, "zq7!vTw9xK").await.is_empty());
}

#[tokio::test]
async fn a_password_typed_in_another_normal_form_is_the_same() {
    let world = World::new().await;
    let token = world.register(ADA, "zwo\u{308}lf blaue Leuchttu\u{308}rme").await;
    world.accounts.verify_email(&world.origin, TokenRequest { token }).await.expect("proved");
    world.tokens(ADA, "zw\u{f6}lf blaue Leuchtt\u{fc}rme").await;
    assert!(world.login(ADA, "zwolf blaue Leuchtturme").await.is_err());
}

#[tokio::test]
async fn a_change_needs_the_current_password_and_ends_the_other_sessions() {
    let world = World::new().await;
    world.user(ADA).await;
    let other = world.tokens(ADA, PASSWORD).await;
    let own = world.tokens(ADA, PASSWORD).await;
    let principal = world.sessions.authenticate(own.access_token.expose()).await.expect("signed in");
    let change = |current: &str, new: &str| PasswordChangeRequest {
        current_password: Some(current.into()),
        new_password: new.into(),
    };
    let refused = world.accounts.change_password(&world.origin, &principal, change("wrong", OTHER_PASSWORD)).await;
    assert_eq!(code(refused), ErrorCode::InvalidCredentials);
    let recorded = (world.audited("password.failed").await, world.audited("session.failed").await);
    assert_eq!(recorded, (1, 0), "it is not a sign-in that failed");
    assert_eq!(
        codes(world.accounts.change_password(&world.origin, &principal, change(PASSWORD, "short")).await),
        ["new_password: password.too_short"]
    );
    assert!(world.is_alive(&other).await);

    world.notices().await;
    let others = world.wait_for_proof(ADA).await;
    world.accounts.change_password(&world.origin, &principal, change(PASSWORD, OTHER_PASSWORD)).await.expect("changed");
    assert_eq!(world.left_of(&others).await, 0, "no token is left");
    assert!(!world.is_alive(&other).await && world.is_alive(&own).await);
    assert_eq!(world.kinds().await, ["password_changed"]);
    assert_eq!(code(world.login(ADA, PASSWORD).await), ErrorCode::InvalidCredentials);
    world.tokens(ADA, OTHER_PASSWORD).await;
}

#[tokio::test]
async fn the_last_five_passwords_cannot_be_used_again() {
    let world = World::new().await;
    world.user(ADA).await;
    let principal = world.principal(ADA, PASSWORD).await;
    let named = |at: usize| if at == 0 { PASSWORD.to_owned() } else { format!("{OTHER_PASSWORD} {at}") };
    let change = |from: usize, to: usize| PasswordChangeRequest {
        current_password: Some(named(from).into()),
        new_password: named(to).into(),
    };
    for at in 0..5 {
        for used in 0..=at {
            let refused = world.accounts.change_password(&world.origin, &principal, change(at, used)).await;
            assert_eq!(codes(refused), ["new_password: password.reused"], "{used} after {at}");
        }
        world.accounts.change_password(&world.origin, &principal, change(at, at + 1)).await.expect("new");
    }
    let again = world.accounts.change_password(&world.origin, &principal, change(5, 1)).await;
    assert_eq!(codes(again), ["new_password: password.reused"]);
    world.accounts.change_password(&world.origin, &principal, change(5, 0)).await.expect("the sixth last is free");
}

#[tokio::test]
async fn the_current_password_cannot_be_used_again_even_without_a_history() {
    let world = World::new().await;
    world.user(ADA).await;
    let user = world.stored(ADA).await.expect("there");
    let hash = world.cx.hasher.hash(&OTHER_PASSWORD.into()).await.expect("hashed");
    let unit = Unit::new().with(AccountChange::SetPassword {
        user: user.id,
        security_version: user.security_version,
        hash,
        kept_session: None,
        keep: 0,
        at: world.now(),
    });
    world.cx.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.expect("set");
    let principal = world.principal(ADA, OTHER_PASSWORD).await;
    let same = PasswordChangeRequest { current_password: None, new_password: OTHER_PASSWORD.into() };
    let refused = world.accounts.change_password(&world.origin, &principal, same).await;
    assert_eq!(codes(refused), ["new_password: password.reused"]);
}

#[tokio::test]
async fn guesses_of_whoever_is_signed_in_lock_apart_from_the_sign_in() {
    let world = World::new().await;
    world.user(ADA).await;
    let principal = world.principal(ADA, PASSWORD).await;
    let confirm = |password: &str| PasswordConfirmRequest { password: Some(password.into()) };
    for _ in 0..5 {
        let refused = world.accounts.deactivate_me(&world.origin, &principal, confirm("wrong")).await;
        assert_eq!(code(refused), ErrorCode::InvalidCredentials);
    }
    assert_eq!(world.kinds().await, ["account_locked"]);
    let locked = world.accounts.deactivate_me(&world.origin, &principal, confirm(PASSWORD)).await;
    assert_eq!(code(locked), ErrorCode::InvalidCredentials, "the right one is answered like a wrong one");
    world.tokens(ADA, PASSWORD).await;
    world.clock.advance(SignedDuration::from_mins(1));
    world.accounts.deactivate_me(&world.origin, &principal, confirm(PASSWORD)).await.expect("the lock is over");
}
