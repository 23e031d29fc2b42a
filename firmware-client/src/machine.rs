//! What a device does next, and what an answer means: a state machine that neither sends nor waits nor stores.
//!
//! It goes Save → Challenge → Save → Prove → Save → Ready, and begins at Challenge again for each token. Nothing is
//! sent while something waits to be saved.
//!
//! Here and in what it calls, `inline(never)` keeps large temporaries out of the one frame of the client's future, where
//! all of them would take the stack at once.

use crate::{
    client::Settings,
    error::Error,
    http::{Body, Head, write_request},
    json::Value,
    keys::{DeviceKey, verify},
    ports::Random,
    put::Put,
    record::{Bound, Record, Stage, State},
    server::{Invitation, decode},
    text::Held,
};
use authkit_wire::{
    DeviceId,
    device::{
        CHALLENGE_SECONDS, MAX_CHALLENGE, MAX_MESSAGE, MAX_SUBJECT, NONCE, Proof, Purpose, SERVER_KEY, Statement,
    },
};

/// The longest access token: one signed by RSA with room to spare.
const MAX_TOKEN: usize = 1024;

/// What a machine keeps in the caller's buffer.
pub(crate) const HELD: usize = MAX_TOKEN + MAX_CHALLENGE;

/// A challenge is not used in its last seconds: it has to get there.
const CHALLENGE_MARGIN: u64 = 10;

/// A token is renewed so many seconds before its end at the latest.
const TOKEN_MARGIN: u64 = 60;

/// The end of the year 9999, beyond which no certificate can count (RFC 5280, section 4.1.2.5).
const END_OF_TIME: u64 = 253_402_300_799;

/// How often a proof may be refused before the device takes itself for refused: once may be a challenge that was late.
const REFUSALS: u8 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The record must be in the storage before anything is sent.
    Save,
    Challenge(Purpose),
    Prove(Purpose),
    /// There is a token that counts.
    Ready,
}

/// The last time that the server signed, and when.
#[derive(Clone, Copy)]
struct Belief {
    server_time: u64,
    at: u64,
}

struct Challenge<'b> {
    text: Held<'b>,
    purpose: Purpose,
    until: u64,
    /// Who signed it: the key that is kept, or of whom it is not known yet whether it is to be kept.
    server_key: [u8; SERVER_KEY],
}

struct Token<'b> {
    text: Held<'b>,
    until: u64,
}

pub(crate) struct Machine<'b> {
    record: Record,
    unsaved: bool,
    belief: Option<Belief>,
    nonce: [u8; NONCE],
    challenge: Challenge<'b>,
    token: Token<'b>,
    refusals: u8,
}

impl<'b> Machine<'b> {
    pub(crate) fn new(record: Record, held: &'b mut [u8; HELD]) -> Self {
        let (token, challenge) = held.split_at_mut(MAX_TOKEN);
        Self {
            record,
            unsaved: false,
            belief: None,
            nonce: [0; NONCE],
            challenge: Challenge {
                text: Held::new(challenge),
                purpose: Purpose::Claim,
                until: 0,
                server_key: [0; SERVER_KEY],
            },
            token: Token { text: Held::new(token), until: 0 },
            refusals: 0,
        }
    }

    pub(crate) fn record(&self) -> &Record {
        &self.record
    }

    pub(crate) fn bound(&self) -> Result<&Bound, Error> {
        match &self.record {
            Record::Bound(bound) => Ok(bound),
            Record::Empty => Err(Error::Unclaimed),
        }
    }

    pub(crate) fn saved(&mut self) {
        self.unsaved = false;
    }

    pub(crate) fn state(&self) -> State {
        match self.bound().map(|bound| bound.stage) {
            Err(_) => State::Unclaimed,
            Ok(Stage::Claiming(_)) => State::Claiming,
            Ok(Stage::Claimed(device)) if self.refusals >= REFUSALS => State::Refused(device),
            Ok(Stage::Claimed(device)) => State::Claimed(device),
        }
    }

    /// Seconds since 1970 by what the server signed last.
    pub(crate) fn now(&self, uptime: u64) -> Option<u64> {
        self.belief.map(|belief| belief.server_time.saturating_add(uptime.saturating_sub(belief.at) / 1_000))
    }

