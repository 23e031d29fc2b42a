//! `authkit-client` against the real service, in this process and over a socket. What every SDK does alike is a scenario;
//! here is what only a program in Rust shows.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use authkit_client::{
    Answer, Builder, Call, Client, Event, FileStorage, ListRolesQuery, Operation, SignedIn, Transport, TransportError,
    TransportErrorKind, code,
    wire::{CreateRoleRequest, ErrorCode, MfaMethod, RegisterRequest, TotpConfirmRequest, UserView},
};
use authkit_engine::{Config, Conformance};
use authkit_tests::{Database, PASSWORD, Place, Server};
use futures_util::{TryStreamExt, future::join_all};
use serde_json::{Value, json};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

/// Both places; the server lives as long as what is returned.
async fn places() -> (Place, Place, (Database, Server)) {
    let mut config = Config::development("sqlite::memory:");
    (config.argon2.memory_kib, config.argon2.iterations) = (64, 1);
    let inside = Place::inside(Conformance::in_memory(config).unwrap()).await;
    let database = Database::memory();
    let server = Server::start_conformance(&database).await;
    (inside, Place::at(&server.url), (database, server))
}

fn builder(place: &Place) -> Builder {
    Client::builder().transport(place.transport())
}

/// The administrator of a fresh state.
async fn admin(place: &Place) -> Client {
    let fresh = place.control("POST", "/conformance/reset", Some(json!({}))).await.unwrap();
    let client = builder(place).build().unwrap();
    let signed_in = client.login(fresh["email"].as_str().unwrap(), fresh["password"].as_str().unwrap()).await.unwrap();
    assert!(matches!(signed_in, SignedIn::Yes(_)));
    client
}

async fn advance(place: &Place, seconds: u32) {
    place.control("POST", "/conformance/clock", Some(json!({ "advance": seconds }))).await.unwrap();
}

async fn mailed_token(client: &Client, email: &str) -> String {
    let mails = client.call("listOutbox", json!({ "to": email })).await.unwrap();
    let link = mails["data"][0]["links"][0].as_str().unwrap().to_owned();
    link.split_once("token=").unwrap().1.to_owned()
}

/// Registers `email`, proves the address and signs in.
async fn sign_up(client: &Client, email: &str) -> UserView {
    let request = json!({"email": email, "password": PASSWORD});
    let request: RegisterRequest = serde_json::from_value(request).unwrap();
    client.register(request).await.unwrap();
    client.verify_email(mailed_token(client, email).await).await.unwrap();
    match client.login(email, PASSWORD).await.unwrap() {
        SignedIn::Yes(tokens) => tokens.user,
        SignedIn::MfaRequired(_) => panic!("no second factor is set up"),
    }
}

#[tokio::test]
async fn an_account_lives_from_registration_to_sign_out() {
    let (inside, socket, _server) = places().await;
    for place in [&inside, &socket] {
        admin(place).await;
        let heard = Arc::new(Mutex::new(Vec::new()));
        let into = heard.clone();
        let hear = move |event: &Event| into.lock().unwrap().push(event.name());
        let client = builder(place).on_event(hear).build().unwrap();
        let user = sign_up(&client, "ada@example.com").await;
        assert_eq!(client.get_me().await.unwrap().id, user.id);
        assert_eq!(client.get_jwks().await.unwrap().keys.len(), 1);

        let enrolment = client.enrol_totp().await.unwrap();
        let clock = place.control("GET", "/conformance/clock", None).await.unwrap();
        let now: jiff::Timestamp = clock["now"].as_str().unwrap().parse().unwrap();
        let totp = |at| authkit_testkit::authenticator::code(enrolment.secret.expose(), at);
        client.confirm_totp(TotpConfirmRequest { code: totp(now).into() }).await.unwrap();
        client.logout().await.unwrap();
        assert_eq!(client.get_me().await.unwrap_err().code, code::SIGNED_OUT);

        let error = client.login("ada@example.com", "another horse").await.unwrap_err();
        assert!(error.is(ErrorCode::InvalidCredentials) && error.status == 401 && error.trace_id.is_some());
        let SignedIn::MfaRequired(attempt) = client.login("ada@example.com", PASSWORD).await.unwrap() else {
            panic!("the second factor is asked for")
        };
        advance(place, 30).await;
        let next = totp(now + jiff::SignedDuration::from_secs(30));
        client.verify_mfa(&attempt, MfaMethod::Totp, next).await.unwrap();
        assert!(client.get_mfa().await.unwrap().totp);
        assert_eq!(*heard.lock().unwrap(), ["signed_in", "signed_out", "signed_in"]);
    }
}

