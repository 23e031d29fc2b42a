/// A permission that exists.
#[derive(Clone, Debug)]
pub struct Permission {}
/// The permissions that exist in this installation.
#[derive(Clone, Debug)]
pub struct Permissions {}
/// What a set of roles grants.
#[derive(Clone, Debug)]
pub struct PermissionSet {}
