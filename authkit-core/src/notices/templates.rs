/// Mail templates: the built-in ones, and those the host application puts in their place.
#[derive(Clone, Debug, Default)]
pub struct Templates {}
