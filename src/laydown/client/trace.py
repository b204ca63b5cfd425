"""The trace of a delivery: every request of one push says the same, so that its way can be seen."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_TRACE: ContextVar[str | None] = ContextVar("laydown_trace", default=None)


@contextmanager
def one_trace() -> Iterator[None]:
    """Have all requests made in the block, and in tasks begun there, belong to one new trace."""
    token = _TRACE.set(os.urandom(16).hex())
    try:
        yield
    finally:
        _TRACE.reset(token)


def traceparent() -> str | None:
    """Return what the next request says (W3C Trace Context); None: nothing, it is by itself."""
    trace_id = _TRACE.get()
    return None if trace_id is None else f"00-{trace_id}-{os.urandom(8).hex()}-01"
