"""Which pages of other origins may call us from a browser (CORS, in the Fetch standard)."""

from collections.abc import Mapping, Sequence

from starlette.types import Receive, Scope, Send

from laydown.domain.digest import AMAZON_HEADERS, CONTENT_DIGEST

EXPOSED = (
    "Upload-Offset",
    "Location",
    "Upload-Length",
    "Tus-Version",
    "Tus-Resumable",
    "Tus-Max-Size",
    "Tus-Extension",
    "Upload-Metadata",
    "Upload-Defer-Length",
    "Upload-Concat",
    "Upload-Expires",
    "ETag",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-Id",
    "Content-Disposition",
    "Content-Range",
)
"""What a page may read of an answer, beside what every page may."""

_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
_TAKEN = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-None-Match",
    "If-Range",
    "Last-Event-ID",
    "Laydown-Organization",
    "Range",
    "Traceparent",
    "Tus-Resumable",
    "Upload-Checksum",
    "Upload-Concat",
    "Upload-Defer-Length",
    "Upload-Length",
    "Upload-Metadata",
    "Upload-Offset",
    "X-HTTP-Method-Override",
    "X-Request-Id",
    "X-Requested-With",
    *(CONTENT_DIGEST, *AMAZON_HEADERS),
)
_KEPT = 7_200  # seconds that browsers need not ask again: as long as Chromium lets it be

Headers = Sequence[tuple[bytes, bytes]]


class Cors:
    """The origins whose pages may call us, each named; no others, and never with cookies."""

    def __init__(self, origins: Sequence[str] = ()) -> None:
        vary = (b"vary", b"Origin")
        exposed = (b"access-control-expose-headers", ", ".join(EXPOSED).encode())
        self._others: Headers = (vary,) if origins else ()
        self._answers: Mapping[bytes, Headers] = {
            origin.encode(): ((b"access-control-allow-origin", origin.encode()), exposed, vary)
            for origin in origins
        }

    def headers(self, page: bytes | None) -> Headers:
        """Return what an answer carries; *page* is the request's `Origin`."""
        return self._others if page is None else self._answers.get(page, self._others)

    def is_preflight(self, scope: Scope) -> bool:
        """Say whether a browser asks what a page may do, and it may."""
        if scope["method"] != "OPTIONS" or not self._answers:
            return False
        headers = dict(scope["headers"])
        page = headers.get(b"origin")
        return page in self._answers and b"access-control-request-method" in headers


async def preflight(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer, as an ASGI app, what any permitted page may do: every method and known header.

    It is the same for every path, those that don't exist too: which ones do is nothing that a
    page may learn without a token.
    """
    headers = [
        (b"access-control-allow-methods", _METHODS.encode()),
        (b"access-control-allow-headers", ", ".join(_TAKEN).encode()),
        (b"access-control-max-age", str(_KEPT).encode()),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body"})
