use std::fmt::Write;

struct Line {
    what: String,
    ours: String,
    raw: String,
    ratio: f64,
    bound: f64,
    at_least: bool,
}

/// The figures of one run.
#[derive(Default)]
pub(crate) struct Report {
    lines: Vec<Line>,
}

impl Report {
    /// A ratio that must not exceed `bound`.
    pub(crate) fn at_most(&mut self, what: &str, ours: String, raw: String, ratio: f64, bound: f64) {
        self.push(what, ours, raw, ratio, bound, false);
    }

    /// A ratio that must reach `bound`.
    pub(crate) fn at_least(&mut self, what: &str, ours: String, raw: String, ratio: f64, bound: f64) {
        self.push(what, ours, raw, ratio, bound, true);
    }

    fn push(&mut self, what: &str, ours: String, raw: String, ratio: f64, bound: f64, at_least: bool) {
        eprintln!("{what}: {ours} beside {raw}: {ratio:.2} (bound {bound})");
        self.lines.push(Line { what: what.into(), ours, raw, ratio, bound, at_least });
    }

    /// How many bounds are broken.
    pub(crate) fn broken(&self) -> usize {
        self.lines.iter().filter(|line| !line.holds()).count()
    }

    /// The page.
    pub(crate) fn markdown(&self) -> String {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let cpu = read("/proc/cpuinfo");
        let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map_or("?", |m| m.1);
        let memory = read("/proc/meminfo");
        let memory = memory.lines().next().and_then(|line| line.split_whitespace().nth(1)).unwrap_or("0");
        let gib = memory.parse::<f64>().unwrap_or_default() / 1024.0 / 1024.0;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut text = format!(
            "# Benchmarks\n\nWritten by `make bench`; do not edit. Each figure stands beside its raw bound, measured in the same run,\n\
             interleaved: machines are noisy, ratios are not.\n\nMachine: {model}, {cores} cores, {gib:.0} GiB.\n\n\
             | what | AuthKit | raw | ratio | bound | |\n|---|---|---|---|---|---|\n"
        );
        for line in &self.lines {
            let sign = if line.at_least { "≥" } else { "≤" };
            let verdict = if line.holds() { "holds" } else { "**broken**" };
            let _ = writeln!(
                text,
                "| {} | {} | {} | {:.2} | {sign} {} | {verdict} |",
                line.what, line.ours, line.raw, line.ratio, line.bound
            );
        }
        text
    }
}

impl Line {
    fn holds(&self) -> bool {
        if self.at_least { self.ratio >= self.bound } else { self.ratio <= self.bound }
    }
}
