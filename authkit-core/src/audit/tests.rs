use super::{fixture::World, *};
use crate::{
    Principal,
    accounts::User,
    ports::Scope,
    tenants::{DEFAULT_TENANT, LeaseChange},
};
use authkit_wire::{AuditOutcome, ErrorCode, TenantId};
use uuid::Uuid;

const TENANT: Scope = Scope::Tenant(DEFAULT_TENANT);

async fn write(world: &World, action: &str) {
    world.put(TENANT, entry(&world.cx, &world.origin(), action).actor("operator").build()).await;
}

async fn verify(world: &World) -> VerifyReport {
    AuditLog::new(world.cx.clone()).verify(|_| {}).await.expect("read")
}

/// All that the database holds of the log.
struct Rows {
    records: Vec<AuditRecord>,
    links: Vec<AuditLink>,
    heads: Vec<AuditHead>,
}

impl Rows {
    /// Five records, linked; a head at the third and at the last place.
    fn honest(world: &World) -> Self {
        let records: Vec<AuditRecord> = (0..5)
            .map(|n| match entry(&world.cx, &world.origin(), &format!("test.{n}")).subject(n).data("n", n).build() {
                AuditChange::Write(record) => *record,
                other => panic!("{other:?}"),
            })
            .collect();
        let links = Self::chain(&records);
        let heads = [2, 4].map(|place: usize| Self::head(world, &links[place])).into();
        Self { records, links, heads }
    }

    fn chain(records: &[AuditRecord]) -> Vec<AuditLink> {
        let mut link = mac::GENESIS;
        let link_next = |(sequence, record): (i64, &AuditRecord)| {
            link = mac::link(&link, &record.mac);
            AuditLink { sequence, record: record.id, link }
        };
        (1..).zip(records).map(link_next).collect()
    }

    fn head(world: &World, link: &AuditLink) -> AuditHead {
        let (sequence, link, at) = (link.sequence, link.link, world.now());
        let mut head = AuditHead { sequence, link, at, key_version: 1, signature: [0; 32] };
        head.signature = mac::sign(&world.cx.keyring, &head).expect("the key is there");
        head
    }

    async fn problems(self, world: &World) -> Vec<VerifyProblem> {
        for record in self.records {
            world.put(TENANT, AuditChange::Write(Box::new(record))).await;
        }
        world.put(Scope::System, AuditChange::Link(self.links)).await;
        for head in self.heads {
            world.put(Scope::System, AuditChange::Sign(head)).await;
        }
        let report = verify(world).await;
        assert_eq!(report.problem_count, report.problems.len() as u64);
        report.problems
    }
}

async fn tampered(change: impl FnOnce(&World, &mut Rows)) -> Vec<VerifyProblem> {
    let world = World::new();
    let mut rows = Rows::honest(&world);
    change(&world, &mut rows);
    rows.problems(&world).await
}

#[tokio::test]
async fn an_untouched_log_verifies() {
    assert_eq!(tampered(|_, _| {}).await, []);
}

#[tokio::test]
async fn a_change_of_any_field_is_detected() {
    let changes: [fn(&mut AuditRecord); 9] = [
        |record| record.tenant = TenantId::new(Uuid::from_u128(9)),
        |record| record.at += jiff::SignedDuration::from_micros(1),
        |record| record.action.push('x'),
        |record| record.outcome = AuditOutcome::Failure,
        |record| record.actor = Some(String::new()),
        |record| record.subject = None,
        |record| record.personal = Some(vec![1]),
        |record| record.trace_id = None,
        |record| record.data = [("n".to_owned(), 7.into())].into_iter().collect(),
    ];
    for (place, change) in changes.into_iter().enumerate() {
        let world = World::new();
        let mut rows = Rows::honest(&world);
        let id = rows.records[1].id;
        change(&mut rows.records[1]);
        let tenant = rows.records[1].tenant;
        let moved = rows.records.remove(1);
        world.put(Scope::Tenant(tenant), AuditChange::Write(Box::new(moved))).await;
        let problems = rows.problems(&world).await;
        assert_eq!(problems, [VerifyProblem::RecordChanged { sequence: Some(2), record: id }], "change {place}");
    }
}

#[tokio::test]
async fn a_value_cannot_move_to_the_neighbouring_field() {
    let world = World::new();
    let mut rows = Rows::honest(&world);
    let id = rows.records[0].id;
    rows.records[0].actor = rows.records[0].subject.take();
    assert_eq!(rows.problems(&world).await, [VerifyProblem::RecordChanged { sequence: Some(1), record: id }]);
}

#[tokio::test]
async fn a_dropped_record_is_detected() {
    let problems = tampered(|_, rows| {
        rows.records.remove(2);
    })
    .await;
    assert!(matches!(problems[..], [VerifyProblem::RecordMissing { sequence: 3, .. }]), "{problems:?}");
}

