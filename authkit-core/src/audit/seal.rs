use super::{AuditChange, AuditHead, AuditLink, AuditLog, mac};
use crate::{
    Context, Result,
    crypto::hex,
    ports::{Scope, StoreError, Unit},
    tenants::LeaseChange,
};
use jiff::{SignedDuration, Timestamp};
use std::sync::{Mutex, PoisonError};
use uuid::Uuid;

const LEASE: &str = "audit-seal";

/// Short: who takes over must have linked what the last holder left within ten seconds.
const HELD: SignedDuration = SignedDuration::from_secs(3);

/// How many records one unit links.
const BATCH: u32 = 500;

/// How often one run reads again after another node was faster.
const STALE: usize = 8;

/// How often the head is signed.
const SIGN_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// What one node knows as a sealer.
#[derive(Debug)]
pub(super) struct Sealer {
    owner: Uuid,
    /// Place and time of the newest signed head, once it is known.
    signed: Mutex<Option<(i64, Timestamp)>>,
}

impl Sealer {
    pub(super) fn new(cx: &Context) -> Self {
        Self { owner: cx.uuid(), signed: Mutex::new(None) }
    }

    fn signed(&self) -> Option<(i64, Timestamp)> {
        *self.signed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_signed(&self, signed: Option<(i64, Timestamp)>) {
        *self.signed.lock().unwrap_or_else(PoisonError::into_inner) = signed;
    }
}

/// What became of a unit of the sealer.
enum Outcome {
    Done,
    /// Another node seals.
    Busy,
    /// Another node was faster: what was read is old.
    Stale,
}

impl AuditLog {
    /// Links committed records into the chain and signs the head when it is due. One node at a time does it: while another
    /// one holds the lease this returns at once. With nothing to do it writes nothing.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn seal(&self) -> Result<()> {
        let mut stale = 0;
        while stale < STALE {
            let records = self.cx.store.list_unlinked_audit(None, BATCH).await?;
            if records.is_empty() {
                break;
            }
            let last = self.cx.store.last_audit_link().await?;
            let (mut sequence, mut link) = last.map_or((0, mac::GENESIS), |last| (last.sequence, last.link));
            let mut links = Vec::with_capacity(records.len());
            for record in &records {
                if !mac::holds(&self.cx.keyring, record) {
                    // It is linked all the same, else nothing after it could be; verification names it.
                    tracing::error!(record = %record.id, "an audit record does not carry a valid MAC");
                }
                sequence += 1;
                link = mac::link(&link, &record.mac);
                links.push(AuditLink { sequence, record: record.id, link });
            }
            match self.commit(AuditChange::Link(links)).await? {
                // What is written meanwhile is the next run's: under steady writes there is always something new.
                Outcome::Done if records.len() < BATCH as usize => break,
                Outcome::Done => {}
                Outcome::Busy => return Ok(()),
                Outcome::Stale => stale += 1,
            }
        }
        self.sign().await
    }

    /// Gives the lease back, so that another node goes on at once. For an orderly stop.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn release(&self) -> Result<()> {
        let release = LeaseChange::Release { name: LEASE, owner: self.sealer.owner };
        self.cx.commit(Scope::System, Unit::new().with(release)).await?;
        Ok(())
    }

    async fn sign(&self) -> Result<()> {
        let Some(last) = self.cx.store.last_audit_link().await? else { return Ok(()) };
        let now = self.cx.now();
        let due = |(sequence, at)| sequence < last.sequence && now.duration_since(at) >= SIGN_EVERY;
        let mut known = self.sealer.signed();
        // Another node may have signed since.
        if known.is_none_or(due) {
            known = match known {
                Some(known) => Some(self.newest_head_after(known.0).await?.unwrap_or(known)),
                None => self.newest_head(last.sequence).await?,
            };
            self.sealer.set_signed(known);
        }
        if known.is_some_and(|known| !due(known)) {
            return Ok(());
        }
        let keyring = &self.cx.keyring;
        let mut head = AuditHead {
            sequence: last.sequence,
            link: last.link,
            at: now,
            key_version: keyring.current(),
            signature: [0; 32],
        };
        head.signature = mac::sign(keyring, &head).unwrap_or_default();
        match self.commit(AuditChange::Sign(head.clone())).await? {
            Outcome::Done => {
                self.sealer.set_signed(Some((head.sequence, head.at)));
                // Whoever keeps the logs elsewhere can tell when the database was set back.
                tracing::info!(
                    target: "authkit::audit",
                    sequence = head.sequence,
                    at = %head.at,
                    link = hex(&head.link),
                    key_version = head.key_version,
                    signature = hex(&head.signature),
                    "audit head signed"
                );
            }
            // Read anew next time what the other node has signed.
            Outcome::Busy | Outcome::Stale => {
                self.sealer.set_signed(None);
            }
        }
        Ok(())
    }

    /// Heads are listed from a place on, so the newest is looked for from the end, in growing strides.
    async fn newest_head(&self, end: i64) -> Result<Option<(i64, Timestamp)>> {
        let mut stride = 64;
        loop {
            let from = (end - stride).max(0);
            let newest = self.newest_head_after(from).await?;
            if newest.is_some() || from == 0 {
                return Ok(newest);
            }
            stride *= 16;
        }
    }

    async fn newest_head_after(&self, mut after: i64) -> Result<Option<(i64, Timestamp)>> {
        let mut newest = None;
        loop {
            let heads = self.cx.store.list_audit_heads(after, BATCH).await?;
            let Some(last) = heads.last() else { return Ok(newest) };
            newest = Some((last.sequence, last.at));
            after = last.sequence;
        }
    }

    async fn commit(&self, change: AuditChange) -> Result<Outcome> {
        let now = self.cx.now();
        let acquire = LeaseChange::Acquire { name: LEASE, owner: self.sealer.owner, now, until: now + HELD };
        let mut unit = Unit::new();
        let acquired = unit.push(acquire);
        unit.push(change);
        match self.cx.commit(Scope::System, unit).await {
            Ok(_) => Ok(Outcome::Done),
            Err(StoreError::Conflict { change, .. }) if change == acquired => Ok(Outcome::Busy),
            Err(StoreError::Conflict { .. }) => Ok(Outcome::Stale),
            Err(error) => Err(error.into()),
        }
    }
}
