//! Accounts, registrations and single-use tokens.

use crate::{
    SqlStore,
    db::{Expect, Row, Statement, Value, corrupt, outlived, to_json, values},
    plan::{Planned, Walls},
};
use async_trait::async_trait;
use authkit_core::{
    accounts::{AccountChange, AccountStore, EmailKey, OneTimeToken, Registration, TokenPurpose, User, UserFilter},
    ports::{Position, StoreError},
    wire::{OneTimeTokenId, RegistrationId, SessionId, TenantId, UserId, UserStatus},
};

macro_rules! user_columns {
    () => {
        "u.tenant_id, u.id, u.email, u.email_key, u.email_verified, u.name, u.locale, u.profile, u.preferences, \
         u.password_hash, u.status, u.mfa_enabled, u.subject_key, u.security_version, u.kept_session, u.version, \
         u.erase_at, u.last_sign_in_at, u.created_at, u.updated_at"
    };
}
pub(crate) use user_columns;

macro_rules! registration_columns {
    () => {
        "tenant_id, id, email, email_key, name, locale, profile, password_hash, token_hash, redirect_url, created_at, \
         expires_at"
    };
}

/// The status from its stored form.
pub(crate) fn status(row: &Row) -> Result<UserStatus, StoreError> {
    UserStatus::parse(&row.get::<String>("status")?).ok_or_else(|| corrupt("status", "unknown"))
}

