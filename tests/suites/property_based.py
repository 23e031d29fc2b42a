"""Property-based requests made from the OpenAPI document against the live server: as an administrator, as an ordinary
user, and, for each operation that ends its own session, in a run with a session of its own."""

import collections
import json
import os
import pathlib
import subprocess
import sys

from served import PASSWORD, Postgres, Served, Sqlite, result

SOAK = bool(os.environ.get("AUTHKIT_SOAK"))
EXAMPLES = "100" if SOAK else "12"
HERE = pathlib.Path(__file__).parent
# This share of the operations must have been carried out in the administrator's run, not only refused.
SHARE = 0.6
# Whom administrators act on.
SUBJECT = "subject@example.com"

# Each ends the session or the account of the run that calls it, after which everything else would only be refused.
ENDING = [
    ("POST", "/v1/auth/logout"),
    ("POST", "/v1/me/deactivate"),
    ("POST", "/v1/me/delete"),
    # Ends others, but a wrong guess of the current password too often locks the account for the rest of the run.
    ("POST", "/v1/auth/password/change"),
    # Without an id it ends the others; with `{id}` the run's own, which its list of sessions shows.
    ("DELETE", "/v1/me/sessions"),
    ("DELETE", "/v1/me/sessions/{id}"),
    # With the administrator's own id, which the tool finds in other answers.
    ("DELETE", "/v1/admin/users/{id}/sessions"),
    ("POST", "/v1/admin/users/{id}/mfa/reset"),
]

# Refusals of values that fit the schema, because a schema cannot express the rule. Everything else must be accepted.
LINK = "the token of a mail that was sent, once"
REFUSED = [
    ("POST", "/v1/auth/verify-email", [400, 422], LINK + "; an Idempotency-Key for one request only"),
    ("POST", "/v1/auth/email/confirm", [400, 422], LINK + "; an Idempotency-Key for one request only"),
    ("POST", "/v1/auth/reactivate", [400, 422], LINK + "; an Idempotency-Key for one request only"),
    ("POST", "/v1/auth/email/undo", [400, 422], LINK + "; an Idempotency-Key for one request only"),
    ("POST", "/v1/auth/password/reset", [400, 422], LINK + "; a password that is not easy to guess"),
    ("POST", "/v1/auth/password/change", [422], "a password that is not easy to guess"),
    (
        "POST", "/v1/auth/register", [422],
        "a password that is not easy to guess; a redirect on the list; declared profile fields; an Idempotency-Key for "
        "one request only",
    ),
    ("POST", "/v1/auth/verify-email/resend", [422], "an Idempotency-Key for one request only"),
    ("POST", "/v1/auth/password/forgot", [422], "an Idempotency-Key for one request only"),
    ("POST", "/v1/me/email", [422], "an Idempotency-Key for one request only"),
    ("PATCH", "/v1/me", [412, 422], "an If-Match of the version that is there; declared profile fields"),
    ("POST", "/v1/roles", [422], "permissions that exist, a parent of this tenant, an Idempotency-Key for one request"),
    ("PATCH", "/v1/roles/{id}", [412, 422], "an If-Match of the version that is there; permissions that exist"),
    ("DELETE", "/v1/roles/{id}", [412, 422], "an If-Match of the version that is there; an Idempotency-Key"),
    ("POST", "/v1/permissions/check", [422], "a permission that exists"),
    ("POST", "/v1/me/mfa/totp/disable", [422], "a method that is set up"),
    ("POST", "/v1/me/mfa/backup-codes", [422], "a method that is set up"),
    ("POST", "/v1/auth/mfa/verify", [422], "a method that is set up"),
    ("GET", "/v1/admin/users", [400], "a cursor that this list gave out"),
    ("GET", "/v1/admin/users/{id}/sessions", [400], "a cursor that this list gave out"),
    ("GET", "/v1/admin/audit", [400], "a cursor that this list gave out; times that exist"),
    ("GET", "/v1/roles", [400], "a cursor that this list gave out"),
    ("GET", "/v1/me/sessions", [400], "a cursor that this list gave out"),
    ("GET", "/v1/devices", [400], "a cursor that this list gave out"),
    ("GET", "/v1/admin/devices", [400], "a cursor that this list gave out"),
    ("POST", "/v1/devices/claims", [422], "a name that hides nothing"),
    ("PATCH", "/v1/devices/{id}", [422], "a name that shows; an Idempotency-Key for one request only"),
    ("POST", "/v1/devices/challenge", [422], "the fields of its purpose, and a key that is one"),
    ("POST", "/v1/devices/token", [422], "texts without NUL"),
    ("POST", "/v1/devices/claim", [400, 422], "a code that is open, and a key that is one"),
    ("GET", "/v1/dev/outbox", [400], "readable text"),
    *(
        (method, path, [422], "an Idempotency-Key for one request only")
        for method, path in [
            ("POST", "/v1/admin/users/{id}/activate"), ("POST", "/v1/admin/users/{id}/deactivate"),
            ("POST", "/v1/admin/users/{id}/unlock"), ("POST", "/v1/admin/users/{id}/mfa/reset"),
            ("DELETE", "/v1/admin/users/{id}/sessions"), ("DELETE", "/v1/me/sessions"),
            ("DELETE", "/v1/me/sessions/{id}"), ("PUT", "/v1/users/{id}/roles/{role_id}"),
            ("DELETE", "/v1/devices/claims/{id}"), ("DELETE", "/v1/devices/{id}"), ("DELETE", "/v1/admin/devices/{id}"),
            ("DELETE", "/v1/users/{id}/roles/{role_id}"), ("POST", "/v1/me/deactivate"), ("POST", "/v1/me/delete"),
        ]
    ),
]
ACCEPTED = ["2xx", "3xx", 401, 403, 404, 409, 429]


