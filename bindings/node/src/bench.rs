//! What benchmarks are compared with.

use crate::{engine::Engine, promise::promise};
use napi::{Env, bindgen_prelude::Object};
use napi_derive::napi;
use std::{hint::black_box, time::Instant};

/// A call that does nothing with a token.
#[napi]
pub fn nothing(token: String) -> u32 {
    u32::try_from(black_box(token).len()).unwrap_or(u32::MAX)
}

/// Nanoseconds that the core takes for one check, without JavaScript.
#[napi]
pub fn check_alone(engine: &Engine, token: String, times: u32) -> f64 {
    let started = Instant::now();
    for _ in 0..times {
        let _ = black_box(engine.0.verify(black_box(&token)));
    }
    started.elapsed().as_nanos() as f64 / f64::from(times.max(1))
}

/// A password's hash alone, in the engine's pool.
#[napi]
pub fn hash_alone<'env>(env: &'env Env, engine: &Engine, password: String) -> napi::Result<Object<'env>> {
    let engine = engine.0.clone();
    promise(env, async move { engine.hash_alone(password.into()).await })
}
