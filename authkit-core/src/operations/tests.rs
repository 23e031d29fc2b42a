use super::*;
use crate::{
    Settings,
    memory::{self, ManualClock, SeededRandom},
    tenants::{DEFAULT_TENANT, TenantSettings},
};
use authkit_wire::{EmailRequest, Secret};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

const PASSWORD: &str = "correct horse battery staple 42";

struct House {
    cx: Arc<Context>,
    operations: Operations,
    clock: ManualClock,
}

impl House {
    async fn new(development_outbox: bool) -> Self {
        let clock = ManualClock::new(Timestamp::from_second(1_800_000_000).unwrap());
        let settings = Settings { development_outbox, ..Settings::default() };
        let cx = memory::context(clock.clone(), SeededRandom::new(1), settings).await.unwrap();
        Self { operations: Operations::new(cx.clone()), cx, clock }
    }

    async fn user(&self, origin: &Origin, email: &str) -> Value {
        self.operations.accounts.create_verified(origin, email, &Secret::from(PASSWORD), None).await.unwrap();
        self.ask(origin, None, "login", json!({"email": email, "password": PASSWORD})).await.unwrap()
    }

    async fn ask(&self, origin: &Origin, bearer: Option<&str>, name: &str, arguments: Value) -> Result<Value> {
        let Value::Object(arguments) = arguments else { panic!("an object") };
        self.operations.call(origin, bearer, name, arguments).await
    }
}

fn here() -> Origin {
    Origin::local(DEFAULT_TENANT)
}

#[test]
fn names_are_unique_and_no_argument_has_two_places() {
    for (place, operation) in TABLE.iter().enumerate() {
        assert!(TABLE[..place].iter().all(|other| other.name != operation.name), "{}", operation.name);
        if let Input::Query(names) = operation.input {
            assert!(names.iter().all(|name| !operation.path.contains(name)), "{}", operation.name);
        }
    }
}

#[tokio::test]
async fn a_token_opens_what_is_its_users_own_and_no_administration() {
    let house = House::new(false).await;
    let tokens = house.user(&here(), "ada@example.com").await;
    let bearer = tokens["access_token"].as_str();
    let me = house.ask(&here(), bearer, "getMe", json!({})).await.unwrap();
    assert_eq!(me["email"], "ada@example.com");
    for operation in Operations::all() {
        let refused = match operation.access {
            Access::Public => continue,
            Access::SignedIn | Access::Own => None,
            Access::Permission(_) => Some(ErrorCode::Forbidden),
            // A user's token is not a device's.
            Access::Device => Some(ErrorCode::InvalidToken),
            Access::Machine => Some(ErrorCode::Unauthenticated),
        };
        for (bearer, code) in [
            (None, Some(ErrorCode::Unauthenticated)),
            (Some("nonsense"), Some(ErrorCode::InvalidToken)),
            (bearer, refused),
        ] {
            let Some(code) = code else { continue };
            let error = house.ask(&here(), bearer, operation.name, json!({})).await.unwrap_err();
            assert_eq!(error.code, code, "{}", operation.name);
        }
    }
    house.clock.advance(SignedDuration::from_mins(16));
    let error = house.ask(&here(), bearer, "getMe", json!({})).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidToken);
}

#[tokio::test]
async fn a_token_of_another_tenant_than_the_named_one_is_refused() {
    let house = House::new(false).await;
    let acme = house.operations.tenants.create("acme", "acme", &[], TenantSettings::default()).await.unwrap();
    let tokens = house.user(&Origin::local(acme.id), "ada@example.com").await;
    let bearer = tokens["access_token"].as_str();
    let named = |name| house.operations.origin(Some(name)).unwrap();
    let error = house.ask(&named("default"), bearer, "getMe", json!({})).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::TenantMismatch);
    for origin in [named("acme"), house.operations.origin(None).unwrap()] {
        let me = house.ask(&origin, bearer, "getMe", json!({})).await.unwrap();
        assert_eq!(me["tenant_id"], acme.id.to_string());
        // What the call leaves behind is the token's tenant's as well.
        house.ask(&origin, bearer, "createDeviceClaim", json!({})).await.unwrap();
    }
    let cx = &house.cx;
    let recorded = async |tenant| {
        let records = cx.store.list_audit(tenant, &Default::default(), None, 100).await.unwrap();
        records.iter().filter(|(record, _)| record.action == "device.claim_created").count()
    };
    assert_eq!((recorded(acme.id).await, recorded(DEFAULT_TENANT).await), (2, 0));
    // No such device, but it is read only after the tenant was compared.
    let (device, _) =
        crate::sessions::device_tokens::issue(cx, acme.id, authkit_wire::DeviceId::new(cx.uuid())).unwrap();
    let error = house.ask(&named("default"), Some(device.expose()), "getOwnDevice", json!({})).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::TenantMismatch);
}