def settings() -> str:
    """What the tool is told about single operations."""
    parts = []
    for method, path, statuses, _ in REFUSED:
        parts.append(
            f'[[operations]]\ninclude-name = "{method} {path}"\n'
            f"[operations.checks.positive_data_acceptance]\nexpected-statuses = {json.dumps(ACCEPTED + statuses)}\n"
        )
    return "\n".join(parts)


class Run:
    """One run of the tool, with what was answered to each operation."""

    def __init__(self, server, name: str, token: str, ids: dict, *filters: str):
        folder = pathlib.Path(server.directory.name)
        (folder / "schemathesis.toml").write_text(settings())
        report = folder / "events.ndjson"
        command = [
            str(pathlib.Path(sys.executable).parent / "schemathesis"), "--config-file", str(folder / "schemathesis.toml"),
            "run", f"{server.url}/api/openapi.json",
            "--header", f"Authorization: Bearer {token}", "--checks", "all", "--continue-on-failure",
            "--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES, "--seed", "7",
            "--suppress-health-check", "all", "--request-timeout", "20", "--no-shrink", "--warnings", "off",
            "--report", "ndjson", "--report-ndjson-path", str(report), *filters,
        ]
        env = {
            "PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "PYTHONPATH": str(HERE),
            "SCHEMATHESIS_HOOKS": "property_based_hooks", "PROPERTY_VALUES": json.dumps(ids),
        }
        print(f"-- {name}", flush=True)
        done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True)
        self.problems = [] if done.returncode == 0 else [f"{name}: exit code {done.returncode}"]
        if self.problems:
            print(done.stdout[-20_000:], done.stderr[-4_000:])
        self.statuses = collections.defaultdict(collections.Counter)
        for line in report.read_text().splitlines():
            recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
            for interaction in recorder.get("interactions", {}).values():
                if interaction.get("response"):
                    self.statuses[recorder["label"]][interaction["response"]["status_code"]] += 1

    def carried_out(self, operation: str) -> int:
        return sum(count for status, count in self.statuses[operation].items() if 200 <= status < 300)

    def table(self) -> None:
        for operation in sorted(self.statuses):
            counts = "  ".join(f"{status}: {count}" for status, count in sorted(self.statuses[operation].items()))
            print(f"{'yes' if self.carried_out(operation) else 'no ':3}  {operation:48} {counts}")


def exactly(method: str, path: str) -> list[str]:
    return ["--include-name", f"{method} {path}"]


def without_ending() -> list[str]:
    return [part for method, path in ENDING for part in ("--exclude-name", f"{method} {path}")]


def as_administrator(server) -> list[str]:
    tokens = server.administrator()
    access = tokens["access_token"]
    subject, role, audit = known(server, access)
    ids = values(subject, role, audit)
    _, others = server.call("POST", "/v1/auth/login", {"email": SUBJECT, "password": PASSWORD})
    ids = {
        "/v1/auth/login": {"email": SUBJECT, "password": PASSWORD},
        "/v1/auth/refresh": {"refresh_token": others["refresh_token"]},
        **ids,
    }
    run = Run(server, "as an administrator", access, ids, *without_ending())
    run.table()
    problems = run.problems
    reached = sum(bool(run.carried_out(operation)) for operation in run.statuses)
    print(f"{reached} of {len(run.statuses)} operations were carried out")
    if reached < SHARE * len(run.statuses):
        problems.append(f"only {reached} of {len(run.statuses)} operations were carried out")
    status, _ = server.call("GET", "/v1/me", token=access)
    if status != 200:
        problems.append(f"the run's own session did not live through it: {status}")
    return problems


