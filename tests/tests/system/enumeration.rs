//! Known and unknown addresses take the same time.

use crate::on_both_engines;
use authkit_core::{
    Origin,
    memory::InlineHasher,
    tenants::{DEFAULT_TENANT, TenantSettings},
    wire::{EmailRequest, LoginRequest, RegisterRequest},
};
use authkit_engine::{Config, Engine};
use authkit_tests::{Database, PASSWORD, rounds};
use std::{
    future::Future,
    time::{Duration, Instant},
};

on_both_engines! { known_and_unknown_addresses_take_the_same_time }

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

/// Medians of two interleaved operations; the order within a pair alternates.
async fn interleaved<A: Future, B: Future>(
    pairs: usize,
    mut known: impl FnMut(usize) -> A,
    mut unknown: impl FnMut(usize) -> B,
) -> (f64, f64) {
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for n in 0..pairs {
        for turn in [n % 2, (n + 1) % 2] {
            let start = Instant::now();
            if turn == 0 {
                known(n).await;
                one.push(start.elapsed());
            } else {
                unknown(n).await;
                two.push(start.elapsed());
            }
        }
    }
    (median(one), median(two))
}

async fn known_and_unknown_addresses_take_the_same_time(database: Database) {
    let engine = Engine::builder(Config::development(&database.url))
        .hasher(InlineHasher::new(19 * 1024, 2).unwrap())
        .build()
        .await
        .unwrap();
    let origin = Origin::local(DEFAULT_TENANT);
    let pairs = rounds(40, 400);
    // Each address is tried once: the lock after five failures is another case.
    for n in 0..pairs {
        engine
            .accounts()
            .create_verified(&origin, &format!("known{n}@example.com"), &PASSWORD.into(), None)
            .await
            .unwrap();
    }
    let (engine, origin) = (&engine, &origin);
    let login_from = |origin: Origin, email: String| async move {
        let request = LoginRequest { email, password: "wrong horse battery staple".into() };
        engine.sign_in().login(&origin, request).await.unwrap_err();
    };
    let login = |email: String| login_from(origin.clone(), email);
    let forgot = |email: String| async move {
        engine.accounts().forgot_password(origin, EmailRequest { email }).await.unwrap();
    };
    let resend = |email: String| async move {
        engine.accounts().resend_verification(origin, EmailRequest { email }).await.unwrap();
    };
    let register = |email: String| async move {
        let request = RegisterRequest {
            email,
            password: PASSWORD.into(),
            name: None,
            locale: None,
            profile: None,
            redirect_url: None,
        };
        engine.accounts().register(origin, request).await.unwrap();
    };
    // A tenant without users and a name that no tenant has.
    engine.tenants().create("empty", "Empty", &[], TenantSettings::default()).await.unwrap();
    let tenant = |name: &str| Origin::local(engine.tenants().resolve(None, Some(name)).unwrap());
    let (empty, nowhere) = (tenant("empty"), tenant("nowhere"));
    assert_ne!(empty.tenant, nowhere.tenant);
    let known = |n: usize| format!("known{n}@example.com");
    let unknown = |n: usize| format!("nobody{n}@example.com");
    for what in ["login", "login at a tenant", "resend", "forgot", "register"] {
        // Other work on the machine comes and goes; a difference that the code makes is there each time.
        let mut last = String::new();
        for _ in 0..3 {
            let (one, two) = match what {
                "login" => interleaved(pairs, |n| login(known(n)), |n| login(unknown(n))).await,
                "login at a tenant" => {
                    let here = |n| login_from(empty.clone(), unknown(n));
                    interleaved(pairs, here, |n| login_from(nowhere.clone(), unknown(n))).await
                }
                "resend" => interleaved(pairs, |n| resend(known(n)), |n| resend(unknown(n))).await,
                "forgot" => interleaved(pairs, |n| forgot(known(n)), |n| forgot(unknown(n))).await,
                _ => interleaved(pairs, |n| register(known(n)), |n| register(unknown(n))).await,
            };
            let difference = (one - two).abs() / one.max(two);
            // Medians of few pairs are noisier; the full count holds the bound of ten per cent.
            let bound = if pairs < 400 { 0.25 } else { 0.10 };
            if difference < bound {
                last.clear();
                break;
            }
            last = format!("{what}: {one:.6} s for known, {two:.6} s for unknown addresses");
        }
        assert!(last.is_empty(), "{last}");
    }
}
