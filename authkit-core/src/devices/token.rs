//! A device proves its key and gets an access token.

use super::{
    DeviceChange, Devices,
    challenge::{self, Subject},
    claim::use_of,
    heartbeat::FRESH,
    proof,
};
use crate::{
    Origin, Result,
    accounts::{push_hook, settings_of},
    crypto::PublicKey,
    ports::{Operation, OperationKind, Scope, Unit},
    sessions::device_tokens,
};
use authkit_wire::{
    DeviceTokenRequest, DeviceTokenView, UserStatus,
    device::{KeyAlgorithm, Purpose},
};
use jiff::Timestamp;

impl Devices {
    /// Answers an access token to the device that proves its key.
    ///
    /// # Errors
    /// `device.invalid_proof` alike for unknown and revoked devices, those of owners or tenants that are not active,
    /// wrong signatures and challenges that do not count; `auth.refused_by_application`.
    pub async fn token(&self, origin: &Origin, request: DeviceTokenRequest) -> Result<DeviceTokenView> {
        let issued = self.prove(origin, &request).await;
        self.cx.happened("device.token", issued)
    }

    async fn prove(&self, origin: &Origin, request: &DeviceTokenRequest) -> Result<DeviceTokenView> {
        let cx = &*self.cx;
        let (tenant, id) = (origin.tenant, request.device_id);
        cx.authority.freshen(cx).await?;
        // The same work whatever is wrong: one read, one verification.
        let challenge = challenge::read(cx, tenant, &Subject::device(id), &request.challenge);
        let found = cx.store.find_device(tenant, id).await?;
        let key = match &found {
            Some((device, _)) => PublicKey::from_device(device.algorithm, &device.public_key),
            None => PublicKey::from_device(KeyAlgorithm::EdDsa, cx.keyring.server_key()),
        };
        let subject = id.to_string();
        let proved = key.is_some_and(|key| {
            proof::verify(cx, &key, Purpose::Token, &subject, &request.challenge, &request.signature)
        });
        let standing = found.filter(|(device, owner)| device.is_active() && *owner == UserStatus::Active);
        let standing = standing.filter(|_| proved && settings_of(cx, tenant).is_some());
        let (Some(challenge), Some((device, _))) = (challenge, standing) else { return Err(proof::refused()) };

        let operation = Operation::new(OperationKind::AuthenticateDevice, tenant).on(device.owner).device(id);
        cx.before(&operation, None).await?;
        let (access_token, expires_in) = device_tokens::issue(cx, tenant, id)?;
        let at = cx.now();
        let mut unit = Unit::new().with(use_of(&challenge)).with(DeviceChange::Seen {
            id,
            at,
            unless_since: at.saturating_sub(FRESH).unwrap_or(Timestamp::MIN),
        });
        push_hook(cx, &mut unit, &operation);
        cx.commit(Scope::Tenant(tenant), unit).await.map_err(|error| error.or_conflict(proof::refused))?;
        Ok(DeviceTokenView { access_token, token_type: "Bearer".into(), expires_in, device_id: id })
    }
}
