"""Where a piece of work belongs: the trace that runs from a declaration to the last file ready."""

import re
from dataclasses import dataclass, replace
from typing import Final, Self

_TRACEPARENT: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_OURS, _FORBIDDEN = "00", "ff"  # versions
_SAMPLED: Final = 0x01  # of the flags
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A position in a trace, as `traceparent` says it (W3C Trace Context, level 1)."""

    trace_id: str  # 32 hexadecimal digits, not all 0
    span_id: str  # 16 of them, not all 0: what is done next is done for this
    is_sampled: bool  # whether anybody records it

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Return what a header says; None for one that says nothing, however it is broken."""
        match = _TRACEPARENT.fullmatch(text)
        if match is None:
            return None
        version, trace_id, span_id, flags, more = match.groups()
        if version == _FORBIDDEN or (version == _OURS and more is not None):
            return None
        if trace_id == _NO_TRACE or span_id == _NO_SPAN:
            return None
        return cls(trace_id=trace_id, span_id=span_id, is_sampled=bool(int(flags, 16) & _SAMPLED))

    def at(self, span_id: str) -> Self:
        """Return the same trace at another span."""
        return replace(self, span_id=span_id)

    def __str__(self) -> str:
        """Write it as a header has it."""
        return f"{_OURS}-{self.trace_id}-{self.span_id}-{int(self.is_sampled):02x}"
