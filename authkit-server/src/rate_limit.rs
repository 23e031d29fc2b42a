//! Limits on the number of requests, by class of route and by user or client address.

use crate::quotas::Quotas;
use authkit_core::{
    Context, Error,
    wire::{DeviceId, ErrorCode, UserId},
};
use authkit_engine::config::{Rate, RateLimits as Config};
use governor::{Quota, RateLimiter, clock::Clock, middleware::StateInformationMiddleware, nanos::Nanos};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::{
    fmt,
    io::Write,
    net::IpAddr,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

/// What kind of work a route is, for rate limits. Limits count per class, never per concrete path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RateClass {
    /// Passwords and second factors.
    SignIn,
    /// Registrations.
    Register,
    /// What sends a mail.
    Mail,
    /// What presents a token.
    Token,
    /// Everything else that changes something.
    Write,
    /// Everything else.
    Read,
    /// Probes and keys.
    Unlimited,
}

impl RateClass {
    /// As the `RateLimit` headers name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Register => "register",
            Self::Mail => "mail",
            Self::Token => "token",
            Self::Write => "write",
            Self::Read => "read",
            Self::Unlimited => "unlimited",
        }
    }
}

/// Who is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// A signed-in user.
    User(UserId),
    /// A device.
    Device(DeviceId),
    /// An IPv4 address.
    V4(u32),
    /// An IPv6 network of 64 bits: whoever has one address has them all.
    V6(u64),
    /// Requests from inside the process.
    Local,
}

impl Key {
    pub(crate) fn of_ip(ip: Option<IpAddr>) -> Self {
        match ip.map(|ip| ip.to_canonical()) {
            None => Self::Local,
            Some(IpAddr::V4(ip)) => Self::V4(ip.to_bits()),
            Some(IpAddr::V6(ip)) => Self::V6((ip.to_bits() >> 64) as u64),
        }
    }
}

/// The engine's clock, so that a test that moves it moves the limits too.
#[derive(Clone, Debug)]
struct EngineClock(Arc<Context>);

impl Clock for EngineClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        u64::try_from(self.0.now().as_microsecond()).unwrap_or_default().saturating_mul(1_000).into()
    }
}

type Limiter = RateLimiter<Key, Quotas<Key>, EngineClock, StateInformationMiddleware>;

struct Class {
    limiter: Limiter,
    name: &'static str,
    /// One request's share of the time.
    share: Duration,
    requests: u32,
    policy: HeaderValue,
    since_cleaning: AtomicU32,
    refused: AtomicU64,
}

/// The limits in force.
pub(crate) struct RateLimits {
    sign_in: Option<Class>,
    register: Option<Class>,
    mail: Option<Class>,
    token: Option<Class>,
    write: Option<Class>,
    read: Option<Class>,
}

impl fmt::Debug for RateLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.in_force().map(|class| &class.policy)).finish()
    }
}

/// What the `RateLimit` headers say.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    policy: HeaderValue,
    limit: HeaderValue,
}

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

impl Standing {
    /// Adds the headers (draft-ietf-httpapi-ratelimit-headers-10).
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        headers.insert(POLICY, self.policy);
        headers.insert(LIMIT, self.limit);
    }
}

/// Keys of one class that are remembered at most, about 3 MB: who floods with addresses takes no more.
const MOST_KEYS: usize = 65_536;

/// Forgets keys with a full quota after so many checks.
const CLEANING: u32 = 4_096;

impl RateLimits {
    pub(crate) fn new(config: &Config, cx: &Arc<Context>) -> Self {
        let class = |class: RateClass, rate: Rate| {
            let requests = NonZeroU32::new(rate.requests).filter(|_| config.enabled)?;
            let share = rate.per.duration().checked_div(requests.get())?;
            let quota = Quota::with_period(share)?.allow_burst(requests);
            let limiter: Limiter = RateLimiter::new(quota, Quotas::new(MOST_KEYS), EngineClock(cx.clone()));
            let policy = format!("\"{}\";q={requests};w={}", class.name(), rate.per.duration().as_secs());
            Some(Class {
                limiter,
                name: class.name(),
                share,
                requests: requests.get(),
                policy: HeaderValue::from_str(&policy).ok()?,
                since_cleaning: AtomicU32::new(0),
                refused: AtomicU64::new(0),
            })
        };
        Self {
            sign_in: class(RateClass::SignIn, config.sign_in),
            register: class(RateClass::Register, config.register),
            mail: class(RateClass::Mail, config.mail),
            token: class(RateClass::Token, config.token),
            write: class(RateClass::Write, config.write),
            read: class(RateClass::Read, config.read),
        }
    }

    fn of(&self, class: RateClass) -> Option<&Class> {
        match class {
            RateClass::SignIn => self.sign_in.as_ref(),
            RateClass::Register => self.register.as_ref(),
            RateClass::Mail => self.mail.as_ref(),
            RateClass::Token => self.token.as_ref(),
            RateClass::Write => self.write.as_ref(),
            RateClass::Read => self.read.as_ref(),
            RateClass::Unlimited => None,
        }
    }

    fn in_force(&self) -> impl Iterator<Item = &Class> {
        [&self.sign_in, &self.register, &self.mail, &self.token, &self.write, &self.read].into_iter().flatten()
    }

    /// Counts a request; `standing` gets what the headers say, where a limit is in force.
    ///
    /// # Errors
    /// `request.rate_limited`
    pub(crate) fn check(&self, class: RateClass, key: Key, standing: &mut Option<Standing>) -> Result<(), Error> {
        let Some(class) = self.of(class) else { return Ok(()) };
        if class.since_cleaning.fetch_add(1, Ordering::Relaxed) >= CLEANING {
            class.since_cleaning.store(0, Ordering::Relaxed);
            class.limiter.retain_recent();
            class.limiter.shrink_to_fit();
        }
        match class.limiter.check_key(&key) {
            Ok(state) => {
                let left = state.remaining_burst_capacity();
                *standing = Some(class.standing(left, class.share * (class.requests - left.min(class.requests))));
                Ok(())
            }
            Err(until) => {
                class.refused.fetch_add(1, Ordering::Relaxed);
                let wait = until.wait_time_from(class.limiter.clock().now());
                *standing = Some(class.standing(0, wait));
                Err(Error::new(
                    ErrorCode::RateLimited,
                    "Too many requests of this kind; try again after the time in `Retry-After`.",
                )
                .retry_after(wait))
            }
        }
    }

    /// How many requests of each class were refused.
    pub(crate) fn refused(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.in_force().map(|class| (class.name, class.refused.load(Ordering::Relaxed)))
    }

    /// How many keys are remembered for the class.
    #[cfg(test)]
    pub(crate) fn remembered(&self, class: RateClass) -> usize {
        self.of(class).map_or(0, |class| class.limiter.len())
    }
}

impl Class {
    fn standing(&self, left: u32, reset: Duration) -> Standing {
        let mut text = [0_u8; 64];
        let mut rest = text.as_mut_slice();
        // A write into 64 bytes fits: a name, two numbers.
        let _ = write!(rest, "\"{}\";r={left};t={}", self.name, reset.as_secs() + u64::from(reset.subsec_nanos() > 0));
        let unused = rest.len();
        let limit = HeaderValue::from_bytes(&text[..64 - unused]).unwrap_or_else(|_| HeaderValue::from_static(""));
        Standing { policy: self.policy.clone(), limit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_counts_by_network() {
        let key = |text: &str| Key::of_ip(Some(text.parse().unwrap()));
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::9"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
    }
}
