PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE authkit_migrations (version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL, compatible_from BIGINT);
INSERT INTO authkit_migrations VALUES(1,'initial','83f45642cacbc0d7ef15983c2ec2f3e81398ab020858d2f9ba45cf3a4db22bda',1795000000000000,1);
INSERT INTO authkit_migrations VALUES(2,'devices','5fe024a9d9698219187b7221f6659387605adefc747610b60e6110f628bb7953',1795000000000000,1);
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
INSERT INTO users VALUES(X'00000000000070008000000000000001',X'01a1ee565e0070009a0fdff73519f830','ada@example.com','ada@example.com',X'01835cdb5bfd7ab5dc3267d9aeca6adc797f760821ba0b67a78c3e466401b3518e',1,'Ada','ada',NULL,'{}','{}','$argon2id$v=19$m=64,t=1,p=1$c0qYOfBGbJXs2MUoeWfOiw$kyMX4QtgZF3RuTcBhpS0JKOoOmQtlGYc+dWNnPX2q9k','active',0,X'000000013109d39448b02482e660205599226201352b126a30136d1c8c077a7609b979acc65f73f4b3876d1036525cc909ee2577070b12c5321b1bdb492a158a',1,NULL,1,NULL,1795000000000000,1795000000000000,1795000000000000);
INSERT INTO users VALUES(X'01a1ee565e007000b84d672aaa5b55a7',X'01a1ee565e007000b9b2b5b90eba4f91','ada@example.com','ada@example.com',X'01fe657dbe60da85c1e83de39379fd02e0ee1bbf00525e64c17ac8eccdf3d7c57d',1,NULL,NULL,NULL,'{}','{}','$argon2id$v=19$m=64,t=1,p=1$sMCweTBK+BuW/xl+s6J2RA$wWCZkcYuoxsJzPQbf63+1FHwkWuHhJDZadLDSgQmJWM','active',0,X'00000001eb382da08cecb9b38bee26332c9a80c570659a2aca3397e1baee9a83656bff123da35ad20602695c93a9cc87ea2daa5c4bcd62d2bc61c2fe4ba591d8',1,NULL,1,NULL,1795000000000000,1795000000000000,1795000000000000);
CREATE TABLE password_history (
    tenant_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    security_version INTEGER NOT NULL,
    hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, user_id, security_version),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
