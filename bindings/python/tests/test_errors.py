"""Why calls fail, as Python programs see it."""

from __future__ import annotations

import json
import pickle
import re
import traceback

import pytest
from conftest import ROOT, Place

import authkit
from authkit import AuthKitError, errors
from authkit._reading import read_error

CODES = [row["code"] for row in json.loads((ROOT / "tests/vectors/errors.json").read_text())["codes"]]


def error(code: str, status: int) -> AuthKitError:
    return read_error(
        json.dumps(
            {
                "code": code,
                "status": status,
                "message": "No.",
                "retryable": True,
                "retry_after": 1.5,
                "trace_id": "t",
                "fields": [{"field": "email", "code": "request.invalid", "detail": "An address.", "newer": 1}],
            }
        )
    )


def test_every_code_has_a_class_of_its_own_kind() -> None:
    assert set(CODES) <= set(errors.CLASS_BY_CODE)
    for code, kind in {
        "auth.invalid_credentials": authkit.AuthError,
        "auth.forbidden": authkit.PermissionDenied,
        "client.signed_out": authkit.SignedOut,
        "client.network": authkit.NetworkError,
        "client.timeout": authkit.NetworkError,
        "password.too_short": authkit.ValidationError,
        "request.validation_failed": authkit.ValidationError,
        "request.rate_limited": authkit.RateLimited,
        "role.not_found": authkit.NotFound,
        "role.cycle": authkit.Conflict,
        "server.internal": authkit.ServerError,
    }.items():
        assert type(error(code, 0)) is kind, code
    assert issubclass(authkit.SignedOut, authkit.AuthError)
    assert not issubclass(authkit.PermissionDenied, authkit.AuthError)


def test_codes_of_newer_servers_go_by_their_status() -> None:
    assert type(error("billing.no_credit", 403)) is authkit.PermissionDenied
    assert type(error("billing.no_credit", 503)) is authkit.ServerError
    assert type(error("billing.no_credit", 418)) is AuthKitError


def test_errors_tell_everything_and_cross_processes() -> None:
    made = error("request.rate_limited", 429)
    for each in (made, pickle.loads(pickle.dumps(made))):
        assert isinstance(each, authkit.RateLimited)
        assert (each.code, each.status, each.message) == ("request.rate_limited", 429, "No.")
        assert (each.retryable, each.retry_after, each.trace_id) == (True, 1.5, "t")
        assert [(field.field, field.detail) for field in each.fields] == [("email", "An address.")]
        assert str(each) == "No. (request.rate_limited; `email`: An address.)"


def test_refused_arguments_are_named(place: Place) -> None:
    with pytest.raises(authkit.ValidationError) as refused:
        place.blocking_client().register("nobody", "x")
    assert {field.field for field in refused.value.fields} >= {"email"}
    assert refused.value.status == 422


def test_no_secret_is_in_an_error_a_repr_or_a_traceback(place: Place) -> None:
    secret = "hunter2-hunter2-hunter2"
    client = place.blocking_client()
    with pytest.raises(authkit.AuthError) as refused:
        client.login("ada@example.com", secret)
    shown = "".join(traceback.format_exception(refused.value)) + repr(refused.value) + repr(refused.value.__dict__)
    assert secret not in shown
    signed_in = place.sign_up()
    tokens = signed_in.refresh()
    for text in (repr(signed_in), repr(tokens), str(tokens), repr(signed_in.with_bearer(tokens.access_token))):
        assert tokens.access_token not in text and tokens.refresh_token not in text, text
    enrolment = signed_in.enrol_totp()
    assert enrolment.secret not in repr(enrolment)
    with pytest.raises(authkit.AuthKitError) as refused:
        place.blocking_client(timeout=5).with_bearer("bad\n" + tokens.access_token).get_me()
    assert tokens.access_token not in str(refused.value) + repr(refused.value)


def test_settings_are_checked_at_once() -> None:
    for wrong in ({"base_url": "http://example.com"}, {"base_url": "nonsense"}, {"tenant": "a b"}, {"timeout": -1.0}):
        with pytest.raises(authkit.ValidationError):
            authkit.Client(**{"base_url": "https://id.example.com", **wrong})  # type: ignore[arg-type]


def test_the_registry_is_told_apart_by_few_classes() -> None:
    kinds = {kind.__name__ for kind in errors.CLASS_BY_CODE.values()}
    assert len(kinds) <= 10 and all(re.fullmatch(r"[A-Z]\w+", kind) for kind in kinds)
