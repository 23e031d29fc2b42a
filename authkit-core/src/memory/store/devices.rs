use super::{BATCH, CHANGED, MemoryStore, Outcome, State, TAKEN, delete_where, insert, inserts, one, own, system};
use crate::{
    devices::{Device, DeviceChange, DeviceClaim, DeviceFilter, DeviceStore, UsedClaim},
    ports::{Position, Scope, StoreError},
};
use async_trait::async_trait;
use authkit_wire::{DeviceId, DeviceStatus, TenantId, UserId, UserStatus};

impl State {
    pub(super) fn apply_device(&mut self, scope: Scope, change: DeviceChange) -> Outcome {
        use DeviceChange as C;
        match change {
            C::HoldOwner { user, security_version } => {
                let row = self.users.get(&(own(scope)?, user));
                one(row.is_some_and(|row| row.is_active() && row.security_version == security_version))
            }
            C::CreateClaim { claim, at_most } => {
                inserts(scope, claim.tenant)?;
                self.has_user(claim.tenant, claim.owner)?;
                let is_open = |row: &&DeviceClaim| row.used.is_none() && row.expires_at > claim.created_at;
                let own = |row: &&DeviceClaim| row.tenant == claim.tenant && row.owner == claim.owner;
                if self.device_claims.values().filter(own).filter(is_open).count() >= at_most as usize {
                    return Err(CHANGED);
                }
                if self.claim_of(claim.tenant, &claim.code).is_some() {
                    return Err(TAKEN);
                }
                insert(&mut self.device_claims, (claim.tenant, claim.id), claim)
            }
            C::VoidClaim { id, owner } => {
                let key = (own(scope)?, id);
                let found = self.device_claims.get(&key).is_some_and(|row| row.owner == owner && row.used.is_none());
                one(found && self.device_claims.remove(&key).is_some())
            }
            C::VoidClaimsOf { owner } => {
                let tenant = own(scope)?;
                Ok(delete_where(&mut self.device_claims, usize::MAX, |_, row| {
                    row.tenant == tenant && row.owner == owner && row.used.is_none()
                }))
            }
            C::UseClaim { id, device, key_thumbprint, at, keep_until } => {
                let row = self.device_claims.get_mut(&(own(scope)?, id));
                let row = row.filter(|row| row.used.is_none() && row.expires_at > at).ok_or(CHANGED)?;
                row.used = Some(UsedClaim { at, device, key_thumbprint });
                row.keep_until = keep_until;
                Ok(1)
            }
            C::Create { device, at_most } => {
                inserts(scope, device.tenant)?;
                self.has_user(device.tenant, device.owner)?;
                let active = self.devices_of(device.tenant, device.owner).filter(|row| row.is_active());
                if active.count() >= at_most as usize {
                    return Err(CHANGED);
                }
                if self.device_of(device.tenant, &device.key_thumbprint).is_some() {
                    return Err(TAKEN);
                }
                let revoked = self.devices_of(device.tenant, device.owner).filter(|row| !row.is_active());
                let mut forgotten: Vec<_> = revoked.map(|row| (row.tenant, row.id)).collect();
                forgotten.truncate(forgotten.len().saturating_sub(at_most as usize));
                let inserted = insert(&mut self.devices, (device.tenant, device.id), *device)?;
                for key in forgotten {
                    self.devices.remove(&key);
                }
                Ok(inserted)
            }
            C::Rename { id, owner, name } => {
                let row = self.devices.get_mut(&(own(scope)?, id)).filter(|row| row.owner == owner);
                row.ok_or(CHANGED)?.name = name;
                Ok(1)
            }
            C::Revoke { id, at } => {
                let row = self.devices.get_mut(&(own(scope)?, id)).filter(|row| row.is_active()).ok_or(CHANGED)?;
                (row.status, row.revoked_at) = (DeviceStatus::Revoked, Some(at));
                Ok(1)
            }
            C::RevokeAllOf { owner, at } => {
                let tenant = own(scope)?;
                let active = self.devices.values_mut().filter(|row| row.tenant == tenant && row.owner == owner);
                let mut rows = 0;
                for row in active.filter(|row| row.is_active()) {
                    (row.status, row.revoked_at) = (DeviceStatus::Revoked, Some(at));
                    rows += 1;
                }
                Ok(rows)
            }
            C::Beat { id, at, status, version, capabilities } => {
                let row = self.devices.get_mut(&(own(scope)?, id)).filter(|row| row.is_active()).ok_or(CHANGED)?;
                row.last_seen_at = row.last_seen_at.max(Some(at));
                row.reported_status = status.or(row.reported_status);
                row.version = version.or_else(|| row.version.take());
                row.capabilities = capabilities.unwrap_or_else(|| std::mem::take(&mut row.capabilities));
                Ok(1)
            }
            C::Seen { id, at, unless_since } => {
                let row = self.devices.get_mut(&(own(scope)?, id));
                let row = row.filter(|row| row.last_seen_at.is_none_or(|seen| seen < unless_since));
                Ok(row.map(|row| row.last_seen_at = Some(at)).is_some().into())
            }
            C::UseChallenge { id, expires_at } => insert(&mut self.device_challenges, (own(scope)?, id), expires_at),
            C::DeleteExpired { claims, challenges } => {
                system(scope)?;
                let claims = delete_where(&mut self.device_claims, BATCH, |_, row| row.keep_until < claims);
                Ok(claims + delete_where(&mut self.device_challenges, BATCH, |_, end| *end < challenges))
            }
        }
    }

    fn devices_of(&self, tenant: TenantId, owner: UserId) -> impl Iterator<Item = &Device> {
        self.devices.values().filter(move |row| row.tenant == tenant && row.owner == owner)
    }

    fn device_of(&self, tenant: TenantId, key_thumbprint: &[u8; 32]) -> Option<&Device> {
        let has_key = |row: &&Device| row.tenant == tenant && row.is_active() && row.key_thumbprint == *key_thumbprint;
        self.devices.values().find(has_key)
    }

    fn claim_of(&self, tenant: TenantId, code: &[u8; 33]) -> Option<&DeviceClaim> {
        self.device_claims.values().find(|row| row.tenant == tenant && row.code == *code)
    }
}

#[async_trait]
impl DeviceStore for MemoryStore {
    async fn find_device(&self, tenant: TenantId, id: DeviceId) -> Result<Option<(Device, UserStatus)>, StoreError> {
        let state = self.read();
        let Some(device) = state.devices.get(&(tenant, id)) else { return Ok(None) };
        Ok(state.users.get(&(tenant, device.owner)).map(|owner| (device.clone(), owner.status)))
    }

    async fn find_device_by_key(
        &self,
        tenant: TenantId,
        key_thumbprint: &[u8; 32],
    ) -> Result<Option<Device>, StoreError> {
        Ok(self.read().device_of(tenant, key_thumbprint).cloned())
    }

    async fn list_devices(
        &self,
        tenant: TenantId,
        filter: DeviceFilter,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Vec<Device>, StoreError> {
        let state = self.read();
        let fits = |row: &&Device| {
            row.tenant == tenant
                && filter.owner.is_none_or(|owner| row.owner == owner)
                && filter.status.is_none_or(|status| row.status == status)
                && after.is_none_or(|position| row.id.uuid() < position.id)
        };
        Ok(state.devices.values().rev().filter(fits).take(limit as usize).cloned().collect())
    }

    async fn find_device_claim(&self, tenant: TenantId, code: &[u8; 33]) -> Result<Option<DeviceClaim>, StoreError> {
        Ok(self.read().claim_of(tenant, code).cloned())
    }
}
