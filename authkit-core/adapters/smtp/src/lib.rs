//! AuthKit's [`Mailer`](authkit_core::ports::Mailer) over SMTP (RFC 5321).
//!
//! ```no_run
//! use authkit_smtp::{SmtpConfig, SmtpMailer};
//!
//! let config = SmtpConfig::new("smtp.example.org", "AuthKit <no-reply@example.org>");
//! let mailer = SmtpMailer::new(&config)?;
//! # Ok::<(), authkit_smtp::SmtpError>(())
//! ```

mod config;
mod error;
mod mailer;

pub use config::{SmtpConfig, SmtpTls};
pub use error::SmtpError;
pub use mailer::SmtpMailer;
