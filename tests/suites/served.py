"""A server of the built binary for the suites that are not written in Rust."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery staple 7"
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback needs no proxy


def binary() -> str:
    """Builds the server and returns the path of its binary."""
    built = subprocess.run(
        ["cargo", "build", "-q", "-p", "authkit-server", "--bin", "authkit", "--message-format=json"],
        cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True,
    )
    for line in built.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "authkit":
            return message["executable"]
    raise SystemExit("cargo built no authkit binary")


class Served:
    """A development server on an SQLite file of its own; a context manager. `arguments` are those of `authkit serve`."""

    def __init__(self, *arguments: str, **env: str):
        self.arguments = arguments
        self.directory = tempfile.TemporaryDirectory()
        self.binary = binary()
        self.env = {
            "PATH": os.environ["PATH"],
            "AUTHKIT_LISTEN": "127.0.0.1:0",
            "AUTHKIT_DATABASE_URL": f"sqlite://{self.directory.name}/authkit.db",
            "AUTHKIT_RATE_LIMITS__ENABLED": "false",
            **env,
        }

    def __enter__(self):
        self.log = open(f"{self.directory.name}/server.log", "wb")
        self.process = subprocess.Popen(
            [self.binary, "serve", *self.arguments], env=self.env, cwd=self.directory.name,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, text=True,
        )
        for line in self.process.stdout:
            if found := re.search(r"listening on (http\S+)", re.sub(r"\x1b\[[0-9;]*m", "", line)):
                self.url = found[1]
                return self
        raise SystemExit(pathlib.Path(self.log.name).read_text())

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
        self.process.stdout.close()
        self.log.close()
        self.directory.cleanup()

    def run(self, *arguments: str, text: str = "") -> str:
        done = subprocess.run(
            [self.binary, *arguments], env=self.env, cwd=self.directory.name, input=text,
            check=True, capture_output=True, text=True,
        )
        return done.stdout

    def call(self, method: str, path: str, body=None, token: str | None = None):
        """The status and the JSON body of one request."""
        request = urllib.request.Request(self.url + path, method=method)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("content-type", "application/json")
        if token:
            request.add_header("authorization", f"Bearer {token}")
        try:
            with OPENER.open(request, timeout=30) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as refused:
            text = refused.read()
            return refused.code, json.loads(text) if text else None

    def administrator(self) -> dict:
        """The tokens of the first administrator."""
        self.run("user", "create", "--email", "root@example.com", "--password-stdin", "--role", "admin", text=PASSWORD)
        status, tokens = self.call("POST", "/v1/auth/login", {"email": "root@example.com", "password": PASSWORD})
        assert status == 200, tokens
        return tokens

    def mail(self, to: str, kind: str) -> dict:
        """The newest mail of the kind, waiting for its delivery."""
        for _ in range(400):
            _, page = self.call("GET", f"/v1/dev/outbox?to={to}")
            for mail in page["data"]:
                if mail["kind"] == kind:
                    return mail
            time.sleep(0.05)
        raise SystemExit(f"no {kind} mail to {to}")


class Sqlite:
    """The file that a server has anyway; a context manager that gives its settings."""

    def __enter__(self) -> dict:
        return {}

    def __exit__(self, *_):
        pass


class Postgres:
    """A private PostgreSQL with its data in a temporary folder; a context manager that gives its settings."""

    def __enter__(self) -> dict:
        folders = [*os.environ["PATH"].split(":"), *map(str, sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin")))]
        initdb, postgres, psql = (shutil.which(name, path=":".join(folders)) for name in ["initdb", "postgres", "psql"])
        if not (initdb and postgres and psql):
            raise SystemExit("PostgreSQL's programs are missing: see scripts/setup.sh")
        self.folder = tempfile.TemporaryDirectory()
        # PostgreSQL does not run as root.
        self.user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.getuid() == 0 else []
        data = f"{self.folder.name}/data"
        if self.user:
            shutil.chown(self.folder.name, "postgres")
        pathlib.Path(self.folder.name).chmod(0o755)
        quiet = {"cwd": self.folder.name, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        initialise = [initdb, "-D", data, "-U", "admin", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run([*self.user, *initialise], check=True, **quiet)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        serve = [postgres, "-D", data, "-p", port, "-k", self.folder.name, "-c", "fsync=off"]
        self.process = subprocess.Popen([*self.user, *serve, "-c", "listen_addresses=127.0.0.1"], **quiet)
        for statement in ["CREATE ROLE authkit LOGIN", "CREATE DATABASE authkit OWNER authkit"]:
            client = [psql, "-h", "127.0.0.1", "-p", port, "-U", "admin", "-d", "postgres", "-c", statement]
            for _ in range(200):
                if subprocess.run(client, **quiet).returncode == 0:
                    break
                time.sleep(0.1)
        return {"AUTHKIT_DATABASE_URL": f"postgres://authkit@127.0.0.1:{port}/authkit"}

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)
        self.folder.cleanup()


def result(passed: int, failed: int) -> None:
    """The closing line that scripts/test.sh sums up, and the exit."""
    print(f"test result: {'FAILED' if failed else 'ok'}. {passed} passed; {failed} failed; 0 ignored")
    raise SystemExit(1 if failed else 0)
