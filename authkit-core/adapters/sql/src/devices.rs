//! Devices, their claims, and challenges that were used.

use crate::{
    SqlStore,
    db::{Expect, Row, Statement, corrupt, outlived, to_json, values},
    plan::{Planned, Walls},
};
use async_trait::async_trait;
use authkit_core::{
    devices::{Device, DeviceChange, DeviceClaim, DeviceFilter, DeviceStore, UsedClaim},
    ports::{Conflict, Position, StoreError},
    wire::{DeviceClaimId, DeviceHealth, DeviceId, DeviceStatus, TenantId, UserId, UserStatus, device::KeyAlgorithm},
};

macro_rules! columns {
    () => {
        "d.tenant_id, d.id, d.owner_id, d.name, d.algorithm, d.public_key, d.key_thumbprint, d.status, d.version, \
         d.capabilities, d.reported_status, d.created_at, d.last_seen_at, d.revoked_at"
    };
}

/// A conflict when there are too many: the row is not inserted.
const ROOM: Expect = Expect::Rows(1, Conflict::Changed);

pub(crate) fn plan(change: DeviceChange, walls: Walls) -> Planned {
    Ok(match change {
        DeviceChange::HoldOwner { user, security_version } => vec![Statement::new(
            Expect::ONE,
            "UPDATE users SET status = status \
             WHERE tenant_id = $1 AND id = $2 AND security_version = $3 AND status = 'active'",
            values![walls.tenant()?, user, security_version],
        )],
        DeviceChange::CreateClaim { claim, at_most } => vec![create_claim(claim, at_most, walls)?],
        DeviceChange::VoidClaim { id, owner } => vec![Statement::new(
            Expect::ONE,
            "DELETE FROM device_claims WHERE tenant_id = $1 AND id = $2 AND owner_id = $3 AND used_at IS NULL",
            values![walls.tenant()?, id, owner],
        )],
        DeviceChange::VoidClaimsOf { owner } => vec![Statement::new(
            Expect::Any,
            "DELETE FROM device_claims WHERE tenant_id = $1 AND owner_id = $2 AND used_at IS NULL",
            values![walls.tenant()?, owner],
        )],
        DeviceChange::UseClaim { id, device, key_thumbprint, at, keep_until } => vec![Statement::new(
            Expect::ONE,
            "UPDATE device_claims SET used_at = $3, used_device = $4, used_key = $5, keep_until = $6 \
             WHERE tenant_id = $1 AND id = $2 AND used_at IS NULL AND expires_at > $3",
            values![walls.tenant()?, id, at, device, key_thumbprint, keep_until],
        )],
        DeviceChange::Create { device, at_most } => {
            let forget = Statement::new(
                Expect::Any,
                "DELETE FROM devices WHERE tenant_id = $1 AND id IN (SELECT d.id FROM devices d \
                 WHERE d.tenant_id = $1 AND d.owner_id = $2 AND d.status = 'revoked' \
                 ORDER BY d.id DESC LIMIT 1000 OFFSET $3)",
                values![walls.owns(device.tenant)?, device.owner, at_most],
            );
            vec![create(*device, at_most, walls)?, forget]
        }
        DeviceChange::Rename { id, owner, name } => vec![Statement::new(
            Expect::ONE,
            "UPDATE devices SET name = $4 WHERE tenant_id = $1 AND id = $2 AND owner_id = $3",
            values![walls.tenant()?, id, owner, name],
        )],
        DeviceChange::Revoke { id, at } => vec![Statement::new(
            Expect::ONE,
            "UPDATE devices SET status = 'revoked', revoked_at = $3 \
             WHERE tenant_id = $1 AND id = $2 AND status = 'active'",
            values![walls.tenant()?, id, at],
        )],
        DeviceChange::RevokeAllOf { owner, at } => vec![Statement::new(
            Expect::Any,
            "UPDATE devices SET status = 'revoked', revoked_at = $3 \
             WHERE tenant_id = $1 AND owner_id = $2 AND status = 'active'",
            values![walls.tenant()?, owner, at],
        )],
        DeviceChange::Beat { id, at, status, version, capabilities } => vec![Statement::new(
            Expect::ONE,
            "UPDATE devices SET reported_status = COALESCE($4, reported_status), version = COALESCE($5, version), \
             capabilities = COALESCE($6, capabilities), \
             last_seen_at = CASE WHEN last_seen_at > $3 THEN last_seen_at ELSE $3 END \
             WHERE tenant_id = $1 AND id = $2 AND status = 'active'",
            values![
                walls.tenant()?,
                id,
                at,
                status.map(|status| status.as_str().to_owned()),
                version,
                capabilities.map(|words| to_json(&words)).transpose()?
            ],
        )],
        DeviceChange::Seen { id, at, unless_since } => vec![Statement::new(
            Expect::Any,
            "UPDATE devices SET last_seen_at = $3 \
             WHERE tenant_id = $1 AND id = $2 AND (last_seen_at IS NULL OR last_seen_at < $4)",
            values![walls.tenant()?, id, at, unless_since],
        )],
        DeviceChange::UseChallenge { id, expires_at } => vec![Statement::new(
            Expect::FREE,
            "INSERT INTO device_challenges (tenant_id, id, expires_at) VALUES ($1, $2, $3)",
            values![walls.tenant()?, id, expires_at],
        )],
        DeviceChange::DeleteExpired { claims, challenges } => {
            walls.system()?;
            vec![
                outlived!("device_claims", "tenant_id, id", "keep_until", claims),
                outlived!("device_challenges", "tenant_id, id", "expires_at", challenges),
            ]
        }
        _ => return Err(StoreError::Unsupported),
    })
}

