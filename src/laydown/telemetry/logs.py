"""Logs: one JSON object a line on standard error, an event with fields."""

import io
import logging
import sys
from contextlib import suppress
from typing import TextIO

import structlog

from laydown.observe import LogEvent


class Log:
    """Writes declared events only."""

    def __init__(self, *, level: str, process: str) -> None:
        structlog.configure(
            processors=[
                structlog.contextvars.merge_contextvars,
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
            logger_factory=structlog.PrintLoggerFactory(
                _Lossy(sys.stderr)  # type: ignore[arg-type] # it writes and flushes, nothing else
            ),
            cache_logger_on_first_use=True,
        )
        self._logger = structlog.get_logger().bind(process=process)

    def info(self, event: LogEvent, **fields: object) -> None:
        """Log something that is as it should be."""
        self._logger.info(event.value, **fields)

    def warning(self, event: LogEvent, **fields: object) -> None:
        """Log something an operator may want to know."""
        self._logger.warning(event.value, **fields)

    def error(
        self, event: LogEvent, *, error: BaseException | None = None, **fields: object
    ) -> None:
        """Log something an operator must look at, with its traceback when there is one."""
        self._logger.error(event.value, exc_info=error, **fields)


class _Lossy(io.TextIOBase):
    """A stream that loses what can't be written: a full disk must not end who tells of it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write *text* if there is room."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Hand it on if there is room."""
        with suppress(OSError):
            self._stream.flush()
