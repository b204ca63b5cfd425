"""The head of a plain PUT, read in one look instead of a parser's callback for every line."""

import re
from collections.abc import Mapping
from typing import NamedTuple

_HEAD = re.compile(  # RFC 9112 §3 and §5, without what is rare
    rb"PUT (/bytes/[!-~]+) HTTP/1\.1\r\n"
    rb"((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*\r\n)+)\r\n"
)
_SPECIAL = frozenset({b"transfer-encoding", b"expect", b"upgrade", b"te", b"trailer"})
LARGEST_HEAD = 32 * 1024  # bytes; a signed URL and a token together have 2 kB
_MOST_DIGITS = 15  # of a length; as many as a signed one may have


class Head(NamedTuple):
    """What the head of a request says."""

    path: str
    query: bytes
    headers: Mapping[bytes, bytes]  # names in lower case
    length: int  # bytes of the body
    end: int  # bytes of the head


def plain_head(data: bytes) -> Head | None:
    """Return the head that *data* begins with, if it is whole and there is nothing special to it.

    None says nothing about the request, not even that it is one: whoever parses by the book has
    to. What is returned reads the same there: no line is folded, no header comes twice, the
    body has a length, and the connection stays.
    """
    found = _HEAD.match(data)
    if found is None:
        return None
    target, block = found.groups()
    lines = block.split(b"\r\n")
    headers: dict[bytes, bytes] = {}
    for line in lines[:-1]:  # the block ends with a line's end
        name, _, value = line.partition(b":")
        headers[name.lower()] = value.lstrip(b" \t")
    length = headers.get(b"content-length", b"")
    path, _, query = target.partition(b"?")
    if (
        found.end() > LARGEST_HEAD
        or len(headers) < len(lines) - 1
        or not length.isdigit()
        or len(length) > _MOST_DIGITS
        or headers.get(b"connection", b"keep-alive").lower() != b"keep-alive"
        or not _SPECIAL.isdisjoint(headers)
        or b"%" in path
        or b"#" in target
    ):
        return None
    return Head(path.decode("ascii"), query, headers, int(length), found.end())
