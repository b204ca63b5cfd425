"""The fast lane of the byte door: plain PUTs, from the socket to the store with nothing between.

What a server does for a request in general (a scope, a task, messages, events) costs more than all
that is done here for a file of usual size. So a request whose head is plain and whose URL is good
is taken before it is parsed; everything else, refusals at the door too, goes the common way.
"""

import asyncio
from collections.abc import Coroutine
from http import HTTPStatus
from typing import Protocol

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from laydown.domain.errors import ClientGone, LaydownError
from laydown.domain.upload import PartOutcome
from laydown.http.bytes import (
    DISCARDED,
    DISCARDING,
    ByteDoor,
    Landing,
    accepted,
    check_outcome,
    refused,
    request_id,
    too_slow,
)
from laydown.http.bytes_head import Head, plain_head
from laydown.http.bytes_pace import Transfer


class Line(Protocol):
    """The connection that a lane is part of."""

    def say(self, message: bytes) -> None:
        """Send to the client."""
        ...

    def hold(self) -> None:
        """Read nothing more for now."""
        ...

    def go_on(self, unused: bytes) -> None:
        """Have the next request, which begins with *unused*, however it is served."""
        ...

    def read_on(self) -> None:
        """Read again."""
        ...

    def hang_up(self) -> None:
        """Close the connection once everything is sent."""
        ...

    def stock_headers(self) -> list[tuple[bytes, bytes]]:
        """Return what the server says in every answer."""
        ...

    @property
    def peer(self) -> str | None:
        """The address of the other end, if there still is one."""
        ...


