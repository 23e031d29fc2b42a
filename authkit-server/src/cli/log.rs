//! The log of this process, on standard error.

use super::lines::{Lines, To};
use authkit_engine::config::{Config, LogFormat};
use std::io::{IsTerminal as _, Write};
use tracing_subscriber::{EnvFilter, fmt, fmt::writer::BoxMakeWriter};

/// Standard error of a server that nobody watches.
static LINES: Lines<StandardError> = Lines::new(StandardError);

/// Standard error, which has no buffer of its own.
#[derive(Debug)]
struct StandardError;

impl Write for StandardError {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        std::io::stderr().write(text)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}

/// Writes what waits to be written. Call it before the process ends.
pub(crate) fn flush() {
    LINES.flush();
}

/// For commands that end by themselves: only what went wrong.
pub(crate) fn quiet() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let _ = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).try_init();
}

/// For the server.
///
/// # Errors
/// When the configured level is none.
pub(crate) fn server(config: &Config) -> Result<(), String> {
    let level = std::env::var("RUST_LOG").unwrap_or_else(|_| config.log.level.clone());
    let filter = EnvFilter::try_new(&level).map_err(|error| format!("`{level}` is no log level: {error}"))?;
    let json = match config.log.format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !config.is_development(),
    };
    let watched = std::io::stderr().is_terminal();
    let writer = if watched {
        BoxMakeWriter::new(std::io::stderr)
    } else {
        LINES.start();
        BoxMakeWriter::new(To(&LINES))
    };
    let log = fmt().with_env_filter(filter).with_writer(writer);
    let _ = if json {
        log.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
    } else {
        log.compact().with_target(false).with_ansi(watched).try_init()
    };
    std::panic::set_hook(Box::new(|panic| {
        // A message made at run time may hold what somebody sent: only fixed ones are shown.
        let message = panic.payload().downcast_ref::<&'static str>().copied();
        let place = panic.location().map(ToString::to_string);
        tracing::error!(panic = message, place, "something panicked");
        // Also when errors are not logged: what waits must not be lost with the process.
        flush();
    }));
    Ok(())
}