    /// Begins a claim, or goes on with the same one.
    #[inline(never)]
    pub(crate) fn begin(
        &mut self,
        invitation: &Invitation,
        settings: &Settings<'_>,
        random: &mut impl Random,
    ) -> Result<(), Error> {
        let key = match &self.record {
            Record::Bound(Bound { stage: Stage::Claimed(_), .. }) => return Err(Error::AlreadyClaimed),
            // The server makes one device of one code and one key, however often it is asked.
            Record::Bound(bound) if continues(bound, invitation) => {
                // Nothing new, unless what was typed is now scanned.
                if invitation.server_key.is_none() || invitation.server_key == bound.server_key {
                    return Ok(());
                }
                bound.key.clone()
            }
            // A key that another code may have made a device of is not used again.
            _ => DeviceKey::generate(settings.key, random)?,
        };
        self.replace(Record::Bound(Bound {
            server: invitation.server.clone(),
            tenant: invitation.tenant,
            key,
            server_key: invitation.server_key,
            stage: Stage::Claiming(invitation.code),
        }));
        Ok(())
    }

    /// Forgets everything.
    pub(crate) fn reset(&mut self) {
        self.replace(Record::Empty);
    }

    fn replace(&mut self, record: Record) {
        self.record = record;
        self.unsaved = true;
        // One server's time is not believed for another.
        self.forget_time();
        self.forget_challenge();
        self.forget_token();
        self.refusals = 0;
    }

    /// Lets a refused device ask once more.
    pub(crate) fn try_again(&mut self) {
        self.refusals = 0;
    }

    /// The time that was believed may be what makes a good certificate look bad: the server's clock may have been wrong when
    /// it signed. It is learnt anew.
    pub(crate) fn forget_time(&mut self) {
        self.belief = None;
    }

    /// The token that a call was refused with does not count any more.
    pub(crate) fn forget_token(&mut self) {
        self.token.text.clear();
    }

    /// A challenge that was sent may have been used, whatever became of the answer.
    pub(crate) fn forget_challenge(&mut self) {
        self.challenge.text.clear();
    }

    pub(crate) fn step(&mut self, uptime: u64) -> Result<Step, Error> {
        if self.unsaved {
            return Ok(Step::Save);
        }
        let purpose = match self.state() {
            State::Unclaimed => return Err(Error::Unclaimed),
            State::Refused(_) => return Err(Error::Refused),
            State::Claiming => Purpose::Claim,
            State::Claimed(_) => Purpose::Token,
        };
        // Both are secrets, and secrets go only where the date is known.
        if self.belief.is_none() {
            return Ok(Step::Challenge(purpose));
        }
        if !self.token.text.is_empty() && uptime < self.token.until {
            return Ok(Step::Ready);
        }
        let challenge = &self.challenge;
        let fresh = !challenge.text.is_empty() && challenge.purpose == purpose && uptime < challenge.until;
        Ok(if fresh { Step::Prove(purpose) } else { Step::Challenge(purpose) })
    }

    /// Writes the request of a step; its length.
    #[inline(never)]
    pub(crate) fn write(
        &mut self,
        step: Step,
        settings: &Settings<'_>,
        random: &mut impl Random,
        buffer: &mut [u8],
    ) -> Result<usize, Error> {
        if let Step::Challenge(_) = step {
            random.fill(&mut self.nonce)?;
        }
        let bound = self.bound()?;
        let mut put = Put::new(buffer);
        let path = match step {
            Step::Challenge(purpose) => {
                put.text("{\"purpose\":").quoted(purpose.as_str()).text(",\"nonce\":").base64(&self.nonce);
                match bound.stage {
                    Stage::Claiming(_) => put_key(&mut put, &bound.key)?,
                    Stage::Claimed(device) => put_device(&mut put, device),
                }
                "/v1/devices/challenge"
            }
            Step::Prove(purpose) => {
                let (challenge, signature) = self.prove(purpose)?;
                put.text("{\"challenge\":").quoted(challenge).text(",\"signature\":").base64(&signature);
                match bound.stage {
                    Stage::Claiming(code) => {
                        put_key(&mut put, &bound.key)?;
                        put.text(",\"code\":").quoted(code.as_str());
                        for (name, value) in [(",\"name\":", settings.name), (",\"version\":", settings.version)] {
                            if let Some(value) = value {
                                put.text(name).quoted(value);
                            }
                        }
                        "/v1/devices/claim"
                    }
                    Stage::Claimed(device) => {
                        put_device(&mut put, device);
                        "/v1/devices/token"
                    }
                }
            }
            Step::Save | Step::Ready => return Err(Error::Protocol("nothing to send")),
        };
        let length = put.text("}").length().ok_or(Error::TooLarge)?;
        let head = Head { method: "POST", server: &bound.server, path, tenant: bound.tenant, bearer: None };
        write_request(&head, Body::Written(length), buffer)
    }

