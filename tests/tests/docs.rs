//! Generated documents are what their source says. `AUTHKIT_UPDATE=1` writes them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use authkit_core::wire::ErrorCode;
use authkit_engine::config;
use std::{fmt::Write as _, fs, path::Path};

fn compare(path: &str, fresh: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    if std::env::var_os("AUTHKIT_UPDATE").is_some() {
        fs::write(file, fresh).unwrap();
    } else {
        let committed = fs::read_to_string(file).unwrap_or_default();
        assert!(committed == fresh, "{path} is not what its source says: run `make generated` and commit the result");
    }
}

#[test]
fn every_error_code_is_documented() {
    let mut page = String::from(
        "# Error codes\n\n\
        Generated from the registry in `authkit-core/wire/src/codes.rs` by `make generated`.\n\n\
        Every HTTP error is an RFC 9457 problem document whose `code` is one of these; its `type` is\n\
        `urn:authkit:problem:` followed by the code. Codes are stable: new ones are added, none changes its meaning.\n\
        *Again* marks those where the same request may succeed later.\n",
    );
    let mut area = "";
    for code in ErrorCode::ALL {
        let this = code.as_str().split('.').next().unwrap_or_default();
        if this != area {
            area = this;
            write!(page, "\n## {area}\n\n| Code | Status | Meaning | Again |\n|---|---|---|---|\n").unwrap();
        }
        let again = if code.retryable() { "yes" } else { "" };
        writeln!(page, "| `{}` | {} | {} | {again} |", code.as_str(), code.status(), code.title()).unwrap();
    }
    compare("docs/errors.md", &page);
}

#[test]
fn every_setting_of_the_configuration_is_documented() {
    compare("docs/configuration.md", &config::reference());
    compare("docs/configuration.schema.json", &format!("{:#}\n", config::json_schema()));
}
