//! One statement in the form that both engines take.

use authkit_core::ports::Conflict;
use authkit_core::wire::{
    AuditId, DeviceClaimId, DeviceId, KeyId, NoticeId, OneTimeTokenId, RegistrationId, RoleId, SessionId, TenantId,
    UserId,
};
use jiff::{SignedDuration, Timestamp};
use std::borrow::Cow;
use uuid::Uuid;

/// A bound value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// An id.
    Uuid(Option<Uuid>),
    /// A number, a time in microseconds or a span in microseconds.
    I64(Option<i64>),
    /// A text or JSON.
    Text(Option<String>),
    /// Bytes.
    Bytes(Option<Vec<u8>>),
    /// A truth value.
    Bool(bool),
}

macro_rules! values_from {
    ($($type:ty => |$value:ident| $made:expr;)+) => {$(
        impl From<$type> for Value {
            fn from($value: $type) -> Self {
                $made
            }
        }
    )+};
}

values_from! {
    Uuid => |v| Self::Uuid(Some(v));
    Option<Uuid> => |v| Self::Uuid(v);
    i64 => |v| Self::I64(Some(v));
    u32 => |v| Self::I64(Some(v.into()));
    Option<i64> => |v| Self::I64(v);
    Timestamp => |v| Self::I64(Some(v.as_microsecond()));
    Option<Timestamp> => |v| Self::I64(v.map(Timestamp::as_microsecond));
    SignedDuration => |v| Self::I64(Some(i64::try_from(v.as_micros()).unwrap_or(i64::MAX)));
    Option<SignedDuration> => |v| Self::I64(v.map(|v| i64::try_from(v.as_micros()).unwrap_or(i64::MAX)));
    &str => |v| Self::Text(Some(v.to_owned()));
    String => |v| Self::Text(Some(v));
    Option<String> => |v| Self::Text(v);
    Vec<u8> => |v| Self::Bytes(Some(v));
    Option<Vec<u8>> => |v| Self::Bytes(v);
    [u8; 32] => |v| Self::Bytes(Some(v.to_vec()));
    Option<[u8; 32]> => |v| Self::Bytes(v.map(|v| v.to_vec()));
    [u8; 33] => |v| Self::Bytes(Some(v.to_vec()));
    bool => |v| Self::Bool(v);
}

macro_rules! values_from_ids {
    ($($id:ty),+) => {$(
        impl From<$id> for Value {
            fn from(id: $id) -> Self {
                Self::Uuid(Some(id.uuid()))
            }
        }
        impl From<Option<$id>> for Value {
            fn from(id: Option<$id>) -> Self {
                Self::Uuid(id.map(|id| id.uuid()))
            }
        }
    )+};
}

values_from_ids!(
    TenantId,
    UserId,
    SessionId,
    RoleId,
    KeyId,
    RegistrationId,
    OneTimeTokenId,
    AuditId,
    NoticeId,
    DeviceId,
    DeviceClaimId
);

/// Values in the order of `$1`, `$2` …
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::db::Value::from($value)),*] };
}
pub(crate) use values;

/// How many rows one change deletes at most, so that it does not hold the writer.
pub(crate) const BATCH: i64 = 1000;

/// Deletes what is older than the time: of `$table` with the key `$key`, the oldest by `$column`, one batch.
macro_rules! outlived {
    ($table:literal, $key:literal, $column:literal, $before:expr) => {
        $crate::db::Statement::new(
            $crate::db::Expect::Any,
            concat!(
                "DELETE FROM ",
                $table,
                " WHERE (",
                $key,
                ") IN (SELECT ",
                $key,
                " FROM ",
                $table,
                " WHERE ",
                $column,
                " < $1 ORDER BY ",
                $column,
                " LIMIT +$2)"
            ),
            $crate::db::values![$before, $crate::db::BATCH],
        )
    };
}
pub(crate) use outlived;

/// What a statement must have done, else its unit conflicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// So many rows, else the conflict.
    Rows(u64, Conflict),
    /// Any number of rows.
    Any,
    /// One row whose first column is the outcome (it has `RETURNING`), else the conflict.
    Value(Conflict),
    /// Any rows, which are handed back (it has `RETURNING`).
    Return,
}

impl Expect {
    /// One row, which must be as expected.
    pub(crate) const ONE: Self = Self::Rows(1, Conflict::Changed);
    /// One row, whose place must be free.
    pub(crate) const FREE: Self = Self::Rows(1, Conflict::Taken);
}

/// A statement, its values, and what it must have done.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    /// With `$1`, `$2` … for the values.
    pub(crate) sql: Cow<'static, str>,
    /// The values.
    pub(crate) values: Vec<Value>,
    /// What must hold.
    pub(crate) expect: Expect,
    /// Whether its count belongs to the change's outcome.
    pub(crate) counts: bool,
}

impl Statement {
    /// A statement whose count is the change's outcome.
    pub(crate) fn new(expect: Expect, sql: impl Into<Cow<'static, str>>, values: Vec<Value>) -> Self {
        Self { sql: sql.into(), values, expect, counts: true }
    }

    /// The same, without a say in the change's outcome.
    pub(crate) const fn uncounted(mut self) -> Self {
        self.counts = false;
        self
    }
}

/// A list for `IN` of the values, which are added to `bound`. Lists of a few sizes only, filled up by
/// repeating the last value, so that the prepared statements stay few. The values are not empty.
pub(crate) fn in_list<T: Into<Value> + Copy>(bound: &mut Vec<Value>, given: &[T]) -> String {
    let size = [1, 8, 32, 128].into_iter().find(|size| *size >= given.len()).unwrap_or(given.len());
    let places: Vec<String> = (0..size)
        .filter_map(|place| given.get(place.min(given.len().saturating_sub(1))))
        .map(|value| {
            bound.push((*value).into());
            format!("${}", bound.len())
        })
        .collect();
    places.join(", ")
}

/// The text of so many rows of so many values, numbered from `$1`.
pub(crate) fn rows_text(rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let values: Vec<_> = (1..=columns).map(|column| format!("${}", row * columns + column)).collect();
        format!("({})", values.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}