#[tokio::test]
async fn a_record_dropped_with_its_link_is_detected() {
    let problems = tampered(|_, rows| {
        rows.records.remove(1);
        rows.links.remove(1);
    })
    .await;
    assert_eq!(problems, [VerifyProblem::Gap { expected: 2, found: 3 }]);
}

#[tokio::test]
async fn renumbering_after_a_drop_is_detected() {
    let problems = tampered(|_, rows| {
        rows.records.remove(1);
        rows.links.remove(1);
        for link in &mut rows.links[1..] {
            link.sequence -= 1;
        }
    })
    .await;
    assert!(problems.contains(&VerifyProblem::LinkBroken { sequence: 2 }), "{problems:?}");
    assert!(problems.contains(&VerifyProblem::HeadContradicts { sequence: 5 }), "{problems:?}");
}

#[tokio::test]
async fn a_chain_rewritten_without_the_key_contradicts_its_heads() {
    let problems = tampered(|_, rows| {
        rows.records.remove(1);
        rows.links = Rows::chain(&rows.records);
    })
    .await;
    assert_eq!(
        problems,
        [VerifyProblem::HeadContradicts { sequence: 3 }, VerifyProblem::HeadContradicts { sequence: 5 }]
    );
}

#[tokio::test]
async fn reordered_records_are_detected() {
    let problems = tampered(|_, rows| {
        let (a, b) = (rows.links[0].record, rows.links[1].record);
        (rows.links[0].record, rows.links[1].record) = (b, a);
    })
    .await;
    assert_eq!(problems, [VerifyProblem::LinkBroken { sequence: 1 }, VerifyProblem::LinkBroken { sequence: 2 }]);
}

#[tokio::test]
async fn a_record_put_in_without_the_key_is_detected_linked_or_not() {
    let forged = |rows: &Rows| AuditRecord {
        id: authkit_wire::AuditId::new(Uuid::from_u128(1)),
        mac: [9; 32],
        ..rows.records[0].clone()
    };
    let problems = tampered(|_, rows| rows.records.push(forged(rows))).await;
    assert!(matches!(problems[..], [VerifyProblem::RecordChanged { sequence: None, .. }]), "{problems:?}");
    let problems = tampered(|_, rows| {
        rows.records.push(forged(rows));
        rows.links = Rows::chain(&rows.records);
    })
    .await;
    assert!(matches!(problems[..], [VerifyProblem::RecordChanged { sequence: Some(6), .. }]), "{problems:?}");
}

#[tokio::test]
async fn a_cut_end_and_a_forged_head_are_detected() {
    let problems = tampered(|_, rows| {
        rows.records.truncate(4);
        rows.links.truncate(4);
    })
    .await;
    assert_eq!(problems, [VerifyProblem::HeadContradicts { sequence: 5 }]);
    let problems = tampered(|_, rows| {
        rows.records.truncate(4);
        rows.links.truncate(4);
        rows.heads[1].sequence = 4;
        rows.heads[1].link = rows.links[3].link;
    })
    .await;
    assert_eq!(problems, [VerifyProblem::HeadForged { sequence: 4 }]);
}

#[tokio::test]
async fn an_unsealed_record_is_a_problem_after_ten_seconds() {
    let world = World::new();
    write(&world, "test.one").await;
    world.advance(10);
    assert!(verify(&world).await.is_clean());
    world.advance(1);
    let report = verify(&world).await;
    assert!(matches!(report.problems[..], [VerifyProblem::Unsealed { .. }]), "{report:?}");
    AuditLog::new(world.cx.clone()).seal().await.expect("sealed");
    assert!(verify(&world).await.is_clean());
}

#[tokio::test]
async fn sealing_links_everything_and_signs_once_a_minute() {
    let world = World::new();
    let log = AuditLog::new(world.cx.clone());
    for n in 0..1201 {
        write(&world, &format!("test.{n}")).await;
    }
    log.seal().await.expect("sealed");
    let report = verify(&world).await;
    assert_eq!((report.records, report.links, report.heads, report.last_signed), (1201, 1201, 1, 1201));
    assert!(report.is_clean(), "{report:?}");

    write(&world, "test.later").await;
    world.advance(59);
    log.seal().await.expect("sealed");
    assert_eq!(verify(&world).await.heads, 1);
    world.advance(1);
    // Another service knows the last head from the store.
    AuditLog::new(world.cx.clone()).seal().await.expect("busy");
    assert_eq!(verify(&world).await.heads, 1, "the first one holds the lease");
    log.release().await.expect("released");
    AuditLog::new(world.cx.clone()).seal().await.expect("sealed");
    let report = verify(&world).await;
    assert_eq!((report.heads, report.last_signed, report.last_sequence), (2, 1202, 1202));
    world.advance(600);
    log.seal().await.expect("sealed");
    assert_eq!(verify(&world).await.heads, 2, "nothing new to sign");
}

