//! What Prometheus reads: requests by route template, and whatever the engine counts through the `metrics` facade.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::{
    fmt::Write,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// Upper bounds of the duration's buckets, in microseconds.
const BOUNDS: [u64; 14] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000];

/// The statuses that are counted by themselves; others count as `other`.
const STATUSES: [u16; 25] = [
    200, 201, 202, 204, 302, 303, 304, 400, 401, 403, 404, 405, 408, 409, 412, 413, 415, 421, 422, 429, 500, 501, 503,
    301, 307,
];

/// The counts of one method of one route. Counters of its own, because a lookup in a registry for each request would
/// cost more than the count.
#[derive(Debug, Default)]
pub(crate) struct RouteStats {
    statuses: [AtomicU64; STATUSES.len() + 1],
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

impl RouteStats {
    pub(crate) fn count(&self, status: u16, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let status = STATUSES.iter().position(|known| *known == status).unwrap_or(STATUSES.len());
        let bucket = BOUNDS.iter().position(|bound| micros <= *bound).unwrap_or(BOUNDS.len());
        self.statuses[status].fetch_add(1, Relaxed);
        self.buckets[bucket].fetch_add(1, Relaxed);
        self.micros.fetch_add(micros, Relaxed);
    }
}

/// Writes the counts in Prometheus's text format.
pub(crate) fn render<'a>(routes: impl Iterator<Item = (&'a str, &'a str, &'a RouteStats)> + Clone) -> String {
    let mut text = recorder().map(PrometheusHandle::render).unwrap_or_default();
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
    text.push_str("# HELP authkit_http_request_duration_seconds How long answers took.\n");
    text.push_str("# TYPE authkit_http_request_duration_seconds histogram\n");
    for (method, route, stats) in routes {
        let labels = format!("method=\"{method}\",route=\"{route}\"");
        let mut sum = 0;
        let counts: Vec<u64> = stats.buckets.iter().map(|count| count.load(Relaxed)).collect();
        if counts.iter().all(|count| *count == 0) {
            continue;
        }
        for (count, bound) in counts.iter().zip(BOUNDS) {
            sum += count;
            let bound = bound as f64 / 1e6;
            let _ = writeln!(text, "authkit_http_request_duration_seconds_bucket{{{labels},le=\"{bound}\"}} {sum}");
        }
        sum += counts[BOUNDS.len()];
        let seconds = stats.micros.load(Relaxed) as f64 / 1e6;
        let _ = writeln!(text, "authkit_http_request_duration_seconds_bucket{{{labels},le=\"+Inf\"}} {sum}");
        let _ = writeln!(text, "authkit_http_request_duration_seconds_sum{{{labels}}} {seconds}");
        let _ = writeln!(text, "authkit_http_request_duration_seconds_count{{{labels}}} {sum}");
    }
    text
}

static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Takes in what is counted through the `metrics` facade, unless the host application has a recorder of its own.
/// It does so on a thread of its own: calibrating the recorder's clock takes longer than all else that a start does.
pub fn install_recorder() {
    std::thread::spawn(|| {
        let _ = RECORDER.get_or_init(|| PrometheusBuilder::new().install_recorder().ok());
    });
}

fn recorder() -> Option<&'static PrometheusHandle> {
    RECORDER.get()?.as_ref()
}

/// Folds what histograms hold; without it they grow until somebody reads them.
pub(crate) fn upkeep() {
    if let Some(handle) = recorder() {
        handle.run_upkeep();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_written_by_route_and_status() {
        let stats = RouteStats::default();
        stats.count(200, Duration::from_micros(300));
        stats.count(200, Duration::from_secs(60));
        stats.count(418, Duration::from_micros(50));
        let text = render([("GET", "/v1/roles/{id}", &stats)].into_iter());
        assert!(text.contains("requests_total{method=\"GET\",route=\"/v1/roles/{id}\",status=\"200\"} 2"), "{text}");
        assert!(text.contains("status=\"other\"} 1"));
        assert!(text.contains("le=\"0.0005\"} 2"));
        assert!(text.contains("le=\"+Inf\"} 3"));
        assert!(text.contains("duration_seconds_count{method=\"GET\",route=\"/v1/roles/{id}\"} 3"));
    }
}
