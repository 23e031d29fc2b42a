use crate::{SmtpConfig, SmtpError, SmtpTls, error::outcome};
use async_trait::async_trait;
use authkit_core::ports::{Mail, MailError, Mailer};
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};
use std::{net::IpAddr, time::Duration};

/// Hands mail to an SMTP relay, over a connection of its own for each mail: one that a timeout cut off can then never be
/// used again with an answer still under way.
///
/// # Behavior
/// - A reply that refuses the mail (5yz) is permanent. Everything else is temporary: 4yz, the network, TLS, and replies
///   that only tell of a wrong login or configuration.
/// - No text of the relay reaches the log: it may quote the recipient.
pub struct SmtpMailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    timeout: Duration,
}

impl SmtpMailer {
    /// A mailer for the relay of `config`. It connects when there is something to send.
    ///
    /// # Errors
    /// When the configuration cannot work.
    pub fn new(config: &SmtpConfig) -> Result<Self, SmtpError> {
        let from: Mailbox = config.from.parse().map_err(|_| SmtpError::From)?;
        if config.tls == SmtpTls::None && !is_loopback(&config.host) {
            return Err(SmtpError::PlainText);
        }
        let tls = match config.tls {
            SmtpTls::Implicit => Tls::Wrapper(parameters(config)?),
            SmtpTls::StartTls => Tls::Required(parameters(config)?),
            SmtpTls::None => Tls::None,
        };
        // "Dangerous" means that it starts without TLS; the next call sets it.
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
            .tls(tls)
            .port(config.port.unwrap_or(config.tls.port()))
            .timeout(Some(config.timeout));
        builder = match (&config.username, &config.password) {
            (Some(user), Some(password)) => {
                builder.credentials(Credentials::new(user.clone(), password.expose().to_owned()))
            }
            (None, None) => builder,
            _ => return Err(SmtpError::Credentials),
        };
        Ok(Self { transport: builder.build(), from, timeout: config.timeout })
    }

    fn message(&self, mail: &Mail) -> Result<Message, MailError> {
        // An address that would need quoting or more than one line is none for lettre.
        let to: Address =
            mail.to.parse().map_err(|_| MailError::Permanent("the recipient's address cannot be mailed to".into()))?;
        let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".into());
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(one_line(&mail.subject))
            .message_id(Some(format!("<{}@{}>", mail.id, self.from.email.domain())))
            .raw_header(automatic)
            .multipart(MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone()))
            .map_err(|_| MailError::Permanent("the mail cannot be written as a message".into()))
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let message = self.message(mail)?;
        match tokio::time::timeout(self.timeout, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(outcome(&error)),
            Err(_) => Err(MailError::Temporary("the relay did not answer in time".into())),
        }
    }
}

impl std::fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmtpMailer").finish_non_exhaustive()
    }
}

fn parameters(config: &SmtpConfig) -> Result<TlsParameters, SmtpError> {
    let refused = |error: lettre::transport::smtp::Error| SmtpError::Tls(error.to_string());
    let mut builder = TlsParameters::builder(config.host.clone());
    if let Some(pem) = &config.ca {
        // A text without certificates would pass unnoticed, and then every mail would fail.
        if !String::from_utf8_lossy(pem).contains("-----BEGIN CERTIFICATE-----") {
            return Err(SmtpError::Tls("they are not in PEM".into()));
        }
        builder = builder.add_root_certificate(Certificate::from_pem(pem).map_err(refused)?);
    }
    builder.build_rustls().map_err(refused)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whoever made the mail: a subject is one header line.
fn one_line(subject: &str) -> String {
    subject.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
