//! `authkit user …`

use super::{
    Failure, Outcome, Output, TenantArgument, engine, finish,
    output::{BOLD, GREEN, paint},
};
use authkit_core::{
    accounts::{User, UserFilter},
    wire::{Secret, UserStatus},
};
use authkit_engine::Config;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use std::{io::Read as _, process::ExitCode};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create a user whose address counts as verified
    Create(Create),
    /// List users, newest first
    List(List),
    /// Show one user
    Show(Which),
    /// Let a user sign in again, also one whose deletion is pending
    Activate(Which),
    /// Keep a user from signing in and end the user's sessions
    Deactivate(Which),
    /// Lift the lock that wrong passwords put on a user
    Unlock(Which),
    /// Remove a user's second factors and end the user's sessions
    ResetMfa(Which),
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// The address
    #[arg(long)]
    email: String,
    /// Read the password from standard input (a trailing newline is dropped)
    #[arg(long, required = true)]
    password_stdin: bool,
    /// A name for people
    #[arg(long)]
    name: Option<String>,
    /// Assign this role; may be repeated
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    #[command(flatten)]
    tenant: TenantArgument,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only addresses that start so
    #[arg(long, value_name = "PREFIX")]
    email: Option<String>,
    /// Only names that contain this
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Only users in this state
    #[arg(long)]
    status: Option<Status>,
    /// Only users who hold this role
    #[arg(long)]
    role: Option<String>,
    /// How many at most
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    tenant: TenantArgument,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Status {
    Active,
    Deactivated,
    PendingDeletion,
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The user, by address or id
    #[arg(value_name = "USER")]
    user: String,
    #[command(flatten)]
    tenant: TenantArgument,
}