def that_end(server) -> list[str]:
    """Each with an administrator and a session of its own."""
    problems = []
    _, root = server.call("POST", "/v1/auth/login", {"email": "root@example.com", "password": PASSWORD})
    subject, role, audit = known(server, root["access_token"])
    for number, (method, path) in enumerate(ENDING):
        email = f"ending{number}@example.com"
        server.run("user", "create", "--email", email, "--password-stdin", "--role", "admin", text=PASSWORD)
        _, tokens = server.call("POST", "/v1/auth/login", {"email": email, "password": PASSWORD})
        # So that there is something to reset: a factor that was never confirmed asks for nothing.
        _, totp = server.call("POST", "/v1/me/mfa/totp", {}, token=tokens["access_token"])
        code = subprocess.check_output(["oathtool", "--totp", "--base32", totp["secret"]], text=True).strip()
        server.call("POST", "/v1/me/mfa/totp/confirm", {"code": code}, token=tokens["access_token"])
        ids = values(subject, role, audit)
        ids["/v1/me/sessions/"] = {"id": tokens["session_id"]}
        ids["/v1/admin/users/"] = {"id": tokens["user"]["id"]}
        run = Run(server, f"{method} {path}", tokens["access_token"], ids, *exactly(method, path))
        run.table()
        problems += run.problems
        if not run.carried_out(f"{method} {path}"):
            problems.append(f"{method} {path} was never carried out")
    return problems


def as_ordinary_user(server) -> list[str]:
    email = "ordinary@example.com"
    server.run("user", "create", "--email", email, "--password-stdin", text=PASSWORD)
    _, tokens = server.call("POST", "/v1/auth/login", {"email": email, "password": PASSWORD})
    _, root = server.call("POST", "/v1/auth/login", {"email": "root@example.com", "password": PASSWORD})
    subject, role, audit = known(server, root["access_token"])
    run = Run(server, "as an ordinary user", tokens["access_token"], values(subject, role, audit), *without_ending())
    problems = run.problems
    _, document = server.call("GET", "/api/openapi.json")
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            name = f"{method.upper()} {path}"
            if not operation["x-authkit-access"].startswith("permission:") or (method.upper(), path) in ENDING:
                continue
            if run.carried_out(name) or not run.statuses[name][403]:
                problems.append(f"{name} by an ordinary user: {dict(run.statuses[name])}")
    status, _ = server.call("GET", "/v1/me", token=tokens["access_token"])
    if status != 200:
        problems.append(f"the ordinary user's session did not live through it: {status}")
    return problems


def known(server, access: str) -> tuple[str, str, str]:
    """A user without roles, a role and an audit record; made once."""
    _, users = server.call("GET", "/v1/admin/users?email=subject%40example.com", token=access)
    if not users["data"]:
        server.run("user", "create", "--email", SUBJECT, "--password-stdin", text=PASSWORD)
        _, users = server.call("GET", "/v1/admin/users?email=subject%40example.com", token=access)
        server.call("POST", "/v1/roles", {"name": "subject", "permissions": ["users:read"]}, token=access)
    _, roles = server.call("GET", "/v1/roles?limit=100", token=access)
    # The run may have renamed or deleted it.
    role = next((role["id"] for role in roles["data"] if not role["system"]), roles["data"][0]["id"])
    _, audit = server.call("GET", "/v1/admin/audit?limit=1", token=access)
    return users["data"][0]["id"], role, audit["data"][0]["id"]


def values(subject: str, role: str, audit: str) -> dict:
    """Real values by the beginning of the path."""
    return {
        "/v1/roles/": {"id": role},
        "/v1/users/": {"id": subject, "role_id": role},
        "/v1/admin/users/": {"id": subject},
        "/v1/admin/audit/": {"id": audit},
        "/v1/auth/password/change": {"new_password": "a rather different passphrase 5"},
        "/v1/": {
            "password": PASSWORD, "current_password": PASSWORD, "user_id": subject, "owner_id": subject,
            "permission": "users:read", "permissions": ["users:read"], "parent_id": None,
        },
    }


def main() -> None:
    problems, passed, parts = [], 0, (as_administrator, that_end, as_ordinary_user)
    for engine in (Sqlite, Postgres):
        with engine() as env, Served(**env) as server:
            print(f"== on {engine.__name__}")
            for part in parts:
                found = part(server)
                passed += not found
                problems += [f"{part.__name__} on {engine.__name__}: {text}" for text in found]
    for problem in problems:
        print(f"FAILED {problem}")
    result(passed, 2 * len(parts) - passed)


main()
