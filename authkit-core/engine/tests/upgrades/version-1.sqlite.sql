PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE authkit_migrations (version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL, compatible_from BIGINT);
INSERT INTO authkit_migrations VALUES(1,'initial','83f45642cacbc0d7ef15983c2ec2f3e81398ab020858d2f9ba45cf3a4db22bda',1795000000000000,1);
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
INSERT INTO users VALUES(X'00000000000070008000000000000001',X'01a1ee565e007000ae451498535c4a79','ada@example.com','ada@example.com',X'01835cdb5bfd7ab5dc3267d9aeca6adc797f760821ba0b67a78c3e466401b3518e',1,'Ada','ada',NULL,'{}','{}','$argon2id$v=19$m=64,t=1,p=1$3PuVV17f+WjvV03AGwpZow$Kphymd9TgM4pgWkvgWPC4uD2JGqaS/TRf1OMtHRnP8s','active',0,X'00000001c5e214d57c795c50b6032335f5b4dfc81acc7f810e4e1e157e9917948a8cdd3c436767f5491e51eca94922ab1647cc0affd8eeb66f5d86109bdca50c',1,NULL,1,NULL,1795000000000000,1795000000000000,1795000000000000);
INSERT INTO users VALUES(X'01a1ee565e007000a5ecca62a3abff22',X'01a1ee565e007000bc32461888c17ca2','ada@example.com','ada@example.com',X'01591bd29d47395c82d9ab68ccd331e2622975570766c8561f3525fb854d553229',1,NULL,NULL,NULL,'{}','{}','$argon2id$v=19$m=64,t=1,p=1$aH+d4xP24Xgd/d3kQp16cQ$Z5ZM4qKgrjefP9boTwYUBs2eXchLwftjWUlwI10Z/Qc','active',0,X'000000012945ad89b4bd3904b98957cbd00a69700c988422a7f293fc906394b307aa9e6da6f7b75de182b5619e9157d200d99ed95fe6a4927c95d4d87a8ba58b',1,NULL,1,NULL,1795000000000000,1795000000000000,1795000000000000);
CREATE TABLE password_history (
    tenant_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    security_version INTEGER NOT NULL,
    hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, user_id, security_version),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