#[tokio::test]
async fn a_run_of_the_sealer_ends_although_records_go_on_being_written() {
    use crate::accounts::tests::counting::{Counters, Counting};
    let counters = std::sync::Arc::new(Counters::default());
    let world = World::with(|cx, _| {
        cx.store = std::sync::Arc::new(Counting { inner: cx.store.clone(), counters: counters.clone() });
    });
    let log = AuditLog::new(world.cx.clone());
    write(&world, "test.one").await;
    log.seal().await.expect("sealed");
    write(&world, "test.two").await;
    counters.take();
    log.seal().await.expect("sealed");
    assert_eq!(counters.take().reads, 3, "what is unlinked, the last link, and the last link to sign");
    assert!(verify(&world).await.is_clean());
}

#[tokio::test]
async fn every_unlinked_record_is_checked() {
    let world = World::new();
    for n in 0..2001 {
        write(&world, &format!("test.{n}")).await;
    }
    world.advance(11);
    let report = verify(&world).await;
    assert_eq!((report.records, report.problem_count), (2001, 2001));
}

#[tokio::test]
async fn a_record_that_becomes_visible_late_is_linked_after_younger_ones() {
    let world = World::new();
    let log = AuditLog::new(world.cx.clone());
    let late = entry(&world.cx, &world.origin(), "test.late").build();
    world.advance(1);
    write(&world, "test.early").await;
    log.seal().await.expect("sealed");
    world.put(TENANT, late).await;
    log.seal().await.expect("sealed");
    let report = verify(&world).await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.last_sequence, 2);
}

#[tokio::test]
async fn while_another_node_seals_this_one_does_not() {
    let world = World::new();
    write(&world, "test.one").await;
    let now = world.now();
    let until = now + jiff::SignedDuration::from_secs(3);
    let other = LeaseChange::Acquire { name: "audit-seal", owner: Uuid::from_u128(1), now, until };
    world.put(Scope::System, other).await;
    let log = AuditLog::new(world.cx.clone());
    log.seal().await.expect("no error");
    assert_eq!(verify(&world).await.links, 0);
    world.advance(4);
    log.seal().await.expect("sealed");
    assert_eq!(verify(&world).await.links, 1);
}

async fn auditor(world: &World) -> (User, Principal) {
    let user = world.user("auditor").await;
    let role = world.role("auditor", None, &["audit:read"]).await;
    world.assign(&user, role).await;
    let principal = world.principal(&user).await;
    (user, principal)
}

#[tokio::test]
async fn personal_fields_are_readable_until_the_person_is_erased() {
    let world = World::new();
    let (_, principal) = auditor(&world).await;
    let person = world.user("person").await;
    let change = entry(&world.cx, &world.origin(), "session.created").actor(person.id).person(&person).build();
    if let AuditChange::Write(record) = &change {
        let sealed = record.personal.as_deref().expect("sealed");
        assert!(!sealed.windows(7).any(|part| part == b"192.0.2" || part == b"Test/1\""));
        assert!(record.data.is_empty());
    }
    world.put(TENANT, change).await;
    let log = AuditLog::new(world.cx.clone());
    let filter = AuditFilter { action: Some("session.".into()), ..AuditFilter::default() };
    let page = log.list(&crate::Origin::local(DEFAULT_TENANT), &principal, filter, None, None).await.expect("allowed");
    let view = page.data.first().expect("one");
    assert_eq!((view.ip.as_deref(), view.user_agent.as_deref()), (Some("192.0.2.7"), Some("Test/1")));
    assert_eq!(view.subject.as_deref(), Some(person.id.to_string().as_str()));

    // Another key opens nothing, and the record stays valid.
    let mut erased = person.clone();
    erased.subject_key = new_subject_key(&world.cx);
    let record = world.store.find_audit(DEFAULT_TENANT, view.id).await.expect("read").expect("there").0;
    let sealed = record.personal.as_deref().expect("sealed");
    assert!(personal::open(&world.cx, &person, record.id, sealed).is_some());
    assert!(personal::open(&world.cx, &erased, record.id, sealed).is_none());
    erased.subject_key.clear();
    assert!(personal::open(&world.cx, &erased, record.id, sealed).is_none());
    let moved = authkit_wire::AuditId::new(Uuid::from_u128(5));
    assert!(personal::open(&world.cx, &person, moved, sealed).is_none(), "bound to its record");
    assert!(mac::holds(&world.cx.keyring, &record));
}

