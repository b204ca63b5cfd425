"""JSON as it goes out and comes in."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from laydown import wire
from laydown.client.errors import BadAnswer
from laydown.client.transport import Answer

T = TypeVar("T")

ENTRIES_PER_REQUEST = 5_000
"""How many files one request may declare; the server refuses more."""

DECLARATION_BYTES = 6 << 20
"""Bytes of entries in one request; the server takes 8 MiB in all."""


def decoded(answer: Answer, shape: type[T]) -> T:
    """Return what an answer says, or raise `BadAnswer`."""
    try:
        return msgspec.json.decode(answer.body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadAnswer(f"the server's answer is no {shape.__name__}: {error}") from error


def encoded(value: object) -> bytes:
    """Return a wire shape as JSON.

    A name may hold bytes that are no text (surrogate escapes, PEP 383): they go out as escaped
    halves of surrogate pairs, for the server to refuse that one file and not the whole request.
    """
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(value), ensure_ascii=True).encode()


def chunked(entries: Sequence[wire.Entry]) -> Iterator[list[msgspec.Raw]]:
    """Yield entries as JSON, as many at a time as one request takes."""
    chunk: list[msgspec.Raw] = []
    size = 0
    for entry in entries:
        data = encoded(entry)
        if chunk and (len(chunk) == ENTRIES_PER_REQUEST or size + len(data) > DECLARATION_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(msgspec.Raw(data))
        size += len(data) + 1
    if chunk:
        yield chunk


def query_of(given: Mapping[str, object] | None) -> dict[str, str]:
    """Return a query without the parameters that are None."""
    return {name: str(value) for name, value in (given or {}).items() if value is not None}
