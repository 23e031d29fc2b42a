use super::{AuditHead, AuditLog, mac};
use crate::Result;
use authkit_wire::AuditId;
use jiff::SignedDuration;
use std::{collections::VecDeque, fmt};

/// How many links are read at a time.
const PAGE: u32 = 1000;

/// A record must be linked by this age.
const UNSEALED: SignedDuration = SignedDuration::from_secs(10);

/// Problems beyond this are counted, not kept: a chain that was set back has one in every row.
const KEPT: usize = 1000;

/// Something that the log should not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyProblem {
    /// Places are missing before this one.
    Gap {
        /// The place that should have come.
        expected: i64,
        /// The place that came.
        found: i64,
    },
    /// A linked record is gone.
    RecordMissing {
        /// Its place.
        sequence: i64,
        /// The record.
        record: AuditId,
    },
    /// A record was changed after it was written, or written without the key.
    RecordChanged {
        /// Its place, when it has one.
        sequence: Option<i64>,
        /// The record.
        record: AuditId,
    },
    /// A link does not follow from the one before it and the record: a link was changed, or records were reordered.
    LinkBroken {
        /// Its place.
        sequence: i64,
    },
    /// A head's signature is wrong.
    HeadForged {
        /// The place it covers.
        sequence: i64,
    },
    /// A genuine head covers a place whose link is another one, or that is gone: the chain was rewritten or cut.
    HeadContradicts {
        /// The place it covers.
        sequence: i64,
    },
    /// A record is older than ten seconds and not linked: nothing seals, or it was put in.
    Unsealed {
        /// The record.
        record: AuditId,
    },
}

impl fmt::Display for VerifyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap { expected, found } => write!(f, "places {expected} to {} are missing", found - 1),
            Self::RecordMissing { sequence, record } => write!(f, "place {sequence}: the record {record} is missing"),
            Self::RecordChanged { sequence: Some(sequence), record } => {
                write!(f, "place {sequence}: the record {record} is not as it was written")
            }
            Self::RecordChanged { sequence: None, record } => {
                write!(f, "the record {record} is not as it was written")
            }
            Self::LinkBroken { sequence } => {
                write!(f, "place {sequence}: the link does not follow from the one before")
            }
            Self::HeadForged { sequence } => write!(f, "the head at place {sequence} has a wrong signature"),
            Self::HeadContradicts { sequence } => {
                write!(f, "the signed head at place {sequence} does not fit the chain, which was rewritten or cut")
            }
            Self::Unsealed { record } => write!(f, "the record {record} is older than ten seconds and not linked"),
        }
    }
}

/// What verifying the log found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Records whose MAC was checked.
    pub records: u64,
    /// Links that were checked.
    pub links: u64,
    /// Signed heads that were checked.
    pub heads: u64,
    /// The last place of the chain.
    pub last_sequence: i64,
    /// The last place that a genuine head covers. Compare it with the newest head in the logs: a database that was set back
    /// as a whole shows only there.
    pub last_signed: i64,
    /// What is wrong; at most a thousand are kept.
    pub problems: Vec<VerifyProblem>,
    /// How much is wrong.
    pub problem_count: u64,
}

impl VerifyReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.problem_count == 0
    }

    fn problem(&mut self, problem: VerifyProblem) {
        self.problem_count += 1;
        if self.problems.len() < KEPT {
            self.problems.push(problem);
        }
    }
}

