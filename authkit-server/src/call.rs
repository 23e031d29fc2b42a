//! What the combined layer learned about a request, for the extractors behind it.

use authkit_core::{Origin, Principal, devices::DevicePrincipal, memory::SystemRandom, ports::Random, wire::TenantId};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use std::{
    fmt,
    net::IpAddr,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// A trace id (W3C Trace Context, section 3.2.2.3): 32 hexadecimal digits, not all zero.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceId([u8; 32]);

impl TraceId {
    /// That of a valid `traceparent` header.
    fn from_traceparent(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let hex = |text: &str, length: usize| {
            text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        let zero = |text: &str| text.bytes().all(|b| b == b'0');
        // Version 00 has exactly four parts; later ones may have more (section 3.2.4).
        if !hex(version, 2) || version == "ff" || (version == "00" && parts.next().is_some()) {
            return None;
        }
        if !hex(trace, 32) || zero(trace) || !hex(parent, 16) || zero(parent) || !hex(flags, 2) {
            return None;
        }
        trace.as_bytes().try_into().ok().map(Self)
    }

    /// The header that tells it.
    pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-trace-id");

    /// That of a request which the combined layer does not see, or a new one.
    pub(crate) fn outside(headers: &HeaderMap) -> Self {
        static IDS: LazyLock<TraceIds> = LazyLock::new(|| {
            let mut random = [0; 16];
            SystemRandom.fill(&mut random);
            TraceIds::new(random)
        });
        IDS.of(headers)
    }

    /// As text.
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    pub(crate) fn header(&self) -> HeaderValue {
        HeaderValue::from_bytes(&self.0).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Gives out trace ids. They are unique, not secret, so one random start and a counter serve, without a system call
/// for each request.
#[derive(Debug)]
pub(crate) struct TraceIds {
    start: u64,
    next: AtomicU64,
}

impl TraceIds {
    pub(crate) fn new(random: [u8; 16]) -> Self {
        let (a, b) = random.split_at(8);
        let number = |bytes: &[u8]| bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        Self { start: number(a) | 1, next: AtomicU64::new(number(b)) }
    }

    /// That of the request, or a new one.
    pub(crate) fn of(&self, headers: &HeaderMap) -> TraceId {
        headers
            .get("traceparent")
            .and_then(|value| value.to_str().ok())
            .and_then(TraceId::from_traceparent)
            .unwrap_or_else(|| self.fresh())
    }

    pub(crate) fn fresh(&self) -> TraceId {
        // SplitMix64 spreads the counter, so that ids of one node do not look alike.
        let mut z = self.next.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        let mut text = [0; 32];
        let number = u128::from(self.start) << 64 | u128::from(z);
        for (i, digit) in text.iter_mut().enumerate() {
            let nibble = (number >> (124 - 4 * i)) & 0xf;
            *digit = b"0123456789abcdef"[nibble as usize];
        }
        TraceId(text)
    }
}

/// Bounds for reading a request's body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimits {
    /// Bytes, at most.
    pub(crate) bytes: usize,
    /// Time for the whole body.
    pub(crate) time: Duration,
}

/// What the combined layer learned about a request.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// Finds the request in the log.
    pub(crate) trace: TraceId,
    /// The tenant found before sign-in.
    pub(crate) tenant: TenantId,
    /// Whether host or header name it.
    pub(crate) names_tenant: bool,
    /// The client's address, through trusted proxies only.
    pub(crate) ip: Option<IpAddr>,
    /// Who makes the request, where the route asks for it.
    pub(crate) principal: Option<Principal>,
    /// Which device makes it, where the route asks for one.
    pub(crate) device: Option<DevicePrincipal>,
    /// Bounds for reading the body.
    pub(crate) body: BodyLimits,
}

impl Call {
    /// The tenant that the caller's token is of.
    pub(crate) fn caller_tenant(&self) -> Option<TenantId> {
        let device = self.device.map(|device| device.tenant);
        self.principal.as_ref().map(|principal| principal.tenant).or(device)
    }

    /// Where the request came from, for the services.
    pub(crate) fn origin(&self, headers: &HeaderMap) -> Origin {
        Origin {
            tenant: self.caller_tenant().unwrap_or(self.tenant),
            names_tenant: self.names_tenant,
            ip: self.ip,
            user_agent: headers.get(header::USER_AGENT).map(user_agent).filter(|text| !text.is_empty()),
            trace_id: Some(self.trace.as_str().to_owned()),
        }
    }
}

/// At most 256 characters, without control characters: it goes into lists, mails and the audit log.
fn user_agent(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).chars().filter(|c| !c.is_control()).take(256).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valid_traceparent_names_the_trace_and_others_do_not() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(TraceId::from_traceparent(&format!("00-{id}-00f067aa0ba902b7-01")).unwrap().as_str(), id);
        assert_eq!(TraceId::from_traceparent(&format!("01-{id}-00f067aa0ba902b7-01-x")).unwrap().as_str(), id);
        for wrong in [
            "",
            "00-4bf9-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        ] {
            assert!(TraceId::from_traceparent(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn fresh_trace_ids_differ() {
        let ids = TraceIds::new([7; 16]);
        let (a, b) = (ids.fresh(), ids.fresh());
        assert_ne!(a, b);
        assert_eq!(a.as_str().len(), 32);
    }

    #[test]
    fn a_user_agent_is_cut_and_cleaned() {
        let long = "x".repeat(400);
        assert_eq!(user_agent(&HeaderValue::from_str(&long).unwrap()).len(), 256);
        assert_eq!(user_agent(&HeaderValue::from_bytes(b"a\tb\xff").unwrap()), "ab\u{fffd}");
    }
}
