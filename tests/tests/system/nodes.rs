//! Two server processes on one PostgreSQL.

use authkit_core::wire::SessionId;
use authkit_tests::{Client, Database, PASSWORD, Server, rounds};
use serde_json::json;
use sqlx::{Connection, PgConnection};
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
        use sqlx::Executor;
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

        let leaver = one.client().new_user(&format!("leaver{round}@example.com")).await;
        let elsewhere = leaver.at(&two.url);
        let _ = elsewhere.get("/v1/me").await.expect(200);
        assert_eq!(leaver.post("/v1/me/delete", json!({"password": PASSWORD})).await.status, 204);
        within_a_second(&elsewhere, "/v1/me", 401, "deleted account").await;
    }
    assert!(!late.is_finished(), "nobody held the horizon back");
    late.abort();
    assert_eq!(one.terminate().await, Some(0));
    assert_eq!(two.terminate().await, Some(0));
}

/// The row of the feed is written first and seen last: readers have passed its place by then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_that_commits_late_is_heard_and_delays_no_other() {
    let database = Database::postgres().await;
    let (one, two) = (Server::start(&database).await, Server::start(&database).await);
    for round in 0..rounds(3, 30) {
        let late = one.client().new_user(&format!("late{round}@example.com")).await.at(&two.url);
        let meanwhile = one.client().new_user(&format!("meanwhile{round}@example.com")).await;
        let session: SessionId = late.tokens["session_id"].as_str().unwrap().parse().unwrap();
        let _ = late.get("/v1/me").await.expect(200);

        // What the end of a session writes, held open. It does not notify: whether readers are woken must not matter.
        let mut connection = PgConnection::connect(&database.url).await.unwrap();
        let mut writer = connection.begin().await.unwrap();
        sqlx::query(
            "INSERT INTO feed (kind, tenant_id, subject_id, at) SELECT 'session_ended', tenant_id, id, \
             (extract(epoch FROM clock_timestamp()) * 1000000)::bigint FROM sessions WHERE id = $1",
        )
        .bind(session.uuid())
        .execute(&mut *writer)
        .await
        .unwrap();
        let deleted =
            sqlx::query("DELETE FROM sessions WHERE id = $1").bind(session.uuid()).execute(&mut *writer).await.unwrap();
        assert_eq!(deleted.rows_affected(), 1);

        for turn in 0..4 {
            let mut other = one.client();
            other.sign_in(&format!("meanwhile{round}@example.com")).await;
            let there = other.at(&two.url);
            let _ = there.get("/v1/me").await.expect(200);
            let id = other.tokens["session_id"].as_str().unwrap();
            assert_eq!(meanwhile.delete(&format!("/v1/me/sessions/{id}")).await.status, 204);
            within_a_second(&there, "/v1/me", 401, &format!("revocation {turn} beside an open one")).await;
        }
        let _ = late.get("/v1/me").await.expect(200);

        writer.commit().await.unwrap();
        within_a_second(&late, "/v1/me", 401, "revocation that committed late").await;
    }
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
