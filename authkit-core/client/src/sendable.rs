/// `Send + Sync` on native targets, nothing in the browser, whose objects belong to one thread.
#[cfg(not(target_arch = "wasm32"))]
pub trait Sendable: Send + Sync {}

#[cfg(not(target_arch = "wasm32"))]
impl<T: Send + Sync + ?Sized> Sendable for T {}

/// `Send + Sync` on native targets, nothing in the browser, whose objects belong to one thread.
#[cfg(target_arch = "wasm32")]
pub trait Sendable {}

#[cfg(target_arch = "wasm32")]
impl<T: ?Sized> Sendable for T {}

/// A future that is `Send` on native targets.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) type BoxFuture<'a, T> = futures_util::future::BoxFuture<'a, T>;

/// A future that is `Send` on native targets.
#[cfg(target_arch = "wasm32")]
pub(crate) type BoxFuture<'a, T> = futures_util::future::LocalBoxFuture<'a, T>;
