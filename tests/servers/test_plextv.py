"""What plex.tv is asked and answers: the page of a sign-in, addresses of a server, and a PIN."""

from __future__ import annotations

from stash2plex.servers.plextv import Address, Pin, _addresses, _WireResource, agree_address
from stash2plex.servers.wire import make_converter, structure


def test_the_page_on_which_the_user_agrees():
    plain = agree_address("client 1", "a code")
    assert plain == (
        "https://app.plex.tv/auth#?clientID=client%201&code=a%20code"
        "&context%5Bdevice%5D%5Bproduct%5D=Stash2Plex"
    )
    there = agree_address("client 1", "a code", "http://stash:9999/settings")
    assert there == plain + "&forwardUrl=http%3A%2F%2Fstash%3A9999%2Fsettings"


def test_a_local_address_is_tried_without_tls_too():
    given = {
        "uri": "https://10-0-0-1.x.plex.direct:32400/",
        "address": "10.0.0.1",
        "port": 32400,
        "protocol": "https",
    }
    connections = [
        {**given, "local": True, "relay": False, "IPv6": False},
        {"uri": "https://far.plex.direct:443", "local": False, "relay": True},
        {"uri": "", "address": "::1", "port": 1, "local": True, "relay": False, "IPv6": True},
    ]
    resource = {"name": "Harbour", "clientIdentifier": "m", "connections": connections}

    def addresses(**more):
        wire = structure(make_converter(), {**resource, **more}, _WireResource, "plex.tv", "it")
        return _addresses(wire)

    near = Address("https://10-0-0-1.x.plex.direct:32400", local=True, relay=False)
    far = Address("https://far.plex.direct:443", local=False, relay=True)
    bare = Address("http://10.0.0.1:32400", local=True, relay=False)
    assert addresses() == (near, far, bare)
    assert addresses(httpsRequired=True) == (near, far)


def test_a_pin_does_not_show_its_token():
    assert repr(Pin(7, "code")) == "<Pin 7, waiting>"
    assert repr(Pin(7, "code", "", "secret")) == "<Pin 7, agreed>"
