//! A private PostgreSQL, started from the installed programs: no container, no network, no shared server.

use std::{
    fs::{self, DirBuilder},
    io::{self, Write as _},
    net::TcpListener,
    os::unix::{
        fs::{DirBuilderExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

/// The role that owns every database. It is not a superuser.
const ROLE: &str = "authkit";
const PASSWORD: &str = "loopback-only";
const INSTALL: &str = "install PostgreSQL 14 or later (on Debian: `apt-get install postgresql`), \
                       or put `initdb`, `postgres` and `psql` into PATH";

/// Ends the server and removes its files when the pipe closes, that is when this process ends, however it ends.
const WATCHDOG: &str = r#"
trap '' INT TERM HUP
read -r _
kill -QUIT "$1" 2>/dev/null
n=0
while kill -0 "$1" 2>/dev/null && [ "$n" -lt 100 ]; do sleep 0.1; n=$((n + 1)); done
kill -0 "$1" 2>/dev/null && kill -KILL "$1" 2>/dev/null
case "$2" in */authkit-postgres-*) rm -rf -- "$2" ;; esac
"#;

/// A running server, shared by all tests of the process.
#[derive(Debug)]
pub struct Postgres {
    folder: PathBuf,
    psql: PathBuf,
    port: u16,
    databases: AtomicU32,
    creating: Mutex<()>,
    /// What [`create_database_from_template`](Self::create_database_from_template) copies.
    template: OnceLock<String>,
    /// Open as long as this process lives.
    _watchdog: ChildStdin,
}

/// What the server may lose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Nothing that was acknowledged; PostgreSQL's defaults.
    Full,
    /// Everything, when the machine fails. For tests that are not about that.
    Fast,
}

impl Postgres {
    /// The server of this process with [`Durability::Full`], started when it is first asked for.
    ///
    /// # Panics
    /// When it cannot be started; the text says what to install.
    #[must_use]
    pub fn start() -> &'static Self {
        static SERVER: OnceLock<Postgres> = OnceLock::new();
        SERVER.get_or_init(|| Self::launch_or_panic(Durability::Full))
    }

    /// The same with [`Durability::Fast`]; another server than that of [`start`](Self::start).
    ///
    /// # Panics
    /// See [`start`](Self::start).
    #[must_use]
    pub fn start_fast() -> &'static Self {
        static SERVER: OnceLock<Postgres> = OnceLock::new();
        SERVER.get_or_init(|| Self::launch_or_panic(Durability::Fast))
    }

    /// A server of one's own. It runs until this process ends.
    ///
    /// # Errors
    /// Why it could not be started, and what to install.
    pub fn launch(durability: Durability) -> Result<Self, String> {
        let (programs, owner) = (programs()?, unprivileged()?);
        let mut last = String::new();
        for _ in 0..5 {
            match attempt(&programs, owner, durability) {
                Ok((folder, port, watchdog)) => {
                    let server = Self {
                        folder,
                        psql: programs.psql,
                        port,
                        databases: AtomicU32::new(0),
                        creating: Mutex::new(()),
                        template: OnceLock::new(),
                        _watchdog: watchdog,
                    };
                    server.administer(&format!("CREATE ROLE {ROLE} LOGIN NOSUPERUSER PASSWORD '{PASSWORD}'"))?;
                    return Ok(server);
                }
                // Somebody else may have taken the port between looking and listening.
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn launch_or_panic(durability: Durability) -> Self {
        match Self::launch(durability) {
            Ok(server) => server,
            Err(error) => panic!("no private PostgreSQL: {error}"),
        }
    }

    /// Makes an empty database that an ordinary role owns, and returns its url.
    ///
    /// # Panics
    /// When the server refuses.
    #[must_use]
    pub fn create_database(&self) -> String {
        self.create("template0")
    }

    /// Makes a copy of a database that `prepare` is given the url of the first time, and returns its url: copying is
    /// quicker than migrating. `prepare` leaves no connection open.
    ///
    /// # Panics
    /// When the server refuses.
    #[must_use]
    pub fn create_database_from_template<F: Future<Output = ()>>(
        &self,
        prepare: impl FnOnce(String) -> F + Send,
    ) -> String {
        let template = self.template.get_or_init(|| {
            let url = self.create_database();
            // A thread of its own: the caller's may already drive a runtime.
            let prepared = thread::scope(|scope| {
                let prepare = || tokio::runtime::Runtime::new().map(|runtime| runtime.block_on(prepare(url.clone())));
                scope.spawn(prepare).join()
            });
            assert!(matches!(prepared, Ok(Ok(()))), "the template was not prepared");
            url
        });
        self.create(template.rsplit('/').next().unwrap_or_default())
    }

    fn create(&self, template: &str) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let one_at_a_time = self.creating.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = self.administer(&format!("CREATE DATABASE {name} OWNER {ROLE} TEMPLATE {template}")) {
            panic!("no database {name}: {error}");
        }
        drop(one_at_a_time);
        format!("postgres://{ROLE}:{PASSWORD}@127.0.0.1:{}/{name}", self.port)
    }

    /// Runs SQL as the superuser, in the database `postgres`.
    ///
    /// # Errors
    /// What the server says.
    pub fn administer(&self, sql: &str) -> Result<String, String> {
        let mut command = Command::new(&self.psql);
        command.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]);
        command.args(["--username=postgres", "--dbname=postgres", "--command", sql]);
        command.arg("--host").arg(&self.folder).arg("--port").arg(self.port.to_string());
        finish(command)
    }
}

