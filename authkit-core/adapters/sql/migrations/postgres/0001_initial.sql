-- Time is microseconds since 1970, ids are UUIDs, JSON is text. Every row carries its tenant, and foreign
-- keys include it, so that no row can point across tenants.

CREATE TABLE users (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    email TEXT NOT NULL,
    email_lower TEXT COLLATE "C" NOT NULL,
    email_key BYTEA NOT NULL,
    email_verified BOOLEAN NOT NULL,
    name TEXT,
    name_lower TEXT COLLATE "C",
    locale TEXT,
    profile TEXT NOT NULL,
    preferences TEXT NOT NULL,
    password_hash TEXT,
    status TEXT NOT NULL,
    mfa_enabled BOOLEAN NOT NULL,
    subject_key BYTEA NOT NULL,
    security_version BIGINT NOT NULL,
    kept_session UUID,
    version BIGINT NOT NULL,
    erase_at BIGINT,
    last_sign_in_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX users_email_key ON users (tenant_id, email_key);
CREATE INDEX users_email ON users (tenant_id, email_lower, id);
CREATE INDEX users_status ON users (tenant_id, status, id);

CREATE TABLE password_history (
    tenant_id UUID NOT NULL,
    user_id UUID NOT NULL,
    security_version BIGINT NOT NULL,
    hash TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, user_id, security_version),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE registrations (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    email TEXT NOT NULL,
    email_key BYTEA NOT NULL,
    name TEXT,
    locale TEXT,
    profile TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    token_hash BYTEA NOT NULL,
    redirect_url TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX registrations_email_key ON registrations (tenant_id, email_key, id);
CREATE INDEX registrations_expires_at ON registrations (expires_at);

CREATE TABLE one_time_tokens (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    purpose TEXT NOT NULL,
    token_hash BYTEA NOT NULL,
    data BYTEA NOT NULL,
    security_version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX one_time_tokens_user ON one_time_tokens (tenant_id, user_id, purpose);
CREATE INDEX one_time_tokens_expires_at ON one_time_tokens (expires_at);

CREATE TABLE attempts (
    tenant_id UUID NOT NULL,
    key BYTEA NOT NULL,
    failures BIGINT NOT NULL,
    window_start BIGINT NOT NULL,
    locked_until BIGINT,
    locks BIGINT NOT NULL,
    touched_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, key)
);
CREATE INDEX attempts_touched_at ON attempts (touched_at);

CREATE TABLE sessions (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    amr TEXT NOT NULL,
    auth_time BIGINT NOT NULL,
    ip TEXT,
    user_agent TEXT,
    place TEXT,
    created_at BIGINT NOT NULL,
    last_active_at BIGINT NOT NULL,
    expires_at BIGINT,
    refresh_hash BYTEA NOT NULL,
    refresh_expires_at BIGINT NOT NULL,
    refresh_previous BYTEA,
    refresh_rotated_at BIGINT,
    refresh_idempotency BYTEA,
    refresh_replay BYTEA,
    -- Before this the session cannot have ended by itself. It keeps the columns that every refresh changes out of the indexes.
    sweep_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX sessions_user ON sessions (tenant_id, user_id, id);
CREATE INDEX sessions_sweep_at ON sessions (sweep_at);

-- The idle time that the last sweep went by: a shorter one looks at every session again.
CREATE TABLE sweeps (
    name TEXT NOT NULL PRIMARY KEY,
    idle BIGINT NOT NULL
);

CREATE TABLE signing_keys (
    id UUID NOT NULL PRIMARY KEY,
    algorithm TEXT NOT NULL,
    private BYTEA NOT NULL,
    public TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    active_at BIGINT NOT NULL,
    retired_at BIGINT,
    revoked_at BIGINT
);

CREATE TABLE feed (
    sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The writing transaction: readers go on from the oldest one that ran, so that late commits are not missed.
    xid XID8 NOT NULL DEFAULT pg_current_xact_id(),
    kind TEXT NOT NULL,
    tenant_id UUID,
    subject_id UUID,
    at BIGINT NOT NULL
);
CREATE INDEX feed_at ON feed (at);
CREATE INDEX feed_xid ON feed (xid);

CREATE TABLE totp (
    tenant_id UUID NOT NULL,
    user_id UUID NOT NULL,
    secret BYTEA NOT NULL,
    confirmed BOOLEAN NOT NULL,
    last_step BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, user_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE backup_codes (
    tenant_id UUID NOT NULL,
    user_id UUID NOT NULL,
    code BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, user_id, code),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE role_versions (
    tenant_id UUID NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL
);

CREATE TABLE roles (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    named_at BIGINT NOT NULL,
    description TEXT NOT NULL,
    parent_id UUID,
    permissions TEXT NOT NULL,
    system BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, parent_id) REFERENCES roles (tenant_id, id)
);
CREATE UNIQUE INDEX roles_name ON roles (tenant_id, name);
CREATE INDEX roles_parent ON roles (tenant_id, parent_id);

CREATE TABLE role_assignments (
    tenant_id UUID NOT NULL,
    user_id UUID NOT NULL,
    role_id UUID NOT NULL,
    assigned_by UUID,
    assigned_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, user_id, role_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, role_id) REFERENCES roles (tenant_id, id)
);
CREATE INDEX role_assignments_role ON role_assignments (tenant_id, role_id, user_id);

CREATE TABLE tenants (
    id UUID NOT NULL PRIMARY KEY,
    slug TEXT COLLATE "C" NOT NULL,
    name TEXT NOT NULL,
    hosts TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    settings TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX tenants_slug ON tenants (slug);

CREATE TABLE tenant_hosts (
    host TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant_id UUID NOT NULL REFERENCES tenants (id)
);
CREATE INDEX tenant_hosts_tenant ON tenant_hosts (tenant_id);

CREATE TABLE idempotency (
    tenant_id UUID NOT NULL,
    key BYTEA NOT NULL,
    body BYTEA NOT NULL,
    answer BYTEA,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, key)
);
CREATE INDEX idempotency_expires_at ON idempotency (expires_at);

CREATE TABLE leases (
    name TEXT NOT NULL PRIMARY KEY,
    owner UUID NOT NULL,
    until BIGINT NOT NULL
);

CREATE TABLE audit_records (
    id UUID NOT NULL PRIMARY KEY,
    tenant_id UUID NOT NULL,
    at BIGINT NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    outcome TEXT NOT NULL,
    actor TEXT COLLATE "C",
    subject TEXT COLLATE "C",
    personal BYTEA,
    trace_id TEXT,
    data TEXT NOT NULL,
    key_version BIGINT NOT NULL,
    mac BYTEA NOT NULL,
    -- The place in the chain; null until the record is linked.
    sequence BIGINT
);
CREATE INDEX audit_records_tenant ON audit_records (tenant_id, id);
CREATE INDEX audit_records_action ON audit_records (tenant_id, action, id);
CREATE INDEX audit_records_actor ON audit_records (tenant_id, actor, id);
CREATE INDEX audit_records_subject ON audit_records (tenant_id, subject, id);
CREATE UNIQUE INDEX audit_records_sequence ON audit_records (sequence);

CREATE TABLE audit_links (
    sequence BIGINT NOT NULL PRIMARY KEY,
    record_id UUID NOT NULL,
    link BYTEA NOT NULL
);
CREATE UNIQUE INDEX audit_links_record ON audit_links (record_id);

CREATE TABLE audit_heads (
    sequence BIGINT NOT NULL PRIMARY KEY,
    link BYTEA NOT NULL,
    at BIGINT NOT NULL,
    key_version BIGINT NOT NULL,
    signature BYTEA NOT NULL
);

CREATE TABLE notices (
    id UUID NOT NULL PRIMARY KEY,
    tenant_id UUID NOT NULL,
    kind TEXT NOT NULL,
    recipient BYTEA NOT NULL,
    payload BYTEA NOT NULL,
    attempts BIGINT NOT NULL,
    available_at BIGINT NOT NULL,
    lease_owner UUID,
    lease_until BIGINT,
    dead BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX notices_recipient ON notices (tenant_id, recipient, id);
CREATE INDEX notices_waiting ON notices (dead, id);
CREATE INDEX notices_lease_owner ON notices (lease_owner);
CREATE INDEX notices_expires_at ON notices (expires_at);

CREATE TABLE development_mail (
    id UUID NOT NULL PRIMARY KEY,
    tenant_id UUID NOT NULL,
    recipient TEXT NOT NULL,
    mail TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX development_mail_tenant ON development_mail (tenant_id, created_at, id);
CREATE INDEX development_mail_recipient ON development_mail (tenant_id, recipient, created_at, id);

CREATE TABLE development_keys (
    id BIGINT NOT NULL PRIMARY KEY,
    key BYTEA NOT NULL
);
