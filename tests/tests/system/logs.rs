//! The log of a server that strangers talk to: whole lines of JSON, nothing forged, nothing secret.

use authkit_tests::{Answer, Client, Database, PASSWORD, Server};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What the log says of each request, by trace.
fn access_lines(lines: &[Value]) -> BTreeMap<&str, &Value> {
    lines
        .iter()
        .filter(|line| line["target"] == "authkit::access")
        .map(|line| (line["trace_id"].as_str().expect("a trace"), line))
        .collect()
}

/// What a browser is given that signs in over the pages as a second user: its own value, its session, and its form's token.
async fn cookies_of_a_sign_in(url: &str) -> Vec<String> {
    let browser = Client::new(url);
    browser.register("bob@example.com").await;
    let set = |page: &Answer, name: &str| {
        let cookies = page.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
        let mut pairs = cookies.filter_map(|cookie| cookie.split(';').next()?.split_once('='));
        pairs.find(|(found, _)| *found == name).unwrap_or_else(|| panic!("no cookie {name}: {page:?}")).1.to_owned()
    };
    let page = browser.get("/sign-in").await;
    let own = set(&page, "authkit-browser");
    let token = page.text.split_once("name=\"form_token\" value=\"").unwrap().1.split('"').next().unwrap();
    let fields = [("form_token", token), ("email", "bob@example.com"), ("password", PASSWORD)];
    let answer = browser.submit("/sign-in", &fields, &format!("authkit-browser={own}")).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert_eq!(answer.headers["location"], "/account");
    vec![own, set(&answer, "authkit-browser"), set(&answer, "authkit-session"), token.to_owned()]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_is_json_and_none_is_forged_or_tells_a_secret() {
    let database = Database::sqlite();
    let own = "info,authkit=trace,authkit_core=trace,authkit_engine=trace,authkit_server=trace,authkit_sql=trace";
    let env = [("AUTHKIT_RATE_LIMITS__ENABLED", "false"), ("AUTHKIT_LOG__FORMAT", "json"), ("AUTHKIT_LOG__LEVEL", own)];
    let server = Server::start_with(&database, &env).await;
    let mut client = server.client();
    let mut secrets = vec![PASSWORD.to_owned(), "wrong horse battery staple".to_owned()];
    let mut expected = Vec::new();

    let answer = client.post("/v1/auth/register", json!({"email": "ada@example.com", "password": PASSWORD})).await;
    expected.push((answer.headers["x-trace-id"].to_str().unwrap().to_owned(), "/v1/auth/register", 202));
    let _ = answer.expect(202);
    let mail = client.mail("ada@example.com", "verify_email").await;
    let token = authkit_tests::Client::token_of(&mail);
    let _ = client.post("/v1/auth/verify-email", json!({"token": token})).await.expect(200);
    secrets.push(token);

    // A wrong sign-in whose headers and address try to write lines of their own.
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let traceparent = format!("00-{trace}-00f067aa0ba902b7-01");
    let forged = r#"x","level":"ERROR","message":"forged-line"#;
    let injected =
        [("user-agent", forged), ("traceparent", traceparent.as_str()), ("x-forwarded-for", "forged-line\tfoo")];
    let wrong = json!({"email": "ada@example.com", "password": "wrong horse battery staple"});
    let answer = client.try_request(Method::POST, "/v1/auth/login", Some(&wrong), &injected).await.unwrap();
    assert_eq!(answer.headers["x-trace-id"], trace);
    answer.refused(401, "auth.invalid_credentials");
    expected.push((trace.to_owned(), "/v1/auth/login", 401));
    for (name, value) in [
        ("traceparent", "00-forged-line-00f067aa0ba902b7-01"),
        ("x-trace-id", "forged-line"),
        ("x-request-id", "forged-line"),
        ("x-authkit-tenant", "forged-line\tlevel=ERROR"),
        ("authorization", "Bearer forged-line"),
    ] {
        let answer = client.try_request(Method::GET, "/v1/me", None, &[(name, value)]).await.unwrap();
        let found = answer.headers["x-trace-id"].to_str().unwrap().to_owned();
        assert!(found.len() == 32 && found.bytes().all(|b| b.is_ascii_hexdigit()), "{name}: {found}");
        expected.push((found, "/v1/me", answer.status));
    }
    let email = json!({"email": "forged-line\n{\"level\":\"ERROR\"}@example.com", "password": PASSWORD});
    assert_eq!(client.post("/v1/auth/register", email).await.status, 422);
    let path = "/v1/forged-line%0a%7b%22level%22%3a%22ERROR%22%7d?forged-line=%0d%0aforged-line";
    assert_eq!(client.get(path).await.status, 404);

    client.sign_in("ada@example.com").await;
    let before = client.tokens.clone();
    let answer = client.refresh().await;
    expected.push((answer.headers["x-trace-id"].to_str().unwrap().to_owned(), "/v1/auth/refresh", 200));
    assert_eq!(answer.status, 200);
    let (secret, codes) = client.enable_totp().await;
    secrets.push(secret);
    secrets.extend(codes);
    for tokens in [&before, &client.tokens] {
        for name in ["access_token", "refresh_token"] {
            let token = tokens[name].as_str().unwrap();
            secrets.push(token.to_owned());
            // Parts of it would do as well.
            secrets.push(token[token.len() - 24..].to_owned());
        }
    }
    secrets.extend(cookies_of_a_sign_in(&server.url).await);
    let forged = [("cookie", "authkit-session=forged-line")];
    assert_eq!(client.try_request(Method::GET, "/account", None, &forged).await.unwrap().status, 303);
    assert_eq!(server.terminate().await, Some(0));

    let log = std::fs::read_to_string(database.directory().join("server.log")).unwrap();
    let out = std::fs::read_to_string(database.directory().join("server.out")).unwrap();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("not JSON ({error}): {line}")))
        .collect();
    let access = access_lines(&lines);
    for (trace, route, status) in &expected {
        let line = access.get(trace.as_str()).unwrap_or_else(|| panic!("no line for {route}, trace {trace}:\n{log}"));
        assert_eq!(
            (line["route"].as_str(), line["status"].as_u64()),
            (Some(*route), Some(u64::from(*status))),
            "{line}"
        );
    }
    for text in [&log, &out] {
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{secret} is in the log:\n{text}");
        }
        for personal in ["ada@example.com", "ada@", "bob@", "forged-line"] {
            assert!(!text.contains(personal), "{personal} is in the log:\n{text}");
        }
    }
    let worst: Vec<&Value> = lines.iter().filter(|line| line["level"] == "ERROR").collect();
    assert!(worst.is_empty(), "{worst:?}");
}