pub(crate) fn plan(change: AccountChange, walls: Walls) -> Planned {
    Ok(match change {
        AccountChange::CreateUser(user) => create_user(*user, walls)?,
        AccountChange::UpdateProfile { user, version, name, locale, profile, preferences, at } => {
            vec![Statement::new(
                Expect::ONE,
                "UPDATE users SET name = $4, name_lower = $5, locale = $6, profile = $7, preferences = $8, \
                 updated_at = $9, version = version + 1 WHERE tenant_id = $1 AND id = $2 AND version = $3",
                values![
                    walls.tenant()?,
                    user,
                    version,
                    name.clone(),
                    name.map(|name| name.to_lowercase()),
                    locale,
                    to_json(&profile)?,
                    to_json(&preferences)?,
                    at
                ],
            )]
        }
        AccountChange::SetPassword { user, security_version, hash, kept_session, keep, at } => {
            let tenant = walls.tenant()?;
            vec![
                secure(
                    "UPDATE users SET security_version = security_version + 1, version = version + 1, \
                     kept_session = $4, updated_at = $5, password_hash = $6 \
                     WHERE tenant_id = $1 AND id = $2 AND security_version = $3",
                    (tenant, user, security_version),
                    values![kept_session, at, hash.clone()],
                ),
                remember(tenant, user, security_version + 1, hash, at),
                Statement::new(
                    Expect::Any,
                    "DELETE FROM password_history WHERE tenant_id = $1 AND user_id = $2 AND security_version <= \
                     (SELECT security_version FROM password_history WHERE tenant_id = $1 AND user_id = $2 \
                     ORDER BY security_version DESC LIMIT 1 OFFSET $3)",
                    values![tenant, user, keep],
                )
                .uncounted(),
            ]
        }
        AccountChange::Rehash { user, security_version, hash } => {
            let tenant = walls.tenant()?;
            vec![
                Statement::new(
                    Expect::Any,
                    "UPDATE users SET password_hash = $4 WHERE tenant_id = $1 AND id = $2 AND security_version = $3",
                    values![tenant, user, security_version, hash.clone()],
                ),
                // The history's newest entry is the same password; only its parameters changed.
                Statement::new(
                    Expect::Any,
                    "UPDATE password_history SET hash = $4 WHERE tenant_id = $1 AND user_id = $2 \
                     AND security_version = (SELECT max(h.security_version) FROM password_history h \
                     WHERE h.tenant_id = $1 AND h.user_id = $2) \
                     AND EXISTS (SELECT 1 FROM users WHERE tenant_id = $1 AND id = $2 AND security_version = $3)",
                    values![tenant, user, security_version, hash],
                )
                .uncounted(),
            ]
        }
        AccountChange::SetEmail { user, security_version, email, email_key, kept_session, at } => vec![secure(
            "UPDATE users SET security_version = security_version + 1, version = version + 1, kept_session = $4, \
             updated_at = $5, email = $6, email_lower = $7, email_key = $8, email_verified = $9 \
             WHERE tenant_id = $1 AND id = $2 AND security_version = $3",
            (walls.tenant()?, user, security_version),
            values![kept_session, at, email.clone(), email.to_lowercase(), email_key, true],
        )],
        AccountChange::VerifyEmail { user, email_key, at } => vec![Statement::new(
            Expect::ONE,
            "UPDATE users SET email_verified = $4, updated_at = $5, version = version + 1 \
             WHERE tenant_id = $1 AND id = $2 AND email_key = $3 AND email_verified = $6",
            values![walls.tenant()?, user, email_key, true, at, false],
        )],
        AccountChange::SetStatus { user, security_version, status, erase_at, at } => vec![secure(
            "UPDATE users SET security_version = security_version + 1, version = version + 1, kept_session = $4, \
             updated_at = $5, status = $6, erase_at = $7 \
             WHERE tenant_id = $1 AND id = $2 AND security_version = $3",
            (walls.tenant()?, user, security_version),
            values![None::<SessionId>, at, status.as_str(), erase_at],
        )],
        AccountChange::SetMfa { user, security_version, enabled, kept_session, at } => vec![secure(
            "UPDATE users SET security_version = security_version + 1, version = version + 1, kept_session = $4, \
             updated_at = $5, mfa_enabled = $6 WHERE tenant_id = $1 AND id = $2 AND security_version = $3",
            (walls.tenant()?, user, security_version),
            values![kept_session, at, enabled],
        )],
        AccountChange::SignedIn { user, security_version, at } => vec![Statement::new(
            Expect::ONE,
            "UPDATE users SET last_sign_in_at = $4 \
             WHERE tenant_id = $1 AND id = $2 AND security_version = $3 AND status = 'active'",
            values![walls.tenant()?, user, security_version, at],
        )],
        AccountChange::CreateRegistration(registration) => vec![create_registration(*registration, walls)?],
        AccountChange::RenewRegistration { id, expected, token_hash, expires_at } => vec![Statement::new(
            Expect::ONE,
            "UPDATE registrations SET token_hash = $4, expires_at = $5 \
             WHERE tenant_id = $1 AND id = $2 AND token_hash = $3",
            values![walls.tenant()?, id, expected, token_hash, expires_at],
        )],
        AccountChange::ConsumeRegistration { id, token_hash } => vec![Statement::new(
            Expect::ONE,
            "DELETE FROM registrations WHERE tenant_id = $1 AND id = $2 AND token_hash = $3",
            values![walls.tenant()?, id, token_hash],
        )],
        AccountChange::DeleteRegistrationsOf { email_key } => vec![Statement::new(
            Expect::Any,
            "DELETE FROM registrations WHERE tenant_id = $1 AND email_key = $2",
            values![walls.tenant()?, email_key],
        )],
        AccountChange::DeleteRegistration { id } => vec![Statement::new(
            Expect::Any,
            "DELETE FROM registrations WHERE tenant_id = $1 AND id = $2",
            values![walls.tenant()?, id],
        )],
        AccountChange::CreateToken(token) => vec![Statement::new(
            Expect::FREE,
            "INSERT INTO one_time_tokens \
             (tenant_id, id, user_id, purpose, token_hash, data, security_version, created_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            values![
                walls.owns(token.tenant)?,
                token.id,
                token.user,
                token.purpose.as_str(),
                token.token_hash,
                token.data,
                token.security_version,
                token.created_at,
                token.expires_at
            ],
        )],
        AccountChange::ConsumeToken { id, token_hash } => vec![Statement::new(
            Expect::ONE,
            "DELETE FROM one_time_tokens WHERE tenant_id = $1 AND id = $2 AND token_hash = $3",
            values![walls.tenant()?, id, token_hash],
        )],
        AccountChange::DeleteTokensOf { user, purpose } => vec![Statement::new(
            Expect::Any,
            "DELETE FROM one_time_tokens WHERE tenant_id = $1 AND user_id = $2 AND purpose = $3",
            values![walls.tenant()?, user, purpose.as_str()],
        )],
        AccountChange::DeleteTokensSince { user, purpose, since } => vec![Statement::new(
            Expect::Any,
            "DELETE FROM one_time_tokens WHERE tenant_id = $1 AND user_id = $2 AND purpose = $3 AND created_at >= $4",
            values![walls.tenant()?, user, purpose.as_str(), since],
        )],
        AccountChange::DeleteExpired { before } => {
            walls.system()?;
            vec![
                outlived!("registrations", "tenant_id, id", "expires_at", before),
                outlived!("one_time_tokens", "tenant_id, id", "expires_at", before),
            ]
        }
        _ => return Err(StoreError::Unsupported),
    })
}

/// A change of credentials, factors or status: `$1` to `$3` say whom, what is set follows.
fn secure(sql: &'static str, whom: (TenantId, UserId, i64), set: Vec<Value>) -> Statement {
    let mut all = values![whom.0, whom.1, whom.2];
    all.extend(set);
    Statement::new(Expect::ONE, sql, all)
}

