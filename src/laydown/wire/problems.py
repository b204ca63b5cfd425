"""How errors and health look."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong with a request body."""

    pointer: str  # JSON pointer (RFC 6901) to the value at fault
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An error, as RFC 9457 `application/problem+json`."""

    type: str
    title: str
    status: int
    detail: str
    code: str  # stable; listed in docs/reference/errors.md
    instance: str | None = None
    errors: Sequence[Fault] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing `readyz` looked at."""

    name: str
    ok: bool
    detail: str
    remedy: str | None = None  # what an operator should do, also where requests can be taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether this server can take and answer requests."""

    ok: bool
    version: str
    checks: Sequence[Check] = ()
