"""What the routes stand on: the use cases, the limits, and the word that we are stopping."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request
from starlette.types import Scope

from laydown import wire
from laydown.domain.batch import ENTRIES_PER_REQUEST
from laydown.domain.trace import Trace
from laydown.http.bytes_pace import Patience
from laydown.ports import Tracing
from laydown.services.auditing import Auditing
from laydown.services.completing import Completing
from laydown.services.declaring import Declaring
from laydown.services.documents import Documents
from laydown.services.filing import Filing
from laydown.services.forecasting import Forecasting
from laydown.services.identity import Identity
from laydown.services.members import Members
from laydown.services.operating import Operating
from laydown.services.passes import Links, Tokens
from laydown.services.projects import Projects
from laydown.services.quotas import Quotas
from laydown.services.rating import Rating
from laydown.services.receipts import Receipts
from laydown.services.replying import Replying
from laydown.services.rescanning import Rescanning
from laydown.services.sending import Sending
from laydown.services.sessions import Sessions
from laydown.services.watching import Watching

MIB = 1 << 20  # bytes

_TRACE = "laydown.trace"
_ADDED = "laydown.headers"  # in the scope of a request


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything a request may lead to."""

    identity: Identity
    rating: Rating
    replying: Replying
    members: Members
    tokens: Tokens
    links: Links
    sessions: Sessions
    auditing: Auditing
    projects: Projects
    quotas: Quotas
    declaring: Declaring
    forecasting: Forecasting
    sending: Sending
    completing: Completing
    filing: Filing
    watching: Watching
    receipts: Receipts
    documents: Documents
    operating: Operating
    rescanning: Rescanning
    ready: Callable[[], Awaitable[Sequence[wire.Check]]]  # what /readyz looks at
    metrics: Callable[[], Awaitable[tuple[bytes, str]]]  # the exposition and its media type
    observe: Callable[[str, str, int, float], None]
    """Told of every answer: method, route template, status, seconds from first byte to last."""
    tracing: Tracing


@dataclass(frozen=True, slots=True, kw_only=True)
class FormLimits:
    """What one form may have. Of no part of it more is held in memory than a field's bytes."""

    body_bytes: int = 200 * 10**9  # two of the largest files
    files: int = ENTRIES_PER_REQUEST
    fields: int = 1_000
    field_bytes: int = 64 * 1024
    patience: Patience = field(default_factory=Patience)
    wait: float = 30.0  # seconds that `?wait=ready` holds the answer at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of our memory and patience one request may take."""

    declaration_bytes: int = 8 * MIB  # 5,000 entries of 1,600 bytes each
    body_bytes: int = MIB  # of any other JSON body
    body_patience: float = 30.0  # seconds for a body, and more while it comes at the rate below
    slowest_body: float = 16_384.0  # bytes per second
    send_patience: float = 30.0  # seconds a client may take to accept what we wrote
    heartbeat: float = 15.0  # seconds between comments on a silent event stream
    forms: FormLimits = field(default_factory=FormLimits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What every route gets."""

    services: Services
    limits: Limits
    stopping: asyncio.Event  # set: finish what is under way, end event streams, take no new ones


def put_trace(scope: Scope, trace: Trace) -> None:
    """Note which trace a request belongs to."""
    scope[_TRACE] = trace


def add_header(scope: Scope, name: str, value: str) -> None:
    """Have the edge add a header to the answer, whatever that will be."""
    scope.setdefault(_ADDED, []).append((name.lower().encode(), value.encode()))


def added_headers(scope: Scope) -> list[tuple[bytes, bytes]]:
    """Return the headers that are to be added to the answer."""
    added: list[tuple[bytes, bytes]] = scope.get(_ADDED, [])
    return added


def context_of(request: Request) -> Context:
    """Return what the routes of the application stand on."""
    return cast("Context", request.app.state.context)


async def _services(request: Request) -> Services:
    return context_of(request).services


async def _limits(request: Request) -> Limits:
    return context_of(request).limits


async def _trace(request: Request) -> Trace | None:
    return request.scope.get(_TRACE)


async def _stopping(request: Request) -> asyncio.Event:
    return context_of(request).stopping


Served = Annotated[Services, Depends(_services)]
Limited = Annotated[Limits, Depends(_limits)]
Traced = Annotated[Trace | None, Depends(_trace)]
Stopping = Annotated[asyncio.Event, Depends(_stopping)]
