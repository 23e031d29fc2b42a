//! Who presents an access token.

use crate::outcome::exception;
use authkit_embedded::{principal_to_json, require};
use pyo3::{
    prelude::*,
    types::{PyDict, PyTuple},
};

/// Who presents an access token that the engine of this process has verified.
#[pyclass(frozen, module = "authkit")]
pub(crate) struct Principal(pub(crate) authkit_embedded::Principal);

impl Principal {
    fn time<'py>(py: Python<'py>, seconds: i64) -> PyResult<Bound<'py, PyAny>> {
        let datetime = py.import("datetime")?;
        let utc = datetime.getattr("timezone")?.getattr("utc")?;
        datetime.getattr("datetime")?.call_method1("fromtimestamp", (seconds, utc))
    }
}

#[pymethods]
impl Principal {
    /// The user's id.
    #[getter]
    fn user_id(&self) -> String {
        self.0.user.to_string()
    }

    /// The tenant's id.
    #[getter]
    fn tenant_id(&self) -> String {
        self.0.tenant.to_string()
    }

    /// The session's id.
    #[getter]
    fn session_id(&self) -> String {
        self.0.session.to_string()
    }

    /// The ids of the roles in force.
    #[getter]
    fn roles<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.roles.iter().map(ToString::to_string))
    }

    /// How it signed in (RFC 8176).
    #[getter]
    fn amr<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.amr.iter())
    }

    /// When it signed in.
    #[getter]
    fn auth_time<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Self::time(py, self.0.auth_time.as_second())
    }

    /// When the access token runs out.
    #[getter]
    fn expires_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Self::time(py, self.0.expires_at.as_second())
    }

    /// What the roles grant: `resource:action`, with `:own` behind it where it is granted for one's own objects only.
    #[getter]
    fn permissions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let json = principal_to_json(&self.0);
        let permissions = json["permissions"].as_array().into_iter().flatten().filter_map(|name| name.as_str());
        let mut sorted: Vec<&str> = permissions.collect();
        sorted.sort_unstable();
        PyTuple::new(py, sorted)
    }

    /// Whether the roles grant `permission` on everything, or, with `owner_id`, on what belongs to that user.
    #[pyo3(signature = (permission, owner_id = None))]
    fn has(&self, permission: &str, owner_id: Option<&str>) -> bool {
        require(&self.0, permission, owner_id).is_ok()
    }

    /// Raises `PermissionDenied` unless `has` says yes, and `ValidationError` when the owner is no user's id.
    #[pyo3(signature = (permission, owner_id = None))]
    fn require(&self, py: Python<'_>, permission: &str, owner_id: Option<&str>) -> PyResult<()> {
        require(&self.0, permission, owner_id).map_err(|error| exception(py, &error))
    }

    /// All of it, for example for a log.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let all = PyDict::new(py);
        all.set_item("user_id", self.user_id())?;
        all.set_item("tenant_id", self.tenant_id())?;
        all.set_item("session_id", self.session_id())?;
        all.set_item("roles", self.roles(py)?)?;
        all.set_item("permissions", self.permissions(py)?)?;
        all.set_item("amr", self.amr(py)?)?;
        all.set_item("auth_time", self.auth_time(py)?)?;
        all.set_item("expires_at", self.expires_at(py)?)?;
        Ok(all)
    }

    fn __repr__(&self) -> String {
        format!("<authkit.Principal {}>", self.0.user)
    }
}
