//! One JSON object taken apart into what a route has: path, query, body.

use super::{Call, Query, json};
use crate::{Error, Result};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::str::FromStr;

/// What an operation takes besides its path parameters.
#[derive(Clone, Copy, Debug)]
pub(super) enum Input {
    /// Query parameters of these names.
    Query(&'static [&'static str]),
    /// The fields of a request.
    Body,
    /// Nothing.
    Nothing,
}

/// The arguments of one call. No `Debug`: there are passwords among them.
pub(super) struct Arguments {
    path: Map<String, Value>,
    query: Query,
    rest: Value,
}

impl Arguments {
    /// # Errors
    /// `request.invalid_filter` for query parameters that there are not, or that no text in a query could be.
    pub(super) fn sort(path: &[&str], input: Input, mut all: Map<String, Value>) -> Result<Self> {
        let path = path.iter().filter_map(|name| all.remove_entry(*name)).collect();
        let (query, rest) = match input {
            Input::Query(known) => (Query::of_arguments(known, all)?, Map::new()),
            Input::Body | Input::Nothing => (Query::default(), all),
        };
        Ok(Self { path, query, rest: Value::Object(rest) })
    }

    /// # Errors
    /// `request.validation_failed` for arguments of an operation that takes none.
    pub(super) fn refuse_rest(&self, input: Input) -> Result<()> {
        match input {
            Input::Nothing => json::read::<json::Empty>(&self.rest).map(drop),
            Input::Query(_) | Input::Body => Ok(()),
        }
    }
}

impl Call<'_> {
    /// The request in the body.
    pub(super) fn body<T: DeserializeOwned>(&self) -> Result<T> {
        json::read(&self.arguments.rest)
    }

    /// The query parameters.
    pub(super) const fn query(&self) -> &Query {
        &self.arguments.query
    }

    /// A path parameter.
    pub(super) fn path<T: FromStr>(&self, name: &str) -> Result<T> {
        let Some(value) = self.arguments.path.get(name) else {
            return Err(Error::field(name, "missing_field", "This field is required."));
        };
        let wrong = || Error::field(name, "invalid_value", "The value in the path is not an id of this kind.");
        value.as_str().and_then(|text| text.parse().ok()).ok_or_else(wrong)
    }
}
