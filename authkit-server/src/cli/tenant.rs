//! `authkit tenant …`

use super::{
    Outcome, Output, engine, finish,
    output::{BOLD, GREEN, paint},
};
use authkit_core::tenants::{Tenant, TenantSettings};
use authkit_engine::Config;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List tenants
    List,
    /// Create a tenant with its system role
    Create(Create),
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Its short name: lower-case letters, digits and `-`
    slug: String,
    /// Its name for people; the short name when absent
    #[arg(long)]
    name: Option<String>,
    /// A host name that means this tenant; may be repeated
    #[arg(long = "host", value_name = "HOST")]
    hosts: Vec<String>,
    /// Let accounts be used before their address is proved (registration then tells whether an address is taken)
    #[arg(long)]
    allow_unverified: bool,
    /// Take letters beyond ASCII before the `@`
    #[arg(long)]
    unicode_addresses: bool,
}

pub(crate) async fn run(config: Config, command: Command, output: &Output) -> Outcome {
    let engine = engine(config).await?;
    match command {
        Command::List => {
            let tenants = engine.tenants().list().await?;
            let rows: Vec<[String; 5]> = tenants
                .iter()
                .map(|tenant| {
                    let state = if tenant.active { "active" } else { "inactive" };
                    [
                        tenant.id.to_string(),
                        tenant.slug.clone(),
                        tenant.name.clone(),
                        tenant.hosts.join(" "),
                        state.to_owned(),
                    ]
                })
                .collect();
            let views: Vec<Value> = tenants.iter().map(view).collect();
            output.table(&json!({ "data": views }), ["id", "slug", "name", "hosts", "state"], &rows);
        }
        Command::Create(arguments) => {
            let settings = TenantSettings {
                allow_unverified: arguments.allow_unverified,
                unicode_addresses: arguments.unicode_addresses,
                ..TenantSettings::default()
            };
            let name = arguments.name.as_deref().unwrap_or(&arguments.slug);
            let tenant = engine.tenants().create(&arguments.slug, name, &arguments.hosts, settings).await?;
            finish(&engine).await?;
            output.result(&view(&tenant), || {
                format!("{} {} ({})", paint(GREEN, "created"), paint(BOLD, &tenant.slug), tenant.id)
            });
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn view(tenant: &Tenant) -> Value {
    json!({
        "id": tenant.id,
        "slug": tenant.slug,
        "name": tenant.name,
        "hosts": tenant.hosts,
        "active": tenant.active,
        "settings": tenant.settings,
        "created_at": tenant.created_at,
    })
}