    /// Writes a call with the token.
    pub(crate) fn write_call(
        &self,
        method: &'static str,
        path: &str,
        body: Body<'_>,
        buffer: &mut [u8],
    ) -> Result<usize, Error> {
        let bound = self.bound()?;
        let bearer = Some(self.token.text.as_str()).filter(|token| !token.is_empty());
        let head = Head { method, server: &bound.server, path, tenant: bound.tenant, bearer };
        write_request(&head, body, buffer)
    }

    /// The challenge, and this device's signature over it.
    #[inline(never)]
    fn prove(&self, purpose: Purpose) -> Result<(&str, [u8; 64]), Error> {
        let bound = self.bound()?;
        let nothing = Error::Protocol("nothing to prove");
        let challenge = self.challenge.text.as_str();
        let mut id = [0; MAX_SUBJECT];
        let subject = match &bound.stage {
            Stage::Claiming(code) => code.as_str(),
            Stage::Claimed(device) => {
                let mut put = Put::new(&mut id);
                let length = put.id(DeviceId::PREFIX, device.uuid().as_bytes()).length().ok_or(Error::TooLarge)?;
                core::str::from_utf8(&id[..length]).map_err(|_| nothing)?
            }
        };
        let mut message = [0; MAX_MESSAGE];
        let proof = Proof { purpose, server_key: &self.challenge.server_key, subject, challenge };
        let length = proof.write(&mut message).map_err(|_| Error::TooLarge)?;
        Ok((challenge, bound.key.sign(&message[..length])?))
    }

    /// Takes the answer to a step that was sent at `sent`. The time, when the server has signed one.
    pub(crate) fn read(
        &mut self,
        step: Step,
        settings: &Settings<'_>,
        (sent, received): (u64, u64),
        answer: &crate::client::Answer<'_>,
    ) -> Result<Option<u64>, Error> {
        match step {
            Step::Challenge(purpose) => {
                if answer.status != 200 {
                    return Err(answer.error());
                }
                self.read_challenge(purpose, settings.not_before, (sent, received), answer.json()?).map(Some)
            }
            Step::Prove(purpose) => {
                // Used, whatever the answer is.
                self.forget_challenge();
                match answer.status {
                    200 | 201 => self.read_token(purpose, sent, answer.json()?)?,
                    _ => self.read_refusal(purpose, answer)?,
                }
                Ok(None)
            }
            Step::Save | Step::Ready => Err(Error::Protocol("an answer to nothing")),
        }
    }

    #[inline(never)]
    fn read_challenge(
        &mut self,
        purpose: Purpose,
        not_before: u64,
        (sent, received): (u64, u64),
        body: Value<'_>,
    ) -> Result<u64, Error> {
        let read = || {
            let text = |name| body.required(name).and_then(Value::text).ok();
            let challenge = text("challenge")?;
            let server_time = body.required("server_time").and_then(Value::integer).ok()?;
            let server_key: [u8; SERVER_KEY] = decode(text("server_key")?)?;
            Some((challenge, server_time, server_key, decode::<64>(text("signature")?)?))
        };
        let (challenge, server_time, server_key, signature) = read().ok_or(Error::Protocol("the challenge"))?;
        let pinned = self.bound()?.server_key;
        if pinned.is_some_and(|pinned| pinned != server_key) {
            return Err(Error::WrongServer);
        }
        let mut message = [0; MAX_MESSAGE];
        let statement = Statement { server_time, nonce: &self.nonce, challenge };
        let length = statement.write(&mut message).map_err(|_| Error::Protocol("the challenge"))?;
        if !verify(&server_key, &message[..length], &signature) {
            return Err(Error::BadSignature);
        }
        if !(not_before..=END_OF_TIME).contains(&server_time) {
            return Err(Error::Protocol("a time that cannot be"));
        }
        // Nothing is believed before this line.
        self.belief = Some(Belief { server_time, at: received });
        if !self.challenge.text.set(challenge) {
            return Err(Error::Protocol("the challenge"));
        }
        self.challenge.purpose = purpose;
        self.challenge.server_key = server_key;
        self.challenge.until = sent + (CHALLENGE_SECONDS - CHALLENGE_MARGIN) * 1_000;
        Ok(server_time)
    }

