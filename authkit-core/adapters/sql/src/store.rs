use crate::{
    OpenError, Options,
    db::{Db, Expect, Outcome, PostgresDb, SqliteDb, Statement, Timeouts, values},
    dialect, plan, sessions,
};
use async_trait::async_trait;
use authkit_core::{
    accounts::User,
    ports::{Applied, Change, Clock, Scope, Store, StoreError, Unit, find_signed_in_by_steps},
    sessions::{Session, SessionChange},
    wire::{RoleId, SessionId, TenantId},
};
use jiff::Timestamp;
use std::sync::{Arc, OnceLock};
use tokio::{sync::Notify, task::AbortHandle};

/// Everything that is kept, on SQLite or PostgreSQL.
#[derive(Debug)]
pub struct SqlStore {
    pub(crate) db: Db,
    pub(crate) clock: Arc<dyn Clock>,
    /// Wakes the feed's reader.
    pub(crate) changed: Arc<Notify>,
    /// Listens on PostgreSQL, once somebody wants to be woken.
    listener: OnceLock<AbortHandle>,
}

impl SqlStore {
    /// Opens `sqlite://path`, `sqlite::memory:` or `postgres://…`. The schema is not touched: see
    /// [`migrate`](Self::migrate).
    ///
    /// # Errors
    /// Each is one clear line; a database that is newer than this program is refused here already.
    pub async fn open(url: &str, options: Options) -> Result<Self, OpenError> {
        let db = if url.starts_with("sqlite:") {
            Db::Sqlite(
                SqliteDb::open(url, options.statement_timeout, options.connections).await.map_err(OpenError::of)?,
            )
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let timeouts = Timeouts { connect: options.connect_timeout, statement: options.statement_timeout };
            Db::Postgres(PostgresDb::open(url, options.connections, timeouts).await.map_err(OpenError::of)?)
        } else {
            // The address itself is not repeated: it may hold a password.
            return Err(OpenError::Url("it begins with something else".to_owned()));
        };
        let store = Self { db, clock: options.clock, changed: Arc::default(), listener: OnceLock::new() };
        store.migration_state().await?;
        Ok(store)
    }

    /// The key that seals in development, shared by all nodes of a database: stores `candidate` when there is none, and
    /// returns the one that is stored. Production keeps its keys outside the database.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], or [`StoreError::Corrupt`] when it has another length.
    pub async fn development_key(&self, candidate: &[u8; 32]) -> Result<[u8; 32], StoreError> {
        let insert = Statement::new(
            Expect::Any,
            "INSERT INTO development_keys (id, key) VALUES (1, $1) ON CONFLICT (id) DO NOTHING",
            values![*candidate],
        );
        self.db.apply(vec![(0, insert)]).await?;
        match self.db.fetch_one("SELECT key FROM development_keys WHERE id = 1", values![]).await? {
            Some(row) => row.bytes("key"),
            None => Err(StoreError::Corrupt("the development key is gone".to_owned())),
        }
    }

    /// What the database server's clock says; `None` for SQLite, which has none of its own.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn server_time(&self) -> Result<Option<Timestamp>, StoreError> {
        if let Db::Sqlite(_) = &self.db {
            return Ok(None);
        }
        let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now";
        self.db.fetch_one(sql, values![]).await?.map(|row| row.time("now")).transpose()
    }

    /// Lets go of the database once what runs is finished.
    pub async fn close(&self) {
        match &self.db {
            Db::Sqlite(db) => db.close().await,
            Db::Postgres(db) => db.pool().close().await,
        }
    }

    /// Waits until the feed may have something new.
    pub(crate) async fn feed_wait(&self) {
        if let Db::Postgres(db) = &self.db {
            let start = || {
                let (pool, changed) = (db.pool().clone(), Arc::clone(&self.changed));
                tokio::spawn(dialect::listen(pool, changed)).abort_handle()
            };
            self.listener.get_or_init(start);
        }
        self.changed.notified().await;
    }
}

impl Drop for SqlStore {
    fn drop(&mut self) {
        if let Some(listener) = self.listener.get() {
            listener.abort();
        }
    }
}

/// Whether the change may itself tell the feed something.
const fn caps(change: &Change) -> bool {
    matches!(change, Change::Session(SessionChange::Cap { .. }))
}

#[async_trait]
impl Store for SqlStore {
    async fn find_signed_in(
        &self,
        tenant: TenantId,
        id: SessionId,
    ) -> Result<Option<(Session, User, Vec<RoleId>)>, StoreError> {
        match &self.db {
            Db::Sqlite(db) => sessions::signed_in(db, tenant, id).await,
            Db::Postgres(_) => find_signed_in_by_steps(self, tenant, id).await,
        }
    }

    async fn commit(&self, scope: Scope, unit: Unit) -> Result<Applied, StoreError> {
        let mut applied = vec![0; unit.changes.len()];
        let tells = unit.changes.iter().any(|change| matches!(change, Change::Feed(_)));
        let caps: Vec<_> =
            (0..).zip(&unit.changes).filter_map(|(place, change)| caps(change).then_some(place)).collect();
        let mut statements = plan::plan(scope, unit, self.clock.now())?;
        if statements.is_empty() {
            return Ok(Applied(applied));
        }
        if let (true, Some(wake)) = (tells, dialect::feed_wake(&self.db)) {
            statements.push((0, Statement::new(Expect::Any, wake, values![]).uncounted()));
        }
        let places: Vec<_> = statements.iter().map(|(place, statement)| (*place, statement.counts)).collect();
        let outcomes = self.db.apply(statements).await?;
        for ((place, counts), outcome) in places.into_iter().zip(outcomes) {
            if let (true, Outcome::Count(count), Some(sum)) = (counts, outcome, applied.get_mut(place)) {
                *sum += count;
            }
        }
        // PostgreSQL wakes this node too, but a cap seldom ends something, so it is not worth a notification.
        let told = tells && matches!(self.db, Db::Sqlite(_));
        if told || caps.into_iter().any(|place: usize| applied.get(place).is_some_and(|ended| *ended > 0)) {
            dialect::wake(&self.changed);
        }
        Ok(Applied(applied))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.db.fetch("SELECT 1", values![]).await.map(drop)
    }

    async fn close(&self) {
        Self::close(self).await;
    }
}
