//! Engines inside this process, as JavaScript holds them.

use crate::{
    client::{Callbacks, Core, Told},
    options::parse,
    promise::{promise, thrown},
    storage::Question,
};
use authkit_client::{Client, Error, Result};
use authkit_embedded::{Embedded, EmbeddedTransport, Principal, principal_to_json, require};
use napi::{
    Env,
    bindgen_prelude::{Function, Object},
};
use napi_derive::napi;
use serde::Deserialize;

/// An engine inside this process.
#[napi]
pub struct Engine(pub(crate) Embedded);

/// Opens an engine with settings as JSON.
#[napi]
pub fn open<'env>(env: &'env Env, settings: String) -> napi::Result<Object<'env>> {
    promise(env, async move { Embedded::open(parse(&settings)?).await.map(Engine) })
}

/// An account that an application makes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewUser {
    email: String,
    password: String,
    name: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
}

#[napi]
impl Engine {
    /// A client of this engine.
    #[napi]
    pub fn client(
        &self,
        settings: String,
        storage: Option<Function<'_, Question, ()>>,
        shared: bool,
        events: Option<Function<'_, Told, ()>>,
    ) -> napi::Result<Core> {
        let builder = Client::builder().transport(EmbeddedTransport::new(&self.0));
        Core::build(builder, &settings, &Callbacks { storage, shared, events }, true)
    }

    /// Who presents the token and may do what is asked, without waiting; nothing when `authenticate` has to ask.
    #[napi]
    pub fn verify(
        &self,
        token: String,
        permission: Option<String>,
        owner: Option<String>,
    ) -> napi::Result<Option<String>> {
        let Some(verified) = self.0.verify(&token) else { return Ok(None) };
        shown(verified, permission.as_deref(), owner.as_deref()).map(Some).map_err(|error| thrown(&error))
    }

    /// The same, asking the database when this process may know too little.
    #[napi]
    pub fn authenticate<'env>(
        &self,
        env: &'env Env,
        token: String,
        permission: Option<String>,
        owner: Option<String>,
    ) -> napi::Result<Object<'env>> {
        let engine = self.0.clone();
        promise(env, async move { shown(engine.authenticate(&token).await, permission.as_deref(), owner.as_deref()) })
    }

    /// Makes an account; its id.
    #[napi]
    pub fn create_user<'env>(&self, env: &'env Env, user: String) -> napi::Result<Object<'env>> {
        let engine = self.0.clone();
        promise(env, async move {
            let NewUser { email, password, name, roles } = parse(&user)?;
            let id = engine.create_user(&email, password.into(), name.as_deref(), &roles).await?;
            Ok(id.to_string())
        })
    }

    /// Ends the worker and closes the database.
    #[napi]
    pub fn close<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let engine = self.0.clone();
        promise(env, async move {
            engine.close().await;
            Ok::<_, Error>(())
        })
    }
}

fn shown(verified: Result<Principal>, permission: Option<&str>, owner: Option<&str>) -> Result<String> {
    let principal = verified?;
    if let Some(permission) = permission {
        require(&principal, permission, owner)?;
    }
    Ok(principal_to_json(&principal).to_string())
}
