//! The outbox.

use super::{assert_conflict, build, commit, must, must_system, parallel};
use authkit_core::{
    notices::{KEPT_MAIL, NoticeChange, OutboxNotice},
    ports::{Conflict, Store, StoreError, Unit},
    wire::{NoticeId, OutboxMailView, TenantId},
};
use std::{collections::HashSet, sync::Arc};
use uuid::Uuid;

async fn enqueue(store: &dyn Store, tenant: TenantId, recipient: [u8; 33]) -> OutboxNotice {
    let notice = build::notice(tenant, recipient);
    must(store, tenant, Unit::new().with(NoticeChange::Enqueue(notice.clone()))).await;
    notice
}

/// Claims for a minute.
async fn claim(store: &dyn Store, owner: Uuid, seconds: i64, limit: u32) -> Vec<OutboxNotice> {
    store.claim_notices(owner, build::at(seconds), build::at(seconds + 60), limit).await.unwrap()
}

fn ids(notices: &[OutboxNotice]) -> Vec<NoticeId> {
    notices.iter().map(|notice| notice.id).collect()
}

pub async fn a_notice_is_claimed_delivered_and_gone(store: Arc<dyn Store>) {
    let (tenant, owner) = (build::tenant(), build::uuid());
    let notice = enqueue(&*store, tenant, build::key()).await;
    let across = commit(&*store, build::tenant(), Unit::new().with(NoticeChange::Enqueue(notice.clone()))).await;
    assert!(matches!(across, Err(StoreError::CrossTenant)), "{across:?}");
    assert_eq!(store.count_notices().await.unwrap(), (1, 0));
    let claimed = claim(&*store, owner, 1, 10).await;
    let expected = OutboxNotice { attempts: 1, lease: Some((owner, build::at(61))), ..notice.clone() };
    assert_eq!(claimed, [expected]);
    assert!(claim(&*store, build::uuid(), 2, 10).await.is_empty(), "it has an owner");
    let delivered = Unit::new().with(NoticeChange::Delivered { id: notice.id, owner });
    must(&*store, tenant, delivered.clone()).await;
    assert_conflict(&commit(&*store, tenant, delivered).await, 0, Conflict::Changed);
    assert_eq!(store.count_notices().await.unwrap(), (0, 0));
}

pub async fn a_notice_waits_for_its_time(store: Arc<dyn Store>) {
    let (tenant, owner) = (build::tenant(), build::uuid());
    let late = OutboxNotice { available_at: build::at(100), ..build::notice(tenant, build::key()) };
    must(&*store, tenant, Unit::new().with(NoticeChange::Enqueue(late.clone()))).await;
    assert!(claim(&*store, owner, 99, 10).await.is_empty());
    assert_eq!(ids(&claim(&*store, owner, 100, 10).await), [late.id]);
    let retry = NoticeChange::Retry { id: late.id, owner, available_at: build::at(300) };
    must(&*store, tenant, Unit::new().with(retry)).await;
    assert!(claim(&*store, owner, 299, 10).await.is_empty());
    let again = claim(&*store, owner, 300, 10).await;
    assert_eq!((again[0].id, again[0].attempts), (late.id, 2));
}

pub async fn notices_of_a_recipient_keep_their_order(store: Arc<dyn Store>) {
    let (tenant, owner, recipient) = (build::tenant(), build::uuid(), build::key());
    let first = enqueue(&*store, tenant, recipient).await;
    let second = enqueue(&*store, tenant, recipient).await;
    let other = enqueue(&*store, tenant, build::key()).await;
    assert_eq!(
        ids(&claim(&*store, owner, 1, 10).await),
        [first.id, other.id],
        "the oldest first, one of each recipient"
    );
    assert!(claim(&*store, owner, 2, 10).await.is_empty());
    let retry = NoticeChange::Retry { id: first.id, owner, available_at: build::at(50) };
    must(&*store, tenant, Unit::new().with(retry)).await;
    assert!(claim(&*store, owner, 3, 10).await.is_empty(), "the second waits for the first, which waits for its time");
    assert_eq!(ids(&claim(&*store, owner, 50, 10).await), [first.id]);
    must(&*store, tenant, Unit::new().with(NoticeChange::Delivered { id: first.id, owner })).await;
    assert_eq!(ids(&claim(&*store, owner, 51, 10).await), [second.id]);
}

