//! What strangers can have mailed to an address, and what they cannot void.

use super::*;

impl House {
    async fn forgot(&self, email: &str) {
        Accounts::new(self.cx.clone()).forgot_password(&origin(), ask(email)).await.unwrap();
    }

    async fn resend(&self, email: &str) {
        Accounts::new(self.cx.clone()).resend_verification(&origin(), ask(email)).await.unwrap();
    }

    fn minutes(&self, n: i64) {
        self.clock.advance(SignedDuration::from_mins(n));
    }
}

fn kinds(mails: &[Mail]) -> Vec<&str> {
    mails.iter().map(|mail| mail.kind.as_str()).collect()
}

#[tokio::test]
async fn the_sixth_reset_within_minutes_is_not_mailed_and_the_fifths_link_still_works() {
    let house = House::new().await;
    house.user("ada@example.org").await;
    house.user("grace@example.org").await;
    let mut last = None;
    for _ in 0..5 {
        house.forgot("Ada@example.org").await;
        let mail = house.deliver_one().await;
        assert!(house.accepts(&mail).await, "a new link works");
        if let Some(before) = last.replace(mail) {
            assert!(!house.accepts(&before).await, "and voids the one before");
        }
        house.minutes(1);
    }
    for _ in 0..3 {
        house.forgot("ada@EXAMPLE.org").await;
        assert!(house.deliver().await.is_empty(), "not mailed");
    }
    assert_eq!(house.count().await, (0, 0), "nor kept");
    assert!(house.accepts(&last.unwrap()).await);

    house.forgot("grace@example.org").await;
    assert_eq!(house.deliver_one().await.to, "grace@example.org", "others are not concerned");
    house.register("ada@example.org").await;
    assert_eq!(house.deliver_one().await.kind, "address_taken", "nor are other mails");
    house.minutes(10);
    house.forgot("ada@example.org").await;
    assert_eq!(house.deliver_one().await.kind, "password_reset", "the pause ends");
}

#[tokio::test]
async fn every_mail_that_strangers_cause_is_limited_by_itself() {
    let house = House::new().await;
    let ada = house.user("ada@example.org").await;
    let change = async || {
        use crate::accounts::{AccountChange, TokenPurpose, make_token};
        let (row, token) = make_token(&house.cx, &ada, TokenPurpose::EmailChange, hours(1), &"data").unwrap();
        let (token, record) = (token.secret().clone(), row.id);
        let unit = Unit::new().with(AccountChange::CreateToken(row));
        house.cx.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.unwrap();
        let email = "new@example.org".into();
        house.write(&Notice::EmailChange { user: ada.id, record, email, token, locale: None }).await;
    };
    for _ in 0..7 {
        house.register("ada@example.org").await;
        house.register("new@example.org").await;
        change().await;
    }
    let mails = house.deliver().await;
    for kind in ["address_taken", "verify_email", "email_change"] {
        assert_eq!(kinds(&mails).iter().filter(|&&sent| sent == kind).count(), 5, "{kind}");
    }
    assert_eq!(mails.len(), 15);
    for _ in 0..7 {
        house.resend("new@example.org").await;
    }
    assert_eq!(house.deliver().await.len(), 5 * 3, "five answers, each with the links of three registrations");
    assert_eq!(house.count().await, (0, 0));
}

#[tokio::test]
async fn further_tries_of_a_mail_count_as_one() {
    let house = House::with(Script::failing(4, MailError::Temporary("busy".into()))).await;
    let user = house.user("ada@example.org").await;
    house.forgot("ada@example.org").await;
    let mut tried = 0;
    while house.count().await == (1, 0) {
        tried += house.deliver().await.len();
        house.minutes(1);
    }
    assert!(tried > 1, "{user:?} was written to once");
    for _ in 0..4 {
        house.forgot("ada@example.org").await;
        house.deliver_one().await;
    }
    house.forgot("ada@example.org").await;
    assert!(house.deliver().await.is_empty());
}

