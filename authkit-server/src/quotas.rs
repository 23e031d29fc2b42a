//! What limits remember of each key, in bounded memory.

use governor::{
    nanos::Nanos,
    state::{StateStore, keyed::ShrinkableKeyedStateStore},
};
use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
};

const SHARDS: usize = 64;

/// The time at which each key has its whole quota back. When there is no room for another key, the one that is nearest
/// to that is forgotten: it loses least, and who has used up a quota cannot wash it off with a flood of addresses.
#[derive(Debug)]
pub(crate) struct Quotas<K> {
    shards: Box<[Mutex<HashMap<K, Nanos>>]>,
    hasher: RandomState,
    most: usize,
}

impl<K> Quotas<K> {
    /// For `most` keys, about.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            most: (most / SHARDS).max(1),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<K: Hash + Eq + Copy> StateStore for Quotas<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let place = self.hasher.hash_one(key) as usize % SHARDS;
        let Some(shard) = self.shards.get(place) else { return measure(None).map(|(outcome, _)| outcome) };
        let mut shard = lock(shard);
        if let Some(known) = shard.get_mut(key) {
            let (outcome, next) = measure(Some(*known))?;
            *known = next;
            return Ok(outcome);
        }
        let (outcome, next) = measure(None)?;
        if shard.len() >= self.most
            && let Some(nearest) = shard.iter().min_by_key(|(_, whole_at)| **whole_at).map(|(key, _)| *key)
        {
            shard.remove(&nearest);
        }
        shard.insert(*key, next);
        Ok(outcome)
    }
}

impl<K: Hash + Eq + Copy> ShrinkableKeyedStateStore<K> for Quotas<K> {
    fn retain_recent(&self, drop_below: Nanos) {
        for shard in &self.shards {
            lock(shard).retain(|_, whole_at| *whole_at > drop_below);
        }
    }

    fn shrink_to_fit(&self) {
        for shard in &self.shards {
            lock(shard).shrink_to_fit();
        }
    }

    fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(quotas: &Quotas<u32>, key: u32, whole_at: u64) -> Option<u64> {
        let read = |known: Option<Nanos>| Ok::<_, ()>((known.map(Nanos::as_u64), Nanos::new(whole_at)));
        quotas.measure_and_replace(&key, read).unwrap()
    }

    #[test]
    fn a_flood_of_keys_takes_bounded_memory_and_pushes_no_used_up_quota_out() {
        let quotas = Quotas::new(SHARDS * 4);
        put(&quotas, 0, 1_000_000);
        for key in 1..10_000 {
            put(&quotas, key, u64::from(key));
        }
        assert!(quotas.len() <= SHARDS * 4, "{}", quotas.len());
        assert_eq!(put(&quotas, 0, 1_000_001), Some(1_000_000));
    }

    #[test]
    fn a_refused_request_changes_nothing() {
        let quotas = Quotas::new(1_000);
        put(&quotas, 7, 70);
        assert_eq!(quotas.measure_and_replace(&7, |_| Err::<((), Nanos), _>("no")), Err("no"));
        assert_eq!(quotas.measure_and_replace(&8, |_| Err::<((), Nanos), _>("no")), Err("no"));
        assert_eq!((put(&quotas, 7, 71), put(&quotas, 8, 80)), (Some(70), None));
    }
}
