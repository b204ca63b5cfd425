"""A collector of telemetry, as OTLP over HTTP has one."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Self

import aiohttp

from laydown.observe import LogEvent
from laydown.telemetry.logs import Log

LAST: Final = 2.0
"""Seconds that a process which ends gives its last telemetry."""

_MEDIA_TYPE: Final = "application/x-protobuf"
_PATIENCE: Final = aiohttp.ClientTimeout(total=10.0)  # seconds


class Collector:
    """Where telemetry goes: *endpoint* is an http(s) URL. An asynchronous context manager.

    One that is away, slow or refuses costs what it was sent and nothing else; it is logged once.
    """

    def __init__(self, endpoint: str, *, log: Log) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._log = log
        self._is_away = False
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the connection's pool."""
        self._session = aiohttp.ClientSession(timeout=_PATIENCE)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        if self._session is not None:
            await self._session.close()

    async def send(self, path: str, body: bytes) -> None:
        """Send a message; say once that nobody takes them."""
        assert self._session is not None
        headers = {"Content-Type": _MEDIA_TYPE}
        try:
            url = self._endpoint + path
            async with self._session.post(url, data=body, headers=headers) as answer:
                answer.raise_for_status()
        except (aiohttp.ClientError, TimeoutError) as error:
            if not self._is_away:
                self._log.warning(LogEvent.COLLECTOR_AWAY, detail=type(error).__name__)
            self._is_away = True
        else:
            self._is_away = False

    @contextmanager
    def harmless(self) -> Iterator[None]:
        """Log what is raised in the block, whatever it is: no telemetry is worth a process."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - a file that can't be opened, a text no message takes
            self._log.error(LogEvent.TELEMETRY_LOST, error=error)
