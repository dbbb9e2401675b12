"""Why a server failed is a field of the error; nobody has to read it off the text."""

from __future__ import annotations

import pytest
from urllib3 import HTTPConnectionPool
from urllib3.exceptions import ConnectTimeoutError, ProtocolError, ReadTimeoutError, SSLError

from stash2plex.errors import BUSY, LIMITED, NO_TLS, SLOW, UNTRUSTED, Refused, Unavailable
from stash2plex.servers.transport import Reply, Transport
from stash2plex_testing.plex import FakePlex


@pytest.fixture
def transport():
    transport = Transport(
        "Plex", "https://127.0.0.1:9", headers={}, connect_timeout=1.0, read_timeout=1.0
    )
    yield transport
    transport.close()


@pytest.mark.parametrize(
    ("error", "kind", "cause"),
    [
        (ConnectTimeoutError(), Unavailable, SLOW),
        (ReadTimeoutError(HTTPConnectionPool("127.0.0.1"), "", ""), Unavailable, SLOW),
        (ProtocolError("reset"), Unavailable, None),
        (SSLError("[SSL: WRONG_VERSION_NUMBER]"), Refused, NO_TLS),
        (SSLError("certificate verify failed"), Refused, UNTRUSTED),
    ],
    ids=repr,
)
def test_what_the_http_library_raises(transport, error, kind, cause):
    mapped = transport.map_error(error, "the identity check")
    assert (type(mapped), mapped.cause, mapped.server) == (kind, cause, "Plex")


def test_a_server_that_is_at_its_own_work_is_busy_and_names_when_to_come_back(transport):
    body = b'<Response code="503" status="Running database migrations"/>'
    reply = Reply(503, {"retry-after": "30"}, body)
    with pytest.raises(Unavailable, match="Running database migrations") as caught:
        transport._check_status(reply, "the identity check")
    assert (caught.value.cause, caught.value.retry_after) == (BUSY, 30.0)


@pytest.mark.parametrize(("status", "cause"), [(429, LIMITED), (500, None), (503, None)])
def test_a_server_that_was_asked_too_often_has_a_cause_of_its_own(transport, status, cause):
    with pytest.raises(Unavailable) as caught:
        transport._check_status(Reply(status, {"retry-after": "5"}, b""), "the identity check")
    assert (caught.value.cause, caught.value.retry_after) == (cause, 5.0)


def test_a_redirect_says_which_address_to_use(transport):
    with pytest.raises(Refused) as caught:
        transport._check_status(Reply(302, {}, b""), "the identity check")
    assert caught.value.what == "Plex answered the identity check with 302, a redirect."
    assert caught.value.fix == "Use the address that it really listens on."
    assert not caught.value.wants_login


def test_https_to_a_server_without_it_is_named_although_any_certificate_would_do():
    with FakePlex() as plex:
        address = plex.url.replace("http:", "https:")
        transport = Transport(
            "Plex", address, headers={}, connect_timeout=5.0, read_timeout=5.0, tls_insecure=True
        )
        with pytest.raises(Refused) as failure:
            transport.request("GET", "/", what="a test")
        transport.close()
    assert failure.value.cause == NO_TLS


def test_a_server_whose_certificate_is_not_checked_has_no_other_way_of_trust():
    transport = Transport(
        "Plex", "https://x", headers={}, connect_timeout=1.0, read_timeout=1.0, tls_insecure=True
    )
    for words in ("[SSL: WRONG_VERSION_NUMBER]", "[SSL: HANDSHAKE_FAILURE]"):
        assert not transport._try_other_trust(SSLError(words))
    transport.close()
