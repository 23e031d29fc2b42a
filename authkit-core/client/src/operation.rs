use crate::{Error, Result, operations::OPERATIONS};

/// One operation of the HTTP contract, as the OpenAPI document describes it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Operation {
    /// Its name, for example `updateRole`.
    pub name: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path with `{names}` for what varies.
    pub path: &'static str,
    /// The arguments that go into the path.
    pub path_params: &'static [&'static str],
    /// The arguments that go into the query.
    pub query_params: &'static [&'static str],
    /// Whether every other argument is a field of a JSON body; without one there are no others.
    pub body: bool,
    /// Which token it takes.
    pub auth: Auth,
    /// Whether an `Idempotency-Key` makes a repeat safe.
    pub idempotent: bool,
    /// What it does.
    pub summary: &'static str,
}

/// Which token an operation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Auth {
    /// None.
    None,
    /// A user's, if there is one.
    Optional,
    /// A user's.
    Bearer,
    /// A device's.
    Device,
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Method {
    /// As HTTP writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl Operation {
    /// Every operation, sorted by name.
    #[must_use]
    pub fn all() -> &'static [Self] {
        OPERATIONS
    }

    /// The operation of that name.
    ///
    /// # Errors
    /// `client.invalid_argument` when there is none.
    pub fn find(name: &str) -> Result<&'static Self> {
        let place = OPERATIONS.binary_search_by(|operation| operation.name.cmp(name)).ok();
        place
            .and_then(|place| OPERATIONS.get(place))
            .ok_or_else(|| Error::invalid_argument(format!("There is no operation `{}`.", name.escape_debug())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_found_by_its_name_and_nothing_else_is() {
        for operation in Operation::all() {
            assert_eq!(Operation::find(operation.name).unwrap().path, operation.path);
        }
        assert_eq!(Operation::find("getme").unwrap_err().code, crate::code::INVALID_ARGUMENT);
    }

    #[test]
    fn signing_out_alone_takes_a_token_if_there_is_one() {
        let optional = Operation::all().iter().filter(|operation| operation.auth == Auth::Optional);
        assert!(optional.map(|operation| operation.name).eq(["logout"]));
    }

    #[test]
    fn paths_name_their_parameters() {
        for operation in Operation::all() {
            for name in operation.path_params {
                assert!(operation.path.contains(&format!("{{{name}}}")), "{}", operation.name);
            }
            assert_eq!(operation.path.matches('{').count(), operation.path_params.len(), "{}", operation.name);
        }
    }
}
