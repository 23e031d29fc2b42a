#!/usr/bin/env python3
"""Walks from sign-up to two-step sign-in on the plain pages, in headless Chromium with JavaScript switched off, against a
fresh server, and takes a screenshot of every page in light and dark, wide and narrow. Reports like cargo.

usage: walk-pages.py [folder for the screenshots; default target/screenshots]
"""

import base64
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/suites"))
from served import OPENER, PASSWORD, Served, result  # noqa: E402: it lies with the suites

TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


def wait_for(what, seconds=30):
    """The first true answer of `what`; a page may be on its way, so what is not there yet is looked for again."""
    deadline, last = time.monotonic() + seconds, None
    while time.monotonic() < deadline:
        try:
            found = what()
            if found:
                return found
        except AssertionError as error:
            last = error
        time.sleep(0.1)
    raise last or AssertionError(f"waited {seconds} s in vain")


class Browser:
    """A W3C WebDriver session; as much of the protocol as the walk needs."""

    def __init__(self, folder, shots):
        self.shots, self.count = shots, 0
        self.driver = subprocess.Popen(
            [shutil.which("chromedriver"), "--port=0"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        for line in self.driver.stdout:
            found = re.search(r"successfully on port (\d+)", line)
            if found:
                self.base = f"http://127.0.0.1:{found.group(1)}"
                break
        arguments = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-dev-shm-usage", "--hide-scrollbars", f"--user-data-dir={folder}/profile",
        ]
        options = {"args": arguments, "prefs": {"profile.managed_default_content_settings.javascript": 2}}
        for name in ["chromium", "chromium-browser", "google-chrome"]:
            if shutil.which(name):
                options["binary"] = shutil.which(name)
                break
        answer = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}})
        self.base += f"/session/{answer['sessionId']}"

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with OPENER.open(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(json.load(error)["value"]["message"].split("\n")[0]) from None

    def open(self, url):
        self.call("POST", "/url", {"url": url})

    def path(self):
        return re.sub(r"^https?://[^/]+", "", self.call("GET", "/url"))

    def find(self, css):
        query = {"using": "css selector", "value": css}
        return wait_for(lambda: self.call("POST", "/element", query), 10)[ELEMENT]

    def all(self, css):
        return [one[ELEMENT] for one in self.call("POST", "/elements", {"using": "css selector", "value": css})]

    def text(self, css="main"):
        return self.call("GET", f"/element/{self.find(css)}/text")

    def type(self, css, text):
        element = self.find(css)
        self.call("POST", f"/element/{element}/clear", {})
        self.call("POST", f"/element/{element}/value", {"text": text})

    def click(self, css):
        self.call("POST", f"/element/{self.find(css)}/click", {})

    def devtools(self, command, **parameters):
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def shot(self, name):
        """The whole page, in light and dark, wide and narrow."""
        self.count += 1
        for width, scheme in [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]:
            self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
            self.devtools(
                "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 500
            )
            image = self.devtools("Page.captureScreenshot", captureBeyondViewport=True)["data"]
            size = "narrow" if width < 500 else "wide"
            file = self.shots / f"{self.count:02}-{name}-{size}-{scheme}.png"
            file.write_bytes(base64.b64decode(image))
            overflow = self.devtools("Page.getLayoutMetrics")["cssContentSize"]["width"]
            assert overflow <= width or name == "failed", f"{name} is {overflow} wide on a screen of {width}"
        self.devtools("Emulation.clearDeviceMetricsOverride")

    def stop(self):
        try:
            self.call("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait(timeout=10)


class Walk:
    def __init__(self, server, browser):
        self.server, self.url, self.browser = server, server.url.rstrip("/"), browser

    def go(self, path):
        self.browser.open(self.url + path)

    def at(self, path):
        wait_for(lambda: self.browser.path().split("?")[0] == path, 10)

    def shows(self, text):
        def shown():
            page = self.browser.text()
            assert text in page, f"{text!r} is not on {self.browser.path()}: {page}"
            return True

        wait_for(shown, 10)

    def submit(self, action):
        self.browser.click(f'main form[action="{action}"] button')

    def sign_in(self):
        self.go("/sign-in")
        self.browser.type("#email", "ada@example.com")
        self.browser.type("#password", PASSWORD)
        self.submit("/sign-in")

    def sign_out(self):
        self.browser.click('header form[action="/sign-out"] button')
        self.at("/sign-in")

    def code(self, ahead=0):
        now = f"@{int(time.time()) + ahead}"
        moment = subprocess.check_output(["date", "-u", "-d", now, "+%Y-%m-%d %H:%M:%S UTC"], text=True).strip()
        return subprocess.check_output(["oathtool", "--totp", "--base32", "--now", moment, self.secret], text=True).strip()

    def welcome(self):
        self.go("/")
        self.shows("is running")
        self.browser.shot("welcome")

    def script_is_off(self):
        self.browser.open("data:text/html,<p id=x>off</p><script>document.getElementById('x').textContent='on'</script>")
        assert self.browser.text("#x") == "off"

    def sign_up(self):
        self.go("/sign-up")
        self.browser.shot("sign-up")
        self.browser.type("#email", "ada@example.com")
        self.browser.type("#name", "Ada Lovelace")
        self.browser.type("#password", "password12")
        self.submit("/sign-up")
        self.shows("Create an account")
        self.browser.find("#password-error")
        self.browser.shot("sign-up-refused")
        self.browser.type("#password", PASSWORD)
        self.submit("/sign-up")
        self.at("/sign-up/sent")
        self.browser.shot("sign-up-sent")

    def mail(self):
        def arrived():
            self.go("/dev/outbox?to=ada%40example.com")
            return self.browser.all('.links a[href*="/verify-email?token="]')

        wait_for(arrived)
        self.browser.click(".mail summary")
        self.browser.shot("outbox")

    def verify(self):
        self.browser.click('.links a[href*="/verify-email?token="]')
        self.shows("Confirm your address")
        self.browser.shot("verify-email")
        self.submit("/verify-email")
        self.at("/done")
        self.browser.shot("done")

    def first_sign_in(self):
        self.go("/account")
        self.at("/sign-in")
        self.browser.shot("sign-in")
        self.browser.type("#email", "ada@example.com")
        self.browser.type("#password", "not the password")
        self.submit("/sign-in")
        self.shows("Sign in")
        self.browser.find(".note.bad")
        self.browser.shot("sign-in-refused")
        self.sign_in()
        self.at("/account")
        self.browser.shot("account")

    def set_up_totp(self):
        self.go("/account/mfa")
        self.browser.shot("mfa")
        self.submit("/account/mfa/start")
        self.at("/account/mfa/setup")
        self.browser.click("summary")
        self.secret = self.browser.text(".code code").replace(" ", "")
        self.browser.shot("mfa-setup")
        self.browser.type("#code", "000000")
        self.submit("/account/mfa/setup")
        self.browser.find("#code-error")
        self.browser.type("#code", self.code())
        self.submit("/account/mfa/setup")
        self.codes = self.shown_codes()
        self.browser.shot("mfa-codes")
        self.go("/account/mfa")
        self.shows("10 backup codes left")
        self.browser.shot("mfa-on")

    def shown_codes(self):
        self.at("/account/mfa/codes")
        codes = [self.browser.call("GET", f"/element/{code}/text") for code in self.browser.all(".codes code")]
        assert len(codes) == 10
        return codes

    def second_step(self):
        self.sign_out()
        self.browser.shot("signed-out")
        self.sign_in()
        self.at("/sign-in/mfa")
        self.browser.shot("sign-in-mfa")
        self.browser.type("#code", self.code(ahead=30))
        self.submit("/sign-in/mfa")
        self.at("/account")

    def backup_code(self):
        self.sign_out()
        self.sign_in()
        self.at("/sign-in/mfa")
        self.browser.click("summary")
        self.browser.type("#backup_code", self.codes[0])
        self.browser.click("details button")
        self.at("/account")
        self.shows("9 backup codes left")

    def new_codes(self):
        self.go("/account/mfa")
        self.browser.click("summary")
        self.browser.type("#regenerate-password", PASSWORD)
        self.browser.type("#regenerate-backup", self.codes[1])
        self.browser.shot("mfa-regenerate")
        self.submit("/account/mfa/regenerate")
        old, self.codes = self.codes, self.shown_codes()
        self.sign_out()
        self.sign_in()
        self.at("/sign-in/mfa")
        self.browser.click("summary")
        self.browser.type("#backup_code", old[2])
        self.browser.click("details button")
        self.browser.find("#backup_code-error")
        self.browser.shot("sign-in-mfa-refused")
        self.browser.type("#backup_code", self.codes[0])
        self.browser.click("details button")
        self.at("/account")
        self.shows("9 backup codes left")

    def profile(self):
        self.browser.type("#name", "Countess of Lovelace")
        self.submit("/account/profile")
        self.shows("Your profile is saved.")
        self.browser.shot("account-saved")

    def sessions(self):
        _, attempt = self.server.call("POST", "/v1/auth/login", {"email": "ada@example.com", "password": PASSWORD})
        body = {"mfa_token": attempt["mfa_token"], "method": "backup_code", "code": self.codes[2]}
        status, elsewhere = self.server.call("POST", "/v1/auth/mfa/verify", body)
        assert status == 200, elsewhere
        self.go("/account")
        self.shows("This browser")
        self.shows("Python")
        self.browser.shot("account-sessions")
        self.submit("/account/sessions/revoke")
        self.shows("That session is signed out.")
        status, _ = self.server.call("GET", "/v1/me", token=elsewhere["access_token"])
        assert status == 401, "the ended session still counts"
        self.shows("This browser")

    def follow(self, address):
        """Opens the link in the mail that is on its way."""
        link = f'.links a[href*="{address}"]'

        def arrived():
            self.go("/dev/outbox?to=ada%40example.com")
            return self.browser.all(link)

        wait_for(arrived)
        self.browser.click(link)

    def forgot(self):
        self.sign_out()
        self.go("/forgot-password")
        self.browser.shot("forgot-password")
        self.browser.type("#email", "ada@example.com")
        self.submit("/forgot-password")
        self.at("/forgot-password/sent")
        self.follow("/reset-password?token=")
        self.browser.shot("reset-password")
        self.browser.type("#new_password", "several unrelated words 42")
        self.submit("/reset-password")
        self.at("/sign-in")
        self.shows("Your password is set")

    def dead_link(self):
        self.go("/verify-email?token=akv_nothing")
        self.shows("not valid any more")
        self.browser.shot("link-over")

    def close(self):
        self.sign_in_with("several unrelated words 42", self.codes[1])
        self.go("/account/close")
        self.browser.shot("close")
        self.browser.type("#deactivate-password", "several unrelated words 42")
        self.submit("/account/deactivate")
        self.at("/done")
        self.shows("Your account is deactivated.")

    def come_back(self):
        self.follow("/reactivate?token=")
        self.browser.shot("reactivate")
        self.submit("/reactivate")
        self.at("/done")
        self.shows("Your account is active again.")
        self.sign_in_with("several unrelated words 42", self.codes[3])

    def sign_in_with(self, password, code):
        self.go("/sign-in")
        self.browser.type("#email", "ada@example.com")
        self.browser.type("#password", password)
        self.submit("/sign-in")
        self.at("/sign-in/mfa")
        self.browser.click("summary")
        self.browser.type("#backup_code", code)
        self.browser.click("details button")
        self.at("/account")

    STEPS = [
        script_is_off, welcome, sign_up, mail, verify, first_sign_in, set_up_totp, second_step, backup_code,
        new_codes, profile, sessions, forgot, dead_link, close, come_back,
    ]


def main():
    shots = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else TARGET / "screenshots")
    shutil.rmtree(shots, ignore_errors=True)
    shots.mkdir(parents=True)
    passed = 0
    # With the rate limits that people meet.
    with Served(AUTHKIT_RATE_LIMITS__ENABLED="true") as server, tempfile.TemporaryDirectory() as profile:
        browser = Browser(profile, shots)
        try:
            walk = Walk(server, browser)
            for step in Walk.STEPS:
                try:
                    step(walk)
                except Exception as error:
                    print(f"{step.__name__} ... FAILED: {type(error).__name__}: {error}")
                    browser.shot("failed")
                    break
                print(f"{step.__name__} ... ok")
                passed += 1
        finally:
            browser.stop()
    print(f"screenshots in {shots}")
    result(passed, len(Walk.STEPS) - passed)


if __name__ == "__main__":
    main()