fn create_claim(claim: DeviceClaim, at_most: u32, walls: Walls) -> Result<Statement, StoreError> {
    let used = claim.used;
    Ok(Statement::new(
        ROOM,
        "INSERT INTO device_claims (tenant_id, id, owner_id, name, code, security_version, created_at, expires_at, \
         used_at, used_device, used_key, keep_until) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 \
         WHERE (SELECT count(*) FROM device_claims c WHERE c.tenant_id = $1 AND c.owner_id = $3 \
         AND c.used_at IS NULL AND c.expires_at > $7) < $13",
        values![
            walls.owns(claim.tenant)?,
            claim.id,
            claim.owner,
            claim.name,
            claim.code,
            claim.security_version,
            claim.created_at,
            claim.expires_at,
            used.map(|used| used.at),
            used.map(|used| used.device),
            used.map(|used| used.key_thumbprint),
            claim.keep_until,
            at_most
        ],
    ))
}

fn create(device: Device, at_most: u32, walls: Walls) -> Result<Statement, StoreError> {
    Ok(Statement::new(
        ROOM,
        "INSERT INTO devices (tenant_id, id, owner_id, name, algorithm, public_key, key_thumbprint, status, version, \
         capabilities, reported_status, created_at, last_seen_at, revoked_at) \
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14 \
         WHERE (SELECT count(*) FROM devices d WHERE d.tenant_id = $1 AND d.owner_id = $3 AND d.status = 'active') < $15",
        values![
            walls.owns(device.tenant)?,
            device.id,
            device.owner,
            device.name,
            device.algorithm.as_str(),
            device.public_key,
            device.key_thumbprint,
            device.status.as_str(),
            device.version,
            to_json(&device.capabilities)?,
            device.reported_status.map(|status| status.as_str().to_owned()),
            device.created_at,
            device.last_seen_at,
            device.revoked_at,
            at_most
        ],
    ))
}

