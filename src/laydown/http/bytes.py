"""The byte door: takes `PUT /bytes/…`, with nothing but a signed URL to go by.

A plain ASGI app, because what a framework does for a request costs more than all that is done
here, and because a body must never be collected before somebody asks for it.
"""

import asyncio
import contextlib
import re
import secrets
from collections import Counter
from collections.abc import Coroutine, Mapping
from http import HTTPStatus
from typing import Protocol

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from laydown.domain.digest import AMAZON_HEADERS, CONTENT_DIGEST, BadChecksum, Checksum
from laydown.domain.digest import parse_headers as parse_checksum
from laydown.domain.errors import (
    ClientGone,
    InvalidRequest,
    LaydownError,
    NotReceiving,
    PartConflict,
    WrongLength,
)
from laydown.domain.upload import OrganizationId, PartOutcome, UploadId
from laydown.http import problems
from laydown.http.bytes_pace import Arriving, Pace, Patience
from laydown.http.bytes_urls import ByteUrls, Ticket
from laydown.http.frontier import Frontier
from laydown.observe import LogEvent

_CHECKSUM_HEADERS = tuple(name.encode() for name in (*AMAZON_HEADERS, CONTENT_DIGEST))

# What is left of a refused body is read and thrown away up to here: closing with bytes unread
# makes the kernel reset the connection, and the client may never see why it was refused.
DISCARDED = 1 << 20  # bytes
DISCARDING = 2.0  # seconds

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,64}")

_log = structlog.get_logger(__name__)


class Landing(Arriving, Protocol):
    """A body on its way into the store, as `laydown.objects.landing` has it."""

    @property
    def crc64nvme(self) -> int:
        """The checksum of the body, once its commit is answered."""
        ...

    def open_now(self) -> bool:
        """Say whether the first bytes may come at once; if not, await `open`."""
        ...

    async def open(self) -> None:
        """Return when the first bytes may come."""
        ...

    def take(self, chunk: bytes | memoryview) -> bool:
        """Take the next bytes; True asks to await `breathe` before more."""
        ...

    async def breathe(self) -> None:
        """Return when more may come."""
        ...

    async def commit(self) -> tuple[PartOutcome, int]:
        """Return what recording came to and the CRC64NVME, once the body is durable."""
        ...

    def commit_now(self) -> "asyncio.Future[PartOutcome] | None":
        """Return what `commit` would wait for; None when it must be awaited instead."""
        ...

    def leave(self) -> "asyncio.Task[None] | None":
        """Abandon; return what to keep, and may be awaited, until that is done."""
        ...

    async def abandon(self) -> None:
        """Drop what was not committed; may be called always. Returns when the part is free."""
        ...


class Intake(Protocol):
    """Who takes bodies in, as `laydown.objects.intake` does."""

    def admit(
        self,
        organization: OrganizationId,
        upload: UploadId,
        attempt: int,
        number: int,
        *,
        offset: int | None,
        length: int,
        promised: Checksum | None,
    ) -> Landing:
        """Let one body write this part, or raise why not."""
        ...


