//! `authkit tenant …`

use super::{
    Failure, Outcome, Output, engine, finish, get_tenant,
    output::{BOLD, GREEN, paint},
};
use authkit_core::tenants::{Tenant, TenantSettings};
use authkit_engine::{Config, Engine};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::{process::ExitCode, str::FromStr};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List tenants
    List,
    /// Show one tenant with its settings
    Show(Which),
    /// Create a tenant with its system role
    Create(Create),
    /// Change a tenant; running servers follow within a second
    Update(Update),
    /// Let a tenant be used again
    Activate(Which),
    /// Let nobody use a tenant: no sign-in, no refresh, no access token
    Deactivate(Which),
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The tenant, by short name or id
    #[arg(value_name = "TENANT")]
    tenant: String,
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Its short name: lower-case letters, digits and `-`
    slug: String,
    /// Its name for people; the short name when absent
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    changes: Changes,
}

#[derive(Debug, Args)]
pub(crate) struct Update {
    #[command(flatten)]
    which: Which,
    /// Its name for people
    #[arg(long)]
    name: Option<String>,
    /// Take all host names from it
    #[arg(long, conflicts_with = "hosts")]
    no_hosts: bool,
    /// Take its own redirect addresses from it
    #[arg(long, conflicts_with = "redirect_urls")]
    no_redirect_urls: bool,
    #[command(flatten)]
    changes: Changes,
}

/// What can be set; what is absent stays as it is.
#[derive(Debug, Default, Args)]
pub(crate) struct Changes {
    /// A host name that means this tenant; may be repeated, and replaces those there are
    #[arg(long = "host", value_name = "HOST")]
    hosts: Vec<String>,
    /// Sessions per user, the oldest goes; `none` for the installation's limit
    #[arg(long, value_name = "N|none")]
    max_sessions: Option<Limit>,
    /// Minutes after which an unused session ends; `none` for the installation's
    #[arg(long, value_name = "N|none")]
    idle_minutes: Option<Limit>,
    /// Minutes after which every session ends; `none` for the installation's
    #[arg(long, value_name = "N|none")]
    absolute_minutes: Option<Limit>,
    /// A redirect address beyond the installation's; may be repeated, and replaces those there are
    #[arg(long = "redirect-url", value_name = "URL")]
    redirect_urls: Vec<String>,
    /// Let accounts be used before their address is proved (registration then tells whether an address is taken)
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    allow_unverified: Option<bool>,
    /// Take letters beyond ASCII before the `@`
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    unicode_addresses: Option<bool>,
}

/// A limit of the tenant's own, or the installation's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limit(Option<u32>);

impl FromStr for Limit {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self(None)),
            number => number.parse().map(|limit| Self(Some(limit))).map_err(|_| "use a whole number, or `none`"),
        }
    }
}

impl Changes {
    fn apply(self, hosts: &mut Vec<String>, settings: &mut TenantSettings) {
        if !self.hosts.is_empty() {
            *hosts = self.hosts;
        }
        if !self.redirect_urls.is_empty() {
            settings.redirect_urls = self.redirect_urls;
        }
        let limits = [
            (self.max_sessions, &mut settings.max_sessions),
            (self.idle_minutes, &mut settings.idle_minutes),
            (self.absolute_minutes, &mut settings.absolute_minutes),
        ];
        for (limit, setting) in limits {
            *setting = limit.map_or(*setting, |limit| limit.0);
        }
        settings.allow_unverified = self.allow_unverified.unwrap_or(settings.allow_unverified);
        settings.unicode_addresses = self.unicode_addresses.unwrap_or(settings.unicode_addresses);
    }
}

