use super::{AuditFilter, AuditLog, AuditRecord, administrator, entry, personal};
use crate::{
    Error, Origin, Principal, Result,
    accounts::User,
    paging::Paging,
    ports::{Position, Scope, Unit},
};
use authkit_wire::{AuditId, AuditOutcome, AuditView, ErrorCode, Page, UserId};
use serde_json::{Map, Value};
use std::collections::HashMap;

const LONGEST_FILTER: usize = 256;

impl AuditLog {
    /// Records for administration, the newest first. Reading them is itself recorded (`audit.read`).
    ///
    /// # Errors
    /// `auth.forbidden` without `audit:read`, and those of cursors, limits and filters.
    pub async fn list(
        &self,
        origin: &Origin,
        principal: &Principal,
        filter: AuditFilter,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Page<AuditView>> {
        principal.require("audit:read")?;
        validate(&filter)?;
        let described = describe(&filter);
        let bound = Value::Object(described.clone()).to_string();
        let paging = Paging::new(&self.cx, principal.tenant, "audit", &bound, cursor, limit)?;
        let rows = self.cx.store.list_audit(principal.tenant, &filter, paging.after.as_ref(), paging.fetch()).await?;
        let shown = rows.len().min(paging.fetch() as usize - 1);
        let people = self.people(rows[..shown].iter().map(|(record, _)| record)).await?;
        self.record_reading(origin, principal, described).await?;
        let position = |row: &(AuditRecord, Option<i64>)| Position { key: String::new(), id: row.0.id.uuid() };
        Ok(paging.page(&self.cx, rows, position, |(record, sequence)| self.view(record, sequence, &people)))
    }

    /// One record. Reading it is itself recorded.
    ///
    /// # Errors
    /// `auth.forbidden` without `audit:read`; `audit.not_found`.
    pub async fn get(&self, origin: &Origin, principal: &Principal, id: AuditId) -> Result<AuditView> {
        principal.require("audit:read")?;
        let row = self.cx.store.find_audit(principal.tenant, id).await?;
        let (record, sequence) = row.ok_or_else(|| Error::from(ErrorCode::AuditNotFound))?;
        let people = self.people(std::iter::once(&record)).await?;
        self.record_reading(origin, principal, Map::from_iter([("id".into(), id.to_string().into())])).await?;
        Ok(self.view(record, sequence, &people))
    }

    /// The users whose personal fields the records hold, as far as they exist.
    async fn people<'a>(&self, records: impl Iterator<Item = &'a AuditRecord>) -> Result<HashMap<UserId, User>> {
        let mut people = HashMap::new();
        for record in records {
            let Some(id) = record.personal.as_deref().and_then(personal::owner) else { continue };
            if !people.contains_key(&id)
                && let Some(user) = self.cx.store.find_user(record.tenant, id).await?
            {
                people.insert(id, user);
            }
        }
        Ok(people)
    }

    /// Records hold personal data, so that who read them is recorded (one record a request, with what was asked for).
    async fn record_reading(&self, origin: &Origin, principal: &Principal, asked: Map<String, Value>) -> Result<()> {
        let reader = administrator(&self.cx, Some(principal)).await?;
        let record = entry(&self.cx, origin, "audit.read").by(Some(principal)).seen(reader.as_ref());
        let record = record.data("filter", asked).build();
        self.cx.commit(Scope::Tenant(principal.tenant), Unit::new().with(record)).await?;
        Ok(())
    }

    fn view(&self, record: AuditRecord, sequence: Option<i64>, people: &HashMap<UserId, User>) -> AuditView {
        let personal = record
            .personal
            .as_deref()
            .and_then(|sealed| personal::open(&self.cx, people.get(&personal::owner(sealed)?)?, record.id, sealed))
            .unwrap_or_default();
        AuditView {
            id: record.id,
            at: record.at,
            action: record.action,
            outcome: record.outcome,
            actor: record.actor,
            subject: record.subject,
            ip: personal.ip,
            user_agent: personal.user_agent,
            trace_id: record.trace_id,
            data: record.data,
            sequence,
        }
    }
}

fn validate(filter: &AuditFilter) -> Result<()> {
    if let (Some(from), Some(until)) = (filter.from, filter.until)
        && from >= until
    {
        return Err(Error::new(ErrorCode::InvalidFilter, "`from` must be before `until`."));
    }
    for (name, value) in [("action", &filter.action), ("actor", &filter.actor), ("subject", &filter.subject)] {
        let Some(value) = value else { continue };
        // No record holds such a text, and not every store takes it.
        if value.is_empty() || value.len() > LONGEST_FILTER || value.contains(char::is_control) {
            let detail = format!("`{name}` must be 1 to {LONGEST_FILTER} bytes without control characters.");
            return Err(Error::new(ErrorCode::InvalidFilter, detail));
        }
    }
    Ok(())
}

fn describe(filter: &AuditFilter) -> Map<String, Value> {
    let outcome = filter.outcome.map(|outcome| match outcome {
        AuditOutcome::Success => "success".to_owned(),
        AuditOutcome::Failure => "failure".to_owned(),
    });
    [
        ("action", filter.action.clone()),
        ("actor", filter.actor.clone()),
        ("subject", filter.subject.clone()),
        ("outcome", outcome),
        ("from", filter.from.map(|at| at.to_string())),
        ("until", filter.until.map(|at| at.to_string())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?.into())))
    .collect()
}
