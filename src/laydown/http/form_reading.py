"""A form as it comes, part by part; nothing of a file is held but what was just received."""

import asyncio
import logging
import re
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from laydown.domain.errors import ClientGone, InvalidRequest, TooLarge, UnsupportedMediaType
from laydown.http.context import FormLimits
from laydown.http.form_heads import CHARSETS, PartHead, head_of

_HEADERS = 16  # of a part; browsers send two
_HEADER_BYTES = 8 * 1024  # of a line; a path of 1,024 bytes may be written in thrice as many, twice
_EPILOGUE = 64 * 1024  # bytes after the end that are read, and mean nothing
_EPILOGUE_PATIENCE = 2.0  # seconds for them

_BOUNDARY = re.compile(r"""[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]""")  # RFC 2046
_PARAMETER = re.compile(r';\s*([A-Za-z]+)\s*=\s*(?:"([^"]*)"|([^;"\s]+))\s*')

_quiet = logging.getLogger(__name__)  # what is wrong with a form is told to its sender
_quiet.disabled = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A part that is no file."""

    name: str
    value: bytes


class File:
    """A part that is a file; yields its bytes as they come."""

    def __init__(self, form: "Form", head: PartHead) -> None:
        self.head = head
        self._form = form

    def __aiter__(self) -> AsyncIterator[memoryview]:
        """Begin to read."""
        return self

    async def __anext__(self) -> memoryview:
        """Return the next bytes. Raises `ClientGone`, `InvalidRequest` and `TooLarge`."""
        piece = await self._form.data()
        if piece is None:
            raise StopAsyncIteration
        return piece


class _PartOver:
    """The end of a part."""


_Headers: TypeAlias = list[tuple[bytes, bytes]]
_Event: TypeAlias = _Headers | memoryview | _PartOver
_PART_OVER = _PartOver()


class Form:
    """The body of a request as a form: iterate over its parts, and over a file's bytes."""

    def __init__(self, request: Request, limits: FormLimits) -> None:
        """Look at the request's headers; raise `UnsupportedMediaType`, or what else is wrong."""
        self._receive = request.receive
        self._limits = limits
        _check_length(request.headers.get("content-length", ""), limits)
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise UnsupportedMediaType("Send the form as it is, without a Content-Encoding.")
        try:
            self._parser = MultipartParser(
                _boundary(request.headers.get("content-type", "")),
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": self._header_field,
                    "on_header_value": self._header_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._end_headers,
                    "on_part_data": self._take_data,
                    "on_part_end": lambda: self._events.append(_PART_OVER),
                    "on_end": self._end,
                },
                max_header_count=_HEADERS,
                max_header_size=_HEADER_BYTES,
            )
        except FormParserError as error:
            raise InvalidRequest(f"The form can't be read: {error}") from error
        self._parser.logger = _quiet
        self._events: deque[_Event] = deque()
        self._charset: str | None = None
        self._headers: _Headers = []
        self._header_name = bytearray()
        self._header = bytearray()
        self._is_inside = False  # a part's data
        self._is_over = False  # the last boundary was seen
        self._is_read = False  # the body, to its end
        self._received = 0  # bytes
        self._listened = 0.0  # seconds
        self._fields = self._files = 0

    async def parts(self) -> AsyncIterator[Field | File]:
        """Yield the parts in order; what was not read of a file is passed over."""
        while (head := await self._next_head()) is not None:
            if head.filename is None:
                field = await self._field(head)
                if field.name == "_charset_":
                    self._charset = CHARSETS.get(field.value.decode("latin-1").strip().lower())
                yield field
                continue
            if not head.filename and await self._is_empty():
                continue  # the file input of a browser's form in which nothing was chosen
            self._files += 1
            if self._files > self._limits.files:
                raise TooLarge(f"A form takes {self._limits.files:,} files; send several.")
            yield File(self, head)
        await self._read_epilogue()

    async def data(self) -> memoryview | None:
        """Return the next bytes of the part that is being read, or None at its end."""
        if not self._is_inside:
            return None
        event = await self._next()
        if isinstance(event, memoryview):
            return event
        self._is_inside = False
        return None

    async def _next_head(self) -> PartHead | None:
        while await self.data() is not None:
            pass
        event = await self._next()
        if event is None:
            return None
        assert isinstance(event, list)
        self._is_inside = True
        return head_of(event, charset=self._charset)

    async def _field(self, head: PartHead) -> Field:
        self._fields += 1
        if self._fields > self._limits.fields:
            raise TooLarge(f"A form takes {self._limits.fields:,} fields beside its files.")
        value = bytearray()
        while (piece := await self.data()) is not None:
            value += piece
            if len(value) > self._limits.field_bytes:
                raise TooLarge(
                    f"The field {head.name[:80]!r} has more than {self._limits.field_bytes:,} "
                    "bytes; if it is a file, give it a filename."
                )
        return Field(name=head.name, value=bytes(value))

    async def _is_empty(self) -> bool:
        """Say whether the part that begins has no byte."""
        event = await self._next()
        if event is not None:
            self._events.appendleft(event)
        return event is _PART_OVER

    async def _next(self) -> _Event | None:
        """Return what comes next; None once the form is over."""
        while not self._events:
            if self._is_over:
                return None
            if self._is_read:
                raise InvalidRequest("The form ends before its last boundary; send it again.")
            chunk = await self._listen()
            try:
                self._parser.write(chunk)
            except FormParserError as error:
                raise InvalidRequest(f"The form can't be read: {error}") from error
        return self._events.popleft()

    async def _listen(self) -> bytes:
        """Return what the client sends next, unless that takes too long."""
        loop, patience = asyncio.get_running_loop(), self._limits.patience
        began = loop.time()
        try:
            async with asyncio.timeout(patience.idle):
                message = await self._receive()
        except TimeoutError:
            raise ClientGone("The form stopped coming.") from None
        if message["type"] == "http.disconnect":
            raise ClientGone("The client went away before the end of its form.")
        chunk: bytes = message.get("body", b"")
        self._is_read = not message.get("more_body", False)
        self._received += len(chunk)
        self._listened += loop.time() - began
        if self._received > self._limits.body_bytes:
            raise TooLarge(f"A form takes {self._limits.body_bytes:,} bytes; send several.")
        if self._listened > max(patience.grace, self._received / patience.slowest):
            raise ClientGone("The form came too slowly.")
        return chunk

    async def _read_epilogue(self) -> None:
        """Read what follows the last boundary, so that the connection can be used again."""
        left = _EPILOGUE
        with suppress(ClientGone, TimeoutError):
            async with asyncio.timeout(_EPILOGUE_PATIENCE):
                while not self._is_read and left > 0:
                    left -= len(await self._listen())

    def _begin_part(self) -> None:
        self._headers = []

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _end_header(self) -> None:
        self._headers.append((bytes(self._header_name).lower(), bytes(self._header)))
        self._header_name, self._header = bytearray(), bytearray()

    def _end_headers(self) -> None:
        self._events.append(self._headers)

    def _take_data(self, data: bytes, start: int, end: int) -> None:
        self._events.append(memoryview(data)[start:end])

    def _end(self) -> None:
        self._is_over = True


def _check_length(length: str, limits: FormLimits) -> None:
    if length.isdigit() and int(length) > limits.body_bytes:
        raise TooLarge(
            f"The form has {int(length):,} bytes; this route takes {limits.body_bytes:,}."
        )


def _boundary(content_type: str) -> str:
    """Return the boundary that a `Content-Type` names, or raise `UnsupportedMediaType`."""
    kind, _, _ = content_type.partition(";")
    if kind.strip().lower() != "multipart/form-data":
        raise UnsupportedMediaType("Send the files as multipart/form-data.")
    for name, quoted, plain in _PARAMETER.findall(content_type[len(kind) :]):
        if name.lower() == "boundary":
            if _BOUNDARY.fullmatch(quoted or plain):
                return str(quoted or plain)
            break
    raise InvalidRequest(
        "The Content-Type has no boundary of 1 to 70 characters; let your client write it."
    )
