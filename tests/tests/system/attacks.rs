//! Published attacks on products like this one, over HTTP.

use crate::on_both_engines;
use authkit_tests::{Client, Database, PASSWORD, Server, totp_code};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::join_all;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

on_both_engines! {
    forged_access_tokens_are_refused
    a_token_is_good_for_its_own_purpose_only
    one_code_token_or_link_is_used_once_however_many_try
    a_sibling_reset_token_dies_with_the_first
    wrong_codes_burn_the_challenge_and_count_across_challenges
    two_parties_cannot_both_prove_one_address
    a_lock_answers_like_a_wrong_password_and_mail_unlocks_it
    nothing_can_be_assigned_by_accident
}

fn segment(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn decode(segment: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).unwrap()).unwrap()
}

fn hs256(key: &[u8], header: &Value, claims: &Value) -> String {
    let input = format!("{}.{}", segment(header), segment(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

async fn forged_access_tokens_are_refused(database: Database) {
    let server = Server::start(&database).await;
    let user = server.client().new_user("ada@example.com").await;
    let token = user.access().to_owned();
    let parts: Vec<&str> = token.split('.').collect();
    let (header, claims) = (decode(parts[0]), decode(parts[1]));
    assert_eq!((header["typ"].as_str(), header["alg"].as_str()), (Some("at+jwt"), Some("EdDSA")));
    assert!(claims["email"].is_null() && claims["permissions"].is_null(), "not by default: {claims}");

    let jwks = user.get("/.well-known/jwks.json").await.expect(200);
    let jwk = &jwks["keys"][0];
    let raw = URL_SAFE_NO_PAD.decode(jwk["x"].as_str().unwrap()).unwrap();
    let spki = [&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00][..], &raw].concat();
    let base64 = base64::engine::general_purpose::STANDARD.encode(&spki);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----\n");
    let with = |name: &str, value: Value| {
        let mut header = header.clone();
        header[name] = value;
        header
    };
    let mut forged = vec![
        format!("{}.{}.", segment(&with("alg", json!("none"))), parts[1]),
        format!("{}.{}.{}", segment(&with("alg", json!("none"))), parts[1], parts[2]),
        format!("{}.{}.{}", segment(&with("alg", json!("NONE"))), parts[1], parts[2]),
        format!("{}.{}.{}", segment(&with("kid", json!("key_00000000000000000000000000000000"))), parts[1], parts[2]),
        format!("{}.{}.{}", segment(&with("crit", json!(["exp"]))), parts[1], parts[2]),
        format!("{token}="),
        format!("{}.{}=.{}", parts[0], parts[1], parts[2]),
        token[..token.len() - 1].to_owned(),
        token[..token.len() - 20].to_owned(),
        format!("{}.{}", parts[0], parts[1]),
        format!("{token}.x"),
        "a.b.c".to_owned(),
        "x".repeat(20_000),
    ];
    let mut without = header.clone();
    without.as_object_mut().unwrap().remove("kid");
    forged.push(format!("{}.{}.{}", segment(&without), parts[1], parts[2]));
    let hs = with("alg", json!("HS256"));
    for key in [
        raw.clone(),
        spki.clone(),
        pem.clone().into_bytes(),
        pem.trim_end().as_bytes().to_vec(),
        jwk["x"].as_str().unwrap().as_bytes().to_vec(),
        base64.into_bytes(),
        jwk.to_string().into_bytes(),
        jwks.to_string().into_bytes(),
        Vec::new(),
    ] {
        forged.push(hs256(&key, &hs, &claims));
    }
    // Whether well-signed tokens that have expired or are of the future are refused is tested where there is a key to sign
    // them with: `sessions/tests/forgery.rs` of the core.
    for (name, value) in
        [("exp", json!(1)), ("nbf", json!(4_000_000_000_u64)), ("aud", json!("other")), ("sub", json!("usr_x"))]
    {
        let mut changed = claims.clone();
        changed[name] = value;
        forged.push(format!("{}.{}.{}", parts[0], segment(&changed), parts[2]));
    }
    for token in forged {
        let mut client = user.clone();
        client.tokens["access_token"] = json!(token);
        let answer = client.try_request(Method::GET, "/v1/me", None, &[]).await.unwrap();
        assert!(matches!(answer.status, 400 | 401 | 431), "{}: {token}", answer.text);
    }
    let _ = user.get("/v1/me").await.expect(200);
}

async fn a_token_is_good_for_its_own_purpose_only(database: Database) {
    let server = Server::start(&database).await;
    let anonymous = server.client();
    let user = anonymous.new_user("ada@example.com").await;
    let (_, codes) = user.enable_totp().await;
    let moved = anonymous.new_user("eve@example.com").await;
    let _ = moved.post("/v1/me/email", json!({"new_email": "moved@example.com"})).await.expect(202);
    let proof = Client::token_of(&anonymous.mail("moved@example.com", "email_change").await);
    assert_eq!(anonymous.post("/v1/auth/email/confirm", json!({"token": proof})).await.status, 204);

    let login = json!({"email": "ada@example.com", "password": PASSWORD});
    let attempt = anonymous.post("/v1/auth/login", login).await.expect(200);
    let register = json!({"email": "bob@example.com", "password": PASSWORD});
    let _ = anonymous.post("/v1/auth/register", register).await.expect(202);
    let _ = anonymous.post("/v1/auth/password/forgot", json!({"email": "moved@example.com"})).await.expect(202);
    let _ = user.post("/v1/me/email", json!({"new_email": "next@example.com"})).await.expect(202);
    let link = |to: &'static str, kind: &'static str| {
        let anonymous = &anonymous;
        async move { Client::token_of(&anonymous.mail(to, kind).await) }
    };
    let tokens = [
        ("access", user.access().to_owned()),
        ("refresh", user.refresh_token().to_owned()),
        ("mfa", attempt["mfa_token"].as_str().unwrap().to_owned()),
        ("verify", link("bob@example.com", "verify_email").await),
        ("reset", link("moved@example.com", "password_reset").await),
        ("email change", link("next@example.com", "email_change").await),
        ("email undo", link("eve@example.com", "email_changed").await),
    ];
    let present = |purpose: &'static str, token: String| {
        let anonymous = anonymous.clone();
        let code = codes[0].clone();
        async move {
            let post = |path: &'static str, body: Value| anonymous.post(path, body);
            match purpose {
                "access" => {
                    let mut client = anonymous.clone();
                    client.tokens = json!({"access_token": token});
                    client.get("/v1/me").await
                }
                "refresh" => post("/v1/auth/refresh", json!({"refresh_token": token})).await,
                "mfa" => {
                    let body = json!({"mfa_token": token, "method": "backup_code", "code": code});
                    post("/v1/auth/mfa/verify", body).await
                }
                "verify" => post("/v1/auth/verify-email", json!({"token": token})).await,
                "reset" => {
                    let body = json!({"token": token, "new_password": "another long passphrase 9"});
                    post("/v1/auth/password/reset", body).await
                }
                "email change" => post("/v1/auth/email/confirm", json!({"token": token})).await,
                _ => post("/v1/auth/email/undo", json!({"token": token})).await,
            }
        }
    };
    for (purpose, _) in &tokens {
        let (status, code) = match *purpose {
            "access" => (401, "auth.invalid_token"),
            "refresh" => (401, "auth.invalid_refresh_token"),
            "mfa" => (401, "auth.invalid_mfa_token"),
            _ => (400, "auth.invalid_token_or_expired"),
        };
        for (kind, token) in tokens.iter().filter(|(kind, _)| kind != purpose) {
            let answer = present(purpose, token.clone()).await;
            let got = (answer.status, answer.body["code"].as_str());
            assert_eq!(got, (status, Some(code)), "a token for {kind} used for {purpose}: {}", answer.text);
        }
    }
    // Nothing of that used one up: each does what it is for. (The reset comes before the way back, which voids it.)
    for (purpose, token) in &tokens {
        let answer = present(purpose, token.clone()).await;
        assert!(matches!(answer.status, 200 | 204), "{purpose}: {}", answer.text);
    }
}

async fn one_code_token_or_link_is_used_once_however_many_try(database: Database) {
    let server = Server::start(&database).await;
    let user = server.client().new_user("ada@example.com").await;
    let (_, codes) = user.enable_totp().await;
    let anonymous = server.client();
    let login = json!({"email": "ada@example.com", "password": PASSWORD});
    let mut attempts = Vec::new();
    for _ in 0..4 {
        attempts.push(anonymous.post("/v1/auth/login", login.clone()).await.expect(200)["mfa_token"].clone());
    }
    let answers = join_all(attempts.iter().map(|token| {
        anonymous.post("/v1/auth/mfa/verify", json!({"mfa_token": token, "method": "backup_code", "code": codes[0]}))
    }))
    .await;
    let won = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(won, 1, "one backup code, four attempts: {answers:?}");

    let _ = anonymous.post("/v1/auth/password/forgot", json!({"email": "ada@example.com"})).await.expect(202);
    let token = Client::token_of(&anonymous.mail("ada@example.com", "password_reset").await);
    let answers = join_all((0..8).map(|n| {
        let body = json!({"token": token, "new_password": format!("another long passphrase {n}")});
        anonymous.post("/v1/auth/password/reset", body)
    }))
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 204).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|answer| answer.status == 204 || answer.status < 500), "{answers:?}");
}