fn remember(tenant: TenantId, user: UserId, version: i64, hash: String, at: jiff::Timestamp) -> Statement {
    Statement::new(
        Expect::Any,
        "INSERT INTO password_history (tenant_id, user_id, security_version, hash, created_at) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, user_id, security_version) DO NOTHING",
        values![tenant, user, version, hash, at],
    )
    .uncounted()
}

fn create_user(user: User, walls: Walls) -> Planned {
    let tenant = walls.owns(user.tenant)?;
    let history =
        user.password_hash.clone().map(|hash| remember(tenant, user.id, user.security_version, hash, user.created_at));
    let insert = Statement::new(
        Expect::FREE,
        "INSERT INTO users (tenant_id, id, email, email_lower, email_key, email_verified, name, name_lower, locale, \
         profile, preferences, password_hash, status, mfa_enabled, subject_key, security_version, kept_session, \
         version, erase_at, last_sign_in_at, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)",
        values![
            tenant,
            user.id,
            user.email.clone(),
            user.email.to_lowercase(),
            user.email_key,
            user.email_verified,
            user.name.clone(),
            user.name.map(|name| name.to_lowercase()),
            user.locale,
            to_json(&user.profile)?,
            to_json(&user.preferences)?,
            user.password_hash,
            user.status.as_str(),
            user.mfa_enabled,
            user.subject_key,
            user.security_version,
            user.kept_session,
            user.version,
            user.erase_at,
            user.last_sign_in_at,
            user.created_at,
            user.updated_at
        ],
    );
    Ok([insert].into_iter().chain(history).collect())
}

fn create_registration(registration: Registration, walls: Walls) -> Result<Statement, StoreError> {
    Ok(Statement::new(
        Expect::FREE,
        concat!(
            "INSERT INTO registrations (",
            registration_columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        ),
        values![
            walls.owns(registration.tenant)?,
            registration.id,
            registration.email,
            registration.email_key,
            registration.name,
            registration.locale,
            to_json(&registration.profile)?,
            registration.password_hash,
            registration.token_hash,
            registration.redirect_url,
            registration.created_at,
            registration.expires_at
        ],
    ))
}

