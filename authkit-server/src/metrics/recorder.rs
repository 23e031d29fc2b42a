//! A recorder for the `metrics` facade, and Prometheus's text format.
//!
//! Not metrics-exporter-prometheus: that one calibrates a clock when it is made, which keeps a core busy for up to 200 ms,
//! ten times what all else of a start takes.

use metrics::{Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, SharedString, Unit};
use papaya::HashMap;
use std::{
    collections::BTreeMap,
    fmt::Write,
    hash::Hash,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// Upper bounds of the buckets of durations, in microseconds.
const BOUNDS: [u64; 14] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000];

static RECORDER: OnceLock<Arc<Recorder>> = OnceLock::new();

/// Takes in what is counted through the `metrics` facade, unless the host application has a recorder of its own.
pub fn install_recorder() {
    let recorder = Arc::new(Recorder::default());
    if metrics::set_global_recorder(Arc::clone(&recorder)).is_ok() {
        let _ = RECORDER.set(recorder);
    }
}

/// What was taken in, in Prometheus's text format; empty without the recorder.
pub(super) fn render() -> String {
    RECORDER.get().map_or_else(String::new, |recorder| recorder.render())
}

/// A histogram of durations.
#[derive(Debug, Default)]
pub(super) struct Durations {
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

/// What a value is called.
pub(super) struct Line<'a> {
    pub(super) name: &'a str,
    pub(super) labels: &'a [(&'a str, &'a str)],
}

impl Durations {
    pub(super) fn count(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.iter().position(|bound| micros <= *bound).unwrap_or(BOUNDS.len());
        self.buckets[bucket].fetch_add(1, Relaxed);
        self.micros.fetch_add(micros, Relaxed);
    }

    /// Writes its lines; none while it is empty.
    pub(super) fn write(&self, text: &mut String, line: &Line<'_>) {
        let counts: Vec<u64> = self.buckets.iter().map(|count| count.load(Relaxed)).collect();
        let total: u64 = counts.iter().sum();
        if total == 0 {
            return;
        }
        let bounds = BOUNDS.iter().map(|bound| (*bound as f64 / 1e6).to_string()).chain(["+Inf".to_owned()]);
        let mut sum = 0;
        for (count, bound) in counts.iter().zip(bounds) {
            sum += count;
            line.write(text, "_bucket", Some(&bound), sum);
        }
        line.write(text, "_sum", None, self.micros.load(Relaxed) as f64 / 1e6);
        line.write(text, "_count", None, total);
    }
}

impl HistogramFn for Durations {
    /// Takes seconds.
    fn record(&self, value: f64) {
        self.count(Duration::try_from_secs_f64(value).unwrap_or_default());
    }
}

