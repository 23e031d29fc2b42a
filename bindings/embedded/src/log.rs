//! The log of an engine whose process keeps none.

use authkit_engine::config::{Config, LogFormat};
use std::sync::Once;
use tracing_subscriber::{EnvFilter, fmt};

static STARTED: Once = Once::new();

/// Writes to standard error what the first engine's settings ask for, unless somebody listens already.
pub(crate) fn start(config: &Config) {
    STARTED.call_once(|| {
        let filter = EnvFilter::try_new(&config.log.level).unwrap_or_else(|_| EnvFilter::new("warn"));
        let log = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
        let _ = match config.log.format {
            LogFormat::Json => log.json().flatten_event(true).try_init(),
            LogFormat::Text | LogFormat::Auto => log.compact().with_ansi(false).try_init(),
        };
    });
}