#[tokio::test]
async fn asking_for_the_link_again_mails_every_registration_and_voids_no_link() {
    let house = House::new().await;
    let mut mailed = Vec::new();
    for _ in 0..4 {
        house.register("ada@example.org").await;
        mailed.push(house.deliver_one().await);
        house.minutes(1);
    }
    house.resend("ada@EXAMPLE.org").await;
    let again = house.deliver().await;
    assert_eq!(kinds(&again), ["verify_email"; 3]);
    let ids: std::collections::HashSet<_> = again.iter().map(|mail| mail.id).collect();
    assert_eq!(ids.len(), 3, "each is a mail of its own");
    for time in ["15:46", "15:47", "15:48"].map(|time| format!("20 November 2026, {time} UTC")) {
        let with = |read: fn(&Mail) -> &String| again.iter().filter(|mail| read(mail).contains(&time)).count();
        assert_eq!(
            (with(|mail| &mail.text), with(|mail| &mail.html)),
            (1, 1),
            "{time}: the three newest, each its own"
        );
    }
    for mail in mailed.iter().chain(&again) {
        assert!(house.accepts(mail).await, "{}", mail.text);
    }

    // A link that was mailed again is the same registration's, and all of them are over with one proof.
    house.minutes(1);
    house.resend("ada@example.org").await;
    assert_eq!(house.deliver().await.len(), 3);
    let token = again[2].links[0].split_once("?token=").unwrap().1.into();
    Accounts::new(house.cx.clone()).verify_email(&origin(), TokenRequest { token }).await.unwrap();
    for mail in mailed.iter().chain(&again) {
        assert!(!house.accepts(mail).await);
    }
    house.deliver().await;
    house.resend("ada@example.org").await;
    assert!(house.deliver().await.is_empty());
}

#[tokio::test]
async fn a_registration_that_is_asked_for_forever_keeps_a_few_links() {
    let house = House::new().await;
    house.register("ada@example.org").await;
    let mut mails = house.deliver().await;
    for _ in 0..12 {
        house.minutes(20);
        house.resend("ada@example.org").await;
        mails.extend(house.deliver().await);
    }
    assert_eq!(mails.len(), 13);
    let mut accepted = Vec::new();
    for mail in &mails {
        accepted.push(house.accepts(mail).await);
    }
    assert_eq!(accepted.iter().filter(|ok| **ok).count(), 6);
    assert!(accepted[7..].iter().all(|ok| *ok), "the newest");
}

#[tokio::test]
async fn an_account_without_proof_gets_its_link_again() {
    let house = House::new().await;
    let tenants = Tenants::new(house.cx.clone());
    let mut tenant = tenants.list().await.unwrap().remove(0);
    tenant.settings.allow_unverified = true;
    tenants.update(tenant).await.unwrap();
    house.register("ada@example.org").await;
    house.deliver_one().await;
    house.resend("ada@example.org").await;
    let mail = house.deliver_one().await;
    let token = mail.links[0].split_once("?token=").unwrap().1.into();
    let view = Accounts::new(house.cx.clone()).verify_email(&origin(), TokenRequest { token }).await.unwrap();
    assert!(view.user.email_verified);
}

#[tokio::test]
async fn the_owner_of_an_account_that_is_off_is_not_told_to_sign_in() {
    let house = House::new().await;
    let user = house.user("ada@example.org").await;
    Accounts::new(house.cx.clone()).deactivate(&origin(), None, user.id).await.unwrap();
    house.deliver().await;
    house.register("ada@example.org").await;
    let mail = house.deliver_one().await;
    assert_eq!(mail.kind, "address_taken");
    for text in [&mail.text, &mail.html] {
        assert!(text.contains("switched off") && !text.contains("/sign-in") && !text.contains("/forgot"), "{text}");
    }
    let pending = crate::accounts::AccountChange::SetStatus {
        user: user.id,
        security_version: user.security_version + 1,
        status: UserStatus::PendingDeletion,
        erase_at: None,
        at: house.cx.now(),
    };
    house.cx.commit(Scope::Tenant(DEFAULT_TENANT), Unit::new().with(pending)).await.unwrap();
    house.register("ada@example.org").await;
    let mail = house.deliver_one().await;
    for text in [&mail.text, &mail.html] {
        assert!(text.contains("waiting to be deleted") && !text.contains("/sign-in"), "{text}");
    }
}
