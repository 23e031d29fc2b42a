use super::*;
use crate::{
    Origin, Settings,
    accounts::{Accounts, Email, User},
    memory::{ManualClock, SeededRandom, bare, prepare},
    notices::{self, AccountEvent, Notices},
    ports::{Clock, Hooks, OperationKind},
    sessions::Sessions,
    tenants::{DEFAULT_TENANT, TenantSettings, Tenants},
};
use async_trait::async_trait;
use authkit_wire::*;
use jiff::Timestamp;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

const OWNER: Uuid = Uuid::from_u128(7);
const PASSWORD: &str = "a long and unguessable passphrase";

/// Answers as its script says, then always well; remembers what it was handed, delivered or not.
#[derive(Debug, Default)]
struct Script {
    answers: Mutex<VecDeque<Result<(), MailError>>>,
    mails: Mutex<Vec<Mail>>,
}

impl Script {
    fn failing(times: usize, error: MailError) -> Self {
        Self { answers: Mutex::new(std::iter::repeat_n(Err(error), times).collect()), mails: Mutex::default() }
    }

    fn take(&self) -> Vec<Mail> {
        std::mem::take(&mut *self.mails.lock().unwrap())
    }
}

#[async_trait]
impl Mailer for Script {
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        self.mails.lock().unwrap().push(mail.clone());
        self.answers.lock().unwrap().pop_front().unwrap_or(Ok(()))
    }
}

/// Hears of sign-ins, failing as often as told.
#[derive(Debug, Default)]
struct Ears {
    failures: Mutex<u32>,
    heard: Mutex<Vec<Option<UserId>>>,
}

#[async_trait]
impl Hooks for Ears {
    fn wants(&self, kind: OperationKind) -> bool {
        kind == OperationKind::SignIn
    }

    async fn after(&self, operation: &Operation) -> Result<(), String> {
        let mut failures = self.failures.lock().unwrap();
        if *failures > 0 {
            *failures -= 1;
            return Err("not now".into());
        }
        self.heard.lock().unwrap().push(operation.user);
        Ok(())
    }
}

struct House {
    cx: Arc<Context>,
    clock: ManualClock,
    ears: Arc<Ears>,
    mailer: Script,
}

impl House {
    async fn new() -> Self {
        Self::with(Script::default()).await
    }

    async fn with(mailer: Script) -> Self {
        Self { mailer, ..Self::with_settings(settings()).await }
    }

    async fn with_settings(settings: Settings) -> Self {
        let clock = ManualClock::new("2026-11-20T15:45:00Z".parse().unwrap());
        let ears = Arc::new(Ears::default());
        let mut cx = bare(clock.clone(), SeededRandom::new(1), settings).unwrap();
        cx.hooks = ears.clone();
        Self { cx: prepare(cx).await.unwrap(), clock, ears, mailer: Script::default() }
    }

    async fn user(&self, email: &str) -> User {
        let accounts = Accounts::new(self.cx.clone());
        let view = accounts.create_verified(&origin(), email, &PASSWORD.into(), None).await.unwrap();
        self.deliver().await;
        self.cx.store.find_user(DEFAULT_TENANT, view.id).await.unwrap().unwrap()
    }

    async fn register(&self, email: &str) {
        Accounts::new(self.cx.clone()).register(&origin(), registration(email)).await.unwrap();
    }

    async fn write(&self, notice: &Notice) {
        let change = notices::enqueue(&self.cx, DEFAULT_TENANT, notice);
        self.cx.commit(Scope::Tenant(DEFAULT_TENANT), Unit::new().with(change)).await.unwrap();
    }

    async fn tell(&self, user: &User, event: AccountEvent) {
        self.clock.advance(SignedDuration::from_micros(1));
        let change = notices::tell(&self.cx, user, event);
        self.cx.commit(Scope::Tenant(DEFAULT_TENANT), Unit::new().with(change)).await.unwrap();
    }

    /// Delivers until nothing is due, and returns what was handed to the mailer.
    async fn deliver(&self) -> Vec<Mail> {
        while Notices::new(self.cx.clone()).deliver_due(OWNER, &self.mailer).await.unwrap() > 0 {}
        self.mailer.take()
    }

    async fn deliver_one(&self) -> Mail {
        let mut mails = self.deliver().await;
        assert_eq!(mails.len(), 1, "{mails:?}");
        mails.remove(0)
    }

