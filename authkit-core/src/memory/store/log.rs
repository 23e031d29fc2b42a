use super::{MemoryStore, Outcome, State, TAKEN, count, insert, inserts, system};
use crate::{
    audit::{AuditChange, AuditFilter, AuditHead, AuditLink, AuditRecord, AuditStore},
    ports::{Position, Scope, StoreError},
};
use async_trait::async_trait;
use authkit_wire::{AuditId, TenantId};
use std::ops::Bound::{Excluded, Unbounded};

impl State {
    pub(super) fn apply_audit(&mut self, scope: Scope, change: AuditChange) -> Outcome {
        match change {
            AuditChange::Write(record) => {
                inserts(scope, record.tenant)?;
                insert(&mut self.audit, record.id, *record)
            }
            AuditChange::Link(links) => {
                system(scope)?;
                let rows = count(links.len());
                for link in links {
                    if self.links.contains_key(&link.sequence) || self.linked.contains_key(&link.record) {
                        return Err(TAKEN);
                    }
                    self.linked.insert(link.record, link.sequence);
                    self.links.insert(link.sequence, link);
                }
                Ok(rows)
            }
            AuditChange::Sign(head) => {
                system(scope)?;
                insert(&mut self.heads, head.sequence, head)
            }
        }
    }

    fn placed(&self, record: &AuditRecord) -> (AuditRecord, Option<i64>) {
        (record.clone(), self.linked.get(&record.id).copied())
    }
}

fn wanted(filter: &AuditFilter, record: &AuditRecord) -> bool {
    let action = filter.action.as_ref().is_none_or(|action| {
        if action.ends_with('.') { record.action.starts_with(action) } else { record.action == *action }
    });
    action
        && (filter.actor.is_none() || filter.actor == record.actor)
        && (filter.subject.is_none() || filter.subject == record.subject)
        && filter.outcome.is_none_or(|outcome| outcome == record.outcome)
        && filter.from.is_none_or(|from| record.at >= from)
        && filter.until.is_none_or(|until| record.at < until)
}

#[async_trait]
impl AuditStore for MemoryStore {
    async fn list_audit(
        &self,
        tenant: TenantId,
        filter: &AuditFilter,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Vec<(AuditRecord, Option<i64>)>, StoreError> {
        let state = self.read();
        let page = state.audit.values().rev().filter(|row| {
            row.tenant == tenant && after.is_none_or(|position| row.id.uuid() < position.id) && wanted(filter, row)
        });
        Ok(page.take(limit as usize).map(|row| state.placed(row)).collect())
    }

    async fn find_audit(
        &self,
        tenant: TenantId,
        id: AuditId,
    ) -> Result<Option<(AuditRecord, Option<i64>)>, StoreError> {
        let state = self.read();
        Ok(state.audit.get(&id).filter(|row| row.tenant == tenant).map(|row| state.placed(row)))
    }

    async fn list_unlinked_audit(&self, after: Option<AuditId>, limit: u32) -> Result<Vec<AuditRecord>, StoreError> {
        let state = self.read();
        let later = state.audit.values().filter(|row| after.is_none_or(|after| row.id > after));
        let unlinked = later.filter(|row| !state.linked.contains_key(&row.id));
        Ok(unlinked.take(limit as usize).cloned().collect())
    }

    async fn list_audit_chain(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<(AuditLink, Option<AuditRecord>)>, StoreError> {
        let state = self.read();
        let links = state.links.range((Excluded(after), Unbounded)).take(limit as usize);
        Ok(links.map(|(_, link)| (link.clone(), state.audit.get(&link.record).cloned())).collect())
    }

    async fn last_audit_link(&self) -> Result<Option<AuditLink>, StoreError> {
        Ok(self.read().links.last_key_value().map(|(_, link)| link.clone()))
    }

    async fn list_audit_heads(&self, after: i64, limit: u32) -> Result<Vec<AuditHead>, StoreError> {
        let state = self.read();
        let heads = state.heads.range((Excluded(after), Unbounded)).take(limit as usize);
        Ok(heads.map(|(_, head)| head.clone()).collect())
    }
}
