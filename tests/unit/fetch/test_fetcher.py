"""What leaves over HTTP, over real sockets: to whom, with which name, for how long, and how much comes back."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpcore
import pytest

from livepost.fetch import fetcher
from livepost.fetch.address import Address, OutgoingError, UnsafeAddressError, read_allowed
from livepost.fetch.fetcher import Answer, Fetcher
from livepost.fetch.resolving import Resolve
from tests.unit.fetch.authority import Authority
from tests.unit.fetch.forms import IPV6, NUMBERS, SPECIAL, forms, plain
from tests.unit.fetch.receiver import Receiver, Reply, receiving

NAME = "hooks.example.com"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def answering(*answers: Sequence[str]) -> Resolve:
    """Return a resolver that gives one answer after the other, the last one for ever."""
    left = itertools.chain(answers, itertools.repeat(answers[-1]))
    return lambda host, port, within_s: next(left)


def asked(url: str, *allowed: str, resolve: Resolve | None = None, **options: object) -> Answer:
    """Return the answer of one request."""
    with contextlib.closing(_fetcher(*allowed, resolve=resolve, **options)) as one:
        return one.post(url, b"{}", {"Content-Type": "application/json"})


def _fetcher(*allowed: str, resolve: Resolve | None = None, **options: object) -> Fetcher:
    if resolve is not None:
        options["resolve"] = resolve
    return Fetcher(read_allowed(allowed), **options)  # type: ignore[arg-type]


def test_no_unsafe_form_brings_a_connection_at_save_or_at_dispatch(receiver: Receiver) -> None:
    with contextlib.closing(Fetcher(resolve=answering(["127.0.0.1"]))) as one:
        for url in forms(receiver.port):
            with pytest.raises(UnsafeAddressError):
                one.check(url)
            with pytest.raises(UnsafeAddressError):
                one.post(url, b"{}", {})
    assert receiver.connections == 0


@pytest.mark.parametrize("peer", [*NUMBERS, *SPECIAL, *IPV6])
def test_a_name_that_stands_for_no_address_of_everybody_is_not_connected_to(receiver: Receiver, peer: str) -> None:
    url = f"http://{NAME}:{receiver.port}/"
    for peers in ([peer], ["1.1.1.1", peer], [peer, "1.1.1.1"]):
        with contextlib.closing(_fetcher(f"{NAME}:{receiver.port}", resolve=answering(peers))) as one:
            with pytest.raises(UnsafeAddressError):
                one.check(url)
            with pytest.raises(UnsafeAddressError):
                one.post(url, b"{}", {})
    assert receiver.connections == 0


def test_a_name_that_changes_between_check_and_connection_is_not_followed(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: good when it is saved, this machine when it is asked; or good first, this machine after that."""
    url = f"http://{NAME}:{receiver.port}/"
    connected: list[str] = []

    def note(self: object, host: str, port: int, *_: object, **__: object) -> httpcore.NetworkStream:
        connected.append(host)
        raise httpcore.ConnectError("nobody is there")

    with contextlib.closing(
        _fetcher(f"{NAME}:{receiver.port}", resolve=answering(["1.1.1.1"], ["127.0.0.1"]))
    ) as saved:
        saved.check(url)
        with pytest.raises(UnsafeAddressError):
            saved.post(url, b"{}", {})
    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", note)
    with pytest.raises(OutgoingError, match="nobody is there"):
        asked(url, f"{NAME}:{receiver.port}", resolve=answering(["1.1.1.1"], ["127.0.0.1"]))
    assert connected == ["1.1.1.1"]
    assert receiver.connections == 0


