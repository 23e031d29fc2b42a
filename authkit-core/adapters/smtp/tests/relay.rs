//! The mailer against a real SMTP server (aiosmtpd), in the clear, with STARTTLS and with TLS from the first byte.

#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in test functions; this is all of them")]

use authkit_core::{
    ports::{Mail, MailError, Mailer},
    wire::{NoticeId, TenantId},
};
use authkit_smtp::{SmtpConfig, SmtpError, SmtpMailer, SmtpTls};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};
use uuid::Uuid;

/// A running server. It ends when its standard input is closed.
struct Relay {
    child: Child,
    lines: BufReader<ChildStdout>,
    port: u16,
    ca: Option<Vec<u8>>,
    tls: SmtpTls,
}

impl Relay {
    fn start(tls: SmtpTls, login: bool) -> Self {
        let certificate = (tls != SmtpTls::None).then(certificate);
        let mode = match tls {
            SmtpTls::None => "none",
            SmtpTls::StartTls => "starttls",
            SmtpTls::Implicit => "implicit",
        };
        let mut command = Command::new(python());
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/relay.py"));
        command.args([mode, if login { "yes" } else { "no" }]);
        if let Some(directory) = &certificate {
            command.args([directory.path().join("cert.pem"), directory.path().join("key.pem")]);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python runs");
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut port = String::new();
        lines.read_line(&mut port).unwrap();
        let port = port.trim().parse().unwrap_or_else(|_| {
            panic!(
                "the SMTP server did not start: install aiosmtpd (scripts/setup.sh does, from scripts/requirements.txt; \
                 on Debian also python3-aiosmtpd)"
            )
        });
        let ca = certificate.map(|directory| std::fs::read(directory.path().join("cert.pem")).unwrap());
        Self { child, lines, port, ca, tls }
    }

    fn config(&self) -> SmtpConfig {
        SmtpConfig {
            port: Some(self.port),
            tls: self.tls,
            ca: self.ca.clone(),
            timeout: Duration::from_secs(10),
            ..SmtpConfig::new("localhost", "AuthKit <no-reply@id.example>")
        }
    }

    fn mailer(&self) -> SmtpMailer {
        SmtpMailer::new(&self.config()).unwrap()
    }

    /// The next mail that the server took.
    fn taken(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The interpreter of the project's own environment, else the system's.
fn python() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
    std::env::var_os("AUTHKIT_PYTHON")
        .map(PathBuf::from)
        .or_else(|| cache.map(|cache| cache.join("authkit/venv/bin/python")))
        .filter(|path| path.exists())
        .unwrap_or_else(|| "python3".into())
}

/// A self-signed certificate for `localhost`.
fn certificate() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let done = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(directory.path())
        .stderr(Stdio::null())
        .status()
        .expect("install openssl");
    assert!(done.success(), "openssl makes a certificate");
    directory
}

fn mail(to: &str) -> Mail {
    Mail {
        id: NoticeId::new(Uuid::from_u128(0x42)),
        tenant: TenantId::new(Uuid::from_u128(1)),
        kind: "verify_email".into(),
        to: to.into(),
        subject: "Grüße".into(),
        text: "Plain text\nhttps://id.example/verify-email?token=akv_x".into(),
        html: "<p>Rich text</p>".into(),
        links: Vec::new(),
    }
}

fn header<'a>(content: &'a str, name: &str) -> &'a str {
    let head = content.split("\r\n\r\n").next().unwrap();
    let prefix = format!("{name}: ");
    head.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap_or_else(|| panic!("no {name} in {head}"))
}

#[tokio::test]
async fn a_mail_arrives_whole_and_marked_as_automatic() {
    let mut relay = Relay::start(SmtpTls::None, false);
    relay.mailer().send(&mail("ada@example.org")).await.unwrap();
    let taken = relay.taken();
    assert_eq!((&taken["from"], &taken["to"][0]), (&"no-reply@id.example".into(), &"ada@example.org".into()));
    let content = taken["content"].as_str().unwrap();
    assert_eq!(header(content, "Message-ID"), "<ntc_00000000000000000000000000000042@id.example>");
    assert_eq!(header(content, "Auto-Submitted"), "auto-generated");
    assert_eq!(header(content, "To"), "ada@example.org");
    assert!(header(content, "From").contains("no-reply@id.example"));
    assert!(header(content, "Subject").starts_with("=?utf-8?"), "{content}");
    assert!(content.contains("multipart/alternative") && content.contains("<p>Rich text</p>"), "{content}");
    assert!(content.find("Plain text") < content.find("<p>Rich text</p>"), "the richest part comes last");
}

#[tokio::test]
async fn starttls_and_implicit_tls_protect_the_mail_and_the_login() {
    for tls in [SmtpTls::StartTls, SmtpTls::Implicit] {
        let mut relay = Relay::start(tls, tls == SmtpTls::StartTls);
        let login = (Some("mailer".to_owned()), Some("s3cret relay".into()));
        let (username, password) = if tls == SmtpTls::StartTls { login } else { (None, None) };
        let mailer = SmtpMailer::new(&SmtpConfig { username, password, ..relay.config() }).unwrap();
        mailer.send(&mail("ada@example.org")).await.unwrap();
        mailer.send(&mail("grace@example.org")).await.unwrap();
        let taken = [relay.taken(), relay.taken()];
        assert!(taken.iter().all(|mail| mail["tls"] == true), "{tls:?}: {taken:?}");
        assert_eq!(taken[1]["to"][0], "grace@example.org");
        if tls == SmtpTls::StartTls {
            assert_eq!(taken[0]["user"], "mailer");
        }
    }
}

