//! The log of this process, on standard error.

use authkit_engine::config::{Config, LogFormat};
use std::io::IsTerminal as _;
use tracing_subscriber::{EnvFilter, fmt};

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
    let log = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let _ = if json {
        log.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
    } else {
        log.compact().with_target(false).with_ansi(std::io::stderr().is_terminal()).try_init()
    };
    std::panic::set_hook(Box::new(|panic| {
        // A message made at run time may hold what somebody sent: only fixed ones are shown.
        let message = panic.payload().downcast_ref::<&'static str>().copied();
        let place = panic.location().map(ToString::to_string);
        tracing::error!(panic = message, place, "something panicked");
    }));
    Ok(())
}
