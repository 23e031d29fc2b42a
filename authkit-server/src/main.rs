//! The `authkit` command: the server and its administration.

mod cli;

fn main() -> std::process::ExitCode {
    cli::run()
}
