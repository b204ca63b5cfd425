"""Requests to a bucket: signed, retried with jitter, and bounded in size and time."""

import asyncio
import hashlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Final, TypeVar

import aiohttp
from yarl import URL

from laydown.domain.errors import StoreUnavailable
from laydown.objects.circuit import Circuit
from laydown.objects.credentials import Credentials
from laydown.objects.s3_address import BucketAddress
from laydown.objects.s3_answers import S3Answer, S3Refused
from laydown.objects.sigv4 import EMPTY, Signable, encoded_path, encoded_query

T = TypeVar("T")

_ATTEMPTS: Final = 8
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0  # seconds, before the jitter
_DEADLINE: Final = 30.0  # seconds
_CONNECT: Final = 5.0  # seconds
_SILENCE: Final = 15.0  # seconds without a byte
_PROBE: Final = 5.0  # seconds for a HEAD that says whether the store is back
_CONNECTIONS: Final = 64
_BUFFER: Final = 1 << 17  # bytes read ahead of whoever consumes them
_MOST_XML: Final = 32 << 20  # bytes; a list of ten thousand parts has a tenth of it
_HASHED_ON_LOOP: Final = 64 * 1024  # bytes that are hashed faster than a thread is found
_FINE: Final = frozenset({200, 204})
_FOUND: Final = frozenset({200, 206})
_OURS: Final = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")  # nothing unasked for


_LUCK: Final = random.SystemRandom()


class _Passing(Exception):
    """An attempt failed in a way that another may not."""


class S3Client:
    """Speaks to one bucket.

    What may pass is tried again, each time after a random pause of up to twice as long, until
    attempts or time are used up; then it is `StoreUnavailable`. What won't is `S3Refused`. While
    nothing is answered at all, requests are turned away at once (see `Circuit`).
    """

    def __init__(
        self,
        address: BucketAddress,
        credentials: Credentials,
        session: aiohttp.ClientSession,
        *,
        deadline: float = _DEADLINE,
        attempts: int = _ATTEMPTS,
        circuit: Circuit | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Give each request *deadline* seconds and so many *attempts*, whichever ends first."""
        self.address = address
        self.credentials = credentials
        self._session = session
        self._deadline = deadline
        self._attempts = attempts
        self._circuit = circuit or Circuit()
        self._now = now
        self._place = address.place()

    async def ask(
        self,
        method: str,
        key: str = "",
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | bytearray = b"",
        deadline: float | None = None,
    ) -> S3Answer:
        """Make a request of an object, or of the bucket without *key*; return what it succeeds in.

        Raises `S3Refused` for an answer that would not change, and `StoreUnavailable` once
        attempts or time are used up.
        """
        what = f"{method} {key or self.address.bucket}"

        async def once() -> S3Answer:
            async with await self._send(method, key, query, headers, body) as response:
                answer = await _read(response)
            if answer.status in _FINE and answer.code is None:
                return answer
            raise _trouble(answer, what)

        return await self._patiently(what, once, deadline or self._deadline)

    async def stream(
        self, key: str, *, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
        """Begin to read an object; whoever asks closes what this returns. Raises as `ask` does."""
        what = f"GET {key}"

        async def once() -> aiohttp.ClientResponse:
            response = await self._send("GET", key, query, headers, b"")
            if response.status in _FOUND:
                return response
            async with response:
                answer = await _read(response)
            raise _trouble(answer, what)

        return await self._patiently(what, once, self._deadline)

    async def _send(
        self,
        method: str,
        key: str,
        query: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        body: bytes | bytearray,
    ) -> aiohttp.ClientResponse:
        """Make one attempt; errors are aiohttp's."""
        place = self._place
        request = Signable(
            method=method,
            host=place.host,
            path=place.path + (encoded_path(self.address.prefix + key) if key else ""),
            query=query or {},
            headers=headers or {},
        )
        signer = await self.credentials.signer()
        digest = await _digest(body)
        terms = encoded_query(request.query)
        url = f"{place.scheme}://{place.host}{request.path}" + (f"?{terms}" if terms else "")
        response = await self._session.request(
            method,
            URL(url, encoded=True),
            headers=signer.headers(request, at=self._now(), payload_sha256=digest),
            data=BytesIO(body) if body else None,
            allow_redirects=False,
            skip_auto_headers=_OURS,
            read_bufsize=_BUFFER,
        )
        self._circuit.answered()
        return response

    async def _patiently(self, what: str, once: Callable[[], Awaitable[T]], deadline: float) -> T:
        await self._circuit.passed(self._probe)
        began = self._circuit.clock()
        why = "it takes too long"
        try:
            async with asyncio.timeout(deadline):
                for attempt in range(self._attempts):
                    if attempt:
                        await self._pause(attempt)
                    try:
                        return await once()
                    except (aiohttp.ClientError, OSError, TimeoutError, _Passing) as error:
                        why = str(error) or type(error).__name__
        except TimeoutError:
            pass
        self._circuit.failed(since=began)
        raise StoreUnavailable(f"the store did not answer {what}: {why}")

    async def _probe(self) -> None:
        """Ask for the bucket; raise `StoreUnavailable` when nothing is answered, good or bad."""
        try:
            async with asyncio.timeout(min(_PROBE, self._deadline)):
                (await self._send("HEAD", "", None, None, b"")).close()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            why = str(error) or type(error).__name__
            raise StoreUnavailable(f"the store is still away: {why}") from error

    async def _pause(self, attempt: int) -> None:
        bound = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0**attempt)
        await asyncio.sleep(_LUCK.uniform(0, bound))


@asynccontextmanager
async def connected() -> AsyncIterator[aiohttp.ClientSession]:
    """Open connections to a store, bounded in number and patience."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT, sock_read=_SILENCE)
    connector = aiohttp.TCPConnector(limit=_CONNECTIONS)
    async with aiohttp.ClientSession(
        timeout=timeout, connector=connector, auto_decompress=False, trust_env=False
    ) as session:
        yield session


async def _read(response: aiohttp.ClientResponse) -> S3Answer:
    chunks: list[bytes] = []
    room = _MOST_XML
    async for chunk in response.content.iter_any():
        room -= len(chunk)
        if room < 0:
            raise StoreUnavailable("the store's answer is too long to be one")
        chunks.append(chunk)
    return S3Answer(status=response.status, headers=response.headers, body=b"".join(chunks))


async def _digest(body: bytes | bytearray) -> str:
    """Return a body's SHA-256 as signatures have it."""
    if not body:
        return EMPTY
    if len(body) <= _HASHED_ON_LOOP:
        return hashlib.sha256(body).hexdigest()
    return (await asyncio.to_thread(hashlib.sha256, body)).hexdigest()


def _trouble(answer: S3Answer, what: str) -> Exception:
    """Return what an answer that is no success is raised as."""
    if answer.may_pass:
        return _Passing(answer.code or f"status {answer.status}")
    return S3Refused(answer, what)
