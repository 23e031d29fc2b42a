//! The rules of devices, on an installation in memory.

mod beats;
mod claims;
mod managing;
mod tokens;

use super::*;
use crate::{
    Error, Origin, Principal, Result, Settings, SigningAlgorithm,
    accounts::Accounts,
    auth::SignIn,
    crypto::{PrivateKey, PublicKey},
    memory::{self, ManualClock, SeededRandom},
    ports::Observer,
    sessions::Sessions,
    tenants::{DEFAULT_TENANT, TenantSettings, Tenants},
};
use authkit_wire::{
    device::{ClaimCode, KeyAlgorithm, MAX_MESSAGE, Proof, Purpose, SERVER_KEY, Statement},
    *,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use std::sync::Mutex;

const START: i64 = 1_800_000_000;
const PASSWORD: &str = "correct horse battery staple";

/// Remembers what was counted.
#[derive(Clone, Debug, Default)]
struct Counts(Arc<Mutex<Vec<(&'static str, AuditOutcome)>>>);

impl Observer for Counts {
    fn committed(&self, _: &str, _: AuditOutcome) {}

    fn happened(&self, what: &'static str, outcome: AuditOutcome) {
        self.0.lock().unwrap().push((what, outcome));
    }
}

/// An installation with one user who is signed in.
struct Yard {
    cx: Arc<Context>,
    clock: ManualClock,
    devices: Devices,
    counts: Counts,
    origin: Origin,
    ada: Principal,
}

async fn yard() -> Yard {
    yard_with(1, |_| {}).await
}

async fn yard_with(seed: u64, change: impl FnOnce(&mut Context)) -> Yard {
    let (clock, counts) = (ManualClock::new(Timestamp::from_second(START).unwrap()), Counts::default());
    let mut cx = memory::bare(clock.clone(), SeededRandom::new(seed), Settings::default()).unwrap();
    cx.observer = Arc::new(counts.clone());
    change(&mut cx);
    let cx = memory::prepare(cx).await.unwrap();
    let origin = Origin { ip: Some("192.0.2.7".parse().unwrap()), ..Origin::local(DEFAULT_TENANT) };
    let ada = sign_up(&cx, &origin, "ada@example.org").await;
    Yard { devices: Devices::new(cx.clone()), cx, clock, counts, origin, ada }
}

async fn sign_up(cx: &Arc<Context>, origin: &Origin, email: &str) -> Principal {
    let accounts = Accounts::new(cx.clone());
    accounts.create_verified(origin, email, &PASSWORD.into(), None).await.unwrap();
    sign_in(cx, origin, email).await
}

async fn sign_in(cx: &Arc<Context>, origin: &Origin, email: &str) -> Principal {
    let request = LoginRequest { email: email.into(), password: PASSWORD.into() };
    let LoginView::Tokens(tokens) = SignIn::new(cx.clone()).login(origin, request).await.unwrap() else {
        panic!("no second factor is set up")
    };
    Sessions::new(cx.clone()).authenticate(tokens.access_token.expose()).await.unwrap()
}

impl Yard {
    fn advance(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// Another tenant, and a request for it.
    async fn elsewhere(&self) -> Origin {
        let tenants = Tenants::new(self.cx.clone());
        Origin::local(tenants.create("acme", "Acme", &[], TenantSettings::default()).await.unwrap().id)
    }

    async fn code(&self) -> DeviceClaimView {
        self.code_of(&self.ada).await
    }

    async fn code_of(&self, principal: &Principal) -> DeviceClaimView {
        let request = CreateDeviceClaimRequest { name: None };
        self.devices.create_claim(&self.origin, principal, request).await.unwrap()
    }

    async fn claim(&self, key: &Key, code: &str) -> Result<ClaimedDeviceView> {
        let challenge = key.challenge_to_claim(self, &self.origin).challenge;
        self.devices.claim(&self.origin, key.claim(self, code, &challenge)).await
    }

    /// A device of the user's.
    async fn claimed(&self, key: &Key) -> DeviceView {
        let code = self.code().await;
        self.claim(key, code.code.expose()).await.unwrap().device
    }

    async fn token(&self, key: &Key, id: DeviceId) -> Result<DeviceTokenView> {
        let challenge = key.challenge_for_token(self, &self.origin, id).challenge;
        self.devices.token(&self.origin, key.token(self, id, &challenge)).await
    }

    async fn authenticate(&self, token: &Secret) -> Result<DevicePrincipal> {
        self.devices.authenticate(token.expose()).await
    }

    /// What the audit log has of devices, in the order of its names: ids of one moment have none.
    async fn audited(&self) -> Vec<String> {
        let records = self.cx.store.list_audit(DEFAULT_TENANT, &Default::default(), None, 1000).await.unwrap();
        let mut actions: Vec<String> = records.into_iter().map(|(record, _)| record.action).collect();
        actions.retain(|action| action.starts_with("device"));
        actions.sort_unstable();
        actions
    }
}

/// The key of a device.
struct Key {
    algorithm: KeyAlgorithm,
    private: PrivateKey,
    public: Vec<u8>,
}

impl Key {
    fn new(seed: u64) -> Self {
        Self::of(KeyAlgorithm::EdDsa, seed)
    }

    fn of(algorithm: KeyAlgorithm, seed: u64) -> Self {
        let signing = match algorithm {
            KeyAlgorithm::EdDsa => SigningAlgorithm::EdDsa,
            _ => SigningAlgorithm::Es256,
        };
        let pkcs8 = PrivateKey::generate(signing, &SeededRandom::new(1000 + seed)).unwrap();
        let private = PrivateKey::from_pkcs8(signing, &pkcs8).unwrap();
        let jwk = private.public_jwk().unwrap();
        let part = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
        let public = match algorithm {
            KeyAlgorithm::EdDsa => part("x"),
            _ => [vec![4], part("x"), part("y")].concat(),
        };
        Self { algorithm, private, public }
    }

    fn ask_to_claim(&self) -> DeviceChallengeRequest {
        DeviceChallengeRequest {
            purpose: Purpose::Claim,
            nonce: URL_SAFE_NO_PAD.encode([7; 16]),
            public_key: Some(URL_SAFE_NO_PAD.encode(&self.public)),
            algorithm: Some(self.algorithm),
            device_id: None,
        }
    }

    fn challenge_to_claim(&self, yard: &Yard, origin: &Origin) -> DeviceChallengeView {
        yard.devices.challenge(origin, &self.ask_to_claim()).unwrap()
    }

    fn challenge_for_token(&self, yard: &Yard, origin: &Origin, id: DeviceId) -> DeviceChallengeView {
        yard.devices.challenge(origin, &ask_for_token(id)).unwrap()
    }

    fn sign(&self, server_key: &[u8; SERVER_KEY], purpose: Purpose, subject: &str, challenge: &str) -> String {
        let mut buffer = [0; MAX_MESSAGE];
        let length = Proof { purpose, server_key, subject, challenge }.write(&mut buffer).unwrap();
        URL_SAFE_NO_PAD.encode(self.private.sign(&buffer[..length]).unwrap())
    }

    fn claim(&self, yard: &Yard, code: &str, challenge: &str) -> ClaimDeviceRequest {
        let plain: ClaimCode = code.parse().unwrap();
        ClaimDeviceRequest {
            code: code.into(),
            challenge: challenge.into(),
            public_key: URL_SAFE_NO_PAD.encode(&self.public),
            algorithm: self.algorithm,
            signature: self.sign(yard.cx.keyring.server_key(), Purpose::Claim, plain.as_str(), challenge),
            name: Some("Thermometer".into()),
            version: Some("1.0.0".into()),
        }
    }

    fn token(&self, yard: &Yard, id: DeviceId, challenge: &str) -> DeviceTokenRequest {
        let server_key = yard.cx.keyring.server_key();
        let signature = self.sign(server_key, Purpose::Token, &id.to_string(), challenge);
        DeviceTokenRequest { device_id: id, challenge: challenge.into(), signature }
    }
}

fn ask_for_token(id: DeviceId) -> DeviceChallengeRequest {
    let nonce = URL_SAFE_NO_PAD.encode([7; 16]);
    DeviceChallengeRequest { purpose: Purpose::Token, nonce, public_key: None, algorithm: None, device_id: Some(id) }
}

fn code<T>(result: Result<T, Error>) -> Option<ErrorCode> {
    result.err().map(|error| error.code)
}

const PROOF: Option<ErrorCode> = Some(ErrorCode::InvalidDeviceProof);
const CLAIM: Option<ErrorCode> = Some(ErrorCode::InvalidDeviceClaim);
const TOKEN: Option<ErrorCode> = Some(ErrorCode::InvalidToken);

/// Whether the server said this.
fn is_stated(view: &DeviceChallengeView, server_time: i64, nonce: &[u8; 16]) -> bool {
    let statement = Statement { server_time: server_time.unsigned_abs(), nonce, challenge: &view.challenge };
    let mut buffer = [0; MAX_MESSAGE];
    let length = statement.write(&mut buffer).unwrap();
    let key = URL_SAFE_NO_PAD.decode(&view.server_key).unwrap();
    let key = PublicKey::from_device(KeyAlgorithm::EdDsa, &key).unwrap();
    key.verify(&buffer[..length], &URL_SAFE_NO_PAD.decode(&view.signature).unwrap())
}
