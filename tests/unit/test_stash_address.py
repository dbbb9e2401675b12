"""The address of Stash, from what Stash passes with a request."""

from __future__ import annotations

import pytest

from stash2plex.errors import ConfigError
from stash2plex.servers.stash_address import read_server_connection


@pytest.mark.parametrize("port", [0, -1, 65_536, "9999", True, None])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(ConfigError, match="no usable port"):
        read_server_connection({"Port": port})
    assert read_server_connection({"Port": 65_535}).url.endswith(":65535")


@pytest.mark.parametrize("host", ["quay/lantern", "a b", "x" * 256])
def test_a_host_that_cannot_be_one_is_refused(host):
    with pytest.raises(ConfigError, match="no usable host"):
        read_server_connection({"Host": host, "Port": 9999})


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("::1", "http://[::1]:9999"),
        ("[::1]", "http://[::1]:9999"),
        ("::", "http://127.0.0.1:9999"),
        ("", "http://127.0.0.1:9999"),
        ("quay.example", "http://quay.example:9999"),
    ],
)
def test_the_address_of_stash_from_what_it_binds_to(host, url):
    assert read_server_connection({"Host": host, "Port": 9999}).url == url