#[tokio::test]
async fn reading_the_log_needs_the_permission_and_is_recorded() {
    let world = World::new();
    let (user, principal) = auditor(&world).await;
    let nobody = world.user("nobody").await;
    let nobody = world.principal(&nobody).await;
    write(&world, "test.one").await;
    let log = AuditLog::new(world.cx.clone());
    let refused = log
        .list(&crate::Origin::local(DEFAULT_TENANT), &nobody, AuditFilter::default(), None, None)
        .await
        .expect_err("refused");
    assert_eq!(refused.code, ErrorCode::Forbidden);
    let id = authkit_wire::AuditId::new(Uuid::from_u128(1));
    assert_eq!(
        log.get(&crate::Origin::local(DEFAULT_TENANT), &nobody, id).await.expect_err("refused").code,
        ErrorCode::Forbidden
    );
    assert_eq!(
        log.get(&crate::Origin::local(DEFAULT_TENANT), &principal, id).await.expect_err("none").code,
        ErrorCode::AuditNotFound
    );

    let filter = AuditFilter { action: Some("test.one".into()), ..AuditFilter::default() };
    let page = log.list(&crate::Origin::local(DEFAULT_TENANT), &principal, filter, None, None).await.expect("allowed");
    log.get(&crate::Origin::local(DEFAULT_TENANT), &principal, page.data[0].id).await.expect("allowed");
    let filter = AuditFilter { action: Some("audit.read".into()), ..AuditFilter::default() };
    let page = log.list(&crate::Origin::local(DEFAULT_TENANT), &principal, filter, None, None).await.expect("allowed");
    assert_eq!(page.data.len(), 2);
    assert_eq!(page.data[1].actor, Some(user.id.to_string()));
    assert_eq!(page.data[1].data["filter"]["action"], "test.one");
}

#[tokio::test]
async fn pages_go_on_where_they_ended_and_no_other_list_takes_their_cursor() {
    let world = World::new();
    let (_, principal) = auditor(&world).await;
    for n in 0..5 {
        write(&world, &format!("test.{n}")).await;
        world.advance(1);
    }
    let log = AuditLog::new(world.cx.clone());
    let filter = || AuditFilter { action: Some("test.".into()), ..AuditFilter::default() };
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = log
            .list(&crate::Origin::local(DEFAULT_TENANT), &principal, filter(), cursor.as_deref(), Some(2))
            .await
            .expect("a page");
        seen.extend(page.data.into_iter().map(|view| view.action));
        let Some(next) = page.next_cursor else { break };
        let other = log
            .list(&crate::Origin::local(DEFAULT_TENANT), &principal, AuditFilter::default(), Some(&next), Some(2))
            .await
            .expect_err("refused");
        assert_eq!(other.code, ErrorCode::InvalidCursor);
        cursor = Some(next);
    }
    assert_eq!(seen, ["test.4", "test.3", "test.2", "test.1", "test.0"]);
    for odd in ["", "a\0b", &"x".repeat(257)] {
        let odd = AuditFilter { subject: Some(odd.to_owned()), ..AuditFilter::default() };
        let refused =
            log.list(&crate::Origin::local(DEFAULT_TENANT), &principal, odd, None, None).await.expect_err("refused");
        assert_eq!(refused.code, ErrorCode::InvalidFilter);
    }
    let (from, until) = (Some(world.now()), Some(world.now()));
    let empty = log
        .list(
            &crate::Origin::local(DEFAULT_TENANT),
            &principal,
            AuditFilter { from, until, ..AuditFilter::default() },
            None,
            None,
        )
        .await;
    assert_eq!(empty.expect_err("refused").code, ErrorCode::InvalidFilter);
}

#[tokio::test]
async fn a_record_holds_no_control_characters_and_no_fractions() {
    let world = World::new();
    let mut origin = world.origin();
    origin.trace_id = Some("a\r\nb\0c".into());
    let built = entry(&world.cx, &origin, "test.\none")
        .actor("x\u{1b}[31m")
        .subject("s".repeat(4000))
        .data("k\n", serde_json::json!({"a\0": ["b\n", 1.5, 3, null]}))
        .build();
    let AuditChange::Write(record) = built else { panic!("a write") };
    assert_eq!(record.action, "test.one");
    assert_eq!(record.actor.as_deref(), Some("x[31m"));
    assert_eq!(record.trace_id.as_deref(), Some("abc"));
    assert_eq!(record.subject.as_deref().map(str::len), Some(512));
    assert_eq!(serde_json::Value::Object(record.data), serde_json::json!({"k": {"a": ["b", "1.5", 3, null]}}));
}

#[tokio::test]
async fn a_user_without_a_usable_key_is_recorded_without_personal_fields() {
    let world = World::new();
    let mut user = world.user("erased").await;
    user.subject_key.clear();
    let AuditChange::Write(record) = entry(&world.cx, &world.origin(), "test.one").person(&user).build() else {
        panic!("a write")
    };
    assert!(record.personal.is_none());
}
