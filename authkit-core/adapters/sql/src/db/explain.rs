//! In tests, the plan of every statement is looked at when it first runs: none may walk through a table that grows.

use super::{Db, Value, own};
use std::{
    borrow::Cow,
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

/// Tables that stay small: a few keys, tenants, leases, one row each. All of them is what their lists read.
const SMALL: [&str; 6] = ["signing_keys", "tenants", "tenant_hosts", "leases", "sweeps", "development_keys"];

/// Statements that walk an index on purpose, and why that is bounded.
const WALKS: [&str; 3] = [
    // The last one of the primary key.
    "SELECT sequence AS link_sequence, record_id AS link_record, link FROM audit_links ORDER BY sequence DESC LIMIT 1",
    // The waiting and the dead ones, for the metrics; delivery deletes rows.
    "SELECT (SELECT count(*) FROM notices",
    // The oldest waiting ones in order, until there are enough.
    "UPDATE notices SET lease_owner = $1, lease_until = $3, attempts",
];

static SEEN: Mutex<Option<HashSet<String>>> = Mutex::new(None);

/// Fails the test when `sql` would scan, or would be prepared again at each run: SQLite does so for a limit that is a
/// mere parameter (it plans with the value), and for no expression.
pub(crate) async fn check(db: &Db, sql: &str, values: &[Value]) {
    assert!(!sql.contains("LIMIT $"), "write `LIMIT +$n`:\n{sql}");
    let engine = if matches!(db, Db::Sqlite(_)) { "sqlite" } else { "postgres" };
    let fresh = SEEN
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get_or_insert_with(HashSet::new)
        .insert(format!("{engine}: {sql}"));
    if !fresh || WALKS.iter().any(|walk| sql.starts_with(walk)) {
        return;
    }
    let plan = match db {
        Db::Sqlite(db) => db.explain(sql, values.to_vec()).await,
        Db::Postgres(db) => db.explain(sql, values.to_vec()).await,
    };
    let scans: Vec<_> = plan.iter().filter(|line| scans(line)).collect();
    assert!(scans.is_empty(), "{engine} scans:\n{sql}\n{}", plan.join("\n"));
}

/// Whether the line of a plan says that a table that grows is walked through.
fn scans(line: &str) -> bool {
    let line = line.trim().trim_start_matches("->").trim();
    let table = if let Some(rest) = line.strip_prefix("SCAN ") {
        // A sub-query, or a list of values, is as small as it is written.
        if rest.starts_with('(')
            || rest.contains("CONSTANT ROW")
            || rest.contains("VALUES CLAUSE")
            || rest == "given"
            || rest == "o"
            || rest == "one"
        {
            return false;
        }
        rest
    } else if let Some(rest) = line.strip_prefix("Seq Scan on ") {
        rest
    } else {
        return false;
    };
    !SMALL.iter().any(|small| table.split_whitespace().next() == Some(small))
}

/// The text to explain.
pub(super) fn explained(prefix: &str, sql: &str) -> sqlx::SqlStr {
    own(Cow::Owned(format!("{prefix} {sql}")))
}

#[test]
fn scans_are_recognised() {
    for line in ["SCAN u", "SCAN sessions USING INDEX sessions_user", "  ->  Seq Scan on users u  (cost=1..2)"] {
        assert!(scans(line), "{line}");
    }
    for line in
        ["SEARCH u USING INDEX users_email (tenant_id=?)", "SCAN given", "SCAN tenants", "->  Index Scan using x on y"]
    {
        assert!(!scans(line), "{line}");
    }
}
