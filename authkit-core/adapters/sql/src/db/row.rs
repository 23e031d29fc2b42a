//! A row of either engine.

use authkit_core::ports::StoreError;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::{Decode, Postgres, Row as _, Sqlite, Type, postgres::PgRow, sqlite::SqliteRow};

/// A row that was read.
pub(crate) enum Row {
    /// From SQLite.
    Sqlite(SqliteRow),
    /// From PostgreSQL.
    Postgres(PgRow),
}

/// What both engines can give back.
pub(crate) trait Column:
    for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>
{
}

impl<T> Column for T where T: for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres> {}

impl Row {
    /// The column's value.
    pub(crate) fn get<T: Column>(&self, name: &str) -> Result<T, StoreError> {
        match self {
            Self::Sqlite(row) => row.try_get(name),
            Self::Postgres(row) => row.try_get(name),
        }
        .map_err(|error| corrupt(name, error))
    }

    /// The first column as a number.
    pub(crate) fn number(&self) -> Result<i64, StoreError> {
        match self {
            Self::Sqlite(row) => row.try_get(0),
            Self::Postgres(row) => row.try_get(0),
        }
        .map_err(|error| corrupt("0", error))
    }

    /// An id.
    pub(crate) fn id<T>(&self, name: &str, make: impl FnOnce(uuid::Uuid) -> T) -> Result<T, StoreError> {
        self.get(name).map(make)
    }

    /// An id or null.
    pub(crate) fn optional_id<T>(
        &self,
        name: &str,
        make: impl FnOnce(uuid::Uuid) -> T,
    ) -> Result<Option<T>, StoreError> {
        self.get::<Option<uuid::Uuid>>(name).map(|id| id.map(make))
    }

    /// A time.
    pub(crate) fn time(&self, name: &str) -> Result<Timestamp, StoreError> {
        Timestamp::from_microsecond(self.get(name)?).map_err(|error| corrupt(name, error))
    }

    /// A time or null.
    pub(crate) fn optional_time(&self, name: &str) -> Result<Option<Timestamp>, StoreError> {
        self.get::<Option<i64>>(name)?
            .map(|micros| Timestamp::from_microsecond(micros).map_err(|error| corrupt(name, error)))
            .transpose()
    }

    /// Bytes of a fixed length.
    pub(crate) fn bytes<const N: usize>(&self, name: &str) -> Result<[u8; N], StoreError> {
        self.get::<Vec<u8>>(name)?.try_into().map_err(|_| corrupt(name, "another length"))
    }

    /// Bytes of a fixed length or null.
    pub(crate) fn optional_bytes<const N: usize>(&self, name: &str) -> Result<Option<[u8; N]>, StoreError> {
        self.get::<Option<Vec<u8>>>(name)?
            .map(|bytes| bytes.try_into().map_err(|_| corrupt(name, "another length")))
            .transpose()
    }

    /// JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self, name: &str) -> Result<T, StoreError> {
        serde_json::from_str(&self.get::<String>(name)?).map_err(|error| corrupt(name, place_of(&error)))
    }

    /// A number that is never negative.
    pub(crate) fn unsigned(&self, name: &str) -> Result<u32, StoreError> {
        u32::try_from(self.get::<i64>(name)?).map_err(|error| corrupt(name, error))
    }
}

/// A column that cannot be read. The value itself is not told: it may be a secret.
pub(crate) fn corrupt(column: &str, why: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(format!("column `{column}`: {why}"))
}

/// Where JSON could not be read. serde's own text quotes the value.
fn place_of(error: &serde_json::Error) -> String {
    format!("a {:?} error in line {}, column {} of its JSON", error.classify(), error.line(), error.column())
}

/// JSON as text.
pub(crate) fn to_json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Corrupt(format!("JSON: {error}")))
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_wrong_with_a_value_is_told_without_it() {
        let error = serde_json::from_str::<Vec<u32>>(r#"[1, "s3cret"]"#).unwrap_err();
        assert!(error.to_string().contains("s3cret"), "serde quotes it");
        assert_eq!(super::place_of(&error), "a Data error in line 1, column 12 of its JSON");
    }
}
