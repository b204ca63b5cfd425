"""Requests to an identity provider: bounded in time and size, and never led elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from yarl import URL

from laydown.domain.errors import IssuerUnavailable
from laydown.oidc.documents import parse_object

_CONNECT: Final = 3.0  # seconds
_CONNECTIONS: Final = 8
_MOST: Final = 256 << 10  # bytes of an answer; a hundred keys with certificates have less
_OK: Final = 200
_REFUSED: Final = range(400, 500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a provider answered: what was asked for, or why it won't give it."""

    is_granted: bool
    said: Mapping[str, Any]


class Conversation:
    """Speaks to one identity provider. Whatever is not an answer raises `IssuerUnavailable`."""

    def __init__(self, session: aiohttp.ClientSession, *, patience: float) -> None:
        """Give each request *patience* seconds."""
        self._session = session
        self._patience = patience

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> Answer:
        """Ask for a document."""
        return await self._ask("GET", url, headers or {}, None)

    async def post(
        self, url: str, form: Mapping[str, str], *, headers: Mapping[str, str]
    ) -> Answer:
        """Send a form."""
        return await self._ask("POST", url, headers, form)

    async def _ask(
        self, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None
    ) -> Answer:
        plain = {"Accept": "application/json", "Accept-Encoding": "identity"}
        try:
            async with (
                asyncio.timeout(self._patience),
                self._session.request(
                    method,
                    URL(url),
                    headers={**plain, **headers},
                    data=form,
                    allow_redirects=False,
                ) as response,
            ):
                body = await _read(response, url)
        except TimeoutError as error:
            raise IssuerUnavailable(f"{url} did not answer in {self._patience:g} s") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            why = str(error) or type(error).__name__
            raise IssuerUnavailable(f"{url} did not answer: {why}") from error
        if response.status != _OK and response.status not in _REFUSED:
            raise IssuerUnavailable(f"{url} answered with status {response.status}")
        try:
            said = parse_object(body)
        except ValueError as error:
            if response.status != _OK:
                raise IssuerUnavailable(f"{url} answered with status {response.status}") from error
            raise IssuerUnavailable(f"{url} answered something else than JSON: {error}") from error
        return Answer(is_granted=response.status == _OK, said=said)


@asynccontextmanager
async def conversing(*, patience: float) -> AsyncIterator[Conversation]:
    """Open connections to a provider: no cookies, no proxy, nothing unpacked."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT)
    async with aiohttp.ClientSession(
        timeout=timeout,
        connector=aiohttp.TCPConnector(limit=_CONNECTIONS),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
    ) as session:
        yield Conversation(session, patience=patience)


async def _read(response: aiohttp.ClientResponse, url: str) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > _MOST:
            raise IssuerUnavailable(f"{url} answered more than {_MOST >> 10} KiB")
    return bytes(body)