    /// How many notices wait and how many are dead.
    async fn count(&self) -> (i64, i64) {
        self.cx.store.count_notices().await.unwrap()
    }

    /// Whether the page behind the mail's link would accept it.
    async fn accepts(&self, mail: &Mail) -> bool {
        let kind = if mail.kind == "password_reset" {
            crate::crypto::OpaqueKind::Reset
        } else {
            crate::crypto::OpaqueKind::Verify
        };
        let token = mail.links[0].split_once("?token=").unwrap().1;
        Accounts::new(self.cx.clone()).token_is_valid(&origin(), kind, &token.into()).await.unwrap()
    }
}

fn settings() -> Settings {
    Settings { public_url: "https://id.example.org".into(), ..Settings::default() }
}

fn origin() -> Origin {
    Origin::local(DEFAULT_TENANT)
}

fn registration(email: &str) -> RegisterRequest {
    serde_json::from_value(serde_json::json!({ "email": email, "password": PASSWORD })).unwrap()
}

fn ask(email: &str) -> EmailRequest {
    EmailRequest { email: email.into() }
}

fn hours(n: i64) -> SignedDuration {
    SignedDuration::from_hours(n)
}

#[tokio::test]
async fn a_registration_is_mailed_a_working_link_under_the_public_address() {
    let house = House::new().await;
    house.register("Ada@Example.org").await;
    let mail = house.deliver_one().await;
    assert_eq!(
        (mail.kind.as_str(), mail.to.as_str(), mail.tenant),
        ("verify_email", "Ada@example.org", DEFAULT_TENANT)
    );
    assert!(mail.links[0].starts_with("https://id.example.org/verify-email?token=akv_"), "{:?}", mail.links);
    assert!(mail.text.contains(&mail.links[0]));
    assert!(house.accepts(&mail).await);
    assert_eq!(house.count().await, (0, 0));
}

#[tokio::test]
async fn a_registration_of_a_taken_address_tells_its_owner_and_is_deleted() {
    let house = House::new().await;
    let owner = house.user("ada@example.org").await;
    house.register("ADA@example.org").await;
    let mail = house.deliver_one().await;
    assert_eq!((mail.kind.as_str(), mail.to.as_str()), ("address_taken", "ada@example.org"));
    let expected = ["https://id.example.org/sign-in", "https://id.example.org/forgot-password"];
    assert_eq!(mail.links, expected);
    assert!(!mail.text.contains("token="));
    let left = house.cx.store.list_registrations(DEFAULT_TENANT, &owner.email_key, 9).await.unwrap();
    assert!(left.is_empty());
}

#[tokio::test]
async fn the_owner_hears_of_a_taken_address_even_when_the_first_try_fails() {
    let house = House::new().await;
    house.user("ada@example.org").await;
    house.register("ada@example.org").await;
    house.mailer.answers.lock().unwrap().push_back(Err(MailError::Temporary("busy".into())));
    assert_eq!(house.deliver_one().await.kind, "address_taken");
    house.clock.advance(hours(1));
    assert_eq!(house.deliver_one().await.kind, "address_taken");
}

#[tokio::test]
async fn a_reset_link_goes_to_active_accounts_only_and_voids_the_one_before() {
    let house = House::new().await;
    let user = house.user("ada@example.org").await;
    let accounts = Accounts::new(house.cx.clone());
    accounts.forgot_password(&origin(), ask("nobody@example.org")).await.unwrap();
    assert!(house.deliver().await.is_empty());

    accounts.forgot_password(&origin(), ask("ada@example.org")).await.unwrap();
    let first = house.deliver_one().await;
    accounts.forgot_password(&origin(), ask("ada@example.org")).await.unwrap();
    let second = house.deliver_one().await;
    assert!(second.links[0].starts_with("https://id.example.org/reset-password?token=akp_"), "{:?}", second.links);
    assert_eq!((house.accepts(&first).await, house.accepts(&second).await), (false, true));

    accounts.deactivate(&origin(), None, user.id).await.unwrap();
    accounts.forgot_password(&origin(), ask("ada@example.org")).await.unwrap();
    let kinds: Vec<_> = house.deliver().await.into_iter().map(|mail| mail.kind).collect();
    assert_eq!(kinds, ["account_deactivated"]);
}

