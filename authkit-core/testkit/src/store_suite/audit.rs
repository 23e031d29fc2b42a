//! The audit log and its chain.

use super::{assert_conflict, build, must, must_system};
use authkit_core::{
    audit::{AuditChange, AuditFilter, AuditHead, AuditLink, AuditRecord},
    ports::{Conflict, Position, Scope, Store, StoreError, Unit},
    wire::{AuditId, AuditOutcome},
};
use std::sync::Arc;

async fn write(store: &dyn Store, record: &AuditRecord) {
    must(store, record.tenant, Unit::new().with(AuditChange::Write(Box::new(record.clone())))).await;
}

async fn written(store: &dyn Store, count: i64) -> Vec<AuditRecord> {
    let tenant = build::tenant();
    let mut records = Vec::new();
    for number in 0..count {
        let record = build::audit(tenant, "session.created", number);
        write(store, &record).await;
        records.push(record);
    }
    records
}

fn link(sequence: i64, record: &AuditRecord) -> AuditLink {
    AuditLink { sequence, record: record.id, link: build::bytes() }
}

fn head(sequence: i64) -> AuditHead {
    AuditHead { sequence, link: build::bytes(), at: build::at(sequence), key_version: 2, signature: build::bytes() }
}

pub async fn a_record_is_kept_as_it_was(store: Arc<dyn Store>) {
    let full = build::audit(build::tenant(), "user.updated", 5);
    let bare = AuditRecord {
        outcome: AuditOutcome::Failure,
        actor: None,
        subject: None,
        personal: None,
        trace_id: None,
        data: serde_json::Map::new(),
        ..build::audit(full.tenant, "session.failed", 6)
    };
    for record in [full, bare] {
        write(&*store, &record).await;
        assert_eq!(store.find_audit(record.tenant, record.id).await.unwrap(), Some((record, None)));
    }
}

pub async fn records_are_listed_newest_first_by_page(store: Arc<dyn Store>) {
    let records = written(&*store, 5).await;
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.list_audit(records[0].tenant, &AuditFilter::default(), after.as_ref(), 2).await.unwrap();
        let Some((last, _)) = page.last() else { break };
        after = Some(Position { key: String::new(), id: last.id.uuid() });
        found.extend(page.into_iter().map(|(record, _)| record));
    }
    found.reverse();
    assert_eq!(found, records);
}