pub async fn parallel_claims_share_no_notice(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    for _ in 0..40 {
        enqueue(&*store, tenant, build::key()).await;
    }
    let claims = parallel(0..8, |_| {
        let store = Arc::clone(&store);
        async move {
            let owner = build::uuid();
            let mut mine = Vec::new();
            for _ in 0..4 {
                mine.extend(claim(&*store, owner, 1, 3).await);
            }
            mine
        }
    })
    .await;
    let mut all: Vec<_> = claims.iter().flatten().map(|notice| notice.id).collect();
    all.extend(ids(&claim(&*store, build::uuid(), 1, 100).await));
    assert_eq!(all.len(), 40);
    assert_eq!(all.into_iter().collect::<HashSet<_>>().len(), 40);
}

pub async fn a_lease_that_ran_out_is_claimed_again(store: Arc<dyn Store>) {
    let (tenant, one, two) = (build::tenant(), build::uuid(), build::uuid());
    let notice = enqueue(&*store, tenant, build::key()).await;
    claim(&*store, one, 0, 10).await;
    assert!(claim(&*store, two, 59, 10).await.is_empty());
    let again = claim(&*store, two, 61, 10).await;
    assert_eq!((again[0].id, again[0].attempts), (notice.id, 2));
    let late = NoticeChange::Delivered { id: notice.id, owner: one };
    assert_conflict(&commit(&*store, tenant, Unit::new().with(late)).await, 0, Conflict::Changed);
}

pub async fn only_the_owner_settles_a_notice(store: Arc<dyn Store>) {
    let (tenant, owner, other) = (build::tenant(), build::uuid(), build::uuid());
    let notice = enqueue(&*store, tenant, build::key()).await;
    claim(&*store, owner, 0, 10).await;
    let id = notice.id;
    for change in [
        NoticeChange::Delivered { id, owner: other },
        NoticeChange::Retry { id, owner: other, available_at: build::at(1) },
        NoticeChange::Bury { id, owner: other },
    ] {
        assert_conflict(&commit(&*store, tenant, Unit::new().with(change)).await, 0, Conflict::Changed);
    }
    let elsewhere = Unit::new().with(NoticeChange::Delivered { id, owner });
    assert_conflict(&commit(&*store, build::tenant(), elsewhere).await, 0, Conflict::Changed);
    assert_eq!(store.count_notices().await.unwrap(), (1, 0));
}

pub async fn a_dead_notice_lets_the_next_pass(store: Arc<dyn Store>) {
    let (tenant, owner, recipient) = (build::tenant(), build::uuid(), build::key());
    let poison = enqueue(&*store, tenant, recipient).await;
    let next = enqueue(&*store, tenant, recipient).await;
    claim(&*store, owner, 0, 10).await;
    must(&*store, tenant, Unit::new().with(NoticeChange::Bury { id: poison.id, owner })).await;
    assert_eq!(store.count_notices().await.unwrap(), (1, 1));
    assert_eq!(ids(&claim(&*store, owner, 1, 10).await), [next.id]);
    assert!(claim(&*store, owner, 1000, 10).await.iter().all(|notice| notice.id != poison.id), "dead stays dead");
}

pub async fn leases_are_given_back(store: Arc<dyn Store>) {
    let (tenant, one, two) = (build::tenant(), build::uuid(), build::uuid());
    let mine = enqueue(&*store, tenant, build::key()).await;
    claim(&*store, one, 0, 10).await;
    let theirs = enqueue(&*store, build::tenant(), build::key()).await;
    claim(&*store, two, 0, 10).await;
    let release = Unit::new().with(NoticeChange::ReleaseLeases { owner: one });
    assert_eq!(must_system(&*store, release).await.get(0), 1);
    let again = claim(&*store, two, 1, 10).await;
    assert_eq!(ids(&again), [mine.id]);
    assert_ne!(mine.id, theirs.id);
}

