//! `authkit role …`

use super::{
    Failure, Outcome, Output, TenantArgument, engine, finish,
    output::{BOLD, GREEN, paint},
};
use authkit_core::{
    rbac::Role,
    wire::{CreateRoleRequest, Patch, UpdateRoleRequest},
};
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
    /// Show one role with all that it grants
    Show(Which),
    /// Define a role
    Create(Create),
    /// Change a role; its holders have what it grants from their next request on
    Update(Update),
    /// Assign a role to a user
    Assign(Assignment),
    /// Take a role from a user
    Remove(Assignment),
    /// Delete a role that nobody holds
    Delete(Which),
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
pub(crate) struct Which {
    /// The role, by name or id
    role: String,
    #[command(flatten)]
    tenant: TenantArgument,
}

#[derive(Debug, Args)]
pub(crate) struct Update {
    #[command(flatten)]
    which: Which,
    /// Its new name
    #[arg(long)]
    name: Option<String>,
    /// What it is for
    #[arg(long)]
    description: Option<String>,
    /// The role it inherits from
    #[arg(long, value_name = "ROLE", conflicts_with = "no_parent")]
    parent: Option<String>,
    /// Let it inherit from no role
    #[arg(long)]
    no_parent: bool,
    /// Grant this as well; may be repeated
    #[arg(long = "add-permission", value_name = "PERMISSION")]
    added: Vec<String>,
    /// No longer grant this; may be repeated
    #[arg(long = "remove-permission", value_name = "PERMISSION")]
    removed: Vec<String>,
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
        Command::Show(which) => {
            let operator = which.tenant.operator(&engine).await?;
            let role = operator.get_role(&which.role).await?;
            let roles = operator.list_roles().await?;
            let parent = role.parent.and_then(|id| roles.iter().find(|role| role.id == id));
            let inherited = inherited(&role, &roles);
            let value = json!({ "role": role.view(), "inherited_permissions": inherited });
            output.facts(&value, || {
                vec![
                    ("id", role.id.to_string()),
                    ("name", role.name.clone()),
                    ("description", role.description.clone()),
                    ("parent", parent.map(|role| role.name.clone()).unwrap_or_default()),
                    ("permissions", role.permissions.join(" ")),
                    ("inherited", inherited.join(" ")),
                    ("system", if role.system { "yes" } else { "no" }.to_owned()),
                    ("created", format!("{:.0}", role.created_at)),
                    ("updated", format!("{:.0}", role.updated_at)),
                ]
            });
        }
        Command::Update(arguments) => {
            let operator = arguments.which.tenant.operator(&engine).await?;
            let role = operator.get_role(&arguments.which.role).await?;
            let parent_id = match &arguments.parent {
                Some(parent) => Patch::Set(operator.get_role(parent).await?.id),
                None if arguments.no_parent => Patch::Clear,
                None => Patch::Absent,
            };
            let request = UpdateRoleRequest {
                name: arguments.name,
                description: arguments.description,
                parent_id,
                permissions: changed(&role, &arguments.added, &arguments.removed)?,
            };
            // What is added and removed was told of the list that was read.
            let role = engine.roles().update(&operator.origin(), None, role.id, request, Some(role.version)).await?;
            finish(&engine).await;
            output.result(&role, || format!("{} {} ({})", paint(GREEN, "changed"), paint(BOLD, &role.name), role.id));
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
            finish(&engine).await;
            output.result(&role, || format!("{} {} ({})", paint(GREEN, "created"), paint(BOLD, &role.name), role.id));
        }
        Command::Assign(arguments) => {
            let operator = arguments.tenant.operator(&engine).await?;
            let role = operator.get_role(&arguments.role).await?;
            let user = operator.get_user(&arguments.user).await?;
            engine.roles().assign(&operator.origin(), None, user.id, role.id).await?;
            finish(&engine).await;
            output.result(&json!({ "user_id": user.id, "role_id": role.id, "assigned": true }), || {
                format!("{} {} to {}", paint(GREEN, "assigned"), paint(BOLD, &role.name), user.email)
            });
        }
        Command::Remove(arguments) => {
            let operator = arguments.tenant.operator(&engine).await?;
            let role = operator.get_role(&arguments.role).await?;
            let user = operator.get_user(&arguments.user).await?;
            engine.roles().remove(&operator.origin(), None, user.id, role.id).await?;
            finish(&engine).await;
            output.result(&json!({ "user_id": user.id, "role_id": role.id, "assigned": false }), || {
                format!("{} {} from {}", paint(GREEN, "removed"), paint(BOLD, &role.name), user.email)
            });
        }
        Command::Delete(which) => {
            let operator = which.tenant.operator(&engine).await?;
            let role = operator.get_role(&which.role).await?;
            engine.roles().delete(&operator.origin(), None, role.id, None).await?;
            finish(&engine).await;
            output.result(&json!({ "role_id": role.id, "deleted": true }), || {
                format!("{} {}", paint(GREEN, "deleted"), paint(BOLD, &role.name))
            });
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The role's permissions after a change; `None` when they stay.
fn changed(role: &Role, added: &[String], removed: &[String]) -> Result<Option<Vec<String>>, Failure> {
    if added.is_empty() && removed.is_empty() {
        return Ok(None);
    }
    if let Some(missing) = removed.iter().find(|permission| !role.permissions.contains(permission)) {
        let next = format!("it grants {}", role.permissions.join(", "));
        return Err(Failure::new(format!("`{}` does not grant `{missing}` itself", role.name)).next(next));
    }
    let mut permissions = role.permissions.clone();
    permissions.retain(|permission| !removed.contains(permission));
    for permission in added {
        if !permissions.contains(permission) {
            permissions.push(permission.clone());
        }
    }
    Ok(Some(permissions))
}

/// What the role's ancestors grant, without repeats.
fn inherited(role: &Role, roles: &[Role]) -> Vec<String> {
    let mut permissions: Vec<String> = Vec::new();
    let mut parent = role.parent;
    // No chain is longer than there are roles, even if it were a circle.
    for _ in roles {
        let Some(ancestor) = parent.and_then(|id| roles.iter().find(|role| role.id == id)) else { break };
        permissions.extend(ancestor.permissions.iter().cloned());
        parent = ancestor.parent;
    }
    permissions.sort();
    permissions.dedup();
    permissions
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::Bench;
    use authkit_testkit::{databases::Db, on_both_engines};

    on_both_engines! {
        a_role_is_shown_and_changed_piece_by_piece
    }

    async fn a_role_is_shown_and_changed_piece_by_piece(db: Db) {
        let bench = Bench::new(db).await;
        bench.run("role create base --permission users:read").await.expect("created");
        bench.run("role create support --permission sessions:read --permission roles:read").await.expect("created");
        let change = "role update support --name helpers --description Help --parent base \
                      --add-permission users:unlock --remove-permission roles:read";
        let change = change.split_whitespace().collect::<Vec<_>>().join(" ");
        let changed = bench.run(&change).await.expect("changed");
        assert_eq!(changed["name"], "helpers");
        let shown = bench.run("role show helpers").await.expect("shown");
        assert_eq!(shown["role"]["description"], "Help");
        let mut permissions: Vec<_> =
            shown["role"]["permissions"].as_array().expect("a list").iter().filter_map(|p| p.as_str()).collect();
        permissions.sort_unstable();
        assert_eq!(permissions, ["sessions:read", "users:unlock"]);
        assert_eq!(shown["inherited_permissions"], serde_json::json!(["users:read"]));

        bench.run("role update helpers --no-parent").await.expect("changed");
        let shown = bench.run("role show helpers").await.expect("shown");
        assert!(shown["role"]["parent_id"].is_null(), "{shown}");
        assert_eq!(shown["role"]["description"], "Help", "what is not named stays");
        for refused in [
            "role update helpers --remove-permission audit:read",
            "role update helpers --add-permission no:such",
            "role update admin --name root",
            "role show nobody",
        ] {
            assert!(bench.run(refused).await.is_err(), "{refused}");
        }
    }
}