async fn a_sibling_reset_token_dies_with_the_first(database: Database) {
    let server = Server::start(&database).await;
    let client = server.client();
    client.register("ada@example.com").await;
    let mut tokens = Vec::new();
    while tokens.len() < 2 {
        let _ = client.post("/v1/auth/password/forgot", json!({"email": "ada@example.com"})).await.expect(202);
        let token = Client::token_of(&client.mail("ada@example.com", "password_reset").await);
        if !tokens.contains(&token) {
            tokens.push(token);
        }
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    }
    let body = |token: &str| json!({"token": token, "new_password": "another long passphrase 9"});
    client.post("/v1/auth/password/reset", body(&tokens[0])).await.refused(400, "auth.invalid_token_or_expired");
    let newest = Client::token_of(&client.mail("ada@example.com", "password_reset").await);
    assert_eq!(client.post("/v1/auth/password/reset", body(&newest)).await.status, 204);
    for token in &tokens {
        client.post("/v1/auth/password/reset", body(token)).await.refused(400, "auth.invalid_token_or_expired");
    }
}

async fn wrong_codes_burn_the_challenge_and_count_across_challenges(database: Database) {
    let server = Server::start(&database).await;
    let user = server.client().new_user("ada@example.com").await;
    let (secret, codes) = user.enable_totp().await;
    let client = server.client();
    let challenge = || async {
        let login = json!({"email": "ada@example.com", "password": PASSWORD});
        client.post("/v1/auth/login", login).await.expect(200)["mfa_token"].clone()
    };
    let verify = |token: &Value, method: &str, code: &str| {
        client.post("/v1/auth/mfa/verify", json!({"mfa_token": token, "method": method, "code": code}))
    };
    // No code of the secret around now.
    let near: Vec<String> = (-3..=3).map(|steps| totp_code(&secret, steps)).collect();
    let wrong: Vec<String> = (0..).map(|n| format!("{n:06}")).filter(|code| !near.contains(code)).take(5).collect();

    // Five failures lock, however they are spread over challenges.
    let (one, two) = (challenge().await, challenge().await);
    for (n, code) in wrong.iter().enumerate() {
        let token = if n < 3 { &one } else { &two };
        verify(token, "totp", code).await.refused(401, "auth.invalid_mfa_code");
    }
    // Every waiting challenge is burnt: right codes do not help any more.
    for token in [&one, &two] {
        verify(token, "totp", &totp_code(&secret, 1)).await.refused(401, "auth.invalid_mfa_token");
        verify(token, "backup_code", &codes[0]).await.refused(401, "auth.invalid_mfa_token");
    }
    // A new one is refused unseen while the lock lasts, and burnt too.
    let three = challenge().await;
    let refused = verify(&three, "backup_code", &codes[0]).await;
    refused.refused(429, "auth.too_many_attempts");
    assert!(refused.headers.contains_key("retry-after"));
    verify(&three, "backup_code", &codes[0]).await.refused(401, "auth.invalid_mfa_token");
    // The session that was open all the while is not disturbed.
    let _ = user.get("/v1/me").await.expect(200);
}

