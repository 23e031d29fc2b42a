//! What runs beside requests.

use crate::Engine;
use authkit_core::{
    Result,
    notices::NoticeChange,
    ports::{Scope, Unit},
    tenants::LeaseChange,
};
use futures_util::FutureExt as _;
use jiff::SignedDuration;
use std::{error::Error as _, future::Future, panic::AssertUnwindSafe, pin::Pin, time::Duration};
use tokio::{sync::watch, task::JoinSet, time::Instant};
use uuid::Uuid;

/// How often the feed is polled, at the latest; a node that did not hear it for two seconds does not trust itself.
const FEED: Duration = Duration::from_millis(250);
/// The shortest pause between two polls, however often the store says that there is something new.
const FEED_PAUSE: Duration = Duration::from_millis(10);
const OUTBOX: Duration = Duration::from_millis(250);
/// How long one batch of the outbox may take: as long as its lease.
const DELIVERY: Duration = Duration::from_secs(60);
const SEAL: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const GAUGES: Duration = Duration::from_secs(15);
/// How many unsealed audit records are counted: beyond it something is wrong, however many there are.
const UNSEALED: u32 = 1000;
/// How long a leased job may take before another node does it.
const LEASE: SignedDuration = SignedDuration::from_mins(5);

/// Between the first turns of two tasks.
const STAGGER: Duration = Duration::from_millis(20);

/// Jobs that one node at a time does.
const LEASED: [&str; 2] = ["sweep", "keys"];

