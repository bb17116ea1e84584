"""Who asks the API."""

from __future__ import annotations

import pytest
from starlette.requests import HTTPConnection

from livepost.api.access import require_reader, require_secret
from livepost.errors import RejectedError
from livepost.model.principal import Holder, Principal

OWNER = Principal(by="session:0f", role="owner")
SERVER = Principal(by="key:server", role="developer")


class Ring:
    """One secret key and one write key."""

    def holder(self, token: str) -> Holder | None:
        scoped = Holder("till", secret=True, scopes=("read:people",))
        return {"s": Holder("server", secret=True), "w": Holder("website", secret=False), "t": scoped}.get(token)


def request(key: str = "") -> HTTPConnection:
    headers = [(b"authorization", f"Bearer {key}".encode())] if key else []
    return HTTPConnection({"type": "http", "headers": headers})


def owner(request: HTTPConnection) -> Principal:
    return OWNER


def nobody(request: HTTPConnection) -> None:
    return None


def test_a_secret_key_is_a_developer_by_its_source() -> None:
    assert require_secret(Ring(), request("s")) == SERVER
    assert require_reader(Ring(), nobody, request("s")) == SERVER


def test_a_key_that_is_held_to_scopes_says_so() -> None:
    till = Principal(by="key:till", role="developer", scopes=("read:people",))
    assert require_secret(Ring(), request("t")) == till


def test_a_session_reads_unless_a_key_comes_with_it() -> None:
    assert require_reader(Ring(), owner, request()) == OWNER
    assert require_reader(Ring(), owner, request("s")) == SERVER
    with pytest.raises(RejectedError, match="got another"):
        require_reader(Ring(), owner, request("x"))


@pytest.mark.parametrize(("key", "status"), [("", 401), ("x", 401), ("w", 403)])
def test_nobody_else_does(key: str, status: int) -> None:
    with pytest.raises(RejectedError) as refused:
        require_reader(Ring(), nobody, request(key))
    assert refused.value.status == status
