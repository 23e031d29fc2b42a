//! `kill -9` under mixed writes: what a client was told stays true.

use crate::on_both_engines;
use authkit_tests::{Answer, Client, Database, PASSWORD, Server, rounds, totp_code};
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

on_both_engines! { nothing_acknowledged_is_lost }

/// What clients were told before the process died.
#[derive(Default)]
struct Told {
    registered: Vec<String>,
    /// Addresses whose proof was acknowledged.
    verified: Vec<String>,
    /// The address whose proof was under way: either way is right.
    verifying: Option<String>,
}

/// A request of a client that goes on until the server dies; `None` when no answer came.
async fn ask(client: &Client, method: Method, path: &str, body: Option<Value>) -> Option<Answer> {
    client.try_request(method, path, body.as_ref(), &[]).await.ok()
}

/// Registers accounts and proves every other one, until the server dies.
async fn register(client: Client, round: usize) -> Told {
    let mut told = Told::default();
    for n in 0.. {
        let email = format!("r{round}n{n}@example.com");
        let body = json!({"email": email, "password": PASSWORD});
        let Some(answer) = ask(&client, Method::POST, "/v1/auth/register", Some(body)).await else { break };
        let _ = answer.expect(202);
        told.registered.push(email.clone());
        if n % 2 == 0 {
            continue;
        }
        let list = format!("/v1/dev/outbox?to={email}");
        let link = loop {
            let Some(answer) = ask(&client, Method::GET, &list, None).await else { return told };
            if let Some(mail) = answer.expect(200)["data"].get(0) {
                break Client::token_of(mail);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        told.verifying = Some(email.clone());
        let answer = ask(&client, Method::POST, "/v1/auth/verify-email", Some(json!({"token": link}))).await;
        let Some(answer) = answer else { break };
        let _ = answer.expect(200);
        told.verifying = None;
        told.verified.push(email);
    }
    told
}

/// A value that requests change one after the other: what was acknowledged last, and what was asked for after it.
#[derive(Clone, Debug)]
struct Kept<T> {
    told: T,
    asked: T,
}

impl<T: PartialEq + Clone + std::fmt::Debug> Kept<T> {
    const fn new(told: T, asked: T) -> Self {
        Self { told, asked }
    }

    fn ask(&mut self, value: T) {
        self.asked = value;
    }

    fn done(&mut self) {
        self.told = self.asked.clone();
    }

    #[track_caller]
    fn check(&self, found: &T, what: &str) {
        assert!(*found == self.told || *found == self.asked, "{what}: {found:?}, but {self:?}");
    }
}

/// Makes roles and changes each twice, until the server dies; descriptions by id.
async fn change_roles(admin: Client, round: usize) -> BTreeMap<String, Kept<String>> {
    let mut roles = BTreeMap::new();
    for n in 0.. {
        let body = json!({"name": format!("role {round} {n}"), "permissions": ["users:read"]});
        let Some(answer) = ask(&admin, Method::POST, "/v1/roles", Some(body)).await else { break };
        let id = answer.expect(201)["id"].as_str().unwrap().to_owned();
        let kept = roles.entry(id.clone()).or_insert_with(|| Kept::new(String::new(), String::new()));
        for description in ["once", "twice"] {
            kept.ask(description.to_owned());
            let body = json!({"description": description});
            let Some(answer) = ask(&admin, Method::PATCH, &format!("/v1/roles/{id}"), Some(body)).await else {
                return roles;
            };
            let _ = answer.expect(200);
            kept.done();
        }
    }
    roles
}

/// Assigns and removes a role in turn, until the server dies.
async fn assign(admin: Client, user: String, role: String, now: bool) -> Kept<bool> {
    let mut held = Kept::new(now, now);
    let path = format!("/v1/users/{user}/roles/{role}");
    loop {
        held.ask(!held.told);
        let method = if held.asked { Method::PUT } else { Method::DELETE };
        let Some(answer) = ask(&admin, method, &path, None).await else { return held };
        assert_eq!(answer.status, 204, "{}", answer.text);
        held.done();
    }
}

/// Refreshes until the server dies and returns the tokens of the last answer.
async fn refresh(mut client: Client) -> Client {
    loop {
        let body = json!({"refresh_token": client.refresh_token()});
        match ask(&client, Method::POST, "/v1/auth/refresh", Some(body)).await {
            Some(answer) => client.tokens = answer.expect(200),
            None => return client,
        }
    }
}

/// Sets TOTP up; a backup code when it was acknowledged.
async fn confirm(client: Client) -> Option<String> {
    let enrolment = ask(&client, Method::POST, "/v1/me/mfa/totp", Some(json!({}))).await?;
    let secret = enrolment.expect(201)["secret"].as_str().unwrap().to_owned();
    let body = json!({"code": totp_code(&secret, 0)});
    let confirmed = ask(&client, Method::POST, "/v1/me/mfa/totp/confirm", Some(body)).await?.expect(200);
    Some(confirmed["backup_codes"][0].as_str().unwrap().to_owned())
}

async fn audit_verifies(database: &Database, when: &str) {
    let (code, text) = Server::run(database, &["audit", "verify"], None).await;
    assert_eq!(code, 0, "{when}: {text}");
}

async fn nothing_acknowledged_is_lost(database: Database) {
    let mut server = Server::start(&database).await;
    let mut admin = server.administrator(&database).await;
    let mut user = server.client().new_user("steady@example.com").await;
    let role = admin.post("/v1/roles", json!({"name": "steady"})).await.expect(201)["id"].as_str().unwrap().to_owned();
    let (mut promised, mut held) = (Vec::new(), false);
    for round in 0..rounds(4, 100) {
        let when = format!("round {round}");
        let email = format!("totp{round}@example.com");
        let fresh = server.client().new_user(&email).await;
        let tasks = (
            tokio::spawn(register(server.client(), round)),
            tokio::spawn(change_roles(admin.clone(), round)),
            tokio::spawn(assign(admin.clone(), user.user_id().to_owned(), role.clone(), held)),
            tokio::spawn(refresh(user.clone())),
            tokio::spawn(confirm(fresh.clone())),
        );
        tokio::time::sleep(Duration::from_millis(150 + 97 * (round as u64 % 11))).await;
        server.kill().await;
        let told = tasks.0.await.unwrap();
        let roles = tasks.1.await.unwrap();
        let assigned = tasks.2.await.unwrap();
        user = tasks.3.await.unwrap();
        let backup_code = tasks.4.await.unwrap();
        audit_verifies(&database, &format!("{when}, after the kill")).await;

        server = Server::start(&database).await;
        admin = admin.at(&server.url);
        user = user.at(&server.url);
        // The last answered token continues the session, also when an unanswered request used it.
        let answer = user.refresh().await;
        assert_eq!(answer.status, 200, "{when}: {}", answer.text);
        if admin.refresh().await.status != 200 {
            admin.sign_in("root@example.com").await;
        }
        for (id, description) in &roles {
            let found = admin.get(&format!("/v1/roles/{id}")).await.expect(200);
            let found = found["description"].as_str().unwrap().to_owned();
            description.check(&found, &format!("{when}: the description of {id}"));
        }
        let view = admin.get(&format!("/v1/admin/users/{}", user.user_id())).await.expect(200);
        held = view["roles"].as_array().unwrap().contains(&json!(role));
        assigned.check(&held, &format!("{when}: the role of a user"));
        if let Some(code) = backup_code {
            let client = server.client();
            let attempt =
                client.post("/v1/auth/login", json!({"email": email, "password": PASSWORD})).await.expect(200);
            assert_eq!(attempt["mfa_required"], true, "{when}");
            let body = json!({"mfa_token": attempt["mfa_token"], "method": "backup_code", "code": code});
            let _ = client.post("/v1/auth/mfa/verify", body).await.expect(200);
        }
        for email in &told.verified {
            server.client().sign_in(email).await;
        }
        let open = |email: &String| !told.verified.contains(email) && told.verifying.as_ref() != Some(email);
        promised.extend(told.registered.into_iter().filter(open));
    }
    // A mail that was under way when the process died goes out again once its lease of a minute is over, with another
    // link, which then replaces the first one's.
    for email in promised {
        let until = Instant::now() + Duration::from_secs(90);
        loop {
            let mail = admin.find_mail(&email, "verify_email", Duration::from_secs(90)).await;
            let mail = mail.unwrap_or_else(|| panic!("the mail to {email} is lost"));
            let body = json!({"token": Client::token_of(&mail)});
            let answer = server.client().post("/v1/auth/verify-email", body).await;
            if answer.status == 200 {
                break;
            }
            assert!(Instant::now() < until, "the link to {email} does not work: {}", answer.text);
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
    assert_eq!(server.terminate().await, Some(0));

    audit_verifies(&database, "at the end").await;
    let touched = database
        .execute("UPDATE audit_records SET action = 'session.ended' WHERE id = (SELECT id FROM audit_records ORDER BY id LIMIT 1)")
        .await;
    assert_eq!(touched, 1);
    let (code, text) = Server::run(&database, &["audit", "verify"], None).await;
    assert_ne!(code, 0, "a record was tampered with: {text}");
}
