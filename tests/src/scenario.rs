//! The Rust runner of tests/scenarios.

use crate::{Place, device::Device, place::call};
use authkit_testkit::authenticator;
use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{collections::HashMap, path::Path};

type Run<T = ()> = Result<T, String>;

/// A file of tests/scenarios.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The file without its ending.
    #[serde(skip)]
    pub file: String,
    /// What holds.
    pub name: String,
    #[serde(default)]
    needs: Vec<String>,
    #[serde(default)]
    skip: HashMap<String, String>,
    steps: Vec<Step>,
}

/// One step: a call, a mail, a move of the clock or a one-time password, and how it comes out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    r#as: Option<String>,
    device: Option<String>,
    call: Option<String>,
    claim: Option<String>,
    #[serde(default)]
    with: Map<String, Value>,
    tenant: Option<String>,
    key: Option<String>,
    times: Option<usize>,
    mail: Option<HashMap<String, String>>,
    advance: Option<u32>,
    totp: Option<HashMap<String, String>>,
    expect: Option<Value>,
    fails: Option<Value>,
    #[serde(default)]
    save: HashMap<String, String>,
}

impl Scenario {
    /// All of them, by file.
    #[must_use]
    pub fn read_all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|ending| ending == "json"));
        files.sort();
        let read = |file: &std::path::PathBuf| {
            let text = std::fs::read_to_string(file).unwrap();
            let read: Self = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            Self { file: file.file_stem().unwrap().to_string_lossy().into_owned(), ..read }
        };
        files.iter().map(read).collect()
    }

    /// Why a runner of `language` that offers `offers` leaves it out.
    #[must_use]
    pub fn skipped(&self, language: &str, offers: &[&str]) -> Option<String> {
        let missing = self.needs.iter().find(|need| !offers.contains(&need.as_str()));
        self.skip.get(language).cloned().or_else(|| missing.map(|need| format!("needs {need}")))
    }

    /// Runs it on a fresh state.
    ///
    /// # Errors
    /// The step that did not come out as it says, and how it did.
    pub async fn run(&self, place: &Place) -> Run {
        let fresh = place.control("POST", "/conformance/reset", Some(json!({}))).await?;
        let admin = json!({"email": fresh["email"], "password": fresh["password"]});
        let mut play = Play { place, admin, clients: HashMap::new(), devices: HashMap::new(), saved: HashMap::new() };
        for (number, step) in self.steps.iter().enumerate() {
            play.step(step).await.map_err(|reason| format!("step {}: {reason}", number + 1))?;
        }
        Ok(())
    }
}

struct Play<'a> {
    place: &'a Place,
    admin: Value,
    clients: HashMap<String, authkit_client::Client>,
    devices: HashMap<String, Device>,
    saved: HashMap<String, String>,
}