pub async fn expired_notices_are_deleted(store: Arc<dyn Store>) {
    let (tenant, recipient) = (build::tenant(), build::key());
    let old = OutboxNotice { expires_at: build::at(10), ..build::notice(tenant, recipient) };
    must(&*store, tenant, Unit::new().with(NoticeChange::Enqueue(old))).await;
    let fresh = enqueue(&*store, tenant, recipient).await;
    let sweep = |seconds| Unit::new().with(NoticeChange::DeleteExpired { before: build::at(seconds) });
    let claimed = claim(&*store, build::uuid(), 10, 10).await;
    assert_eq!(ids(&claimed), [fresh.id], "what has expired is not claimed, and is in nobody's way");
    let owner = claimed[0].lease.unwrap().0;
    must_system(&*store, Unit::new().with(NoticeChange::ReleaseLeases { owner })).await;
    assert_eq!(must_system(&*store, sweep(10)).await.get(0), 0);
    assert_eq!(must_system(&*store, sweep(11)).await.get(0), 1);
    assert_eq!(ids(&claim(&*store, build::uuid(), 12, 10).await), [fresh.id]);
}

pub async fn development_mail_is_kept_once(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let mail = |to: &str, seconds| OutboxMailView {
        kind: "verify_email".to_owned(),
        to: to.to_owned(),
        subject: format!("Number {seconds}"),
        text: "Text".to_owned(),
        html: "<p>Text</p>".to_owned(),
        links: vec!["https://example.org/verify?token=x".to_owned()],
        code: None,
        created_at: build::at(seconds),
    };
    let keep = |id, mail| Unit::new().with(NoticeChange::KeepForDevelopment { id, mail });
    let first = NoticeId::new(build::uuid());
    must(&*store, tenant, keep(first, mail("ada@example.org", 1))).await;
    must(&*store, tenant, keep(first, mail("ada@example.org", 9))).await;
    must(&*store, tenant, keep(NoticeId::new(build::uuid()), mail("bob@example.org", 2))).await;
    let subjects = |mails: Vec<OutboxMailView>| mails.into_iter().map(|mail| mail.subject).collect::<Vec<_>>();
    assert_eq!(subjects(store.list_development_mail(tenant, None).await.unwrap()), ["Number 2", "Number 1"]);
    let to = store.list_development_mail(tenant, Some("ada@example.org")).await.unwrap();
    assert_eq!(to[0].links, ["https://example.org/verify?token=x"]);
    assert_eq!(subjects(to), ["Number 1"]);
    assert!(store.list_development_mail(build::tenant(), None).await.unwrap().is_empty());
}

pub async fn the_newest_development_mail_is_kept(store: Arc<dyn Store>) {
    let (tenant, other) = (build::tenant(), build::tenant());
    let mail = |seconds: i64| OutboxMailView {
        kind: "verify_email".to_owned(),
        to: if seconds == 0 { "first@example.org" } else { "ada@example.org" }.to_owned(),
        subject: format!("Number {seconds}"),
        text: String::new(),
        html: String::new(),
        links: Vec::new(),
        code: None,
        created_at: build::at(seconds),
    };
    let keep = |mail| Unit::new().with(NoticeChange::KeepForDevelopment { id: NoticeId::new(build::uuid()), mail });
    must(&*store, other, keep(mail(0))).await;
    let mut unit = Unit::new();
    for seconds in 0..i64::from(KEPT_MAIL) {
        unit.changes.extend(keep(mail(seconds)).changes);
    }
    must(&*store, tenant, unit).await;
    let first = async |tenant| store.list_development_mail(tenant, Some("first@example.org")).await.unwrap().len();
    assert_eq!(first(tenant).await, 1);
    must(&*store, tenant, keep(mail(5000))).await;
    assert_eq!((first(tenant).await, first(other).await), (0, 1));
}

pub async fn expired_notices_are_deleted_in_batches(store: Arc<dyn Store>) {
    let tenant = build::tenant();
    let mut unit = Unit::new();
    for _ in 0..1001 {
        unit.push(NoticeChange::Enqueue(OutboxNotice {
            expires_at: build::at(10),
            ..build::notice(tenant, build::key())
        }));
    }
    must(&*store, tenant, unit).await;
    let sweep = || Unit::new().with(NoticeChange::DeleteExpired { before: build::at(11) });
    assert_eq!(must_system(&*store, sweep()).await.get(0), 1000);
    assert_eq!(must_system(&*store, sweep()).await.get(0), 1);
}
