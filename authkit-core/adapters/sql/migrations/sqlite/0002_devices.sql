CREATE TABLE devices (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    owner_id BLOB NOT NULL,
    name TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    public_key BLOB NOT NULL,
    key_thumbprint BLOB NOT NULL,
    status TEXT NOT NULL,
    version TEXT,
    capabilities TEXT NOT NULL,
    reported_status TEXT,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER,
    revoked_at INTEGER,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, owner_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX devices_owner ON devices (tenant_id, owner_id, id);
CREATE INDEX devices_status ON devices (tenant_id, status, id);
-- A key may come back as a new device once the old one is revoked.
CREATE UNIQUE INDEX devices_key ON devices (tenant_id, key_thumbprint) WHERE status = 'active';

CREATE TABLE device_claims (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    owner_id BLOB NOT NULL,
    name TEXT,
    code BLOB NOT NULL,
    security_version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    used_device BLOB,
    used_key BLOB,
    keep_until INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, owner_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE UNIQUE INDEX device_claims_code ON device_claims (tenant_id, code);
CREATE INDEX device_claims_owner ON device_claims (tenant_id, owner_id, id);
CREATE INDEX device_claims_keep_until ON device_claims (keep_until);

-- Challenges that were used, until they would not count any more.
CREATE TABLE device_challenges (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX device_challenges_expires_at ON device_challenges (expires_at);
