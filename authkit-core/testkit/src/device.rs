//! A device with a key of its own, for tests of AuthKit and of applications that embed it.

use authkit_core::{
    crypto::{PrivateKey, PublicKey},
    ports::Random,
    wire::{
        ClaimDeviceRequest, DeviceChallengeRequest, DeviceChallengeView, DeviceId, DeviceTokenRequest,
        device::{ClaimCode, KeyAlgorithm, MAX_MESSAGE, NONCE, Proof, Purpose, SERVER_KEY, Statement},
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{error::Error, fmt};

/// A device that signs with Ed25519 and believes the first server that it meets.
pub struct FakeDevice {
    key: PrivateKey,
    public: [u8; 32],
    nonce: [u8; NONCE],
    /// The server's key, once it is known.
    pub server: Option<[u8; SERVER_KEY]>,
}

impl fmt::Debug for FakeDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeDevice").finish_non_exhaustive()
    }
}

fn decode(text: &str) -> Result<Vec<u8>, Failure> {
    URL_SAFE_NO_PAD.decode(text).map_err(|error| error.to_string().into())
}

type Failure = Box<dyn Error + Send + Sync>;

impl FakeDevice {
    /// A device that draws its key from `random`.
    ///
    /// # Errors
    /// None that depends on the arguments.
    pub fn new(random: &dyn Random) -> Result<Self, Failure> {
        let (mut seed, mut nonce) = ([0; 32], [0; NONCE]);
        random.fill(&mut seed);
        random.fill(&mut nonce);
        let (key, public) = PrivateKey::from_seed(&seed)?;
        Ok(Self { key, public, nonce, server: None })
    }

    /// Its public key as it is sent.
    #[must_use]
    pub fn public_key(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.public)
    }

    /// Asks for a challenge to be claimed with.
    #[must_use]
    pub fn ask_to_claim(&self) -> DeviceChallengeRequest {
        DeviceChallengeRequest {
            purpose: Purpose::Claim,
            nonce: URL_SAFE_NO_PAD.encode(self.nonce),
            public_key: Some(self.public_key()),
            algorithm: Some(KeyAlgorithm::EdDsa),
            device_id: None,
        }
    }

    /// Asks for a challenge to get a token with.
    #[must_use]
    pub fn ask_for_token(&self, id: DeviceId) -> DeviceChallengeRequest {
        DeviceChallengeRequest {
            purpose: Purpose::Token,
            nonce: URL_SAFE_NO_PAD.encode(self.nonce),
            public_key: None,
            algorithm: None,
            device_id: Some(id),
        }
    }

    /// Checks the server's statement, and keeps its key.
    ///
    /// # Errors
    /// When it is not the server's, or not an answer to this device's nonce.
    pub fn believe(&mut self, view: &DeviceChallengeView) -> Result<(), Failure> {
        let sent: [u8; SERVER_KEY] = decode(&view.server_key)?.try_into().map_err(|_| "no key")?;
        if *self.server.get_or_insert(sent) != sent {
            return Err("another server".into());
        }
        let statement =
            Statement { server_time: view.server_time.unsigned_abs(), nonce: &self.nonce, challenge: &view.challenge };
        let mut buffer = [0; MAX_MESSAGE];
        let length = statement.write(&mut buffer)?;
        let key = PublicKey::from_device(KeyAlgorithm::EdDsa, &sent).ok_or("no key")?;
        let signature = decode(&view.signature)?;
        if key.verify(&buffer[..length], &signature) { Ok(()) } else { Err("not signed by the server".into()) }
    }

    /// Its signature over a challenge.
    ///
    /// # Errors
    /// When it knows no server.
    pub fn sign(&self, purpose: Purpose, subject: &str, challenge: &str) -> Result<String, Failure> {
        let server_key = self.server.as_ref().ok_or("no server is known")?;
        let mut buffer = [0; MAX_MESSAGE];
        let length = Proof { purpose, server_key, subject, challenge }.write(&mut buffer)?;
        Ok(URL_SAFE_NO_PAD.encode(self.key.sign(&buffer[..length])?))
    }

    /// The answer to a challenge for a claim.
    ///
    /// # Errors
    /// When the challenge is not to be believed.
    pub fn claim(&mut self, code: &str, view: &DeviceChallengeView) -> Result<ClaimDeviceRequest, Failure> {
        self.believe(view)?;
        let plain: ClaimCode = code.parse()?;
        Ok(ClaimDeviceRequest {
            code: code.into(),
            challenge: view.challenge.clone(),
            public_key: self.public_key(),
            algorithm: KeyAlgorithm::EdDsa,
            signature: self.sign(Purpose::Claim, plain.as_str(), &view.challenge)?,
            name: Some("Fake".into()),
            version: Some("1.0.0".into()),
        })
    }

    /// The answer to a challenge for a token.
    ///
    /// # Errors
    /// When the challenge is not to be believed.
    pub fn token(&mut self, id: DeviceId, view: &DeviceChallengeView) -> Result<DeviceTokenRequest, Failure> {
        self.believe(view)?;
        let signature = self.sign(Purpose::Token, &id.to_string(), &view.challenge)?;
        Ok(DeviceTokenRequest { device_id: id, challenge: view.challenge.clone(), signature })
    }
}
