//! The record in two slots, so that a loss of power at any moment leaves the old one or the new one.

use crate::{
    error::Error,
    ports::{Slot, Storage},
    record::{Bound, Image, RECORD, Record, Stage},
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
        let (a, b) = (vault.read(Slot::A).await, vault.read(Slot::B).await);
        // A slot that cannot be read is an empty one, unless nothing can be: there may be a key.
        if a.is_err() && b.is_err() {
            return Err(Error::Storage);
        }
        let whole = |image: &Result<Image, Error>| image.as_ref().ok().and_then(|image| Record::sequence(image));
        let (in_a, in_b) = (whole(&a), whole(&b));
        let (found, image) = if in_b > in_a { (in_b, &b) } else { (in_a, &a) };
        let (Some(sequence), Ok(image)) = (found, image) else { return Ok((vault, Record::Empty)) };
        vault.sequence = sequence;
        if in_b > in_a {
            vault.current = Slot::B;
        }
        // What cannot be read now may hold a newer record later, so it is left alone. When the repair fails, the one slot
        // is as good as it was.
        if let (Ok(a), Ok(b)) = (&a, &b)
            && a != b
        {
            let _ = vault.put(other(vault.current), image).await;
        }
        // A whole record that says nothing is of other firmware, or of nobody: both mean the same.
        let record = Record::decode(image).unwrap_or(Record::Empty);
        Ok((vault, record))
    }

    /// Makes `record` the one that counts. On an error it is the old one or the new one that does. A claimed device's needs
    /// one slot. Others need both: nothing is sent before it is clear that the answer can be kept, and what an empty one
    /// replaces must be gone.
    pub(crate) async fn save(&mut self, record: &Record) -> Result<(), Error> {
        let next = other(self.current);
        let mut image = self.encode(record)?;
        if self.put(next, &image).await.is_ok() {
            self.current = next;
        } else if matches!(record, Record::Empty) || self.are_twins().await {
            // That one failed. What it may hold now has a lower number.
            image = self.encode(record)?;
            self.put(self.current, &image).await?;
        } else {
            // The only whole record may be the one in the current slot.
            return Err(Error::Storage);
        }
        let twin = self.put(other(self.current), &image).await;
        if let Record::Bound(Bound { stage: Stage::Claimed(_), .. }) = record { Ok(()) } else { twin }
    }

    /// Whether both slots hold the same still, so that either may be written first.
    async fn are_twins(&mut self) -> bool {
        match (self.read(Slot::A).await, self.read(Slot::B).await) {
            (Ok(a), Ok(b)) => a == b,
            _ => false,
        }
    }

    /// With a number that no write has had, whatever became of it.
    fn encode(&mut self, record: &Record) -> Result<Image, Error> {
        self.sequence = self.sequence.checked_add(1).ok_or(Error::Storage)?;
        Ok(record.encode(self.sequence))
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
