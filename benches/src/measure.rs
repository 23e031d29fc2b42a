//! Time, CPU time and memory.

use std::time::{Duration, Instant};

/// The middle one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The value that `share` of all values do not exceed.
pub(crate) fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * share) as usize]
}

/// Seconds per call of `one` and of `two`: medians over `batches` of `size` calls, interleaved.
pub(crate) fn interleaved(
    batches: usize,
    size: usize,
    mut one: impl FnMut(usize),
    mut two: impl FnMut(usize),
) -> (f64, f64) {
    let (mut ones, mut twos) = (Vec::new(), Vec::new());
    for batch in 0..batches {
        let start = Instant::now();
        (0..size).for_each(|n| one(batch * size + n));
        ones.push(start.elapsed().as_secs_f64() / size as f64);
        let start = Instant::now();
        (0..size).for_each(|n| two(batch * size + n));
        twos.push(start.elapsed().as_secs_f64() / size as f64);
    }
    (median(ones), median(twos))
}

/// CPU time that the process has used so far, all threads together.
pub(crate) fn cpu(pid: u32) -> Duration {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return Duration::ZERO };
    let nanos = tasks
        .flatten()
        .filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok())
        .filter_map(|text| text.split_whitespace().next()?.parse::<u64>().ok())
        .sum();
    Duration::from_nanos(nanos)
}

/// Resident memory of the process in megabytes.
pub(crate) fn memory(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
    line.split_whitespace().next().and_then(|kb| kb.parse::<f64>().ok()).unwrap_or_default() * 1.024 / 1000.0
}

/// For people.
pub(crate) fn micros(seconds: f64) -> String {
    if seconds < 1e-6 {
        format!("{:.0} ns", seconds * 1e9)
    } else if seconds < 1e-3 {
        format!("{:.2} µs", seconds * 1e6)
    } else {
        format!("{:.2} ms", seconds * 1e3)
    }
}
