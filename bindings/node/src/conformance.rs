//! Conformance runs, as JavaScript holds them.

use crate::{
    engine::Engine,
    options::parse,
    promise::{promise, thrown},
};
use authkit_embedded::ConformanceState;
use napi::{Env, bindgen_prelude::Object};
use napi_derive::napi;
use serde_json::json;

/// A state that each scenario finds new.
#[napi]
pub struct Conformance(ConformanceState);

/// Opens one with settings as JSON. Production is refused.
#[napi]
pub fn open_conformance<'env>(env: &'env Env, settings: String) -> napi::Result<Object<'env>> {
    promise(env, async move { ConformanceState::open(parse(&settings)?).await.map(Conformance) })
}

#[napi]
impl Conformance {
    /// The engine, which stays the same over resets.
    #[napi]
    pub fn engine(&self) -> Engine {
        Engine(self.0.engine().clone())
    }

    /// Begins anew; the administrator's address and password.
    #[napi]
    pub fn reset<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let state = self.0.clone();
        promise(env, async move {
            let administrator = state.reset().await?;
            let password = administrator.password.expose();
            Ok(json!({"email": administrator.email, "password": password}).to_string())
        })
    }

    /// Moves the clock by seconds.
    #[napi]
    pub fn advance<'env>(&self, env: &'env Env, seconds: u32) -> napi::Result<Object<'env>> {
        let state = self.0.clone();
        promise(env, async move { state.advance(seconds).await })
    }

    /// What the clock shows, in seconds since 1970.
    #[napi]
    pub fn now(&self) -> napi::Result<i64> {
        self.0.now().map_err(|error| thrown(&error))
    }
}
