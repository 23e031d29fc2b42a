//! Signing keys.

use crate::{
    SqlStore,
    db::{Expect, Row, Statement, corrupt, outlived, values},
    plan::{Planned, Walls},
};
use async_trait::async_trait;
use authkit_core::{
    SigningAlgorithm,
    ports::StoreError,
    sessions::{KeyChange, KeyStore, SigningKey},
    wire::KeyId,
};

pub(crate) fn plan(change: KeyChange, walls: Walls) -> Planned {
    walls.system()?;
    Ok(vec![match change {
        KeyChange::Create(key) => Statement::new(
            Expect::FREE,
            "INSERT INTO signing_keys (id, algorithm, private, public, created_at, active_at, retired_at, revoked_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            values![
                key.id,
                key.algorithm.as_str(),
                key.private,
                key.public,
                key.created_at,
                key.active_at,
                key.retired_at,
                key.revoked_at
            ],
        ),
        KeyChange::Retire { id, at } => Statement::new(
            Expect::ONE,
            "UPDATE signing_keys SET retired_at = $2 WHERE id = $1 AND retired_at IS NULL",
            values![id, at],
        ),
        KeyChange::Revoke { id, at } => Statement::new(
            Expect::ONE,
            "UPDATE signing_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL",
            values![id, at],
        ),
        KeyChange::DeleteRetired { before } => {
            Statement::new(Expect::Any, "DELETE FROM signing_keys WHERE retired_at < $1", values![before])
        }
        KeyChange::PruneFeed { before } => outlived!("feed", "sequence", "at", before),
        _ => return Err(StoreError::Unsupported),
    }])
}

fn key(row: &Row) -> Result<SigningKey, StoreError> {
    let algorithm: String = row.get("algorithm")?;
    Ok(SigningKey {
        id: row.id("id", KeyId::new)?,
        algorithm: [SigningAlgorithm::EdDsa, SigningAlgorithm::Es256, SigningAlgorithm::Rs256]
            .into_iter()
            .find(|known| known.as_str() == algorithm)
            .ok_or_else(|| corrupt("algorithm", "unknown"))?,
        private: row.get("private")?,
        public: row.get("public")?,
        created_at: row.time("created_at")?,
        active_at: row.time("active_at")?,
        retired_at: row.optional_time("retired_at")?,
        revoked_at: row.optional_time("revoked_at")?,
    })
}

#[async_trait]
impl KeyStore for SqlStore {
    async fn list_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        let sql = "SELECT id, algorithm, private, public, created_at, active_at, retired_at, revoked_at \
                   FROM signing_keys ORDER BY created_at, id";
        self.db.fetch(sql, values![]).await?.iter().map(key).collect()
    }
}
