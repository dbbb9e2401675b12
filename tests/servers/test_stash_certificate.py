"""Stash on https with a certificate of its own: trusted for that address, verified, and named."""

from __future__ import annotations

import os
import re
import socket

import pytest

from stash2plex.app import make_stash
from stash2plex.cli.config import CliOptions, resolve
from stash2plex.errors import ConfigError, Refused
from stash2plex.servers.stash_address import StashAddress, read_server_connection
from stash2plex.servers.transport import Transport
from stash2plex.servers.trust import PINNED, SIGNED, SYSTEM, Trust, fingerprint_of
from stash2plex_testing.stash import FakeStash

FOLDER = os.path.join(os.path.dirname(__file__), "certificates")
KEY = re.compile(r"-----BEGIN PRIVATE KEY-----.*?-----END PRIVATE KEY-----\s*", re.DOTALL)


def install(folder, name):
    """Put certificate and key beside the configuration, as the user does."""
    with open(os.path.join(FOLDER, f"{name}.pem"), encoding="ascii") as file:
        text = file.read()
    with open(os.path.join(folder, "stash.crt"), "w", encoding="ascii") as file:
        file.write(KEY.sub("", text))
    with open(os.path.join(folder, "stash.key"), "w", encoding="ascii") as file:
        file.write(KEY.findall(text)[0])


@pytest.fixture
def open_stash(tmp_path):
    opened = []

    def open_one(name, host="127.0.0.2"):
        stash = FakeStash(root=str(tmp_path), host=host)
        install(stash.config_dir, name)
        opened.append(stash.start())
        return stash

    yield open_one
    for stash in opened:
        stash.stop()


def client_of(stash, host=None, folder=None):
    """Make the client that a plugin process makes from what Stash hands to it."""
    info = {
        "Scheme": "https",
        "Host": stash.host if host is None else host,
        "Port": stash.port,
        "Dir": stash.config_dir if folder is None else folder,
    }
    return make_stash(read_server_connection(info))


@pytest.mark.parametrize("name", ["plain", "other", "expired"])
def test_the_certificate_beside_the_configuration_is_trusted(open_stash, name):
    """Whatever names and dates it has: only its owner holds the key."""
    client = client_of(open_stash(name))
    client.ping()
    client.ping()
    client.close()


@pytest.mark.parametrize(("host", "bound"), [("0.0.0.0", "127.0.0.1"), ("::1", "::1")])
def test_an_address_of_this_machine_needs_no_certificate(open_stash, tmp_path, host, bound):
    if ":" in bound and not has_ipv6():
        pytest.skip("no IPv6 here")
    client = client_of(open_stash("plain", bound), host, str(tmp_path))
    client.ping()
    client.close()


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_another_certificate_than_the_one_in_the_file_is_refused(open_stash, tmp_path):
    stash = open_stash("plain")
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    install(str(folder), "other")
    client = client_of(stash, folder=str(folder))
    for _ in range(3):
        with pytest.raises(Refused) as raised:
            client.ping()
        assert f"it is not the one in “{folder / 'stash.crt'}”" in raised.value.what
        assert "Put the certificate that Stash uses" in str(raised.value.fix)
    # The user corrects it while the worker lives.
    install(str(folder), "plain")
    client.ping()
    client.close()


@pytest.mark.parametrize("text", [None, "", "-----BEGIN CERTIFICATE-----\n?\n"])
def test_without_a_certificate_that_can_be_read_it_is_refused(open_stash, tmp_path, text):
    if text is not None:
        (tmp_path / "stash.crt").write_text(text)
    client = client_of(open_stash("plain"), folder=str(tmp_path))
    with pytest.raises(Refused, match="Stash at https.* its certificate is not accepted") as raised:
        client.ping()
    assert "TLS insecure" not in str(raised.value.fix)
    assert "--stash-certificate" in str(raised.value.fix)
    client.close()


def test_a_certificate_that_was_renewed_counts_at_once(open_stash):
    stash = open_stash("plain")
    client = client_of(stash)
    client.ping()
    stash.down()
    install(stash.config_dir, "other")
    stash.up()
    client.ping()
    client.close()


def test_it_is_trusted_for_stash_alone(open_stash):
    stash = open_stash("plain")
    client = client_of(stash)
    client.ping()
    other = Transport("Plex", stash.url, headers={}, connect_timeout=5.0, read_timeout=5.0)
    with pytest.raises(Refused, match="Plex at .* its certificate is not accepted") as raised:
        other.request("GET", "/")
    assert "TLS insecure" in str(raised.value.fix)
    other.close()
    client.close()


def test_the_ways_of_trust_in_their_order(tmp_path):
    path = os.path.join(FOLDER, "other.pem")
    trust = Trust(path)
    seen = [trust.mode]
    for _ in range(3):
        assert trust.go_on()
        seen.append(trust.mode)
    assert seen == [SYSTEM, PINNED, SIGNED, SYSTEM]
    assert not Trust("").go_on()
    assert not Trust(str(tmp_path / "none.crt")).go_on()


def test_the_command_line_names_the_certificate(open_stash, tmp_path):
    stash = open_stash("plain")
    path = os.path.join(stash.config_dir, "stash.crt")
    file = tmp_path / "config.toml"
    file.write_text(f'stash_certificate = "{path}"\n', encoding="utf-8")
    folder = str(tmp_path / "data")
    for options, environment in (
        (CliOptions(stash.url, path, folder), {}),
        (CliOptions(stash.url, None, folder), {"STASH2PLEX_STASH_CERTIFICATE": path}),
        (CliOptions(stash.url, None, folder, str(file)), {}),
    ):
        address = resolve(options, {"HOME": str(tmp_path), **environment}).address
        assert address.certificate == path
        client = make_stash(address)
        client.ping()
        client.close()
    with pytest.raises(ConfigError, match="cannot be read or holds none"):
        resolve(CliOptions(stash.url, str(tmp_path / "none"), folder), {"HOME": str(tmp_path)})
    assert fingerprint_of(path)
    plain = make_stash(StashAddress(stash.url))
    with pytest.raises(Refused):
        plain.ping()
    plain.close()