class ByteDoor:
    """An ASGI app that admits bodies, streams them into the store and answers when they are safe.

    `refusals` counts what was refused, by error code.
    """

    def __init__(
        self,
        intake: Intake,
        urls: ByteUrls,
        *,
        patience: Patience | None = None,
        frontier: Frontier | None = None,
    ) -> None:
        self.refusals: Counter[str] = Counter()
        self.frontier = frontier or Frontier()
        self.pace = Pace(patience or Patience())
        self._intake = intake
        self._urls = urls
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        visit = _Visit(scope, receive, send, self.frontier)
        path = scope["path"]
        try:
            if scope["method"] == "PUT":
                await visit.accept(await self._take(scope, visit))
            else:
                await visit.refuse(_wrong_method(path))
        except Exception as error:  # noqa: BLE001 - whatever it was, it is counted, logged and told
            response = self.refusal(error, path=path, request_id=visit.request_id)
            await visit.refuse(response, is_gone=isinstance(error, ClientGone))

    def admit(self, path: str, query: bytes, headers: Mapping[bytes, bytes]) -> Landing:
        """Let the body of a PUT in, or raise why not.

        *path* is decoded, *query* as it came, *headers* have names in lower case. Whoever gets
        a landing abandons or leaves it in the end.
        """
        ticket = self._urls.verify(path, query, headers)
        _check_length(ticket, headers)
        return self._intake.admit(
            ticket.organization,
            ticket.upload,
            ticket.attempt,
            ticket.number,
            offset=ticket.offset,
            length=ticket.length,
            promised=_promised(headers),
        )

    def start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Have *work* done, whether or not its connection lives to see it."""
        return self._kept(asyncio.get_running_loop().create_task(work))

    def see_off(self, landing: Landing) -> None:
        """Drop a body whose client is gone."""
        dropping = landing.leave()
        if dropping is not None:
            self._kept(dropping)

    def refusal(self, error: Exception, *, path: str, request_id: bytes) -> Response:
        """Return the answer to a request that came to *error*, which is counted or logged."""
        if not isinstance(error, LaydownError):
            self.refusals[problems.TRANSPORT[HTTPStatus.INTERNAL_SERVER_ERROR].code] += 1
            _log.error(LogEvent.BYTES_FAILED, request_id=request_id.decode(), exc_info=error)
            return problems.transport_answer(HTTPStatus.INTERNAL_SERVER_ERROR, instance=path)
        self.refusals[error.code] += 1
        if problems.status_of(error) >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.warning(
                LogEvent.BYTES_REFUSED, code=error.code, why=str(error), cause=_cause(error)
            )
        return problems.answer(error, instance=path)

    def _kept(self, task: asyncio.Task[None]) -> asyncio.Task[None]:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _take(self, scope: Scope, visit: "_Visit") -> int:
        """Return the CRC64NVME of a body that is durable and recorded."""
        landing = self.admit(scope["path"], scope["query_string"], visit.headers)
        try:
            await self._stream(landing, visit)
            outcome, crc64nvme = await landing.commit()
        finally:
            await landing.abandon()
        check_outcome(outcome)
        return crc64nvme

    async def _stream(self, landing: Landing, visit: "_Visit") -> None:
        """Pass the body on as it comes; raise `ClientGone` when it stops coming."""
        await landing.open()
        try:
            async with self.pace.watch(landing) as transfer:
                while not visit.is_read:
                    transfer.is_listening = True
                    chunk = await visit.receive()
                    transfer.is_listening = False
                    if landing.take(chunk):
                        await landing.breathe()
        except TimeoutError:
            raise too_slow() from None


class _Visit:
    """One request and its answer."""

    __slots__ = ("_always", "_receive", "_scope", "_send", "headers", "is_read", "request_id")

    def __init__(self, scope: Scope, receive: Receive, send: Send, frontier: Frontier) -> None:
        self.headers: Mapping[bytes, bytes] = dict(scope["headers"])
        peer = scope["client"][0] if scope.get("client") else None
        self._always = frontier.headers_for(peer, scope["scheme"], self.headers)
        self.request_id = request_id(self.headers)
        self.is_read = False  # the body, to its end
        self._scope = scope
        self._receive = receive
        self._send = send

    async def receive(self) -> bytes:
        """Return the next bytes of the body; raise `ClientGone` when there won't be any."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientGone("the client went away before the last byte")
        self.is_read = not message.get("more_body", False)
        body: bytes = message.get("body", b"")
        return body

    async def accept(self, crc64nvme: int) -> None:
        """Say that the part is safe; its entity tag is its CRC64NVME."""
        headers = [*accepted(crc64nvme, self.request_id), *self._always]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        await self._send({"type": "http.response.body"})

    async def refuse(self, response: Response, *, is_gone: bool = False) -> None:
        """Send *response* without reading more than a little of what is left of the body.

        Unless all of it was read the connection goes: the server would wait for the rest as long
        as some of it drips in. A client that *is_gone* gets no time to finish.
        """
        closes = not self.is_read
        headers = [*refused(response, self.request_id), *self._always]
        if closes:
            headers.append((b"connection", b"close"))
        status = response.status_code
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        body = b"" if self._scope["method"] == "HEAD" else response.body
        await self._send({"type": "http.response.body", "body": body, "more_body": closes})
        if closes:
            if not is_gone and b"expect" not in self.headers:
                await self._discard()
            await self._send({"type": "http.response.body"})

    async def _discard(self) -> None:
        """Throw away what comes, up to a limit: by then the client has read the answer."""
        discarded = 0
        with contextlib.suppress(TimeoutError, ClientGone):
            async with asyncio.timeout(DISCARDING):
                while not self.is_read and discarded < DISCARDED:
                    discarded += len(await self.receive())


def request_id(headers: Mapping[bytes, bytes]) -> bytes:
    """Return the id that the client gave its request, if it is a sane one, or a new one."""
    given = headers.get(b"x-request-id", b"")
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(16).encode()


def accepted(crc64nvme: int, request: bytes) -> list[tuple[bytes, bytes]]:
    """Return what says that a part is safe, beside the headers of every answer.

    Its entity tag is its CRC64NVME.
    """
    return [
        (b"content-length", b"0"),
        (b"etag", b'"%016x"' % crc64nvme),
        (b"x-request-id", request),
    ]


def refused(response: Response, request: bytes) -> list[tuple[bytes, bytes]]:
    """Return the headers of a refusal, beside those of every answer."""
    return [*response.raw_headers, (b"x-request-id", request)]


def too_slow() -> ClientGone:
    """Return what a client that keeps us waiting comes to."""
    return ClientGone("the client sent nothing, or too little, for too long")


def _check_length(ticket: Ticket, headers: Mapping[bytes, bytes]) -> None:
    """Refuse a body whose length is known to be wrong before its first byte."""
    length = headers.get(b"content-length")
    if length is None:
        return  # chunked: counted as it comes
    if not length.isdigit() or int(length) != ticket.length:
        raise WrongLength(
            f"the URL was signed for {ticket.length} bytes, the request announces others"
        )


def _promised(headers: Mapping[bytes, bytes]) -> Checksum | None:
    """Return the checksum that was sent for the body, if any."""
    found = {
        name.decode(): headers[name].decode("latin-1")
        for name in _CHECKSUM_HEADERS
        if name in headers
    }
    try:
        return parse_checksum(found) if found else None
    except BadChecksum as error:
        raise InvalidRequest(str(error)) from error


def check_outcome(outcome: PartOutcome) -> None:
    """Raise what a client must know of a part that was not recorded."""
    match outcome:
        case PartOutcome.RECORDED | PartOutcome.ALREADY:
            return
        case PartOutcome.DIFFERENT:
            raise PartConflict("this part was recorded with other bytes")
        case PartOutcome.NOT_RECEIVING:
            raise NotReceiving("the upload takes no bytes now")


def _wrong_method(path: str) -> Response:
    return problems.transport_answer(
        HTTPStatus.METHOD_NOT_ALLOWED, instance=path, extra={"Allow": "PUT"}
    )


def _cause(error: LaydownError) -> str | None:
    """Return what the system said, for the log only."""
    return (
        None
        if error.__cause__ is None
        else type(error.__cause__).__name__
        + ": "
        + str(getattr(error.__cause__, "strerror", "") or "")
    )
