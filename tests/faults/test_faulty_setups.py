"""Faults of the set-up: the wrong address, certificate, server or library. Nothing is sent, nothing
is lost, and what the user reads is what `docs/reference/faults.md` says."""

from __future__ import annotations

import os
import ssl

import pytest

from stash2plex.errors import Refused
from stash2plex.servers.stash import Stash
from stash2plex.servers.transport import Transport
from stash2plex_testing.faultcases import HELD, SETUPS
from stash2plex_testing.plex import FakePlex
from stash2plex_testing.stash import FakeStash
from stash2plex_testing.stash.auth import COOKIE_NAME


@pytest.fixture(scope="module")
def plex_with_tls():
    """Give a Plex with a certificate that nobody has signed; its key guards nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(os.path.dirname(__file__), "harbour.pem"))
    with FakePlex(tls_context=context) as plex:
        yield plex


def spoil(name, bench, run, tls):
    """Bring a set-up into disorder; returns the address and how to repair it."""
    plex = bench.plex
    match name:
        case "a refused connection":
            plex.down()
            return plex.url, plex.up
        case "a host name that is not known":
            return "http://no-such-host.invalid:32400", None
        case "a certificate that is not accepted":
            return tls.url, None
        case "https where http is spoken":
            return plex.url.replace("http:", "https:"), None
        case "another Plex server at the address":
            run.drain()
            known, plex.machine_identifier = plex.machine_identifier, "another-server"
            return plex.url, lambda: setattr(plex, "machine_identifier", known)
        case "a library that was renamed":
            bench.configure_plainly(plex_library="Harbour Films")
            bench.section.title = "Harbour Pictures"
            return plex.url, lambda: setattr(bench.section, "title", "Harbour Films")
        case "no library left":
            bench.section.type = "show"
            return plex.url, lambda: setattr(bench.section, "type", "movie")
    raise AssertionError(name)


@pytest.mark.parametrize("name", SETUPS)
def test_a_fault_of_the_set_up(bench, make_run, plex_with_tls, name):
    first, _ = bench.add()
    scene, item = bench.add()
    run = make_run()
    run.queue.add("scene", first.id)
    address, mend = spoil(name, bench, run, plex_with_tls)
    if address != bench.plex.url:
        bench.configure_plainly(plex_url=address)
    run.queue.add("scene", scene.id)
    bench.plex.clear_log()
    summary = run.drain()
    expected = SETUPS[name]
    assert summary.error.reason == expected.reason
    assert str(summary.error) == expected.says.format(at=address)
    assert (summary.error.reason == "unavailable") == (expected.ends == HELD)
    assert bench.plex.count("PUT") + bench.plex.count("POST") == 0
    assert run.rows("SELECT max(attempts), max(snoozes) FROM queue") == [(0, 0)]
    if mend:
        mend()
    bench.configure_plainly()
    run.clock.now += 100
    run.drain(patience=60.0)
    assert item.title == scene.title
    assert run.rows("SELECT count(*) FROM dead_letter") == [(0,)]


def test_a_certificate_of_stash_is_not_taken_for_a_matter_of_keys(plex_with_tls):
    transport = Transport(
        "Stash", plex_with_tls.url, headers={}, connect_timeout=2.0, read_timeout=2.0
    )
    client = Stash(transport, api_key="a-key")
    with pytest.raises(Refused, match="certificate") as refused:
        client.ping()
    assert "API key" not in str(refused.value)
    assert client._link._api_key == "a-key"
    client.close()


@pytest.mark.parametrize("cookie", [True, False], ids=["with-a-cookie", "without"])
def test_a_stale_api_key_beside_a_session_is_not_asked_and_alone_is_refused(tmp_path, cookie):
    with FakeStash(
        root=str(tmp_path), username="keeper", password="lantern", api_key="fresh-key"
    ) as stash:
        transport = Transport("Stash", stash.url, headers={}, connect_timeout=2.0, read_timeout=2.0)
        pair = (COOKIE_NAME, stash.cookie()) if cookie else None
        client = Stash(transport, api_key="stale-key", cookie=pair)
        if cookie:
            client.ping()
            client.ping()
            statuses = [200, 200]
        else:
            with pytest.raises(Refused, match="The API key is no longer the one"):
                client.ping()
            statuses = [401, 401]
        assert [entry.status for entry in stash.requests] == statuses
        client.close()


@pytest.mark.parametrize("known", [True, False], ids=["later", "at-first"])
def test_a_server_that_does_not_name_itself_is_not_taken_for_plex(bench, make_run, known):
    scene, item = bench.add()
    run = make_run()
    if known:
        run.drain()
    run.queue.add("scene", scene.id)
    name, bench.plex.machine_identifier = bench.plex.machine_identifier, ""
    bench.plex.clear_log()
    summary = run.drain()
    assert str(summary.error) == f"{bench.plex.url} answers, but not as a Plex server."
    assert bench.plex.count("PUT") == 0
    assert run.rows("SELECT attempts FROM queue") == [(0,)]
    # Nor is anything remembered of it.
    bench.plex.machine_identifier = name
    run.clock.now += 100
    run.drain(patience=60.0)
    assert item.title == scene.title