impl Play<'_> {
    async fn step(&mut self, step: &Step) -> Run {
        for result in self.perform(step).await? {
            let result = match (result, &step.fails) {
                (Ok(value), None) => value,
                (Ok(value), Some(_)) => return Err(format!("it succeeds: {value}")),
                (Err(error), None) => return Err(format!("it fails: {error}")),
                (Err(error), Some(wanted)) => compare(&self.fill(wanted)?, &error, "error").map(|()| error)?,
            };
            if let Some(wanted) = &step.expect {
                compare(&self.fill(wanted)?, &result, "result")?;
            }
            for (name, path) in &step.save {
                let found = path.split('.').try_fold(&result, |value, part| match value {
                    Value::Array(items) => items.get(part.parse::<usize>().ok()?),
                    value => value.get(part),
                });
                let text = found.and_then(Value::as_str).ok_or_else(|| format!("no text at `{path}` of {result}"))?;
                self.saved.insert(name.clone(), text.to_owned());
            }
        }
        Ok(())
    }

    /// What the step results in, once for each time that it is done.
    async fn perform(&mut self, step: &Step) -> Run<Vec<Result<Value, Value>>> {
        let result = if let (Some(name), Some(operation)) = (&step.r#as, &step.call) {
            if !self.clients.contains_key(name) {
                let client = self.place.client(step.tenant.as_deref());
                if name == "admin" {
                    client.call("login", self.admin.clone()).await.map_err(|error| error.to_string())?;
                }
                self.clients.insert(name.clone(), client);
            }
            let with = self.fill(&Value::Object(step.with.clone()))?;
            let client = &self.clients[name];
            let calls = (0..step.times.unwrap_or(1)).map(|_| call(client, operation, &with, step.key.as_deref()));
            return Ok(join_all(calls).await);
        } else if let Some(name) = &step.device {
            let with = self.fill(&Value::Object(step.with.clone()))?;
            let code = self.fill(&json!(step.claim))?;
            let device = self.devices.entry(name.clone()).or_insert_with(|| Device::new(self.place));
            return Ok(vec![match (&step.call, code.as_str()) {
                (None, Some(code)) => device.claim(code).await,
                (Some(operation), None) => device.call(operation, &with).await,
                _ => return Err("a device claims or calls".to_owned()),
            }]);
        } else if let Some(mail) = &step.mail {
            let list = self.place.control("GET", &format!("/v1/dev/outbox?to={}", mail["to"]), None).await?;
            let mut mails = list["data"].as_array().into_iter().flatten();
            let found =
                mails.find(|found| found["kind"] == *mail["kind"]).ok_or_else(|| format!("no such mail: {list}"))?;
            let mut links = found["links"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let token = links.find_map(|link| link.split_once("token=")).map(|(_, token)| token.split('&').next());
            json!({"token": token, "subject": found["subject"]})
        } else if let Some(seconds) = step.advance {
            self.place.control("POST", "/conformance/clock", Some(json!({ "advance": seconds }))).await?
        } else if let Some(totp) = &step.totp {
            let clock = self.place.control("GET", "/conformance/clock", None).await?;
            let now = clock["now"].as_str().and_then(|now| now.parse().ok()).ok_or("the clock shows nothing")?;
            let secret = self.fill(&json!(totp["secret"]))?;
            json!({ "code": authenticator::code(secret.as_str().unwrap_or_default(), now) })
        } else {
            return Err("there is no such step".to_owned());
        };
        Ok(vec![Ok(result)])
    }

    /// `value` with what was saved in the place of `${name}`.
    fn fill(&self, value: &Value) -> Run<Value> {
        Ok(match value {
            Value::String(text) => {
                let mut filled = text.clone();
                while let Some((before, rest)) = filled.split_once("${") {
                    let (name, after) = rest.split_once('}').ok_or_else(|| format!("`{text}` has no end"))?;
                    let saved = self.saved.get(name).ok_or_else(|| format!("`{name}` was not saved"))?;
                    filled = format!("{before}{saved}{after}");
                }
                filled.into()
            }
            Value::Array(items) => items.iter().map(|item| self.fill(item)).collect::<Run<_>>()?,
            Value::Object(fields) => {
                Value::Object(fields.iter().map(|(name, v)| Ok((name.clone(), self.fill(v)?))).collect::<Run<_>>()?)
            }
            other => other.clone(),
        })
    }
}

/// Whether `found` has the parts that `wanted` names.
fn compare(wanted: &Value, found: &Value, at: &str) -> Run {
    match (wanted, found) {
        (Value::String(any), Value::Null) if any == "*" => Err(format!("{at} is not there")),
        (Value::String(any), _) if any == "*" => Ok(()),
        (Value::Object(parts), Value::Object(_)) => parts.iter().try_for_each(|(name, part)| {
            let found = found.get(name).ok_or_else(|| format!("{at}.{name} is not there: {found}"))?;
            compare(part, found, &format!("{at}.{name}"))
        }),
        (Value::Array(items), Value::Array(others)) if items.len() == others.len() => {
            items.iter().zip(others).enumerate().try_for_each(|(n, (a, b))| compare(a, b, &format!("{at}.{n}")))
        }
        _ if wanted == found => Ok(()),
        _ => Err(format!("{at} is {found}, not {wanted}")),
    }
}
