//! A server as docs/guide/devices.md describes it: challenges that count once, codes that make one device of one key.

use authkit_firmware_client::ClaimCode;
use authkit_wire::device::{KeyAlgorithm, MAX_CHALLENGE, MAX_MESSAGE, Proof, Purpose, Statement};
use base64ct::{Base64UrlUnpadded as Base64, Encoding};
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};

pub const CODE: &str = "7KZ0-1ABC-DEFG";

pub struct Owned {
    pub id: String,
    pub public: Vec<u8>,
    pub algorithm: KeyAlgorithm,
    pub revoked: bool,
    pub beats: Vec<Value>,
}

/// What somebody between, or a server that is not the one, does to a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgery {
    Key,
    Time,
    Nonce,
    Challenge,
    Signature,
}

pub struct Server {
    pub host: &'static str,
    key: SigningKey,
    pub time: u64,
    pub code: String,
    pub code_counts: bool,
    /// Whose the code was.
    used_by: Option<(Vec<u8>, String)>,
    pub devices: Vec<Owned>,
    open: HashMap<String, Purpose>,
    tokens: HashMap<String, String>,
    counter: usize,
    pub forgery: Option<Forgery>,
    /// Answers the request of this number with these bytes instead.
    pub instead: HashMap<String, Vec<u8>>,
    pub tenant: Option<String>,
    pub headers: Vec<String>,
    pub chunked: bool,
    /// Challenges and tokens are as long as they may be.
    pub longest: bool,
    pub keys_seen: HashSet<Vec<u8>>,
}

impl Server {
    pub fn new(seed: u8) -> Self {
        Self {
            host: "id.example.com",
            key: SigningKey::from_bytes(&[seed; 32]),
            time: 1_795_000_000,
            code: CODE.to_owned(),
            code_counts: true,
            used_by: None,
            devices: Vec::new(),
            open: HashMap::new(),
            tokens: HashMap::new(),
            counter: 0,
            forgery: None,
            instead: HashMap::new(),
            tenant: None,
            headers: Vec::new(),
            chunked: false,
            longest: false,
            keys_seen: HashSet::new(),
        }
    }

    pub fn uri(&self) -> String {
        let key = Base64::encode_string(self.key.verifying_key().as_bytes());
        let tenant = self.tenant.as_ref().map(|tenant| format!("&tenant={tenant}")).unwrap_or_default();
        format!("authkit:claim?server=https%3A%2F%2F{}&code={}&key={key}{tenant}", self.host, self.code)
    }

    /// All tokens stop counting.
    pub fn forget_tokens(&mut self) {
        self.tokens.clear();
    }

    /// Another code; the one before keeps its device.
    pub fn new_code(&mut self, code: &str) {
        self.code = code.to_owned();
        self.used_by = None;
        self.code_counts = true;
    }

    /// The whole answer to a whole request.
    pub fn answer(&mut self, request: &[u8]) -> Vec<u8> {
        let text = std::str::from_utf8(request).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.split("\r\n");
        let path = lines.next().unwrap().split(' ').nth(1).unwrap();
        let headers: HashMap<String, &str> =
            lines.map(|line| line.split_once(": ").unwrap()).map(|(n, v)| (n.to_ascii_lowercase(), v)).collect();
        self.headers.push(head.to_owned());
        assert_eq!(headers["host"], self.host);
        assert_eq!(headers.get("x-authkit-tenant").map(|t| (*t).to_owned()), self.tenant);
        if let Some(length) = headers.get("content-length") {
            assert_eq!(length.parse(), Ok(body.len()));
        }
        if let Some(instead) = self.instead.get(path) {
            return instead.clone();
        }
        let body: Value = if body.is_empty() { Value::Null } else { serde_json::from_str(body).unwrap() };
        let bearer = headers.get("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let (status, answer) = match self.route(path, &body, bearer) {
            Ok((status, answer)) => (status, answer),
            Err((status, code)) => (status, json!({"code": code, "status": status, "title": "No"})),
        };
        let answer = answer.to_string();
        if self.chunked {
            let chunks: String = answer
                .as_bytes()
                .chunks(50)
                .map(|chunk| format!("{:x}\r\n{}\r\n", chunk.len(), std::str::from_utf8(chunk).unwrap()))
                .collect();
            format!("HTTP/1.1 {status} X\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n").into_bytes()
        } else {
            format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{answer}", answer.len()).into_bytes()
        }
    }

    fn route(&mut self, path: &str, body: &Value, bearer: Option<&str>) -> Result<(u16, Value), (u16, &'static str)> {
        match path {
            "/v1/devices/challenge" => Ok((200, self.challenge(body))),
            "/v1/devices/claim" => self.claim(body).map(|answer| (201, answer)),
            "/v1/devices/token" => self.token(body).map(|answer| (200, answer)),
            path => {
                let id = bearer.and_then(|token| self.tokens.get(token)).ok_or((401, "auth.invalid_token"))?.clone();
                let time = self.time;
                let device = self.devices.iter_mut().find(|device| device.id == id && !device.revoked);
                let device = device.ok_or((401, "auth.invalid_token"))?;
                match path {
                    "/v1/devices/heartbeat" => {
                        device.beats.push(body.clone());
                        Ok((200, json!({"server_time": time, "next_in": 60})))
                    }
                    "/v1/devices/self" => Ok((200, json!({"id": id}))),
                    _ => Err((404, "not_found")),
                }
            }
        }
    }

