"""A form in pieces: however it is cut, and whatever is in it, its parts are the same."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise

import pytest
from fastapi import Request
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Message

from laydown.domain.errors import InvalidRequest, LaydownError
from laydown.http.context import FormLimits
from laydown.http.form_reading import Field, Form
from tests.api.forms_talk import BOUNDARY, TYPE, field, file, form

Part = tuple[str, str | None, bytes]

DELIMITER = b"\r\n--" + BOUNDARY.encode()
# Bytes that look like a boundary, up to a point.
hostile = st.lists(
    st.one_of(
        st.binary(max_size=20),
        st.sampled_from([b"\r", b"\n", b"\r\n", b"\r\n--", b"-", DELIMITER[:-1], DELIMITER[1:]]),
        st.integers(0, len(DELIMITER) - 1).map(lambda length: DELIMITER[:length]),
    ),
    max_size=12,
).map(b"".join)
names = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\\%\x00\r\n"), min_size=1
)


def request(pieces: Sequence[bytes]) -> Request:
    """Return a request whose body comes in these pieces."""
    left = [*pieces]

    async def receive() -> Message:
        piece = left.pop(0) if left else b""
        return {"type": "http.request", "body": piece, "more_body": bool(left)}

    headers = [(b"content-type", TYPE.encode())]
    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


def parts_of(body: bytes, cuts: Sequence[int] = ()) -> list[Part]:
    """Read a form that is cut at these places."""
    places = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    pieces = [body[start:end] for start, end in pairwise(places)]

    async def read() -> list[Part]:
        found: list[Part] = []
        async for part in Form(request(pieces), FormLimits()).parts():
            if isinstance(part, Field):
                found.append((part.name, None, part.value))
            else:
                data = b"".join([bytes(piece) async for piece in part])
                found.append((part.head.name, part.head.filename, data))
        return found

    return asyncio.run(read())


@given(data=hostile, cuts=st.lists(st.integers(0, 10_000), max_size=20))
@settings(max_examples=150, deadline=None)
def test_no_cut_changes_what_is_read(data, cuts):
    """Bytes that are nearly boundaries are a file's bytes, wherever the connection cuts them."""
    if DELIMITER in b"\r\n" + data + b"\r\n":
        return
    body = form(field("a", "1"), file("x.bin", data), field("b", "2"))
    assert parts_of(body, cuts) == [("a", None, b"1"), ("files", "x.bin", data), ("b", None, b"2")]


@given(name=names)
@settings(max_examples=150, deadline=None)
def test_a_name_comes_as_it_was_sent(name):
    """Whatever a file is called, in whatever script, that is its name."""
    if not name.strip(" "):
        return
    [(_, read, data)] = parts_of(form(file(name, b"x")))
    assert (read, data) == (name, b"x")


@given(body=st.one_of(st.binary(max_size=400), hostile), missing=st.integers(0, 400))
@settings(max_examples=150, deadline=None)
def test_nothing_but_a_form_is_read_as_one(body, missing):
    """Any bytes are a form or a mistake that is told; a form that is cut is never a whole one."""
    with suppress(LaydownError):
        parts_of(body)
    whole = form(field("a", "1"), file("x.bin", b"data"))
    if missing > len(b"\r\n"):
        with pytest.raises(InvalidRequest):
            parts_of(whole[: -min(missing, len(whole))])


async def test_what_is_not_read_of_a_file_is_passed_over():
    """Whoever takes no bytes of a file gets the next part all the same."""
    body = form(file("a.bin", bytes(200_000)), field("b", "2"))
    pieces = [body[start : start + 65_536] for start in range(0, len(body), 65_536)]
    seen = [part async for part in Form(request(pieces), FormLimits()).parts()]
    assert isinstance(seen[1], Field)
    assert seen[1].value == b"2"