#[tokio::test]
async fn what_no_operation_takes_is_refused_with_its_name() {
    let house = House::new(false).await;
    let tokens = house.user(&here(), "ada@example.com").await;
    let bearer = tokens["access_token"].as_str();
    let refused = async |name: &str, arguments: Value| {
        let error = house.ask(&here(), bearer, name, arguments).await.unwrap_err();
        (error.code, error.fields.first().map(|field| (field.field.clone(), field.code.clone())))
    };
    let field = |field: &str, code: &str| (ErrorCode::ValidationFailed, Some((field.to_owned(), code.to_owned())));
    assert_eq!(refused("updateMe", json!({"role": "admin"})).await, field("role", "unknown_field"));
    assert_eq!(refused("updateMe", json!({"name": 5})).await, field("name", "invalid_type"));
    assert_eq!(refused("enrolTotp", json!({"x": 1})).await, field("x", "unknown_field"));
    assert_eq!(refused("revokeSession", json!({})).await, field("id", "missing_field"));
    assert_eq!(refused("revokeSession", json!({"id": "rol_1"})).await, field("id", "invalid_value"));
    assert_eq!(refused("revokeSession", json!({"id": 7})).await, field("id", "invalid_value"));
    assert_eq!(refused("listSessions", json!({"x": 1})).await, (ErrorCode::InvalidFilter, None));
    assert_eq!(refused("listSessions", json!({"limit": "all"})).await, (ErrorCode::InvalidLimit, None));
    assert_eq!(refused("getme", json!({})).await, (ErrorCode::RouteNotFound, None));
}

#[tokio::test]
async fn a_repeated_refresh_under_its_key_gets_the_same_pair() {
    let house = House::new(false).await;
    let tokens = house.user(&here(), "ada@example.com").await;
    let refresh = async |key: Option<&str>| {
        let arguments = json!({"refresh_token": tokens["refresh_token"]});
        house.operations.call_with_key(&here(), None, key, "refresh", arguments.as_object().cloned().unwrap()).await
    };
    assert_eq!(refresh(Some("not a key")).await.unwrap_err().code, ErrorCode::MalformedRequest);
    let bearer = tokens["access_token"].as_str();
    let other = house.operations.call_with_key(&here(), bearer, Some("k-1"), "createDeviceClaim", Map::new()).await;
    assert_eq!(other.unwrap_err().code, ErrorCode::MalformedRequest, "a repeat would make another");
    let first = refresh(Some("k-1")).await.unwrap();
    house.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(refresh(Some("k-1")).await.unwrap()["refresh_token"], first["refresh_token"]);
    assert_eq!(refresh(None).await.unwrap_err().code, ErrorCode::InvalidRefreshToken);
}

#[tokio::test]
async fn only_development_shows_its_outbox() {
    let house = House::new(false).await;
    let error = house.ask(&here(), None, "listOutbox", json!({})).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::RouteNotFound);
    let house = House::new(true).await;
    house.user(&here(), "ada@example.com").await;
    let request = EmailRequest { email: "ada@example.com".into() };
    house.operations.accounts.forgot_password(&here(), request).await.unwrap();
    let mailer = crate::memory::Unsent;
    while house.operations.notices.deliver_due(uuid::Uuid::nil(), &mailer).await.unwrap() > 0 {}
    let outbox = house.ask(&here(), None, "listOutbox", json!({"to": "Ada@example.com"})).await.unwrap();
    assert!(outbox["data"].as_array().unwrap().iter().any(|mail| mail["kind"] == "password_reset"), "{outbox}");
    let other = house.ask(&here(), None, "listOutbox", json!({"to": "eve@example.com"})).await.unwrap();
    assert_eq!(other, json!({"data": []}));
}
