mod browser;
mod layered;
mod walls;

use authkit_core::{
    Origin,
    devices::Devices,
    ports::{Hooks, TokenSubject},
    tenants::DEFAULT_TENANT,
    wire::totp,
};
use authkit_testkit::{databases::Db, on_both_engines};
use browser::{Browser, PASSWORD, Site};
use http::StatusCode;
use jiff::SignedDuration;

on_both_engines! {
    sign_up_to_backup_code_needs_no_script
    a_typed_code_may_hold_spaces_and_dashes
    pages_tell_how_long_things_last
    what_was_typed_stays_but_for_passwords
    the_profile_shows_names_as_text
    a_changed_password_signs_the_other_browser_out
    a_mailed_reset_sets_the_password_once
    an_address_moves_and_comes_back
    a_closed_account_comes_back_by_its_mailed_link
    sessions_are_listed_and_ended
    devices_are_listed_and_removed
    a_device_that_signs_in_is_not_hidden_by_removed_ones
    a_browser_stays_signed_in_past_the_life_of_an_access_token
    claims_that_would_burst_a_cookie_cost_a_refresh_instead
    a_lost_answer_signs_nobody_out
    an_old_sign_in_cannot_set_up_a_second_factor
    an_account_is_closed_with_its_password
    two_step_sign_in_is_turned_off_with_password_and_code
}

async fn sign_up_to_backup_code_needs_no_script(db: Db) {
    let site = Site::new(db).await;
    let mut ada = Browser::account(&site, "ada@example.com").await;
    ada.get("/account").await.shows("ada@example.com").shows("This browser");

    let (secret, codes) = ada.enable_mfa().await;
    assert_eq!(codes.len(), 10);
    ada.get("/account/mfa/codes").await.goes_to("/account/mfa");
    ada.get("/account").await.shows("10 backup codes left");
    ada.submit("/account", "/sign-out", &[]).await.goes_to("/sign-in");
    ada.get("/account").await.goes_to("/sign-in");

    site.clock.advance(SignedDuration::from_secs(60));
    ada.sign_in("ada@example.com", PASSWORD).await.goes_to("/sign-in/mfa");
    ada.get("/account").await.goes_to("/sign-in");
    let wrong = ada.submit("/sign-in/mfa", "/sign-in/mfa", &[("code", "000000")]).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    wrong.shows("id=\"code-error\"");
    let code = ada.code(&secret);
    ada.submit("/sign-in/mfa", "/sign-in/mfa", &[("code", &code)]).await.goes_to("/account");

    ada.submit("/sign-out", "/sign-out", &[]).await.goes_to("/sign-in");
    ada.sign_in("ada@example.com", PASSWORD).await.goes_to("/sign-in/mfa");
    ada.submit("/sign-in/mfa", "/sign-in/mfa", &[("backup_code", &codes[0])]).await.goes_to("/account");
    ada.get("/account").await.shows("9 backup codes left");
}

async fn a_typed_code_may_hold_spaces_and_dashes(db: Db) {
    let site = Site::new(db).await;
    let mut ada = Browser::account(&site, "ada@example.com").await;
    let (secret, _) = ada.enable_mfa().await;
    site.clock.advance(SignedDuration::from_secs(i64::try_from(totp::PERIOD).unwrap() * 2));
    ada.submit("/sign-out", "/sign-out", &[]).await;
    ada.sign_in("ada@example.com", PASSWORD).await.goes_to("/sign-in/mfa");
    let code = ada.code(&secret);
    let spaced = format!(" {}-{} ", &code[..3], &code[3..]);
    ada.submit("/sign-in/mfa", "/sign-in/mfa", &[("code", &spaced)]).await.goes_to("/account");
}

async fn pages_tell_how_long_things_last(db: Db) {
    let site = Site::with(db, |config| {
        config.links.verify = "2h".parse().unwrap();
        config.links.reset = "45m".parse().unwrap();
        config.links.deletion_grace = "36h".parse().unwrap();
    })
    .await;
    let mut ada = Browser::account(&site, "ada@example.com").await;
    ada.get("/sign-up/sent").await.shows("the link works for 2 hours");
    ada.get("/forgot-password/sent").await.shows("The link works for 45 minutes");
    ada.get("/account/close").await.shows("For 36 hours the link in the mail that we send you");
}