async fn two_parties_cannot_both_prove_one_address(database: Database) {
    let server = Server::start(&database).await;
    let client = server.client();
    // A stranger registers first, with a password of theirs; the owner registers second.
    let register = |password: &'static str| {
        client.post("/v1/auth/register", json!({"email": "ada@example.com", "password": password}))
    };
    let _ = register("the stranger's passphrase 1").await.expect(202);
    let first = Client::token_of(&client.mail("ada@example.com", "verify_email").await);
    let _ = register(PASSWORD).await.expect(202);
    let second = loop {
        let token = Client::token_of(&client.mail("ada@example.com", "verify_email").await);
        if token != first {
            break token;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    let answers = join_all(
        [&first, &second, &first, &second].map(|token| client.post("/v1/auth/verify-email", json!({"token": token}))),
    )
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "{answers:?}");
    for token in [&first, &second] {
        client
            .post("/v1/auth/verify-email", json!({"token": token}))
            .await
            .refused(400, "auth.invalid_token_or_expired");
    }
    // A taken address is answered alike, and its owner is told.
    let _ = register("yet another passphrase 2").await.expect(202);
    let _ = client.mail("ada@example.com", "address_taken").await;
}

async fn a_lock_answers_like_a_wrong_password_and_mail_unlocks_it(database: Database) {
    let server = Server::start(&database).await;
    let client = server.client();
    client.register("ada@example.com").await;
    let login = |email: &'static str, password: &'static str| {
        client.post("/v1/auth/login", json!({"email": email, "password": password}))
    };
    let mut bodies = Vec::new();
    for email in ["ada@example.com", "nobody@example.com"] {
        for _ in 0..7 {
            let mut body = login(email, "wrong horse battery staple").await;
            body.refused(401, "auth.invalid_credentials");
            body.body["trace_id"] = Value::Null;
            bodies.push(body.body);
        }
    }
    let mut locked = login("ada@example.com", PASSWORD).await;
    locked.refused(401, "auth.invalid_credentials");
    locked.body["trace_id"] = Value::Null;
    bodies.push(locked.body);
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
    let _ = client.mail("ada@example.com", "account_locked").await;

    let _ = client.post("/v1/auth/password/forgot", json!({"email": "ada@example.com"})).await.expect(202);
    let token = Client::token_of(&client.mail("ada@example.com", "password_reset").await);
    let body = json!({"token": token, "new_password": "another long passphrase 9"});
    assert_eq!(client.post("/v1/auth/password/reset", body).await.status, 204);
    let _ = login("ada@example.com", "another long passphrase 9").await.expect(200);
}

