//! The first walk of every user, over HTTP.

use crate::on_both_engines;
use authkit_tests::{Client, Database, PASSWORD, Server, totp_code};
use serde_json::json;

on_both_engines! {
    register_verify_sign_in_refresh_revoke_sign_out
    totp_asks_for_a_code_and_backup_codes_replace_it
    a_reset_ends_every_session_and_asks_for_the_second_factor
    an_address_change_can_be_taken_back
}

async fn register_verify_sign_in_refresh_revoke_sign_out(database: Database) {
    let server = Server::start(&database).await;
    let mut phone = server.client();
    let answer = phone.post("/v1/auth/register", json!({"email": "Ada@Example.com", "password": PASSWORD})).await;
    assert_eq!(answer.expect(202), json!({"status": "verification_required"}));
    // Before the proof, signing in fails exactly like a wrong password.
    let login = json!({"email": "ada@example.com", "password": PASSWORD});
    phone.post("/v1/auth/login", login.clone()).await.refused(401, "auth.invalid_credentials");

    let mail = phone.mail("ada@example.com", "verify_email").await;
    let token = Client::token_of(&mail);
    let verified = phone.post("/v1/auth/verify-email", json!({"token": token})).await.expect(200);
    assert_eq!(verified["user"]["email"], "Ada@example.com");
    phone.post("/v1/auth/verify-email", json!({"token": token})).await.refused(400, "auth.invalid_token_or_expired");

    phone.sign_in("ada@example.com").await;
    let mut laptop = phone.clone();
    laptop.sign_in("ADA@example.com").await;
    let sessions = phone.get("/v1/me/sessions").await.expect(200);
    assert_eq!(sessions["data"].as_array().unwrap().len(), 2);

    let before = phone.tokens.clone();
    assert_eq!(phone.refresh().await.status, 200);
    assert_eq!(before["session_id"], phone.tokens["session_id"]);
    assert_ne!(before["refresh_token"], phone.tokens["refresh_token"]);

    let laptop_session = laptop.tokens["session_id"].as_str().unwrap();
    assert_eq!(phone.delete(&format!("/v1/me/sessions/{laptop_session}")).await.status, 204);
    laptop.get("/v1/me").await.refused(401, "auth.invalid_token");
    laptop.refresh().await.refused(401, "auth.invalid_refresh_token");

    assert_eq!(phone.post("/v1/auth/logout", json!({})).await.status, 204);
    phone.get("/v1/me").await.refused(401, "auth.invalid_token");
    assert_eq!(phone.post("/v1/auth/logout", json!({})).await.status, 204, "signing out twice is no error");
    assert_eq!(server.terminate().await, Some(0));
}

async fn totp_asks_for_a_code_and_backup_codes_replace_it(database: Database) {
    let server = Server::start(&database).await;
    let user = server.client().new_user("ada@example.com").await;
    let (secret, codes) = user.enable_totp().await;
    assert_eq!(codes.len(), 10);
    let anonymous = server.client();
    let login = json!({"email": "ada@example.com", "password": PASSWORD});
    let attempt = anonymous.post("/v1/auth/login", login.clone()).await.expect(200);
    assert_eq!(attempt["mfa_required"], true);
    let verify = |token: &serde_json::Value, method: &str, code: &str| {
        anonymous.post("/v1/auth/mfa/verify", json!({"mfa_token": token, "method": method, "code": code}))
    };
    // One step's code is taken once, whatever attempt it comes in, and with it those of earlier steps. The next step's is
    // taken ahead of its time, so it is inside the window all the while.
    let (earlier, code) = (totp_code(&secret, 0), totp_code(&secret, 1));
    let _ = verify(&attempt["mfa_token"], "totp", &code).await.expect(200);
    for used in [&code, &earlier] {
        let again = anonymous.post("/v1/auth/login", login.clone()).await.expect(200);
        verify(&again["mfa_token"], "totp", used).await.refused(401, "auth.invalid_mfa_code");
    }
    let attempt = anonymous.post("/v1/auth/login", login.clone()).await.expect(200);
    let tokens = verify(&attempt["mfa_token"], "backup_code", &codes[0].to_uppercase()).await.expect(200);
    assert!(tokens["access_token"].is_string());
    let attempt = anonymous.post("/v1/auth/login", login).await.expect(200);
    verify(&attempt["mfa_token"], "backup_code", &codes[0]).await.refused(401, "auth.invalid_mfa_code");
    let _ = verify(&attempt["mfa_token"], "backup_code", &codes[1]).await.expect(200);
    verify(&attempt["mfa_token"], "backup_code", &codes[2]).await.refused(401, "auth.invalid_mfa_token");
}

async fn a_reset_ends_every_session_and_asks_for_the_second_factor(database: Database) {
    let server = Server::start(&database).await;
    let user = server.client().new_user("ada@example.com").await;
    let _ = user.enable_totp().await;
    let anonymous = server.client();
    let _ = anonymous.post("/v1/auth/password/forgot", json!({"email": "ada@example.com"})).await.expect(202);
    let token = Client::token_of(&anonymous.mail("ada@example.com", "password_reset").await);
    let weak = json!({"token": token, "new_password": "password12"});
    assert_eq!(anonymous.post("/v1/auth/password/reset", weak).await.status, 422, "and the link still works");
    let reset = json!({"token": token, "new_password": "another long passphrase 9"});
    assert_eq!(anonymous.post("/v1/auth/password/reset", reset.clone()).await.status, 204);
    anonymous.post("/v1/auth/password/reset", reset).await.refused(400, "auth.invalid_token_or_expired");
    user.get("/v1/me").await.refused(401, "auth.invalid_token");
    let login = json!({"email": "ada@example.com", "password": PASSWORD});
    anonymous.post("/v1/auth/login", login).await.refused(401, "auth.invalid_credentials");
    let login = json!({"email": "ada@example.com", "password": "another long passphrase 9"});
    assert_eq!(anonymous.post("/v1/auth/login", login).await.expect(200)["mfa_required"], true);
}

async fn an_address_change_can_be_taken_back(database: Database) {
    let server = Server::start(&database).await;
    let user = server.client().new_user("old@example.com").await;
    let _ = user.post("/v1/me/email", json!({"new_email": "new@example.com"})).await.expect(202);
    let proof = Client::token_of(&user.mail("new@example.com", "email_change").await);
    assert_eq!(user.post("/v1/auth/email/confirm", json!({"token": proof})).await.status, 204);
    let mut other = server.client();
    other.sign_in("new@example.com").await;
    let undo = Client::token_of(&other.mail("old@example.com", "email_changed").await);
    assert_eq!(server.client().post("/v1/auth/email/undo", json!({"token": undo})).await.status, 204);
    other.get("/v1/me").await.refused(401, "auth.invalid_token");
    // Whoever changed the address may know the password.
    let login = |password: &str| json!({"email": "old@example.com", "password": password});
    other.post("/v1/auth/login", login(PASSWORD)).await.refused(401, "auth.invalid_credentials");
    let reset = Client::token_of(&other.mail("old@example.com", "password_reset").await);
    let body = json!({"token": reset, "new_password": "another long passphrase 9"});
    assert_eq!(other.post("/v1/auth/password/reset", body).await.status, 204);
    let _ = other.post("/v1/auth/login", login("another long passphrase 9")).await.expect(200);
}
