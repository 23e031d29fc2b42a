//! A device with a code becomes its owner's.

use super::{
    Device, DeviceChange, DeviceClaim, Devices, REPEATS, UsedClaim,
    challenge::{self, Challenge, Subject},
    claims::code_key,
    guesses::Guess,
    proof::{self, SentKey},
    text,
};
use crate::{
    Context, Error, Origin, Result, TRIES,
    accounts::{User, push_hook, settings_of},
    audit,
    crypto::sha256,
    later, notices,
    ports::{Conflict, Operation, OperationKind, Scope, Unit},
    sessions::device_tokens,
};
use authkit_wire::{
    ClaimDeviceRequest, ClaimedDeviceView, DeviceId, DeviceStatus, ErrorCode, UserStatus,
    device::{ClaimCode, KeyAlgorithm, Purpose},
};

/// What a device without any name is called.
const NAMELESS: &str = "Device";

/// A request whose proof is right.
struct Proved {
    code: [u8; 33],
    challenge: Challenge,
    algorithm: KeyAlgorithm,
    public_key: Vec<u8>,
    key_thumbprint: [u8; 32],
    name: Option<String>,
    version: Option<String>,
}

impl Devices {
    /// Makes the device that has the code and proves its key the code's maker's, and answers its first token.
    ///
    /// The same key with the same code is answered with the same device for a day. So is a key that the owner has as an
    /// active device already, with another code: there is never a second device of one key. Whoever else has it must
    /// revoke it first.
    ///
    /// # Errors
    /// `device.invalid_claim` alike for codes that are unknown, void, run out or used by another key;
    /// `device.invalid_proof`, `device.key_in_use`, `device.quota_reached`, `auth.too_many_attempts`,
    /// `request.validation_failed`, `auth.refused_by_application`.
    pub async fn claim(&self, origin: &Origin, request: ClaimDeviceRequest) -> Result<ClaimedDeviceView> {
        let claimed = self.claim_counted(origin, &request).await;
        self.cx.happened("device.claim", claimed)
    }

    async fn claim_counted(&self, origin: &Origin, request: &ClaimDeviceRequest) -> Result<ClaimedDeviceView> {
        let cx = &*self.cx;
        // First what costs no read and no write.
        let proved = prove(cx, origin, request)?;
        cx.authority.freshen(cx).await?;
        let guess = Guess::begin(cx, origin).await?;
        match admit(cx, origin, &proved, &guess).await {
            Err(error) if error.code != ErrorCode::InvalidDeviceClaim => {
                guess.withdraw(cx).await?;
                Err(error)
            }
            answered => answered,
        }
    }
}

fn prove(cx: &Context, origin: &Origin, request: &ClaimDeviceRequest) -> Result<Proved> {
    let sent = SentKey::read(request.algorithm, &request.public_key)?;
    let name = request.name.as_deref().map(text::name).transpose()?.flatten();
    let version = request.version.as_deref().map(text::version).transpose()?;
    let code: ClaimCode = request.code.expose().parse().map_err(|_| void())?;
    let subject = Subject::key(request.algorithm, &sent.bytes);
    let challenge = challenge::read(cx, origin.tenant, &subject, &request.challenge);
    let (sent_code, signature) = (code.as_str(), &request.signature);
    let proved = proof::verify(cx, &sent.key, Purpose::Claim, sent_code, &request.challenge, signature);
    let challenge = challenge.filter(|_| proved).ok_or_else(proof::refused)?;
    Ok(Proved {
        code: code_key(cx, origin.tenant, &code),
        challenge,
        algorithm: request.algorithm,
        key_thumbprint: sha256(&sent.bytes),
        public_key: sent.bytes,
        name,
        version,
    })
}