/// A running worker. Dropping it stops the worker without waiting; [`stop`](Self::stop) waits and gives back the leases.
#[derive(Debug)]
pub struct WorkerHandle {
    engine: Engine,
    owner: Uuid,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl WorkerHandle {
    /// Ends every task after what it is doing, at the latest after `deadline`; writes down when sessions were last seen, and
    /// gives back the leases, so that another node goes on at once.
    pub async fn stop(mut self, deadline: Duration) {
        let until = Instant::now() + deadline;
        let _ = self.stop.send(true);
        let finished = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout_at(until, finished).await.is_err() {
            tracing::warn!("the worker did not finish in time");
            self.tasks.abort_all();
        }
        // Giving back takes a moment even when the deadline has passed; without it other nodes wait for the leases to run out.
        let until = until.max(Instant::now() + Duration::from_secs(2));
        if tokio::time::timeout_at(until, give_back(&self.engine, self.owner)).await.is_err() {
            tracing::warn!("leases could not be given back in time; they run out by themselves");
        }
    }
}

async fn give_back(engine: &Engine, owner: Uuid) {
    if let Err(error) = engine.sessions().flush_activity().await {
        tracing::warn!(%error, "the last activity of sessions was not written down");
    }
    // What was written since the last turn is linked now: a later `audit verify` must not find it unsealed.
    let sealed = async {
        engine.audit().seal().await?;
        engine.audit().release().await
    };
    if let Err(error) = sealed.await {
        tracing::warn!(%error, "the last audit records were not sealed; the next node does it");
    }
    let mut unit = Unit::new().with(NoticeChange::ReleaseLeases { owner });
    for name in LEASED {
        unit.push(LeaseChange::Release { name, owner });
    }
    if let Err(error) = engine.context().commit(Scope::System, unit).await {
        tracing::warn!(%error, "leases could not be given back; they run out by themselves");
    }
}

type Turn = Pin<Box<dyn Future<Output = Result<Next>> + Send>>;

/// When a task goes on.
enum Next {
    /// At once: there is more to do.
    Now,
    /// After its pause.
    Later,
}

/// What the numbers mean, for whoever records them.
fn describe() {
    metrics::describe_counter!("authkit_worker_turns_total", "Turns of background tasks.");
    metrics::describe_counter!("authkit_worker_failures_total", "Turns of background tasks that failed.");
    metrics::describe_counter!("authkit_worker_panics_total", "Turns of background tasks that panicked.");
    metrics::describe_counter!("authkit_notices_handled_total", "Records of the outbox dealt with.");
    metrics::describe_gauge!("authkit_notices_waiting", "Records that wait in the outbox.");
    metrics::describe_gauge!("authkit_notices_dead", "Records of the outbox that were given up.");
    metrics::describe_gauge!("authkit_audit_unsealed", "Audit records that wait for their link, up to 1000.");
    metrics::describe_gauge!("authkit_audit_unsealed_seconds", metrics::Unit::Seconds, "How long the oldest waits.");
    metrics::describe_gauge!("authkit_feed_age_seconds", metrics::Unit::Seconds, "Age of what is known at each poll.");
    metrics::describe_counter!("authkit_swept_rows_total", "Expired rows deleted.");
    metrics::describe_counter!("authkit_hash_refused_total", "Password hashes refused because the queue was full.");
    metrics::describe_gauge!("authkit_hash_queue", "Password hashes that wait for a thread.");
    metrics::describe_histogram!("authkit_hash_seconds", metrics::Unit::Seconds, "Time of a password hash.");
}

pub(crate) fn start(engine: Engine) -> WorkerHandle {
    describe();
    crate::counting::describe();
    let owner = engine.context().uuid();
    let (stop, _) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let mut first = Duration::ZERO;
    let mut run = |name: &'static str, pause: Pause, turn: fn(Engine, Uuid) -> Turn| {
        let (engine, stop) = (engine.clone(), stop.subscribe());
        tasks.spawn(async move {
            tokio::time::sleep(first).await;
            repeat(name, pause, turn, engine, owner, stop).await;
        });
        // One after the other: all at once they would open as many connections, and be in the way of the first requests.
        first += STAGGER;
    };
    run("feed", Pause::Feed, |engine, _| {
        Box::pin(async move {
            let cx = engine.context();
            // Before the poll, so that it grows while polls fail.
            metrics::gauge!("authkit_feed_age_seconds").set(cx.authority.feed_age(cx.now()).as_secs_f64());
            done(cx.authority.poll(cx).await)
        })
    });
    run("outbox", Pause::For(OUTBOX), |engine, owner| Box::pin(async move { deliver(&engine, owner).await }));
    run("audit", Pause::For(SEAL), |engine, _| Box::pin(async move { done(engine.audit().seal().await) }));
    run("activity", Pause::For(MINUTE), |engine, _| {
        Box::pin(async move { done(engine.sessions().flush_activity().await) })
    });
    run("sweep", Pause::For(MINUTE), |engine, owner| Box::pin(async move { sweep(&engine, owner).await }));
    run("keys", Pause::For(MINUTE), |engine, owner| Box::pin(async move { keys(&engine, owner).await }));
    run("gauges", Pause::For(GAUGES), |engine, _| Box::pin(async move { gauges(&engine).await }));
    WorkerHandle { engine, owner, stop, tasks }
}

pub(crate) async fn catch_up(engine: &Engine) -> Result<()> {
    let cx = engine.context();
    cx.authority.poll(cx).await?;
    let owner = cx.uuid();
    while matches!(deliver(engine, owner).await?, Next::Now) {}
    engine.audit().seal().await?;
    engine.sessions().flush_activity().await?;
    engine.sessions().sweep().await?;
    engine.sessions().ensure_keys().await
}

fn done<T>(outcome: Result<T>) -> Result<Next> {
    outcome.map(|_| Next::Later)
}

#[derive(Clone, Copy)]
enum Pause {
    For(Duration),
    /// Until the store has something new, or the poll is due.
    Feed,
}

