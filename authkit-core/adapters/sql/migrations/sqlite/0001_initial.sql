-- Time is microseconds since 1970, ids are UUIDs as 16 bytes, JSON is text. Every row carries its tenant, and foreign
-- keys include it, so that no row can point across tenants.

CREATE TABLE users (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    email TEXT NOT NULL,
    email_lower TEXT NOT NULL,
    email_key BLOB NOT NULL,
    email_verified INTEGER NOT NULL,
    name TEXT,
    name_lower TEXT,
    locale TEXT,
    profile TEXT NOT NULL,
    preferences TEXT NOT NULL,
    password_hash TEXT,
    status TEXT NOT NULL,
    mfa_enabled INTEGER NOT NULL,
    subject_key BLOB NOT NULL,
    security_version INTEGER NOT NULL,
    kept_session BLOB,
    version INTEGER NOT NULL,
    erase_at INTEGER,
    last_sign_in_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX users_email_key ON users (tenant_id, email_key);
CREATE INDEX users_email ON users (tenant_id, email_lower, id);
CREATE INDEX users_status ON users (tenant_id, status, id);

CREATE TABLE password_history (
    tenant_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    security_version INTEGER NOT NULL,
    hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, user_id, security_version),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE registrations (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    email TEXT NOT NULL,
    email_key BLOB NOT NULL,
    name TEXT,
    locale TEXT,
    profile TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    token_hash BLOB NOT NULL,
    redirect_url TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE INDEX registrations_email_key ON registrations (tenant_id, email_key, id);
CREATE INDEX registrations_expires_at ON registrations (expires_at);

CREATE TABLE one_time_tokens (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    purpose TEXT NOT NULL,
    token_hash BLOB NOT NULL,
    data BLOB NOT NULL,
    security_version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX one_time_tokens_user ON one_time_tokens (tenant_id, user_id, purpose);
CREATE INDEX one_time_tokens_expires_at ON one_time_tokens (expires_at);

CREATE TABLE attempts (
    tenant_id BLOB NOT NULL,
    key BLOB NOT NULL,
    failures INTEGER NOT NULL,
    window_start INTEGER NOT NULL,
    locked_until INTEGER,
    locks INTEGER NOT NULL,
    touched_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempts_touched_at ON attempts (touched_at);

CREATE TABLE sessions (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    amr TEXT NOT NULL,
    auth_time INTEGER NOT NULL,
    ip TEXT,
    user_agent TEXT,
    place TEXT,
    created_at INTEGER NOT NULL,
    last_active_at INTEGER NOT NULL,
    expires_at INTEGER,
    refresh_hash BLOB NOT NULL,
    refresh_expires_at INTEGER NOT NULL,
    refresh_previous BLOB,
    refresh_rotated_at INTEGER,
    refresh_idempotency BLOB,
    refresh_replay BLOB,
    -- Before this the session cannot have ended by itself. It keeps the columns that every refresh changes out of the indexes.
    sweep_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX sessions_user ON sessions (tenant_id, user_id, id);
CREATE INDEX sessions_sweep_at ON sessions (sweep_at);

-- The idle time that the last sweep went by: a shorter one looks at every session again.
CREATE TABLE sweeps (
    name TEXT NOT NULL PRIMARY KEY,
    idle INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE signing_keys (
    id BLOB NOT NULL PRIMARY KEY,
    algorithm TEXT NOT NULL,
    private BLOB NOT NULL,
    public TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    active_at INTEGER NOT NULL,
    retired_at INTEGER,
    revoked_at INTEGER
) STRICT;

CREATE TABLE feed (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    tenant_id BLOB,
    subject_id BLOB,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX feed_at ON feed (at);

CREATE TABLE totp (
    tenant_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    secret BLOB NOT NULL,
    confirmed INTEGER NOT NULL,
    last_step INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, user_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE backup_codes (
    tenant_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    code BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, user_id, code),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE role_versions (
    tenant_id BLOB NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE roles (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    named_at INTEGER NOT NULL,
    description TEXT NOT NULL,
    parent_id BLOB,
    permissions TEXT NOT NULL,
    system INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, parent_id) REFERENCES roles (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX roles_name ON roles (tenant_id, name);
CREATE INDEX roles_parent ON roles (tenant_id, parent_id);

CREATE TABLE role_assignments (
    tenant_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    role_id BLOB NOT NULL,
    assigned_by BLOB,
    assigned_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, user_id, role_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, role_id) REFERENCES roles (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX role_assignments_role ON role_assignments (tenant_id, role_id, user_id);

CREATE TABLE tenants (
    id BLOB NOT NULL PRIMARY KEY,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    hosts TEXT NOT NULL,
    active INTEGER NOT NULL,
    settings TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX tenants_slug ON tenants (slug);

CREATE TABLE tenant_hosts (
    host TEXT NOT NULL PRIMARY KEY,
    tenant_id BLOB NOT NULL REFERENCES tenants (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX tenant_hosts_tenant ON tenant_hosts (tenant_id);

CREATE TABLE idempotency (
    tenant_id BLOB NOT NULL,
    key BLOB NOT NULL,
    body BLOB NOT NULL,
    answer BLOB,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, key)
) STRICT;
CREATE INDEX idempotency_expires_at ON idempotency (expires_at);

CREATE TABLE leases (
    name TEXT NOT NULL PRIMARY KEY,
    owner BLOB NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_records (
    id BLOB NOT NULL PRIMARY KEY,
    tenant_id BLOB NOT NULL,
    at INTEGER NOT NULL,
    action TEXT NOT NULL,
    outcome TEXT NOT NULL,
    actor TEXT,
    subject TEXT,
    personal BLOB,
    trace_id TEXT,
    data TEXT NOT NULL,
    key_version INTEGER NOT NULL,
    mac BLOB NOT NULL,
    -- The place in the chain; null until the record is linked.
    sequence INTEGER
) STRICT;
CREATE INDEX audit_records_tenant ON audit_records (tenant_id, id);
CREATE INDEX audit_records_action ON audit_records (tenant_id, action, id);
CREATE INDEX audit_records_actor ON audit_records (tenant_id, actor, id);
CREATE INDEX audit_records_subject ON audit_records (tenant_id, subject, id);
CREATE UNIQUE INDEX audit_records_sequence ON audit_records (sequence);

CREATE TABLE audit_links (
    sequence INTEGER NOT NULL PRIMARY KEY,
    record_id BLOB NOT NULL,
    link BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX audit_links_record ON audit_links (record_id);

CREATE TABLE audit_heads (
    sequence INTEGER NOT NULL PRIMARY KEY,
    link BLOB NOT NULL,
    at INTEGER NOT NULL,
    key_version INTEGER NOT NULL,
    signature BLOB NOT NULL
) STRICT;

CREATE TABLE notices (
    id BLOB NOT NULL PRIMARY KEY,
    tenant_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    recipient BLOB NOT NULL,
    payload BLOB NOT NULL,
    attempts INTEGER NOT NULL,
    available_at INTEGER NOT NULL,
    lease_owner BLOB,
    lease_until INTEGER,
    dead INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX notices_recipient ON notices (tenant_id, recipient, id);
CREATE INDEX notices_waiting ON notices (dead, id);
CREATE INDEX notices_lease_owner ON notices (lease_owner);
CREATE INDEX notices_expires_at ON notices (expires_at);

CREATE TABLE development_mail (
    id BLOB NOT NULL PRIMARY KEY,
    tenant_id BLOB NOT NULL,
    recipient TEXT NOT NULL,
    mail TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX development_mail_tenant ON development_mail (tenant_id, created_at, id);
CREATE INDEX development_mail_recipient ON development_mail (tenant_id, recipient, created_at, id);

CREATE TABLE development_keys (
    id INTEGER NOT NULL PRIMARY KEY,
    key BLOB NOT NULL
) STRICT;