pub(crate) async fn run(config: Config, command: Command, output: &Output) -> Outcome {
    // Read before anything is opened: a missing password should not cost a database connection.
    let password = match &command {
        Command::Create(_) => Some(password_from(std::io::stdin())?),
        _ => None,
    };
    let engine = engine(config).await?;
    match command {
        Command::Create(arguments) => {
            let operator = arguments.tenant.operator(&engine).await?;
            let origin = operator.origin();
            let mut roles = Vec::new();
            for name in &arguments.roles {
                roles.push(operator.get_role(name).await?);
            }
            let password = password.unwrap_or_default();
            let user = engine
                .accounts()
                .create_verified(&origin, &arguments.email, &password, arguments.name.as_deref())
                .await?;
            for role in &roles {
                engine.roles().assign(&origin, None, user.id, role.id).await?;
            }
            finish(&engine).await;
            let names: Vec<&str> = roles.iter().map(|role| role.name.as_str()).collect();
            output.result(&json!({ "user": user, "roles": names }), || {
                let roles = if names.is_empty() { String::new() } else { format!(" as {}", names.join(", ")) };
                format!("{} {}{roles} ({})", paint(GREEN, "created"), paint(BOLD, &user.email), user.id)
            });
        }
        Command::List(arguments) => {
            let operator = arguments.tenant.operator(&engine).await?;
            let role = match &arguments.role {
                Some(name) => Some(operator.get_role(name).await?.id),
                None => None,
            };
            let filter = UserFilter {
                email_prefix: arguments.email,
                name_contains: arguments.name,
                status: arguments.status.map(|status| match status {
                    Status::Active => UserStatus::Active,
                    Status::Deactivated => UserStatus::Deactivated,
                    Status::PendingDeletion => UserStatus::PendingDeletion,
                }),
                role,
            };
            let users = operator.list_users(&filter, arguments.limit).await?;
            let views: Vec<_> = users.iter().map(User::view).collect();
            let rows: Vec<[String; 6]> = users
                .iter()
                .map(|user| {
                    [
                        user.id.to_string(),
                        user.email.clone(),
                        user.name.clone().unwrap_or_default(),
                        status(user).as_str().unwrap_or_default().to_owned(),
                        if user.mfa_enabled { "yes" } else { "" }.to_owned(),
                        format!("{:.0}", user.created_at),
                    ]
                })
                .collect();
            output.table(&json!({ "data": views }), ["id", "email", "name", "status", "mfa", "created"], &rows);
        }
        Command::Show(which) => {
            let operator = which.tenant.operator(&engine).await?;
            let user = operator.get_user(&which.user).await?;
            let roles = operator.roles_of(user.id).await?;
            let view = user.view();
            output.facts(&json!({ "user": view, "roles": roles }), || {
                let mut lines = vec![
                    ("id", view.id.to_string()),
                    ("email", view.email.clone()),
                    ("verified", if view.email_verified { "yes" } else { "no" }.into()),
                    ("name", view.name.clone().unwrap_or_default()),
                    ("status", status(&user).as_str().unwrap_or_default().into()),
                    ("mfa", if view.mfa_enabled { "yes" } else { "no" }.into()),
                    ("roles", roles.join(", ")),
                    ("created", format!("{:.0}", user.created_at)),
                ];
                if let Some(at) = user.last_sign_in_at {
                    lines.push(("last sign-in", format!("{at:.0}")));
                }
                if let Some(at) = user.erase_at {
                    lines.push(("may be erased from", format!("{at:.0}")));
                }
                lines
            });
        }
        Command::Activate(which) => {
            let (operator, user) = find(&engine, &which).await?;
            let view = engine.accounts().activate(&operator.origin(), None, user.id).await?;
            changed(output, &engine, "activated", &user, json!(view)).await;
        }
        Command::Deactivate(which) => {
            let (operator, user) = find(&engine, &which).await?;
            let view = engine.accounts().deactivate(&operator.origin(), None, user.id).await?;
            changed(output, &engine, "deactivated", &user, json!(view)).await;
        }
        Command::Unlock(which) => {
            let (operator, user) = find(&engine, &which).await?;
            let view = engine.accounts().unlock(&operator.origin(), None, user.id).await?;
            changed(output, &engine, "unlocked", &user, json!(view)).await;
        }
        Command::ResetMfa(which) => {
            let (operator, user) = find(&engine, &which).await?;
            engine.mfa().reset(&operator.origin(), None, user.id).await?;
            let view = operator.get_user(&user.id.to_string()).await?.view();
            changed(output, &engine, "removed the second factors of", &user, json!(view)).await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn find(engine: &authkit_engine::Engine, which: &Which) -> Result<(authkit_engine::Operator, User), Failure> {
    let operator = which.tenant.operator(engine).await?;
    let user = operator.get_user(&which.user).await?;
    Ok((operator, user))
}

async fn changed(output: &Output, engine: &authkit_engine::Engine, what: &str, user: &User, view: Value) {
    finish(engine).await;
    output.result(&view, || format!("{} {} ({})", paint(GREEN, what), paint(BOLD, &user.email), user.id));
}

fn status(user: &User) -> Value {
    json!(user.status)
}

/// Reads a password; one trailing line end is dropped, nothing else.
fn password_from(mut input: impl std::io::Read) -> Result<Secret, Failure> {
    let mut text = String::new();
    let read = input.by_ref().take(16 * 1024).read_to_string(&mut text);
    let secret =
        Secret::from(text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line)));
    let wipe = Secret::from(text);
    drop(wipe);
    read.map_err(|error| Failure::new(format!("the password cannot be read: {error}")))?;
    if secret.expose().is_empty() {
        let next =
            "for example: printf %s \"$PASSWORD\" | authkit user create --email you@example.com --password-stdin";
        return Err(Failure::new("there is no password on standard input").next(next));
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::password_from;

    #[test]
    fn one_trailing_line_end_is_dropped_and_nothing_else() {
        for (input, password) in
            [("secret\n", "secret"), ("secret\r\n", "secret"), ("secret", "secret"), (" s \n\n", " s \n")]
        {
            assert_eq!(
                password_from(input.as_bytes()).map(|secret| secret.expose().to_owned()).ok().as_deref(),
                Some(password)
            );
        }
        assert!(password_from(&b"\n"[..]).is_err());
        assert!(password_from(&b"\xff\xfe"[..]).is_err());
    }
}