    #[inline(never)]
    fn read_token(&mut self, purpose: Purpose, sent: u64, body: Value<'_>) -> Result<(), Error> {
        let read = || {
            let id = match purpose {
                Purpose::Claim => body.required("device").and_then(|device| device.required("id")),
                _ => body.required("device_id"),
            };
            let id: DeviceId = id.and_then(Value::text).ok()?.parse().ok()?;
            let token = body.required("access_token").and_then(Value::text).ok()?;
            let kind = body.required("token_type").and_then(Value::text).ok()?;
            // RFC 6750, section 2.1: what may stand in the header, and nothing that ends it.
            let is_token = token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b));
            let counts = is_token && (1..=MAX_TOKEN).contains(&token.len()) && kind.eq_ignore_ascii_case("Bearer");
            counts.then_some((id, token, body.required("expires_in").and_then(Value::integer).ok()?))
        };
        let (id, token, seconds) = read().ok_or(Error::Protocol("the token"))?;
        if let Record::Bound(bound) = &mut self.record {
            match bound.stage {
                Stage::Claiming(_) => {
                    bound.stage = Stage::Claimed(id);
                    // A key of the first contact is kept no sooner: only a connection whose certificate was judged by
                    // its date has shown whose key it is.
                    bound.server_key = Some(self.challenge.server_key);
                    self.unsaved = true;
                }
                Stage::Claimed(own) if own != id => return Err(Error::Protocol("another device's token")),
                Stage::Claimed(_) => {}
            }
        }
        let lasts = seconds.min(86_400) - TOKEN_MARGIN.min(seconds.min(86_400) / 5);
        self.token.text.set(token);
        self.token.until = sent + lasts * 1_000;
        self.refusals = 0;
        Ok(())
    }

    fn read_refusal(&mut self, purpose: Purpose, answer: &crate::client::Answer<'_>) -> Result<(), Error> {
        let code = answer.code();
        if code == Some("device.invalid_proof") {
            self.refusals += 1;
            return match purpose {
                _ if self.refusals < REFUSALS => Ok(()),
                Purpose::Claim => {
                    self.refusals = 0;
                    Err(Error::ClaimRefused)
                }
                _ => {
                    self.forget_token();
                    Err(Error::Refused)
                }
            };
        }
        Err(if code == Some("device.invalid_claim") { Error::ClaimRefused } else { answer.error() })
    }
}

/// Whether this is the claim that was begun before.
fn continues(bound: &Bound, invitation: &Invitation) -> bool {
    let same_code = matches!(bound.stage, Stage::Claiming(code) if code == invitation.code);
    let same_server = bound.server.address() == invitation.server.address() && bound.tenant == invitation.tenant;
    let same_key =
        invitation.server_key.is_none() || bound.server_key.is_none() || invitation.server_key == bound.server_key;
    same_code && same_server && same_key
}

fn put_key(put: &mut Put<'_>, key: &DeviceKey) -> Result<(), Error> {
    let mut public = [0; 65];
    put.text(",\"algorithm\":").quoted(key.kind.algorithm().as_str());
    put.text(",\"public_key\":").base64(key.public(&mut public)?);
    Ok(())
}

fn put_device(put: &mut Put<'_>, device: DeviceId) {
    put.text(",\"device_id\":\"").id(DeviceId::PREFIX, device.uuid().as_bytes()).text("\"");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_does_not_begin_anew_at_its_end() {
        let mut held = [0; HELD];
        let mut machine = Machine::new(Record::Empty, &mut held);
        machine.belief = Some(Belief { server_time: u64::MAX - 1, at: 0 });
        assert_eq!(machine.now(2_000), Some(u64::MAX));
    }
}
