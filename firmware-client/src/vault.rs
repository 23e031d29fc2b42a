//! The record in two slots, so that a loss of power at any moment leaves the old one or the new one.

use crate::{
    error::Error,
    ports::{Slot, Storage},
    record::{Image, RECORD, Record},
};
use zeroize::Zeroizing;

/// Keeps the same record in both slots. A new one goes first to the one slot, which is the moment when it counts, then to
/// the other: what was there before is gone then, and a slot that fails later costs nothing.
pub(crate) struct Vault<S> {
    pub(crate) storage: S,
    sequence: u32,
    /// The slot that holds the record that counts.
    current: Slot,
}

impl<S: Storage> Vault<S> {
    /// Finds the newest whole record, and finishes what a loss of power interrupted.
    pub(crate) async fn open(storage: S) -> Result<(Self, Record), Error> {
        let mut vault = Self { storage, sequence: 0, current: Slot::A };
        let (a, b) = (vault.read(Slot::A).await?, vault.read(Slot::B).await?);
        let (in_a, in_b) = (Record::sequence(&a), Record::sequence(&b));
        let (found, image) = if in_b > in_a { (in_b, &b) } else { (in_a, &a) };
        let Some(sequence) = found else { return Ok((vault, Record::Empty)) };
        vault.sequence = sequence;
        if in_b > in_a {
            vault.current = Slot::B;
        }
        if a != b {
            vault.put(other(vault.current), image).await?;
        }
        // A whole record that says nothing is of other firmware, or of nobody: both mean the same.
        let record = Record::decode(image).unwrap_or(Record::Empty);
        Ok((vault, record))
    }

    /// Makes `record` the one that counts. On an error it is the old one or the new one that does.
    pub(crate) async fn save(&mut self, record: &Record) -> Result<(), Error> {
        let image = record.encode(self.sequence.checked_add(1).ok_or(Error::Storage)?);
        let next = other(self.current);
        self.put(next, &image).await?;
        self.sequence += 1;
        let stale = core::mem::replace(&mut self.current, next);
        self.put(stale, &image).await
    }

    async fn put(&mut self, slot: Slot, image: &Image) -> Result<(), Error> {
        self.storage.write(slot, image.as_ref()).await?;
        // Worn flash takes a write without an error.
        if self.read(slot).await? == *image { Ok(()) } else { Err(Error::Storage) }
    }

    async fn read(&mut self, slot: Slot) -> Result<Image, Error> {
        let mut image = Zeroizing::new([0; RECORD]);
        self.storage.read(slot, image.as_mut()).await?;
        Ok(image)
    }
}

const fn other(slot: Slot) -> Slot {
    match slot {
        Slot::A => Slot::B,
        Slot::B => Slot::A,
    }
}
