"""HTTP to one server: every request is repeated until it is answered or patience ends."""

import asyncio
import os
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from io import BytesIO
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from laydown import wire
from laydown.client import backoff
from laydown.client.backoff import Patience
from laydown.client.errors import ApiError, BadAnswer, StoreRefused, Unreachable
from laydown.client.refusals import is_of_the_moment, is_stale, is_under_way, refusal
from laydown.client.trace import traceparent

AGAIN = frozenset({429, 502, 503, 504})
"""Statuses that say "later", of a busy or restarting server or of what stands before it."""

_BROKEN = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError, OSError)
# A wrong certificate stays wrong, however often it is looked at.
_HOPELESS = (aiohttp.ClientConnectorCertificateError, ssl.SSLCertVerificationError)
_ODD_TRIES = 3  # of a request that met a bug, a dying database, another request: perhaps not again
_CONNECT_SECONDS = 10.0
_AT_ONCE = 1 << 20  # bytes that are handed to the connection in one piece
_SILENCE_SECONDS = 60.0  # between two bytes of an answer; a proof of many files may take as long

_TO_A_STORE = frozenset({HTTPStatus.FOUND, HTTPStatus.SEE_OTHER, HTTPStatus.TEMPORARY_REDIRECT})


class _StoreSilent(aiohttp.ClientConnectionError):
    """The store that the server sent us to did not answer, or no longer."""

    def __init__(self, origin: URL, why: str) -> None:
        super().__init__(why)
        self.origin = origin


class _Later(aiohttp.ClientConnectionError):
    """The server is busy, or what stands before it says so."""

    def __init__(self, why: str, wish: float) -> None:
        super().__init__(why)
        self.wish = wish  # seconds that it wants us to wait


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether the server did what was asked."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


