//! The audit log and its chain.

use crate::{
    SqlStore,
    db::{Expect, Row, Statement, Value, corrupt, rows_text, to_json, values},
    plan::{Planned, Walls},
};
use async_trait::async_trait;
use authkit_core::{
    audit::{AuditChange, AuditFilter, AuditHead, AuditLink, AuditRecord, AuditStore},
    ports::{Conflict, Position, StoreError},
    wire::{AuditId, AuditOutcome, TenantId},
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// How far a record's time may be from the time in its id.
const SLACK: SignedDuration = SignedDuration::from_hours(24);

macro_rules! columns {
    () => {
        "r.id, r.tenant_id, r.at, r.action, r.outcome, r.actor, r.subject, r.personal, r.trace_id, r.data, \
         r.key_version, r.mac, r.sequence"
    };
}

pub(crate) fn plan(change: AuditChange, walls: Walls) -> Planned {
    Ok(match change {
        AuditChange::Write(record) => vec![Statement::new(
            Expect::FREE,
            "INSERT INTO audit_records (id, tenant_id, at, action, outcome, actor, subject, personal, trace_id, data, \
             key_version, mac) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            values![
                record.id,
                walls.owns(record.tenant)?,
                record.at,
                record.action,
                record.outcome.as_str(),
                record.actor,
                record.subject,
                record.personal,
                record.trace_id,
                to_json(&record.data)?,
                record.key_version,
                record.mac
            ],
        )],
        AuditChange::Link(links) => {
            walls.system()?;
            link(&links)
        }
        AuditChange::Sign(head) => {
            walls.system()?;
            vec![Statement::new(
                Expect::FREE,
                "INSERT INTO audit_heads (sequence, link, at, key_version, signature) VALUES ($1, $2, $3, $4, $5)",
                values![head.sequence, head.link, head.at, head.key_version, head.signature],
            )]
        }
        _ => return Err(StoreError::Unsupported),
    })
}

/// One statement for what is no link, and two for many links, in lists of a few sizes, so that the prepared statements stay few.
fn link(links: &[AuditLink]) -> Vec<Statement> {
    // A place that the chain does not have, written past AuthKit, would stop every further link.
    let foreign = Statement::new(
        Expect::Any,
        "UPDATE audit_records SET sequence = NULL WHERE id IN (\
         SELECT n.id FROM audit_records n WHERE n.sequence < 1 UNION ALL SELECT n.id FROM audit_records n \
         WHERE n.sequence > COALESCE((SELECT max(l.sequence) FROM audit_links l), 0))",
        values![],
    );
    let mut statements = vec![foreign.uncounted()];
    let mut rest = links;
    while !rest.is_empty() {
        let size = [64, 8, 1].into_iter().find(|size| *size <= rest.len()).unwrap_or(1);
        let (part, left) = rest.split_at(size);
        rest = left;
        let rows = size as u64;
        statements.push(Statement::new(
            Expect::Rows(rows, Conflict::Taken),
            format!("INSERT INTO audit_links (sequence, record_id, link) VALUES {}", rows_text(size, 3)),
            part.iter().flat_map(|link| values![link.sequence, link.record, link.link]).collect(),
        ));
        let place = format!(
            "UPDATE audit_records SET sequence = given.column1 FROM (VALUES {}) AS given \
             WHERE audit_records.id = given.column2 AND audit_records.sequence IS NULL",
            rows_text(size, 2)
        );
        let places = part.iter().flat_map(|link| values![link.sequence, link.record]).collect();
        statements.push(Statement::new(Expect::Rows(rows, Conflict::Changed), place, places).uncounted());
    }
    statements
}

fn record(row: &Row) -> Result<AuditRecord, StoreError> {
    Ok(AuditRecord {
        id: row.id("id", AuditId::new)?,
        tenant: row.id("tenant_id", TenantId::new)?,
        at: row.time("at")?,
        action: row.get("action")?,
        outcome: AuditOutcome::parse(&row.get::<String>("outcome")?).ok_or_else(|| corrupt("outcome", "unknown"))?,
        actor: row.get("actor")?,
        subject: row.get("subject")?,
        personal: row.get("personal")?,
        trace_id: row.get("trace_id")?,
        data: row.json("data")?,
        key_version: row.unsigned("key_version")?,
        mac: row.bytes("mac")?,
    })
}

