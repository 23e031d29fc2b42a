//! `make bench`: each figure beside its raw bound, interleaved in one run, since machines are noisy and only ratios count.
//! The report goes to `docs/benchmarks.md`; the process fails when a bound is broken.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark talks to its terminal and fails by panicking"
)]

mod http;
mod measure;
mod micro;
mod process;
mod report;
mod store;

use report::Report;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let arguments: Vec<String> = std::env::args().collect();
    // The same binary is also the bare counterpart and the load generator, each in a process of its own.
    match arguments.get(1).map(String::as_str) {
        Some("bare") => return runtime.block_on(http::bare(&arguments[2])),
        Some("load") => return runtime.block_on(http::load(&arguments[2..])),
        _ => {}
    }
    let server = arguments.get(1).expect("usage: bench <path of the authkit binary> [section …]");
    let wanted = |section: &str| arguments.len() == 2 || arguments[2..].iter().any(|name| name == section);
    let mut report = Report::default();
    runtime.block_on(async {
        if wanted("micro") {
            micro::run(&mut report).await;
        }
        if wanted("store") {
            store::run(&mut report).await;
        }
        if wanted("http") {
            http::run(&mut report, server).await;
        }
        if wanted("process") {
            process::run(&mut report, server).await;
        }
    });
    let text = report.markdown();
    println!("{text}");
    if arguments.len() == 2 {
        std::fs::write("docs/benchmarks.md", &text).unwrap();
    }
    let broken = report.broken();
    if broken > 0 {
        eprintln!("{broken} bound(s) broken");
        std::process::exit(1);
    }
}