pub(crate) fn user(row: &Row) -> Result<User, StoreError> {
    Ok(User {
        id: row.id("id", UserId::new)?,
        tenant: row.id("tenant_id", TenantId::new)?,
        email: row.get("email")?,
        email_key: row.bytes("email_key")?,
        email_verified: row.get("email_verified")?,
        name: row.get("name")?,
        locale: row.get("locale")?,
        profile: row.json("profile")?,
        preferences: row.json("preferences")?,
        password_hash: row.get("password_hash")?,
        status: status(row)?,
        mfa_enabled: row.get("mfa_enabled")?,
        subject_key: row.get("subject_key")?,
        security_version: row.get("security_version")?,
        kept_session: row.optional_id("kept_session", SessionId::new)?,
        version: row.get("version")?,
        erase_at: row.optional_time("erase_at")?,
        last_sign_in_at: row.optional_time("last_sign_in_at")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

fn registration(row: &Row) -> Result<Registration, StoreError> {
    Ok(Registration {
        id: row.id("id", RegistrationId::new)?,
        tenant: row.id("tenant_id", TenantId::new)?,
        email: row.get("email")?,
        email_key: row.bytes("email_key")?,
        name: row.get("name")?,
        locale: row.get("locale")?,
        profile: row.json("profile")?,
        password_hash: row.get("password_hash")?,
        token_hash: row.bytes("token_hash")?,
        redirect_url: row.get("redirect_url")?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
    })
}

fn token(row: &Row) -> Result<OneTimeToken, StoreError> {
    Ok(OneTimeToken {
        id: row.id("id", OneTimeTokenId::new)?,
        tenant: row.id("tenant_id", TenantId::new)?,
        user: row.id("user_id", UserId::new)?,
        purpose: TokenPurpose::parse(&row.get::<String>("purpose")?).ok_or_else(|| corrupt("purpose", "unknown"))?,
        token_hash: row.bytes("token_hash")?,
        data: row.get("data")?,
        security_version: row.get("security_version")?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
    })
}

/// The list's query; only our own text goes into it.
///
/// Its most selective condition comes first, and `CROSS JOIN` keeps SQLite from reordering: holders of a role are walked
/// in the order of the list, addresses with a prefix are a range of their index. Else the tenant's users are walked.
fn list_query(tenant: TenantId, filter: &UserFilter, after: Option<&Position>, limit: u32) -> (String, Vec<Value>) {
    let mut bound = values![tenant];
    let mut bind = |value: Value| {
        bound.push(value);
        bound.len()
    };
    let (from, mut conditions, order) = match (filter.role, &filter.email_prefix) {
        (Some(role), _) => (
            "role_assignments a CROSS JOIN users u",
            vec![
                "a.tenant_id = $1 AND u.tenant_id = $1 AND u.id = a.user_id".to_owned(),
                format!("a.role_id = ${}", bind(role.into())),
            ],
            "a.user_id",
        ),
        (None, Some(_)) => (
            "users e CROSS JOIN users u",
            vec!["e.tenant_id = $1 AND u.tenant_id = $1 AND u.id = e.id".to_owned()],
            "u.id",
        ),
        (None, None) => ("users u", vec!["u.tenant_id = $1".to_owned()], "u.id"),
    };
    if let Some(after) = after {
        conditions.push(format!("{order} < ${}", bind(after.id.into())));
    }
    if let Some(prefix) = &filter.email_prefix {
        let prefix = prefix.to_lowercase();
        let column = if filter.role.is_some() { "u.email_lower" } else { "e.email_lower" };
        // A range, so that the index serves it whatever is in the prefix.
        let end = format!("{prefix}{}", char::MAX);
        conditions.push(format!("{column} >= ${}", bind(prefix.into())));
        conditions.push(format!("{column} < ${}", bind(end.into())));
    }
    if let Some(part) = &filter.name_contains {
        conditions.push(format!("u.name_lower LIKE ${} ESCAPE '\\'", bind(containing(part).into())));
    }
    if let Some(status) = filter.status {
        conditions.push(format!("u.status = ${}", bind(status.as_str().into())));
    }
    let limit = bind(limit.into());
    let sql = format!(
        concat!("SELECT ", user_columns!(), " FROM {} WHERE {} ORDER BY {} DESC LIMIT +${}"),
        from,
        conditions.join(" AND "),
        order,
        limit
    );
    (sql, bound)
}

/// The pattern of texts that contain `part` in any case, whatever characters it has.
fn containing(part: &str) -> String {
    let escaped = part.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

#[async_trait]
impl AccountStore for SqlStore {
    async fn find_user(&self, tenant: TenantId, id: UserId) -> Result<Option<User>, StoreError> {
        let sql = concat!("SELECT ", user_columns!(), " FROM users u WHERE u.tenant_id = $1 AND u.id = $2");
        self.db.fetch_one(sql, values![tenant, id]).await?.as_ref().map(user).transpose()
    }

    async fn find_user_by_email(&self, tenant: TenantId, key: &EmailKey) -> Result<Option<User>, StoreError> {
        let sql = concat!("SELECT ", user_columns!(), " FROM users u WHERE u.tenant_id = $1 AND u.email_key = $2");
        self.db.fetch_one(sql, values![tenant, *key]).await?.as_ref().map(user).transpose()
    }

    async fn list_users(
        &self,
        tenant: TenantId,
        filter: &UserFilter,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Vec<User>, StoreError> {
        let (sql, values) = list_query(tenant, filter, after, limit);
        self.db.fetch(sql, values).await?.iter().map(user).collect()
    }

    async fn password_history(&self, tenant: TenantId, user: UserId, limit: u32) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT hash FROM password_history WHERE tenant_id = $1 AND user_id = $2 \
                   ORDER BY security_version DESC LIMIT +$3";
        self.db.fetch(sql, values![tenant, user, limit]).await?.iter().map(|row| row.get("hash")).collect()
    }

    async fn find_registration(
        &self,
        tenant: TenantId,
        id: RegistrationId,
    ) -> Result<Option<Registration>, StoreError> {
        let sql = concat!("SELECT ", registration_columns!(), " FROM registrations WHERE tenant_id = $1 AND id = $2");
        self.db.fetch_one(sql, values![tenant, id]).await?.as_ref().map(registration).transpose()
    }

    async fn list_registrations(
        &self,
        tenant: TenantId,
        key: &EmailKey,
        limit: u32,
    ) -> Result<Vec<Registration>, StoreError> {
        let sql = concat!(
            "SELECT ",
            registration_columns!(),
            " FROM registrations WHERE tenant_id = $1 AND email_key = $2 ORDER BY id DESC LIMIT +$3"
        );
        self.db.fetch(sql, values![tenant, *key, limit]).await?.iter().map(registration).collect()
    }

    async fn find_token(&self, tenant: TenantId, id: OneTimeTokenId) -> Result<Option<OneTimeToken>, StoreError> {
        let sql = "SELECT tenant_id, id, user_id, purpose, token_hash, data, security_version, created_at, expires_at \
                   FROM one_time_tokens WHERE tenant_id = $1 AND id = $2";
        self.db.fetch_one(sql, values![tenant, id]).await?.as_ref().map(token).transpose()
    }
}
