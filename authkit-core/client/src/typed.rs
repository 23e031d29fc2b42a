//! Between wire's types and the JSON of calls.

use crate::{Client, Error, Result};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

type Arguments = Result<Map<String, Value>>;

pub(crate) fn no_arguments() -> Arguments {
    Ok(Map::new())
}

pub(crate) fn arguments(request: &impl Serialize) -> Arguments {
    match serde_json::to_value(request) {
        Ok(Value::Object(arguments)) => Ok(arguments),
        _ => Err(Error::invalid_argument("The request cannot be written as JSON.")),
    }
}

pub(crate) fn with(arguments: Arguments, name: &str, value: impl Serialize) -> Arguments {
    let mut arguments = arguments?;
    let value = serde_json::to_value(value)
        .map_err(|_| Error::invalid_argument(format!("`{name}` cannot be written as JSON.")))?;
    arguments.insert(name.to_owned(), value);
    Ok(arguments)
}

pub(crate) fn with_all(before: Arguments, query: &impl Serialize) -> Arguments {
    let mut all = before?;
    all.extend(arguments(query)?);
    Ok(all)
}

/// Reads an answer.
pub(crate) fn read<T: DeserializeOwned>(answer: Value) -> Result<T> {
    serde_json::from_value(answer).map_err(|_| {
        // Without the parser's words, which quote what they stumble over.
        Error::unexpected(200, "The answer is not what this version of the client expects. Is the server a newer one?")
    })
}

impl Client {
    pub(crate) async fn typed<T: DeserializeOwned>(&self, operation: &str, arguments: Arguments) -> Result<T> {
        read(self.call(operation, Value::Object(arguments?)).await?)
    }
}