async fn what_was_typed_stays_but_for_passwords(db: Db) {
    let site = Site::new(db).await;
    let mut ada = site.browser();
    let fields = [("email", "ada@example.com"), ("name", "Ada <3"), ("password", "hunter2")];
    let page = ada.submit("/sign-up", "/sign-up", &fields).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    page.shows("value=\"ada@example.com\"")
        .shows("value=\"Ada &lt;3\"")
        .shows("id=\"password-error\"")
        .hides("hunter2");
}

async fn the_profile_shows_names_as_text(db: Db) {
    let site = Site::new(db).await;
    let mut ada = Browser::account(&site, "ada@example.com").await;
    ada.submit("/account", "/account/profile", &[("name", "<b>Ada</b>")]).await.goes_to("/account");
    let page = ada.get("/account").await;
    page.shows("&lt;b&gt;Ada&lt;&#x2f;b&gt;").hides("<b>Ada").shows("Your profile is saved.");
    page.shows("class=\"note good\"");
    ada.get("/account").await.hides("Your profile is saved.");
    let mut stranger = site.browser();
    stranger.get("/account").await.goes_to("/sign-in");
    stranger.get("/sign-in").await.shows("<p class=\"note\" role=\"status\">Please sign in first.").hides("note good");
}

async fn a_changed_password_signs_the_other_browser_out(db: Db) {
    let site = Site::new(db).await;
    let mut ada = Browser::account(&site, "ada@example.com").await;
    let mut phone = site.browser();
    phone.sign_in("ada@example.com", PASSWORD).await.goes_to("/account");
    let wrong = [("current_password", "not it at all"), ("new_password", "several unrelated words 42")];
    ada.submit("/account", "/account/password", &wrong).await.shows("That is not your password.");
    let right = [("current_password", PASSWORD), ("new_password", "several unrelated words 42")];
    ada.submit("/account", "/account/password", &right).await.goes_to("/account");
    ada.get("/account").await.shows("Your password is changed");
    phone.get("/account").await.goes_to("/sign-in");
}

async fn a_mailed_reset_sets_the_password_once(db: Db) {
    let site = Site::new(db).await;
    let mut ada = site.browser();
    ada.sign_up("ada@example.com").await;
    ada.submit("/forgot-password", "/forgot-password", &[("email", "ada@example.com")])
        .await
        .goes_to("/forgot-password/sent");
    let link = site.link("ada@example.com", "password_reset").await;
    let token = ada.get(&link).await.between("name=\"token\" value=\"", "\"");
    let weak = ada.submit(&link, "/reset-password", &[("token", &token), ("new_password", "short")]).await;
    weak.shows("id=\"new_password-error\"").shows(&token);
    let fields = [("token", token.as_str()), ("new_password", "several unrelated words 42")];
    ada.submit(&link, "/reset-password", &fields).await.goes_to("/sign-in");
    assert_eq!(ada.submit("/sign-in", "/reset-password", &fields).await.status, StatusCode::GONE);
    assert_eq!(ada.get(&link).await.status, StatusCode::GONE);
    ada.sign_in("ada@example.com", "several unrelated words 42").await.goes_to("/account");
}

