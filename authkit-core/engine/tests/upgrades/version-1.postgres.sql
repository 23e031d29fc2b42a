CREATE TABLE public.attempts (
    tenant_id uuid NOT NULL,
    key bytea NOT NULL,
    failures bigint NOT NULL,
    window_start bigint NOT NULL,
    locked_until bigint,
    locks bigint NOT NULL,
    touched_at bigint NOT NULL
);
CREATE TABLE public.audit_heads (
    sequence bigint NOT NULL,
    link bytea NOT NULL,
    at bigint NOT NULL,
    key_version bigint NOT NULL,
    signature bytea NOT NULL
);
CREATE TABLE public.audit_links (
    sequence bigint NOT NULL,
    record_id uuid NOT NULL,
    link bytea NOT NULL
);
CREATE TABLE public.audit_records (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    at bigint NOT NULL,
    action text NOT NULL COLLATE pg_catalog."C",
    outcome text NOT NULL,
    actor text COLLATE pg_catalog."C",
    subject text COLLATE pg_catalog."C",
    personal bytea,
    trace_id text,
    data text NOT NULL,
    key_version bigint NOT NULL,
    mac bytea NOT NULL,
    sequence bigint
);
CREATE TABLE public.authkit_migrations (
    version bigint NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at bigint NOT NULL,
    compatible_from bigint
);
CREATE TABLE public.backup_codes (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    code bytea NOT NULL,
    created_at bigint NOT NULL
);
CREATE TABLE public.development_keys (
    id bigint NOT NULL,
    key bytea NOT NULL
);
CREATE TABLE public.development_mail (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    recipient text NOT NULL,
    mail text NOT NULL,
    created_at bigint NOT NULL
);
CREATE TABLE public.feed (
    sequence bigint NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    kind text NOT NULL,
    tenant_id uuid,
    subject_id uuid,
    at bigint NOT NULL
);
ALTER TABLE public.feed ALTER COLUMN sequence ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.feed_sequence_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.idempotency (
    tenant_id uuid NOT NULL,
    key bytea NOT NULL,
    body bytea NOT NULL,
    answer bytea,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE TABLE public.leases (
    name text NOT NULL,
    owner uuid NOT NULL,
    until bigint NOT NULL
);
CREATE TABLE public.notices (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    kind text NOT NULL,
    recipient bytea NOT NULL,
    payload bytea NOT NULL,
    attempts bigint NOT NULL,
    available_at bigint NOT NULL,
    lease_owner uuid,
    lease_until bigint,
    dead boolean NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE TABLE public.one_time_tokens (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    purpose text NOT NULL,
    token_hash bytea NOT NULL,
    data bytea NOT NULL,
    security_version bigint NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE TABLE public.password_history (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    security_version bigint NOT NULL,
    hash text NOT NULL,
    created_at bigint NOT NULL
);
CREATE TABLE public.registrations (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    email text NOT NULL,
    email_key bytea NOT NULL,
    name text,
    locale text,
    profile text NOT NULL,
    password_hash text NOT NULL,
    token_hash bytea NOT NULL,
    redirect_url text,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE TABLE public.role_assignments (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role_id uuid NOT NULL,
    assigned_by uuid,
    assigned_at bigint NOT NULL
);
CREATE TABLE public.role_versions (
    tenant_id uuid NOT NULL,
    version bigint NOT NULL
);
CREATE TABLE public.roles (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    named_at bigint NOT NULL,
    description text NOT NULL,
    parent_id uuid,
    permissions text NOT NULL,
    system boolean NOT NULL,
    version bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
);
CREATE TABLE public.sessions (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    amr text NOT NULL,
    auth_time bigint NOT NULL,
    ip text,
    user_agent text,
    place text,
    created_at bigint NOT NULL,
    last_active_at bigint NOT NULL,
    expires_at bigint,
    refresh_hash bytea NOT NULL,
    refresh_expires_at bigint NOT NULL,
    refresh_previous bytea,
    refresh_rotated_at bigint,
    refresh_idempotency bytea,
    refresh_replay bytea,
    sweep_at bigint NOT NULL
);
CREATE TABLE public.signing_keys (
    id uuid NOT NULL,
    algorithm text NOT NULL,
    private bytea NOT NULL,
    public text NOT NULL,
    created_at bigint NOT NULL,
    active_at bigint NOT NULL,
    retired_at bigint,
    revoked_at bigint
);
CREATE TABLE public.sweeps (
    name text NOT NULL,
    idle bigint NOT NULL
);
CREATE TABLE public.tenant_hosts (
    host text NOT NULL COLLATE pg_catalog."C",
    tenant_id uuid NOT NULL
);
CREATE TABLE public.tenants (
    id uuid NOT NULL,
    slug text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL,
    hosts text NOT NULL,
    active boolean NOT NULL,
    settings text NOT NULL,
    version bigint NOT NULL,
    created_at bigint NOT NULL
);
CREATE TABLE public.totp (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    secret bytea NOT NULL,
    confirmed boolean NOT NULL,
    last_step bigint NOT NULL,
    created_at bigint NOT NULL
);
CREATE TABLE public.users (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    email text NOT NULL,
    email_lower text NOT NULL COLLATE pg_catalog."C",
    email_key bytea NOT NULL,
    email_verified boolean NOT NULL,
    name text,
    name_lower text COLLATE pg_catalog."C",
    locale text,
    profile text NOT NULL,
    preferences text NOT NULL,
    password_hash text,
    status text NOT NULL,
    mfa_enabled boolean NOT NULL,
    subject_key bytea NOT NULL,
    security_version bigint NOT NULL,
    kept_session uuid,
    version bigint NOT NULL,
    erase_at bigint,
    last_sign_in_at bigint,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
);
INSERT INTO public.audit_heads VALUES (12, '\xd589f8bbb28327a9c2ed9fbfedbbab0d384fe3597631e95c482ced1183a6dc98', 1795000000000000, 1, '\x6ca74eb68bb08b6b0ec9acf4854dc04c373ff0c66e5e48defd1f550fa7405ed0');
INSERT INTO public.audit_links VALUES (1, '01a1ee56-5e00-7000-848e-a5b8d86696db', '\x6fc302efec3b98454150d9d2a5f161456bb2d8698a68cf5c7577b2dac595b099');
INSERT INTO public.audit_links VALUES (2, '01a1ee56-5e00-7000-863a-ef1a6dc34cc1', '\x0206d2da9dc55e681a2c64b8e53295ba98ab5c96432d00625f563331ea2c8f63');
INSERT INTO public.audit_links VALUES (3, '01a1ee56-5e00-7000-881c-31a4c827c2a8', '\x060b4151230971ac7635e2ce330f6d068c4d392e61d3bbdec0614e5b3e2aa94c');
INSERT INTO public.audit_links VALUES (4, '01a1ee56-5e00-7000-8c9a-b15b01d8a859', '\x7566348c46eb4c215788badeffa402651dccc67b1502602886f5114fa123a9dc');
INSERT INTO public.audit_links VALUES (5, '01a1ee56-5e00-7000-8ce2-b08495168236', '\xe8ca405090465175388c396a26bbe694dae037b2d56b3dceef2716a94acfe834');
INSERT INTO public.audit_links VALUES (6, '01a1ee56-5e00-7000-a28a-e7a91b837c14', '\x47b259bc62e68a45af4ddcab4283b43d48691253aa9c305159ea47e1281afd4c');
INSERT INTO public.audit_links VALUES (7, '01a1ee56-5e00-7000-a6c0-fe6c2875b079', '\x442e053d88814f5bd6378271b2b6162a98f63d40d3a4b2bfe2928c433d43bacb');
INSERT INTO public.audit_links VALUES (8, '01a1ee56-5e00-7000-a8f3-9ad5247cf872', '\x72aeec064a7bdd502646e829e1d6f2d1b2e2ee25aa427a5cdee479115b7981db');
INSERT INTO public.audit_links VALUES (9, '01a1ee56-5e00-7000-aa0d-efc3b8bc3c1b', '\x988c39c6a2d8922bbc41451f99cfe7ddc7f8eb032bafe9d0c14f2d1362b70132');
INSERT INTO public.audit_links VALUES (10, '01a1ee56-5e00-7000-b5c8-8502d1f1a907', '\x1eac396576b413211f4c91f2f1fdf448d31dc7a257ba926aee4a6febf1e89bd7');
INSERT INTO public.audit_links VALUES (11, '01a1ee56-5e00-7000-bbb8-ab7704eb1e9e', '\x9f8a2fba16276958736913ffcc3099a512d144dec9f80111a90f880857402c0f');
INSERT INTO public.audit_links VALUES (12, '01a1ee56-5e00-7000-bdbb-a3d0df926f26', '\xd589f8bbb28327a9c2ed9fbfedbbab0d384fe3597631e95c482ced1183a6dc98');
INSERT INTO public.audit_records VALUES ('01a1ee56-5e00-7000-848e-a5b8d86696db', '00000000-0000-7000-8000-000000000001', 1795000000000000, 'role.created', 'success', 'system', 'rol_01a1ee565e007000a0dc61198f5a2166', NULL, NULL, '{"name":"admin"}', 1, '\xde05fa78779a3cb80036046570e055960414233b46319b22ac55d9cd0da6ab03', 1);
INSERT INTO public.audit_records VALUES ('01a1ee56-5e00-7000-8c9a-b15b01d8a859', '00000000-0000-7000-8000-000000000001', 1795000000000000, 'key.rotated', 'success', 'system', 'key_01a1ee565e007000bc5addcd0cda7bcf', NULL, NULL, '{}', 1, '\x24ac44f80d1ae8df572d3f5a0ad128d4d09c01064ff34106d89a7546e83dde29', 4);
INSERT INTO public.audit_records VALUES ('01a1ee56-5e00-7000-881c-31a4c827c2a8', '00000000-0000-7000-8000-000000000001', 1795000000000000, 'user.created', 'success', 'operator', 'usr_01a1ee565e00700090518a73026d98e9', NULL, NULL, '{}', 1, '\x85f509fec764c11beae26fbc72bd2302e539dabaf9ca426f5ec03a2558c904d4', 3);
INSERT INTO public.audit_records VALUES ('01a1ee56-5e00-7000-863a-ef1a6dc34cc1', '00000000-0000-7000-8000-000000000001', 1795000000000000, 'role.created', 'success', 'operator', 'rol_01a1ee565e007000a0e3bfc002a7a111', NULL, NULL, '{"name":"support","permissions":["users:read"]}', 1, '\xceb5fb0c15acd4f7cb90364b682d606254c449607f61ce1472d11bcf1646e5eb', 2);
INSERT INTO public.audit_records VALUES ('01a1ee56-5e00-7000-a28a-e7a91b837c14', '00000000-0000-7000-8000-000000000001', 1795000000000000, 'role.assigned', 'success', 'operator', 'usr_01a1ee565e00700090518a73026d98e9', NULL, NULL, '{"role":"support","role_id":"rol_01a1ee565e007000a0e3bfc002a7a111"}', 1, '\x10761146b78034ae315a87b665912a97265a4122c56f4e5f6c9af8188196786b', 6);
INSERT INTO public.audit_records VALUES ('01a1ee56-5e00-7000-a6c0-fe6c2875b079', '01a1ee56-5e00-7000-8659-fd3d0f6c62f6', 1795000000000000, 'tenant.created', 'success', 'operator', 'ten_01a1ee565e0070008659fd3d0f6c62f6', NULL, NULL, '{}', 1, '\xe3ee7ee3cc63422eba4a88a2a88f1c25445d4b8b5f24a8ffcbdfbf2c04717bf6', 7);
INSERT INTO public.audit_records VALUES ('01a1ee56-5e00-7000-a8f3-9ad5247cf872', '01a1ee56-5e00-7000-8659-fd3d0f6c62f6', 1795000000000000, 'session.created', 'success', 'usr_01a1ee565e007000b57e854321cb1ddf', 'usr_01a1ee565e007000b57e854321cb1ddf', NULL, NULL, '{"session":"ses_01a1ee565e00700083ae387f04db5415"}', 1, '\x697725924dda127131661bc2e66561522e1590cb0b680b2634bdce25ad599a0b', 8);
INSERT INTO public.audit_records VALUES ('01a1ee56-5e00-7000-8ce2-b08495168236', '00000000-0000-7000-8000-000000000001', 1795000000000000, 'password.reset_requested', 'success', 'anon_c910b0c149ccfadea0ef61c705a4e13d', NULL, NULL, NULL, '{}', 1, '\x7e519170dd039f2ba286681ea1f38890187399ac32ebfb446f0412d9ec414c6c', 5);
INSERT INTO public.audit_records VALUES ('01a1ee56-5e00-7000-aa0d-efc3b8bc3c1b', '00000000-0000-7000-8000-000000000001', 1795000000000000, 'tenant.created', 'success', 'operator', 'ten_00000000000070008000000000000001', NULL, NULL, '{}', 1, '\xcfcd70d0056126f75773e473d15b4c7e9baacf802a2ec66e637ea72cd1546036', 9);
INSERT INTO public.audit_records VALUES ('01a1ee56-5e00-7000-b5c8-8502d1f1a907', '00000000-0000-7000-8000-000000000001', 1795000000000000, 'session.created', 'success', 'usr_01a1ee565e00700090518a73026d98e9', 'usr_01a1ee565e00700090518a73026d98e9', NULL, NULL, '{"session":"ses_01a1ee565e0070008fa36e60de9bdebc"}', 1, '\x9390d9f968d0ee3a1ba5a89cf5bc62f3b5c93ddca5dfe4ec9f0aeedcbda01442', 10);
INSERT INTO public.audit_records VALUES ('01a1ee56-5e00-7000-bbb8-ab7704eb1e9e', '01a1ee56-5e00-7000-8659-fd3d0f6c62f6', 1795000000000000, 'role.created', 'success', 'system', 'rol_01a1ee565e0070008c653997868a7c73', NULL, NULL, '{"name":"admin"}', 1, '\x02daa2855907ebe7bf4fe5a5aec41d3215e8da9a7ecc7b3cd88515c0aa31cb5a', 11);
INSERT INTO public.audit_records VALUES ('01a1ee56-5e00-7000-bdbb-a3d0df926f26', '01a1ee56-5e00-7000-8659-fd3d0f6c62f6', 1795000000000000, 'user.created', 'success', 'operator', 'usr_01a1ee565e007000b57e854321cb1ddf', NULL, NULL, '{}', 1, '\x00e6ff79ffcd48f44da9bc1e5228c6318cb6baac75aaffc287d82d1b02fd1e9e', 12);
INSERT INTO public.authkit_migrations VALUES (1, 'initial', '73cd9c8f6e295e227ec98387b3de771ea3b916ee15f67994110d6e12a13c3ba1', 1795000000000000, 1);
INSERT INTO public.leases VALUES ('first-signing-key', '01a1ee56-5e00-7000-9ea8-a1717e0709ad', 1795000030000000);
INSERT INTO public.notices VALUES ('01a1ee56-5e00-7000-8805-b399c4574648', '00000000-0000-7000-8000-000000000001', 'password_reset_requested', '\x016d1b20c34d4973a2cafc901f9b471c677e0b4e616dd28ae7efb9617ad80401de', '\x000000019b7431964478e25c06ccc2e6376b0948fefcff370597d8d3b367d431b2c0627a3388f73118f94b488e622c38eba81986753335b11c3ce84430fbd927b823a38e3f5febbb6b0a6ac9ac774d0a2cce3bb202369a36dd67da0052', 0, 1795000000000000, NULL, NULL, false, 1795000000000000, 1795003600000000);
INSERT INTO public.password_history VALUES ('00000000-0000-7000-8000-000000000001', '01a1ee56-5e00-7000-9051-8a73026d98e9', 1, '$argon2id$v=19$m=64,t=1,p=1$q7sjtmf7RR0nDeyRDfdaIw$QsBJ6ourxcPreu7rusxFuSIhL6b68/mV4rWk/SOic6A', 1795000000000000);
INSERT INTO public.password_history VALUES ('01a1ee56-5e00-7000-8659-fd3d0f6c62f6', '01a1ee56-5e00-7000-b57e-854321cb1ddf', 1, '$argon2id$v=19$m=64,t=1,p=1$UYkMa/ddW2qhdcyHdQtsLg$yqlA4IzTN65O7qze0wFMEr6UowqbKCXJoaw9QgObec4', 1795000000000000);
INSERT INTO public.role_assignments VALUES ('00000000-0000-7000-8000-000000000001', '01a1ee56-5e00-7000-9051-8a73026d98e9', '01a1ee56-5e00-7000-a0e3-bfc002a7a111', NULL, 1795000000000000);
INSERT INTO public.role_versions VALUES ('00000000-0000-7000-8000-000000000001', 3);
INSERT INTO public.role_versions VALUES ('01a1ee56-5e00-7000-8659-fd3d0f6c62f6', 1);
INSERT INTO public.roles VALUES ('00000000-0000-7000-8000-000000000001', '01a1ee56-5e00-7000-a0dc-61198f5a2166', 'admin', 1795000000000000, 'Everything in this tenant.', NULL, '["*"]', true, 1, 1795000000000000, 1795000000000000);
INSERT INTO public.roles VALUES ('00000000-0000-7000-8000-000000000001', '01a1ee56-5e00-7000-a0e3-bfc002a7a111', 'support', 1795000000000000, 'Helps', NULL, '["users:read"]', false, 1, 1795000000000000, 1795000000000000);
INSERT INTO public.roles VALUES ('01a1ee56-5e00-7000-8659-fd3d0f6c62f6', '01a1ee56-5e00-7000-8c65-3997868a7c73', 'admin', 1795000000000000, 'Everything in this tenant.', NULL, '["*"]', true, 1, 1795000000000000, 1795000000000000);
INSERT INTO public.sessions VALUES ('00000000-0000-7000-8000-000000000001', '01a1ee56-5e00-7000-8fa3-6e60de9bdebc', '01a1ee56-5e00-7000-9051-8a73026d98e9', '["pwd"]', 1795000000000000, NULL, NULL, NULL, 1795000000000000, 1795000000000000, 1810552000000000, '\xdcd8456c4a902fb145c17a5d719eae7993ac8af0f43eeb7e091e404ab89d8248', 1797592000000000, NULL, NULL, NULL, NULL, 1795000000000000);
INSERT INTO public.sessions VALUES ('01a1ee56-5e00-7000-8659-fd3d0f6c62f6', '01a1ee56-5e00-7000-83ae-387f04db5415', '01a1ee56-5e00-7000-b57e-854321cb1ddf', '["pwd"]', 1795000000000000, NULL, NULL, NULL, 1795000000000000, 1795000000000000, 1810552000000000, '\xdc539c193eeb7a066fb1a8f191bd69ed1d60dba496a7f21f91d7e5ebdc6a21cd', 1797592000000000, NULL, NULL, NULL, NULL, 1795000000000000);
INSERT INTO public.signing_keys VALUES ('01a1ee56-5e00-7000-bc5a-ddcd0cda7bcf', 'EdDSA', '\x0000000199672c4830a464f28c491ca411d0d73d99284866f7c650a56d79b8d3fc51e3c95f0fb822dbe580f8b1475dc30e874f7224bfca189a0f58c6525e437a1959e90138c2bd86fd3b09f66d826a1f', '{"alg":"EdDSA","crv":"Ed25519","kid":"key_01a1ee565e007000bc5addcd0cda7bcf","kty":"OKP","use":"sig","x":"pOXWSTgYlsDW6tWTPK80xJaG7ZQ5Yrn1lxMJZta4X9Y"}', 1795000000000000, 1795000000000000, NULL, NULL);
INSERT INTO public.tenant_hosts VALUES ('shop.example.com', '01a1ee56-5e00-7000-8659-fd3d0f6c62f6');
INSERT INTO public.tenants VALUES ('00000000-0000-7000-8000-000000000001', 'default', 'Default', '[]', true, '{"allow_unverified":false,"unicode_addresses":false,"redirect_urls":[],"max_sessions":null,"idle_minutes":null,"absolute_minutes":null}', 1, 1795000000000000);
INSERT INTO public.tenants VALUES ('01a1ee56-5e00-7000-8659-fd3d0f6c62f6', 'shop', 'Shop', '["shop.example.com"]', true, '{"allow_unverified":false,"unicode_addresses":false,"redirect_urls":[],"max_sessions":3,"idle_minutes":null,"absolute_minutes":null}', 1, 1795000000000000);
INSERT INTO public.users VALUES ('00000000-0000-7000-8000-000000000001', '01a1ee56-5e00-7000-9051-8a73026d98e9', 'ada@example.com', 'ada@example.com', '\x01835cdb5bfd7ab5dc3267d9aeca6adc797f760821ba0b67a78c3e466401b3518e', true, 'Ada', 'ada', NULL, '{}', '{}', '$argon2id$v=19$m=64,t=1,p=1$q7sjtmf7RR0nDeyRDfdaIw$QsBJ6ourxcPreu7rusxFuSIhL6b68/mV4rWk/SOic6A', 'active', false, '\x00000001fdb21d1b473da60c0413f2ece5973fd7da905d2d638a465b8d8fd92dcad430357b2e049a30b12cf323cf3dfa4bd552a6a17df223d5042750ae593954', 1, NULL, 1, NULL, 1795000000000000, 1795000000000000, 1795000000000000);
INSERT INTO public.users VALUES ('01a1ee56-5e00-7000-8659-fd3d0f6c62f6', '01a1ee56-5e00-7000-b57e-854321cb1ddf', 'ada@example.com', 'ada@example.com', '\x01864d0eae6c0cf230a75f998eedefa13061976e68a0ed3b7e20cf34ea4ad565bf', true, NULL, NULL, NULL, '{}', '{}', '$argon2id$v=19$m=64,t=1,p=1$UYkMa/ddW2qhdcyHdQtsLg$yqlA4IzTN65O7qze0wFMEr6UowqbKCXJoaw9QgObec4', 'active', false, '\x0000000102dd4fd2bd1f3811674d90e7e7f0e23d81571d2f00c8bc37590234eaca5533d604e9097dc314d18bef65954389b6e78b39f40e5637f0ad65776c9189', 1, NULL, 1, NULL, 1795000000000000, 1795000000000000, 1795000000000000);
SELECT pg_catalog.setval('public.feed_sequence_seq', 7, true);
ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT attempts_pkey PRIMARY KEY (tenant_id, key);
ALTER TABLE ONLY public.audit_heads
    ADD CONSTRAINT audit_heads_pkey PRIMARY KEY (sequence);
ALTER TABLE ONLY public.audit_links
    ADD CONSTRAINT audit_links_pkey PRIMARY KEY (sequence);
ALTER TABLE ONLY public.audit_records
    ADD CONSTRAINT audit_records_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.authkit_migrations
    ADD CONSTRAINT authkit_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.backup_codes
    ADD CONSTRAINT backup_codes_pkey PRIMARY KEY (tenant_id, user_id, code);
ALTER TABLE ONLY public.development_keys
    ADD CONSTRAINT development_keys_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.development_mail
    ADD CONSTRAINT development_mail_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.feed
    ADD CONSTRAINT feed_pkey PRIMARY KEY (sequence);
ALTER TABLE ONLY public.idempotency
    ADD CONSTRAINT idempotency_pkey PRIMARY KEY (tenant_id, key);
ALTER TABLE ONLY public.leases
    ADD CONSTRAINT leases_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.notices
    ADD CONSTRAINT notices_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.one_time_tokens
    ADD CONSTRAINT one_time_tokens_pkey PRIMARY KEY (tenant_id, id);
ALTER TABLE ONLY public.password_history
    ADD CONSTRAINT password_history_pkey PRIMARY KEY (tenant_id, user_id, security_version);
ALTER TABLE ONLY public.registrations
    ADD CONSTRAINT registrations_pkey PRIMARY KEY (tenant_id, id);
ALTER TABLE ONLY public.role_assignments
    ADD CONSTRAINT role_assignments_pkey PRIMARY KEY (tenant_id, user_id, role_id);
ALTER TABLE ONLY public.role_versions
    ADD CONSTRAINT role_versions_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY public.roles
    ADD CONSTRAINT roles_pkey PRIMARY KEY (tenant_id, id);
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (tenant_id, id);
ALTER TABLE ONLY public.signing_keys
    ADD CONSTRAINT signing_keys_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.sweeps
    ADD CONSTRAINT sweeps_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.tenant_hosts
    ADD CONSTRAINT tenant_hosts_pkey PRIMARY KEY (host);
ALTER TABLE ONLY public.tenants
    ADD CONSTRAINT tenants_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.totp
    ADD CONSTRAINT totp_pkey PRIMARY KEY (tenant_id, user_id);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (tenant_id, id);
CREATE INDEX attempts_touched_at ON public.attempts USING btree (touched_at);
CREATE UNIQUE INDEX audit_links_record ON public.audit_links USING btree (record_id);
CREATE INDEX audit_records_action ON public.audit_records USING btree (tenant_id, action, id);
CREATE INDEX audit_records_actor ON public.audit_records USING btree (tenant_id, actor, id);
CREATE UNIQUE INDEX audit_records_sequence ON public.audit_records USING btree (sequence);
CREATE INDEX audit_records_subject ON public.audit_records USING btree (tenant_id, subject, id);
CREATE INDEX audit_records_tenant ON public.audit_records USING btree (tenant_id, id);
CREATE INDEX development_mail_recipient ON public.development_mail USING btree (tenant_id, recipient, created_at, id);
CREATE INDEX development_mail_tenant ON public.development_mail USING btree (tenant_id, created_at, id);
CREATE INDEX feed_at ON public.feed USING btree (at);
CREATE INDEX feed_xid ON public.feed USING btree (xid);
CREATE INDEX idempotency_expires_at ON public.idempotency USING btree (expires_at);
CREATE INDEX notices_expires_at ON public.notices USING btree (expires_at);
CREATE INDEX notices_lease_owner ON public.notices USING btree (lease_owner);
CREATE INDEX notices_recipient ON public.notices USING btree (tenant_id, recipient, id);
CREATE INDEX notices_waiting ON public.notices USING btree (dead, id);
CREATE INDEX one_time_tokens_expires_at ON public.one_time_tokens USING btree (expires_at);
CREATE INDEX one_time_tokens_user ON public.one_time_tokens USING btree (tenant_id, user_id, purpose);
CREATE INDEX registrations_email_key ON public.registrations USING btree (tenant_id, email_key, id);
CREATE INDEX registrations_expires_at ON public.registrations USING btree (expires_at);
CREATE INDEX role_assignments_role ON public.role_assignments USING btree (tenant_id, role_id, user_id);
CREATE UNIQUE INDEX roles_name ON public.roles USING btree (tenant_id, name);
CREATE INDEX roles_parent ON public.roles USING btree (tenant_id, parent_id);
CREATE INDEX sessions_sweep_at ON public.sessions USING btree (sweep_at);
CREATE INDEX sessions_user ON public.sessions USING btree (tenant_id, user_id, id);
CREATE INDEX tenant_hosts_tenant ON public.tenant_hosts USING btree (tenant_id);
CREATE UNIQUE INDEX tenants_slug ON public.tenants USING btree (slug);
CREATE INDEX users_email ON public.users USING btree (tenant_id, email_lower, id);
CREATE UNIQUE INDEX users_email_key ON public.users USING btree (tenant_id, email_key);
CREATE INDEX users_status ON public.users USING btree (tenant_id, status, id);
ALTER TABLE ONLY public.backup_codes
    ADD CONSTRAINT backup_codes_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES public.users(tenant_id, id) ON DELETE CASCADE;
ALTER TABLE ONLY public.one_time_tokens
    ADD CONSTRAINT one_time_tokens_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES public.users(tenant_id, id) ON DELETE CASCADE;
ALTER TABLE ONLY public.password_history
    ADD CONSTRAINT password_history_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES public.users(tenant_id, id) ON DELETE CASCADE;
ALTER TABLE ONLY public.role_assignments
    ADD CONSTRAINT role_assignments_tenant_id_role_id_fkey FOREIGN KEY (tenant_id, role_id) REFERENCES public.roles(tenant_id, id);
ALTER TABLE ONLY public.role_assignments
    ADD CONSTRAINT role_assignments_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES public.users(tenant_id, id) ON DELETE CASCADE;
ALTER TABLE ONLY public.roles
    ADD CONSTRAINT roles_tenant_id_parent_id_fkey FOREIGN KEY (tenant_id, parent_id) REFERENCES public.roles(tenant_id, id);
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES public.users(tenant_id, id) ON DELETE CASCADE;
ALTER TABLE ONLY public.tenant_hosts
    ADD CONSTRAINT tenant_hosts_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);
ALTER TABLE ONLY public.totp
    ADD CONSTRAINT totp_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES public.users(tenant_id, id) ON DELETE CASCADE;
