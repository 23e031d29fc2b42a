//! What must hold of the rows before and after migrations.

/// One thing that must hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Check {
    /// What.
    pub(super) what: &'static str,
    /// The schema from which on its query runs.
    pub(super) since: i64,
    /// Counts violations.
    pub(super) sql: &'static str,
}

macro_rules! checks {
    ($($since:literal $what:literal: $sql:literal;)+) => {
        &[$(Check { what: $what, since: $since, sql: concat!("SELECT count(*) FROM ", $sql) },)+]
    };
}

/// Foreign keys say most of it as well; a database that was restored or repaired by hand may not keep them.
pub(super) const CHECKS: &[Check] = checks! {
    1 "every session belongs to a user of its tenant":
        "sessions s WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.tenant_id = s.tenant_id AND u.id = s.user_id)";
    1 "every assignment names a user and a role of its tenant":
        "role_assignments a WHERE NOT EXISTS \
         (SELECT 1 FROM users u WHERE u.tenant_id = a.tenant_id AND u.id = a.user_id) OR NOT EXISTS \
         (SELECT 1 FROM roles r WHERE r.tenant_id = a.tenant_id AND r.id = a.role_id)";
    1 "every role inherits from a role of its tenant":
        "roles c WHERE c.parent_id IS NOT NULL AND NOT EXISTS \
         (SELECT 1 FROM roles p WHERE p.tenant_id = c.tenant_id AND p.id = c.parent_id)";
    1 "every authenticator belongs to a user of its tenant":
        "totp t WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.tenant_id = t.tenant_id AND u.id = t.user_id)";
    1 "every backup code belongs to a user of its tenant":
        "backup_codes b WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.tenant_id = b.tenant_id AND u.id = b.user_id)";
    1 "every mailed token belongs to a user of its tenant":
        "one_time_tokens o WHERE NOT EXISTS \
         (SELECT 1 FROM users u WHERE u.tenant_id = o.tenant_id AND u.id = o.user_id)";
    1 "every earlier password belongs to a user of its tenant":
        "password_history p WHERE NOT EXISTS \
         (SELECT 1 FROM users u WHERE u.tenant_id = p.tenant_id AND u.id = p.user_id)";
    2 "every device belongs to a user of its tenant":
        "devices d WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.tenant_id = d.tenant_id AND u.id = d.owner_id)";
    2 "every claim belongs to a user of its tenant":
        "device_claims c WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.tenant_id = c.tenant_id AND u.id = c.owner_id)";
    1 "every audit link names a record, which names its place":
        "audit_links l WHERE NOT EXISTS \
         (SELECT 1 FROM audit_records r WHERE r.id = l.record_id AND r.sequence = l.sequence)";
    1 "every host belongs to a tenant":
        "tenant_hosts h WHERE NOT EXISTS (SELECT 1 FROM tenants t WHERE t.id = h.tenant_id)";
};
