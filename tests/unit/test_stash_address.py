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
