//! `authkit session …`

use super::{
    Outcome, Output, TenantArgument, engine, finish,
    output::{BOLD, GREEN, paint},
};
use authkit_core::{sessions::Session, wire::SessionId};
use authkit_engine::Config;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List a user's sessions, newest first
    List(List),
    /// End a user's sessions: one, or all of them
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// The user, by address or id
    #[arg(long)]
    user: String,
    /// How many at most
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    tenant: TenantArgument,
}

#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// The user, by address or id
    #[arg(long)]
    user: String,
    /// Only this session
    #[arg(long, value_name = "ID")]
    session: Option<SessionId>,
    #[command(flatten)]
    tenant: TenantArgument,
}

pub(crate) async fn run(config: Config, command: Command, output: &Output) -> Outcome {
    let engine = engine(config).await?;
    match command {
        Command::List(arguments) => {
            let operator = arguments.tenant.operator(&engine).await?;
            let user = operator.get_user(&arguments.user).await?;
            let sessions = operator.list_sessions(user.id, arguments.limit).await?;
            let rows: Vec<[String; 5]> = sessions
                .iter()
                .map(|session| {
                    [
                        session.id.to_string(),
                        session.ip.clone().unwrap_or_default(),
                        session.user_agent.clone().unwrap_or_default(),
                        format!("{:.0}", session.created_at),
                        format!("{:.0}", session.last_active_at),
                    ]
                })
                .collect();
            let views: Vec<Value> = sessions.iter().map(view).collect();
            let head = ["id", "ip", "user agent", "created", "last active"];
            output.table(&json!({ "data": views }), head, &rows);
        }
        Command::Revoke(arguments) => {
            let operator = arguments.tenant.operator(&engine).await?;
            let user = operator.get_user(&arguments.user).await?;
            let revoked = match arguments.session {
                Some(session) => engine.sessions().revoke_of(&operator.origin(), user.id, session).await.map(|()| 1)?,
                None => engine.sessions().revoke_all_of(&operator.origin(), None, user.id).await?.revoked,
            };
            finish(&engine).await;
            output.result(&json!({ "user_id": user.id, "revoked": revoked }), || {
                format!("{} {revoked} session(s) of {}", paint(GREEN, "ended"), paint(BOLD, &user.email))
            });
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn view(session: &Session) -> Value {
    json!({
        "id": session.id,
        "user_agent": session.user_agent,
        "ip": session.ip,
        "place": session.place,
        "amr": session.amr,
        "created_at": session.created_at,
        "last_active_at": session.last_active_at,
    })
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::Bench;
    use authkit_core::{Origin, tenants::DEFAULT_TENANT, wire::LoginView};
    use authkit_testkit::{databases::Db, on_both_engines};

    on_both_engines! {
        sessions_are_listed_and_ended_one_by_one_and_all_at_once
    }

    async fn sessions_are_listed_and_ended_one_by_one_and_all_at_once(db: Db) {
        let bench = Bench::new(db).await;
        let origin = Origin::local(DEFAULT_TENANT);
        bench.user(&origin, "bob@example.com").await;
        bench.user(&origin, "ada@example.com").await;
        for email in ["ada@example.com", "ada@example.com", "ada@example.com", "bob@example.com"] {
            assert!(matches!(bench.login(&origin, email).await, Ok(LoginView::Tokens(_))));
        }
        let ids = async |user: &str| -> Vec<String> {
            let listed = bench.run(&format!("session list --user {user}")).await.expect("listed");
            let data = listed["data"].as_array().expect("a list").clone();
            data.iter().filter_map(|session| Some(session["id"].as_str()?.to_owned())).collect()
        };
        let before = ids("ada@example.com").await;
        assert_eq!(before.len(), 3);
        let one = format!("session revoke --user ada@example.com --session {}", before[1]);
        assert_eq!(bench.run(&one).await.expect("ended")["revoked"], 1);
        assert_eq!(ids("ada@example.com").await, [before[0].clone(), before[2].clone()]);
        assert!(bench.run(&one).await.is_err(), "it has ended already");
        let of_another = format!("session revoke --user bob@example.com --session {}", before[0]);
        assert!(bench.run(&of_another).await.is_err(), "it is not bob's");
        assert_eq!(bench.run("session revoke --user ada@example.com").await.expect("ended")["revoked"], 2);
        assert!(ids("ada@example.com").await.is_empty());
        assert_eq!(ids("bob@example.com").await.len(), 1, "another user's session ended");
        let store = &bench.engine.context().store;
        let records = store.list_audit(DEFAULT_TENANT, &Default::default(), None, 50).await.expect("read");
        let ended = records.iter().filter(|(record, _)| record.action == "session.ended");
        assert!(ended.clone().count() >= 2 && ended.clone().all(|(r, _)| r.actor.as_deref() == Some("operator")));
    }
}