#[tokio::test]
async fn an_unknown_certificate_or_another_name_gets_no_mail() {
    for tls in [SmtpTls::StartTls, SmtpTls::Implicit] {
        let relay = Relay::start(tls, false);
        let unknown = SmtpMailer::new(&SmtpConfig { ca: None, ..relay.config() }).unwrap();
        let other_name = SmtpMailer::new(&SmtpConfig { host: "127.0.0.1".into(), ..relay.config() }).unwrap();
        for mailer in [unknown, other_name] {
            let refused = mailer.send(&mail("ada@example.org")).await;
            assert!(matches!(refused, Err(MailError::Temporary(_))), "{tls:?}: {refused:?}");
        }
    }
}

#[tokio::test]
async fn a_relay_that_does_not_upgrade_gets_no_mail() {
    let relay = Relay::start(SmtpTls::None, false);
    let mailer = SmtpMailer::new(&SmtpConfig { tls: SmtpTls::StartTls, ..relay.config() }).unwrap();
    assert!(matches!(mailer.send(&mail("ada@example.org")).await, Err(MailError::Temporary(_))));
}

#[tokio::test]
async fn replies_are_told_apart_and_never_quoted() {
    let mut relay = Relay::start(SmtpTls::None, false);
    let mailer = relay.mailer();
    let answer = async |to: &str| mailer.send(&mail(to)).await.unwrap_err();
    assert_eq!(answer("refused@example.org").await, MailError::Permanent("the relay answered 550".into()));
    assert_eq!(answer("unlucky@example.org").await, MailError::Permanent("the relay answered 554".into()));
    assert_eq!(answer("busy@example.org").await, MailError::Temporary("the relay answered 451".into()));
    mailer.send(&mail("ada@example.org")).await.unwrap();
    assert_eq!(relay.taken()["to"][0], "ada@example.org");
}

#[tokio::test]
async fn a_wrong_login_loses_no_mail() {
    let relay = Relay::start(SmtpTls::StartTls, true);
    let config = SmtpConfig { username: Some("mailer".into()), password: Some("wrong".into()), ..relay.config() };
    let wrong = SmtpMailer::new(&config).unwrap().send(&mail("ada@example.org")).await;
    assert_eq!(wrong, Err(MailError::Temporary("the relay answered 535".into())));
    let none = relay.mailer().send(&mail("ada@example.org")).await;
    assert_eq!(none, Err(MailError::Temporary("the relay answered 530".into())));
}

#[tokio::test]
async fn a_relay_that_is_slow_or_away_holds_nobody_up() {
    let relay = Relay::start(SmtpTls::None, false);
    let config = SmtpConfig { timeout: Duration::from_millis(300), ..relay.config() };
    let begin = Instant::now();
    let slow = SmtpMailer::new(&config).unwrap().send(&mail("slow@example.org")).await;
    assert_eq!(slow, Err(MailError::Temporary("the relay did not answer in time".into())));
    assert!(begin.elapsed() < Duration::from_secs(5));
    drop(relay);
    let away = SmtpMailer::new(&config).unwrap().send(&mail("ada@example.org")).await;
    assert!(matches!(away, Err(MailError::Temporary(_))), "{away:?}");
}

#[tokio::test]
async fn neither_address_nor_subject_can_add_a_header() {
    let mut relay = Relay::start(SmtpTls::None, false);
    let mailer = relay.mailer();
    for to in
        ["ada@example.org\r\nBcc: eve@example.org", "ada@example.org>\r\nRCPT TO:<eve@example.org", "a b@x.org", ""]
    {
        assert!(matches!(mailer.send(&mail(to)).await, Err(MailError::Permanent(_))), "{to:?}");
    }
    let subject = "Hello\r\nBcc: eve@example.org\r\n\r\n<script>".to_owned();
    mailer.send(&Mail { subject, ..mail("ada@example.org") }).await.unwrap();
    let taken = relay.taken();
    let head = taken["content"].as_str().unwrap().split("\r\n\r\n").next().unwrap().to_owned();
    assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
    assert_eq!(taken["to"].as_array().unwrap().len(), 1);
}

#[test]
fn a_configuration_that_would_leak_or_cannot_work_is_refused() {
    let config = SmtpConfig::new("smtp.example.org", "no-reply@example.org");
    assert!(SmtpMailer::new(&config).is_ok());
    let plain = SmtpConfig { tls: SmtpTls::None, ..config.clone() };
    assert!(matches!(SmtpMailer::new(&plain), Err(SmtpError::PlainText)));
    let half = SmtpConfig { username: Some("mailer".into()), ..config.clone() };
    assert!(matches!(SmtpMailer::new(&half), Err(SmtpError::Credentials)));
    let from = SmtpConfig { from: "nobody".into(), ..config.clone() };
    assert!(matches!(SmtpMailer::new(&from), Err(SmtpError::From)));
    let ca = SmtpConfig { ca: Some(b"no certificate".to_vec()), ..config.clone() };
    assert!(matches!(SmtpMailer::new(&ca), Err(SmtpError::Tls(_))));
    let secret = SmtpConfig { password: Some("hunter2".into()), ..config };
    assert!(!format!("{secret:?}").contains("hunter2"));
}