fn placed(row: &Row) -> Result<(AuditRecord, Option<i64>), StoreError> {
    Ok((record(row)?, row.get("sequence")?))
}

fn chain_link(row: &Row) -> Result<AuditLink, StoreError> {
    Ok(AuditLink {
        sequence: row.get("link_sequence")?,
        record: row.id("link_record", AuditId::new)?,
        link: row.bytes("link")?,
    })
}

/// The lowest `UUIDv7` of the time.
fn id_at(time: Timestamp) -> Uuid {
    let millis = u64::try_from(time.as_millisecond()).unwrap_or_default();
    Uuid::from_u128(u128::from(millis) << 80)
}

/// The list's query; only our own text goes into it.
fn list_query(tenant: TenantId, filter: &AuditFilter, after: Option<&Position>, limit: u32) -> (String, Vec<Value>) {
    let mut sql = String::from(concat!("SELECT ", columns!(), " FROM audit_records r WHERE r.tenant_id = $1"));
    let mut bound = values![tenant];
    let mut and = |condition: &str, value: Value| {
        bound.push(value);
        sql.push_str(&format!(" AND {condition} ${}", bound.len()));
    };
    if let Some(after) = after {
        and("r.id <", after.id.into());
    }
    match filter.action.as_deref() {
        Some(action) if action.ends_with('.') => {
            and("r.action >=", action.into());
            and("r.action <", format!("{action}{}", char::MAX).into());
        }
        Some(action) => and("r.action =", action.into()),
        None => {}
    }
    if let Some(actor) = &filter.actor {
        and("r.actor =", actor.as_str().into());
    }
    if let Some(subject) = &filter.subject {
        and("r.subject =", subject.as_str().into());
    }
    if let Some(outcome) = filter.outcome {
        and("r.outcome =", outcome.as_str().into());
    }
    // Ids begin with their time, so that a span of time is a span of the index.
    if let Some(from) = filter.from {
        and("r.at >=", from.into());
        and("r.id >=", id_at(from.checked_sub(SLACK).unwrap_or(Timestamp::UNIX_EPOCH)).into());
    }
    if let Some(until) = filter.until {
        and("r.at <", until.into());
        and("r.id <", id_at(until.checked_add(SLACK).unwrap_or(until)).into());
    }
    bound.push(limit.into());
    sql.push_str(&format!(" ORDER BY r.id DESC LIMIT +${}", bound.len()));
    (sql, bound)
}

#[async_trait]
impl AuditStore for SqlStore {
    async fn list_audit(
        &self,
        tenant: TenantId,
        filter: &AuditFilter,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Vec<(AuditRecord, Option<i64>)>, StoreError> {
        let (sql, values) = list_query(tenant, filter, after, limit);
        self.db.fetch(sql, values).await?.iter().map(placed).collect()
    }

    async fn find_audit(
        &self,
        tenant: TenantId,
        id: AuditId,
    ) -> Result<Option<(AuditRecord, Option<i64>)>, StoreError> {
        let sql = concat!("SELECT ", columns!(), " FROM audit_records r WHERE r.tenant_id = $1 AND r.id = $2");
        self.db.fetch_one(sql, values![tenant, id]).await?.as_ref().map(placed).transpose()
    }

    async fn list_unlinked_audit(&self, after: Option<AuditId>, limit: u32) -> Result<Vec<AuditRecord>, StoreError> {
        // A place that the chain does not have is no place either: a record slipped in with one must not hide here.
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM audit_records r WHERE r.id IN (SELECT n.id FROM audit_records n WHERE n.sequence IS NULL \
             UNION ALL SELECT n.id FROM audit_records n WHERE n.sequence < 1 \
             UNION ALL SELECT n.id FROM audit_records n \
             WHERE n.sequence > COALESCE((SELECT max(l.sequence) FROM audit_links l), 0)) AND r.id > $1 ORDER BY r.id LIMIT +$2"
        );
        let after = after.map_or(Uuid::nil(), |after| after.uuid());
        self.db.fetch(sql, values![after, limit]).await?.iter().map(record).collect()
    }