    fn challenge(&mut self, body: &Value) -> Value {
        let purpose = match body["purpose"].as_str() {
            Some("claim") => {
                self.keys_seen.insert(bytes(&body["public_key"]));
                Purpose::Claim
            }
            Some("token") => Purpose::Token,
            other => panic!("{other:?}"),
        };
        let mut nonce: [u8; 16] = bytes(&body["nonce"]).try_into().unwrap();
        self.counter += 1;
        let mut challenge = format!("akd_{:04}", self.counter);
        if self.longest {
            challenge += &"x".repeat(MAX_CHALLENGE - challenge.len());
        }
        self.open.insert(challenge.clone(), purpose);
        let (mut time, mut key) = (self.time, self.key.clone());
        if self.forgery == Some(Forgery::Nonce) {
            nonce[0] ^= 1;
        }
        if self.forgery == Some(Forgery::Key) {
            key = SigningKey::from_bytes(&[99; 32]);
        }
        let mut message = [0; MAX_MESSAGE];
        let statement = Statement { server_time: time, nonce: &nonce, challenge: &challenge };
        let length = statement.write(&mut message).unwrap();
        let mut signature = key.sign(&message[..length]).to_bytes();
        match self.forgery {
            Some(Forgery::Time) => time += 1,
            Some(Forgery::Challenge) => challenge.push('x'),
            Some(Forgery::Signature) => signature[3] ^= 1,
            _ => {}
        }
        json!({
            "challenge": challenge, "server_time": time,
            "server_key": Base64::encode_string(key.verifying_key().as_bytes()),
            "signature": Base64::encode_string(&signature),
        })
    }

    /// Whether the body proves the key for this subject with a challenge that counts, which it uses up.
    fn proves(
        &mut self,
        body: &Value,
        purpose: Purpose,
        subject: &str,
        public: &[u8],
        algorithm: KeyAlgorithm,
    ) -> bool {
        let challenge = body["challenge"].as_str().unwrap();
        if self.open.remove(challenge) != Some(purpose) {
            return false;
        }
        let mut message = [0; MAX_MESSAGE];
        let server_key = self.key.verifying_key().to_bytes();
        let length = Proof { purpose, server_key: &server_key, subject, challenge }.write(&mut message).unwrap();
        let signature = bytes(&body["signature"]);
        match algorithm {
            #[cfg(feature = "p256")]
            KeyAlgorithm::Es256 => {
                use p256::ecdsa::{Signature, VerifyingKey, signature::Verifier};
                let key = VerifyingKey::from_sec1_bytes(public).unwrap();
                key.verify(&message[..length], &Signature::from_slice(&signature).unwrap()).is_ok()
            }
            _ => {
                let key = ed25519_dalek::VerifyingKey::from_bytes(public.try_into().unwrap()).unwrap();
                key.verify_strict(&message[..length], &signature[..].try_into().unwrap()).is_ok()
            }
        }
    }

    fn claim(&mut self, body: &Value) -> Result<Value, (u16, &'static str)> {
        let code: ClaimCode = body["code"].as_str().unwrap().parse().unwrap();
        let public = bytes(&body["public_key"]);
        let algorithm = KeyAlgorithm::parse(body["algorithm"].as_str().unwrap()).unwrap();
        if !self.proves(body, Purpose::Claim, code.as_str(), &public, algorithm) {
            return Err((401, "device.invalid_proof"));
        }
        let known = self.code.parse() == Ok(code) && self.code_counts;
        let id = match &self.used_by {
            _ if !known => return Err((400, "device.invalid_claim")),
            Some((key, id)) if *key == public => id.clone(),
            Some(_) => return Err((400, "device.invalid_claim")),
            None => {
                let id = format!("dev_0192f0c1a4b87c3d9e5f60718293{:04x}", self.devices.len() + 1);
                self.used_by = Some((public.clone(), id.clone()));
                let owned = Owned { id: id.clone(), public, algorithm, revoked: false, beats: Vec::new() };
                self.devices.push(owned);
                id
            }
        };
        let token = self.new_token(&id);
        Ok(
            json!({"device": {"id": id, "name": "Greenhouse"}, "access_token": token, "token_type": "Bearer", "expires_in": 600}),
        )
    }

    fn token(&mut self, body: &Value) -> Result<Value, (u16, &'static str)> {
        let id = body["device_id"].as_str().unwrap().to_owned();
        let known = self.devices.iter().find(|device| device.id == id && !device.revoked);
        let (public, algorithm) =
            known.map(|known| (known.public.clone(), known.algorithm)).ok_or((401, "device.invalid_proof"))?;
        if !self.proves(body, Purpose::Token, &id, &public, algorithm) {
            return Err((401, "device.invalid_proof"));
        }
        let token = self.new_token(&id);
        Ok(json!({"access_token": token, "token_type": "Bearer", "expires_in": 600, "device_id": id}))
    }

    fn new_token(&mut self, id: &str) -> String {
        self.counter += 1;
        let mut token = format!("eyJ.token-{}.x", self.counter);
        if self.longest {
            token += &"x".repeat(1024 - token.len());
        }
        self.tokens.insert(token.clone(), id.to_owned());
        token
    }
}

fn bytes(text: &Value) -> Vec<u8> {
    Base64::decode_vec(text.as_str().unwrap()).unwrap()
}