impl Line<'_> {
    fn write(&self, text: &mut String, suffix: &str, bound: Option<&str>, value: impl std::fmt::Display) {
        let labels = self.labels.iter().copied().chain(bound.map(|bound| ("le", bound)));
        let labels: Vec<_> = labels.map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let _ = match labels.as_slice() {
            [] => writeln!(text, "{}{suffix} {value}", self.name),
            labels => writeln!(text, "{}{suffix}{{{}}} {value}", self.name, labels.join(",")),
        };
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Letters, digits, `_` and `:`, beginning with no digit: other names would spoil the whole text.
fn name(text: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || c == ':' { c } else { '_' };
    let digit = if text.starts_with(|c: char| c.is_ascii_digit()) { "_" } else { "" };
    digit.chars().chain(text.chars().map(kept)).collect()
}

#[derive(Default)]
struct Recorder {
    counters: HashMap<Key, Arc<AtomicU64>>,
    /// Bits of an `f64`.
    gauges: HashMap<Key, Arc<AtomicU64>>,
    histograms: HashMap<Key, Arc<Durations>>,
    described: HashMap<String, SharedString>,
}

fn entry<K: Hash + Eq + Clone, V: Default>(map: &HashMap<K, Arc<V>>, key: &K) -> Arc<V> {
    let map = map.pin();
    // Looked up first, so that the key is copied once and not with each count.
    map.get(key).unwrap_or_else(|| map.get_or_insert_with(key.clone(), Arc::default)).clone()
}

impl Recorder {
    fn describe(&self, key: &KeyName, description: SharedString) {
        self.described.pin().insert(name(key.as_str()), description);
    }

    fn render(&self) -> String {
        // By name, so that what belongs together stands together, as the format asks.
        let mut families: BTreeMap<String, (&str, Vec<String>)> = BTreeMap::new();
        let mut add = |key: &Key, kind, write: &dyn Fn(&mut String, &Line<'_>)| {
            let family = name(key.name());
            let names: Vec<_> = key.labels().map(|label| name(label.key())).collect();
            let labels: Vec<_> =
                names.iter().map(String::as_str).zip(key.labels().map(|label| label.value())).collect();
            let mut text = String::new();
            write(&mut text, &Line { name: &family, labels: &labels });
            families.entry(family).or_insert_with(|| (kind, Vec::new())).1.push(text);
        };
        for (key, value) in &self.counters.pin() {
            add(key, "counter", &|text, line| line.write(text, "", None, value.load(Relaxed)));
        }
        for (key, value) in &self.gauges.pin() {
            add(key, "gauge", &|text, line| line.write(text, "", None, f64::from_bits(value.load(Relaxed))));
        }
        for (key, value) in &self.histograms.pin() {
            add(key, "histogram", &|text, line| value.write(text, line));
        }
        let described = self.described.pin();
        let mut text = String::new();
        for (name, (kind, mut lines)) in families {
            if let Some(help) = described.get(&name) {
                let _ = writeln!(text, "# HELP {name} {}", help.replace('\\', "\\\\").replace('\n', "\\n"));
            }
            let _ = writeln!(text, "# TYPE {name} {kind}");
            lines.sort_unstable();
            text.extend(lines);
        }
        text
    }
}

impl metrics::Recorder for Recorder {
    fn describe_counter(&self, key: KeyName, _: Option<Unit>, description: SharedString) {
        self.describe(&key, description);
    }

    fn describe_gauge(&self, key: KeyName, _: Option<Unit>, description: SharedString) {
        self.describe(&key, description);
    }

    fn describe_histogram(&self, key: KeyName, _: Option<Unit>, description: SharedString) {
        self.describe(&key, description);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(entry(&self.counters, key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(entry(&self.gauges, key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(entry(&self.histograms, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_gauges_and_histograms_are_written_with_their_help() {
        let recorder = Recorder::default();
        metrics::with_local_recorder(&recorder, || {
            metrics::describe_counter!("jobs_total", "Jobs\nby \\ outcome.");
            for outcome in ["good", "bad \"or\"\nworse", "good"] {
                metrics::counter!("jobs_total", "outcome" => outcome).increment(2);
            }
            metrics::gauge!("waiting").set(1.5);
            metrics::histogram!("took_seconds", "queue" => "a").record(0.002);
            metrics::histogram!("took_seconds", "queue" => "a").record(f64::NAN);
            metrics::counter!("9 odd.name", "a-b" => "c").increment(1);
        });
        let text = recorder.render();
        for lines in [
            "# HELP jobs_total Jobs\\nby \\\\ outcome.\n# TYPE jobs_total counter\n\
             jobs_total{outcome=\"bad \\\"or\\\"\\nworse\"} 2\njobs_total{outcome=\"good\"} 4\n",
            "# TYPE waiting gauge\nwaiting 1.5\n",
            "took_seconds_bucket{queue=\"a\",le=\"0.001\"} 1\ntook_seconds_bucket{queue=\"a\",le=\"0.0025\"} 2\n",
            "took_seconds_bucket{queue=\"a\",le=\"+Inf\"} 2\ntook_seconds_sum{queue=\"a\"} 0.002\n\
             took_seconds_count{queue=\"a\"} 2\n",
            "_9_odd_name{a_b=\"c\"} 1\n",
        ] {
            assert!(text.contains(lines), "{lines} is missing in\n{text}");
        }
    }
}
