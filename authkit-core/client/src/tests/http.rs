//! The transport over HTTP against sockets that answer what a script says.

use crate::{Answer, Call, Client, HttpTransport, Operation, Transport, TransportError, TransportErrorKind, code};
use authkit_wire::{ErrorCode, Secret};
use serde_json::{Map, json};
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// Answers every request with these bytes, and remembers the requests.
struct Socket {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Socket {
    async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (answer, seen) = (answer.into(), requests.clone());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = Vec::new();
                let mut buffer = [0; 4096];
                // A TLS client waits for the answer to its first words.
                let is_tls = |request: &[u8]| request.first() == Some(&0x16);
                while !is_tls(&request) && !request.windows(4).any(|end| end == b"\r\n\r\n") {
                    match stream.read(&mut buffer).await {
                        Ok(read) if read > 0 => request.extend_from_slice(&buffer[..read]),
                        _ => break,
                    }
                }
                seen.lock().unwrap().push(String::from_utf8_lossy(&request).into_owned());
                // Whoever has read enough goes away.
                let _ = stream.write_all(&answer).await;
            }
        });
        Self { url, requests }
    }

    async fn with_body(status: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        Self::answering(format!(
            "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        ))
        .await
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    async fn get(&self) -> Result<Answer, TransportError> {
        get(&self.url).await
    }

    fn client(&self) -> Client {
        Client::builder().base_url(&self.url).retries(0).build().unwrap()
    }
}

async fn get(url: &str) -> Result<Answer, TransportError> {
    let (arguments, token) = (Map::new(), Secret::from("hidden-token"));
    let call = Call { bearer: Some(&token), ..Call::new(Operation::find("getMe").unwrap(), &arguments) };
    HttpTransport::connect(url, false).unwrap().send(call).await
}

#[tokio::test]
async fn an_answer_is_read_with_its_headers() {
    let socket = Socket::with_body("429 Too Many Requests", "retry-after: 7\r\nx-trace-id: abc\r\n", "{}").await;
    let answer = socket.get().await.unwrap();
    assert_eq!((answer.status, answer.retry_after.unwrap().as_secs()), (429, 7));
    assert_eq!((answer.trace_id.as_deref(), answer.body), (Some("abc"), json!({})));
    let request = &socket.requests()[0].to_lowercase();
    assert!(request.starts_with("get /v1/me http/1.1\r\n"), "{request}");
    assert!(
        request.contains("\r\nauthorization: bearer hidden-token\r\n")
            && request.contains("user-agent: authkit-client/")
    );
}

#[tokio::test]
async fn a_redirect_is_told_and_the_token_does_not_follow_it() {
    let elsewhere = Socket::with_body("200 OK", "", "{}").await;
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let socket = Socket::with_body(status, &format!("location: {}/v1/me\r\n", elsewhere.url), "").await;
        let error = socket.client().with_bearer("hidden-token").get_me().await.unwrap_err();
        assert_eq!((error.code.as_ref(), error.status.to_string()), (code::UNEXPECTED_ANSWER, status[..3].to_owned()));
        assert!(error.message.contains("redirect"), "{error}");
    }
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn what_is_no_authkit_is_told_as_that() {
    for (status, body) in
        [("200 OK", "<html>hidden</html>"), ("500 Oh", "<html>hidden</html>"), ("404 No", "{\"a\":1}")]
    {
        let socket = Socket::with_body(status, "", body).await;
        let error = socket.client().with_bearer("t").get_me().await.unwrap_err();
        assert_eq!((error.code.as_ref(), error.status.to_string()), (code::UNEXPECTED_ANSWER, status[..3].to_owned()));
        assert!(error.message.contains("base URL") && !error.message.contains("hidden"), "{error}");
    }
}

#[tokio::test]
async fn a_problem_becomes_an_error() {
    let body = json!({
        "code": "request.validation_failed", "status": 422, "title": "A value was refused", "detail": "Look at `errors`.",
        "trace_id": "abc", "errors": [{"field": "name", "code": "too_long", "detail": "at most 100"}],
    });
    let socket = Socket::with_body("422 No", "", &body.to_string()).await;
    let error = socket.client().with_bearer("t").get_me().await.unwrap_err();
    assert!(error.is(ErrorCode::ValidationFailed));
    assert_eq!((error.trace_id.as_deref(), error.fields[0].field.as_str()), (Some("abc"), "name"));
    let shown = error.to_json();
    assert_eq!((&shown["code"], &shown["status"], &shown["retryable"]), (&body["code"], &json!(422), &json!(false)));
    assert_eq!((&shown["fields"][0]["code"], &shown["message"]), (&json!("too_long"), &body["detail"]));
}

#[tokio::test]
async fn no_more_than_the_limit_is_read() {
    let endless = |size: usize| {
        let mut answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n\"".to_vec();
        answer.resize(answer.len() + size, b'a');
        answer.push(b'"');
        answer
    };
    let socket = Socket::answering(endless(Answer::BODY_LIMIT)).await;
    let error = socket.get().await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Unreadable { status: 200 });
    assert!(error.message.contains("8 MiB"));
    let socket = Socket::answering(endless(Answer::BODY_LIMIT - 2)).await;
    assert_eq!(socket.get().await.unwrap().status, 200);
}

#[tokio::test]
async fn what_never_left_is_told_from_what_may_have_arrived() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let error = get(&url).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::NotSent);
    assert!(error.message.starts_with("The server could not be reached: ") && !error.message.contains("/v1/me"));

    for answer in ["", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{}", "no HTTP at all\r\n\r\n"] {
        let socket = Socket::answering(answer).await;
        let error = socket.get().await.unwrap_err();
        assert_eq!(error.kind, TransportErrorKind::Lost, "{answer}: {error}");
        assert!(!error.message.contains("hidden") && !error.message.contains("/v1/me"), "{error}");
    }
}

/// Proxies are a setting of the whole process: the test runs itself again in one that has some.
#[tokio::test]
async fn what_stays_on_this_machine_goes_through_no_proxy() {
    const NAME: &str = "tests::http::what_stays_on_this_machine_goes_through_no_proxy";
    if let Ok(url) = std::env::var(NAME) {
        assert_eq!(get(&url).await.unwrap().status, 200);
        let far = HttpTransport::connect("http://id.example.com", true).unwrap();
        let arguments = Map::new();
        let answer = far.send(Call::new(Operation::find("getDiscovery").unwrap(), &arguments)).await.unwrap();
        assert_eq!(answer.status, 203, "what goes elsewhere does");
        return;
    }
    let server = Socket::with_body("200 OK", "", "{}").await;
    let proxy = Socket::with_body("203 By Proxy", "", "{}").await;
    let mut again = std::process::Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", NAME]).env(NAME, &server.url).env("http_proxy", &proxy.url).env_remove("no_proxy");
    again.env_remove("NO_PROXY").env_remove("REQUEST_METHOD");
    let ended = tokio::task::spawn_blocking(move || again.output().unwrap()).await.unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
    assert_eq!((server.requests().len(), proxy.requests().len()), (1, 1));
    assert!(!proxy.requests()[0].contains("hidden-token"));
}

#[tokio::test]
async fn https_is_spoken_where_it_is_said() {
    let socket = Socket::with_body("200 OK", "", "{}").await;
    let url = socket.url.replace("http://", "https://");
    let error = get(&url).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::NotSent, "{error}");
    let heard = socket.requests();
    assert!(heard.iter().all(|request| !request.contains("/v1/me") && !request.contains("hidden")));
}
