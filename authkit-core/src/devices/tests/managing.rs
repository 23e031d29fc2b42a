use super::*;
use crate::{
    ports::{Hooks, NewAccount, Operation, OperationKind, Refusal},
    rbac::Roles,
};
use async_trait::async_trait;

const NONE: Option<ErrorCode> = Some(ErrorCode::DeviceNotFound);

#[tokio::test]
async fn what_belongs_to_somebody_else_does_not_exist() {
    let (yard, key) = (yard().await, Key::new(1));
    let (claim, device) = (yard.code().await, yard.claimed(&key).await);
    let eve = sign_up(&yard.cx, &yard.origin, "eve@example.org").await;
    let rename = UpdateDeviceRequest { name: "Mine".into() };
    assert_eq!(code(yard.devices.get(&eve, device.id).await), NONE);
    assert_eq!(code(yard.devices.rename(&yard.origin, &eve, device.id, rename).await), NONE);
    assert_eq!(code(yard.devices.revoke(&yard.origin, &eve, device.id).await), NONE);
    let void = yard.devices.void_claim(&yard.origin, &eve, claim.id).await;
    assert_eq!(code(void), Some(ErrorCode::DeviceClaimNotFound));
    assert!(yard.devices.list(&eve, None, None, None).await.unwrap().data.is_empty());
    yard.token(&key, device.id).await.unwrap();
    yard.claim(&Key::new(2), claim.code.expose()).await.unwrap();
}

#[tokio::test]
async fn devices_are_listed_by_page_and_named() {
    let yard = yard().await;
    let mut made = Vec::new();
    for n in 0..3 {
        made.push(yard.claimed(&Key::new(n)).await.id);
        yard.advance(1);
    }
    let first = yard.devices.list(&yard.ada, None, None, Some(2)).await.unwrap();
    let second = yard.devices.list(&yard.ada, None, first.next_cursor.as_deref(), Some(2)).await.unwrap();
    let listed: Vec<_> = first.data.iter().chain(&second.data).map(|device| device.id).collect();
    assert_eq!((listed, second.next_cursor), (made.iter().rev().copied().collect(), None));
    let named = UpdateDeviceRequest { name: " Shed ".into() };
    assert_eq!(yard.devices.rename(&yard.origin, &yard.ada, made[0], named).await.unwrap().name, "Shed");
    assert_eq!(yard.devices.get(&yard.ada, made[0]).await.unwrap().name, "Shed");
    let nameless = UpdateDeviceRequest { name: " ".into() };
    assert!(yard.devices.rename(&yard.origin, &yard.ada, made[0], nameless).await.is_err());
}

#[tokio::test]
async fn a_revoked_device_stays_in_the_list_and_is_revoked_once() {
    let (yard, key) = (yard().await, Key::new(1));
    let device = yard.claimed(&key).await;
    yard.advance(10);
    for _ in 0..2 {
        yard.devices.revoke(&yard.origin, &yard.ada, device.id).await.unwrap();
    }
    let seen = yard.devices.get(&yard.ada, device.id).await.unwrap();
    assert_eq!((seen.status, seen.revoked_at.unwrap().as_second()), (DeviceStatus::Revoked, START + 10));
    assert_eq!(yard.audited().await, ["device.claim_created", "device.claimed", "device.revoked"]);
}

#[tokio::test]
async fn administrators_read_and_revoke_what_their_permissions_say() {
    let (yard, key) = (yard().await, Key::new(1));
    let device = yard.claimed(&key).await;
    let filter = DeviceFilter::default();
    let (forbidden, origin) = (Some(ErrorCode::Forbidden), &yard.origin);
    assert_eq!(code(yard.devices.list_all(&yard.ada, filter, None, None).await), forbidden);
    assert_eq!(code(yard.devices.revoke_any(origin, Some(&yard.ada), device.id).await), forbidden);
    let roles = Roles::new(yard.cx.clone());
    let admin = roles.find_by_name(DEFAULT_TENANT, "admin").await.unwrap().unwrap();
    let keeper = CreateRoleRequest {
        name: "keeper".into(),
        description: String::new(),
        parent_id: None,
        permissions: vec!["devices:*".into()],
    };
    let keeper = roles.create(origin, None, keeper).await.unwrap();
    let eve = sign_up(&yard.cx, origin, "eve@example.org").await;
    roles.assign(origin, None, eve.user, keeper.id).await.unwrap();
    let eve = sign_in(&yard.cx, origin, "eve@example.org").await;
    let of = |owner, status| DeviceFilter { owner, status };
    for (filter, found) in [
        (of(None, None), 1),
        (of(Some(yard.ada.user), Some(DeviceStatus::Active)), 1),
        (of(Some(eve.user), None), 0),
        (of(None, Some(DeviceStatus::Revoked)), 0),
    ] {
        assert_eq!(yard.devices.list_all(&eve, filter, None, None).await.unwrap().data.len(), found, "{filter:?}");
    }
    // Not those of somebody who holds more.
    roles.assign(origin, None, yard.ada.user, admin.id).await.unwrap();
    let refused = yard.devices.revoke_any(origin, Some(&eve), device.id).await;
    assert_eq!(code(refused), Some(ErrorCode::RoleExceedsCaller));
    yard.token(&key, device.id).await.unwrap();
    roles.assign(origin, None, eve.user, admin.id).await.unwrap();
    yard.devices.revoke_any(origin, Some(&eve), device.id).await.unwrap();
    assert_eq!(code(yard.token(&key, device.id).await), PROOF);
    // An operator needs no permission, and does not reach into another tenant.
    let second = yard.claimed(&Key::new(2)).await;
    assert_eq!(code(yard.devices.revoke_any(&yard.elsewhere().await, None, second.id).await), NONE);
    yard.devices.revoke_any(origin, None, second.id).await.unwrap();
    assert_eq!(yard.audited().await.iter().filter(|action| *action == "device.revoked").count(), 2);
}

