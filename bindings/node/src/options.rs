use authkit_client::{Builder, CallOptions, Error, FileStorage, Result};
use serde::{Deserialize, de::DeserializeOwned};
use std::time::Duration;

/// What JavaScript says about a client, as JSON.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientSettings {
    base_url: Option<String>,
    #[serde(default)]
    allow_insecure: bool,
    tenant: Option<String>,
    timeout_ms: Option<u64>,
    retries: Option<u32>,
    storage_path: Option<String>,
}

impl ClientSettings {
    pub(crate) fn parse(json: &str) -> Result<Self> {
        parse(json)
    }

    pub(crate) fn apply(self, mut builder: Builder) -> Builder {
        if let Some(url) = self.base_url {
            builder = builder.base_url(url).allow_insecure(self.allow_insecure);
        }
        if let Some(tenant) = self.tenant {
            builder = builder.tenant(tenant);
        }
        if let Some(timeout) = self.timeout_ms {
            builder = builder.timeout(Duration::from_millis(timeout));
        }
        if let Some(retries) = self.retries {
            builder = builder.retries(retries);
        }
        if let Some(path) = self.storage_path {
            builder = builder.storage(FileStorage::new(path));
        }
        builder
    }
}

/// What JavaScript says about one call, as JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallSettings {
    idempotency_key: Option<String>,
    timeout_ms: Option<u64>,
}

pub(crate) fn call_options(json: &str) -> Result<CallOptions> {
    let CallSettings { idempotency_key, timeout_ms } = parse(json)?;
    let mut options = CallOptions::default();
    options.idempotency_key = idempotency_key;
    options.timeout = timeout_ms.map(Duration::from_millis);
    Ok(options)
}

/// Without the parser's words, which quote what they stumble over.
pub(crate) fn parse<T: DeserializeOwned>(json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|error| {
        let place = error.column();
        Error::invalid_argument(format!(
            "An option does not exist or is of another kind (at character {place} of its JSON)."
        ))
    })
}
