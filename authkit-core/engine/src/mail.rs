//! Which way mail goes out.

use crate::{
    EngineError,
    config::{Smtp, SmtpTls},
};
use authkit_core::ports::Mailer;
use authkit_smtp::{SmtpConfig, SmtpMailer};
use std::sync::Arc;

/// The SMTP relay.
pub(crate) fn relay(from: &str, smtp: &Smtp) -> Result<Arc<dyn Mailer>, EngineError> {
    let ca = match &smtp.ca {
        Some(path) => Some(
            std::fs::read(path)
                .map_err(|error| EngineError::Setup(format!("mail.smtp.ca: {}: {error}", path.display())))?,
        ),
        None => None,
    };
    let config = SmtpConfig {
        port: smtp.port,
        tls: match smtp.tls {
            SmtpTls::StartTls => authkit_smtp::SmtpTls::StartTls,
            SmtpTls::Implicit => authkit_smtp::SmtpTls::Implicit,
            SmtpTls::None => authkit_smtp::SmtpTls::None,
        },
        ca,
        username: smtp.username.clone(),
        password: smtp.password.clone(),
        timeout: smtp.timeout.duration(),
        ..SmtpConfig::new(&smtp.host, from)
    };
    let mailer = SmtpMailer::new(&config).map_err(|error| EngineError::Setup(format!("mail: {error}")))?;
    Ok(Arc::new(mailer))
}