async fn nothing_can_be_assigned_by_accident(database: Database) {
    let server = Server::start(&database).await;
    let user = server.client().new_user("ada@example.com").await;
    for (name, value) in [
        ("role", json!("admin")),
        ("roles", json!(["admin"])),
        ("email_verified", json!(true)),
        ("tenant_id", json!("ten_00000000000070008000000000000001")),
        ("status", json!("active")),
        ("id", json!(user.user_id())),
        ("version", json!(9)),
    ] {
        let register = json!({"email": "eve@example.com", "password": PASSWORD, name: value});
        assert_eq!(user.post("/v1/auth/register", register).await.status, 422, "{name}");
        let update = json!({ name: value });
        assert_eq!(user.request(Method::PATCH, "/v1/me", Some(&update)).await.status, 422, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_headers_and_sizes_cannot_be_abused() {
    let database = Database::sqlite();
    let server = Server::start(&database).await;
    let client = server.client();
    // DNS rebinding: development answers for this machine's names only.
    for host in ["evil.example", "evil.example:8080", "127.0.0.1.evil.example"] {
        let answer = client.try_request(Method::GET, "/v1/dev/outbox", None, &[("host", host)]).await.unwrap();
        answer.refused(421, "request.untrusted_host");
    }
    // Host-header poisoning of mailed links.
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    let headers =
        [("x-forwarded-host", "evil.example"), ("forwarded", "host=evil.example"), ("x-forwarded-proto", "gopher")];
    let answer = client.try_request(Method::POST, "/v1/auth/register", Some(&body), &headers).await.unwrap();
    let _ = answer.expect(202);
    let mail = client.mail("ada@example.com", "verify_email").await;
    assert!(!mail.to_string().contains("evil.example"), "{mail}");
    // Header and log injection.
    for email in ["ada@example.com\r\nBcc: eve@example.com", "ada@example.com%0d%0aBcc:x", "a\u{0}b@example.com"] {
        let answer = client.post("/v1/auth/register", json!({"email": email, "password": PASSWORD})).await;
        assert_eq!(answer.status, 422, "{email:?}: {}", answer.text);
    }
    let injected = [("user-agent", "x\tlevel=ERROR forged"), ("traceparent", "00-forged-line")];
    let body = json!({"email": "ada@example.com", "password": "wrong horse battery staple"});
    let answer = client.try_request(Method::POST, "/v1/auth/login", Some(&body), &injected).await.unwrap();
    answer.refused(401, "auth.invalid_credentials");
    // A nine-megabyte password never reaches the hash.
    let body = json!({"email": "ada@example.com", "password": "x".repeat(9_000_000)});
    if let Ok(answer) = client.try_request(Method::POST, "/v1/auth/login", Some(&body), &[]).await {
        answer.refused(413, "request.body_too_large");
    }
    let body = json!({"email": "ada@example.com", "password": "x".repeat(50_000)});
    client.post("/v1/auth/login", body).await.refused(401, "auth.invalid_credentials");
    // Redirects outside the list.
    for redirect in [
        "https://evil.example/",
        "//evil.example",
        "javascript:alert(1)",
        "https:/evil",
        "http://127.0.0.1:8080@evil.example/",
    ] {
        let body = json!({"email": "eve@example.com", "password": PASSWORD, "redirect_url": redirect});
        assert_eq!(client.post("/v1/auth/register", body).await.status, 422, "{redirect}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_count_the_route_not_its_concrete_path() {
    let database = Database::sqlite();
    let server = Server::start_with(&database, &[("AUTHKIT_RATE_LIMITS__READ__REQUESTS", "20")]).await;
    let client = server.client();
    let mut limited = None;
    for n in 0..60 {
        let id = format!("/v1/admin/users/usr_{n:032x}");
        let answer = client.get(&id).await;
        if answer.status == 429 {
            limited = Some(answer);
            break;
        }
        assert_eq!(answer.status, 401, "{}", answer.text);
    }
    let answer = limited.expect("one client's requests are limited across ids");
    answer.refused(429, "request.rate_limited");
    assert!(answer.headers.contains_key("retry-after") && answer.headers.contains_key("ratelimit"));
}