async fn an_address_moves_and_comes_back(db: Db) {
    let site = Site::new(db).await;
    let mut ada = Browser::account(&site, "ada@example.com").await;
    ada.submit("/account", "/account/email", &[("new_email", "new@example.com")]).await.goes_to("/account");
    let confirm = site.link("new@example.com", "email_change").await;
    let token = ada.get(&confirm).await.between("name=\"token\" value=\"", "\"");
    ada.submit(&confirm, "/confirm-email", &[("token", &token)]).await.goes_to("/done");
    ada.get("/account").await;
    let undo = site.link("ada@example.com", "email_changed").await;
    let token = ada.get(&undo).await.between("name=\"token\" value=\"", "\"");
    ada.submit(&undo, "/undo-email", &[("token", &token)]).await.goes_to("/done");
    ada.get("/done").await.shows("we sent you a link to set a new one");
    let mut again = site.browser();
    assert_eq!(again.sign_in("ada@example.com", PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    let reset = site.link("ada@example.com", "password_reset").await;
    again.get(&reset).await.shows("Set a new password");
}

async fn a_closed_account_comes_back_by_its_mailed_link(db: Db) {
    let site = Site::new(db).await;
    let mut ada = Browser::account(&site, "ada@example.com").await;
    ada.submit("/account/close", "/account/deactivate", &[("password", PASSWORD)]).await;
    let link = site.link("ada@example.com", "account_deactivated").await;
    let token = ada.get(&link).await.between("name=\"token\" value=\"", "\"");
    ada.get(&link).await.shows("Activate my account");
    ada.submit(&link, "/reactivate", &[("token", &token)]).await.goes_to("/done");
    ada.get("/done").await.shows("Your account is active again.");
    assert_eq!(ada.get(&link).await.status, StatusCode::GONE);
    ada.sign_in("ada@example.com", PASSWORD).await.goes_to("/account");
}

async fn sessions_are_listed_and_ended(db: Db) {
    let site = Site::new(db).await;
    let mut ada = Browser::account(&site, "ada@example.com").await;
    let mut phone = site.browser();
    phone.sign_in("ada@example.com", PASSWORD).await;
    let id = ada.get("/account").await.between("name=\"session\" value=\"", "\"");
    ada.submit("/account", "/account/sessions/revoke", &[("session", &id)]).await.goes_to("/account");
    phone.get("/account").await.goes_to("/sign-in");
    phone.sign_in("ada@example.com", PASSWORD).await;
    ada.submit("/account", "/account/sessions/revoke-others", &[]).await.goes_to("/account");
    phone.get("/account").await.goes_to("/sign-in");
    assert_eq!(ada.get("/account").await.status, StatusCode::OK);
}

async fn devices_are_listed_and_removed(db: Db) {
    let site = Site::new(db).await;
    let mut ada = Browser::account(&site, "ada@example.com").await;
    ada.get("/account").await.hides("devices-title");
    let id = site.device(&site.owner("ada@example.com").await, "Green <house>").await.to_string();
    let page = ada.get("/account").await;
    page.shows("devices-title").shows("<strong>Green &lt;house&gt;</strong> <span class=\"tag good\">Active<");
    page.shows(&format!("<code>{}</code>", &id[id.len() - 8..])).shows("last seen <time");
    let own = page.between("name=\"device\" value=\"", "\"");
    assert_eq!(own, id);
    ada.submit("/account", "/account/devices/revoke", &[("device", &own)]).await.goes_to("/account");
    let page = ada.get("/account").await;
    page.shows("That device is removed.").shows("<span class=\"tag\">Removed<").hides("name=\"device\"");
    // Sent twice, it is still removed.
    ada.submit("/account", "/account/devices/revoke", &[("device", &own)]).await.goes_to("/account");
    let none = ada.submit("/account", "/account/devices/revoke", &[("device", "dev_x")]).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    none.shows("role=\"alert\"").shows("devices-title");
}

async fn a_device_that_signs_in_is_not_hidden_by_removed_ones(db: Db) {
    let site = Site::new(db).await;
    let mut ada = Browser::account(&site, "ada@example.com").await;
    let owner = site.owner("ada@example.com").await;
    site.device(&owner, "Backdoor").await;
    // The list is newest first.
    site.clock.advance(SignedDuration::from_secs(1));
    let devices = Devices::new(site.cx.clone());
    for _ in 0..101 {
        let id = site.device(&owner, "Decoy").await;
        devices.revoke(&Origin::local(DEFAULT_TENANT), &owner, id).await.unwrap();
    }
    let page = ada.get("/account").await;
    page.shows("Backdoor");
    assert_eq!(page.text.matches("<strong>Decoy").count(), 10);
}

async fn a_browser_stays_signed_in_past_the_life_of_an_access_token(db: Db) {
    let site = Site::new(db).await;
    let mut ada = Browser::account(&site, "ada@example.com").await;
    for _ in 0..5 {
        let before = ada.cookies["authkit-session"].clone();
        site.clock.advance(site.cx.settings.tokens.access);
        assert_eq!(ada.get("/account").await.status, StatusCode::OK);
        assert_ne!(ada.cookies["authkit-session"], before);
    }
}

async fn claims_that_would_burst_a_cookie_cost_a_refresh_instead(db: Db) {
    #[derive(Debug)]
    struct Talkative;
    impl Hooks for Talkative {
        fn claims(&self, _: &TokenSubject<'_>) -> serde_json::Map<String, serde_json::Value> {
            [("novel".to_owned(), "x".repeat(4000).into())].into_iter().collect()
        }
    }
    let site = Site::building(db, |_| {}, |builder| builder.hooks(Talkative)).await;
    let mut ada = Browser::account(&site, "ada@example.com").await;
    for _ in 0..3 {
        assert_eq!(ada.get("/account").await.status, StatusCode::OK);
        assert!(ada.cookies["authkit-session"].len() < 4000);
    }
}

async fn a_lost_answer_signs_nobody_out(db: Db) {
    let site = Site::new(db).await;
    let mut ada = Browser::account(&site, "ada@example.com").await;
    site.clock.advance(site.cx.settings.tokens.access);
    let before = ada.cookies.clone();
    ada.get("/account").await;
    ada.cookies = before;
    site.clock.advance(SignedDuration::from_mins(5));
    assert_eq!(ada.get("/account").await.status, StatusCode::OK);
}

async fn an_old_sign_in_cannot_set_up_a_second_factor(db: Db) {
    let site = Site::new(db).await;
    let mut ada = Browser::account(&site, "ada@example.com").await;
    site.clock.advance(SignedDuration::from_mins(11));
    ada.submit("/account/mfa", "/account/mfa/start", &[]).await.goes_to("/sign-in?back=mfa");
    let fields = [("email", "ada@example.com"), ("password", PASSWORD), ("back", "mfa")];
    ada.submit("/sign-in?back=mfa", "/sign-in", &fields).await.goes_to("/account/mfa");
    ada.submit("/account/mfa", "/account/mfa/start", &[]).await.goes_to("/account/mfa/setup");
    ada.get("/account").await.hides("Sign out all others");
}

async fn an_account_is_closed_with_its_password(db: Db) {
    let site = Site::new(db).await;
    let mut ada = Browser::account(&site, "ada@example.com").await;
    ada.submit("/account/close", "/account/deactivate", &[("password", "wrong one")])
        .await
        .shows("That is not your password.");
    ada.submit("/account/close", "/account/deactivate", &[("password", PASSWORD)]).await.goes_to("/done");
    ada.get("/account").await.goes_to("/sign-in");
    ada.sign_in("ada@example.com", PASSWORD).await.hides("This browser");
}

async fn two_step_sign_in_is_turned_off_with_password_and_code(db: Db) {
    let site = Site::new(db).await;
    let mut ada = Browser::account(&site, "ada@example.com").await;
    let (_, codes) = ada.enable_mfa().await;
    let fresh = [("password", PASSWORD), ("backup_code", codes[1].as_str())];
    ada.submit("/account/mfa", "/account/mfa/regenerate", &fresh).await.goes_to("/account/mfa/codes");
    let new = ada.get("/account/mfa/codes").await.between("<li><code>", "<");
    let old = [("password", PASSWORD), ("backup_code", codes[2].as_str())];
    let refused = ada.submit("/account/mfa", "/account/mfa/disable", &old).await;
    refused.shows("id=\"disable-backup-error\"");
    ada.submit("/account/mfa", "/account/mfa/disable", &[("password", PASSWORD), ("backup_code", &new)])
        .await
        .goes_to("/account/mfa");
    ada.get("/account/mfa").await.shows("Two-step sign-in is off.");
}