pub(crate) async fn run(config: Config, command: Command, output: &Output) -> Outcome {
    let engine = engine(config).await?;
    match command {
        Command::List => {
            let tenants = engine.tenants().list().await?;
            let rows: Vec<[String; 5]> = tenants
                .iter()
                .map(|tenant| {
                    [
                        tenant.id.to_string(),
                        tenant.slug.clone(),
                        tenant.name.clone(),
                        tenant.hosts.join(" "),
                        state(tenant).to_owned(),
                    ]
                })
                .collect();
            let views: Vec<Value> = tenants.iter().map(view).collect();
            output.table(&json!({ "data": views }), ["id", "slug", "name", "hosts", "state"], &rows);
        }
        Command::Show(which) => {
            let tenant = get_tenant(&engine, &which.tenant).await?;
            output.facts(&view(&tenant), || facts(&tenant));
        }
        Command::Create(arguments) => {
            let (mut hosts, mut settings) = (Vec::new(), TenantSettings::default());
            arguments.changes.apply(&mut hosts, &mut settings);
            let name = arguments.name.as_deref().unwrap_or(&arguments.slug);
            let tenant = engine.tenants().create(&arguments.slug, name, &hosts, settings).await?;
            changed(&engine, output, "created", &tenant).await;
        }
        Command::Update(arguments) => {
            let mut tenant = get_tenant(&engine, &arguments.which.tenant).await?;
            tenant.name = arguments.name.unwrap_or(tenant.name);
            if arguments.no_hosts {
                tenant.hosts.clear();
            }
            if arguments.no_redirect_urls {
                tenant.settings.redirect_urls.clear();
            }
            arguments.changes.apply(&mut tenant.hosts, &mut tenant.settings);
            let tenant = engine.tenants().update(tenant).await?;
            changed(&engine, output, "changed", &tenant).await;
        }
        Command::Activate(which) => set_active(&engine, output, &which, true).await?,
        Command::Deactivate(which) => set_active(&engine, output, &which, false).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn set_active(engine: &Engine, output: &Output, which: &Which, active: bool) -> Result<(), Failure> {
    let mut tenant = get_tenant(engine, &which.tenant).await?;
    if tenant.active != active {
        tenant.active = active;
        tenant = engine.tenants().update(tenant).await?;
    }
    changed(engine, output, if active { "activated" } else { "deactivated" }, &tenant).await;
    Ok(())
}

async fn changed(engine: &Engine, output: &Output, what: &str, tenant: &Tenant) {
    finish(engine).await;
    output.result(&view(tenant), || format!("{} {} ({})", paint(GREEN, what), paint(BOLD, &tenant.slug), tenant.id));
}

const fn state(tenant: &Tenant) -> &'static str {
    if tenant.active { "active" } else { "inactive" }
}

fn facts(tenant: &Tenant) -> Vec<(&'static str, String)> {
    let settings = &tenant.settings;
    let limit = |limit: Option<u32>| limit.map_or_else(|| "the installation's".to_owned(), |limit| limit.to_string());
    let yes = |value: bool| if value { "yes" } else { "no" }.to_owned();
    vec![
        ("id", tenant.id.to_string()),
        ("slug", tenant.slug.clone()),
        ("name", tenant.name.clone()),
        ("hosts", tenant.hosts.join(" ")),
        ("state", state(tenant).to_owned()),
        ("max sessions", limit(settings.max_sessions)),
        ("idle minutes", limit(settings.idle_minutes)),
        ("absolute minutes", limit(settings.absolute_minutes)),
        ("redirect urls", settings.redirect_urls.join(" ")),
        ("allow unverified", yes(settings.allow_unverified)),
        ("unicode addresses", yes(settings.unicode_addresses)),
        ("created", format!("{:.0}", tenant.created_at)),
    ]
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

#[cfg(test)]
mod tests {
    use crate::cli::testing::Bench;
    use authkit_core::{Origin, tenants::DEFAULT_TENANT, wire::LoginView};
    use authkit_testkit::{databases::Db, on_both_engines};
    use std::time::Duration;

    on_both_engines! {
        limits_and_state_set_by_the_command_reach_a_running_node_within_a_second
        what_a_tenant_cannot_have_is_refused_and_nothing_else_changes
    }

    async fn limits_and_state_set_by_the_command_reach_a_running_node_within_a_second(db: Db) {
        let bench = Bench::new(db).await;
        let worker = bench.engine.start_worker();
        bench.run("tenant create shop --host shop.example.com").await.expect("created");
        let shop = bench.engine.tenants().find("shop").await.expect("read").expect("made").id;
        let origin = Origin::local(shop);
        let within_a_second = async |what: &str, mut seen: Box<dyn FnMut() -> bool>| {
            let wait = async {
                while !seen() {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            };
            assert!(tokio::time::timeout(Duration::from_secs(1), wait).await.is_ok(), "{what} was not heard of");
        };
        let engine = bench.engine.clone();
        let resolves = move || engine.tenants().resolve(Some("shop.example.com"), None).ok() == Some(shop);
        within_a_second("the host", Box::new(resolves)).await;
        bench.user(&origin, "ada@example.com").await;

        bench.run("tenant update shop --max-sessions 1 --idle-minutes 5 --absolute-minutes 60").await.expect("changed");
        let engine = bench.engine.clone();
        let policy =
            move || engine.context().authority.session_policy(shop, &engine.context().settings).max_per_user == Some(1);
        within_a_second("the limit", Box::new(policy)).await;
        let mut tokens = Vec::new();
        for _ in 0..2 {
            let LoginView::Tokens(pair) = bench.login(&origin, "ada@example.com").await.expect("signed in") else {
                panic!("no second factor is set up")
            };
            tokens.push(pair.access_token);
        }
        let (engine, oldest) = (bench.engine.clone(), tokens[0].clone());
        let ended = move || engine.context().authority.authenticate(engine.context(), oldest.expose()).is_err();
        within_a_second("the end of the oldest session", Box::new(ended)).await;
        bench.engine.sessions().authenticate(tokens[1].expose()).await.expect("the newest stays");

        bench.run("tenant update shop --max-sessions none").await.expect("changed");
        let shown = bench.engine.tenants().find("shop").await.expect("read").expect("there").settings;
        assert_eq!((shown.max_sessions, shown.idle_minutes, shown.absolute_minutes), (None, Some(5), Some(60)));

        bench.run("tenant deactivate shop").await.expect("deactivated");
        let engine = bench.engine.clone();
        let gone = move || engine.tenants().resolve(Some("shop.example.com"), None).ok() != Some(shop);
        within_a_second("the end", Box::new(gone)).await;
        assert!(bench.engine.sessions().authenticate(tokens[1].expose()).await.is_err(), "its tokens still work");
        bench.run("tenant activate shop").await.expect("activated");
        worker.stop(Duration::from_secs(5)).await;
    }

    async fn what_a_tenant_cannot_have_is_refused_and_nothing_else_changes(db: Db) {
        let bench = Bench::new(db).await;
        for arguments in [
            "tenant update default --max-sessions 0",
            "tenant update default --redirect-url javascript://x",
            "tenant update default --host https://a.example",
            "tenant deactivate default",
            "tenant update nobody --name Nobody",
        ] {
            assert!(bench.run(arguments).await.is_err(), "{arguments}");
        }
        assert!(bench.parse("tenant update default --idle-minutes soon").is_err());
        assert!(bench.parse("tenant update default --host a.example --no-hosts").is_err());
        bench
            .run("tenant update default --redirect-url https://a.example/in --allow-unverified")
            .await
            .expect("changed");
        bench.run("tenant update default --name Shop --allow-unverified=false").await.expect("changed");
        let tenant = bench.engine.tenants().find("default").await.expect("read").expect("there");
        assert_eq!((tenant.id, tenant.name.as_str()), (DEFAULT_TENANT, "Shop"));
        assert_eq!(tenant.settings.redirect_urls, ["https://a.example/in"]);
        assert!(!tenant.settings.allow_unverified && tenant.active);
        bench.run("tenant update default --no-redirect-urls").await.expect("changed");
        let tenant = bench.engine.tenants().find("default").await.expect("read").expect("there");
        assert!(tenant.settings.redirect_urls.is_empty());
        bench.run("tenant show default").await.expect("shown");
    }
}