struct Programs {
    initdb: PathBuf,
    postgres: PathBuf,
    psql: PathBuf,
}

/// Looks in PATH, then where Debian and others keep the versions, the newest first.
fn programs() -> Result<Programs, String> {
    let mut folders: Vec<PathBuf> =
        std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    for root in ["/usr/lib/postgresql", "/usr/local/lib/postgresql", "/usr/pgsql"] {
        let mut versions: Vec<_> =
            fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        versions.sort_by_key(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            std::cmp::Reverse(name.parse::<f64>().map_or(0, |version| (version * 100.0) as u64))
        });
        folders.extend(versions.into_iter().map(|path| path.join("bin")));
    }
    let find = |program: &str| {
        let found = folders.iter().map(|folder| folder.join(program)).find(|path| path.is_file());
        found.ok_or_else(|| format!("`{program}` was not found; {INSTALL}"))
    };
    Ok(Programs { initdb: find("initdb")?, postgres: find("postgres")?, psql: find("psql")? })
}

/// PostgreSQL refuses to run as root: the user and group to be instead, if this is root.
fn unprivileged() -> Result<Option<(u32, u32)>, String> {
    // A process's folder there belongs to the user that it acts as.
    let root = fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    if !root {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").map_err(text)?;
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| {
            let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
            let mut parts = line.split(':').skip(2);
            Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
        })
        .map(Some)
        .ok_or_else(|| "PostgreSQL does not run as root, and there is no user `postgres` or `nobody`".to_owned())
}

/// A folder of one's own, a new cluster in it, and the server. What fails leaves nothing that the next could stumble on.
fn attempt(
    programs: &Programs,
    owner: Option<(u32, u32)>,
    durability: Durability,
) -> Result<(PathBuf, u16, ChildStdin), String> {
    let folder = folder(owner)?;
    let data = folder.join("data");
    let started =
        initialise(programs, owner, durability, &folder, &data).and_then(|()| serve(programs, owner, &folder, &data));
    match started {
        Ok((port, watchdog)) => Ok((folder, port, watchdog)),
        Err(error) => {
            // The watchdog of a server that did not start does the same.
            let _ = fs::remove_dir_all(&folder);
            Err(error)
        }
    }
}

