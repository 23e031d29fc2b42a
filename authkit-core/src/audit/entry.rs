use super::{AuditChange, AuditRecord, mac, personal};
use crate::{Context, Origin, Principal, Result, accounts::User};
use authkit_wire::{AuditId, AuditOutcome, TenantId};
use serde_json::{Map, Value};
use std::fmt::Display;

const LONGEST: usize = 512;

/// A record in the making. [`build`](Self::build) gives the change that goes into the operation's unit.
#[must_use]
#[derive(Debug)]
pub struct Entry<'a> {
    cx: &'a Context,
    origin: &'a Origin,
    tenant: TenantId,
    action: String,
    outcome: AuditOutcome,
    actor: Option<String>,
    subject: Option<String>,
    person: Option<&'a User>,
    data: Map<String, Value>,
}

/// Who acts: the address and `User-Agent` of the request are theirs (see [`Entry::seen`]). Nobody for an operator.
pub(crate) async fn administrator(cx: &Context, principal: Option<&Principal>) -> Result<Option<User>> {
    match principal {
        Some(principal) => Ok(cx.store.find_user(principal.tenant, principal.user).await?),
        None => Ok(None),
    }
}

/// Begins the record of `action` in the tenant of `origin`; a success unless it is said otherwise.
pub fn entry<'a>(cx: &'a Context, origin: &'a Origin, action: &str) -> Entry<'a> {
    Entry {
        cx,
        origin,
        tenant: origin.tenant,
        action: action.into(),
        outcome: AuditOutcome::Success,
        actor: None,
        subject: None,
        person: None,
        data: Map::new(),
    }
}

impl<'a> Entry<'a> {
    /// In another tenant than that of the origin: where a token names its own tenant.
    pub const fn tenant(mut self, tenant: TenantId) -> Self {
        self.tenant = tenant;
        self
    }

    /// It was refused.
    pub const fn failure(mut self) -> Self {
        self.outcome = AuditOutcome::Failure;
        self
    }

    /// Done by: an id, or a pseudonym for an address without account.
    pub fn actor(mut self, actor: impl Display) -> Self {
        self.actor = Some(clean(&actor.to_string()));
        self
    }

    /// Done by an operator: the command line or the embedding application.
    pub fn operator(self) -> Self {
        self.actor("operator")
    }

    /// Done by AuthKit itself.
    pub fn system(self) -> Self {
        self.actor("system")
    }

    /// Done by the principal in its tenant, or by an operator when there is none.
    pub fn by(self, principal: Option<&Principal>) -> Self {
        match principal {
            Some(principal) => self.tenant(principal.tenant).actor(principal.user),
            None => self.operator(),
        }
    }

    /// Done to.
    pub fn subject(mut self, subject: impl Display) -> Self {
        self.subject = Some(clean(&subject.to_string()));
        self
    }

    /// The person whose address and `User-Agent` these are: they are sealed under that user's key and become
    /// unreadable with it. The record belongs to the user's tenant, and its subject is the user unless it is said otherwise.
    pub const fn person(mut self, user: &'a User) -> Self {
        self.tenant = user.tenant;
        self.person = Some(user);
        self
    }

    /// The same where the person is an administrator, if the record is of one's doing. Its subject stays whom it is done to.
    pub const fn seen(mut self, administrator: Option<&'a User>) -> Self {
        if let Some(administrator) = administrator {
            self = self.person(administrator);
        }
        self
    }

    /// More about it. Nothing personal and no secret belongs here. Numbers are whole: a fraction is kept as text, since
    /// its JSON form is not the same in every store.
    pub fn data(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.data.insert(clean(key), storable(value.into()));
        self
    }

    /// The record as a change.
    #[must_use]
    pub fn build(self) -> AuditChange {
        let id = AuditId::new(self.cx.uuid());
        let personal = self.person.and_then(|user| personal::seal(self.cx, user, id, self.origin));
        let mut record = AuditRecord {
            id,
            tenant: self.tenant,
            at: self.cx.now(),
            action: clean(&self.action),
            outcome: self.outcome,
            actor: self.actor,
            subject: self.subject.or_else(|| self.person.map(|user| user.id.to_string())),
            personal,
            trace_id: self.origin.trace_id.as_deref().map(clean),
            data: self.data,
            key_version: self.cx.keyring.current(),
            mac: [0; 32],
        };
        record.mac = mac::compute(&self.cx.keyring, &record).unwrap_or_default();
        AuditChange::Write(Box::new(record))
    }
}

/// Without control characters (log injection; PostgreSQL takes no NUL) and bounded.
fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

fn storable(value: Value) -> Value {
    match value {
        Value::Number(number) if !(number.is_i64() || number.is_u64()) => Value::String(number.to_string()),
        Value::String(text) => Value::String(clean(&text)),
        Value::Array(items) => items.into_iter().map(storable).collect(),
        Value::Object(map) => map.into_iter().map(|(key, value)| (clean(&key), storable(value))).collect(),
        other => other,
    }
}
