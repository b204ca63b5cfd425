"""Requests that carry an `Idempotency-Key`: done once, and answered alike however often asked.

draft-ietf-httpapi-idempotency-key-header. The answer may hold a secret that is shown once, so what
is kept of it is encrypted with the caller's own secret and the key, of which we keep neither.
"""

import hashlib
import hmac
import secrets
import zlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Message

from laydown.domain.errors import Conflict, InvalidRequest, LaydownError, LedgerUnavailable
from laydown.http import auth, bodies, problems, rates
from laydown.http.context import Limits, Services
from laydown.services.identity import Caller
from laydown.services.replying import Turn

HEADER = "Idempotency-Key"

LONGEST_KEY = 255
"""Characters, visible ones of ASCII and spaces: a UUID, quoted or not, has 38 at most."""

_NONCE = 12  # bytes; NIST SP 800-38D §8.2.2 for random ones
_OURS = frozenset({b"content-length", b"connection"})  # of one answer on one connection

# What may be answered otherwise in a moment is no answer to keep.
_OF_THE_MOMENT = frozenset(
    {HTTPStatus.UNAUTHORIZED, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
)

Handle = Callable[[Request], Awaitable[Response]]


class _Kept(msgspec.Struct, array_like=True):
    """An answer as it is kept."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class _Asked:
    """A request with a key: what it is known by, and what its answer is encrypted with."""

    def __init__(self, request: Request, caller: Caller, key: str, body: bytes) -> None:
        secret = auth.shown(request) if caller.shown else caller.principal.bytes
        base = hmac.new(secret, b"laydown answers\0" + key.encode(), hashlib.sha256).digest()
        self.key = hashlib.sha256(key.encode()).digest()
        self._cipher = AESGCM(base)
        said = hmac.new(base, _line(request), hashlib.sha256)
        said.update(body)
        self.fingerprint = said.digest()

    def sealed(self, response: Response) -> bytes:
        """Return an answer as nobody else can read it."""
        kept = _Kept(
            status=response.status_code,
            headers=[pair for pair in response.raw_headers if pair[0] not in _OURS],
            body=bytes(response.body),
        )
        nonce = secrets.token_bytes(_NONCE)
        plain = zlib.compress(msgspec.msgpack.encode(kept), level=1)
        return nonce + self._cipher.encrypt(nonce, plain, self.fingerprint)

    def opened(self, sealed: bytes) -> Response:
        """Return the answer that was kept."""
        plain = self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], self.fingerprint)
        kept = msgspec.msgpack.decode(zlib.decompress(plain), type=_Kept)
        response = Response(kept.body, kept.status)
        response.raw_headers = [*response.raw_headers, *kept.headers]  # its length, and theirs
        return response


async def once(request: Request, handle: Handle, services: Services, limits: Limits) -> Response:
    """Return the answer of *handle*, or the one it gave when this was asked before.

    Raises `InvalidRequest` for what is no key, `RateLimited` for too many keys, and what
    `Replying.begin` does.
    """
    key = _checked(request.headers[HEADER])
    caller = await auth.caller_of(request, services)
    body = await bodies.read(request, limits, at_most=limits.declaration_bytes)
    rates.tell(request.scope, await services.rating.spend_key(caller))
    asked = _Asked(request, caller, key, body)
    turn = await services.replying.begin(caller.organization, asked.key, asked.fingerprint)
    if isinstance(turn, bytes):
        return asked.opened(turn)
    try:
        response = await handle(_with_body(request, body))
    except LaydownError as error:
        response = problems.answer(error, instance=request.url.path)
        if isinstance(error, Conflict) or not _is_final(response):
            await _give_up(services, turn)
            raise
    except Exception:
        await _give_up(services, turn)
        raise
    if isinstance(response, StreamingResponse) or not _is_final(response):
        await _give_up(services, turn)
        return response
    with suppress(LedgerUnavailable):  # it is done, and the caller shall know
        await services.replying.answered(turn, asked.sealed(response))
    return response


async def _give_up(services: Services, turn: Turn) -> None:
    with suppress(LedgerUnavailable):  # then the claim lapses
        await services.replying.gave_up(turn)


def _checked(key: str) -> str:
    if 0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable():
        return key
    raise InvalidRequest(
        f"`{HEADER}` is not 1 to {LONGEST_KEY} printable characters of ASCII.",
        ((f"/header/{HEADER}", "Expected text such as a UUID"),),
    )


def _line(request: Request) -> bytes:
    """Return what is asked, but for the body."""
    query: bytes = request.scope["query_string"]
    return b"\0".join((request.method.encode(), request.url.path.encode(), query, b""))


def _with_body(request: Request, body: bytes) -> Request:
    """Return the request as it was before its body was read."""
    left = [body]

    async def receive() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await request.receive()

    return Request(request.scope, receive)


def _is_final(response: Response) -> bool:
    """Say whether the same request would be answered alike, as long as nothing else happens."""
    status = HTTPStatus(response.status_code)
    return status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _OF_THE_MOMENT
