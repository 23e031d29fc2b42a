//! Domain tests on the memory store with the test clock.

mod idempotency;

use super::*;
use crate::{
    Settings,
    memory::{self, ManualClock, SeededRandom},
};
use jiff::Timestamp;

async fn house() -> (Arc<Context>, ManualClock, Tenants) {
    let clock = ManualClock::new(Timestamp::from_second(1_800_000_000).unwrap());
    let cx = memory::context(clock.clone(), SeededRandom::new(1), Settings::default()).await.unwrap();
    (cx.clone(), clock, Tenants::new(cx))
}

fn code<T>(result: Result<T>) -> Option<ErrorCode> {
    result.err().map(|error| error.code)
}

async fn acme(tenants: &Tenants) -> Tenant {
    let hosts = ["Login.ACME.example".to_owned(), "bücher.example".to_owned()];
    tenants.create("acme", "Acme", &hosts, TenantSettings::default()).await.unwrap()
}

#[tokio::test]
async fn a_tenant_is_found_by_host_by_header_or_is_the_default() {
    let (_, _, tenants) = house().await;
    let acme = acme(&tenants).await;
    assert_eq!(tenants.resolve(None, None).unwrap(), DEFAULT_TENANT);
    assert_eq!(tenants.resolve(Some("elsewhere.example"), None).unwrap(), DEFAULT_TENANT);
    for host in [
        "login.acme.example",
        "LOGIN.acme.example:8443",
        "login.acme.example.",
        "xn--bcher-kva.example",
        "Bücher.example",
    ] {
        assert_eq!(tenants.resolve(Some(host), None).unwrap(), acme.id, "{host}");
    }
    for header in ["acme", " ACME ", &acme.id.to_string()] {
        assert_eq!(tenants.resolve(None, Some(header)).unwrap(), acme.id, "{header}");
        assert_eq!(tenants.resolve(Some("login.acme.example"), Some(header)).unwrap(), acme.id, "{header}");
    }
    assert_eq!(tenants.resolve(Some("127.0.0.1:8080"), Some("default")).unwrap(), DEFAULT_TENANT);
    assert_eq!(tenants.resolve(Some("[::1]:8080"), None).unwrap(), DEFAULT_TENANT);
}

#[tokio::test]
async fn host_and_header_must_agree() {
    let (_, _, tenants) = house().await;
    acme(&tenants).await;
    for header in ["default", "unknown", ""] {
        let refused = tenants.resolve(Some("login.acme.example"), Some(header));
        assert_eq!(code(refused), Some(ErrorCode::TenantMismatch), "{header}");
    }
}

#[tokio::test]
async fn unknown_and_inactive_names_are_tenants_without_anybody() {
    let (cx, _, tenants) = house().await;
    let mut acme = acme(&tenants).await;
    let id = acme.id;
    let unknown = tenants.resolve(None, Some("nobody")).unwrap();
    assert_eq!(unknown, tenants.resolve(None, Some("NOBODY")).unwrap());
    assert_ne!(unknown, tenants.resolve(None, Some("nobody2")).unwrap());
    acme.active = false;
    tenants.update(acme).await.unwrap();
    let inactive = tenants.resolve(None, Some("acme")).unwrap();
    let by_host = tenants.resolve(Some("login.acme.example"), None).unwrap();
    let forged = tenants.resolve(None, Some("ten_00000000000070008000000000000099")).unwrap();
    for nowhere in [unknown, inactive, by_host, forged] {
        assert!(nowhere != DEFAULT_TENANT && nowhere != id);
        assert!(cx.authority.tenant(nowhere).is_none());
        assert_eq!(nowhere.uuid().get_version_num(), 8, "no real tenant has such an id");
    }
}

#[tokio::test]
async fn a_new_tenant_has_its_administrators_role_and_its_audit_record() {
    let (cx, _, tenants) = house().await;
    let acme = acme(&tenants).await;
    assert_eq!(acme.hosts, ["login.acme.example", "xn--bcher-kva.example"]);
    let (roles, _) = cx.store.list_roles(acme.id).await.unwrap();
    assert_eq!(roles.iter().map(|role| role.name.as_str()).collect::<Vec<_>>(), ["admin"]);
    let records = cx.store.list_audit(acme.id, &Default::default(), None, 10).await.unwrap();
    assert!(records.iter().any(|(record, _)| record.action == "tenant.created"));
    assert_eq!(tenants.find("acme").await.unwrap().unwrap().id, acme.id);
    assert_eq!(tenants.find(&acme.id.to_string()).await.unwrap().unwrap().slug, "acme");
    assert_eq!(tenants.list().await.unwrap().len(), 2);
}