INSERT INTO password_history VALUES(X'00000000000070008000000000000001',X'01a1ee565e007000ae451498535c4a79',1,'$argon2id$v=19$m=64,t=1,p=1$3PuVV17f+WjvV03AGwpZow$Kphymd9TgM4pgWkvgWPC4uD2JGqaS/TRf1OMtHRnP8s',1795000000000000);
INSERT INTO password_history VALUES(X'01a1ee565e007000a5ecca62a3abff22',X'01a1ee565e007000bc32461888c17ca2',1,'$argon2id$v=19$m=64,t=1,p=1$aH+d4xP24Xgd/d3kQp16cQ$Z5ZM4qKgrjefP9boTwYUBs2eXchLwftjWUlwI10Z/Qc',1795000000000000);
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
INSERT INTO sessions VALUES(X'00000000000070008000000000000001',X'01a1ee565e0070009b458fe227836106',X'01a1ee565e007000ae451498535c4a79','["pwd"]',1795000000000000,NULL,NULL,NULL,1795000000000000,1795000000000000,1810552000000000,X'62e7f069e03be3a51b519e991121b0641d0bedb011badc77c5ae22059fa5df10',1797592000000000,NULL,NULL,NULL,NULL,1795000000000000);
INSERT INTO sessions VALUES(X'01a1ee565e007000a5ecca62a3abff22',X'01a1ee565e007000b0d5460131cd0097',X'01a1ee565e007000bc32461888c17ca2','["pwd"]',1795000000000000,NULL,NULL,NULL,1795000000000000,1795000000000000,1810552000000000,X'fd6524bd1060194f64eb40d178aefd868f78ba622aa35ac87a3655865042760d',1797592000000000,NULL,NULL,NULL,NULL,1795000000000000);
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
INSERT INTO signing_keys VALUES(X'01a1ee565e007000b833d937f5dda121','EdDSA',X'00000001f4bbb139fba47d309e55f32f901bfac930b3e602cf6c4f272acbcf8b54f5f281737070c94b6351738840909ce21843f8802018443d537a3f1ca6e3c6be6a411ad69ed2cbf6e2a8915b655149','{"alg":"EdDSA","crv":"Ed25519","kid":"key_01a1ee565e007000b833d937f5dda121","kty":"OKP","use":"sig","x":"rDJ8HDxMSRePs9ofBRn4eiByf9HjhreuQPCwlSCrExQ"}',1795000000000000,1795000000000000,NULL,NULL);
CREATE TABLE feed (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    tenant_id BLOB,
    subject_id BLOB,
    at INTEGER NOT NULL
) STRICT;
INSERT INTO feed VALUES(1,'tenants_changed',NULL,NULL,1795000000000000);
INSERT INTO feed VALUES(2,'roles_changed',X'00000000000070008000000000000001',NULL,1795000000000000);
INSERT INTO feed VALUES(3,'keys_changed',NULL,NULL,1795000000000000);
INSERT INTO feed VALUES(4,'roles_changed',X'00000000000070008000000000000001',NULL,1795000000000000);
INSERT INTO feed VALUES(5,'user_changed',X'00000000000070008000000000000001',X'01a1ee565e007000ae451498535c4a79',1795000000000000);
INSERT INTO feed VALUES(6,'tenants_changed',NULL,NULL,1795000000000000);
INSERT INTO feed VALUES(7,'roles_changed',X'01a1ee565e007000a5ecca62a3abff22',NULL,1795000000000000);
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
INSERT INTO role_versions VALUES(X'00000000000070008000000000000001',3);
INSERT INTO role_versions VALUES(X'01a1ee565e007000a5ecca62a3abff22',1);
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
INSERT INTO roles VALUES(X'00000000000070008000000000000001',X'01a1ee565e007000ad2cc14eec4487cc','admin',1795000000000000,'Everything in this tenant.',NULL,'["*"]',1,1,1795000000000000,1795000000000000);
INSERT INTO roles VALUES(X'00000000000070008000000000000001',X'01a1ee565e0070009ee1a41fc7e54b38','support',1795000000000000,'Helps',NULL,'["users:read"]',0,1,1795000000000000,1795000000000000);
INSERT INTO roles VALUES(X'01a1ee565e007000a5ecca62a3abff22',X'01a1ee565e007000bad54273e9dd5c13','admin',1795000000000000,'Everything in this tenant.',NULL,'["*"]',1,1,1795000000000000,1795000000000000);
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
INSERT INTO role_assignments VALUES(X'00000000000070008000000000000001',X'01a1ee565e007000ae451498535c4a79',X'01a1ee565e0070009ee1a41fc7e54b38',NULL,1795000000000000);
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
INSERT INTO tenants VALUES(X'00000000000070008000000000000001','default','Default','[]',1,'{"allow_unverified":false,"unicode_addresses":false,"redirect_urls":[],"max_sessions":null,"idle_minutes":null,"absolute_minutes":null}',1,1795000000000000);
INSERT INTO tenants VALUES(X'01a1ee565e007000a5ecca62a3abff22','shop','Shop','["shop.example.com"]',1,'{"allow_unverified":false,"unicode_addresses":false,"redirect_urls":[],"max_sessions":3,"idle_minutes":null,"absolute_minutes":null}',1,1795000000000000);
CREATE TABLE tenant_hosts (
    host TEXT NOT NULL PRIMARY KEY,
    tenant_id BLOB NOT NULL REFERENCES tenants (id)
) STRICT, WITHOUT ROWID;
INSERT INTO tenant_hosts VALUES('shop.example.com',X'01a1ee565e007000a5ecca62a3abff22');
CREATE TABLE idempotency (
    tenant_id BLOB NOT NULL,
    key BLOB NOT NULL,
    body BLOB NOT NULL,
    answer BLOB,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, key)
) STRICT;
CREATE TABLE leases (
    name TEXT NOT NULL PRIMARY KEY,
    owner BLOB NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO leases VALUES('first-signing-key',X'01a1ee565e0070008550e8cb5ba011bf',1795000030000000);
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
INSERT INTO audit_records VALUES(X'01a1ee565e007000b96ad4b74f6d3d4e',X'00000000000070008000000000000001',1795000000000000,'tenant.created','success','operator','ten_00000000000070008000000000000001',NULL,NULL,'{}',1,X'a3a90715e5c869359e8d16351f64f2406d46e6a550bacb65bbd6d83ec8950986',10);
INSERT INTO audit_records VALUES(X'01a1ee565e0070009f8831761372ee7c',X'00000000000070008000000000000001',1795000000000000,'role.created','success','system','rol_01a1ee565e007000ad2cc14eec4487cc',NULL,NULL,'{"name":"admin"}',1,X'f85778188f4255ea4d5b0e800ef88fa25db381309e045d9f7e826e5cb0afc5af',4);
INSERT INTO audit_records VALUES(X'01a1ee565e0070009d065aa7b4fee1d5',X'00000000000070008000000000000001',1795000000000000,'key.rotated','success','system','key_01a1ee565e007000b833d937f5dda121',NULL,NULL,'{}',1,X'38ba9a08d7f612323f643cd39b73516ad388748ef77ba03a3e9d349bc0b10443',3);
INSERT INTO audit_records VALUES(X'01a1ee565e00700089b01478f0f14f22',X'00000000000070008000000000000001',1795000000000000,'user.created','success','operator','usr_01a1ee565e007000ae451498535c4a79',NULL,NULL,'{}',1,X'2d0f796e441f487861d9ae241067e4c815846ae8a6a771fd949a72de98e976af',1);
INSERT INTO audit_records VALUES(X'01a1ee565e007000a8e5741270468a61',X'00000000000070008000000000000001',1795000000000000,'role.created','success','operator','rol_01a1ee565e0070009ee1a41fc7e54b38',NULL,NULL,'{"name":"support","permissions":["users:read"]}',1,X'12e2c926614364b4913f4e04ac3d5dd75c4f2e582778b3c24033a154a1d442d5',7);
INSERT INTO audit_records VALUES(X'01a1ee565e00700096c0cc595de1e289',X'00000000000070008000000000000001',1795000000000000,'role.assigned','success','operator','usr_01a1ee565e007000ae451498535c4a79',NULL,NULL,'{"role":"support","role_id":"rol_01a1ee565e0070009ee1a41fc7e54b38"}',1,X'd04dc62705cf941b1a6bc6ff6aaaed40556bd59ecca8f867198c28d913c9161b',2);
INSERT INTO audit_records VALUES(X'01a1ee565e007000a928d5c2233213bb',X'01a1ee565e007000a5ecca62a3abff22',1795000000000000,'tenant.created','success','operator','ten_01a1ee565e007000a5ecca62a3abff22',NULL,NULL,'{}',1,X'86591f85202fc5cf34ed5ce2397186af456c1f5a80e1833565a5395caa1fcf3f',8);
INSERT INTO audit_records VALUES(X'01a1ee565e007000bbda4a62a495cbf3',X'01a1ee565e007000a5ecca62a3abff22',1795000000000000,'role.created','success','system','rol_01a1ee565e007000bad54273e9dd5c13',NULL,NULL,'{"name":"admin"}',1,X'590335d3b948bc1fa92ff6d1389f7e2ea3f5dcf8312eb913e2686e4efbd51208',11);
INSERT INTO audit_records VALUES(X'01a1ee565e007000a05416ddbd34b973',X'01a1ee565e007000a5ecca62a3abff22',1795000000000000,'user.created','success','operator','usr_01a1ee565e007000bc32461888c17ca2',NULL,NULL,'{}',1,X'6196dbcbe79bce74b408690ef2d834a685a621b476b6b4d99ef4ba7be251a7ed',5);
INSERT INTO audit_records VALUES(X'01a1ee565e007000bd1080e487610f96',X'00000000000070008000000000000001',1795000000000000,'session.created','success','usr_01a1ee565e007000ae451498535c4a79','usr_01a1ee565e007000ae451498535c4a79',NULL,NULL,'{"session":"ses_01a1ee565e0070009b458fe227836106"}',1,X'90215f27083ee18c2a4e48e14e23600d23dcff0efb6f2c0338e31292258a9069',12);
INSERT INTO audit_records VALUES(X'01a1ee565e007000a4b6c7758d8ab661',X'01a1ee565e007000a5ecca62a3abff22',1795000000000000,'session.created','success','usr_01a1ee565e007000bc32461888c17ca2','usr_01a1ee565e007000bc32461888c17ca2',NULL,NULL,'{"session":"ses_01a1ee565e007000b0d5460131cd0097"}',1,X'ab23df6514b0ac3c34c85c92aac0e885f8382cfb24f992bf235ea71bec533324',6);
INSERT INTO audit_records VALUES(X'01a1ee565e007000b5ce24079984bfd3',X'00000000000070008000000000000001',1795000000000000,'password.reset_requested','success','anon_c910b0c149ccfadea0ef61c705a4e13d',NULL,NULL,NULL,'{}',1,X'733d69f5ce268fffca001edfadaa006732dc66c6ced12f2835efaf85f89f876f',9);
CREATE TABLE audit_links (
    sequence INTEGER NOT NULL PRIMARY KEY,
    record_id BLOB NOT NULL,
    link BLOB NOT NULL
) STRICT;
INSERT INTO audit_links VALUES(1,X'01a1ee565e00700089b01478f0f14f22',X'072dbe176bf0cb0d2c52f62be939a7796766a6cdf82224d5de513f8b02bd3291');
INSERT INTO audit_links VALUES(2,X'01a1ee565e00700096c0cc595de1e289',X'807cbd6d65227843dacc1380a8d0218e540906ac258023c1d02dc984621d1b9b');
INSERT INTO audit_links VALUES(3,X'01a1ee565e0070009d065aa7b4fee1d5',X'a0769054a200e4a82b51374da4017b1796dc7f49a5652afe941f9f32f62ffb97');
INSERT INTO audit_links VALUES(4,X'01a1ee565e0070009f8831761372ee7c',X'e2606c106b60ccc68bc4325db93835787233e6c27bad3cb313f40e402a74694e');
INSERT INTO audit_links VALUES(5,X'01a1ee565e007000a05416ddbd34b973',X'dc3bb3bbbe259a3faef2c925b23fddd91aa7a71917e5515ab31bc504a59adc6c');
INSERT INTO audit_links VALUES(6,X'01a1ee565e007000a4b6c7758d8ab661',X'4f851c1554d02ce1ea66f25c1078f1bb865fd03318ef80b006881101cc530a67');
INSERT INTO audit_links VALUES(7,X'01a1ee565e007000a8e5741270468a61',X'4bb50b6a8eed177618e8cc2728dbf8b97a624126135d2b3dc074a1bb2f2f9c60');
INSERT INTO audit_links VALUES(8,X'01a1ee565e007000a928d5c2233213bb',X'68df0e5b2797bf33eb267154c8b3b0ec4a780ec6ea019eb440d72f437e91423d');
INSERT INTO audit_links VALUES(9,X'01a1ee565e007000b5ce24079984bfd3',X'6477e77f916bccaaca84236820e2b149991ab589a9de06970f5ed66b6f1d2dee');
INSERT INTO audit_links VALUES(10,X'01a1ee565e007000b96ad4b74f6d3d4e',X'0adcb8a27f4f363fa31b0ddc6a3c782dfaf54bf847ed5a57616ffd9eddb2c5d0');
INSERT INTO audit_links VALUES(11,X'01a1ee565e007000bbda4a62a495cbf3',X'5093ce8cf4f06275dba2846e7772b22b0e577f88f6d6197c7f9f7c0184af3046');
INSERT INTO audit_links VALUES(12,X'01a1ee565e007000bd1080e487610f96',X'bce5f6737734e0a84df9bb76c489b1822c4065efe097b759f1561476d704765f');
CREATE TABLE audit_heads (
    sequence INTEGER NOT NULL PRIMARY KEY,
    link BLOB NOT NULL,
    at INTEGER NOT NULL,
    key_version INTEGER NOT NULL,
    signature BLOB NOT NULL
) STRICT;
INSERT INTO audit_heads VALUES(12,X'bce5f6737734e0a84df9bb76c489b1822c4065efe097b759f1561476d704765f',1795000000000000,1,X'40ea7389319cd1b312e175d1e9bee5ec041ac2566b5081b16b49175d77a3a70d');
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
INSERT INTO notices VALUES(X'01a1ee565e00700092df18ce7bfbbfe6',X'00000000000070008000000000000001','password_reset_requested',X'016d1b20c34d4973a2cafc901f9b471c677e0b4e616dd28ae7efb9617ad80401de',X'00000001b50adb0b3117755b5324d18c537d561b90693aefc0d6ff02a35804604d88ce7a21f4c0a043697332b4021765ee8bc594b2233d8cb7bb91ee9608ae44124e393e98e8ca3570cfeda7636248f19c7456102dddeecc34dddca312',0,1795000000000000,NULL,NULL,0,1795000000000000,1795003600000000);
CREATE TABLE development_mail (
    id BLOB NOT NULL PRIMARY KEY,
    tenant_id BLOB NOT NULL,
    recipient TEXT NOT NULL,
    mail TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE development_keys (
    id INTEGER NOT NULL PRIMARY KEY,
    key BLOB NOT NULL
) STRICT;
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('feed',7);
CREATE UNIQUE INDEX users_email_key ON users (tenant_id, email_key);
CREATE INDEX users_email ON users (tenant_id, email_lower, id);
CREATE INDEX users_status ON users (tenant_id, status, id);
CREATE INDEX registrations_email_key ON registrations (tenant_id, email_key, id);
CREATE INDEX registrations_expires_at ON registrations (expires_at);
CREATE INDEX one_time_tokens_user ON one_time_tokens (tenant_id, user_id, purpose);
CREATE INDEX one_time_tokens_expires_at ON one_time_tokens (expires_at);
CREATE INDEX attempts_touched_at ON attempts (touched_at);
CREATE INDEX sessions_user ON sessions (tenant_id, user_id, id);
CREATE INDEX sessions_sweep_at ON sessions (sweep_at);
CREATE INDEX feed_at ON feed (at);
CREATE UNIQUE INDEX roles_name ON roles (tenant_id, name);
CREATE INDEX roles_parent ON roles (tenant_id, parent_id);
CREATE INDEX role_assignments_role ON role_assignments (tenant_id, role_id, user_id);
CREATE UNIQUE INDEX tenants_slug ON tenants (slug);
CREATE INDEX tenant_hosts_tenant ON tenant_hosts (tenant_id);
CREATE INDEX idempotency_expires_at ON idempotency (expires_at);
CREATE INDEX audit_records_tenant ON audit_records (tenant_id, id);
CREATE INDEX audit_records_action ON audit_records (tenant_id, action, id);
CREATE INDEX audit_records_actor ON audit_records (tenant_id, actor, id);
CREATE INDEX audit_records_subject ON audit_records (tenant_id, subject, id);
CREATE UNIQUE INDEX audit_records_sequence ON audit_records (sequence);
CREATE UNIQUE INDEX audit_links_record ON audit_links (record_id);
CREATE INDEX notices_recipient ON notices (tenant_id, recipient, id);
CREATE INDEX notices_waiting ON notices (dead, id);
CREATE INDEX notices_lease_owner ON notices (lease_owner);
CREATE INDEX notices_expires_at ON notices (expires_at);
CREATE INDEX development_mail_tenant ON development_mail (tenant_id, created_at, id);
CREATE INDEX development_mail_recipient ON development_mail (tenant_id, recipient, created_at, id);
COMMIT;
