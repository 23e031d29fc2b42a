# A thin index: each line calls one script or one cargo command.

.PHONY: help run test soak check conformance bench fmt setup generated advisories guide

help: ## this list
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

run: ## an identity server on an embedded SQLite (a quick debug build; `cargo build --release` for production)
	@scripts/run.sh

test: ## every test at bounded counts; ends with `N passed, N failed`
	@scripts/test.sh

soak: ## the same cases at their full counts
	@AUTHKIT_SOAK=1 scripts/test.sh

check: ## formatting, lints, docs, licences, generated files
	@scripts/check.sh

conformance: ## every scenario in every language, written to docs/conformance.md
	@scripts/setup.sh test && cargo run --quiet -p authkit-tests --bin conformance

bench: ## benchmarks, written to docs/benchmarks.md
	@scripts/bench.sh

fmt: ## format the Rust code
	@cargo fmt --all

setup: ## install what tests and checks need (Debian as root; elsewhere it says what is missing)
	@scripts/setup.sh

generated: ## write every generated file: docs/openapi.json, errors.md, configuration.*, the client's operations
	@scripts/generate.sh

advisories: ## known vulnerabilities of dependencies (needs the network)
	@cargo deny check advisories

guide: ## run the getting-started guide as it stands against a fresh server
	@scripts/run-guide.sh
