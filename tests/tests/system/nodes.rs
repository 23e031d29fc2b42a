//! Two server processes on one PostgreSQL.

use authkit_tests::{Client, Database, Server, rounds};
use serde_json::json;
use std::time::{Duration, Instant};

/// Repeats the request until it is answered with `status`, which must happen within a second.
async fn within_a_second(client: &Client, path: &str, status: u16, what: &str) {
    let start = Instant::now();
    loop {
        let answer = client.get(path).await;
        if answer.status == status {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(1), "{what}: still {} after a second", answer.status);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_revokes_the_other_refuses_within_a_second() {
    let database = Database::postgres().await;
    let (one, two) = (Server::start(&database).await, Server::start(&database).await);
    let admin = one.administrator(&database).await;
    let role =
        admin.post("/v1/roles", json!({"name": "reader", "permissions": ["users:read"]})).await.expect(201)["id"]
            .as_str()
            .unwrap()
            .to_owned();

    // Writers that began earlier and commit later hold the snapshot's horizon back all the time.
    let url = database.url.clone();
    let late = tokio::spawn(async move {
        use sqlx::{Connection, Executor, PgConnection};
        let mut connection = PgConnection::connect(&url).await.unwrap();
        loop {
            connection.execute("BEGIN").await.unwrap();
            connection.execute("SELECT pg_current_xact_id()").await.unwrap();
            tokio::time::sleep(Duration::from_secs(3)).await;
            connection.execute("COMMIT").await.unwrap();
        }
    });

    for round in 0..rounds(5, 50) {
        let email = format!("user{round}@example.com");
        let user = one.client().new_user(&email).await;
        let mut second = one.client();
        second.sign_in(&email).await;
        let (here, there) = (second.at(&one.url), second.at(&two.url));
        let _ = there.get("/v1/me").await.expect(200);

        let path = format!("/v1/users/{}/roles/{role}", user.user_id());
        assert_eq!(admin.put(&path).await.status, 204);
        within_a_second(&there, "/v1/admin/users", 200, "assigned role").await;
        assert_eq!(admin.delete(&path).await.status, 204);
        within_a_second(&there, "/v1/admin/users", 403, "removed role").await;

        let session = second.tokens["session_id"].as_str().unwrap();
        assert_eq!(user.delete(&format!("/v1/me/sessions/{session}")).await.status, 204);
        within_a_second(&there, "/v1/me", 401, "revoked session").await;
        assert_eq!(here.get("/v1/me").await.status, 401);

        let elsewhere = user.at(&two.url);
        let _ = elsewhere.get("/v1/me").await.expect(200);
        let _ = admin.post(&format!("/v1/admin/users/{}/deactivate", user.user_id()), json!({})).await.expect(200);
        within_a_second(&elsewhere, "/v1/me", 401, "deactivated account").await;
    }
    late.abort();
    assert_eq!(one.terminate().await, Some(0));
    assert_eq!(two.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_refresh_token_at_two_nodes_has_one_successor() {
    let database = Database::postgres().await;
    let (one, two) = (Server::start(&database).await, Server::start(&database).await);
    let mut user = one.client().new_user("ada@example.com").await;
    for _ in 0..rounds(10, 200) {
        let body = json!({"refresh_token": user.refresh_token()});
        let nodes = [user.at(&one.url), user.at(&two.url)];
        let answers =
            futures_util::future::join_all((0..8).map(|n| nodes[n % 2].post("/v1/auth/refresh", body.clone()))).await;
        let bodies: Vec<_> = answers.into_iter().map(|answer| answer.expect(200)).collect();
        for body in &bodies {
            assert_eq!(body["refresh_token"], bodies[0]["refresh_token"]);
            assert_eq!(body["access_token"], bodies[0]["access_token"]);
        }
        user.tokens = bodies[0].clone();
    }
}
