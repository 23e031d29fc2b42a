//! Every line that is logged while a request is answered can be found by the request's trace.

use super::{Site, request};
use authkit_core::ports::{Hooks, NewAccount, Operation, Refusal};
use authkit_testkit::{databases::Db, on_both_engines};
use http::Method;
use serde_json::{Value, json};
use std::{
    io,
    sync::{Arc, Mutex},
};
use tracing_subscriber::fmt::MakeWriter;

on_both_engines! {
    what_adapters_warn_of_during_a_request_names_its_trace
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Warns like an adapter in trouble, or breaks down.
#[derive(Debug)]
struct Troubled;

#[async_trait::async_trait]
impl Hooks for Troubled {
    async fn before(&self, _: &Operation, account: Option<&NewAccount<'_>>) -> Result<(), Refusal> {
        let name = account.and_then(|account| account.name).unwrap_or_default();
        tracing::warn!("the disk is slow");
        assert!(name != "Panic", "no such luck");
        if name == "Formatted" {
            panic!("do not show {name}");
        }
        Ok(())
    }
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Lines {
    fn read(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn trace_of(line: &Value) -> Option<&str> {
    line["trace_id"].as_str().or_else(|| line["span"]["trace_id"].as_str())
}

async fn what_adapters_warn_of_during_a_request_names_its_trace(db: Db) {
    let site = Site::building(db, |_| {}, |builder| builder.hooks(Troubled)).await;
    let lines = Lines::default();
    // A line that another test's thread comes to first, where nobody listens, would count as unwanted everywhere.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
    let log = tracing_subscriber::fmt().with_writer(lines.clone()).json().flatten_event(true).with_span_list(false);
    let _log = tracing::subscriber::set_default(log.finish());
    for (name, keyed, status) in
        [("Ada", false, 202), ("Ada", true, 202), ("Panic", false, 500), ("Formatted", true, 500)]
    {
        let body = json!({"email": "ada@example.org", "password": "a quiet orange tram 17", "name": name});
        let mut asked = request(Method::POST, "/v1/auth/register", None, Some(body));
        asked.headers_mut().insert("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01").parse().unwrap());
        if keyed {
            asked.headers_mut().insert("idempotency-key", name.parse().unwrap());
        }
        let answer = site.send(asked).await.is(status);
        assert_eq!(answer.header("x-trace-id"), TRACE);
    }
    let lines = lines.read();
    let count = |text: &str| lines.iter().filter(|line| line["message"] == text).count();
    assert_eq!((count("the disk is slow"), count("a handler panicked"), count("answered")), (4, 2, 4), "{lines:#?}");
    for line in &lines {
        assert_eq!(trace_of(line), Some(TRACE), "{line}");
    }
    // A panic's message that was made at run time may hold what somebody sent.
    let text = serde_json::to_string(&lines).unwrap();
    assert!(text.contains("no such luck") && !text.contains("do not show"), "{text}");
}
