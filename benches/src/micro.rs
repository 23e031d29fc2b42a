//! What happens in process: a sign-in less its hash, verifying access tokens, checking permissions.

use crate::{
    measure::{cpu, interleaved, median, micros},
    report::Report,
};
use authkit_core::{
    Origin,
    memory::InlineHasher,
    ports::PasswordHasher,
    tenants::DEFAULT_TENANT,
    wire::{CreateRoleRequest, LoginRequest, LoginView, TokensView},
};
use authkit_engine::{Config, Engine};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use std::{collections::HashMap, hint::black_box};

pub(crate) const PASSWORD: &str = "correct horse battery staple 7";

/// An engine whose hash is so cheap that it can be taken off the figure.
pub(crate) async fn engine(url: &str) -> Engine {
    Engine::builder(Config::development(url)).hasher(InlineHasher::new(8, 1).unwrap()).build().await.unwrap()
}

pub(crate) async fn sign_in(engine: &Engine, email: &str) -> TokensView {
    let request = LoginRequest { email: email.into(), password: PASSWORD.into() };
    match engine.sign_in().login(&Origin::local(DEFAULT_TENANT), request).await.unwrap() {
        LoginView::Tokens(tokens) => *tokens,
        LoginView::MfaRequired(_) => unreachable!("no second factor is set up"),
    }
}

struct Raw {
    key: UnparsedPublicKey<Vec<u8>>,
}

impl Raw {
    fn new(engine: &Engine) -> Self {
        let jwks = engine.sessions().jwks();
        let x = jwks["keys"][0]["x"].as_str().unwrap().to_owned();
        Self { key: UnparsedPublicKey::new(&ED25519, URL_SAFE_NO_PAD.decode(x).unwrap()) }
    }

    /// The bare signature check of one token, its parts decoded beforehand.
    fn verify(&self, (input, signature): &(String, Vec<u8>)) {
        self.key.verify(input.as_bytes(), signature).unwrap();
    }

    fn parts(token: &str) -> (String, Vec<u8>) {
        let (input, signature) = token.rsplit_once('.').unwrap();
        (input.to_owned(), URL_SAFE_NO_PAD.decode(signature).unwrap())
    }
}

pub(crate) async fn run(report: &mut Report) {
    let directory = tempfile::tempdir().unwrap();
    let engine = engine(&format!("sqlite://{}/bench.db", directory.path().display())).await;
    let origin = Origin::local(DEFAULT_TENANT);
    // Several people, as a server has: nobody reaches the number of sessions from which the oldest ends.
    let people: Vec<String> = (0..20).map(|n| format!("user{n}@example.com")).collect();
    for email in people.iter().map(String::as_str).chain(["ada@example.com"]) {
        engine.accounts().create_verified(&origin, email, &PASSWORD.into(), None).await.unwrap();
    }
    let raw = Raw::new(&engine);

    // A sign-in less its hash, in CPU time.
    let first = sign_in(&engine, "ada@example.com").await;
    let parts = Raw::parts(first.access_token.expose());
    let hasher = InlineHasher::new(8, 1).unwrap();
    let hash = hasher.hash(&PASSWORD.into()).await.unwrap();
    let me = std::process::id();
    let (mut signs, mut verifies) = (Vec::new(), Vec::new());
    for _ in 0..15 {
        let start = cpu(me);
        for n in 0..40 {
            sign_in(&engine, &people[n % people.len()]).await;
        }
        let signed = (cpu(me) - start).as_secs_f64() / 40.0;
        let start = cpu(me);
        for _ in 0..40 {
            hasher.verify(&PASSWORD.into(), Some(&hash)).await.unwrap();
        }
        signs.push(signed - (cpu(me) - start).as_secs_f64() / 40.0);
        let start = cpu(me);
        (0..400).for_each(|_| raw.verify(&parts));
        verifies.push((cpu(me) - start).as_secs_f64() / 400.0);
    }
    let (sign, verify) = (median(signs), median(verifies));
    report.at_most(
        "CPU of a sign-in less its hash, in Ed25519 verifications",
        micros(sign),
        micros(verify),
        sign / verify,
        25.0,
    );

    // Access tokens, never seen and seen before.
    let mut tokens = Vec::new();
    let mut pair = first;
    for _ in 0..1500 {
        pair = engine.sessions().refresh(&origin, &pair.refresh_token, None).await.unwrap();
        tokens.push(pair.access_token.expose().to_owned());
    }
    let bare: Vec<_> = tokens.iter().map(|token| Raw::parts(token)).collect();
    let authority = &engine.context().authority;
    let context = engine.context();
    let (ours, theirs) = interleaved(
        30,
        50,
        |n| {
            black_box(authority.authenticate(context, &tokens[n]).unwrap());
        },
        |n| raw.verify(&bare[n]),
    );
    report.at_most(
        "verifying an access token seen for the first time, beside the bare Ed25519 verification",
        micros(ours),
        micros(theirs),
        ours / theirs,
        1.15,
    );
    let token = tokens.last().unwrap();
    authority.authenticate(context, token).unwrap();
    let (ours, theirs) = interleaved(
        200,
        500,
        |_| {
            black_box(authority.authenticate(context, token).unwrap());
        },
        |_| {
            black_box(Sha256::digest(black_box(token.as_bytes())));
        },
    );
    report.at_most(
        "verifying an access token seen before, revocation checked, beside one SHA-256 of it",
        micros(ours),
        micros(theirs),
        ours / theirs,
        4.0,
    );

    permission_check(report, &engine, &origin).await;
}

async fn permission_check(report: &mut Report, engine: &Engine, origin: &Origin) {
    let user = engine.accounts().create_verified(origin, "roles@example.com", &PASSWORD.into(), None).await.unwrap();
    let mut roles = Vec::new();
    for n in 0..50_usize {
        let request = CreateRoleRequest {
            name: format!("role {n}"),
            description: String::new(),
            parent_id: (n > 0).then(|| roles[(n - 1) / 2]),
            permissions: if n == 0 { vec!["audit:read".into()] } else { vec!["users:read".into()] },
        };
        let role = engine.roles().create(origin, None, request).await.unwrap();
        engine.roles().assign(origin, None, user.id, role.id).await.unwrap();
        roles.push(role.id);
    }
    let tokens = sign_in(engine, "roles@example.com").await;
    let principal = engine.sessions().authenticate(tokens.access_token.expose()).await.unwrap();
    assert!(principal.has("audit:read"));
    let map: HashMap<String, u64> = (0..64).map(|n| (format!("resource{n}:read"), n)).collect();
    let (ours, theirs) = interleaved(
        200,
        2000,
        |_| {
            black_box(principal.has(black_box("audit:read")));
        },
        |_| {
            black_box(map.get(black_box("resource7:read")));
        },
    );
    report.at_most(
        "a permission check with 50 roles in a tree, beside one hash-map lookup",
        micros(ours),
        micros(theirs),
        ours / theirs,
        3.0,
    );
}