fn initialise(
    programs: &Programs,
    owner: Option<(u32, u32)>,
    durability: Durability,
    folder: &Path,
    data: &Path,
) -> Result<(), String> {
    let mut initdb = command(&programs.initdb, owner);
    initdb.arg("--pgdata").arg(data).args(["--username=postgres", "--encoding=UTF8", "--locale=C"]);
    initdb.args(["--auth-local=trust", "--auth-host=md5", "--no-sync"]).current_dir(folder);
    finish(initdb)?;
    let mut settings = vec![
        "listen_addresses = '127.0.0.1'".to_owned(),
        format!("unix_socket_directories = '{}'", folder.display()),
        "max_connections = 200".to_owned(),
        "shared_buffers = '64MB'".to_owned(),
        "password_encryption = 'md5'".to_owned(),
        "log_min_messages = 'warning'".to_owned(),
    ];
    if durability == Durability::Fast {
        settings.extend(["fsync", "synchronous_commit", "full_page_writes"].map(|name| format!("{name} = off")));
    }
    let mut file = fs::OpenOptions::new().append(true).open(data.join("postgresql.conf")).map_err(text)?;
    file.write_all(settings.join("\n").as_bytes()).map_err(text)
}

fn folder(owner: Option<(u32, u32)>) -> Result<PathBuf, String> {
    for attempt in 0..100 {
        let folder = std::env::temp_dir().join(format!("authkit-postgres-{}-{attempt}", std::process::id()));
        match DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => {
                if let Some((user, group)) = owner {
                    chown(&folder, Some(user), Some(group)).map_err(text)?;
                }
                return Ok(folder);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(format!("{}: {error}", folder.display())),
        }
    }
    Err("no free name for a temporary folder".to_owned())
}

/// Starts the server and the process that ends it.
fn serve(
    programs: &Programs,
    owner: Option<(u32, u32)>,
    folder: &Path,
    data: &Path,
) -> Result<(u16, ChildStdin), String> {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).map_err(text)?.port();
    let log = fs::File::create(folder.join("server.log")).map_err(text)?;
    let mut server = command(&programs.postgres, owner);
    server.arg("-D").arg(data).arg("-p").arg(port.to_string()).current_dir(folder);
    server.stdin(Stdio::null()).stdout(log.try_clone().map_err(text)?).stderr(log).process_group(0);
    let mut server = server.spawn().map_err(text)?;
    let watchdog = watch(server.id(), folder)?;
    for _ in 0..600 {
        if let Some(status) = server.try_wait().map_err(text)? {
            return Err(format!("the server ended with {status}: {}", log_of(folder)));
        }
        let mut probe = Command::new(&programs.psql);
        probe.args(["--no-psqlrc", "--username=postgres", "--dbname=postgres", "--command", "SELECT 1", "--host"]);
        probe.arg(folder).arg("--port").arg(port.to_string());
        if finish(probe).is_ok() {
            return Ok((port, watchdog));
        }
        thread::sleep(Duration::from_millis(50));
    }
    Err(format!("the server does not answer: {}", log_of(folder)))
}

fn watch(server: u32, folder: &Path) -> Result<ChildStdin, String> {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", WATCHDOG, "authkit-watchdog", &server.to_string()]).arg(folder);
    shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).current_dir("/");
    let mut shell: Child = shell.spawn().map_err(text)?;
    shell.stdin.take().ok_or_else(|| "the watchdog has no pipe".to_owned())
}

fn command(program: &Path, owner: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    if let Some((user, group)) = owner {
        command.uid(user).gid(group);
    }
    command
}

fn finish(mut command: Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(text)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let program = command.get_program().to_string_lossy().into_owned();
    Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}

fn log_of(folder: &Path) -> String {
    fs::read_to_string(folder.join("server.log")).unwrap_or_default()
}

fn text(error: io::Error) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_belong_to_a_role_that_is_no_superuser() {
        let server = Postgres::start_fast();
        let (one, two) = (server.create_database(), server.create_database());
        assert_ne!(one, two);
        assert!(one.starts_with("postgres://authkit:"), "{one}");
        let superuser = server.administer("SELECT rolsuper FROM pg_roles WHERE rolname = 'authkit'");
        assert_eq!(superuser, Ok("f".to_owned()));
    }
}
