//! What devices say of themselves.

use super::{DeviceChange, DevicePrincipal, Devices, principal::invalid_token, text};
use crate::{
    Result,
    ports::{Scope, Unit},
};
use authkit_wire::{DeviceView, HeartbeatRequest, HeartbeatView};
use jiff::SignedDuration;

/// How long it is known well enough when a device was last heard of.
pub(super) const FRESH: SignedDuration = SignedDuration::from_mins(1);

impl Devices {
    /// Notes that the device is there and what it says. It writes at most once a minute, unless something changed.
    ///
    /// # Errors
    /// `request.validation_failed`; `auth.invalid_token` when it was revoked meanwhile.
    pub async fn heartbeat(&self, caller: &DevicePrincipal, request: HeartbeatRequest) -> Result<HeartbeatView> {
        let cx = &*self.cx;
        let version = request.version.as_deref().map(text::version).transpose()?;
        let capabilities = request.capabilities.as_deref().map(text::capabilities).transpose()?;
        let status = request.status;
        let (device, _) = cx.store.find_device(caller.tenant, caller.device).await?.ok_or_else(invalid_token)?;
        let at = cx.now();
        let news = status.is_some_and(|status| device.reported_status != Some(status))
            || version.as_ref().is_some_and(|version| device.version.as_ref() != Some(version))
            || capabilities.as_ref().is_some_and(|capabilities| device.capabilities != *capabilities);
        let fresh = device.last_seen_at.is_some_and(|seen| at.duration_since(seen) < FRESH);
        if news || !fresh {
            let beat = DeviceChange::Beat { id: device.id, at, status, version, capabilities };
            let unit = Unit::new().with(beat);
            cx.commit(Scope::Tenant(caller.tenant), unit).await.map_err(|error| error.or_conflict(invalid_token))?;
        }
        Ok(HeartbeatView { server_time: at.as_second(), next_in: cx.settings.devices.heartbeat.as_secs() })
    }

    /// The device that asks.
    ///
    /// # Errors
    /// `auth.invalid_token` when it is gone.
    pub async fn get_self(&self, caller: &DevicePrincipal) -> Result<DeviceView> {
        let found = self.cx.store.find_device(caller.tenant, caller.device).await?;
        found.map(|(device, _)| device.view()).ok_or_else(invalid_token)
    }
}