#[tokio::test]
async fn an_address_change_to_a_taken_address_tells_that_ones_owner() {
    let house = House::new().await;
    let (ada, grace) = (house.user("ada@example.org").await, house.user("grace@example.org").await);
    let change = async |email: &str| {
        let (row, token) =
            crate::accounts::make_token(&house.cx, &ada, crate::accounts::TokenPurpose::EmailChange, hours(1), &"data")
                .unwrap();
        let notice = Notice::EmailChange {
            user: ada.id,
            record: row.id,
            email: email.into(),
            token: token.secret().clone(),
            locale: None,
        };
        let unit = Unit::new().with(crate::accounts::AccountChange::CreateToken(row));
        house.cx.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.unwrap();
        house.write(&notice).await;
    };
    change("grace@example.org").await;
    let mail = house.deliver_one().await;
    assert_eq!((mail.kind.as_str(), &mail.to), ("address_taken", &grace.email));

    change("new@example.org").await;
    let mail = house.deliver_one().await;
    assert_eq!((mail.kind.as_str(), mail.to.as_str()), ("email_change", "new@example.org"));
    assert!(mail.links[0].starts_with("https://id.example.org/confirm-email?token=ake_"), "{:?}", mail.links);
}

#[tokio::test]
async fn a_link_is_mailed_only_while_it_is_that_of_its_row() {
    let house = House::new().await;
    let ada = house.user("ada@example.org").await;
    house.register("grace@example.org").await;
    house.deliver().await;
    let key = Email::parse("grace@example.org", false).unwrap().key(&house.cx.keyring, DEFAULT_TENANT);
    let pending = house.cx.store.list_registrations(DEFAULT_TENANT, &key, 1).await.unwrap().remove(0);
    let purpose = crate::accounts::TokenPurpose::EmailChange;
    let (row, token) = crate::accounts::make_token(&house.cx, &ada, purpose, hours(1), &"data").unwrap();
    let (user, record, email) = (ada.id, row.id, "new@example.org".to_owned());
    let unit = Unit::new().with(crate::accounts::AccountChange::CreateToken(row));
    house.cx.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.unwrap();
    let old = Secret::from(format!("{}x", token.secret().expose()).as_str());
    let (registration, to) = (pending.id, pending.email.clone());
    house.write(&Notice::Registration { registration, email: to, token: old.clone(), locale: None }).await;
    house.write(&Notice::EmailChange { user, record, email, token: old, locale: None }).await;
    assert_eq!(house.deliver().await.len(), 0);
}

#[tokio::test]
async fn the_old_address_gets_the_way_back() {
    let house = House::new().await;
    let (email, new_email) = ("old@example.org".to_owned(), "new@example.org".to_owned());
    house.write(&Notice::EmailChanged { email, new_email, token: "aku_x".into(), locale: None }).await;
    let mail = house.deliver_one().await;
    assert_eq!((mail.kind.as_str(), mail.to.as_str()), ("email_changed", "old@example.org"));
    assert_eq!(mail.links, ["https://id.example.org/undo-email?token=aku_x"]);
    assert!(mail.text.contains("new@example.org") && mail.text.contains("2026-11-20 15:45 UTC"), "{}", mail.text);
    assert!(mail.text.contains("3 days"), "{}", mail.text);
}

#[tokio::test]
async fn every_account_event_has_its_mail_and_nobody_is_nobody() {
    use AccountEvent as E;
    let house = House::new().await;
    let user = house.user("ada@example.org").await;
    let events = [
        E::Welcome,
        E::PasswordChanged,
        E::AccountLocked,
        E::MfaEnabled,
        E::MfaDisabled,
        E::BackupCodesRegenerated,
        E::BackupCodesLow,
        E::TokenReuse,
        E::AccountDeactivated,
        E::AccountReactivated,
        E::DeletionScheduled,
    ];
    for event in events {
        house.tell(&user, event).await;
    }
    let kinds: Vec<_> = house.deliver().await.into_iter().map(|mail| mail.kind).collect();
    assert_eq!(kinds, events.map(E::as_str));

    let ghost = User { id: UserId::new(Uuid::from_u128(404)), ..user };
    house.tell(&ghost, E::AccountLocked).await;
    assert!(house.deliver().await.is_empty());
    assert_eq!(house.count().await, (0, 0));
}

