//! What benchmarks compare with. Only with the feature `bench`, never in a package.

use crate::engine::Engine;
use pyo3::{exceptions::PyRuntimeError, prelude::*};
use std::{hint::black_box, time::Instant};

fn failed(error: impl std::fmt::Debug) -> PyErr {
    PyRuntimeError::new_err(format!("{error:?}"))
}

/// A native call that does nothing with its argument.
#[pyfunction]
pub(crate) fn nothing(token: &str) -> usize {
    token.len()
}

/// How many seconds the core's own check of the token takes, without Python.
#[pyfunction]
pub(crate) fn time_verify(py: Python<'_>, engine: &Engine, token: &str, times: u32) -> PyResult<f64> {
    let engine = engine.opened().map_err(failed)?.clone();
    py.detach(|| {
        let start = Instant::now();
        for _ in 0..times {
            black_box(engine.verify(black_box(token))).ok_or_else(|| failed("the engine is stale"))?.map_err(failed)?;
        }
        Ok(start.elapsed().as_secs_f64() / f64::from(times))
    })
}

/// Hashes as a sign-in does, in the engine's pool, so often, and nothing else.
#[pyfunction]
pub(crate) fn hash_alone(py: Python<'_>, engine: &Engine, times: u32) -> PyResult<()> {
    let engine = engine.opened().map_err(failed)?.clone();
    py.detach(|| {
        let runtime = authkit_embedded::runtime().map_err(failed)?;
        for _ in 0..times {
            runtime.block_on(engine.hash_alone("violet tractor 12 umbrella".into())).map_err(failed)?;
        }
        Ok(())
    })
}