INSERT INTO password_history VALUES(X'00000000000070008000000000000001',X'01a1ee565e0070009a0fdff73519f830',1,'$argon2id$v=19$m=64,t=1,p=1$c0qYOfBGbJXs2MUoeWfOiw$kyMX4QtgZF3RuTcBhpS0JKOoOmQtlGYc+dWNnPX2q9k',1795000000000000);
INSERT INTO password_history VALUES(X'01a1ee565e007000b84d672aaa5b55a7',X'01a1ee565e007000b9b2b5b90eba4f91',1,'$argon2id$v=19$m=64,t=1,p=1$sMCweTBK+BuW/xl+s6J2RA$wWCZkcYuoxsJzPQbf63+1FHwkWuHhJDZadLDSgQmJWM',1795000000000000);
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
INSERT INTO attempts VALUES(X'00000000000070008000000000000001',X'0138e4c266d866a5701bade17f5ea1ba1908916dfb2ad9aec86ecab52a21fa02ec',0,1795000000000000,NULL,0,1795000000000000);
INSERT INTO attempts VALUES(X'00000000000070008000000000000001',X'016e6da99ee3582718e4e2d014f56c8eb23368a017cb2bd0f2bedc187405d56042',0,1795000000000000,NULL,0,1795000000000000);
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
INSERT INTO sessions VALUES(X'00000000000070008000000000000001',X'01a1ee565e0070009d86b41c15d2dd86',X'01a1ee565e0070009a0fdff73519f830','["pwd"]',1795000000000000,NULL,NULL,NULL,1795000000000000,1795000000000000,1810552000000000,X'f7b94dd6c4e599167634f3024b58f4f699f5ff0e875009ebed405507c84c0317',1797592000000000,NULL,NULL,NULL,NULL,1795000000000000);
INSERT INTO sessions VALUES(X'01a1ee565e007000b84d672aaa5b55a7',X'01a1ee565e007000b941be2c96fca7eb',X'01a1ee565e007000b9b2b5b90eba4f91','["pwd"]',1795000000000000,NULL,NULL,NULL,1795000000000000,1795000000000000,1810552000000000,X'9bf9ebe2f7e9357ce3b42648a85d726e23e6ef002033a9448e066fdbedeb9c13',1797592000000000,NULL,NULL,NULL,NULL,1795000000000000);
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
INSERT INTO signing_keys VALUES(X'01a1ee565e007000acd6b32125f9cfb8','EdDSA',X'00000001732c4687d75e97ce7ceddc9c6d620e05f822eaade82dc6d2fe4a4f373c30a7f2ff62e18c8165b9a5178a8f2acae8b9002eb277199720cfc2789a9a4adb79bd45fe8ca6882c41383161841e47','{"alg":"EdDSA","crv":"Ed25519","kid":"key_01a1ee565e007000acd6b32125f9cfb8","kty":"OKP","use":"sig","x":"W3RAEImBtyKSvVBkXgmTrO9-y4pERQdjEQCSpPlofwo"}',1795000000000000,1795000000000000,NULL,NULL);
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
INSERT INTO feed VALUES(5,'user_changed',X'00000000000070008000000000000001',X'01a1ee565e0070009a0fdff73519f830',1795000000000000);
INSERT INTO feed VALUES(6,'tenants_changed',NULL,NULL,1795000000000000);
INSERT INTO feed VALUES(7,'roles_changed',X'01a1ee565e007000b84d672aaa5b55a7',NULL,1795000000000000);
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
INSERT INTO role_versions VALUES(X'01a1ee565e007000b84d672aaa5b55a7',1);
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
INSERT INTO roles VALUES(X'00000000000070008000000000000001',X'01a1ee565e00700082a68c47e9696450','admin',1795000000000000,'Everything in this tenant.',NULL,'["*"]',1,1,1795000000000000,1795000000000000);
INSERT INTO roles VALUES(X'00000000000070008000000000000001',X'01a1ee565e007000ba37ea3cfbbfe5b5','support',1795000000000000,'Helps',NULL,'["users:read"]',0,1,1795000000000000,1795000000000000);
INSERT INTO roles VALUES(X'01a1ee565e007000b84d672aaa5b55a7',X'01a1ee565e0070009985af5fbd2ab649','admin',1795000000000000,'Everything in this tenant.',NULL,'["*"]',1,1,1795000000000000,1795000000000000);
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
INSERT INTO role_assignments VALUES(X'00000000000070008000000000000001',X'01a1ee565e0070009a0fdff73519f830',X'01a1ee565e007000ba37ea3cfbbfe5b5',NULL,1795000000000000);
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
INSERT INTO tenants VALUES(X'01a1ee565e007000b84d672aaa5b55a7','shop','Shop','["shop.example.com"]',1,'{"allow_unverified":false,"unicode_addresses":false,"redirect_urls":[],"max_sessions":3,"idle_minutes":null,"absolute_minutes":null}',1,1795000000000000);
CREATE TABLE tenant_hosts (
    host TEXT NOT NULL PRIMARY KEY,
    tenant_id BLOB NOT NULL REFERENCES tenants (id)
) STRICT, WITHOUT ROWID;
INSERT INTO tenant_hosts VALUES('shop.example.com',X'01a1ee565e007000b84d672aaa5b55a7');
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
INSERT INTO leases VALUES('first-signing-key',X'01a1ee565e007000b976e3a6cba5e3b6',1795000030000000);
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
INSERT INTO audit_records VALUES(X'01a1ee565e007000b4ffb41de3b1e1cb',X'00000000000070008000000000000001',1795000000000000,'tenant.created','success','operator','ten_00000000000070008000000000000001',NULL,NULL,'{}',1,X'f4a0539bddbb75277c14630b22bd71f5d0a9613bbf9758f6a541d296c27e2621',14);
INSERT INTO audit_records VALUES(X'01a1ee565e007000b0c7e96e2df565df',X'00000000000070008000000000000001',1795000000000000,'role.created','success','system','rol_01a1ee565e00700082a68c47e9696450',NULL,NULL,'{"name":"admin"}',1,X'2d5142dab25d27a0a8ce0551536c8b139f7f95ceece1b9a3f0b23b2dec07c353',13);
INSERT INTO audit_records VALUES(X'01a1ee565e007000961adf8375d6373f',X'00000000000070008000000000000001',1795000000000000,'key.rotated','success','system','key_01a1ee565e007000acd6b32125f9cfb8',NULL,NULL,'{}',1,X'770b006cd1b6c2902e8f4b37de3ece41b28b30045615c238fa30d2c3d22af666',7);
INSERT INTO audit_records VALUES(X'01a1ee565e0070008ec46aae2bf666d1',X'00000000000070008000000000000001',1795000000000000,'user.created','success','operator','usr_01a1ee565e0070009a0fdff73519f830',NULL,NULL,'{}',1,X'8b0b34def64396f7a3f4eab2640dc446e611329808f0d8e556108bc43ec2a835',5);
INSERT INTO audit_records VALUES(X'01a1ee565e0070009040eb5ee5775b40',X'00000000000070008000000000000001',1795000000000000,'role.created','success','operator','rol_01a1ee565e007000ba37ea3cfbbfe5b5',NULL,NULL,'{"name":"support","permissions":["users:read"]}',1,X'34f133f3b7d655d020b41f2fcc14e9cc611610f05a1e756c8271aa15343aed87',6);
INSERT INTO audit_records VALUES(X'01a1ee565e007000aef76a62f1d7818c',X'00000000000070008000000000000001',1795000000000000,'role.assigned','success','operator','usr_01a1ee565e0070009a0fdff73519f830',NULL,NULL,'{"role":"support","role_id":"rol_01a1ee565e007000ba37ea3cfbbfe5b5"}',1,X'f232ce8b296240f4ea240945a9696e75ba65f8a6edb01f262b9c300c5e42bd3c',12);
INSERT INTO audit_records VALUES(X'01a1ee565e0070008584b7ee3f829676',X'01a1ee565e007000b84d672aaa5b55a7',1795000000000000,'tenant.created','success','operator','ten_01a1ee565e007000b84d672aaa5b55a7',NULL,NULL,'{}',1,X'7af3e56c137184c7b37687a5a3649749eb9389ee51a34545267c795c3bd3c865',3);
INSERT INTO audit_records VALUES(X'01a1ee565e007000ab0a85283d6d3ff6',X'01a1ee565e007000b84d672aaa5b55a7',1795000000000000,'role.created','success','system','rol_01a1ee565e0070009985af5fbd2ab649',NULL,NULL,'{"name":"admin"}',1,X'984f01ca58b31eea00463a7662b2600dc886755a7e696d1798faf47968a8bc4d',10);
INSERT INTO audit_records VALUES(X'01a1ee565e007000aab5d70d7fdd330f',X'01a1ee565e007000b84d672aaa5b55a7',1795000000000000,'user.created','success','operator','usr_01a1ee565e007000b9b2b5b90eba4f91',NULL,NULL,'{}',1,X'0eadcc5f9d20b3668b71a42a8578589c5d8bb77ffc16deab39df88266365afe1',9);
INSERT INTO audit_records VALUES(X'01a1ee565e0070008990e369c7640052',X'00000000000070008000000000000001',1795000000000000,'session.created','success','usr_01a1ee565e0070009a0fdff73519f830','usr_01a1ee565e0070009a0fdff73519f830',NULL,NULL,'{"session":"ses_01a1ee565e0070009d86b41c15d2dd86"}',1,X'83949fe043e7c2ccb7c49b60f0526cc1438f16b159acbe895da9c1f880c6c047',4);
INSERT INTO audit_records VALUES(X'01a1ee565e007000bdf27ee4fb8491ac',X'01a1ee565e007000b84d672aaa5b55a7',1795000000000000,'session.created','success','usr_01a1ee565e007000b9b2b5b90eba4f91','usr_01a1ee565e007000b9b2b5b90eba4f91',NULL,NULL,'{"session":"ses_01a1ee565e007000b941be2c96fca7eb"}',1,X'5d92bc033770399e2baeebd3f9a919b6dd1d00820c9696f306b44868ccf9c9ca',15);
INSERT INTO audit_records VALUES(X'01a1ee565e00700082796cdc5fb45c0e',X'00000000000070008000000000000001',1795000000000000,'device.claim_created','success','usr_01a1ee565e0070009a0fdff73519f830','usr_01a1ee565e0070009a0fdff73519f830',NULL,NULL,'{"claim":"clm_01a1ee565e007000ae63a9964514179d"}',1,X'c3495ab2ab064dd1e0e6ac08ebafc3585e2e8992164a4446c82e5e3290ec7bc3',1);
INSERT INTO audit_records VALUES(X'01a1ee565e007000a2de4c9700e8fd1f',X'00000000000070008000000000000001',1795000000000000,'device.claim_created','success','usr_01a1ee565e0070009a0fdff73519f830','usr_01a1ee565e0070009a0fdff73519f830',NULL,NULL,'{"claim":"clm_01a1ee565e007000aed3cb88a942e27b"}',1,X'7fa3661512887451d71dcbf74e6a2bf661f752386f55b4890494e1eb195cccc6',8);
INSERT INTO audit_records VALUES(X'01a1ee565e007000ad145ce1674d23b4',X'00000000000070008000000000000001',1795000000000000,'device.claimed','success','dev_01a1ee565e007000b0f55ef683be589f','usr_01a1ee565e0070009a0fdff73519f830',NULL,NULL,'{"claim":"clm_01a1ee565e007000aed3cb88a942e27b","device":"dev_01a1ee565e007000b0f55ef683be589f"}',1,X'fc815a4f2cc1c975fee797304a5ab6f4027d47ad665eb77fc98f640c6dc06e34',11);
INSERT INTO audit_records VALUES(X'01a1ee565e00700084d1e04c133c7744',X'00000000000070008000000000000001',1795000000000000,'password.reset_requested','success','anon_c910b0c149ccfadea0ef61c705a4e13d',NULL,NULL,NULL,'{}',1,X'586880d744094d438d0e0d5e17630e71ce3e6ecb78a0371088b2d4deeea84063',2);
CREATE TABLE audit_links (
    sequence INTEGER NOT NULL PRIMARY KEY,
    record_id BLOB NOT NULL,
    link BLOB NOT NULL
) STRICT;
INSERT INTO audit_links VALUES(1,X'01a1ee565e00700082796cdc5fb45c0e',X'617958e7b351c50d413e74ccb1f04ae4ab45b4956c70dd5605f13c818b83773e');
INSERT INTO audit_links VALUES(2,X'01a1ee565e00700084d1e04c133c7744',X'ac6dd629c0259e5d74401af408d4f7e68a249fe7a7da68934193760f3a234f64');
INSERT INTO audit_links VALUES(3,X'01a1ee565e0070008584b7ee3f829676',X'426555cbfd6c3de840784a8d8ccea9d368e663520f717a47574e179856a81b83');
INSERT INTO audit_links VALUES(4,X'01a1ee565e0070008990e369c7640052',X'e4d6dd1f6f1cb2e5dd7743c852b1a3460790d9dd9d4c4e6d9b40c231c6d29396');
INSERT INTO audit_links VALUES(5,X'01a1ee565e0070008ec46aae2bf666d1',X'e2c06db393da17366af2d1332341449eca18042f3d922e1d8ec108671a7e926c');
INSERT INTO audit_links VALUES(6,X'01a1ee565e0070009040eb5ee5775b40',X'8d73be1ab833c44c5775d5afdbf964acd1bea23d0e7fb7af28b02982be7dab8d');
INSERT INTO audit_links VALUES(7,X'01a1ee565e007000961adf8375d6373f',X'c28e28f234bf89b0a35ffd14639cad78732b0460676e205f3dd456c4952da403');
INSERT INTO audit_links VALUES(8,X'01a1ee565e007000a2de4c9700e8fd1f',X'1f71bb985c9d5fed9535921bbf8078ee4b3718b2ef0890c80d5f477aca899cec');
INSERT INTO audit_links VALUES(9,X'01a1ee565e007000aab5d70d7fdd330f',X'152c2f66da49e614de359bfd8fec4de8b2136056eeaa28185f7161f492de79c8');
INSERT INTO audit_links VALUES(10,X'01a1ee565e007000ab0a85283d6d3ff6',X'cab89e0641efb53ff85a76386b593cb9d436b71ae10e20bd266d4fb33fbd9b64');
INSERT INTO audit_links VALUES(11,X'01a1ee565e007000ad145ce1674d23b4',X'057aa84982b642b3a1f6cb43d9a50260ab07099c156e60863871aeae978642e6');
INSERT INTO audit_links VALUES(12,X'01a1ee565e007000aef76a62f1d7818c',X'43b942373801f3b37ca74883beeac6727f1a162753154ad00251ffa7d886e09d');
INSERT INTO audit_links VALUES(13,X'01a1ee565e007000b0c7e96e2df565df',X'dd9dabcdbbc9a731a64b3cba1cad2725958367fd04de463b700e8431c899a079');
INSERT INTO audit_links VALUES(14,X'01a1ee565e007000b4ffb41de3b1e1cb',X'31564e7293a28504d9a933311e6a0bb94764e84f11dc799bca5800237c1ed0fc');
INSERT INTO audit_links VALUES(15,X'01a1ee565e007000bdf27ee4fb8491ac',X'726267afe0daf853562cb766612e2fa50217ccdd468d17f349117401b90f3b0a');
CREATE TABLE audit_heads (
    sequence INTEGER NOT NULL PRIMARY KEY,
    link BLOB NOT NULL,
    at INTEGER NOT NULL,
    key_version INTEGER NOT NULL,
    signature BLOB NOT NULL
) STRICT;
INSERT INTO audit_heads VALUES(15,X'726267afe0daf853562cb766612e2fa50217ccdd468d17f349117401b90f3b0a',1795000000000000,1,X'753fc14188b73fe6c5cfa5f1c086037017f44a66a4bd83207c02c9244721c6ab');
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
INSERT INTO notices VALUES(X'01a1ee565e0070009db1ef5fcc1b4105',X'00000000000070008000000000000001','device_claimed',X'016d1b20c34d4973a2cafc901f9b471c677e0b4e616dd28ae7efb9617ad80401de',X'00000001314c0ef468886851740d01d3e157e82c3a360c25fa7e12db2326d8cc504ada055d27ee9493eb6f759bf1454f3ab6d1c53bbbe19ea97a6a9700c12bb92a495f7cce897b8f379180fdb7ff1f6de87b0c76ad31bb3ff526216dbb8f1bb0b288a54e31a02d9a364c915a606bc83487512a0d4e53b9f49acc8df98b24c76c6d5d92454c1a401544ed761b8d4f6242216abf56f0395a45effefa8d8d669f3083',0,1795000000000000,NULL,NULL,0,1795000000000000,1795259200000000);
INSERT INTO notices VALUES(X'01a1ee565e00700093f7c836c52d2540',X'00000000000070008000000000000001','password_reset_requested',X'016d1b20c34d4973a2cafc901f9b471c677e0b4e616dd28ae7efb9617ad80401de',X'00000001bccb2126efe08a2b8c1f2380ecdd3fdc886791d538b0e82dc45fa428076f4b759bb14df0a89dbbaaaa8f13ef5e963a40d599c6edaa189314d1b5dc8d8ec8b0fceb3b7e72c5b1639a3e83e6dfbe38ef81e303b6cfd2f1aacfde',0,1795000000000000,NULL,NULL,0,1795000000000000,1795003600000000);
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
INSERT INTO devices VALUES(X'00000000000070008000000000000001',X'01a1ee565e007000b0f55ef683be589f',X'01a1ee565e0070009a0fdff73519f830','Greenhouse','EdDSA',X'83046fd7d409de90c8169fbc46f24a12a50075d046f8c2e57b812dbfa6c02dd3',X'9f8000e2078b7835c0971975bf9946d731b1edfbf6ee40254c2eba99efcbb910','active','1.0.0','[]',NULL,1795000000000000,1795000000000000,NULL);
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
INSERT INTO device_claims VALUES(X'00000000000070008000000000000001',X'01a1ee565e007000ae63a9964514179d',X'01a1ee565e0070009a0fdff73519f830','Greenhouse',X'01a0b684617144b73db45633f6edad2c01e48eac958c533c0b78a0eaf5129d54e1',1,1795000000000000,1795000900000000,NULL,NULL,NULL,1795000900000000);
INSERT INTO device_claims VALUES(X'00000000000070008000000000000001',X'01a1ee565e007000aed3cb88a942e27b',X'01a1ee565e0070009a0fdff73519f830','Greenhouse',X'0137219dd58d48a4778b675580cffea5bfdfaddcf09efcf54ef46151f01773471d',1,1795000000000000,1795000900000000,1795000000000000,X'01a1ee565e007000b0f55ef683be589f',X'9f8000e2078b7835c0971975bf9946d731b1edfbf6ee40254c2eba99efcbb910',1795086400000000);
CREATE TABLE device_challenges (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
INSERT INTO device_challenges VALUES(X'00000000000070008000000000000001',X'01a1ee565e0070009bc3624259caa590',1795000060000000);
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
CREATE INDEX devices_owner ON devices (tenant_id, owner_id, id);
CREATE INDEX devices_status ON devices (tenant_id, status, id);
CREATE UNIQUE INDEX devices_key ON devices (tenant_id, key_thumbprint) WHERE status = 'active';
CREATE UNIQUE INDEX device_claims_code ON device_claims (tenant_id, code);
CREATE INDEX device_claims_owner ON device_claims (tenant_id, owner_id, id);
CREATE INDEX device_claims_keep_until ON device_claims (keep_until);
CREATE INDEX device_challenges_expires_at ON device_challenges (expires_at);
COMMIT;
