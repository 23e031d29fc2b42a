//! What the combined layer takes from the configuration, ready to use.

use crate::call::BodyLimits;
use authkit_core::wire::Secret;
use authkit_engine::Config;
use http::{HeaderName, HeaderValue, header};
use ipnet::IpNet;
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct Options {
    /// Whether only this machine is answered, and the outbox is served.
    pub(crate) development: bool,
    /// The host names that are answered for besides tenants'.
    pub(crate) hosts: Vec<String>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) cors: Cors,
    pub(crate) body: BodyLimits,
    pub(crate) request_timeout: Duration,
    pub(crate) operator_token: Option<Secret>,
    pub(crate) metrics: bool,
    pub(crate) docs: bool,
    /// Whether metrics and documentation have a listener of their own.
    pub(crate) own_listener: bool,
    /// Set on every answer that does not say otherwise.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

/// Which other origins' pages may read answers.
#[derive(Debug)]
pub(crate) struct Cors {
    pub(crate) any: bool,
    pub(crate) origins: Vec<HeaderValue>,
}

impl Options {
    pub(crate) fn new(config: &Config) -> Self {
        let origins = &config.cors.origins;
        let mut headers = vec![
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::X_FRAME_OPTIONS, "DENY"),
            (header::REFERRER_POLICY, "no-referrer"),
            (
                HeaderName::from_static("permissions-policy"),
                "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
            ),
            (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
            (header::CACHE_CONTROL, "no-store"),
        ];
        if config.public_url().starts_with("https://") {
            headers.push((header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains"));
        }
        Self {
            development: config.is_development(),
            hosts: config.host_names(),
            trusted_proxies: config.trusted_proxies.clone(),
            cors: Cors {
                any: origins.iter().any(|origin| origin == "*"),
                origins: origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect(),
            },
            body: BodyLimits {
                bytes: config.http.body_limit_kib.saturating_mul(1024),
                time: config.http.body_timeout.duration(),
            },
            request_timeout: config.http.request_timeout.duration(),
            operator_token: config.operations.token.clone(),
            metrics: config.serves_metrics(),
            docs: config.serves_docs(),
            own_listener: config.operations.listen.is_some(),
            headers: headers.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect(),
        }
    }

    /// Whether any other origin's pages may read answers.
    pub(crate) fn answers_other_origins(&self) -> bool {
        self.cors.any || !self.cors.origins.is_empty()
    }

    /// What `Access-Control-Allow-Origin` answers to a request from `origin`.
    pub(crate) fn allowed_origin(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        if self.cors.any {
            return Some(HeaderValue::from_static("*"));
        }
        self.cors.origins.iter().find(|allowed| *allowed == origin).cloned()
    }
}
