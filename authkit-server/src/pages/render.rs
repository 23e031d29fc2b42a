use super::Pages;
use crate::problem::{self, Pending};
use authkit_core::{Context, Error, Origin, wire::ErrorCode};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use minijinja::{Environment, Value, context, syntax::SyntaxConfig};
use std::sync::{Arc, LazyLock};

const STYLE: &str = include_str!("templates/style.css");

/// The name holds a hash of the sheet, so that browsers may keep it for good.
pub(super) const STYLE_ROUTE: &str = "/assets/{name}";

static STYLE_PATH: LazyLock<String> = LazyLock::new(|| {
    // FNV-1a: it only has to change with the sheet.
    let hash = STYLE
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("/assets/style-{hash:016x}.css")
});

const TEMPLATES: &[(&str, &str)] = &[
    ("base.html", include_str!("templates/base.html")),
    ("parts.html", include_str!("templates/parts.html")),
    ("welcome.html", include_str!("templates/welcome.html")),
    ("error.html", include_str!("templates/error.html")),
    ("done.html", include_str!("templates/done.html")),
    ("sent.html", include_str!("templates/sent.html")),
    ("sign_up.html", include_str!("templates/sign_up.html")),
    ("resend.html", include_str!("templates/resend.html")),
    ("link.html", include_str!("templates/link.html")),
    ("sign_in.html", include_str!("templates/sign_in.html")),
    ("sign_in_mfa.html", include_str!("templates/sign_in_mfa.html")),
    ("sign_out.html", include_str!("templates/sign_out.html")),
    ("forgot.html", include_str!("templates/forgot.html")),
    ("reset.html", include_str!("templates/reset.html")),
    ("account.html", include_str!("templates/account.html")),
    ("close.html", include_str!("templates/close.html")),
    ("mfa.html", include_str!("templates/mfa.html")),
    ("mfa_setup.html", include_str!("templates/mfa_setup.html")),
    ("mfa_codes.html", include_str!("templates/mfa_codes.html")),
    ("outbox.html", include_str!("templates/outbox.html")),
];

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        environment.set_syntax(syntax);
    }
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::Html);
    environment.add_filter("moment", moment);
    environment.add_filter("data_image", data_image);
    for (name, source) in TEMPLATES {
        if let Err(error) = environment.add_template(name, source) {
            tracing::error!(%error, name, "a page template does not parse");
        }
    }
    environment
});

/// An RFC 3339 time as people read it.
fn moment(time: &str) -> String {
    time.parse::<jiff::Timestamp>()
        .map_or_else(|_| time.to_owned(), |time| time.strftime("%-d %b %Y, %H:%M UTC").to_string())
}

/// How long something lasts, as mails say it too.
pub(super) fn lasting(span: jiff::SignedDuration) -> String {
    authkit_core::notices::duration(span.as_mins())
}

/// An SVG as the address of an image: inside `<img>` it can neither run nor load anything.
fn data_image(svg: &str) -> String {
    format!("data:image/svg+xml;base64,{}", STANDARD.encode(svg))
}

/// What every page shows around its content.
pub(super) fn frame(cx: &Context) -> Value {
    context! {
        product => cx.settings.product_name.as_str(),
        style => STYLE_PATH.as_str(),
        development => cx.settings.development_outbox,
        min_password => cx.settings.password.min_length,
    }
}

/// The page `template` with `values`.
pub(super) fn html(status: StatusCode, template: &str, values: Value) -> Response {
    match ENVIRONMENT.get_template(template).and_then(|template| template.render(values)) {
        Ok(page) => (status, Html(page)).into_response(),
        Err(error) => {
            tracing::error!(%error, template, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The stylesheet.
pub(super) async fn style(request: Request) -> Response {
    if request.uri().path() != *STYLE_PATH {
        return StatusCode::NOT_FOUND.into_response();
    }
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, STYLE).into_response()
}

/// No script, nothing from elsewhere, never in a frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; \
                                 frame-ancestors 'none'; base-uri 'none'";

/// Makes a page of a refusal, whoever refused, for a person ([`wanted`]); programs get a problem document from the layer.
/// What speaks for itself stays as it is.
pub(crate) fn describe(cx: &Context, response: &mut Response, trace: &str) {
    let error = match response.extensions_mut().remove::<Pending>() {
        Some(Pending(error)) => error,
        // Refusals of axum's extractors are plain text.
        None if response.status() == StatusCode::BAD_REQUEST && !is_page(response) => Arc::new(Error::new(
            ErrorCode::MalformedRequest,
            "Its address or its form is not as we made it. Start anew.",
        )),
        None if response.status().as_u16() >= 400 && !is_page(response) => {
            Arc::new(problem::of_status(response.status()))
        }
        None => return,
    };
    problem::log(&error, trace);
    let values = context! { title => title(&error), detail => error.detail.as_str(), trace => trace, ..frame(cx) };
    let page = html(problem::status(error.code), "error.html", values);
    let before = std::mem::replace(response, page);
    for name in [header::SET_COOKIE, header::ALLOW] {
        for value in before.headers().get_all(&name) {
            response.headers_mut().append(name.clone(), value.clone());
        }
    }
    problem::retry_after(&error, response.headers_mut());
    guard(response);
}

/// Whether the answer is a page already.
fn is_page(response: &Response) -> bool {
    response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// What happened, in words of people who do not write programs.
fn title(error: &Error) -> &'static str {
    match error.code {
        ErrorCode::CsrfFailed => "This form is too old",
        code => code.title(),
    }
}

/// Says in headers what a browser may do with a page.
fn guard(response: &mut Response) {
    let headers = response.headers_mut();
    let mut set = |name, value| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::CACHE_CONTROL, "no-store");
    // Addresses of these pages may hold a token of a mail.
    set(header::REFERRER_POLICY, "no-referrer");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
}

/// Whether it is a person who asks, who wants to see a page.
pub(crate) fn wanted(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// The last step of every page.
pub(super) async fn finish(State(pages): State<Pages>, request: Request, next: Next) -> Response {
    let trace = request.extensions().get::<Origin>().and_then(|origin| origin.trace_id.clone());
    let page = wanted(request.headers());
    let mut response = next.run(request).await;
    if page {
        describe(pages.engine.context(), &mut response, trace.as_deref().unwrap_or_default());
    }
    guard(&mut response);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_parses() {
        for (name, _) in TEMPLATES {
            assert!(ENVIRONMENT.get_template(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn no_template_holds_script_or_inline_style() {
        for (name, source) in TEMPLATES {
            for banned in ["<script", "javascript:", " style=", "<style", " onclick", " onsubmit", " onload", "http://"]
            {
                assert!(!source.to_lowercase().contains(banned), "{name} holds {banned}");
            }
        }
    }

    #[test]
    fn what_is_shown_is_escaped() {
        let page = ENVIRONMENT.render_str("{{ x }}", context! { x => "<script>\"" }).unwrap();
        assert_eq!(page, "&lt;script&gt;&quot;");
    }

    #[test]
    fn times_are_shown_as_people_read_them() {
        assert_eq!(moment("2026-11-20T15:04:05.1Z"), "20 Nov 2026, 15:04 UTC");
        assert_eq!(moment("never"), "never");
    }
}