class Lane:
    """One connection's place in the fast lane: at most one request at a time."""

    __slots__ = (
        "_discard",
        "_door",
        "_head",
        "_is_held",
        "_landing",
        "_left",
        "_line",
        "_request_id",
        "_stash",
        "_task",
        "_transfer",
        "is_busy",
        "is_last",
    )

    def __init__(self, line: Line, door: ByteDoor) -> None:
        self.is_busy = False  # whatever comes is for `take`
        self.is_last = False  # the connection ends with this request
        self._line = line
        self._door = door
        self._head: Head
        self._landing: Landing
        self._request_id = b""
        self._left = 0  # bytes of the body that have yet to come
        self._stash: list[bytes | memoryview] = []  # came before it could be taken
        self._is_held = False
        self._discard: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None  # what has to be waited for, mostly nothing
        self._transfer: Transfer | None = None

    def begin(self, data: bytes) -> bool:
        """Take over if *data* begins a plain PUT that is permitted; say whether."""
        head = plain_head(data)
        if head is None:
            return False
        try:
            landing = self._door.admit(head.path, head.query, head.headers)
        except Exception:  # noqa: BLE001 - on the common way the same happens again, and is answered
            return False
        self.is_busy = True
        self._head, self._landing, self._left = head, landing, head.length
        self._request_id = request_id(head.headers)
        rest = memoryview(data)[head.end :]
        if not landing.open_now():
            self._stash.append(rest)
            self._wait(self._open())
        elif not self._left:
            self._commit(rest)
        elif rest:
            self.take(rest)
        if self._left:
            self._watch()
        return True

    def take(self, data: bytes | memoryview) -> None:
        """Take what came on the connection; what is not of this body is kept for later."""
        if self._discard is not None:
            self._throw_away(len(data))
            return
        if self._is_held or not self._left:
            self._stash.append(data)
            self._hold()
            return
        after: bytes | memoryview = b""
        if len(data) > self._left:
            view = memoryview(data)
            data, after = view[: self._left], view[self._left :]
        self._left -= len(data)
        if self._landing.take(data):
            self._wait(self._breathe())
        elif not self._left:
            self._commit(after)

    def lose(self) -> None:
        """Stop: the connection is gone. A body that came to its end is committed all the same."""
        self._unwatch()
        if self._discard is not None:
            self._discard.cancel()
        elif self.is_busy and self._left:
            if self._task is not None:
                self._task.cancel()
            self._door.see_off(self._landing)
        self._stash.clear()
        self.is_busy = False

    def _commit(self, after: bytes | memoryview = b"") -> None:
        """Have the body committed, which came to its end."""
        self._unwatch()
        if after:
            self._stash.append(after)
            self._hold()
        answer = self._landing.commit_now()
        if answer is None:
            self._wait(self._commit_later())
        else:
            answer.add_done_callback(self._answered)

    def _answered(self, answer: "asyncio.Future[PartOutcome]") -> None:
        error = answer.exception()
        if not self.is_busy:
            return  # nobody is left to be told
        if error is None:
            self._tell(answer.result())
        elif isinstance(error, Exception):
            self._refuse(error)

    def _tell(self, outcome: PartOutcome) -> None:
        """Tell the client what its body came to."""
        try:
            check_outcome(outcome)
        except LaydownError as error:
            self._refuse(error)
        else:
            self._say(200, accepted(self._landing.crc64nvme, self._request_id))
            self._end()

    def _refuse(self, error: Exception) -> None:
        """Answer with *error*; with bytes of the body still to come, the connection goes."""
        response = self._door.refusal(error, path=self._head.path, request_id=self._request_id)
        self.is_last = self.is_last or self._left > 0
        self._say(response.status_code, refused(response, self._request_id), bytes(response.body))
        if self._left and not isinstance(error, ClientGone):
            self._discard = asyncio.get_running_loop().call_later(DISCARDING, self._line.hang_up)
            self._left = min(self._left, DISCARDED)
            self._is_held = False
            self._throw_away(sum(map(len, self._stash)))
            self._line.read_on()
        else:
            self._end()

    def _throw_away(self, size: int) -> None:
        """Read what comes after a refusal for a while, so that the client reads the answer."""
        self._left -= size
        if self._left <= 0:
            self._line.hang_up()

    def _say(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes = b"") -> None:
        if self.is_last:
            headers.append((b"connection", b"close"))
        stock = self._line.stock_headers()
        always = self._door.frontier.headers_for(self._line.peer, "http", self._head.headers)
        lines = [b"%b: %b\r\n" % header for header in (*stock, *headers, *always)]
        self._line.say(b"".join((STATUS_LINE[HTTPStatus(status)], *lines, b"\r\n", body)))

    def _end(self) -> None:
        """Let the connection go on with what came meanwhile, or let it go."""
        self.is_busy = self._is_held = False
        unused, self._stash = b"".join(self._stash), []
        self._task = None
        del self._landing, self._head
        if self.is_last:
            self._line.hang_up()
        else:
            self._line.go_on(unused)

    def _hold(self) -> None:
        self._is_held = True
        if self._transfer is not None:
            self._transfer.is_listening = False
        self._line.hold()

    def _wait(self, work: Coroutine[None, None, None]) -> None:
        """Take nothing more until *work* is done: bodies of usual size rarely need it."""
        self._hold()
        self._task = self._door.start(self._waited(work))

    async def _waited(self, work: Coroutine[None, None, None]) -> None:
        """Do *work*; what it raises is told to the client once others may write the part."""
        try:
            await work
        except Exception as error:  # noqa: BLE001 - whatever it was, it is told
            self._unwatch()
            await self._landing.abandon()
            if self.is_busy:
                self._refuse(error)

    async def _open(self) -> None:
        await self._landing.open()
        if not self.is_busy:
            raise ClientGone("the client went away before its body was asked for")
        self._resume()
        if not self._left and not self._head.length:
            self._commit()

    async def _breathe(self) -> None:
        await self._landing.breathe()
        self._resume()

    async def _commit_later(self) -> None:
        outcome, _ = await self._landing.commit()
        if self.is_busy:
            self._tell(outcome)

    async def _give_up(self) -> None:
        raise too_slow()

    def _resume(self) -> None:
        """Take what came while we waited, and read on."""
        self._is_held = False
        if self._transfer is not None:
            self._transfer.is_listening = True
        stash, self._stash = self._stash, []
        for data in stash:
            self.take(data)
        if not self._is_held:
            self._line.read_on()

    def _watch(self) -> None:
        """Leave the client when it is too slow, from now on."""
        self._transfer = Transfer(self._landing, end=lambda: self._wait(self._give_up()))
        self._transfer.is_listening = not self._is_held
        self._door.pace.add(self._transfer)

    def _unwatch(self) -> None:
        if self._transfer is not None:
            self._door.pace.remove(self._transfer)
            self._transfer = None