def test_a_fetcher_that_looks_at_the_name_only_would_be_found(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: without a look at the addresses the same request reaches the receiver."""
    monkeypatch.setattr(fetcher, "check_peer", lambda *_: None)
    answer = asked(f"http://{NAME}:{receiver.port}/", f"{NAME}:{receiver.port}", resolve=answering(["127.0.0.1"]))
    assert (answer.status, receiver.connections) == (200, 1)


def test_a_fetcher_that_resolves_twice_would_be_found(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: checked with the first answer, connected to the second one."""
    resolver = answering(["1.1.1.1"], ["127.0.0.1"])
    check = Fetcher._peers

    def twice(self: Fetcher, host: str, port: int) -> list[str]:
        check(self, host, port)
        return [*self._resolve(host, port, 1.0)]

    monkeypatch.setattr(Fetcher, "_peers", twice)
    assert asked(f"http://{NAME}:{receiver.port}/", f"{NAME}:{receiver.port}", resolve=resolver).status == 200
    assert receiver.connections == 1


def test_a_fetcher_that_reads_urls_as_others_do_would_be_found(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: whoever refuses only what is written as a private address lets several forms through."""

    def naive(url: str, allowed: object) -> Address:
        host, _, port = url.removeprefix("http://").removesuffix("/").rpartition(":")
        if not url.startswith("http://") or host in ("127.0.0.1", "localhost", "0.0.0.0"):
            raise UnsafeAddressError("it says so itself")
        return Address(scheme="http", host=host, port=int(port), target="/")

    monkeypatch.setattr(fetcher, "read_url", naive)
    monkeypatch.setattr(fetcher, "check_peer", lambda *_: None)
    for url in plain(receiver.port):
        with contextlib.suppress(OutgoingError, ValueError, UnicodeError):
            asked(url, total_s=0.5)
    assert receiver.connections >= 3


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 300, 304])
def test_a_redirect_is_an_answer_and_is_not_followed(receiver: Receiver, status: int) -> None:
    with receiving(lambda request: Reply(status, {"Location": f"http://127.0.0.1:{receiver.port}/"})) as turning:
        answer = asked(f"http://127.0.0.1:{turning.port}/", f"127.0.0.1:{turning.port}", f"127.0.0.1:{receiver.port}")
    assert (answer.status, turning.connections, receiver.connections) == (status, 1, 0)


def test_what_is_allowed_is_asked_and_its_answer_returned() -> None:
    with receiving(lambda request: Reply(202, {"Retry-After": "7"}, (b"thanks",))) as one:
        answer = asked(f"http://127.0.0.1:{one.port}/in?x=%20", f"127.0.0.1:{one.port}")
        [request] = one.requests
    assert (answer.status, answer.headers["retry-after"], answer.body) == (202, "7", b"thanks")
    assert (request.path, request.body) == ("/in?x=%20", b"{}")
    assert request.headers["Host"] == f"127.0.0.1:{one.port}"


def test_proxies_of_the_environment_are_not_asked(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert asked(f"http://127.0.0.1:{receiver.port}/", f"127.0.0.1:{receiver.port}").status == 200
        assert (proxy.connections, receiver.connections) == (0, 1)


def test_a_connection_is_kept_for_the_next_request(receiver: Receiver) -> None:
    with contextlib.closing(_fetcher(f"127.0.0.1:{receiver.port}")) as one:
        for _ in range(3):
            assert one.post(f"http://127.0.0.1:{receiver.port}/", b"{}", {}).status == 200
    assert (receiver.connections, len(receiver.requests)) == (1, 3)


def test_the_certificate_is_checked_for_the_name_though_an_address_is_connected_to(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with receiving(tls=authority.serving(NAME)) as one:
        allowed = (f"{NAME}:{one.port}", f"127.0.0.1:{one.port}")
        here = answering(["127.0.0.1"])
        answer = asked(f"https://{NAME}:{one.port}/", *allowed, resolve=here, trust=authority.trust())
        assert (answer.status, one.requests[0].headers["Host"]) == (200, f"{NAME}:{one.port}")
        with pytest.raises(OutgoingError, match="certificate verify failed"):  # the system knows no such authority
            asked(f"https://{NAME}:{one.port}/", *allowed, resolve=here)
        with pytest.raises(OutgoingError, match="certificate"):  # it is for the name, not for the address
            asked(f"https://127.0.0.1:{one.port}/", *allowed, trust=authority.trust())
        assert len(one.requests) == 1


@pytest.mark.parametrize(("host", "expired"), [("other.example.com", False), (NAME, True)])
def test_a_certificate_of_another_or_of_yesterday_is_refused(tmp_path: Path, host: str, expired: bool) -> None:
    authority = Authority(tmp_path)
    with (
        receiving(tls=authority.serving(host, expired=expired)) as one,
        pytest.raises(OutgoingError, match="certificate"),
    ):
        asked(
            f"https://{NAME}:{one.port}/",
            *(f"{NAME}:{one.port}", f"127.0.0.1:{one.port}"),
            resolve=answering(["127.0.0.1"]),
            trust=authority.trust(),
        )


def test_an_answer_may_have_so_many_bytes_and_no_more() -> None:
    size = 10_000
    with receiving(lambda request: Reply(pieces=(b"x" * int(request.path[1:]),))) as one:
        url, allowed = f"http://127.0.0.1:{one.port}", f"127.0.0.1:{one.port}"
        assert len(asked(f"{url}/{size}", allowed, max_bytes=size).body) == size
        with pytest.raises(OutgoingError, match="more than 10000 bytes"):
            asked(f"{url}/{size + 1}", allowed, max_bytes=size)


def test_a_bomb_stays_packed(receiver: Receiver) -> None:
    receiver.reply = lambda request: Reply(200, {"Content-Encoding": "gzip"}, (b"not even gzip",))
    assert asked(f"http://127.0.0.1:{receiver.port}/", f"127.0.0.1:{receiver.port}").body == b"not even gzip"
    assert receiver.requests[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(pieces=(b"x",) * 100, pause_s=0.02),  # each byte in time, all of them not
        Reply(pieces=(b"x", b"y"), pause_s=3.0),
        Reply(headers={"Content-Length": "5"}),
    ],
)
def test_who_drips_or_hangs_is_left_at_the_deadline(reply: Reply) -> None:
    with receiving(lambda request: reply) as one:
        began = time.monotonic()
        with pytest.raises(OutgoingError, match="took too long"):
            asked(f"http://127.0.0.1:{one.port}/", f"127.0.0.1:{one.port}", total_s=0.3)
        assert time.monotonic() - began < 1.5


def test_who_does_not_take_the_connection_or_speaks_no_http_is_said() -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(OutgoingError, match="took too long"):
            asked(f"https://127.0.0.1:{port}/", f"127.0.0.1:{port}", total_s=0.2)
    with pytest.raises(OutgoingError, match="did not answer"):
        asked(f"http://127.0.0.1:{port}/", f"127.0.0.1:{port}")


GARBAGE = [
    b"",
    b"\0" * 300,
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"HTTP/1.1 two hundred\r\n\r\n",
    b"HTTP/1.1 999999 no\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: \x00\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000,
    b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000,
    b"HTTP/1.1 101 Switching\r\n\r\n",
    b"HTTP/1.1 204 OK\r\nRetry-After: \xff\xfe\r\n\r\n",
]


@pytest.mark.parametrize("said", GARBAGE)
def test_whatever_is_answered_is_an_answer_or_none(said: bytes) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        thread = threading.Thread(target=_say, args=(server, said), daemon=True)
        thread.start()
        port = server.getsockname()[1]
        with contextlib.suppress(OutgoingError):
            assert asked(f"http://127.0.0.1:{port}/", f"127.0.0.1:{port}", total_s=1.0).status in (101, 200, 204)
        thread.join()


def _say(server: socket.socket, said: bytes) -> None:
    connection, _ = server.accept()
    with connection, contextlib.suppress(OSError):
        connection.recv(4096)
        connection.sendall(said)


def test_the_next_address_is_tried_where_one_does_not_answer(receiver: Receiver) -> None:
    port = receiver.port
    allowed = (f"{NAME}:{port}", f"127.0.0.1:{port}", f"127.0.0.9:{port}")
    assert asked(f"http://{NAME}:{port}/", *allowed, resolve=answering(["127.0.0.9", "127.0.0.1"])).status == 200
    with pytest.raises(OutgoingError, match="no address"):
        asked(f"http://{NAME}:{port}/", *allowed, resolve=answering([]))


def test_what_a_host_has_is_got_and_nothing_unsafe_is_asked_for(receiver: Receiver) -> None:
    receiver.reply = lambda request: Reply(200, pieces=(b"a certificate",))
    with contextlib.closing(_fetcher(f"127.0.0.1:{receiver.port}")) as one:
        answer = one.get(f"http://127.0.0.1:{receiver.port}/one.pem?x=y")
    assert (answer.status, answer.body) == (200, b"a certificate")
    assert [(request.path, request.body) for request in receiver.requests] == [("/one.pem?x=y", b"")]
    with contextlib.closing(_fetcher()) as one, pytest.raises(UnsafeAddressError):
        one.get(f"http://127.0.0.1:{receiver.port}/one.pem")
    assert len(receiver.requests) == 1
