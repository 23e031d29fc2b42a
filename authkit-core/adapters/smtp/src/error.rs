use authkit_core::ports::MailError;
use lettre::transport::smtp::Error as Smtp;

/// The configuration cannot work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SmtpError {
    /// The sender cannot be read.
    #[error("the sender is neither `address` nor `Name <address>`")]
    From,
    /// Live links would cross the network in the clear.
    #[error("SMTP without TLS is for a relay on this machine only; use `starttls` or `implicit`")]
    PlainText,
    /// A user without a password, or the other way round.
    #[error("give the SMTP user name and password together, or neither")]
    Credentials,
    /// Certificates cannot be used.
    #[error("the certificates for SMTP cannot be used: {0}")]
    Tls(String),
}

/// Replies that tell of this installation's configuration (or of its relay's state), not of the mail: commands refused,
/// not recognised, or asked for in another order (RFC 5321, section 4.2.2), and authentication (RFC 4954, section 6).
/// Giving a mail up for them would lose it.
const NOT_ABOUT_THE_MAIL: [u16; 9] = [500, 502, 503, 504, 523, 530, 534, 535, 538];

/// What a failed conversation means for the mail. The relay's own text may quote the recipient, so only its code is told.
pub(crate) fn outcome(error: &Smtp) -> MailError {
    match error.status() {
        Some(code) => {
            let code = u16::from(code);
            if error.is_permanent() && !NOT_ABOUT_THE_MAIL.contains(&code) {
                MailError::Permanent(format!("the relay answered {code}"))
            } else {
                MailError::Temporary(format!("the relay answered {code}"))
            }
        }
        None if error.is_tls() => MailError::Temporary("TLS with the relay failed".into()),
        None if error.is_timeout() => MailError::Temporary("the relay did not answer in time".into()),
        None if error.is_response() => MailError::Temporary("the relay's answer was not SMTP".into()),
        None if error.is_client() => MailError::Temporary("the relay lacks what the mail or the login needs".into()),
        None => MailError::Temporary("the relay could not be reached".into()),
    }
}