pub async fn records_are_filtered(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let text = |text: &str| Some(text.to_owned());
    let mut records = Vec::new();
    for (action, seconds) in [("session.created", 0), ("session.ended", 10), ("sessions", 20), ("role.created", 30)] {
        let mut record = build::audit(tenant, action, seconds);
        if seconds == 10 {
            (record.actor, record.subject) = (text("operator"), text("usr_other"));
            record.outcome = AuditOutcome::Failure;
        }
        write(&*store, &record).await;
        records.push(record);
    }
    let cases = [
        (AuditFilter { action: text("session.ended"), ..AuditFilter::default() }, vec![1]),
        (AuditFilter { action: text("session."), ..AuditFilter::default() }, vec![1, 0]),
        (AuditFilter { action: text("session"), ..AuditFilter::default() }, vec![]),
        (AuditFilter { actor: text("operator"), ..AuditFilter::default() }, vec![1]),
        (AuditFilter { subject: text("usr_subject"), ..AuditFilter::default() }, vec![3, 2, 0]),
        (AuditFilter { outcome: Some(AuditOutcome::Failure), ..AuditFilter::default() }, vec![1]),
        (AuditFilter { from: Some(build::at(10)), ..AuditFilter::default() }, vec![3, 2, 1]),
        (AuditFilter { until: Some(build::at(10)), ..AuditFilter::default() }, vec![0]),
        (
            AuditFilter {
                action: text("session."),
                outcome: Some(AuditOutcome::Success),
                from: Some(build::at(0)),
                until: Some(build::at(30)),
                ..AuditFilter::default()
            },
            vec![0],
        ),
    ];
    for (filter, expected) in cases {
        let found: Vec<_> =
            store.list_audit(tenant, &filter, None, 10).await.unwrap().into_iter().map(|(record, _)| record).collect();
        let expected: Vec<_> = expected.into_iter().map(|place: usize| records[place].clone()).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
}

pub async fn records_are_linked_once(store: Arc<dyn Store>) {
    let records = written(&*store, 3).await;
    assert_eq!(store.list_unlinked_audit(None, 10).await.unwrap(), records, "the oldest first");
    assert_eq!(store.list_unlinked_audit(None, 2).await.unwrap(), records[..2]);
    assert_eq!(store.list_unlinked_audit(Some(records[1].id), 2).await.unwrap(), records[2..]);
    let links = vec![link(1, &records[0]), link(2, &records[1])];
    must_system(&*store, Unit::new().with(AuditChange::Link(links.clone()))).await;
    assert_eq!(store.list_unlinked_audit(None, 10).await.unwrap(), records[2..]);
    let (found, place) = store.find_audit(records[1].tenant, records[1].id).await.unwrap().unwrap();
    assert_eq!((found, place), (records[1].clone(), Some(2)));
    let listed = store.list_audit(records[1].tenant, &AuditFilter::default(), None, 10).await.unwrap();
    assert_eq!(listed.iter().map(|(_, place)| *place).collect::<Vec<_>>(), [None, Some(2), Some(1)]);
    for taken in [link(2, &records[2]), link(3, &records[1])] {
        let unit = Unit::new().with(AuditChange::Link(vec![taken]));
        assert_conflict(&store.commit(Scope::System, unit).await, 0, Conflict::Taken);
    }
    let inside = store
        .commit(Scope::Tenant(records[2].tenant), Unit::new().with(AuditChange::Link(vec![link(3, &records[2])])))
        .await;
    assert!(matches!(inside, Err(StoreError::CrossTenant)), "{inside:?}");
}

pub async fn a_failed_link_leaves_nothing(store: Arc<dyn Store>) {
    let records = written(&*store, 40).await;
    let mut links: Vec<_> = (1..).zip(&records).map(|(place, record)| link(place, record)).collect();
    links[39].sequence = 7;
    let unit = Unit::new().with(AuditChange::Link(links));
    assert_conflict(&store.commit(Scope::System, unit).await, 0, Conflict::Taken);
    assert_eq!(store.last_audit_link().await.unwrap(), None);
    assert_eq!(store.list_unlinked_audit(None, 100).await.unwrap(), records);
}

pub async fn the_chain_is_read_in_order(store: Arc<dyn Store>) {
    let records = written(&*store, 40).await;
    let links: Vec<_> = (1..).zip(&records).map(|(place, record)| link(place, record)).collect();
    must_system(&*store, Unit::new().with(AuditChange::Link(links.clone()))).await;
    assert_eq!(store.last_audit_link().await.unwrap(), links.last().cloned());
    let expected: Vec<_> = links.into_iter().zip(records.into_iter().map(Some)).collect();
    assert_eq!(store.list_audit_chain(0, 100).await.unwrap(), expected);
    assert_eq!(store.list_audit_chain(5, 3).await.unwrap(), expected[5..8]);
    assert!(store.list_unlinked_audit(None, 5).await.unwrap().is_empty());
}

pub async fn heads_are_read_in_order(store: Arc<dyn Store>) {
    let heads = [head(3), head(8), head(9)];
    for head in &heads {
        must_system(&*store, Unit::new().with(AuditChange::Sign(head.clone()))).await;
    }
    assert_eq!(store.list_audit_heads(0, 10).await.unwrap(), heads);
    assert_eq!(store.list_audit_heads(3, 1).await.unwrap(), heads[1..2]);
}

pub async fn records_of_another_tenant_are_invisible(store: Arc<dyn Store>) {
    let records = written(&*store, 1).await;
    let ours = build::tenant();
    assert_eq!(store.find_audit(ours, records[0].id).await.unwrap(), None);
    assert!(store.list_audit(ours, &AuditFilter::default(), None, 5).await.unwrap().is_empty());
    assert_eq!(store.find_audit(records[0].tenant, AuditId::new(build::uuid())).await.unwrap(), None);
    let theirs = AuditChange::Write(Box::new(build::audit(records[0].tenant, "role.created", 0)));
    let across = store.commit(Scope::Tenant(ours), Unit::new().with(theirs)).await;
    assert!(matches!(across, Err(StoreError::CrossTenant)), "{across:?}");
}
