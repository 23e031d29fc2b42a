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
CREATE TABLE public.device_challenges (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    expires_at bigint NOT NULL
);
CREATE TABLE public.device_claims (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    owner_id uuid NOT NULL,
    name text,
    code bytea NOT NULL,
    security_version bigint NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    used_at bigint,
    used_device uuid,
    used_key bytea,
    keep_until bigint NOT NULL
);
CREATE TABLE public.devices (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    owner_id uuid NOT NULL,
    name text NOT NULL,
    algorithm text NOT NULL,
    public_key bytea NOT NULL,
    key_thumbprint bytea NOT NULL,
    status text NOT NULL,
    version text,
    capabilities text NOT NULL,
    reported_status text,
    created_at bigint NOT NULL,
    last_seen_at bigint,
    revoked_at bigint
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
INSERT INTO public.attempts VALUES ('00000000-0000-7000-8000-000000000001', '\x016e6da99ee3582718e4e2d014f56c8eb23368a017cb2bd0f2bedc187405d56042', 0, 1795000000000000, NULL, 0, 1795000000000000);
INSERT INTO public.attempts VALUES ('00000000-0000-7000-8000-000000000001', '\x0138e4c266d866a5701bade17f5ea1ba1908916dfb2ad9aec86ecab52a21fa02ec', 0, 1795000000000000, NULL, 0, 1795000000000000);
INSERT INTO public.audit_heads VALUES (15, '\x3081e6903784fd9cb3f31b117e93c206a853d6b3575f52d0189786aa70849084', 1795000000000000, 1, '\x63305c1c328701149ee3b95832b3e70ac0487f529991f029b4c954b5660116aa');
INSERT INTO public.audit_links VALUES (1, '01a1ee56-5e00-7000-8937-adb4c33c73fa', '\x0bd19cae2cabedf6f8dddcedd0a775aec599835ccaf4a40fa3fc283d87287a68');
INSERT INTO public.audit_links VALUES (2, '01a1ee56-5e00-7000-92a0-1feb7e8d63e5', '\xc1f05f0eea3d11a83172f8686a38cd62cf32b847809784182a252ae6f7d379fc');
INSERT INTO public.audit_links VALUES (3, '01a1ee56-5e00-7000-9a22-4febafe91258', '\xeb7e1861e2f3c2d83c5d623d4bb5cb9524716bebf5d02599e0f78c42c26addc2');
INSERT INTO public.audit_links VALUES (4, '01a1ee56-5e00-7000-9a6a-bd6fb8f4e048', '\xe1d4fd04292006c1ba403f9744c2bc65aa06987e24199daf1ce8be307796f6bb');
INSERT INTO public.audit_links VALUES (5, '01a1ee56-5e00-7000-9ad1-dad4c4ec7e1d', '\xf99c52310aed911710af72db0a01c337b1a14423006a2030495fa4303f261842');
INSERT INTO public.audit_links VALUES (6, '01a1ee56-5e00-7000-9e8a-bc71844c93da', '\xc14257580d681b9d498143f5a8ab3127384acd1fccc8e6459479e1d451ea2cba');
INSERT INTO public.audit_links VALUES (7, '01a1ee56-5e00-7000-9f1a-e3666ed0732b', '\x624ba5b0d6135150557187286bab6b8aa9e241c68d39453e65bc2b85a3365572');
INSERT INTO public.audit_links VALUES (8, '01a1ee56-5e00-7000-a25e-6bfdb18e4013', '\xb727d1bf8f2bd34d46d1e47be0890311fc565b16061d4d653d29242ce4591817');
INSERT INTO public.audit_links VALUES (9, '01a1ee56-5e00-7000-a9d1-181e9105394e', '\x7950cfdb9a045220bab2b0eb3b753a98936e41414ce59e3feb6fd70920e74617');
INSERT INTO public.audit_links VALUES (10, '01a1ee56-5e00-7000-ad38-dcdf5cf11c3e', '\x414c93f32620d6e43ab44a82f5fbf525eea2bb783fb6d14aab0fa77d1ead9430');
INSERT INTO public.audit_links VALUES (11, '01a1ee56-5e00-7000-b446-1a25014ca6cc', '\xc68cd03d63065fef9e79a9f575386ccc68e97d390c4095703b2a5251396b459d');
INSERT INTO public.audit_links VALUES (12, '01a1ee56-5e00-7000-ba7f-108fb0800c3d', '\xacdc40b8798a73bb97f2c2566f66007633686a92ab7ba46f783a4f06862416a6');
INSERT INTO public.audit_links VALUES (13, '01a1ee56-5e00-7000-bac3-df360f62dbf2', '\x375537b6cb9eca6b7cacb90847aa9a532f993128ab16fe7fa39bb2474cd433c3');
INSERT INTO public.audit_links VALUES (14, '01a1ee56-5e00-7000-bb22-901f6ce54ce5', '\xa7af2c37d31474a78d588e4b596cf03c7576356d08a2a9e6f15195cfab188bd3');
INSERT INTO public.audit_links VALUES (15, '01a1ee56-5e00-7000-bbd3-59b6bf6a7479', '\x3081e6903784fd9cb3f31b117e93c206a853d6b3575f52d0189786aa70849084');
INSERT INTO public.audit_records VALUES ('01a1ee56-5e00-7000-9a6a-bd6fb8f4e048', '00000000-0000-7000-8000-000000000001', 1795000000000000, 'tenant.created', 'success', 'operator', 'ten_00000000000070008000000000000001', NULL, NULL, '{}', 1, '\x83c8da6f13aa6945510e444508b863353485639e5b0566a3444167d1378fd60d', 4);
INSERT INTO public.audit_records VALUES ('01a1ee56-5e00-7000-9e8a-bc71844c93da', '00000000-0000-7000-8000-000000000001', 1795000000000000, 'key.rotated', 'success', 'system', 'key_01a1ee565e0070009997c0de84ec0b25', NULL, NULL, '{}', 1, '\x5b45e7ad3f0d106e4bea8e5faa6b76b92b2777acd81c47f017c8a9a108593164', 6);
INSERT INTO public.audit_records VALUES ('01a1ee56-5e00-7000-92a0-1feb7e8d63e5', '00000000-0000-7000-8000-000000000001', 1795000000000000, 'user.created', 'success', 'operator', 'usr_01a1ee565e00700099c9d272e3de5a9a', NULL, NULL, '{}', 1, '\xd2d5681d347e94980c9dec20ce1fe0eceabeac4a820a323b41cdb0330825e252', 2);
INSERT INTO public.audit_records VALUES ('01a1ee56-5e00-7000-9ad1-dad4c4ec7e1d', '00000000-0000-7000-8000-000000000001', 1795000000000000, 'role.assigned', 'success', 'operator', 'usr_01a1ee565e00700099c9d272e3de5a9a', NULL, NULL, '{"role":"support","role_id":"rol_01a1ee565e00700080c2c83e47153dee"}', 1, '\x888f1da876b151cfb14461ed30676913f35ac60075b4dc01b4676acabec86c6e', 5);
INSERT INTO public.audit_records VALUES ('01a1ee56-5e00-7000-9f1a-e3666ed0732b', '01a1ee56-5e00-7000-8086-0f304ecb66c1', 1795000000000000, 'tenant.created', 'success', 'operator', 'ten_01a1ee565e00700080860f304ecb66c1', NULL, NULL, '{}', 1, '\x04cc23711c69978daa029f3d4bbf4735f0b8c5e06d0b9663fa89fa41b78985ad', 7);
INSERT INTO public.audit_records VALUES ('01a1ee56-5e00-7000-a25e-6bfdb18e4013', '00000000-0000-7000-8000-000000000001', 1795000000000000, 'device.claim_created', 'success', 'usr_01a1ee565e00700099c9d272e3de5a9a', 'usr_01a1ee565e00700099c9d272e3de5a9a', NULL, NULL, '{"claim":"clm_01a1ee565e00700098e8ed8ace797fa8"}', 1, '\x4ebbb144680d90be2685a0481716efc4d6c58508904fbebe09d0d2ea3d5106ff', 8);
INSERT INTO public.audit_records VALUES ('01a1ee56-5e00-7000-8937-adb4c33c73fa', '00000000-0000-7000-8000-000000000001', 1795000000000000, 'device.claimed', 'success', 'dev_01a1ee565e007000a327de8288242b56', 'usr_01a1ee565e00700099c9d272e3de5a9a', NULL, NULL, '{"claim":"clm_01a1ee565e007000a0ebcb2bf750691d","device":"dev_01a1ee565e007000a327de8288242b56"}', 1, '\x209edee9d3a71cd55a6ff47072c64dd4258cd254f703afc64aa40c2c1548d833', 1);
INSERT INTO public.audit_records VALUES ('01a1ee56-5e00-7000-9a22-4febafe91258', '00000000-0000-7000-8000-000000000001', 1795000000000000, 'password.reset_requested', 'success', 'anon_c910b0c149ccfadea0ef61c705a4e13d', NULL, NULL, NULL, '{}', 1, '\x51a67f8538957fe7fab9d4b9dfe6f3bb649f73be39f3ff917c99c5683ed7ccf9', 3);
INSERT INTO public.audit_records VALUES ('01a1ee56-5e00-7000-a9d1-181e9105394e', '01a1ee56-5e00-7000-8086-0f304ecb66c1', 1795000000000000, 'role.created', 'success', 'system', 'rol_01a1ee565e00700097291c311a16107d', NULL, NULL, '{"name":"admin"}', 1, '\xb117289b2806210f4e16047005d14bf49e1dcedaff75768ae6ee202752e8a850', 9);
INSERT INTO public.audit_records VALUES ('01a1ee56-5e00-7000-ad38-dcdf5cf11c3e', '00000000-0000-7000-8000-000000000001', 1795000000000000, 'role.created', 'success', 'system', 'rol_01a1ee565e007000a3ac40b0137ddd1b', NULL, NULL, '{"name":"admin"}', 1, '\xa02b81748ff92fe26116440d519f0701fa0f901af561b529e91ee0610721a55e', 10);
INSERT INTO public.audit_records VALUES ('01a1ee56-5e00-7000-b446-1a25014ca6cc', '01a1ee56-5e00-7000-8086-0f304ecb66c1', 1795000000000000, 'user.created', 'success', 'operator', 'usr_01a1ee565e00700080a51b0c678b2b37', NULL, NULL, '{}', 1, '\xa5cbec3caea1c1d5598f6fdf860604353a42e8eaf153ed4f9118f90bc12a55c9', 11);
INSERT INTO public.audit_records VALUES ('01a1ee56-5e00-7000-ba7f-108fb0800c3d', '00000000-0000-7000-8000-000000000001', 1795000000000000, 'session.created', 'success', 'usr_01a1ee565e00700099c9d272e3de5a9a', 'usr_01a1ee565e00700099c9d272e3de5a9a', NULL, NULL, '{"session":"ses_01a1ee565e007000a81918d7c6f93639"}', 1, '\x24a5ab3cba6bcac2e27dd7c55e4fe56064881029d7234ae9fc16a93d91044b4f', 12);
INSERT INTO public.audit_records VALUES ('01a1ee56-5e00-7000-bac3-df360f62dbf2', '01a1ee56-5e00-7000-8086-0f304ecb66c1', 1795000000000000, 'session.created', 'success', 'usr_01a1ee565e00700080a51b0c678b2b37', 'usr_01a1ee565e00700080a51b0c678b2b37', NULL, NULL, '{"session":"ses_01a1ee565e00700091fdadca92d29ddc"}', 1, '\x4b5034947d317edfdb7a29eef3f01daaf8233f5336d6f306ecdaece3facbb181', 13);
INSERT INTO public.audit_records VALUES ('01a1ee56-5e00-7000-bb22-901f6ce54ce5', '00000000-0000-7000-8000-000000000001', 1795000000000000, 'device.claim_created', 'success', 'usr_01a1ee565e00700099c9d272e3de5a9a', 'usr_01a1ee565e00700099c9d272e3de5a9a', NULL, NULL, '{"claim":"clm_01a1ee565e007000a0ebcb2bf750691d"}', 1, '\x1c408d9183ee7865decd041abff2d83d8983f7c84384e182704cf749d8cfa809', 14);
INSERT INTO public.audit_records VALUES ('01a1ee56-5e00-7000-bbd3-59b6bf6a7479', '00000000-0000-7000-8000-000000000001', 1795000000000000, 'role.created', 'success', 'operator', 'rol_01a1ee565e00700080c2c83e47153dee', NULL, NULL, '{"name":"support","permissions":["users:read"]}', 1, '\x6e187bf2ec441bef902c5c7c1870de7a94eb9502aa92ee84f205b85039c149ad', 15);
INSERT INTO public.authkit_migrations VALUES (1, 'initial', '73cd9c8f6e295e227ec98387b3de771ea3b916ee15f67994110d6e12a13c3ba1', 1795000000000000, 1);
INSERT INTO public.authkit_migrations VALUES (2, 'devices', 'f4719cce76fee116943872e2742be25c7455eea423b6a76644c744be504233ae', 1795000000000000, 1);
INSERT INTO public.device_challenges VALUES ('00000000-0000-7000-8000-000000000001', '01a1ee56-5e00-7000-9dd6-a0f3be06852b', 1795000060000000);
INSERT INTO public.device_claims VALUES ('00000000-0000-7000-8000-000000000001', '01a1ee56-5e00-7000-98e8-ed8ace797fa8', '01a1ee56-5e00-7000-99c9-d272e3de5a9a', 'Greenhouse', '\x01f376ef1f5b47d8a1df2f965402897431a0f57adace0605f88b0644ed1d198d41', 1, 1795000000000000, 1795000900000000, NULL, NULL, NULL, 1795000900000000);
INSERT INTO public.device_claims VALUES ('00000000-0000-7000-8000-000000000001', '01a1ee56-5e00-7000-a0eb-cb2bf750691d', '01a1ee56-5e00-7000-99c9-d272e3de5a9a', 'Greenhouse', '\x01488b09a663bcc610358dee033f676fe3635278d2fff06981b0394d5e6516d302', 1, 1795000000000000, 1795000900000000, 1795000000000000, '01a1ee56-5e00-7000-a327-de8288242b56', '\x9f8000e2078b7835c0971975bf9946d731b1edfbf6ee40254c2eba99efcbb910', 1795086400000000);
INSERT INTO public.devices VALUES ('00000000-0000-7000-8000-000000000001', '01a1ee56-5e00-7000-a327-de8288242b56', '01a1ee56-5e00-7000-99c9-d272e3de5a9a', 'Greenhouse', 'EdDSA', '\x83046fd7d409de90c8169fbc46f24a12a50075d046f8c2e57b812dbfa6c02dd3', '\x9f8000e2078b7835c0971975bf9946d731b1edfbf6ee40254c2eba99efcbb910', 'active', '1.0.0', '[]', NULL, 1795000000000000, 1795000000000000, NULL);
INSERT INTO public.leases VALUES ('first-signing-key', '01a1ee56-5e00-7000-94f3-89134235e440', 1795000030000000);
INSERT INTO public.notices VALUES ('01a1ee56-5e00-7000-8d4d-13ad50c58edb', '00000000-0000-7000-8000-000000000001', 'device_claimed', '\x016d1b20c34d4973a2cafc901f9b471c677e0b4e616dd28ae7efb9617ad80401de', '\x00000001158d28c57841d08ef6712bc3aa47626f64de663302b3d8fd3cd4ea1d6a1985ffedd8195fd62b2dc064e9f4482c7890f935442e3461fb1803f079fc927252b2ebcccfc49ccca4cae8a6a1bb37e9dd54c5a0d98233e6cdc23b721fe92939f371d0c96bced208ed5ce1b9980f65dfa634647926f51ef20ce529f4bee3e899e32f84e66f99a5c88377abb65396ddc58f385570595697f3ed8e8daf88d00e6d', 0, 1795000000000000, NULL, NULL, false, 1795000000000000, 1795259200000000);
INSERT INTO public.notices VALUES ('01a1ee56-5e00-7000-a852-ecfff61d1a02', '00000000-0000-7000-8000-000000000001', 'password_reset_requested', '\x016d1b20c34d4973a2cafc901f9b471c677e0b4e616dd28ae7efb9617ad80401de', '\x000000010e6d812ba6958a3238d9168a414e6d35ef9766a025071964a9d209d2b206ca088a898f3932595a384d421d1b1067077046ca164db47ab028f05c01cfe6510d622a8695d41aaf191ccd8ac25e190145653e59d76e022fedfc10', 0, 1795000000000000, NULL, NULL, false, 1795000000000000, 1795003600000000);
INSERT INTO public.password_history VALUES ('00000000-0000-7000-8000-000000000001', '01a1ee56-5e00-7000-99c9-d272e3de5a9a', 1, '$argon2id$v=19$m=64,t=1,p=1$JTzuPsrgGS4+QwpE7tCH3w$Afd3Rcyo1xG2w9ytN4C7XfF7dRz+BWXam9iopPFyu78', 1795000000000000);
INSERT INTO public.password_history VALUES ('01a1ee56-5e00-7000-8086-0f304ecb66c1', '01a1ee56-5e00-7000-80a5-1b0c678b2b37', 1, '$argon2id$v=19$m=64,t=1,p=1$k45hHyUH1aCFFPDF/dhKnA$B7ktYq/9VdwSo92NEXM+C9u7Xy2FLYB+gAOr7yPFHhY', 1795000000000000);
INSERT INTO public.role_assignments VALUES ('00000000-0000-7000-8000-000000000001', '01a1ee56-5e00-7000-99c9-d272e3de5a9a', '01a1ee56-5e00-7000-80c2-c83e47153dee', NULL, 1795000000000000);
INSERT INTO public.role_versions VALUES ('00000000-0000-7000-8000-000000000001', 3);
INSERT INTO public.role_versions VALUES ('01a1ee56-5e00-7000-8086-0f304ecb66c1', 1);
INSERT INTO public.roles VALUES ('00000000-0000-7000-8000-000000000001', '01a1ee56-5e00-7000-a3ac-40b0137ddd1b', 'admin', 1795000000000000, 'Everything in this tenant.', NULL, '["*"]', true, 1, 1795000000000000, 1795000000000000);
INSERT INTO public.roles VALUES ('00000000-0000-7000-8000-000000000001', '01a1ee56-5e00-7000-80c2-c83e47153dee', 'support', 1795000000000000, 'Helps', NULL, '["users:read"]', false, 1, 1795000000000000, 1795000000000000);
INSERT INTO public.roles VALUES ('01a1ee56-5e00-7000-8086-0f304ecb66c1', '01a1ee56-5e00-7000-9729-1c311a16107d', 'admin', 1795000000000000, 'Everything in this tenant.', NULL, '["*"]', true, 1, 1795000000000000, 1795000000000000);
INSERT INTO public.sessions VALUES ('00000000-0000-7000-8000-000000000001', '01a1ee56-5e00-7000-a819-18d7c6f93639', '01a1ee56-5e00-7000-99c9-d272e3de5a9a', '["pwd"]', 1795000000000000, NULL, NULL, NULL, 1795000000000000, 1795000000000000, 1810552000000000, '\x10829f7c3c1c2e78c7aca90577506901d3c419083ea27a16c60287f8b4bbc08a', 1797592000000000, NULL, NULL, NULL, NULL, 1795000000000000);
INSERT INTO public.sessions VALUES ('01a1ee56-5e00-7000-8086-0f304ecb66c1', '01a1ee56-5e00-7000-91fd-adca92d29ddc', '01a1ee56-5e00-7000-80a5-1b0c678b2b37', '["pwd"]', 1795000000000000, NULL, NULL, NULL, 1795000000000000, 1795000000000000, 1810552000000000, '\x58f3f43fd38054d9e9948cd290ce88431ed908b3be92b763ef5dfc813c5633a5', 1797592000000000, NULL, NULL, NULL, NULL, 1795000000000000);
INSERT INTO public.signing_keys VALUES ('01a1ee56-5e00-7000-9997-c0de84ec0b25', 'EdDSA', '\x00000001d0a2d3760471ee9d58b64489aba4d73ce06f8d4127ca20e653f0c6088d2fc75ff1e90a14b7dce59ce2e7718cedbbc407fd49a54efdf79b659d73edc7f3a531ca1da5be1447897dba535d954c', '{"alg":"EdDSA","crv":"Ed25519","kid":"key_01a1ee565e0070009997c0de84ec0b25","kty":"OKP","use":"sig","x":"NAvyjM0AQ-rccwwNf14h0sevaNeEXow03S26WQIW78c"}', 1795000000000000, 1795000000000000, NULL, NULL);
INSERT INTO public.tenant_hosts VALUES ('shop.example.com', '01a1ee56-5e00-7000-8086-0f304ecb66c1');
INSERT INTO public.tenants VALUES ('00000000-0000-7000-8000-000000000001', 'default', 'Default', '[]', true, '{"allow_unverified":false,"unicode_addresses":false,"redirect_urls":[],"max_sessions":null,"idle_minutes":null,"absolute_minutes":null}', 1, 1795000000000000);
INSERT INTO public.tenants VALUES ('01a1ee56-5e00-7000-8086-0f304ecb66c1', 'shop', 'Shop', '["shop.example.com"]', true, '{"allow_unverified":false,"unicode_addresses":false,"redirect_urls":[],"max_sessions":3,"idle_minutes":null,"absolute_minutes":null}', 1, 1795000000000000);
INSERT INTO public.users VALUES ('01a1ee56-5e00-7000-8086-0f304ecb66c1', '01a1ee56-5e00-7000-80a5-1b0c678b2b37', 'ada@example.com', 'ada@example.com', '\x0147f12d1ab157082637a1fb01bb646003acb15bfe60f84603577af03f8b7a7fb6', true, NULL, NULL, NULL, '{}', '{}', '$argon2id$v=19$m=64,t=1,p=1$k45hHyUH1aCFFPDF/dhKnA$B7ktYq/9VdwSo92NEXM+C9u7Xy2FLYB+gAOr7yPFHhY', 'active', false, '\x00000001ed7af7239e242de9c3cb0c5ad8a56a28a6d76437670c0ed2c4f20ed21368a7fff07949878f3df23c0888a4c5ac3b6b3d26eca4d36e0e058b0a5c7020', 1, NULL, 1, NULL, 1795000000000000, 1795000000000000, 1795000000000000);
INSERT INTO public.users VALUES ('00000000-0000-7000-8000-000000000001', '01a1ee56-5e00-7000-99c9-d272e3de5a9a', 'ada@example.com', 'ada@example.com', '\x01835cdb5bfd7ab5dc3267d9aeca6adc797f760821ba0b67a78c3e466401b3518e', true, 'Ada', 'ada', NULL, '{}', '{}', '$argon2id$v=19$m=64,t=1,p=1$JTzuPsrgGS4+QwpE7tCH3w$Afd3Rcyo1xG2w9ytN4C7XfF7dRz+BWXam9iopPFyu78', 'active', false, '\x00000001b865094e89cbbe28ba48fe5b46d620d2948e952b0305abba14ee5fb18ce92f951a71168f8278e4f82cf5caf6874c8ad2fa4f715bfc45d2611fd8ae57', 1, NULL, 1, NULL, 1795000000000000, 1795000000000000, 1795000000000000);
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
ALTER TABLE ONLY public.device_challenges
    ADD CONSTRAINT device_challenges_pkey PRIMARY KEY (tenant_id, id);
ALTER TABLE ONLY public.device_claims
    ADD CONSTRAINT device_claims_pkey PRIMARY KEY (tenant_id, id);
ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_pkey PRIMARY KEY (tenant_id, id);
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
CREATE INDEX device_challenges_expires_at ON public.device_challenges USING btree (expires_at);
CREATE UNIQUE INDEX device_claims_code ON public.device_claims USING btree (tenant_id, code);
CREATE INDEX device_claims_keep_until ON public.device_claims USING btree (keep_until);
CREATE INDEX device_claims_owner ON public.device_claims USING btree (tenant_id, owner_id, id);
CREATE UNIQUE INDEX devices_key ON public.devices USING btree (tenant_id, key_thumbprint) WHERE (status = 'active'::text);
CREATE INDEX devices_owner ON public.devices USING btree (tenant_id, owner_id, id);
CREATE INDEX devices_status ON public.devices USING btree (tenant_id, status, id);
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
ALTER TABLE ONLY public.device_claims
    ADD CONSTRAINT device_claims_tenant_id_owner_id_fkey FOREIGN KEY (tenant_id, owner_id) REFERENCES public.users(tenant_id, id) ON DELETE CASCADE;
ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_tenant_id_owner_id_fkey FOREIGN KEY (tenant_id, owner_id) REFERENCES public.users(tenant_id, id) ON DELETE CASCADE;
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
