"""Where a request comes from: whose word counts, and what is made of it."""

import pytest

from laydown.http.origin import Arrival, Proxies

OUR_NETWORKS = ("10.0.0.0/8", "192.168.7.7", "2001:db8::/32")


def arrival(peer, *headers, networks=OUR_NETWORKS, server=("127.0.0.1", 8383)):
    """Return the arrival of a request from *peer*; headers are (name, value) lines, in order."""
    lines = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    scope = {
        "type": "http",
        "scheme": "http",
        "client": None if peer is None else (peer, 50_000),
        "server": server,
        "headers": [(b"host", b"laydown.internal:8383"), *lines],
    }
    return Proxies(networks).arrival(scope)


FORGED = (
    ("X-Forwarded-For", "203.0.113.9"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "evil.example"),
    ("Forwarded", "for=203.0.113.9;proto=https;host=evil.example"),
)


@pytest.mark.parametrize("networks", [(), OUR_NETWORKS, ("::/128",)])
@pytest.mark.parametrize("peer", ["198.51.100.4", "2001:db9::1", "192.168.7.8", "11.0.0.1"])
def test_nobody_else_can_say_where_a_request_comes_from(peer, networks):
    """From who is no proxy of ours, forwarded headers are as if they were not there."""
    assert arrival(peer, *FORGED, networks=networks) == arrival(peer, networks=networks)
    assert arrival(peer, *FORGED, networks=networks).address == peer
    assert not arrival(peer, *FORGED, networks=networks).is_secure


def test_a_proxy_says_who_asks_and_how_he_came():
    """Address, scheme and host are those that a configured proxy names."""
    found = arrival("10.1.2.3", *FORGED[:3])
    assert (found.address, found.host, found.is_secure) == (
        "203.0.113.9",
        "evil.example",
        True,
    )


def test_the_other_spelling_is_never_read():
    """`Forwarded` of RFC 7239 says nothing, whoever sends it."""
    assert arrival("10.1.2.3", FORGED[3]) == arrival("10.1.2.3")


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        ([], "10.1.2.3"),
        (["203.0.113.9"], "203.0.113.9"),
        (["203.0.113.9, 10.9.9.9, 192.168.7.7"], "203.0.113.9"),
        (["1.1.1.1, 203.0.113.9, 10.9.9.9"], "203.0.113.9"),  # what the client sent himself
        (["1.1.1.1", "203.0.113.9"], "203.0.113.9"),  # a proxy that adds a line of its own
        (["10.4.4.4, 10.5.5.5"], "10.4.4.4"),  # nobody but proxies: the first of them
        (["203.0.113.9:4711"], "203.0.113.9"),
        (["[2001:db9::5]:4711"], "2001:db9::5"),
        (["2001:DB9:0::5"], "2001:db9::5"),
        (["::ffff:203.0.113.9"], "203.0.113.9"),
        (["fe80::1%eth0"], "fe80::1"),
        (["unknown"], "10.1.2.3"),
        (["1.1.1.1, unknown, 10.9.9.9"], "10.9.9.9"),  # as far as it can be followed
        (["1.1.1.1, _hidden"], "10.1.2.3"),
        (["203.0.113.9,"], "10.1.2.3"),
        (["010.0.0.1, 0x7f.1"], "10.1.2.3"),
        ([", ,,"], "10.1.2.3"),
        (["9" * 5_000], "10.1.2.3"),
    ],
)
def test_the_last_stranger_is_the_client(lines, address):
    """From the end of the list, past our proxies, the first other address is the client's."""
    assert arrival("10.1.2.3", *(("X-Forwarded-For", line) for line in lines)).address == address


@pytest.mark.parametrize("peer", ["::ffff:10.1.2.3", "192.168.7.7", "2001:db8:1::1"])
def test_a_proxy_is_known_in_every_spelling(peer):
    """Networks of both families hold, and IPv4 addresses that come over IPv6."""
    assert arrival(peer, *FORGED[:1]).address == "203.0.113.9"


@pytest.mark.parametrize(
    ("said", "scheme"),
    [("https", "https"), ("HTTPS", "https"), ("http", "http"), ("https, http", "http"),
     ("javascript", "http"), ("", "http"), ("https\u00e9", "http")],
)  # fmt: skip
def test_a_scheme_is_one_of_two(said, scheme):
    """Only http and https are schemes; of several the nearest proxy's counts."""
    assert arrival("10.1.2.3", ("X-Forwarded-Proto", said)).scheme == scheme


@pytest.mark.parametrize(
    "host", ["", "a b", 'a"b', "a/b", "a@b", "a\tb", "a:b", "h\u00e9", "x" * 300, "[::1"]
)
def test_a_host_that_is_none_is_not_taken(host):
    """What can't be a host, from a proxy or a client, never gets into a link."""
    assert arrival("10.1.2.3", ("X-Forwarded-Host", host)).host == "laydown.internal:8383"
    bare = {
        "scheme": "http",
        "client": ("198.51.100.4", 1),
        "headers": [(b"host", host.encode("latin-1"))],
    }
    assert Proxies().arrival({**bare, "server": ("127.0.0.1", 8383)}).host == "127.0.0.1:8383"
    assert Proxies().arrival({**bare, "server": ("::1", 80)}).host == "[::1]:80"


def test_two_hosts_are_none():
    """Two `Host` lines name no host: which one a proxy looked at can't be known."""
    assert arrival("198.51.100.4", ("Host", "evil.example")).host == "127.0.0.1:8383"


def test_who_is_gone_has_no_address():
    """A connection that ended before it was looked at comes from nowhere, whatever it says."""
    assert arrival(None, *FORGED).address is None


def test_the_request_says_so_itself():
    """Whoever reads a request that passed the frontier finds what is believed, and no more."""
    scope = {"headers": [(b"host", b"a"), (b"accept", b"b"), (b"host", b"c")], "client": None}
    Arrival(address="203.0.113.9", scheme="https", host="files.example").put_into(scope)
    assert scope == {
        "client": ("203.0.113.9", 0),
        "scheme": "https",
        "headers": [(b"host", b"files.example"), (b"accept", b"b")],
    }
