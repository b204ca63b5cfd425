"""Getting one part across, whatever happens on the way."""

import asyncio
import threading
from collections import Counter
from concurrent.futures import Executor
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from laydown import wire
from laydown.client import backoff
from laydown.client.api import Api
from laydown.client.errors import ApiError
from laydown.client.obstacles import FINAL, PATIENCE, Obstacle, obstacle
from laydown.client.parts import Body, Outgoing, Piece, outgoing
from laydown.client.progress import Log
from laydown.client.reading import Changed, Local, digest
from laydown.client.refusals import refusal
from laydown.client.transport import Answer, is_broken
from laydown.client.walk import reason_of

_RESTARTS = 3  # of a file that changes after it was declared
_TAKES_BYTES = frozenset({"declared", "receiving"})
_SILENCE_SECONDS = 60.0  # without a byte taken, or an answer once all are
_SLOWEST_LINE = 4_096  # bytes per second of one part among several on a poor line
_RESTLESS = "it keeps changing while it is read"


class Outcome(StrEnum):
    """What came of a part, or of its file."""

    LANDED = "landed"  # the part is durable
    ARRIVED = "arrived"  # the whole file is there, whoever sent it
    WAITING = "waiting"  # another file of the batch brings these bytes; we hear if it doesn't
    CHANGED = "changed"  # the file is no longer the one that was declared
    GIVEN_UP = "given_up"  # and reported