impl AuditLog {
    /// Checks every record, link and signed head of every tenant, a page at a time. `progress` hears after each page how
    /// many records were checked.
    ///
    /// # Errors
    /// Those of the store. What is wrong with the log is in the report.
    pub async fn verify(&self, mut progress: impl FnMut(u64) + Send) -> Result<VerifyReport> {
        let keyring = &self.cx.keyring;
        let mut report = VerifyReport::default();
        let mut heads = Heads::default();
        let mut before = mac::GENESIS;
        let mut ended_at = None;
        loop {
            let page = self.cx.store.list_audit_chain(report.last_sequence, PAGE).await?;
            if page.is_empty() {
                // A head that was signed while this runs covers links that are there when the chain is read again.
                if ended_at == Some(report.last_sequence) || !self.has_heads(&mut heads).await? {
                    break;
                }
                ended_at = Some(report.last_sequence);
                continue;
            }
            for (link, record) in page {
                let expected = report.last_sequence + 1;
                if link.sequence != expected {
                    report.problem(VerifyProblem::Gap { expected, found: link.sequence });
                }
                match &record {
                    None => {
                        report.problem(VerifyProblem::RecordMissing { sequence: link.sequence, record: link.record });
                    }
                    Some(record) => {
                        report.records += 1;
                        if !mac::holds(keyring, record) {
                            let sequence = Some(link.sequence);
                            report.problem(VerifyProblem::RecordChanged { sequence, record: record.id });
                        }
                        // After a gap there is nothing that the link could follow from.
                        if link.sequence == expected && mac::link(&before, &record.mac) != link.link {
                            report.problem(VerifyProblem::LinkBroken { sequence: link.sequence });
                        }
                    }
                }
                report.links += 1;
                report.last_sequence = link.sequence;
                // One broken link is one problem: what follows is checked against what is stored.
                before = link.link;
                while let Some(head) = self.next_head(&mut heads, Some(link.sequence)).await? {
                    let fits = head.sequence == link.sequence && head.link == link.link;
                    self.check_head(&head, fits, &mut report);
                }
            }
            progress(report.records);
        }
        while let Some(head) = self.next_head(&mut heads, None).await? {
            self.check_head(&head, false, &mut report);
        }
        self.check_unlinked(&mut report).await?;
        progress(report.records);
        Ok(report)
    }

    fn check_head(&self, head: &AuditHead, fits: bool, report: &mut VerifyReport) {
        report.heads += 1;
        if !mac::signed(&self.cx.keyring, head) {
            report.problem(VerifyProblem::HeadForged { sequence: head.sequence });
        } else if fits {
            report.last_signed = head.sequence;
        } else {
            report.problem(VerifyProblem::HeadContradicts { sequence: head.sequence });
        }
    }

    /// The next head that covers at most `until`.
    async fn next_head(&self, heads: &mut Heads, until: Option<i64>) -> Result<Option<AuditHead>> {
        self.has_heads(heads).await?;
        let due = heads.waiting.front().is_some_and(|head| until.is_none_or(|until| head.sequence <= until));
        Ok(if due { heads.waiting.pop_front() } else { None })
    }

    /// Whether there are heads that were not checked yet.
    async fn has_heads(&self, heads: &mut Heads) -> Result<bool> {
        if heads.waiting.is_empty() && !heads.ended {
            heads.waiting = self.cx.store.list_audit_heads(heads.after, PAGE).await?.into();
            heads.ended = heads.waiting.len() < PAGE as usize;
            heads.after = heads.waiting.back().map_or(heads.after, |head| head.sequence);
        }
        Ok(!heads.waiting.is_empty())
    }

    async fn check_unlinked(&self, report: &mut VerifyReport) -> Result<()> {
        let now = self.cx.now();
        let mut after = None;
        loop {
            let page = self.cx.store.list_unlinked_audit(after, PAGE).await?;
            for record in &page {
                report.records += 1;
                if !mac::holds(&self.cx.keyring, record) {
                    report.problem(VerifyProblem::RecordChanged { sequence: None, record: record.id });
                }
                if now.duration_since(record.at) > UNSEALED {
                    report.problem(VerifyProblem::Unsealed { record: record.id });
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE as usize => after = Some(last.id),
                _ => return Ok(()),
            }
        }
    }
}

/// Signed heads, read as the chain goes.
#[derive(Default)]
struct Heads {
    waiting: VecDeque<AuditHead>,
    after: i64,
    ended: bool,
}