#[tokio::test]
async fn the_mail_about_a_claimed_device_names_it_and_the_way_to_remove_it() {
    let house = House::new().await;
    let user = house.user("ada@example.org").await;
    let account = format!("{}/account", house.cx.settings.public_url);
    let from = Origin { ip: Some("192.0.2.7".parse().unwrap()), ..origin() };
    for (from, claimed_from) in [(from, true), (origin(), false)] {
        let change = notices::tell_of_device(&house.cx, &from, &user, "Shed <1>");
        house.cx.commit(Scope::Tenant(DEFAULT_TENANT), Unit::new().with(change)).await.unwrap();
        let mail = house.deliver_one().await;
        assert_eq!((mail.kind.as_str(), mail.to.as_str()), ("device_claimed", "ada@example.org"));
        assert!(mail.text.contains("\n    Shed <1>") && mail.html.contains("Shed &lt;1&gt;"), "{}", mail.text);
        for part in [&mail.text, &mail.html] {
            assert_eq!(part.contains("claimed from 192.0.2.7"), claimed_from, "{part}");
            assert!(!part.contains("{%"), "{part}");
        }
        assert_eq!(mail.links[0], account);
    }
    // As it was written before the mail named the device.
    house.tell(&user, AccountEvent::DeviceClaimed).await;
    let mail = house.deliver_one().await;
    assert!(mail.text.contains("a device was added") && mail.links[0] == account, "{}", mail.text);
    // Nobody is told of a device whose owner is gone.
    let gone = User { id: UserId::new(house.cx.uuid()), ..user };
    let change = notices::tell_of_device(&house.cx, &origin(), &gone, "Shed");
    house.cx.commit(Scope::Tenant(DEFAULT_TENANT), Unit::new().with(change)).await.unwrap();
    assert!(house.deliver().await.is_empty());
}

#[tokio::test]
async fn a_mail_says_devices_only_where_it_means_them() {
    let house = House::new().await;
    let user = house.user("ada@example.org").await;
    house.tell(&user, AccountEvent::PasswordChanged).await;
    let mail = house.deliver_one().await;
    assert!(!mail.text.contains("device"), "{}", mail.text);
    for part in [&mail.text, &mail.html] {
        assert!(part.contains("your other sessions were signed out"), "{part}");
    }
}

#[tokio::test]
async fn a_busy_mailer_is_tried_again_ever_later_and_then_given_up() {
    let house = House::with(Script::failing(100, MailError::Temporary("busy".into()))).await;
    house.register("ada@example.org").await;
    let mut sent = vec![house.deliver_one().await];
    let mut waits = Vec::new();
    while house.count().await == (1, 0) {
        let begin = house.clock.now();
        while house.deliver().await.first().map(|mail| sent.push(mail.clone())).is_none() {
            house.clock.advance(SignedDuration::from_secs(1));
            assert!(house.clock.now().duration_since(begin) < hours(3), "never tried again");
        }
        waits.push(house.clock.now().duration_since(begin).as_secs());
    }
    assert_eq!(house.count().await, (0, 1));
    assert_eq!(sent.len(), 8);
    assert!(sent.iter().all(|mail| mail.id == sent[0].id), "one Message-ID for all tries");
    assert!((7..=13).contains(&waits[0]) && (30..=50).contains(&waits[1]), "{waits:?}");
    assert!(waits.iter().all(|wait| *wait <= 9000) && *waits.last().unwrap() >= 5400, "{waits:?}");
    house.clock.advance(hours(24));
    assert!(house.deliver().await.is_empty(), "the dead stay dead");
}

#[tokio::test]
async fn a_refused_mail_is_given_up_at_once_and_its_content_erased() {
    let house = House::with(Script::failing(1, MailError::Permanent("no such mailbox".into()))).await;
    house.register("ada@example.org").await;
    house.deliver().await;
    assert_eq!(house.count().await, (0, 1));
    house.clock.advance(hours(1));
    assert!(house.deliver().await.is_empty());
}

#[tokio::test]
async fn a_poisoned_record_stops_nobody_else() {
    let house = House::new().await;
    let user = house.user("ada@example.org").await;
    let NoticeChange::Enqueue(mut poison) = notices::tell(&house.cx, &user, AccountEvent::Welcome) else { panic!() };
    *poison.payload.last_mut().unwrap() ^= 1;
    let unit = Unit::new().with(NoticeChange::Enqueue(poison));
    house.cx.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.unwrap();
    house.tell(&user, AccountEvent::PasswordChanged).await;
    assert_eq!(house.deliver_one().await.kind, "password_changed");
    assert_eq!(house.count().await, (0, 1));
}

