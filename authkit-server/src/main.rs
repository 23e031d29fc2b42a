//! The `authkit` command: the server and its administration.

mod cli;

/// A request allocates some fifty times; the system's allocator takes a tenth of its time for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cli::run()
}
