"""Heads read in one look, and those that are left to a real parser."""

import httptools
import pytest

from laydown.http.bytes_head import plain_head

PLAIN = b"PUT /bytes/a/b?c=d&e=f HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n"


class Listener:
    """What the parser calls back with."""

    def __init__(self) -> None:
        self.url = b""
        self.headers: dict[bytes, bytes] = {}
        self.is_complete = False

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        self.is_complete = True


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"X-Empty:\r\n",
        b"X-Tabs:\t \tone two\t \r\n",
        b"x-latin: \xe9t\xe9\r\n",
        b"X-Colons: a:b: c\r\n",
        b"Connection: Keep-Alive\r\n",
        b"!#$%&'*+-.^_`|~: odd\r\n",
    ],
)
def test_a_plain_head_reads_as_the_parser_reads_it(line):
    """Path, query, headers and length are the parser's, to the letter."""
    data = PLAIN + line + b"\r\nthe body, or its beginning"
    heard = Listener()
    httptools.HttpRequestParser(heard).feed_data(data[: data.index(b"the body")])
    assert heard.is_complete

    head = plain_head(data)

    assert head is not None
    assert f"{head.path}?{head.query.decode()}".encode() == heard.url
    assert head.headers == heard.headers
    assert (head.length, data[head.end :]) == (12, b"the body, or its beginning")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        PLAIN,  # not at its end
        PLAIN.replace(b"PUT", b"POST") + b"\r\n",
        PLAIN.replace(b"HTTP/1.1", b"HTTP/1.0") + b"\r\n",
        PLAIN.replace(b"/bytes", b"/v1") + b"\r\n",
        PLAIN.replace(b"/a/", b"/%61/") + b"\r\n",
        PLAIN.replace(b"c=d", b"c=d#e") + b"\r\n",
        PLAIN.replace(b"/a/", b"/ /") + b"\r\n",
        PLAIN.replace(b"\r\n", b"\n") + b"\n",
        PLAIN.replace(b"Content-Length: 12\r\n", b"") + b"\r\n",
        PLAIN.replace(b": 12", b": +12") + b"\r\n",
        PLAIN.replace(b": 12", b": 1 2") + b"\r\n",
        PLAIN.replace(b": 12", b": 12 ") + b"\r\n",
        PLAIN.replace(b": 12", b": 1234567890123456") + b"\r\n",
        PLAIN.replace(b": 12", b": \xb2") + b"\r\n",
        PLAIN.replace(b"Host:", b"Host :") + b"\r\n",
        PLAIN + b"Content-Length: 12\r\n\r\n",
        PLAIN + b"X-Twice: a\r\nx-twice: b\r\n\r\n",
        PLAIN + b"X-Folded: a\r\n b\r\n\r\n",
        PLAIN + b"X-Control: \x00\r\n\r\n",
        PLAIN + b"X-Bare: a\rb\r\n\r\n",
        PLAIN + b"No colon\r\n\r\n",
        PLAIN + b": no name\r\n\r\n",
        PLAIN + b"Transfer-Encoding: chunked\r\n\r\n",
        PLAIN + b"Expect: 100-continue\r\n\r\n",
        PLAIN + b"Upgrade: h2c\r\n\r\n",
        PLAIN + b"Connection: close\r\n\r\n",
        PLAIN + b"Connection: keep-alive, upgrade\r\n\r\n",
    ],
)
def test_what_is_special_is_left_to_the_parser(data):
    """A head that is cut, odd, ambiguous, or asks for more than a plain answer is no plain head."""
    assert plain_head(data) is None
