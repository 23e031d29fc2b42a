//! A whole installation in memory.

use super::{InlineHasher, MemoryStore, NoBreaches};
use crate::{
    Context, Result, Settings,
    crypto::{Keyring, MasterKey},
    notices::Templates,
    ports::{Clock, NoHooks, NoObserver, NoPlaces, PasswordHasher, Random},
    rbac::Permissions,
    sessions::Authority,
};
use std::{collections::BTreeMap, sync::Arc};

/// Argon2id's memory in an installation that protects nobody's password.
const MEMORY_KIB: u32 = 64;

/// A context over an empty [`MemoryStore`], with a key drawn from `random`, weak password hashes and neither hooks nor
/// breach list nor places. Its fields are public: put another port in a field's place, then [`prepare`] it.
///
/// # Errors
/// None that depends on the arguments.
pub fn bare(clock: impl Clock + 'static, random: impl Random + 'static, settings: Settings) -> Result<Context> {
    let mut master = MasterKey::default();
    random.fill(master.as_mut());
    let keyring = Keyring::new(&BTreeMap::from([(1, master)])).ok_or_else(|| crate::Error::internal("no key"))?;
    let hasher = InlineHasher::new(MEMORY_KIB, 1).ok_or_else(|| crate::Error::internal("no hasher"))?;
    Ok(Context {
        store: Arc::new(MemoryStore::default()),
        clock: Arc::new(clock),
        random: Arc::new(random),
        hasher: Arc::new(hasher) as Arc<dyn PasswordHasher>,
        breached: Arc::new(NoBreaches),
        places: Arc::new(NoPlaces),
        hooks: Arc::new(NoHooks),
        observer: Arc::new(NoObserver),
        keyring,
        permissions: Permissions::default(),
        templates: Templates::default(),
        authority: Authority::default(),
        settings,
    })
}

/// Makes the context ready for every service: [`Context::prepare`].
///
/// # Errors
/// Those of the store.
pub async fn prepare(cx: Context) -> Result<Arc<Context>> {
    let cx = Arc::new(cx);
    cx.prepare().await?;
    Ok(cx)
}

/// A whole installation in memory, ready for every service.
///
/// ```
/// use authkit_core::{Settings, memory};
/// # async fn example() -> authkit_core::Result<()> {
/// let cx = memory::context(memory::SystemClock, memory::SystemRandom, Settings::default()).await?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// See [`bare`] and [`prepare`].
pub async fn context(
    clock: impl Clock + 'static,
    random: impl Random + 'static,
    settings: Settings,
) -> Result<Arc<Context>> {
    prepare(bare(clock, random, settings)?).await
}
