use super::Failure;
use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;
use std::{io::Write as _, process::ExitCode};

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default();
pub(crate) const RED: Style = AnsiColor::Red.on_default().bold();
pub(crate) const CYAN: Style = AnsiColor::Cyan.on_default();

/// Where a command prints: text with colours on a terminal, or JSON.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
    /// Where a test reads what is printed, instead of standard output.
    #[cfg(test)]
    kept: Option<std::sync::Mutex<String>>,
}

/// `text` in `style`; the stream drops the colours where nobody sees them.
pub(crate) fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

impl Output {
    pub(crate) const fn new(json: bool) -> Self {
        Self {
            json,
            #[cfg(test)]
            kept: None,
        }
    }

    /// One that prints JSON to where [`kept`](Self::kept) reads it.
    #[cfg(test)]
    pub(crate) fn keeping() -> Self {
        Self { json: true, kept: Some(std::sync::Mutex::default()) }
    }

    /// What was printed.
    #[cfg(test)]
    pub(crate) fn kept(&self) -> String {
        self.kept.as_ref().map(|kept| kept.lock().expect("no panic").clone()).unwrap_or_default()
    }

    /// Whether a person reads it.
    pub(crate) const fn is_text(&self) -> bool {
        !self.json
    }

    /// One result: `value` for programs, `text` for people.
    pub(crate) fn result(&self, value: &impl Serialize, text: impl FnOnce() -> String) {
        if self.json {
            self.raw(&serde_json::to_string_pretty(value).unwrap_or_default());
        } else {
            self.raw(&text());
        }
    }

    /// One thing with what is known of it.
    pub(crate) fn facts(&self, value: &impl Serialize, facts: impl FnOnce() -> Vec<(&'static str, String)>) {
        self.result(value, || {
            let facts = facts();
            let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
            facts.iter().map(|(name, value)| format!("{} {value}\n", paint(BOLD, format!("{name:width$}")))).collect()
        });
    }

    /// A list: `rows` under `head` for people.
    pub(crate) fn table<const N: usize>(&self, value: &impl Serialize, head: [&str; N], rows: &[[String; N]]) {
        self.result(value, || table(head, rows));
    }

    /// A line as it is. A reader that has gone (`| head`) is no failure.
    pub(crate) fn raw(&self, text: &str) {
        #[cfg(test)]
        if let Some(kept) = &self.kept {
            kept.lock().expect("no panic").push_str(text);
            return;
        }
        let mut out = anstream::stdout().lock();
        let _ = writeln!(out, "{}", text.trim_end());
        let _ = out.flush();
    }

    /// Tells a failure on standard error.
    pub(crate) fn fail(&self, failure: &Failure) -> ExitCode {
        let mut err = anstream::stderr().lock();
        if self.json {
            let value = serde_json::json!({
                "error": { "code": failure.code, "message": failure.what, "details": failure.details, "next": failure.next }
            });
            let _ = writeln!(err, "{value}");
        } else {
            let code = failure.code.map(|code| format!(" ({code})")).unwrap_or_default();
            let _ = writeln!(err, "{} {}{code}", paint(RED, "error:"), failure.what);
            for detail in &failure.details {
                let _ = writeln!(err, "  - {detail}");
            }
            if let Some(next) = &failure.next {
                let _ = writeln!(err, "{} {next}", paint(CYAN, "next:"));
            }
        }
        ExitCode::FAILURE
    }
}

fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = head.map(|name| name.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &[String; N]| {
        let padded: Vec<String> = cells
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.chars().count())))
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut text = paint(BOLD, line(&head.map(str::to_uppercase)));
    for row in rows {
        text.push('\n');
        text.push_str(&line(row));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let text = table(["id", "name"], &[["1".into(), "a".into()], ["22222".into(), "béé".into()]]);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].contains("ID     NAME"));
        assert_eq!(lines[1..], ["1      a", "22222  béé"]);
    }
}
