//! What an attacker tries.

use super::browser::{Browser, PASSWORD, Site};
use crate::pages::{Page, table};
use authkit_core::{
    Origin,
    accounts::Accounts,
    tenants::DEFAULT_TENANT,
    wire::{RegisterRequest, TenantId},
};
use authkit_engine::config::Smtp;
use authkit_testkit::{databases::Db, on_both_engines};
use http::{Request, StatusCode, header};
use jiff::SignedDuration;

on_both_engines! {
    pages_hold_no_script_and_forbid_it
    a_form_from_elsewhere_does_nothing
    a_form_of_the_signed_out_browser_is_void_after_sign_in
    a_form_of_another_browser_signs_nobody_in
    a_form_of_yesterday_is_too_old
    what_is_sealed_in_a_cookie_expires_with_it
    opening_a_page_changes_nothing
    signed_in_pages_send_strangers_to_the_door
    cookies_are_out_of_reach_of_script_and_other_sites
    a_cookie_holds_no_token_in_the_clear_and_cannot_be_another
    backup_codes_and_secrets_are_bound_to_their_session
    a_stolen_cookie_dies_with_its_session
    another_users_session_cannot_be_ended
    another_users_device_cannot_be_removed
    known_and_unknown_addresses_get_the_same_pages
    no_address_ever_holds_the_attempt
    signing_in_goes_on_to_pages_of_ours_only
    the_outbox_is_for_development_only
    mails_are_shown_in_a_frame_that_can_do_nothing
    the_stylesheet_is_cached_under_the_hash_of_its_content
    an_oversized_form_is_refused
    a_mailed_link_is_void_at_another_tenant
    a_session_does_not_count_at_another_tenant
    a_broken_session_cookie_is_not_kept
    refusals_are_pages_with_a_reference
    another_site_is_a_link_that_is_shown_and_never_a_redirect
}

const SHOWN: &[&str] = &[
    "/",
    "/sign-up",
    "/sign-up/sent",
    "/verify-email",
    "/verify-email?token=x",
    "/verify-email/resend",
    "/sign-in",
    "/sign-in/mfa",
    "/sign-out",
    "/forgot-password",
    "/forgot-password/sent",
    "/reset-password?token=%22%3E%3Cscript%3E",
    "/confirm-email?token=x",
    "/undo-email?token=x",
    "/reactivate?token=x",
    "/done",
    "/account",
    "/account/close",
    "/account/mfa",
    "/account/mfa/setup",
    "/account/mfa/codes",
    "/dev/outbox",
    "/dev/outbox?to=%22%3E%3Cscript%3E",
];

const ACTING: &[&str] = &[
    "/sign-up",
    "/verify-email",
    "/verify-email/resend",
    "/sign-in",
    "/sign-in/mfa",
    "/sign-out",
    "/forgot-password",
    "/reset-password",
    "/confirm-email",
    "/undo-email",
    "/reactivate",
    "/account/profile",
    "/account/password",
    "/account/email",
    "/account/sessions/revoke",
    "/account/sessions/revoke-others",
    "/account/devices/revoke",
    "/account/deactivate",
    "/account/delete",
    "/account/mfa/start",
    "/account/mfa/setup",
    "/account/mfa/regenerate",
    "/account/mfa/disable",
];

/// The lists above and the table name the same routes, so that a new page cannot be forgotten.
#[test]
fn every_route_of_the_pages_is_tested() {
    for Page { path, posts, .. } in table() {
        assert_eq!(ACTING.contains(&path), posts.is_some(), "{path} and ACTING");
        assert!(posts.is_some() || is_shown(path), "{path} is not in SHOWN");
    }
}

fn is_shown(path: &str) -> bool {
    SHOWN.iter().any(|shown| shown.split('?').next() == Some(path))
}

