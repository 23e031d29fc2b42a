use super::{Failure, Pages, SignedIn, Visit, session::Back};
use crate::{call::Call, problem};
use authkit_core::{
    Error, Principal,
    wire::{ErrorCode, Secret},
};
use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, header};
use minijinja::{Value, value::Serde};
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};

/// The fields of a form as they were typed.
#[derive(Debug, Default)]
pub(super) struct Form(BTreeMap<String, Secret>);

impl Form {
    /// A field's text; empty when it was not sent.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", Secret::expose)
    }

    /// A field that nobody else may see.
    pub(super) fn secret(&self, name: &str) -> Secret {
        self.0.get(name).cloned().unwrap_or_default()
    }

    /// A field's text without the space around it; `None` when nothing was typed.
    pub(super) fn given(&self, name: &str) -> Option<String> {
        Some(self.text(name).trim()).filter(|text| !text.is_empty()).map(Into::into)
    }

    /// A code as people type it: without the spaces and dashes that make it readable.
    pub(super) fn code(&self, name: &str) -> Secret {
        self.text(name).chars().filter(|c| !c.is_whitespace() && *c != '-').collect::<String>().into()
    }
}

/// What a form shows again after a refusal: the texts that were typed (named one by one, so that no password is among
/// them), and what was wrong.
#[derive(Debug, Default, Serialize)]
pub(super) struct FormState {
    values: BTreeMap<&'static str, String>,
    errors: BTreeMap<String, String>,
    alert: Option<String>,
}

impl FormState {
    /// A form that shows `values`.
    pub(super) fn with(values: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        Self { values: values.into_iter().collect(), ..Self::default() }
    }

    /// The form after `error`, with the typed texts of `keep` still in it.
    pub(super) fn refused(form: &Form, keep: &[&'static str], fields: &[&str], error: &Error) -> Self {
        let mut state = Self::with(keep.iter().map(|name| (*name, form.text(name).to_owned())));
        for refused in &error.fields {
            if fields.contains(&refused.field.as_str()) {
                state.errors.entry(refused.field.clone()).or_insert_with(|| refused.detail.clone());
            } else {
                state.alert.get_or_insert_with(|| refused.detail.clone());
            }
        }
        if error.fields.is_empty() {
            state.alert = Some(error.detail.clone());
        }
        state
    }

    /// For the template.
    pub(super) fn value(&self) -> Value {
        Value::from(Serde(self))
    }
}

/// The same page again with what was wrong, under the error's status.
pub(super) fn again(visit: Visit, template: &str, values: Value, error: &Error) -> Response {
    problem::log(error, visit.trace());
    let mut answer = visit.page(problem::status(error.code), template, values);
    problem::retry_after(error, answer.headers_mut());
    answer
}

/// A refused code, as a refusal of the field that it was typed into.
pub(super) fn beside_code(error: &Error, field: &str) -> Error {
    match error.code {
        ErrorCode::InvalidMfaCode if field == "backup_code" => {
            Error::field(field, error.code.as_str(), "That is none of your unused backup codes.")
        }
        ErrorCode::InvalidMfaCode => {
            Error::field(field, error.code.as_str(), "That code is wrong. Wait for the next one and try again.")
        }
        code if error.fields.is_empty() => Error::new(code, error.detail.clone()),
        _ => {
            let mut fields = error.fields.clone();
            fields
                .iter_mut()
                .filter(|refused| refused.field == "code")
                .for_each(|refused| refused.field = field.into());
            Error::fields(fields)
        }
    }
}

/// How long a form may take to arrive where no layer says otherwise.
const BODY_TIME: Duration = Duration::from_secs(10);

/// A form that this browser got from us. The only way to a form's fields.
#[derive(Debug)]
pub(super) struct Post {
    pub(super) visit: Visit,
    pub(super) form: Form,
}

impl FromRequest<Pages> for Post {
    type Rejection = Failure;

    async fn from_request(request: Request, pages: &Pages) -> Result<Self, Failure> {
        let (mut parts, body) = request.into_parts();
        let visit = Visit::from_request_parts(&mut parts, pages).await?;
        if !is_same_origin(&parts.headers, &pages.engine.context().settings.public_url) {
            return Err(visit.refuse(forged()));
        }
        let patience = parts.extensions.get::<Call>().map_or(BODY_TIME, |call| call.body.time);
        let request = Request::from_parts(parts, body);
        let read = axum::Form::<BTreeMap<String, Secret>>::from_request(request, &());
        let form = match tokio::time::timeout(patience, read).await {
            Ok(Ok(axum::Form(fields))) => Form(fields),
            Ok(Err(refused)) => return Err(visit.refuse(problem::of_status(refused.into_response().status()))),
            Err(_) => return Err(visit.refuse(ErrorCode::RequestTimeout.into())),
        };
        if !visit.owns_form(form.text("form_token")) {
            return Err(visit.refuse(forged()));
        }
        Ok(Self { visit, form })
    }
}

/// A form of somebody who is signed in.
#[derive(Debug)]
pub(super) struct SignedPost {
    pub(super) signed: SignedIn,
    pub(super) form: Form,
}

impl SignedPost {
    /// Its three parts.
    pub(super) fn parts(self) -> (Visit, Principal, Form) {
        (self.signed.visit, self.signed.principal, self.form)
    }
}

impl FromRequest<Pages> for SignedPost {
    type Rejection = Failure;

    async fn from_request(request: Request, pages: &Pages) -> Result<Self, Failure> {
        let back = Back::of(request.uri().path());
        let Post { visit, form } = Post::from_request(request, pages).await?;
        Ok(Self { signed: SignedIn::of(visit, back).await?, form })
    }
}

fn forged() -> Error {
    Error::new(
        ErrorCode::CsrfFailed,
        "It was open for too long, or you have signed in or out meanwhile. Open the page again and repeat what you did. If you came from another site, do not trust it.",
    )
}

/// What the browser says of where a form was sent from. It is a second wall beside the form's token, so what a browser
/// does not say is let through: old ones send no `Sec-Fetch-Site`, and a page with a secret in its address has the
/// opaque origin `null`.
fn is_same_origin(headers: &HeaderMap, public_url: &str) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text(header::ORIGIN.as_str()).filter(|origin| *origin != "null") else { return true };
    let host = origin.split_once("://").map(|(_, host)| host);
    origin == public_url || host.is_some() && host == text(header::HOST.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same_origin(pairs: &[(&'static str, &'static str)]) -> bool {
        let headers = pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        is_same_origin(&headers, "https://id.example")
    }

    #[test]
    fn a_form_from_elsewhere_is_refused() {
        assert!(same_origin(&[("sec-fetch-site", "same-origin"), ("origin", "null")]));
        assert!(!same_origin(&[("sec-fetch-site", "cross-site")]));
        assert!(!same_origin(&[("sec-fetch-site", "same-site")]));
        assert!(same_origin(&[("origin", "https://id.example")]));
        assert!(same_origin(&[("origin", "http://localhost:8080"), ("host", "localhost:8080")]));
        assert!(!same_origin(&[("origin", "https://evil.example"), ("host", "id.example")]));
        assert!(same_origin(&[]));
    }
}