class Transport:
    """One server, one token, one pool of connections; an asynchronous context manager."""

    def __init__(self, url: str, token: str, *, patience: Patience, connections: int) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is not the URL of a server, such as http://127.0.0.1:8383")
        self.url = url.rstrip("/")
        self.patience = patience
        self._base = URL(self.url + "/")
        self._token = token
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None
        self._has_answered = False
        self._silent_since: float | None = None  # monotonic; None while the server answers

    @property
    def is_link(self) -> bool:
        """Whether it comes through a drop link, which leads to one project only."""
        return self._token.startswith(wire.LINK_PREFIX)

    async def __aenter__(self) -> Self:
        """Open the pool."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=15),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=_CONNECT_SECONDS, sock_read=_SILENCE_SECONDS
            ),
            auto_decompress=True,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        query: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> Answer:
        """Return the successful answer to a request of the API; see `ask`.

        With an idempotency *key* what is asked is done once, however often that takes.
        """
        return await self.ask(method, self._at(path, query), body=body, key=key)

    async def ask(
        self,
        method: str,
        url: URL,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> Answer:
        """Return the successful answer to a request, however often it takes.

        Raises `ApiError` for a refusal, `BadAnswer` for one that is no problem document and
        `Unreachable` when patience ends. Every request may be repeated.
        """
        attempt = 0
        where = None if headers is None else str(url.origin())
        while True:
            try:
                answer = await self.once(method, url, body=body, headers=headers, key=key)
            except _BROKEN as error:
                await self._wait(attempt, why=_reason(error), where=where)
            else:
                if answer.is_success:
                    self.heard()
                    return answer
                is_odd = _is_odd(answer) and attempt < _ODD_TRIES
                if not _is_later(answer) and not is_odd:
                    self.heard()
                    raise refusal(answer.status, answer.body)
                # Whoever answers in our words is the right server: worth the longer patience.
                self._has_answered |= isinstance(refusal(answer.status, answer.body), ApiError)
                await self._wait(
                    attempt, why=_told(answer), at_least=_wish(answer.headers), where=where
                )
            attempt += 1

    async def once(
        self,
        method: str,
        url: URL,
        *,
        body: Any = None,  # noqa: ANN401 - whatever aiohttp can send
        headers: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> Answer:
        """Return the answer to one request, whatever its status.

        Raises `OSError`, `TimeoutError` or aiohttp's own for a connection that broke. The token
        goes with it only when *headers* is None: a signed URL needs none, and a store that is
        another's must not learn it.
        """
        given = self._headers(body, key) if headers is None else headers
        if isinstance(body, bytes) and len(body) > _AT_ONCE:
            body = BytesIO(body)  # which aiohttp writes piece by piece, so that the loop turns
        async with self._opened.request(
            method,
            url,
            data=body,
            headers=given,
            allow_redirects=False,
            skip_auto_headers=("Content-Type",),
        ) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    @asynccontextmanager
    async def stream(
        self,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        silence: float = _SILENCE_SECONDS,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Yield the answer to one GET, to be read in pieces; *silence* is the wait for each.

        Raises `ApiError` and `BadAnswer`; what breaks is the caller's to repeat, see `broken`.
        """
        async with self._got(
            self._at(path, query), {**self._headers(None), **(headers or {})}, silence
        ) as answer:
            self.heard()
            await _check(answer)
            yield answer

    @asynccontextmanager
    async def content(
        self, path: str, *, headers: Mapping[str, str]
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Yield the answer to a GET of content, which may be in a store that we are sent to.

        The token stays with the server; a redirect is followed once. Raises `StoreRefused`
        besides what `stream` does.
        """
        ours = {**self._headers(None), **headers}
        async with self._got(self._at(path, None), ours, _SILENCE_SECONDS) as answer:
            if answer.status not in _TO_A_STORE:
                self.heard()
                await _check(answer)
                yield answer
                return
            target = answer.url.join(URL(answer.headers.get("Location", ""), encoded=True))
        if target.scheme not in ("http", "https"):
            raise BadAnswer("the server says that the content is where no HTTP leads")
        try:
            async with self._got(target, headers, _SILENCE_SECONDS) as answer:
                await _check(answer)
                self.heard()
                yield answer
        except StoreRefused as error:
            if error.status < HTTPStatus.INTERNAL_SERVER_ERROR and not is_stale(error):
                raise
            raise _StoreSilent(target.origin(), str(error)) from error
        except _BROKEN as error:
            raise _StoreSilent(target.origin(), _reason(error)) from error

    async def reach(self, url: URL) -> None:
        """Return once who serves *url* answers at all; raise `Unreachable` when patience ends."""
        origin = url.origin()
        began, attempt = time.monotonic(), 0
        while True:
            try:
                await self.once("HEAD", origin, headers={})
            except _BROKEN as error:
                why, silent = _reason(error), time.monotonic() - began
                if silent >= self.patience.lasting:
                    raise Unreachable(str(origin), silent, why) from error
                await asyncio.sleep(backoff.pause(attempt))
                attempt += 1
            else:
                return

    async def broken(self, attempt: int, error: Exception) -> None:
        """Wait before repeating what *error* broke; raise `Unreachable` when patience ends."""
        if not isinstance(error, _BROKEN):
            raise error
        where = str(error.origin) if isinstance(error, _StoreSilent) else self.url
        wish = error.wish if isinstance(error, _Later) else 0.0
        await self._wait(attempt, why=_reason(error), at_least=wish, where=where)

    def resolve(self, url: str) -> URL:
        """Return a granted URL as it is to be asked, byte for byte; it may lack scheme and host."""
        if not url.startswith("/"):
            return URL(url, encoded=True)
        return self._base.origin().join(URL(url, encoded=True))

    def heard(self) -> None:
        """Note that the server answers."""
        self._has_answered = True
        self._silent_since = None

    @property
    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("use the client as a context manager: `async with … as client`")
        return self._session

    def _at(self, path: str, query: Mapping[str, str] | None) -> URL:
        return (self._base / path.lstrip("/")).with_query(query or {})

    def _headers(self, body: object, key: str | None = None) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if key is not None:
            headers["Idempotency-Key"] = key
        if (trace := traceparent()) is not None:
            headers["traceparent"] = trace
        return headers

    @asynccontextmanager
    async def _got(
        self, url: URL, headers: Mapping[str, str], silence: float
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        async with self._opened.get(
            url,
            headers=headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=_CONNECT_SECONDS, sock_read=silence
            ),
        ) as answer:
            if answer.status in AGAIN:
                raise _Later(f"it answered {answer.status}", _wish(answer.headers))
            yield answer

    async def _wait(
        self, attempt: int, *, why: str, at_least: float = 0.0, where: str | None = None
    ) -> None:
        now = time.monotonic()
        if self._silent_since is None:
            self._silent_since = now
        silent = now - self._silent_since
        limit = self.patience.lasting if self._has_answered else self.patience.first
        if silent >= limit:
            raise Unreachable(where or self.url, silent, why)
        await asyncio.sleep(min(max(backoff.pause(attempt), at_least), max(limit - silent, 0.05)))


def is_broken(error: BaseException) -> bool:
    """Say whether an error is a connection's, so that the request may be repeated."""
    return isinstance(error, _BROKEN)


async def _check(answer: aiohttp.ClientResponse) -> None:
    if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
        raise refusal(answer.status, await answer.read())


def _wish(headers: Mapping[str, str]) -> float:
    """Return the seconds that an answer wants us to wait."""
    return backoff.wished(headers.get("Retry-After"), now=datetime.now(UTC))


def _is_later(answer: Answer) -> bool:
    """Say whether the same request will do later: the server is busy, perhaps with this one."""
    return answer.status in AGAIN or is_under_way(refusal(answer.status, answer.body))


def _is_odd(answer: Answer) -> bool:
    """Say whether a refusal is of the moment: a bug met, or another request in the way."""
    if answer.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return True
    return is_of_the_moment(refusal(answer.status, answer.body))


def _told(answer: Answer) -> str:
    error = refusal(answer.status, answer.body)
    return str(error) if isinstance(error, ApiError) else f"it answered {answer.status}"


def _reason(error: BaseException) -> str:
    if isinstance(error, _HOPELESS):
        raise BadAnswer(f"the server's certificate is not valid: {error}") from error
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.errno or 0
        return os.strerror(number).lower() if number > 0 else str(error.strerror or error)
    return str(error) or type(error).__name__