class Deliverer:
    """Puts parts, and decides what to do when that fails."""

    def __init__(self, api: Api, batch_id: UUID, *, log: Log, threads: Executor) -> None:
        self._api = api
        self._batch_id = batch_id
        self._log = log
        self._threads = threads
        self._is_full = False  # a part was refused for want of room, to the end
        self._given_up: set[UUID] = set()
        self.kept = 0  # files given up whose uploads wait for a later push

    async def deliver(self, piece: Piece) -> Outcome:
        """Send a part until it has landed or something final stands against it."""
        met: Counter[Obstacle] = Counter()
        outcome: Outcome | None = None
        while outcome is None:
            try:
                answer = await self._put(piece)
            except Changed:
                return Outcome.CHANGED
            except OSError as error:  # of the file; a connection's is no error here
                return await self._give_up(piece.outgoing, reason_of(error))
            if answer is not None and answer.is_success:
                self._is_full = False
                self._log.sent_bytes += piece.size
                return Outcome.LANDED
            piece.outgoing.sent.pop(piece.number, None)
            hit = obstacle(answer)
            met[hit] += 1
            outcome = await self._overcome(piece, hit, met[hit], answer)
        return outcome

    def has_given_up(self, upload_id: UUID) -> bool:
        """Say whether an upload was given up in this push."""
        return upload_id in self._given_up

    def leave(self, upload_id: UUID, file: Local, why: str) -> None:
        """Report a file and leave its upload as it is, for a later push to resume."""
        if upload_id not in self._given_up:
            self._given_up.add(upload_id)
            self._log.trouble(file.relative, why)
            self.kept += 1

    async def refused(self, going: Outgoing) -> Outcome:
        """Find out why an upload takes no bytes."""
        upload = await self._api.upload(going.upload_id)
        return Outcome.WAITING if upload.state in _TAKES_BYTES else Outcome.ARRIVED

    async def restarted(self, going: Outgoing) -> Outgoing | None:
        """Declare a file that changed once more; None when there is nothing to send for it."""
        if going.restarts >= _RESTARTS:
            await self._give_up(going, _RESTLESS)
            return None
        try:
            file = await self._read_again(going.file)
            [verdict] = await self._api.declare_more(self._batch_id, [file.entry()])
        except (Changed, OSError, ApiError) as error:
            await self._give_up(going, _why_not_again(error))
            return None
        again = outgoing(verdict, file)
        if again is not None:
            again.restarts = going.restarts + 1
        elif verdict.upload_id is None:
            await self._give_up(going, verdict.detail or "it changed after it was declared")
        return again

    async def _put(self, piece: Piece) -> Answer | None:
        """Return the answer, None for a connection that broke; raise what the file did."""
        transport, clock = self._api.transport, asyncio.get_running_loop().time
        sent = piece.outgoing.sent
        sent[piece.number] = 0
        is_answered = False

        def handed_over(count: int) -> None:
            if is_answered or limit.expired():  # who writes may be a moment behind who reads
                return
            sent[piece.number] += count
            # The pool's own time-outs don't see a peer that stopped taking what we write.
            limit.reschedule(clock() + _SILENCE_SECONDS + count / _SLOWEST_LINE)

        try:
            async with asyncio.timeout(None) as limit:
                body = Body(piece, self._threads, handed_over=handed_over)
                await body.prepare()
                return await transport.once(
                    piece.grant.method,
                    transport.resolve(piece.grant.url),
                    body=body.data,
                    headers=body.headers,
                )
        except Exception as error:
            if body.error is not None:
                raise body.error from error
            if not body.headers or not is_broken(error):
                raise
            return None
        finally:
            is_answered = True

    async def _overcome(
        self, piece: Piece, hit: Obstacle, times: int, answer: Answer | None
    ) -> Outcome | None:
        """Do what may remove an obstacle; an outcome when the part's way ends there."""
        going = piece.outgoing
        if hit is Obstacle.THERE:
            return Outcome.LANDED
        if hit is Obstacle.ELSEWHERE:
            if await self.refused(going) is Outcome.ARRIVED:
                return Outcome.ARRIVED
            hit = Obstacle.GRANT  # the URL was of an earlier attempt
        if times > PATIENCE.get(hit, 0) or (hit is Obstacle.FULL and self._is_full):
            self._is_full = self._is_full or hit is Obstacle.FULL
            return await self._give_up(going, _why(answer), keep=hit not in FINAL)
        if hit is Obstacle.GRANT:
            return await self._grant_again(piece)
        outcome = None
        if hit is Obstacle.BROKEN:
            outcome = await self._reconnected(piece)
        elif hit is Obstacle.DAMAGED and await self._has_changed(going.file):
            outcome = Outcome.CHANGED
        if outcome is not None:
            return outcome
        wish = None
        if answer is not None and hit is not Obstacle.FULL:  # a minute a file, if it had its way
            wish = answer.headers.get("Retry-After")
        await asyncio.sleep(max(backoff.pause(times), backoff.wished(wish, now=datetime.now(UTC))))
        return None

    async def _reconnected(self, piece: Piece) -> Outcome | None:
        """Come back once whoever takes the bytes is there again, or raise when patience ends.

        A store may have taken a part whose answer was lost: it is asked before all is sent again.
        """
        await self._api.transport.call("GET", "/livez")
        if not piece.is_for_store:
            return None
        await self._api.transport.reach(self._api.transport.resolve(piece.grant.url))
        return await self._ask(piece) or await self._grant_again(piece)

    async def _grant_again(self, piece: Piece) -> Outcome | None:
        """Get another URL for a part; an outcome when it needs none."""
        return await self._ask(piece, piece.outgoing.wanted(piece.number))

    async def _ask(self, piece: Piece, *parts: wire.WantedPart) -> Outcome | None:
        """Ask for a grant; without a part named, what the store has is looked up."""
        wanted = wire.WantedUpload(id=piece.outgoing.upload_id, parts=parts)
        [grant] = await self._api.grants(self._batch_id, [wanted], limit=1)
        if grant.code is not None:
            return await self.refused(piece.outgoing)
        if piece.number in grant.have:
            return Outcome.LANDED
        piece.grant = next(
            (each for each in grant.parts if each.number == piece.number), piece.grant
        )
        return None

    async def _give_up(self, going: Outgoing, why: str, *, keep: bool = False) -> Outcome:
        """Report a file; unless a later push may resume it, take it back so its batch can end."""
        if going.upload_id in self._given_up:
            return Outcome.GIVEN_UP
        if keep:
            self.leave(going.upload_id, going.file, why)
            return Outcome.GIVEN_UP
        self._given_up.add(going.upload_id)
        self._log.trouble(going.file.relative, why)
        with suppress(ApiError):  # when it has moved on meanwhile, the batch can end anyway
            await self._api.cancel_upload(going.upload_id)
        return Outcome.GIVEN_UP

    async def _has_changed(self, file: Local) -> bool:
        try:
            return (await self._read_again(file)).sha256 != file.sha256
        except (OSError, Changed):
            return True

    async def _read_again(self, file: Local) -> Local:
        loop, stop = asyncio.get_running_loop(), threading.Event()
        try:
            return await loop.run_in_executor(
                self._threads,
                lambda: digest(file.path, file.relative, stop=stop, tell=lambda _: None),
            )
        finally:
            stop.set()  # we may have been cancelled


def _why(answer: Answer | None) -> str:
    if answer is None:
        return "the connection broke each time it was sent"
    return str(refusal(answer.status, answer.body))


def _why_not_again(error: Changed | OSError | ApiError) -> str:
    match error:
        case Changed():
            return _RESTLESS
        case ApiError():
            return f"it changed after it was declared, and was not taken again: {error}"
        case _:
            return reason_of(error)