    async fn list_audit_chain(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<(AuditLink, Option<AuditRecord>)>, StoreError> {
        let sql = concat!(
            "SELECT l.sequence AS link_sequence, l.record_id AS link_record, l.link, ",
            columns!(),
            " FROM audit_links l LEFT JOIN audit_records r ON r.sequence = l.sequence \
             WHERE l.sequence > $1 ORDER BY l.sequence LIMIT +$2"
        );
        let rows = self.db.fetch(sql, values![after, limit]).await?;
        rows.iter()
            .map(|row| {
                let link = chain_link(row)?;
                // A record of another id in this place is not the one that was linked.
                let found = row.get::<Option<Uuid>>("id")? == Some(link.record.uuid());
                Ok((link, found.then(|| record(row)).transpose()?))
            })
            .collect()
    }

    async fn last_audit_link(&self) -> Result<Option<AuditLink>, StoreError> {
        let sql = "SELECT sequence AS link_sequence, record_id AS link_record, link FROM audit_links \
                   ORDER BY sequence DESC LIMIT 1";
        self.db.fetch_one(sql, values![]).await?.as_ref().map(chain_link).transpose()
    }

    async fn list_audit_heads(&self, after: i64, limit: u32) -> Result<Vec<AuditHead>, StoreError> {
        let sql = "SELECT sequence, link, at, key_version, signature FROM audit_heads WHERE sequence > $1 \
                   ORDER BY sequence LIMIT +$2";
        self.db
            .fetch(sql, values![after, limit])
            .await?
            .iter()
            .map(|row| {
                Ok(AuditHead {
                    sequence: row.get("sequence")?,
                    link: row.bytes("link")?,
                    at: row.time("at")?,
                    key_version: row.unsigned("key_version")?,
                    signature: row.bytes("signature")?,
                })
            })
            .collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Options;
    use authkit_core::{
        Origin, Settings,
        audit::{AuditLog, VerifyProblem, entry},
        memory::{self, SeededRandom, SystemClock},
        ports::{Scope, Store as _, Unit},
        tenants::DEFAULT_TENANT,
    };
    use authkit_testkit::postgres::Postgres;
    use std::sync::Arc;

    #[tokio::test]
    async fn a_record_slipped_in_with_a_place_of_its_own_is_linked_and_named() {
        for url in ["sqlite::memory:".to_owned(), Postgres::start_fast().create_database()] {
            let store = Arc::new(SqlStore::open(&url, Options::default()).await.unwrap());
            store.migrate(|_| {}).await.unwrap();
            let mut cx = memory::bare(SystemClock, SeededRandom::new(1), Settings::default()).unwrap();
            cx.store = store.clone();
            let cx = Arc::new(cx);
            let log = AuditLog::new(cx.clone());
            let origin = Origin::local(DEFAULT_TENANT);
            let write = async |action: &str| {
                let unit = Unit::new().with(entry(&cx, &origin, action).build());
                store.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.unwrap();
            };
            write("test.one").await;
            log.seal().await.unwrap();
            for sequence in [2_i64, -7] {
                let slipped = Statement::new(
                    Expect::ONE,
                    "INSERT INTO audit_records (id, tenant_id, at, action, outcome, data, key_version, mac, sequence) \
                     VALUES ($1, $2, $3, 'test.slipped', 'success', '{}', 1, $4, $5)",
                    values![cx.uuid(), DEFAULT_TENANT, cx.now(), [9_u8; 32], sequence],
                );
                store.db.apply(vec![(0, slipped)]).await.unwrap();
            }
            write("test.two").await;
            log.seal().await.unwrap();
            let report = log.verify(|_| {}).await.unwrap();
            assert_eq!((report.records, report.links), (4, 4), "{url}: {report:?}");
            let named = |problem: &VerifyProblem| matches!(problem, VerifyProblem::RecordChanged { .. });
            assert!(report.problem_count == 2 && report.problems.iter().all(named), "{url}: {report:?}");
        }
    }
}
