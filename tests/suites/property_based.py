"""Property-based requests made from the OpenAPI document against the live server, signed in as an administrator."""

import json
import os
import pathlib
import subprocess
import sys

from served import Served, result

EXAMPLES = "100" if os.environ.get("AUTHKIT_SOAK") else "12"
# Ends the very session that the run is signed in with; it has a run of its own.
LOGOUT = "/v1/auth/logout"
HERE = pathlib.Path(__file__).parent

with Served() as server:
    tokens = server.administrator()
    access = tokens["access_token"]
    _, other = server.call("GET", "/v1/admin/users?limit=1", token=access)
    server.run("user", "create", "--email", "subject@example.com", "--password-stdin", text="a subject's passphrase 4")
    _, users = server.call("GET", "/v1/admin/users?limit=10", token=access)
    subject = next(user["id"] for user in users["data"] if user["email"] == "subject@example.com")
    _, role = server.call("POST", "/v1/roles", {"name": "subject", "permissions": ["users:read"]}, token=access)
    _, audit = server.call("GET", "/v1/admin/audit?limit=1", token=access)
    ids = {
        "/v1/roles/": {"id": role["id"]},
        "/v1/users/": {"id": subject, "role_id": role["id"]},
        "/v1/admin/users/": {"id": subject},
        "/v1/admin/audit/": {"id": audit["data"][0]["id"]},
    }
    report = pathlib.Path(server.directory.name) / "events.ndjson"
    base = [
        str(pathlib.Path(sys.executable).parent / "schemathesis"), "run", f"{server.url}/api/openapi.json",
        "--header", f"Authorization: Bearer {access}", "--checks", "all", "--continue-on-failure",
        "--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES, "--seed", "7",
        "--suppress-health-check", "all", "--request-timeout", "20", "--no-shrink", "--warnings", "off",
    ]
    env = {**os.environ, "SCHEMATHESIS_HOOKS": "property_based_hooks", "PYTHONPATH": str(HERE), "AUTHKIT_IDS": json.dumps(ids)}
    codes = [
        subprocess.run([*base, *rest], env=env, cwd=server.directory.name).returncode
        for rest in (
            ["--exclude-path", LOGOUT, "--report", "ndjson", "--report-ndjson-path", str(report)],
            ["--include-path", LOGOUT],
        )
    ]
    passed = sum(code == 0 for code in codes)
    result(passed, len(codes) - passed)
