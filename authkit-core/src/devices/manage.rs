//! Devices as their owners and administrators see them.

use super::{Device, DeviceChange, DeviceFilter, Devices, text};
use crate::{
    Context, Error, Origin, Principal, Result, TRIES,
    accounts::{User, push_hook, signed_in},
    audit,
    paging::Paging,
    ports::{Operation, OperationKind, Position, Scope, Unit},
    rbac::require_reach,
};
use authkit_wire::{DeviceId, DeviceStatus, DeviceView, ErrorCode, Page, TenantId, UpdateDeviceRequest};

impl Devices {
    /// The caller's devices, newest first, of one status or of all.
    ///
    /// # Errors
    /// `request.invalid_cursor`, `request.invalid_limit`.
    pub async fn list(
        &self,
        principal: &Principal,
        status: Option<DeviceStatus>,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Page<DeviceView>> {
        let filter = DeviceFilter { owner: Some(principal.user), status };
        self.page(principal.tenant, "devices", filter, cursor, limit).await
    }

    /// The tenant's devices, newest first, for an administrator (`devices:read`).
    ///
    /// # Errors
    /// `auth.forbidden`, `request.invalid_cursor`, `request.invalid_limit`.
    pub async fn list_all(
        &self,
        principal: &Principal,
        filter: DeviceFilter,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Page<DeviceView>> {
        principal.require("devices:read")?;
        self.page(principal.tenant, "all devices", filter, cursor, limit).await
    }

    async fn page(
        &self,
        tenant: TenantId,
        list: &str,
        filter: DeviceFilter,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Page<DeviceView>> {
        let cx = &*self.cx;
        let paging = Paging::new(cx, tenant, list, &format!("{filter:?}"), cursor, limit)?;
        let devices = cx.store.list_devices(tenant, filter, paging.after.as_ref(), paging.fetch()).await?;
        let position = |device: &Device| Position { key: String::new(), id: device.id.uuid() };
        Ok(paging.page(cx, devices, position, Device::view))
    }

    /// One device of the caller's.
    ///
    /// # Errors
    /// `device.not_found`.
    pub async fn get(&self, principal: &Principal, id: DeviceId) -> Result<DeviceView> {
        Ok(self.own(principal, id).await?.view())
    }

    /// Names a device of the caller's.
    ///
    /// # Errors
    /// `request.validation_failed`, `device.not_found`, `auth.invalid_token`, `auth.refused_by_application`.
    pub async fn rename(
        &self,
        origin: &Origin,
        principal: &Principal,
        id: DeviceId,
        request: UpdateDeviceRequest,
    ) -> Result<DeviceView> {
        let cx = &*self.cx;
        let name = text::name(&request.name)?
            .ok_or_else(|| Error::field("name", "name.invalid", "A device has a name of at least one character."))?;
        let user = signed_in(cx, principal).await?;
        let device = self.own(principal, id).await?;
        let operation = operation(&device, "device.renamed").by(Some(principal));
        cx.before(&operation, None).await?;
        let mut unit = Unit::new().with(DeviceChange::Rename { id, owner: user.id, name: name.clone() });
        let entry = audit::entry(cx, origin, "device.renamed").actor(user.id).person(&user);
        unit.push(entry.data("device", id.to_string()).build());
        push_hook(cx, &mut unit, &operation);
        let gone = || ErrorCode::DeviceNotFound.into();
        cx.commit(Scope::Tenant(user.tenant), unit).await.map_err(|error| error.or_conflict(gone))?;
        Ok(Device { name, ..device }.view())
    }

    /// Takes a device of the caller's back, for good; nothing happens when that was done before. Its key can be claimed
    /// anew with a new code, as a new device.
    ///
    /// # Errors
    /// `device.not_found`, `auth.invalid_token`, `auth.refused_by_application`.
    pub async fn revoke(&self, origin: &Origin, principal: &Principal, id: DeviceId) -> Result<()> {
        let user = signed_in(&self.cx, principal).await?;
        let device = self.own(principal, id).await?;
        revoke(&self.cx, origin, Some(principal), &device, &user).await
    }

    /// Takes any device of the tenant back, for an administrator (`devices:revoke`) or, without a principal, an operator.
    ///
    /// # Errors
    /// `auth.forbidden`, `device.not_found`, `role.exceeds_caller`, `auth.refused_by_application`.
    pub async fn revoke_any(&self, origin: &Origin, principal: Option<&Principal>, id: DeviceId) -> Result<()> {
        let cx = &*self.cx;
        if let Some(principal) = principal {
            principal.require("devices:revoke")?;
        }
        let tenant = principal.map_or(origin.tenant, |principal| principal.tenant);
        let (device, _) = cx.store.find_device(tenant, id).await?.ok_or(ErrorCode::DeviceNotFound)?;
        let owner = cx.store.find_user(tenant, device.owner).await?.ok_or(ErrorCode::DeviceNotFound)?;
        require_reach(cx, principal, &owner).await?;
        revoke(cx, origin, principal, &device, &owner).await
    }

    /// What belongs to somebody else does not exist.
    async fn own(&self, principal: &Principal, id: DeviceId) -> Result<Device> {
        let found = self.cx.store.find_device(principal.tenant, id).await?;
        let own = found.map(|(device, _)| device).filter(|device| device.owner == principal.user);
        own.ok_or_else(|| ErrorCode::DeviceNotFound.into())
    }
}

fn operation(device: &Device, action: &str) -> Operation {
    let operation = Operation::new(OperationKind::ChangeDevices, device.tenant).on(device.owner).device(device.id);
    operation.action(action)
}

async fn revoke(
    cx: &Context,
    origin: &Origin,
    principal: Option<&Principal>,
    device: &Device,
    owner: &User,
) -> Result<()> {
    if !device.is_active() {
        return Ok(());
    }
    let operation = operation(device, "device.revoked").by(principal);
    cx.before(&operation, None).await?;
    let own = principal.is_some_and(|principal| principal.user == owner.id);
    let administrator = if own { None } else { audit::administrator(cx, principal).await? };
    for _ in 0..TRIES {
        let mut unit = Unit::new();
        unit.extend(require_reach(cx, principal, owner).await?);
        unit.push(DeviceChange::Revoke { id: device.id, at: cx.now() });
        let entry = audit::entry(cx, origin, "device.revoked").by(principal).tenant(owner.tenant).subject(owner.id);
        let entry = entry.seen(if own { Some(owner) } else { administrator.as_ref() });
        unit.push(entry.data("device", device.id.to_string()).build());
        push_hook(cx, &mut unit, &operation);
        if cx.try_commit(Scope::Tenant(owner.tenant), unit).await?.is_some() {
            return Ok(());
        }
        // Somebody else took it back meanwhile, or roles changed.
        let found = cx.store.find_device(device.tenant, device.id).await?;
        if found.is_none_or(|(device, _)| !device.is_active()) {
            return Ok(());
        }
    }
    Err(ErrorCode::Conflict.into())
}