/// Refuses what it is told to, and hears everything.
#[derive(Clone, Debug, Default)]
struct Gate {
    shut: Arc<Mutex<Option<OperationKind>>>,
    asked: Arc<Mutex<Vec<Operation>>>,
}

#[async_trait]
impl Hooks for Gate {
    async fn before(&self, operation: &Operation, _: Option<&NewAccount<'_>>) -> std::result::Result<(), Refusal> {
        self.asked.lock().unwrap().push(operation.clone());
        if *self.shut.lock().unwrap() == Some(operation.kind) {
            return Err(Refusal { reason: "no".into() });
        }
        Ok(())
    }

    fn wants(&self, kind: OperationKind) -> bool {
        matches!(kind, OperationKind::ClaimDevice | OperationKind::AuthenticateDevice | OperationKind::ChangeDevices)
    }
}

#[tokio::test]
async fn the_application_is_asked_about_and_told_of_everything() {
    let gate = Gate::default();
    let hooks = gate.clone();
    let yard = yard_with(1, move |cx| cx.hooks = Arc::new(hooks)).await;
    let refused = Some(ErrorCode::HookRefused);
    let shut = |kind| *gate.shut.lock().unwrap() = kind;
    let key = Key::new(1);
    let claim = yard.code().await;

    shut(Some(OperationKind::ClaimDevice));
    assert_eq!(code(yard.claim(&key, claim.code.expose()).await), refused);
    shut(None);
    let id = yard.claim(&key, claim.code.expose()).await.unwrap().device.id;
    shut(Some(OperationKind::AuthenticateDevice));
    assert_eq!(code(yard.token(&key, id).await), refused);
    assert_eq!(code(yard.claim(&key, claim.code.expose()).await), refused, "a repeated claim answers a token, too");
    shut(None);
    yard.token(&key, id).await.unwrap();
    shut(Some(OperationKind::ChangeDevices));
    let request = CreateDeviceClaimRequest { name: None };
    assert_eq!(code(yard.devices.create_claim(&yard.origin, &yard.ada, request).await), refused);
    let rename = UpdateDeviceRequest { name: "x".into() };
    assert_eq!(code(yard.devices.rename(&yard.origin, &yard.ada, id, rename.clone()).await), refused);
    assert_eq!(code(yard.devices.revoke(&yard.origin, &yard.ada, id).await), refused);
    shut(None);
    yard.devices.rename(&yard.origin, &yard.ada, id, rename).await.unwrap();
    yard.devices.revoke(&yard.origin, &yard.ada, id).await.unwrap();

    let asked = gate.asked.lock().unwrap().clone();
    let last = asked.last().unwrap();
    assert_eq!((last.user, last.actor, last.details.device), (Some(yard.ada.user), Some(yard.ada.user), Some(id)));
    assert_eq!(last.details.action.as_deref(), Some("device.revoked"));
    let (owner, now) = (yard.cx.uuid(), yard.cx.now());
    let mut told = 0;
    // One after the other, since those of one user keep their order.
    loop {
        let until = now + SignedDuration::from_mins(1);
        let rows = yard.cx.store.claim_notices(owner, now, until, 100).await.unwrap();
        if rows.is_empty() {
            break;
        }
        for row in rows {
            told += usize::from(row.kind == "hook");
            let delivered = crate::notices::NoticeChange::Delivered { id: row.id, owner };
            let unit = crate::ports::Unit::new().with(delivered);
            yard.cx.commit(crate::ports::Scope::Tenant(row.tenant), unit).await.unwrap();
        }
    }
    // Claim made, device claimed, authenticated, renamed, revoked.
    assert_eq!(told, 5);
}