#[tokio::test]
async fn names_and_hosts_are_unique() {
    let (_, _, tenants) = house().await;
    acme(&tenants).await;
    let again = tenants.create("acme", "Other", &[], TenantSettings::default()).await;
    assert_eq!(code(again), Some(ErrorCode::TenantNameTaken));
    let hosts = ["login.acme.example".to_owned()];
    let host = tenants.create("other", "Other", &hosts, TenantSettings::default()).await;
    assert_eq!(code(host), Some(ErrorCode::TenantNameTaken));
}

#[tokio::test]
async fn what_a_tenant_cannot_have_is_refused_by_field() {
    let (_, _, tenants) = house().await;
    let long = "a".repeat(64);
    for slug in ["", "-a", "a-", "A", "a b", "a/b", "ä", "a_b", long.as_str()] {
        let error = tenants.create(slug, "Name", &[], TenantSettings::default()).await.unwrap_err();
        assert_eq!((error.code, error.fields[0].field.as_str()), (ErrorCode::ValidationFailed, "slug"), "{slug}");
    }
    for name in ["", " a", "a\n", "\u{0}"] {
        let error = tenants.create("a", name, &[], TenantSettings::default()).await.unwrap_err();
        assert_eq!(error.fields[0].field, "name", "{name:?}");
    }
    for host in ["", "a b", "http://a.example", "a.example:80", "a@b.example", "[::1]", "a..\u{0}", "a/b"] {
        let error = tenants.create("a", "A", &[host.to_owned()], TenantSettings::default()).await.unwrap_err();
        assert_eq!(error.fields[0].field, "hosts[0]", "{host:?}");
    }
    for url in ["https://*.example/", "http://app.example/", "javascript:alert(1)", "https://app.example/?next="] {
        let settings = TenantSettings { redirect_urls: vec![url.into()], ..TenantSettings::default() };
        let error = tenants.create("a", "A", &[], settings).await.unwrap_err();
        assert_eq!(error.fields[0].field, "settings.redirect_urls[0]", "{url:?}");
    }
    let settings = TenantSettings { max_sessions: Some(0), ..TenantSettings::default() };
    let error = tenants.create("a", "A", &[], settings).await.unwrap_err();
    assert_eq!(error.fields[0].field, "settings.max_sessions");
    let settings = TenantSettings { idle_minutes: Some(2), ..TenantSettings::default() };
    let error = tenants.create("a", "A", &[], settings).await.unwrap_err();
    assert_eq!(error.fields[0].field, "settings.idle_minutes", "shorter than activity is known");
}

#[tokio::test]
async fn an_update_needs_the_version_that_was_read() {
    let (_, _, tenants) = house().await;
    let acme = acme(&tenants).await;
    let mut renamed = acme.clone();
    renamed.name = "Acme & Sons".into();
    let updated = tenants.update(renamed).await.unwrap();
    assert_eq!((updated.version, updated.name.as_str()), (2, "Acme & Sons"));
    assert_eq!(code(tenants.update(acme.clone()).await), Some(ErrorCode::PreconditionFailed));
    let unknown = Tenant { id: TenantId::new(uuid::Uuid::nil()), ..acme };
    assert_eq!(code(tenants.update(unknown).await), Some(ErrorCode::TenantNotFound));
}

#[tokio::test]
async fn the_default_tenant_stays_active() {
    let (_, _, tenants) = house().await;
    let mut default = tenants.find("default").await.unwrap().unwrap();
    default.active = false;
    assert_eq!(code(tenants.update(default).await), Some(ErrorCode::ValidationFailed));
    // And is made once, however often a node starts.
    tenants.ensure_default().await.unwrap();
    assert_eq!(tenants.list().await.unwrap().len(), 1);
}
