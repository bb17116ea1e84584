"""The sender without a server: what can be said before a connection, and what when there is none.

Against real servers it is tested in tests/real/test_smtp.py.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from livepost.clock import SimulatedClock
from livepost.deliver.smtp import SmtpSender, route_to
from livepost.errors import SettingsError
from livepost.model.message import Message
from livepost.settings.smtp import SmtpAddress, read_smtp


@pytest.fixture
def nobody() -> Iterator[SmtpSender]:
    """Return a sender to a port that is taken, so that nobody else gets it, and does not listen."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        address = read_smtp(f"smtp://127.0.0.1:{taken.getsockname()[1]}?tls=none", "test")
        with closing(SmtpSender(route_to(address, "shop.example"), SimulatedClock(5_000))) as sender:
            yield sender


def mail(raw: bytes = b"Subject: Hi\r\n\r\nHi\r\n", recipient: str = "ada@example.com") -> Message:
    return Message(
        decision=bytes(16), person=bytes(16), sender="a@shop.example", recipient=recipient, message_id="<1@b>", raw=raw
    )


def test_where_nobody_listens_each_mail_is_refused_for_now_in_order(nobody: SmtpSender) -> None:
    receipts = nobody.send([mail(), mail(raw=b"bare\n"), mail(recipient="a\r\nb@c.de"), mail()])
    assert [one.state for one in receipts] == ["temporary", "failed", "failed", "temporary"]
    assert "cannot be used" in receipts[0].text and "CRLF" in receipts[1].text
    assert {(one.provider, one.provider_id, one.at_ms) for one in receipts} == {("smtp", "", 5_000)}
    assert [one.untried for one in receipts] == [True, False, False, True]
    assert [one.trouble for one in receipts[:3]] == [True, False, False]


def test_no_mails_get_no_receipts(nobody: SmtpSender) -> None:
    assert nobody.send([]) == []


def test_lookup_never_guesses(nobody: SmtpSender) -> None:
    assert [one.state for one in nobody.lookup([bytes(16), bytes(16)])] == ["unknown", "unknown"]


def test_a_route_hides_its_password_and_greets_with_the_name_it_was_told() -> None:
    address = SmtpAddress(host="h.example", port=25, tls="none")
    assert "hunter2" not in repr(route_to(address, "shop.example", "hunter2"))
    assert route_to(address, "shop.example").ehlo == "shop.example"
    named = SmtpAddress(host="h.example", port=25, tls="none", ehlo="mx.shop.example")
    assert route_to(named, "shop.example").ehlo == "mx.shop.example"


@pytest.mark.parametrize("text", [None, "", "no certificate"])
def test_a_cafile_without_certificates_is_refused_by_its_name(tmp_path: Path, text: str | None) -> None:
    cafile = tmp_path / "ca.pem"
    if text is not None:
        cafile.write_text(text)
    with pytest.raises(SettingsError, match=r"mail names the cafile .*ca\.pem, expected certificates in PEM"):
        route_to(SmtpAddress(host="h.example", port=25, cafile=str(cafile)), "shop.example")
