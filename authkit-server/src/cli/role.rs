//! `authkit role …`

use super::{
    Outcome, Output, TenantArgument, engine, finish,
    output::{BOLD, GREEN, paint},
};
use authkit_core::{rbac::Role, wire::CreateRoleRequest};
use authkit_engine::Config;
use clap::{Args, Subcommand};
use serde_json::json;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List roles
    List {
        #[command(flatten)]
        tenant: TenantArgument,
    },
    /// Define a role
    Create(Create),
    /// Assign a role to a user
    Assign(Assignment),
    /// Take a role from a user
    Remove(Assignment),
    /// Delete a role that nobody holds
    Delete {
        /// The role, by name or id
        role: String,
        #[command(flatten)]
        tenant: TenantArgument,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Its name
    name: String,
    /// What it is for
    #[arg(long, default_value = "")]
    description: String,
    /// The role it inherits from
    #[arg(long, value_name = "ROLE")]
    parent: Option<String>,
    /// What it grants, for example `users:read`; may be repeated
    #[arg(long = "permission", value_name = "PERMISSION")]
    permissions: Vec<String>,
    #[command(flatten)]
    tenant: TenantArgument,
}

#[derive(Debug, Args)]
pub(crate) struct Assignment {
    /// The user, by address or id
    user: String,
    /// The role, by name or id
    role: String,
    #[command(flatten)]
    tenant: TenantArgument,
}

pub(crate) async fn run(config: Config, command: Command, output: &Output) -> Outcome {
    let engine = engine(config).await?;
    match command {
        Command::List { tenant } => {
            let roles = tenant.operator(&engine).await?.list_roles().await?;
            let name_of = |id| roles.iter().find(|role| role.id == id).map(|role| role.name.clone());
            let rows: Vec<[String; 5]> = roles
                .iter()
                .map(|role| {
                    [
                        role.id.to_string(),
                        role.name.clone(),
                        role.parent.and_then(name_of).unwrap_or_default(),
                        role.permissions.join(" "),
                        if role.system { "yes" } else { "" }.to_owned(),
                    ]
                })
                .collect();
            let views: Vec<_> = roles.iter().map(Role::view).collect();
            output.table(&json!({ "data": views }), ["id", "name", "parent", "permissions", "system"], &rows);
        }
        Command::Create(arguments) => {
            let operator = arguments.tenant.operator(&engine).await?;
            let parent_id = match &arguments.parent {
                Some(parent) => Some(operator.get_role(parent).await?.id),
                None => None,
            };
            let request = CreateRoleRequest {
                name: arguments.name,
                description: arguments.description,
                parent_id,
                permissions: arguments.permissions,
            };
            let role = engine.roles().create(&operator.origin(), None, request).await?;
            finish(&engine).await?;
            output.result(&role, || format!("{} {} ({})", paint(GREEN, "created"), paint(BOLD, &role.name), role.id));
        }
        Command::Assign(arguments) => {
            let operator = arguments.tenant.operator(&engine).await?;
            let role = operator.get_role(&arguments.role).await?;
            let user = operator.get_user(&arguments.user).await?;
            engine.roles().assign(&operator.origin(), None, user.id, role.id).await?;
            finish(&engine).await?;
            output.result(&json!({ "user_id": user.id, "role_id": role.id, "assigned": true }), || {
                format!("{} {} to {}", paint(GREEN, "assigned"), paint(BOLD, &role.name), user.email)
            });
        }
        Command::Remove(arguments) => {
            let operator = arguments.tenant.operator(&engine).await?;
            let role = operator.get_role(&arguments.role).await?;
            let user = operator.get_user(&arguments.user).await?;
            engine.roles().remove(&operator.origin(), None, user.id, role.id).await?;
            finish(&engine).await?;
            output.result(&json!({ "user_id": user.id, "role_id": role.id, "assigned": false }), || {
                format!("{} {} from {}", paint(GREEN, "removed"), paint(BOLD, &role.name), user.email)
            });
        }
        Command::Delete { role, tenant } => {
            let operator = tenant.operator(&engine).await?;
            let role = operator.get_role(&role).await?;
            engine.roles().delete(&operator.origin(), None, role.id, None).await?;
            finish(&engine).await?;
            output.result(&json!({ "role_id": role.id, "deleted": true }), || {
                format!("{} {}", paint(GREEN, "deleted"), paint(BOLD, &role.name))
            });
        }
    }
    Ok(ExitCode::SUCCESS)
}
