//! What Prometheus reads: requests by route template, and whatever the engine counts through the `metrics` facade.

mod recorder;

pub use recorder::install_recorder;

use recorder::{Durations, Line};
use std::{
    fmt::Write,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// The statuses that are counted by themselves; others count as `other`.
const STATUSES: [u16; 24] = [
    200, 201, 202, 204, 303, 304, 308, 400, 401, 403, 404, 405, 408, 409, 410, 412, 413, 415, 421, 422, 429, 500, 501,
    503,
];

/// The counts of one method of one route. Counters of its own, because a lookup in a registry for each request would
/// cost more than the count.
#[derive(Debug, Default)]
pub(crate) struct RouteStats {
    statuses: [AtomicU64; STATUSES.len() + 1],
    durations: Durations,
}

impl RouteStats {
    pub(crate) fn count(&self, status: u16, took: Duration) {
        let status = STATUSES.iter().position(|known| *known == status).unwrap_or(STATUSES.len());
        self.statuses[status].fetch_add(1, Relaxed);
        self.durations.count(took);
    }
}

/// Writes the counts in Prometheus's text format.
pub(crate) fn render<'a>(
    routes: impl Iterator<Item = (&'a str, &'a str, &'a RouteStats)> + Clone,
    refused: impl Iterator<Item = (&'static str, u64)>,
) -> String {
    let mut text = recorder::render();
    text.push_str(
        "# HELP authkit_http_requests_total Requests answered.\n# TYPE authkit_http_requests_total counter\n",
    );
    for (method, route, stats) in routes.clone() {
        for (count, status) in stats.statuses.iter().zip(STATUSES.iter().copied().map(Some).chain([None])) {
            let count = count.load(Relaxed);
            if count == 0 {
                continue;
            }
            let status = status.map_or_else(|| "other".to_owned(), |status| status.to_string());
            let _ = writeln!(
                text,
                "authkit_http_requests_total{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}} {count}"
            );
        }
    }
    text.push_str(
        "# HELP authkit_http_rate_limited_total Requests refused because there were too many of their class.\n",
    );
    text.push_str("# TYPE authkit_http_rate_limited_total counter\n");
    for (class, count) in refused {
        let _ = writeln!(text, "authkit_http_rate_limited_total{{class=\"{class}\"}} {count}");
    }
    text.push_str("# HELP authkit_http_request_duration_seconds How long answers took.\n");
    text.push_str("# TYPE authkit_http_request_duration_seconds histogram\n");
    for (method, route, stats) in routes {
        let labels = [("method", method), ("route", route)];
        stats.durations.write(&mut text, &Line { name: "authkit_http_request_duration_seconds", labels: &labels });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_counted_under_its_status() {
        for code in authkit_core::wire::ErrorCode::ALL {
            assert!(STATUSES.contains(&code.status()), "{code}");
        }
    }

    #[test]
    fn counts_are_written_by_route_and_status() {
        let stats = RouteStats::default();
        stats.count(200, Duration::from_micros(300));
        stats.count(200, Duration::from_secs(60));
        stats.count(418, Duration::from_micros(50));
        let text = render([("GET", "/v1/roles/{id}", &stats)].into_iter(), [("read", 3)].into_iter());
        assert!(text.contains("authkit_http_rate_limited_total{class=\"read\"} 3"), "{text}");
        assert!(text.contains("requests_total{method=\"GET\",route=\"/v1/roles/{id}\",status=\"200\"} 2"), "{text}");
        assert!(text.contains("status=\"other\"} 1"));
        assert!(text.contains("le=\"0.0005\"} 2"));
        assert!(text.contains("le=\"+Inf\"} 3"));
        assert!(text.contains("duration_seconds_count{method=\"GET\",route=\"/v1/roles/{id}\"} 3"));
    }
}