#[tokio::test]
async fn typed_methods_write_read_and_page() {
    let (inside, socket, _server) = places().await;
    for place in [&inside, &socket] {
        let admin = admin(place).await;
        for number in 0..7 {
            let role = json!({"name": format!("editor-{number}"), "permissions": ["users:read"]});
            let role: CreateRoleRequest = serde_json::from_value(role).unwrap();
            let made = admin.create_role(role).await.unwrap();
            assert_eq!(admin.get_role(made.id).await.unwrap().name, format!("editor-{number}"));
        }
        let query = ListRolesQuery { name: Some("editor-".into()), limit: Some(3), ..Default::default() };
        let first = admin.list_roles(&query).await.unwrap();
        assert!(first.data.len() == 3 && first.next_cursor.is_some());
        let all: Vec<_> = admin.list_roles_pages(&query).items().try_collect().await.unwrap();
        assert_eq!(all.len(), 7);
        admin.delete_role(all[0].id).await.unwrap();
        assert!(admin.get_role(all[0].id).await.unwrap_err().is(ErrorCode::RoleNotFound));
    }
}

/// A path, query or body that the server does not know would be refused with other codes.
#[tokio::test]
async fn every_operation_reaches_its_route() {
    let (inside, _socket, _server) = places().await;
    let admin = admin(&inside).await;
    let tokens = admin.refresh().await.unwrap();
    for operation in Operation::all() {
        let client = admin.with_bearer(tokens.access_token.clone());
        let arguments = operation.path_params.iter().map(|name| ((*name).to_owned(), json!("x"))).collect();
        let Err(error) = client.call(operation.name, Value::Object(arguments)).await else { continue };
        let lost = [ErrorCode::RouteNotFound, ErrorCode::MethodNotAllowed, ErrorCode::UnsupportedMediaType];
        assert!(error.status > 0 && !lost.iter().any(|code| error.is(*code)), "{}: {error}", operation.name);
        assert!(!error.is(ErrorCode::MalformedRequest), "{}: {error}", operation.name);
        // What is missing is missing; nothing that was sent is unknown.
        assert!(
            error.fields.iter().all(|field| field.code != "unknown_field"),
            "{}: {:?}",
            operation.name,
            error.fields
        );
    }
}

/// Brings the calls, and loses so many answers of refreshes.
struct Losing {
    transport: Arc<dyn Transport>,
    left: AtomicUsize,
}

#[async_trait::async_trait]
impl Transport for Losing {
    async fn send(&self, call: Call<'_>) -> Result<Answer, TransportError> {
        let answer = self.transport.send(call).await?;
        let lost = |left: usize| left.checked_sub(1);
        if call.operation.name == "refresh"
            && self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, lost).is_ok()
        {
            return Err(TransportError::new(TransportErrorKind::Lost, "The connection was lost."));
        }
        Ok(answer)
    }
}

#[tokio::test]
async fn a_lost_answer_signs_nobody_out_even_hours_later_in_another_program() {
    let (inside, socket, _server) = places().await;
    for place in [&inside, &socket] {
        admin(place).await;
        let folder = tempfile::tempdir().unwrap();
        let storage = || FileStorage::new(folder.path().join("session.json"));
        let losing = Losing { transport: place.transport(), left: AtomicUsize::new(3) };
        let client = Client::builder().transport(losing).storage(storage()).build().unwrap();
        sign_up(&client, "ada@example.com").await;
        advance(place, 931).await;
        assert_eq!(client.get_me().await.unwrap_err().code, code::NETWORK);
        advance(place, 3 * 3600).await;
        let later = builder(place).storage(storage()).build().unwrap();
        assert_eq!(later.get_me().await.unwrap().email, "ada@example.com");
        advance(place, 931).await;
        assert!(later.get_me().await.is_ok(), "it goes on from there");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_that_share_a_file_stay_signed_in() {
    let (inside, socket, _server) = places().await;
    for place in [&inside, &socket] {
        admin(place).await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("session.json");
        let clients: Vec<Client> =
            (0..4).map(|_| builder(place).storage(FileStorage::new(&file)).build().unwrap()).collect();
        sign_up(&clients[0], "ada@example.com").await;
        for _ in 0..3 {
            // Longer than an old refresh token is answered: whoever presented one would end the session.
            advance(place, 931).await;
            let calls = clients.iter().flat_map(|client| (0..10).map(move |_| client.get_me()));
            for answer in join_all(calls).await {
                assert_eq!(answer.unwrap().email, "ada@example.com");
            }
        }
        assert_eq!(clients[3].list_sessions(&Default::default()).await.unwrap().data.len(), 1);
    }
}