/// Runs `turn` again and again. A failure, even a panic, is logged and followed by a growing pause; it never ends the task.
async fn repeat(
    name: &'static str,
    pause: Pause,
    turn: fn(Engine, Uuid) -> Turn,
    engine: Engine,
    owner: Uuid,
    mut stop: watch::Receiver<bool>,
) {
    let mut failures = 0_u32;
    while !*stop.borrow_and_update() {
        let outcome = AssertUnwindSafe(turn(engine.clone(), owner)).catch_unwind().await;
        metrics::counter!("authkit_worker_turns_total", "task" => name).increment(1);
        let wait = match outcome {
            Ok(Ok(Next::Now)) => {
                failures = 0;
                tokio::task::yield_now().await;
                continue;
            }
            Ok(Ok(Next::Later)) => {
                failures = 0;
                None
            }
            Ok(Err(error)) => {
                failures = failures.saturating_add(1);
                metrics::counter!("authkit_worker_failures_total", "task" => name).increment(1);
                let source = error.source().map(ToString::to_string);
                tracing::warn!(task = name, %error, source, failures, "a background task failed; it goes on");
                Some(backoff(failures))
            }
            Err(_) => {
                failures = failures.saturating_add(1);
                metrics::counter!("authkit_worker_panics_total", "task" => name).increment(1);
                tracing::error!(task = name, failures, "a background task panicked; it goes on");
                Some(backoff(failures))
            }
        };
        tokio::select! {
            () = rest(pause, wait, &engine) => {}
            changed = stop.changed() => if changed.is_err() { return },
        }
    }
}

/// From a quarter of a second to fifteen seconds.
fn backoff(failures: u32) -> Duration {
    Duration::from_millis(250).saturating_mul(1 << failures.saturating_sub(1).min(6)).min(Duration::from_secs(15))
}

async fn rest(pause: Pause, after_failure: Option<Duration>, engine: &Engine) {
    match (after_failure, pause) {
        (Some(wait), _) | (None, Pause::For(wait)) => tokio::time::sleep(wait).await,
        (None, Pause::Feed) => {
            tokio::time::sleep(FEED_PAUSE).await;
            let _ = tokio::time::timeout(FEED - FEED_PAUSE, engine.context().store.feed_changed()).await;
        }
    }
}

async fn deliver(engine: &Engine, owner: Uuid) -> Result<Next> {
    // What a mailer that hangs was given is tried again when its lease runs out.
    let turn = engine.notices().deliver_due(owner, &**engine.mailer());
    let Ok(dealt_with) = tokio::time::timeout(DELIVERY, turn).await else {
        tracing::warn!("the mailer hangs; its mail will be tried again");
        return Ok(Next::Later);
    };
    let dealt_with = dealt_with?;
    metrics::counter!("authkit_notices_handled_total").increment(dealt_with as u64);
    Ok(if dealt_with > 0 { Next::Now } else { Next::Later })
}

async fn sweep(engine: &Engine, owner: Uuid) -> Result<Next> {
    if leased(engine, owner, "sweep").await? {
        let rows = engine.sessions().sweep().await?;
        metrics::counter!("authkit_swept_rows_total").increment(rows);
    }
    Ok(Next::Later)
}

async fn keys(engine: &Engine, owner: Uuid) -> Result<Next> {
    if leased(engine, owner, "keys").await? {
        engine.sessions().ensure_keys().await?;
    }
    Ok(Next::Later)
}

async fn gauges(engine: &Engine) -> Result<Next> {
    let (waiting, dead) = engine.context().store.count_notices().await?;
    metrics::gauge!("authkit_notices_waiting").set(waiting as f64);
    metrics::gauge!("authkit_notices_dead").set(dead as f64);
    let cx = engine.context();
    let unsealed = cx.store.list_unlinked_audit(None, UNSEALED).await?;
    metrics::gauge!("authkit_audit_unsealed").set(unsealed.len() as f64);
    let waits = unsealed.first().map_or(SignedDuration::ZERO, |oldest| cx.now().duration_since(oldest.at));
    metrics::gauge!("authkit_audit_unsealed_seconds").set(waits.as_secs_f64().max(0.0));
    Ok(Next::Later)
}