async fn admit(cx: &Context, origin: &Origin, proved: &Proved, guess: &Guess) -> Result<ClaimedDeviceView> {
    let tenant = origin.tenant;
    if settings_of(cx, tenant).is_none() {
        return Err(void());
    }
    let mut asked = false;
    for _ in 0..TRIES {
        let claim = cx.store.find_device_claim(tenant, &proved.code).await?.ok_or_else(void)?;
        if let Some(used) = claim.used {
            return repeat(cx, &claim, used, proved, guess).await;
        }
        let now = cx.now();
        if claim.expires_at <= now {
            return Err(void());
        }
        let owner = cx.store.find_user(tenant, claim.owner).await?;
        // A claim that was made under other credentials may be a thief's.
        let fits = |owner: &User| owner.is_active() && owner.security_version == claim.security_version;
        let owner = owner.filter(fits).ok_or_else(void)?;
        let held = cx.store.find_device_by_key(tenant, &proved.key_thumbprint).await?;
        if held.as_ref().is_some_and(|device| device.owner != owner.id) {
            let detail = "Its owner has to revoke that device first; or make a new key on this one.";
            return Err(Error::new(ErrorCode::DeviceKeyInUse, detail));
        }
        let is_new = held.is_none();
        let device = held.unwrap_or_else(|| new_device(cx, &claim, proved));
        let operation = Operation::new(OperationKind::ClaimDevice, tenant).on(owner.id).device(device.id);
        if !std::mem::replace(&mut asked, true) {
            cx.before(&operation, None).await?;
        }

        let (access_token, expires_in) = device_tokens::issue(cx, tenant, device.id)?;
        let hold = DeviceChange::HoldOwner { user: owner.id, security_version: owner.security_version };
        let mut unit = Unit::new().with(hold);
        let challenged = unit.push(use_of(&proved.challenge));
        unit.push(DeviceChange::UseClaim {
            id: claim.id,
            device: device.id,
            key_thumbprint: proved.key_thumbprint,
            at: now,
            keep_until: later(now, REPEATS),
        });
        let created = is_new.then(|| {
            let at_most = cx.settings.devices.max_per_user;
            unit.push(DeviceChange::Create { device: Box::new(device.clone()), at_most })
        });
        let entry = audit::entry(cx, origin, "device.claimed").actor(device.id).person(&owner).subject(owner.id);
        unit.push(entry.data("claim", claim.id.to_string()).data("device", device.id.to_string()).build());
        unit.push(notices::tell_of_device(cx, origin, &owner, &device.name));
        unit.extend(guess.withdrawals());
        push_hook(cx, &mut unit, &operation);
        let Err(error) = cx.commit(Scope::Tenant(tenant), unit).await else {
            return Ok(view(device, access_token, expires_in));
        };
        match error.conflict() {
            Some((place, _)) if place == challenged => return Err(proof::refused()),
            Some((place, Conflict::Changed)) if Some(place) == created => {
                return Err(Error::new(
                    ErrorCode::DeviceQuotaReached,
                    format!("Its owner has {} devices; revoke one first.", cx.settings.devices.max_per_user),
                ));
            }
            // Somebody else used the claim or the key, or the owner changed: that is looked at again.
            Some(_) => {}
            None => return Err(error.into()),
        }
    }
    Err(ErrorCode::Conflict.into())
}

/// The answer to a used claim: that of the first time for the key that used it, nothing for others.
async fn repeat(
    cx: &Context,
    claim: &DeviceClaim,
    used: UsedClaim,
    proved: &Proved,
    guess: &Guess,
) -> Result<ClaimedDeviceView> {
    if used.key_thumbprint != proved.key_thumbprint || claim.keep_until <= cx.now() {
        return Err(void());
    }
    let found = cx.store.find_device(claim.tenant, used.device).await?;
    let standing = found.filter(|(device, owner)| device.is_active() && *owner == UserStatus::Active);
    let (device, _) = standing.ok_or_else(void)?;
    let operation = Operation::new(OperationKind::AuthenticateDevice, claim.tenant).on(device.owner).device(device.id);
    cx.before(&operation, None).await?;
    let (access_token, expires_in) = device_tokens::issue(cx, claim.tenant, device.id)?;
    let mut unit = Unit::new().with(use_of(&proved.challenge));
    unit.extend(guess.withdrawals());
    push_hook(cx, &mut unit, &operation);
    cx.commit(Scope::Tenant(claim.tenant), unit).await.map_err(|error| error.or_conflict(proof::refused))?;
    Ok(view(device, access_token, expires_in))
}

fn new_device(cx: &Context, claim: &DeviceClaim, proved: &Proved) -> Device {
    let name = claim.name.as_ref().or(proved.name.as_ref());
    let now = cx.now();
    Device {
        id: DeviceId::new(cx.uuid()),
        tenant: claim.tenant,
        owner: claim.owner,
        name: name.map_or_else(|| NAMELESS.to_owned(), Clone::clone),
        algorithm: proved.algorithm,
        public_key: proved.public_key.clone(),
        key_thumbprint: proved.key_thumbprint,
        status: DeviceStatus::Active,
        version: proved.version.clone(),
        capabilities: Vec::new(),
        reported_status: None,
        created_at: now,
        last_seen_at: Some(now),
        revoked_at: None,
    }
}

pub(super) fn use_of(challenge: &Challenge) -> DeviceChange {
    DeviceChange::UseChallenge { id: challenge.id, expires_at: challenge.expires_at }
}

fn view(device: Device, access_token: authkit_wire::Secret, expires_in: i64) -> ClaimedDeviceView {
    ClaimedDeviceView { device: device.view(), access_token, token_type: "Bearer".into(), expires_in }
}

/// The one answer to a code that does not count, whatever the reason.
fn void() -> Error {
    Error::new(
        ErrorCode::InvalidDeviceClaim,
        "Check the code. It may have run out, or been used or deleted; its owner can make a new one.",
    )
}