#[tokio::test]
async fn a_payload_sealed_for_another_record_is_not_delivered() {
    let house = House::new().await;
    let user = house.user("ada@example.org").await;
    let NoticeChange::Enqueue(mut moved) = notices::tell(&house.cx, &user, AccountEvent::Welcome) else { panic!() };
    moved.id = NoticeId::new(house.cx.uuid());
    let unit = Unit::new().with(NoticeChange::Enqueue(moved));
    house.cx.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.unwrap();
    assert!(house.deliver().await.is_empty());
    assert_eq!(house.count().await, (0, 1));
}

#[tokio::test]
async fn a_payload_under_a_missing_key_waits_for_the_key() {
    let house = House::new().await;
    let user = house.user("ada@example.org").await;
    let NoticeChange::Enqueue(mut sealed) = notices::tell(&house.cx, &user, AccountEvent::Welcome) else { panic!() };
    sealed.payload[3] = 99;
    let unit = Unit::new().with(NoticeChange::Enqueue(sealed));
    house.cx.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.unwrap();
    assert!(house.deliver().await.is_empty());
    assert_eq!(house.count().await, (1, 0));
}

#[tokio::test]
async fn an_expired_notice_is_deleted_undelivered() {
    let house = House::new().await;
    let user = house.user("ada@example.org").await;
    house.tell(&user, AccountEvent::Welcome).await;
    house.clock.advance(hours(3 * 24) + SignedDuration::from_secs(1));
    assert!(house.deliver().await.is_empty());
    Sessions::new(house.cx.clone()).sweep().await.unwrap();
    assert_eq!(house.count().await, (0, 0));
}

#[tokio::test]
async fn one_recipients_mail_keeps_its_order_and_holds_nobody_else_up() {
    let house = House::with(Script::default()).await;
    let (ada, grace) = (house.user("ada@example.org").await, house.user("grace@example.org").await);
    house.mailer.answers.lock().unwrap().push_back(Err(MailError::Temporary("busy".into())));
    house.tell(&ada, AccountEvent::MfaEnabled).await;
    house.tell(&ada, AccountEvent::MfaDisabled).await;
    house.tell(&grace, AccountEvent::Welcome).await;
    let kinds: Vec<_> = house.deliver().await.into_iter().map(|mail| mail.kind).collect();
    assert_eq!(kinds, ["mfa_enabled", "welcome"]);
    house.clock.advance(hours(1));
    let kinds: Vec<_> = house.deliver().await.into_iter().map(|mail| mail.kind).collect();
    assert_eq!(kinds, ["mfa_enabled", "mfa_disabled"]);
}

#[tokio::test]
async fn a_hook_is_called_until_it_succeeds_and_only_when_wanted() {
    let house = House::new().await;
    let user = Some(UserId::new(Uuid::from_u128(1)));
    let operation = |kind| Operation { user, ..Operation::new(kind, DEFAULT_TENANT) };
    assert!(notices::after_hook(&house.cx, operation(OperationKind::Register)).is_none());
    let change = notices::after_hook(&house.cx, operation(OperationKind::SignIn)).unwrap();
    house.cx.commit(Scope::Tenant(DEFAULT_TENANT), Unit::new().with(change)).await.unwrap();
    *house.ears.failures.lock().unwrap() = 2;
    for _ in 0..3 {
        house.deliver().await;
        house.clock.advance(hours(1));
    }
    assert_eq!(*house.ears.heard.lock().unwrap(), [user]);
    assert_eq!(house.count().await, (0, 0));
}

#[tokio::test]
async fn a_record_that_kills_its_worker_each_time_is_given_up() {
    let house = House::new().await;
    house.register("ada@example.org").await;
    for round in 0..8 {
        let now = house.cx.now();
        let claimed = house.cx.store.claim_notices(OWNER, now, now + LEASE, BATCH).await.unwrap();
        assert_eq!(claimed.len(), 1, "round {round}");
        assert!(house.deliver().await.is_empty(), "leased");
        house.clock.advance(LEASE);
    }
    assert!(house.deliver().await.is_empty());
    assert_eq!(house.count().await, (0, 1));
}

