//! Making claims, and taking them back before they are used.

use super::{DeviceChange, DeviceClaim, Devices, OPEN_CLAIMS, proof::base64url, text};
use crate::{
    Context, Error, Origin, Principal, Result, TRIES,
    accounts::{push_hook, signed_in},
    audit, mfa, notices,
    ports::{Operation, OperationKind, Scope, Unit},
    tenants::DEFAULT_TENANT,
};
use authkit_wire::{
    CreateDeviceClaimRequest, DeviceClaimId, DeviceClaimView, ErrorCode, Secret, TenantId, device::ClaimCode,
};

/// What a claim is found by: the code itself is not stored.
pub(super) fn code_key(cx: &Context, tenant: TenantId, code: &ClaimCode) -> [u8; 33] {
    cx.keyring.index("device-claim", &[tenant.uuid().as_bytes(), code.as_str().as_bytes()])
}

impl Devices {
    /// Makes a claim for one device of the caller's. The code is shown once. The caller's sign-in must be recent: a
    /// device stays when the session that let it in has ended.
    ///
    /// # Errors
    /// `auth.step_up_required`, `request.validation_failed`, `device.quota_reached`, `auth.invalid_token`, `auth.refused_by_application`.
    pub async fn create_claim(
        &self,
        origin: &Origin,
        principal: &Principal,
        request: CreateDeviceClaimRequest,
    ) -> Result<DeviceClaimView> {
        let cx = &*self.cx;
        let name = request.name.as_deref().map(text::name).transpose()?.flatten();
        let mut user = signed_in(cx, principal).await?;
        principal.require_fresh(cx)?;
        let operation = Operation::new(OperationKind::ChangeDevices, user.tenant).on(user.id).by(Some(principal));
        let operation = operation.action("device.claim_created");
        cx.before(&operation, None).await?;

        let mut random = zeroize::Zeroizing::new([0; 8]);
        cx.random.fill(random.as_mut());
        let code = ClaimCode::new(*random);
        let server_key = base64url(cx.keyring.server_key());
        let uri = Secret::from(uri(cx, user.tenant, &code, &server_key));
        let (qr_svg, qr_png) = (mfa::qr_svg(uri.expose())?, mfa::qr_png(uri.expose())?);
        for _ in 0..TRIES {
            let expires_at = cx.after(cx.settings.devices.claim);
            let claim = DeviceClaim {
                id: DeviceClaimId::new(cx.uuid()),
                tenant: user.tenant,
                owner: user.id,
                name: name.clone(),
                code: code_key(cx, user.tenant, &code),
                security_version: user.security_version,
                created_at: cx.now(),
                expires_at,
                used: None,
                keep_until: expires_at,
            };
            let id = claim.id;
            let mut unit = Unit::new();
            let hold = DeviceChange::HoldOwner { user: user.id, security_version: user.security_version };
            let held = unit.push(hold);
            let created = unit.push(DeviceChange::CreateClaim { claim, at_most: OPEN_CLAIMS });
            let entry = audit::entry(cx, origin, "device.claim_created").actor(user.id).person(&user);
            unit.push(entry.data("claim", id.to_string()).build());
            push_hook(cx, &mut unit, &operation);
            let error = match cx.commit(Scope::Tenant(user.tenant), unit).await {
                Ok(_) => {
                    let code = Secret::from(code.to_string());
                    let (qr_svg, qr_png) = (qr_svg.into(), qr_png.into());
                    return Ok(DeviceClaimView { id, code, uri, qr_svg, qr_png, server_key, expires_at });
                }
                Err(error) => error,
            };
            match error.conflict() {
                // Whether the caller may do it at all is asked again.
                Some((place, _)) if place == held => user = signed_in(cx, principal).await?,
                Some((place, _)) if place == created => {
                    return Err(Error::new(
                        ErrorCode::DeviceQuotaReached,
                        format!(
                            "There are {OPEN_CLAIMS} open claims; use one, delete one, or wait until one runs out."
                        ),
                    ));
                }
                _ => return Err(error.into()),
            }
        }
        Err(ErrorCode::Conflict.into())
    }

    /// Voids a claim that was not used.
    ///
    /// # Errors
    /// `device.claim_not_found`, `auth.invalid_token`, `auth.refused_by_application`.
    pub async fn void_claim(&self, origin: &Origin, principal: &Principal, id: DeviceClaimId) -> Result<()> {
        let cx = &*self.cx;
        let user = signed_in(cx, principal).await?;
        let operation = Operation::new(OperationKind::ChangeDevices, user.tenant).on(user.id).by(Some(principal));
        let operation = operation.action("device.claim_voided");
        cx.before(&operation, None).await?;
        let mut unit = Unit::new().with(DeviceChange::VoidClaim { id, owner: user.id });
        let entry = audit::entry(cx, origin, "device.claim_voided").actor(user.id).person(&user);
        unit.push(entry.data("claim", id.to_string()).build());
        push_hook(cx, &mut unit, &operation);
        let gone = || ErrorCode::DeviceClaimNotFound.into();
        cx.commit(Scope::Tenant(user.tenant), unit).await.map_err(|error| error.or_conflict(gone))?;
        Ok(())
    }
}

/// What the QR code says. A device at a host that is no tenant's own has to name its tenant.
fn uri(cx: &Context, tenant: TenantId, code: &ClaimCode, server_key: &str) -> String {
    let server = notices::public_url(cx, tenant);
    let mut uri = format!("authkit:claim?server={}&code={code}&key={server_key}", mfa::encoded(&server));
    let has_host = cx.authority.tenant(tenant).is_some_and(|tenant| !tenant.hosts.is_empty());
    if tenant != DEFAULT_TENANT && !has_host {
        uri.push_str(&format!("&tenant={tenant}"));
    }
    uri
}