/// A column that holds one of a few names.
fn named<T>(row: &Row, column: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, StoreError> {
    parse(&row.get::<String>(column)?).ok_or_else(|| corrupt(column, "an unknown value"))
}

fn device(row: &Row) -> Result<Device, StoreError> {
    let reported = row.get::<Option<String>>("reported_status")?;
    Ok(Device {
        id: row.id("id", DeviceId::new)?,
        tenant: row.id("tenant_id", TenantId::new)?,
        owner: row.id("owner_id", UserId::new)?,
        name: row.get("name")?,
        algorithm: named(row, "algorithm", KeyAlgorithm::parse)?,
        public_key: row.get("public_key")?,
        key_thumbprint: row.bytes("key_thumbprint")?,
        status: named(row, "status", DeviceStatus::parse)?,
        version: row.get("version")?,
        capabilities: row.json("capabilities")?,
        // One that a later version knows is none here.
        reported_status: reported.as_deref().and_then(DeviceHealth::parse),
        created_at: row.time("created_at")?,
        last_seen_at: row.optional_time("last_seen_at")?,
        revoked_at: row.optional_time("revoked_at")?,
    })
}

fn claim(row: &Row) -> Result<DeviceClaim, StoreError> {
    let used = match row.optional_time("used_at")? {
        Some(at) => Some(UsedClaim {
            at,
            device: row.id("used_device", DeviceId::new)?,
            key_thumbprint: row.bytes("used_key")?,
        }),
        None => None,
    };
    Ok(DeviceClaim {
        id: row.id("id", DeviceClaimId::new)?,
        tenant: row.id("tenant_id", TenantId::new)?,
        owner: row.id("owner_id", UserId::new)?,
        name: row.get("name")?,
        code: row.bytes("code")?,
        security_version: row.get("security_version")?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
        used,
        keep_until: row.time("keep_until")?,
    })
}

#[async_trait]
impl DeviceStore for SqlStore {
    async fn find_device(&self, tenant: TenantId, id: DeviceId) -> Result<Option<(Device, UserStatus)>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            ", u.status AS owner_status FROM devices d \
             JOIN users u ON u.tenant_id = d.tenant_id AND u.id = d.owner_id WHERE d.tenant_id = $1 AND d.id = $2"
        );
        let Some(row) = self.db.fetch_one(sql, values![tenant, id]).await? else { return Ok(None) };
        Ok(Some((device(&row)?, named(&row, "owner_status", UserStatus::parse)?)))
    }

    async fn find_device_by_key(
        &self,
        tenant: TenantId,
        key_thumbprint: &[u8; 32],
    ) -> Result<Option<Device>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM devices d WHERE d.tenant_id = $1 AND d.key_thumbprint = $2 AND d.status = 'active'"
        );
        self.db.fetch_one(sql, values![tenant, *key_thumbprint]).await?.as_ref().map(device).transpose()
    }

    async fn list_devices(
        &self,
        tenant: TenantId,
        filter: DeviceFilter,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Vec<Device>, StoreError> {
        let mut bound = values![tenant];
        let mut sql = concat!("SELECT ", columns!(), " FROM devices d WHERE d.tenant_id = $1").to_owned();
        let mut and = |condition: &str, value| {
            bound.push(value);
            sql.push_str(&format!(" AND {condition} ${}", bound.len()));
        };
        if let Some(owner) = filter.owner {
            and("d.owner_id =", owner.into());
        }
        if let Some(status) = filter.status {
            and("d.status =", status.as_str().into());
        }
        if let Some(after) = after {
            and("d.id <", after.id.into());
        }
        bound.push(limit.into());
        sql.push_str(&format!(" ORDER BY d.id DESC LIMIT +${}", bound.len()));
        self.db.fetch(sql, bound).await?.iter().map(device).collect()
    }

    async fn find_device_claim(&self, tenant: TenantId, code: &[u8; 33]) -> Result<Option<DeviceClaim>, StoreError> {
        let sql = "SELECT tenant_id, id, owner_id, name, code, security_version, created_at, expires_at, used_at, \
                   used_device, used_key, keep_until FROM device_claims WHERE tenant_id = $1 AND code = $2";
        self.db.fetch_one(sql, values![tenant, *code]).await?.as_ref().map(claim).transpose()
    }
}