#[tokio::test]
async fn a_mailer_that_panics_on_one_mail_delivers_the_others() {
    #[derive(Debug)]
    struct Brittle(Script);
    #[async_trait]
    impl Mailer for Brittle {
        async fn send(&self, mail: &Mail) -> Result<(), MailError> {
            assert!(mail.to != "ada@example.org", "brittle");
            self.0.send(mail).await
        }
    }
    let house = House::new().await;
    house.register("ada@example.org").await;
    house.register("grace@example.org").await;
    let (notices, mailer) = (Notices::new(house.cx.clone()), Brittle(Script::default()));
    for _ in 0..9 {
        while notices.deliver_due(OWNER, &mailer).await.unwrap() > 0 {}
        house.clock.advance(LEASE);
    }
    let to: Vec<_> = mailer.0.take().into_iter().map(|mail| mail.to).collect();
    assert_eq!(to, ["grace@example.org"]);
    assert_eq!(house.count().await, (0, 1));
}

#[tokio::test]
async fn a_worker_that_ends_gives_its_leases_back() {
    let house = House::new().await;
    house.register("ada@example.org").await;
    let now = house.cx.now();
    house.cx.store.claim_notices(OWNER, now, now + LEASE, BATCH).await.unwrap();
    assert!(house.deliver().await.is_empty());
    let release = NoticeChange::ReleaseLeases { owner: OWNER };
    house.cx.commit(Scope::System, Unit::new().with(release)).await.unwrap();
    assert_eq!(house.deliver_one().await.kind, "verify_email");
}

#[tokio::test]
async fn a_tenants_links_are_at_its_own_host() {
    let house = House::new().await;
    let tenants = Tenants::new(house.cx.clone());
    let settings = TenantSettings::default();
    let acme = tenants.create("acme", "Acme", &["login.acme.example".into()], settings).await.unwrap();
    let accounts = Accounts::new(house.cx.clone());
    accounts.register(&Origin::local(acme.id), registration("ada@example.org")).await.unwrap();
    let mail = house.deliver_one().await;
    assert_eq!(mail.tenant, acme.id);
    assert!(mail.links[0].starts_with("https://login.acme.example/verify-email?token="), "{:?}", mail.links);
}

#[tokio::test]
async fn the_development_outbox_shows_each_tenant_its_mail() {
    let house = House::with_settings(Settings { development_outbox: true, ..settings() }).await;
    house.register("Ada@Example.org").await;
    house.register("grace@example.org").await;
    house.deliver().await;
    let notices = Notices::new(house.cx.clone());
    let shown = notices.development_outbox(DEFAULT_TENANT, Some(" aDA@example.ORG ")).await.unwrap();
    assert_eq!(shown.len(), 1);
    assert_eq!((shown[0].kind.as_str(), shown[0].created_at), ("verify_email", house.clock.now()));
    assert!(shown[0].links[0].contains("?token="));
    assert_eq!(notices.development_outbox(DEFAULT_TENANT, None).await.unwrap().len(), 2);
    assert!(notices.development_outbox(TenantId::new(Uuid::from_u128(9)), None).await.unwrap().is_empty());
}

#[tokio::test]
async fn no_mail_stays_readable_unless_the_outbox_is_asked_for() {
    let house = House::new().await;
    house.register("ada@example.org").await;
    house.deliver_one().await;
    assert!(house.cx.store.list_development_mail(DEFAULT_TENANT, None).await.unwrap().is_empty());
    // Nor is what an earlier configuration kept shown.
    let shown = Notices::new(house.cx.clone()).development_outbox(DEFAULT_TENANT, None).await;
    assert_eq!(shown.unwrap_err().code, authkit_wire::ErrorCode::RouteNotFound);
}

#[test]
fn a_locale_of_the_recipient_chooses_the_template() {
    let german = notices::TemplateSource { subject: "Hallo".into(), text: "Hallo".into(), html: "<p>Hallo".into() };
    let templates = notices::Templates::builtin().with("welcome", "de", german).unwrap();
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
        let mut cx = bare(ManualClock::new(Timestamp::UNIX_EPOCH), SeededRandom::new(1), Settings::default()).unwrap();
        cx.templates = templates;
        let house = House { cx: prepare(cx).await.unwrap(), ..House::new().await };
        let user = User { locale: Some("de-AT".into()), ..house.user("ada@example.org").await };
        house.tell(&user, AccountEvent::Welcome).await;
        assert_eq!(house.deliver_one().await.subject, "Hallo");
    });
}

mod strangers;