/// Takes or prolongs the lease of a job. `false` while another node has it.
async fn leased(engine: &Engine, owner: Uuid, name: &'static str) -> Result<bool> {
    leased_until(engine, owner, name, LEASE).await
}

async fn leased_until(engine: &Engine, owner: Uuid, name: &'static str, time: SignedDuration) -> Result<bool> {
    let cx = engine.context();
    let now = cx.now();
    let unit = Unit::new().with(LeaseChange::Acquire { name, owner, now, until: cx.after(time) });
    match cx.commit(Scope::System, unit).await {
        Ok(_) => Ok(true),
        Err(error) if error.conflict().is_some() => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;
    use authkit_core::{
        Origin,
        ports::{Mail, MailError, Mailer},
        tenants::DEFAULT_TENANT,
        wire::RegisterRequest,
    };
    use std::sync::Arc;
    use tokio::sync::Notify;

    fn config(folder: &tempfile::TempDir) -> Config {
        let mut config = Config::development(&format!("sqlite://{}", folder.path().join("a.db").display()));
        config.argon2.memory_kib = 64;
        config
    }

    #[tokio::test]
    async fn one_node_at_a_time_holds_a_job_and_gives_it_back_at_the_stop() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = Engine::builder(config(&folder)).build().await.expect("an engine");
        let second = Engine::builder(config(&folder)).build().await.expect("an engine");
        let other = second.context().uuid();
        let worker = first.start_worker();
        let taken = async {
            // Taken for a time that is over, so that it holds nothing back itself.
            while leased_until(&second, other, "sweep", SignedDuration::from_secs(-1)).await.expect("asked") {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), taken).await.expect("the worker takes the job");
        worker.stop(Duration::from_secs(5)).await;
        assert!(leased(&second, other, "sweep").await.expect("asked"), "the lease was not given back");
        assert!(leased(&second, other, "keys").await.expect("asked"), "the lease was not given back");
    }

    /// Never comes back.
    #[derive(Debug)]
    struct Hanging(Arc<Notify>);

    #[async_trait::async_trait]
    impl Mailer for Hanging {
        async fn send(&self, _: &Mail) -> std::result::Result<(), MailError> {
            self.0.notify_one();
            std::future::pending().await
        }
    }

    #[tokio::test]
    async fn a_stop_waits_no_longer_than_its_deadline_and_the_next_node_delivers() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = config(&folder);
        config.mail.smtp = Some(crate::config::Smtp::default());
        let began = Arc::new(Notify::new());
        let engine =
            Engine::builder(config.clone()).mailer(Hanging(Arc::clone(&began))).build().await.expect("an engine");
        let request = RegisterRequest {
            email: "ada@example.com".into(),
            password: "violet tractor 12 umbrella".into(),
            name: None,
            locale: None,
            profile: None,
            redirect_url: None,
        };
        engine.accounts().register(&Origin::local(DEFAULT_TENANT), request).await.expect("registered");
        let worker = engine.start_worker();
        began.notified().await;
        let started = Instant::now();
        worker.stop(Duration::from_millis(200)).await;
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());

        let began = Arc::new(Notify::new());
        let next = Engine::builder(config).mailer(Hanging(Arc::clone(&began))).build().await.expect("an engine");
        let worker = next.start_worker();
        let again = tokio::time::timeout(Duration::from_secs(10), began.notified()).await;
        assert!(again.is_ok(), "the mail's lease was not given back");
        worker.stop(Duration::from_millis(10)).await;
    }

    #[test]
    fn pauses_after_failures_grow_and_end() {
        assert_eq!(backoff(1), Duration::from_millis(250));
        assert!((1..40).all(|failures| backoff(failures) <= backoff(failures + 1)));
        assert_eq!(backoff(u32::MAX), Duration::from_secs(15));
    }
}
