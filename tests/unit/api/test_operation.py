"""What all operations do alike: who may ask, what parameters they take, how they refuse."""

from __future__ import annotations

import base64

import pytest

from livepost.errors import StoreError
from tests.unit.api.house import SECRET, WRITE, Asked

PATHS = [
    "/api/people/ada",
    "/api/people/ada/why",
    "/api/segments",
    "/api/segments/keen/people",
    "/api/status",
    "/api/deliveries",
    "/api/providers",
]


@pytest.mark.parametrize("path", PATHS)
def test_without_a_key_nothing_is_told(asked: Asked, path: str) -> None:
    for key in (None, "lp_secret_other", "x" * 100_000):
        reply = asked.ask(path, key=key)
        assert (reply.status_code, reply.headers["www-authenticate"]) == (401, 'Bearer realm="livepost"')
        assert reply.headers["content-type"] == "application/problem+json"
        assert "livepost" not in reply.json()["detail"] or "Authorization" in reply.json()["detail"]


@pytest.mark.parametrize("path", PATHS)
def test_a_write_key_which_is_public_opens_nothing(asked: Asked, path: str) -> None:
    reply = asked.ask(path, key=WRITE)
    assert reply.status_code == 403
    assert reply.json()["title"] == "Forbidden"


@pytest.mark.parametrize("path", PATHS)
def test_a_session_of_the_console_reads_unless_a_key_comes_with_it(asked: Asked, path: str) -> None:
    assert asked.ask(path, key=None, Cookie="session=holds").status_code == 200
    assert asked.ask(path, key=None, Cookie="session=ended").status_code == 401
    assert asked.ask(path, key=WRITE, Cookie="session=holds").status_code == 403


def test_a_session_changes_nothing(asked: Asked) -> None:
    assert asked.ask("/api/send", "POST", None, b"{}", Cookie="session=holds").status_code == 401


@pytest.mark.parametrize("path", PATHS)
def test_a_secret_key_opens_everything_as_bearer_and_as_basic_user(asked: Asked, path: str) -> None:
    assert asked.ask(path).status_code == 200
    basic = base64.b64encode(f"{SECRET}:".encode()).decode()
    reply = asked.ask(path, key=None, Authorization=f"Basic {basic}")
    assert (reply.status_code, reply.headers["cache-control"]) == (200, "no-store")
    assert asked.ask(path, key=None, Authorization="Basic *").status_code == 401


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/api/people/ada?wat=1", "expected only `wait`, `purpose` in the query, got `wat`"),
        ("/api/people/ada?wait=soon", "Expected `int`"),
        ("/api/people/ada?wait=-2", "Expected `int` >= -1"),
        ("/api/people/ada?wait=1&wait=2", "got one twice"),
        ("/api/people/ada?id=bob", "got `id`"),
        ("/api/status?now=1", "expected no parameters in the query"),
        ("/api/deliveries?state=gone", "Invalid enum value 'gone'"),
        ("/api/deliveries?limit=1001", "Expected `int` <= 1000"),
        ("/api/segments/keen/people?limit=0", "Expected `int` >= 1"),
        ("/api/people/" + "x" * 1_001, "Expected `str` of length <= 1000"),
    ],
)
def test_a_parameter_that_does_not_fit_is_refused_with_a_sentence(asked: Asked, path: str, sentence: str) -> None:
    reply = asked.ask(path)
    assert (reply.status_code, reply.headers["content-type"]) == (400, "application/problem+json")
    assert sentence in reply.json()["detail"]


def test_a_store_that_does_not_answer_is_a_problem_that_says_when_to_ask_again(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise StoreError("no answer from engine; is `livepost run` running?")

    monkeypatch.setattr(asked, "standing", away)
    reply = asked.ask("/api/status")
    assert (reply.status_code, reply.headers["retry-after"]) == (503, "1")
    assert reply.json() == {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "no answer from engine; is `livepost run` running?",
        "code": "unavailable",
    }


def test_what_is_not_there_and_methods_that_are_not_taken_are_problems_too(asked: Asked) -> None:
    for method, path, status in (("GET", "/api/nothing", 404), ("DELETE", "/api/status", 405)):
        reply = asked.ask(path, method)
        assert (reply.status_code, reply.headers["content-type"]) == (status, "application/problem+json")
        assert path in reply.json()["detail"]
    assert set(asked.ask("/api/status", "DELETE").headers["allow"].split(", ")) == {"GET", "HEAD"}
    assert asked.ask("/nothing").headers["content-type"].startswith("text/plain")
