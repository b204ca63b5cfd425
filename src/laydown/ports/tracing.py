"""Where work is told of that took time, so that somebody can see where it went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from laydown.domain.trace import Trace
from laydown.observe import SpanName


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A piece of work that is over."""

    name: SpanName
    at: Trace  # its own place
    parent: str | None  # the span it was done for; None: it began the trace
    began: int  # nanoseconds since 1970
    ended: int
    is_failure: bool = False
    attributes: Mapping[str, str | int] = field(default_factory=dict)
    links: Sequence[Trace] = ()


class Tracing(Protocol):
    """Gives work its place in a trace, and tells of it when it is over, at no cost to the work."""

    def place(self, given: str | None) -> tuple[Trace, str | None]:
        """Return the place of a request that came with this `traceparent`, and its parent.

        Without one, or with one that says nothing, a trace begins here.
        """
        ...

    def below(self, parent: Trace) -> Trace:
        """Return a new place for what is done for *parent*."""
        ...

    def tell(self, span: Span) -> None:
        """Tell of work that is over, if its trace is recorded."""
        ...