async fn pages_hold_no_script_and_forbid_it(db: Db) {
    let site = Site::new(db).await;
    let mut ada = Browser::account(&site, "ada@example.com").await;
    let mut stranger = site.browser();
    for Page { path, .. } in table() {
        let shows = stranger.get(path).await.status != StatusCode::METHOD_NOT_ALLOWED;
        assert_eq!(shows, is_shown(path), "{path} and SHOWN");
    }
    for path in SHOWN {
        for browser in [&mut ada, &mut stranger] {
            let page = browser.get(path).await;
            assert!(page.status.as_u16() < 500, "{path}: {}", page.text);
            let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{path}: {policy}");
            assert!(!policy.contains("script-src"), "{path}: {policy}");
            assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"), "{path}");
            assert_eq!(page.headers[header::CACHE_CONTROL], "no-store", "{path}");
            assert_eq!(page.headers[header::REFERRER_POLICY], "no-referrer", "{path}");
            assert_eq!(page.headers["cross-origin-opener-policy"], "same-origin", "{path}");
            page.hides("<script").hides("javascript:").hides(" onload=");
            // The outbox holds mails, escaped, with styles of their own.
            assert!(path.starts_with("/dev/outbox") || !page.text.contains(" style="), "{path}");
        }
    }
}

async fn a_form_from_elsewhere_does_nothing(db: Db) {
    let site = Site::new(db).await;
    let mut ada = Browser::account(&site, "ada@example.com").await;
    let foreign = site.browser().get("/sign-in").await.form_token();
    let own = ada.get("/account").await.form_token();
    for path in ACTING {
        let fields = [("email", "eve@example.com"), ("password", PASSWORD), ("new_email", "eve@example.com")];
        let none = ada.post(path, &fields).await;
        assert_eq!(none.status, StatusCode::FORBIDDEN, "{path} without a form token");
        for token in [foreign.as_str(), "", "AAAA", &own[..own.len() - 2]] {
            let fields: Vec<_> = fields.iter().copied().chain([("form_token", token)]).collect();
            assert_eq!(ada.post(path, &fields).await.status, StatusCode::FORBIDDEN, "{path} with {token:?}");
        }
        for (name, value) in
            [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")]
        {
            let request = Request::post(*path)
                .header(name, value)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            let page = ada.send(request, format!("form_token={own}")).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{path} from {value}");
        }
    }
    assert_eq!(ada.get("/account").await.status, StatusCode::OK);
    assert!(site.mails("eve@example.com").await.is_empty());
}

async fn a_form_of_the_signed_out_browser_is_void_after_sign_in(db: Db) {
    let site = Site::new(db).await;
    let mut ada = site.browser();
    ada.sign_up("ada@example.com").await;
    let before = ada.get("/sign-in").await.form_token();
    let browser = ada.cookies["authkit-browser"].clone();
    ada.sign_in("ada@example.com", PASSWORD).await.goes_to("/account");
    let fields = [("name", "Eve"), ("form_token", before.as_str())];
    assert_eq!(ada.post("/account/profile", &fields).await.status, StatusCode::FORBIDDEN);
    assert_ne!(ada.cookies["authkit-browser"], browser);
    // Nor when somebody plants the browser's old value again.
    ada.cookies.insert("authkit-browser".into(), browser);
    assert_eq!(ada.post("/account/profile", &fields).await.status, StatusCode::FORBIDDEN);
}

async fn a_form_of_another_browser_signs_nobody_in(db: Db) {
    let site = Site::new(db).await;
    let mut eve = site.browser();
    eve.sign_up("eve@example.com").await;
    let planted = eve.get("/sign-in").await.form_token();
    let mut ada = site.browser();
    ada.get("/sign-in").await;
    let fields = [("email", "eve@example.com"), ("password", PASSWORD), ("form_token", &planted)];
    assert_eq!(ada.post("/sign-in", &fields).await.status, StatusCode::FORBIDDEN);
    ada.get("/account").await.goes_to("/sign-in");
}

async fn a_form_of_yesterday_is_too_old(db: Db) {
    let site = Site::new(db).await;
    let mut ada = site.browser();
    ada.sign_up("ada@example.com").await;
    let token = ada.get("/sign-in").await.form_token();
    let fields = [("email", "ada@example.com"), ("password", PASSWORD), ("form_token", &token)];
    site.clock.advance(SignedDuration::from_hours(24));
    let page = ada.post("/sign-in", &fields).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    page.shows("<h1>This form is too old</h1>").hides("CSRF");
    site.clock.advance(-SignedDuration::from_secs(1));
    ada.post("/sign-in", &fields).await.goes_to("/account");
}

/// `Max-Age` binds browsers, not those who have copied a cookie.
async fn what_is_sealed_in_a_cookie_expires_with_it(db: Db) {
    let site = Site::new(db).await;
    let mut ada = Browser::account(&site, "ada@example.com").await;
    ada.submit("/account", "/account/profile", &[("name", "Ada")]).await.goes_to("/account");
    let notice = ada.cookies["authkit-notice"].clone();
    ada.submit("/account/mfa", "/account/mfa/start", &[]).await.goes_to("/account/mfa/setup");
    let enrolment = ada.cookies["authkit-enrolment"].clone();
    let mut replay = async |name: &str, value: &str, path: &str| {
        ada.cookies.insert(name.into(), value.into());
        ada.get(path).await
    };
    site.clock.advance(SignedDuration::from_secs(119));
    replay("authkit-notice", &notice, "/account").await.shows("Your profile is saved.");
    site.clock.advance(SignedDuration::from_secs(1));
    replay("authkit-notice", &notice, "/account").await.hides("Your profile is saved.");
    replay("authkit-enrolment", &enrolment, "/account/mfa/setup").await.shows("Scan this code");
    site.clock.advance(SignedDuration::from_secs(480));
    replay("authkit-enrolment", &enrolment, "/account/mfa/setup").await.goes_to("/account/mfa");
    let session = ada.cookies["authkit-session"].clone();
    site.clock.advance(site.cx.settings.tokens.refresh);
    ada.cookies.insert("authkit-session".into(), session);
    ada.get("/account").await.goes_to("/sign-in");
}

async fn opening_a_page_changes_nothing(db: Db) {
    let site = Site::new(db).await;
    let mut ada = site.browser();
    let fields = [("email", "ada@example.com"), ("password", PASSWORD)];
    ada.submit("/sign-up", "/sign-up", &fields).await.goes_to("/sign-up/sent");
    let link = site.link("ada@example.com", "verify_email").await;
    for _ in 0..3 {
        site.browser().get(&link).await.shows("Confirm address");
    }
    assert!(ada.sign_in("ada@example.com", PASSWORD).await.status == StatusCode::UNAUTHORIZED);
    let token = ada.get(&link).await.between("name=\"token\" value=\"", "\"");
    ada.submit(&link, "/verify-email", &[("token", &token)]).await.goes_to("/done");
    ada.sign_in("ada@example.com", PASSWORD).await.goes_to("/account");
    ada.get("/sign-out").await.shows("This ends the session");
    assert_eq!(ada.get("/account").await.status, StatusCode::OK);
    for path in ACTING.iter().filter(|path| !SHOWN.iter().any(|shown| shown.split('?').next() == Some(**path))) {
        assert_eq!(ada.get(path).await.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
}

async fn signed_in_pages_send_strangers_to_the_door(db: Db) {
    let site = Site::new(db).await;
    let mut stranger = site.browser();
    for path in SHOWN.iter().filter(|path| path.starts_with("/account")) {
        let page = stranger.get(path).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{path}");
        assert!(page.location().starts_with("/sign-in"), "{path}");
    }
    for path in ACTING.iter().filter(|path| path.starts_with("/account")) {
        let page = stranger.submit("/sign-in", path, &[]).await;
        assert!(page.location().starts_with("/sign-in"), "{path}: {}", page.status);
    }
}

async fn cookies_are_out_of_reach_of_script_and_other_sites(db: Db) {
    let site = Site::new(db).await;
    let mut ada = Browser::account(&site, "ada@example.com").await;
    ada.enable_mfa().await;
    assert!(ada.attributes.len() >= 5, "{:?}", ada.attributes);
    for (name, attributes) in &ada.attributes {
        assert!(attributes.contains("HttpOnly") && attributes.contains("SameSite=Lax"), "{name}{attributes}");
    }
    let tls = Site::with(db, |config| config.public_url = Some("https://id.example".into())).await;
    let mut browser = tls.browser();
    let page = browser.get("/sign-in").await;
    let set: Vec<_> = page.headers.get_all(header::SET_COOKIE).iter().collect();
    assert!(!set.is_empty() && set.iter().all(|cookie| cookie.is_sensitive()), "a log may show it");
    for (name, attributes) in &browser.attributes {
        assert!(name.starts_with("__Host-") && attributes.contains("; Secure"), "{name}{attributes}");
        assert!(attributes.contains("Path=/") && !attributes.contains("Domain"), "{name}{attributes}");
    }
}

async fn a_cookie_holds_no_token_in_the_clear_and_cannot_be_another(db: Db) {
    let site = Site::new(db).await;
    let mut ada = Browser::account(&site, "ada@example.com").await;
    let session = ada.cookies["authkit-session"].clone();
    // `{"typ":"at+jwt"`; a shorter start occurs by chance in what is sealed.
    assert!(!session.contains("akr_") && !session.contains("eyJ0eXAiOiJhdCtqd3Qi"));
    let mut eve = site.browser();
    for name in ["authkit-attempt", "authkit-codes", "authkit-enrolment", "authkit-notice"] {
        eve.cookies.insert(name.to_owned(), session.clone());
    }
    eve.get("/sign-in/mfa").await.goes_to("/sign-in");
    eve.get("/account").await.goes_to("/sign-in");
    let mut changed = session.clone();
    let middle = changed.len() / 2;
    let other = if changed.as_bytes()[middle] == b'A' { "B" } else { "A" };
    changed.replace_range(middle..=middle, other);
    ada.cookies.insert("authkit-session".into(), changed);
    ada.get("/account").await.goes_to("/sign-in");
}

async fn backup_codes_and_secrets_are_bound_to_their_session(db: Db) {
    let site = Site::new(db).await;
    let mut ada = Browser::account(&site, "ada@example.com").await;
    ada.submit("/account/mfa", "/account/mfa/start", &[]).await.goes_to("/account/mfa/setup");
    let mut eve = Browser::account(&site, "eve@example.com").await;
    eve.cookies.insert("authkit-enrolment".into(), ada.cookies["authkit-enrolment"].clone());
    eve.get("/account/mfa/setup").await.goes_to("/account/mfa");
}

async fn a_stolen_cookie_dies_with_its_session(db: Db) {
    let site = Site::new(db).await;
    let mut ada = Browser::account(&site, "ada@example.com").await;
    let stolen = ada.cookies.clone();
    ada.submit("/account", "/sign-out", &[]).await.goes_to("/sign-in");
    let mut thief = site.browser();
    thief.cookies = stolen;
    thief.get("/account").await.goes_to("/sign-in");
}

async fn another_users_session_cannot_be_ended(db: Db) {
    let site = Site::new(db).await;
    let mut ada = Browser::account(&site, "ada@example.com").await;
    let mut phone = site.browser();
    phone.sign_in("ada@example.com", PASSWORD).await;
    let id = ada.get("/account").await.between("name=\"session\" value=\"", "\"");
    let mut eve = Browser::account(&site, "eve@example.com").await;
    eve.submit("/account", "/account/sessions/revoke", &[("session", &id)]).await;
    assert_eq!(phone.get("/account").await.status, StatusCode::OK);
}

async fn another_users_device_cannot_be_removed(db: Db) {
    let site = Site::new(db).await;
    let mut ada = Browser::account(&site, "ada@example.com").await;
    let id = site.device(&site.owner("ada@example.com").await, "Greenhouse").await.to_string();
    let mut eve = Browser::account(&site, "eve@example.com").await;
    let refused = eve.submit("/account", "/account/devices/revoke", &[("device", &id)]).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    refused.hides("Greenhouse").hides("devices-title").shows("role=\"alert\"");
    ada.get("/account").await.shows(">Active<").hides(">Removed<");
}

async fn known_and_unknown_addresses_get_the_same_pages(db: Db) {
    let site = Site::new(db).await;
    site.browser().sign_up("ada@example.com").await;
    for (from, to) in [
        ("/sign-up", "/sign-up"),
        ("/forgot-password", "/forgot-password"),
        ("/verify-email/resend", "/verify-email/resend"),
        ("/sign-in", "/sign-in"),
    ] {
        let mut pages = Vec::new();
        for email in ["ada@example.com", "nobody@example.com"] {
            let mut browser = site.browser();
            let page = browser.submit(from, to, &[("email", email), ("password", "wrong but long enough 9")]).await;
            let text = page.text.replace(
                &page.text.split("form_token\" value=\"").nth(1).unwrap_or("").chars().take(60).collect::<String>(),
                "",
            );
            pages.push((page.status, page.location().to_owned(), text.replace(email, "")));
        }
        assert_eq!(pages[0].0, pages[1].0, "{to}");
        assert_eq!(pages[0].1, pages[1].1, "{to}");
        assert_eq!(pages[0].2.len(), pages[1].2.len(), "{to}");
    }
}

async fn no_address_ever_holds_the_attempt(db: Db) {
    let site = Site::new(db).await;
    let mut ada = Browser::account(&site, "ada@example.com").await;
    ada.enable_mfa().await;
    ada.submit("/sign-out", "/sign-out", &[]).await;
    let page = ada.sign_in("ada@example.com", PASSWORD).await;
    assert_eq!(page.location(), "/sign-in/mfa");
    ada.get("/sign-in/mfa").await.hides("akm_");
}

async fn signing_in_goes_on_to_pages_of_ours_only(db: Db) {
    let site = Site::new(db).await;
    let mut ada = site.browser();
    ada.sign_up("ada@example.com").await;
    for back in ["https://evil.example", "//evil.example", "/\\evil.example", "account/../..", ""] {
        let fields = [("email", "ada@example.com"), ("password", PASSWORD), ("back", back)];
        ada.submit("/sign-in", "/sign-in", &fields).await.goes_to("/account");
    }
}

async fn the_outbox_is_for_development_only(db: Db) {
    let site =
        Site::with(db, |config| config.mail.smtp = Some(Smtp { host: "mail.example".into(), ..Smtp::default() })).await;
    let mut browser = site.browser();
    assert_eq!(browser.get("/dev/outbox").await.status, StatusCode::NOT_FOUND);
    browser.get("/").await.goes_to("/sign-in");
    browser.get("/sign-in").await.hides("/dev/outbox");
}

async fn mails_are_shown_in_a_frame_that_can_do_nothing(db: Db) {
    let site = Site::new(db).await;
    let mut ada = site.browser();
    ada.sign_up("ada@example.com").await;
    let page = ada.get("/dev/outbox").await;
    page.shows("<iframe sandbox title=").shows("ada@example.com").shows("name=\"to\" type=\"email\" value=\"\"");
    let one = ada.get("/dev/outbox?to=Ada%40Example.com").await;
    one.shows("<iframe sandbox title=").shows("value=\"Ada@Example.com\"");
    ada.get("/dev/outbox?to=nobody%40example.com").await.shows("No mail went to");
    ada.get("/dev/outbox?to=").await.shows("<iframe sandbox title=").hides("No mail went to");
}

async fn the_stylesheet_is_cached_under_the_hash_of_its_content(db: Db) {
    let site = Site::new(db).await;
    let mut browser = site.browser();
    let path = browser.get("/sign-in").await.between("<link rel=\"stylesheet\" href=\"", "\"").replace("&#x2f;", "/");
    let style = browser.get(&path).await;
    assert_eq!(style.status, StatusCode::OK);
    assert!(style.headers[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    assert_eq!(browser.get("/assets/style-0.css").await.status, StatusCode::NOT_FOUND);
}

async fn an_oversized_form_is_refused(db: Db) {
    let site = Site::new(db).await;
    let mut browser = site.browser();
    let long = "x".repeat(40_000);
    let page = browser.submit("/sign-in", "/sign-in", &[("email", &long)]).await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
    page.shows("<h1>");
}

async fn a_mailed_link_is_void_at_another_tenant(db: Db) {
    let site = Site::new(db).await;
    let mut ada = site.browser();
    ada.sign_up("ada@example.com").await;
    ada.submit("/forgot-password", "/forgot-password", &[("email", "ada@example.com")]).await;
    let link = site.link("ada@example.com", "password_reset").await;
    let elsewhere = Origin::local(TenantId::new(site.cx.uuid()));
    assert_eq!(ada.send(Request::get(&link).extension(elsewhere), String::new()).await.status, StatusCode::GONE);
    assert_eq!(ada.get(&link).await.status, StatusCode::OK);
}

async fn a_session_does_not_count_at_another_tenant(db: Db) {
    let site = Site::new(db).await;
    let mut ada = Browser::account(&site, "ada@example.com").await;
    let elsewhere = Origin::local(TenantId::new(site.cx.uuid()));
    let page = ada.send(Request::get("/account").extension(elsewhere), String::new()).await;
    page.goes_to("/sign-in");
}

async fn a_broken_session_cookie_is_not_kept(db: Db) {
    let site = Site::new(db).await;
    let mut ada = site.browser();
    ada.cookies.insert("authkit-session".into(), "AAAA".into());
    ada.get("/account").await.goes_to("/sign-in");
    assert!(!ada.cookies.contains_key("authkit-session"));
}

async fn refusals_are_pages_with_a_reference(db: Db) {
    let site = Site::new(db).await;
    let mut ada = site.browser();
    let origin = Origin { trace_id: Some("abc123".into()), ..Origin::local(DEFAULT_TENANT) };
    let page = ada.send(Request::post("/sign-in").extension(origin), "x=1".into()).await;
    assert_eq!(page.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    page.shows("<h1>").shows("abc123");
}

async fn another_site_is_a_link_that_is_shown_and_never_a_redirect(db: Db) {
    let site = Site::with(db, |config| {
        config.redirect_urls = vec!["https://app.example/welcome".into()];
    })
    .await;
    let accounts = Accounts::new(site.cx.clone());
    let register = |redirect: &str| RegisterRequest {
        email: "ada@example.com".into(),
        password: PASSWORD.into(),
        name: None,
        locale: None,
        profile: None,
        redirect_url: Some(redirect.into()),
    };
    let origin = Origin::local(DEFAULT_TENANT);
    assert!(accounts.register(&origin, register("https://evil.example/welcome")).await.is_err());
    accounts.register(&origin, register("https://app.example/welcome")).await.unwrap();
    let mut ada = site.browser();
    let link = site.link("ada@example.com", "verify_email").await;
    let token = ada.get(&link).await.between("name=\"token\" value=\"", "\"");
    ada.submit(&link, "/verify-email", &[("token", &token)]).await.goes_to("/done");
    ada.get("/done").await.shows("href=\"https:&#x2f;&#x2f;app.example&#x2f;welcome\"");
    ada.get("/done").await.hides("app.example");
}
