//! Does for scenarios what a device's client does: a key of its own, challenges that are believed only from the server that
//! it met first, and a new token when the one before does not count any more.

use crate::{
    Place,
    firmware::Actor,
    place::{Devices, call},
};
use authkit_client::Client;
use authkit_core::{memory::SystemRandom, wire::DeviceId};
use authkit_testkit::device::FakeDevice;
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt::Display;

type Answer = Result<Value, Value>;

/// A device of a scenario: put together here, or the client that runs on devices.
pub(crate) enum Device {
    Reference(Box<Reference>),
    Firmware(Box<Actor>),
}

impl Device {
    pub(crate) fn new(place: &Place) -> Self {
        match place {
            Place::At(url, _, Devices::Firmware) => Self::Firmware(Box::new(Actor::new(url))),
            place => Self::Reference(Box::new(Reference::new(place))),
        }
    }

    /// Becomes the device of whoever made the code.
    pub(crate) async fn claim(&mut self, code: &str) -> Answer {
        match self {
            Self::Reference(device) => device.claim(code).await,
            Self::Firmware(device) => tokio::task::block_in_place(|| device.claim(code)),
        }
    }

    /// Calls an operation with its token.
    pub(crate) async fn call(&mut self, name: &str, arguments: &Value) -> Answer {
        match self {
            Self::Reference(device) => device.call(name, arguments).await,
            Self::Firmware(device) => tokio::task::block_in_place(|| device.call(name, arguments)),
        }
    }
}

/// The least that is a device.
pub(crate) struct Reference {
    key: FakeDevice,
    client: Client,
    claimed: Option<Value>,
}

fn not_its_own(error: impl Display) -> Value {
    json!({"code": "device.disbelieved", "status": 0, "message": error.to_string()})
}

impl Reference {
    fn new(place: &Place) -> Self {
        Self { key: FakeDevice::new(&SystemRandom).unwrap(), client: place.client(None), claimed: None }
    }

    async fn claim(&mut self, code: &str) -> Answer {
        let asked = self.send("requestDeviceChallenge", self.key.ask_to_claim()).await?;
        let challenge = serde_json::from_value(asked).map_err(not_its_own)?;
        let claim = self.key.claim(code, &challenge).map_err(not_its_own)?;
        let claimed = self.send("claimDevice", claim).await?;
        self.claimed = Some(claimed.clone());
        Ok(claimed)
    }

    async fn call(&mut self, name: &str, arguments: &Value) -> Answer {
        match self.send_with_token(name, arguments).await {
            Err(error) if error["code"] == "auth.invalid_token" => {
                self.authenticate().await?;
                self.send_with_token(name, arguments).await
            }
            answer => answer,
        }
    }

    async fn send_with_token(&self, name: &str, arguments: &Value) -> Answer {
        let token = self.claimed.as_ref().and_then(|claimed| claimed["access_token"].as_str());
        let client = self.client.with_bearer(token.ok_or_else(|| not_its_own("it was not claimed"))?);
        call(&client, name, arguments, None).await
    }

    async fn authenticate(&mut self) -> Result<(), Value> {
        let claimed = self.claimed.as_ref().ok_or_else(|| not_its_own("it was not claimed"))?;
        let id: DeviceId = claimed["device"]["id"].as_str().unwrap_or_default().parse().map_err(not_its_own)?;
        let asked = self.send("requestDeviceChallenge", self.key.ask_for_token(id)).await?;
        let challenge = serde_json::from_value(asked).map_err(not_its_own)?;
        let proof = self.key.token(id, &challenge).map_err(not_its_own)?;
        let mut token = self.send("issueDeviceToken", proof).await?;
        token["device"] = json!({ "id": id });
        self.claimed = Some(token);
        Ok(())
    }

    async fn send(&self, name: &str, request: impl Serialize) -> Answer {
        call(&self.client, name, &json!(request), None).await
    }
}
