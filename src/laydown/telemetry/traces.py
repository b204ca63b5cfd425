"""Traces: places of our own making, and finished spans to a collector, as OTLP.

Only what a collector is told of needs OpenTelemetry's SDK, so nothing of it is loaded without one.
A span is handed over when it is over: there is no current span that anybody has to carry about.
"""

import os
from typing import TYPE_CHECKING, Final

from laydown.domain.trace import Trace
from laydown.observe import SPANS
from laydown.ports import Span

if TYPE_CHECKING:
    from laydown.telemetry.spans_out import SpansOut

_RANGE: Final = 1 << 56  # of what decides: the last seven bytes of a trace's id, which are random


class Traces:
    """A `Tracing`. *share* of all traces, 0 to 1, is recorded; without *out* none is.

    Who is recorded is decided by the trace's id alone, so that every process decides alike and no
    client decides for us.
    """

    def __init__(self, *, share: float = 1.0, out: "SpansOut | None" = None) -> None:
        self._bound = 0 if out is None else round(share * _RANGE)
        self._out = out

    def place(self, given: str | None) -> tuple[Trace, str | None]:
        """Return the place of a request that came with this `traceparent`, and its parent."""
        found = Trace.read(given) if given else None
        trace_id = os.urandom(16).hex() if found is None else found.trace_id
        is_sampled = int(trace_id[-14:], 16) < self._bound
        place = Trace(trace_id=trace_id, span_id=_span_id(), is_sampled=is_sampled)
        return place, None if found is None else found.span_id

    def below(self, parent: Trace) -> Trace:
        """Return a new place for what is done for *parent*."""
        return parent.at(_span_id())

    def tell(self, span: Span) -> None:
        """Tell of work that is over, if its trace is recorded; undeclared attributes raise."""
        if unknown := span.attributes.keys() - SPANS[span.name]:
            raise KeyError(f"{span.name} has no {', '.join(sorted(unknown))}")
        if self._out is not None and span.at.is_sampled:
            self._out.take(span)


def _span_id() -> str:
    return os.urandom(8).hex()
