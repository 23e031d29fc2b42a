use super::{FeedEvent, RefreshState, Session, SigningKey, UserAuthority};
use crate::ports::{Position, StoreError};
use async_trait::async_trait;
use authkit_wire::{KeyId, SessionId, TenantId, UserId};
use jiff::Timestamp;

/// A change of sessions. Unless said otherwise it touches exactly one row, else the unit conflicts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SessionChange {
    /// Inserts a session.
    Create(Box<Session>),
    /// Rotates: replaces the refresh state of the session whose current hash is `expected`, and notes activity.
    Rotate {
        /// Which.
        id: SessionId,
        /// SHA-256 of the token that was presented.
        expected: [u8; 32],
        /// The new state.
        next: RefreshState,
        /// When.
        at: Timestamp,
    },
    /// Deletes the session of the user, if it is there; returns whether.
    End {
        /// Which.
        id: SessionId,
        /// Whose.
        user: UserId,
    },
    /// Deletes all sessions of the user but `except`; any number of rows, which is returned.
    EndAllOf {
        /// Whose.
        user: UserId,
        /// The one that stays.
        except: Option<SessionId>,
    },
    /// Deletes the user's least recently opened sessions until at most `keep` are left, and tells the feed of each
    /// ([`FeedEvent::SessionEnded`]), since only the store knows which they are; any number of rows, which is returned.
    Cap {
        /// Whose.
        user: UserId,
        /// How many stay.
        keep: u32,
    },
    /// Notes when sessions were last seen, in any tenant (`Scope::System`), never backwards; any number of rows.
    Touch(Vec<(TenantId, SessionId, Timestamp)>),
    /// Deletes sessions whose refresh token or absolute time ran out before the time, or that were idle since
    /// `idle_since`, in every tenant (`Scope::System`), at most 1,000; any number of rows.
    DeleteExpired {
        /// The time.
        before: Timestamp,
        /// Idle since.
        idle_since: Option<Timestamp>,
    },
}

/// A change of signing keys (`Scope::System`).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum KeyChange {
    /// Inserts a key.
    Create(SigningKey),
    /// Sets when the key stops signing, when nothing is set; one row.
    Retire {
        /// Which.
        id: KeyId,
        /// When.
        at: Timestamp,
    },
    /// Revokes the key, when it is not; one row.
    Revoke {
        /// Which.
        id: KeyId,
        /// When.
        at: Timestamp,
    },
    /// Deletes keys that were retired before the time; any number of rows.
    DeleteRetired {
        /// The time.
        before: Timestamp,
    },
    /// Deletes feed rows that are older than the time, at most 1,000; any number of rows.
    PruneFeed {
        /// The time.
        before: Timestamp,
    },
}

/// Reads of sessions.
#[async_trait]
pub trait SessionStore {
    /// The session.
    async fn find_session(&self, tenant: TenantId, id: SessionId) -> Result<Option<Session>, StoreError>;

    /// The user's sessions, newest first (by id), at most `limit`, after the position.
    async fn list_sessions(
        &self,
        tenant: TenantId,
        user: UserId,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError>;
}

/// Reads of signing keys.
#[async_trait]
pub trait KeyStore {
    /// All keys, the oldest first.
    async fn list_keys(&self) -> Result<Vec<SigningKey>, StoreError>;
}

/// A place in the feed, in a form only its store understands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedCursor(pub String);

/// The feed of what every node must hear of.
///
/// # Behavior
/// - An event is returned at least once to every reader that goes on from the cursor of its last read, in whatever order
///   units commit. It may be returned more than once.
#[async_trait]
pub trait FeedStore {
    /// The cursor from which everything written at or after `since` is found.
    async fn feed_start(&self, since: Timestamp) -> Result<FeedCursor, StoreError>;

    /// Events since `cursor`, and where to go on.
    async fn read_feed(&self, cursor: &FeedCursor) -> Result<(Vec<FeedEvent>, FeedCursor), StoreError>;

    /// Returns when there may be something new. It only shortens the wait: readers poll as well.
    async fn feed_changed(&self);

    /// What decides about the user's tokens now. `None` when there is no such user.
    async fn user_authority(&self, tenant: TenantId, user: UserId) -> Result<Option<UserAuthority>, StoreError>;
}
