//! Signing keys: the first one, their rotation ahead of time, and their revocation.

use super::{
    FeedEvent, KeyChange, Sessions, SigningKey,
    key_set::{is_spent, make_key, open_private},
};
use crate::{
    Context, Error, Origin, Result,
    accounts::push_hook,
    audit, later,
    ports::{Conflict, Operation, OperationKind, Scope, Unit},
    tenants::{DEFAULT_TENANT, LeaseChange},
};
use authkit_wire::{ErrorCode, KeyId};
use jiff::{SignedDuration, Timestamp};

/// How long a key is published before it signs: outside verifiers keep a key set for at most five minutes.
const AHEAD: SignedDuration = SignedDuration::from_mins(10);

/// Of two nodes that start on an empty store one makes the first key.
const FIRST_KEY: &str = "first-signing-key";

/// How long that is nobody else's turn.
const FIRST_KEY_TURN: SignedDuration = SignedDuration::from_secs(30);

impl Sessions {
    /// The public keys as a JWK set (RFC 7517): those whose tokens may still count, and those that will sign next.
    #[must_use]
    pub fn jwks(&self) -> serde_json::Value {
        self.cx.authority.snapshot().keys().jwks(&self.cx.settings, self.cx.now())
    }

    /// All signing keys, the oldest first.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list_keys(&self) -> Result<Vec<SigningKey>> {
        Ok(self.cx.store.list_keys().await?)
    }

    /// Makes sure that there is a key that signs, makes the next one when it is time, and deletes what is of no use any
    /// more. Run it at start and each minute, on any node: nodes that do it at the same time agree.
    ///
    /// # Errors
    /// `server.internal` when the key in use cannot be opened with the configured master keys; those of the store.
    pub async fn ensure_keys(&self) -> Result<()> {
        let cx = &*self.cx;
        let now = cx.now();
        let keys = cx.store.list_keys().await?;
        let Some(current) = current(&keys, now) else { return self.make_first(now).await };
        if open_private(current, &cx.keyring).is_none() {
            return Err(Error::internal(format!(
                "the signing key {} cannot be opened with the configured master keys",
                current.id
            )));
        }
        let due = later(current.active_at, cx.settings.tokens.key_rotation) <= later(now, AHEAD)
            || current.algorithm != cx.settings.tokens.algorithm;
        if due && current.retired_at.is_none() {
            match self.succeed(&Origin::local(DEFAULT_TENANT), &keys, later(now, AHEAD), now).await {
                // Another node was faster.
                Err(error) if error.code == ErrorCode::Conflict => {}
                // The application is asked again the next time. The key in use goes on signing.
                Err(error) if error.code == ErrorCode::HookRefused => {
                    tracing::warn!("the application refused the next signing key");
                }
                other => drop(other?),
            }
        }
        self.delete_spent(&keys, now).await?;
        // What another node did is heard from the feed; at start that is not running yet.
        cx.authority.apply(cx, &[FeedEvent::KeysChanged]).await;
        Ok(())
    }

    /// Makes the next key. It is published now and signs ten minutes later, so that outside caches have it in time.
    ///
    /// # Errors
    /// `server.conflict` when the next key is made already; `auth.refused_by_application`; those of the store.
    pub async fn rotate_key(&self, origin: &Origin) -> Result<SigningKey> {
        let now = self.cx.now();
        let keys = self.cx.store.list_keys().await?;
        self.succeed(origin, &keys, later(now, AHEAD), now).await
    }

    /// Makes the next key and signs with it at once. Outside verifiers refuse its tokens until they read the keys again.
    ///
    /// # Errors
    /// `server.conflict` when the next key is made already; `auth.refused_by_application`; those of the store.
    pub async fn rotate_key_now(&self, origin: &Origin) -> Result<SigningKey> {
        let now = self.cx.now();
        let keys = self.cx.store.list_keys().await?;
        self.succeed(origin, &keys, now, now).await
    }

    /// Revokes a key at once, with everything it signed. When no key would be left to sign, a fresh one takes its place
    /// in the same unit.
    ///
    /// # Errors
    /// `key.not_found`, also for one that was revoked before; `auth.refused_by_application`; those of the store.
    pub async fn revoke_key(&self, origin: &Origin, id: KeyId) -> Result<()> {
        let cx = &*self.cx;
        let now = cx.now();
        let keys = cx.store.list_keys().await?;
        let key = keys.iter().find(|key| key.id == id && key.revoked_at.is_none()).ok_or(ErrorCode::KeyNotFound)?;
        let operation = Operation::new(OperationKind::ChangeKeys, origin.tenant).key(id).action("key.revoked");
        cx.before(&operation, None).await?;
        let mut unit = Unit::new().with(KeyChange::Revoke { id, at: now });
        if key.retired_at.is_none() {
            // Retired keys are deleted in time.
            unit.push(KeyChange::Retire { id, at: now });
        }
        let lasting = keys
            .iter()
            .any(|key| key.id != id && key.revoked_at.is_none() && key.retired_at.is_none() && key.active_at <= now);
        if !lasting {
            let mut fresh = self.make(now, now)?;
            // It stands in until the next key signs, if that was made already: nothing else would retire it.
            let next = keys.iter().filter(|key| key.id != id && key.revoked_at.is_none() && key.retired_at.is_none());
            fresh.retired_at = next.map(|key| key.active_at).filter(|active_at| *active_at > now).min();
            unit.push(KeyChange::Create(fresh));
        }
        unit.push(FeedEvent::KeysChanged);
        unit.push(audit::entry(cx, origin, "key.revoked").operator().subject(id).build());
        push_hook(cx, &mut unit, &operation);
        let changed = || ErrorCode::Conflict.into();
        cx.commit(Scope::System, unit).await.map_err(|error| error.or_conflict(changed))?;
        Ok(())
    }

    /// A key that signs from `active_at` on, after the last of `keys`, which retires then.
    async fn succeed(
        &self,
        origin: &Origin,
        keys: &[SigningKey],
        active_at: Timestamp,
        now: Timestamp,
    ) -> Result<SigningKey> {
        let cx = &*self.cx;
        let last = keys.iter().filter(|key| key.revoked_at.is_none()).max_by_key(|key| (key.active_at, key.id));
        let last = last.ok_or(ErrorCode::KeyNotFound)?;
        let key = self.make(active_at.max(last.active_at), now)?;
        let operation = Operation::new(OperationKind::ChangeKeys, origin.tenant).key(key.id).action("key.rotated");
        cx.before(&operation, None).await?;
        // That it has not retired yet is what only one of two nodes finds.
        let retire = KeyChange::Retire { id: last.id, at: key.active_at };
        let mut unit = Unit::new()
            .with(retire)
            .with(KeyChange::Create(key.clone()))
            .with(FeedEvent::KeysChanged)
            .with(audit::entry(cx, origin, "key.rotated").operator().subject(key.id).build());
        push_hook(cx, &mut unit, &operation);
        let made = || Error::new(ErrorCode::Conflict, "The next signing key was just made by somebody else.");
        cx.commit(Scope::System, unit).await.map_err(|error| error.or_conflict(made))?;
        Ok(key)
    }

    async fn make_first(&self, now: Timestamp) -> Result<()> {
        let cx = &*self.cx;
        let origin = Origin::local(DEFAULT_TENANT);
        let key = self.make(now, now)?;
        let turn = LeaseChange::Acquire { name: FIRST_KEY, owner: cx.uuid(), now, until: later(now, FIRST_KEY_TURN) };
        let mut unit = Unit::new();
        let taken = unit.push(turn);
        unit.push(KeyChange::Create(key.clone()));
        unit.push(FeedEvent::KeysChanged);
        unit.push(audit::entry(cx, &origin, "key.rotated").system().subject(key.id).build());
        match cx.commit(Scope::System, unit).await {
            Ok(_) => Ok(()),
            Err(error) if error.conflict() == Some((taken, Conflict::Changed)) => {
                // It was another node's turn, and that node's key came with it.
                cx.authority.apply(cx, &[FeedEvent::KeysChanged]).await;
                let keys = cx.store.list_keys().await?;
                current(&keys, cx.after(cx.settings.tokens.leeway)).map(|_| ()).ok_or_else(|| {
                    Error::new(ErrorCode::Unavailable, "Another node is making the first signing key; start again.")
                })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes keys whose last tokens have run out.
    async fn delete_spent(&self, keys: &[SigningKey], now: Timestamp) -> Result<()> {
        let cx = &*self.cx;
        let spent = keys.iter().filter(|key| is_spent(key.retired_at, &cx.settings, now));
        if let Some(latest) = spent.filter_map(|key| key.retired_at).max() {
            let unit = Unit::new()
                .with(KeyChange::DeleteRetired { before: later(latest, SignedDuration::from_micros(1)) })
                .with(FeedEvent::KeysChanged);
            cx.commit(Scope::System, unit).await?;
        }
        Ok(())
    }

    fn make(&self, active_at: Timestamp, now: Timestamp) -> Result<SigningKey> {
        let cx: &Context = &self.cx;
        let id = KeyId::new(cx.uuid());
        make_key(&cx.keyring, &*cx.random, id, cx.settings.tokens.algorithm, now, active_at).map_err(Error::internal)
    }
}

/// The key that signs at `now`, whether or not it can be opened here.
fn current(keys: &[SigningKey], now: Timestamp) -> Option<&SigningKey> {
    let usable = keys.iter().filter(|key| {
        key.revoked_at.is_none() && key.active_at <= now && key.retired_at.is_none_or(|retired| now < retired)
    });
    usable.max_by_key(|key| (key.active_at, key.id))
}
