//! `kill -9` under mixed writes: what a client was told stays true.

use crate::on_both_engines;
use authkit_tests::{Client, Database, PASSWORD, Server, rounds, totp_code};
use reqwest::Method;
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

on_both_engines! { nothing_acknowledged_is_lost }

/// What clients were told before the process died.
#[derive(Default)]
struct Told {
    registered: Vec<String>,
    roles: BTreeSet<String>,
    confirmed: bool,
}

/// Requests until the server dies.
async fn register(client: Client, round: usize) -> Told {
    let mut told = Told::default();
    for n in 0.. {
        let email = format!("r{round}n{n}@example.com");
        let body = json!({"email": email, "password": PASSWORD});
        match client.try_request(Method::POST, "/v1/auth/register", Some(&body), &[]).await {
            Ok(answer) => {
                let _ = answer.expect(202);
                told.registered.push(email);
            }
            Err(_) => break,
        }
    }
    told
}

async fn change_roles(admin: Client, round: usize) -> Told {
    let mut told = Told::default();
    for n in 0.. {
        let name = format!("role {round} {n}");
        let body = json!({"name": name, "permissions": ["users:read"]});
        match admin.try_request(Method::POST, "/v1/roles", Some(&body), &[]).await {
            Ok(answer) => {
                let _ = answer.expect(201);
                told.roles.insert(name);
            }
            Err(_) => break,
        }
    }
    told
}

/// Refreshes until the server dies and returns the tokens of the last answer.
async fn refresh(mut client: Client) -> Client {
    loop {
        let body = json!({"refresh_token": client.refresh_token()});
        match client.try_request(Method::POST, "/v1/auth/refresh", Some(&body), &[]).await {
            Ok(answer) => client.tokens = answer.expect(200),
            Err(_) => return client,
        }
    }
}

async fn confirm(client: Client) -> Told {
    let enrolment = client.try_request(Method::POST, "/v1/me/mfa/totp", Some(&json!({})), &[]).await;
    let Ok(enrolment) = enrolment else { return Told::default() };
    let secret = enrolment.expect(201)["secret"].as_str().unwrap().to_owned();
    let body = json!({"code": totp_code(&secret, 0)});
    let answer = client.try_request(Method::POST, "/v1/me/mfa/totp/confirm", Some(&body), &[]).await;
    Told { confirmed: answer.is_ok_and(|answer| answer.status == 200), ..Told::default() }
}

async fn all_roles(admin: &Client) -> BTreeSet<String> {
    let (mut names, mut cursor) = (BTreeSet::new(), String::new());
    loop {
        let page = admin.get(&format!("/v1/roles?limit=100{cursor}")).await.expect(200);
        names.extend(page["data"].as_array().unwrap().iter().map(|role| role["name"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return names,
        }
    }
}

async fn nothing_acknowledged_is_lost(database: Database) {
    let mut server = Server::start(&database).await;
    let mut admin = server.administrator(&database).await;
    let mut user = server.client().new_user("steady@example.com").await;
    let mut promised = Vec::new();
    for round in 0..rounds(4, 100) {
        let fresh = server.client().new_user(&format!("totp{round}@example.com")).await;
        let tasks = (
            tokio::spawn(register(server.client(), round)),
            tokio::spawn(change_roles(admin.clone(), round)),
            tokio::spawn(refresh(user.clone())),
            tokio::spawn(confirm(fresh.clone())),
        );
        tokio::time::sleep(Duration::from_millis(120 + 37 * (round as u64 % 11))).await;
        server.kill().await;
        let registered = tasks.0.await.unwrap().registered;
        let roles = tasks.1.await.unwrap().roles;
        user = tasks.2.await.unwrap();
        let confirmed = tasks.3.await.unwrap().confirmed;

        server = Server::start(&database).await;
        admin = admin.at(&server.url);
        user = user.at(&server.url);
        // The last answered token continues the session, also when an unanswered request used it.
        let answer = user.refresh().await;
        assert_eq!(answer.status, 200, "round {round}: {}", answer.text);
        let there = all_roles(&admin).await;
        assert!(roles.is_subset(&there), "round {round}: lost {:?}", roles.difference(&there));
        if confirmed {
            let me = fresh.at(&server.url).get("/v1/me").await.expect(200);
            assert_eq!(me["mfa_enabled"], Value::Bool(true), "round {round}");
        }
        promised.extend(registered);
        if admin.refresh().await.status != 200 {
            admin.sign_in("root@example.com").await;
        }
    }
    // A mail that was under way when the process died goes out once its lease of a minute is over.
    for email in promised {
        let mail = admin.find_mail(&email, "verify_email", Duration::from_secs(90)).await;
        assert!(mail.is_some(), "the mail to {email} is lost");
    }
    assert_eq!(server.terminate().await, Some(0));

    let (code, text) = Server::run(&database, &["audit", "verify"], None).await;
    assert_eq!(code, 0, "{text}");
    let touched = database
        .execute("UPDATE audit_records SET action = 'session.ended' WHERE id = (SELECT id FROM audit_records ORDER BY id LIMIT 1)")
        .await;
    assert_eq!(touched, 1);
    let (code, text) = Server::run(&database, &["audit", "verify"], None).await;
    assert_ne!(code, 0, "a record was tampered with: {text}");
}
