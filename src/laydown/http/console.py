"""The console: the built page for people, from memory, under a policy that runs nothing else."""

import gzip
import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType

from fastapi import Request, Response
from starlette.datastructures import Headers
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from laydown.http.context import add_header

BUILT = Path(__file__).parent.parent / "console"
"""Where `make setup` puts the built console, and a wheel has it."""

PAGES = (
    "/",
    "/projects/{project}",
    "/projects/{project}/deliveries",
    "/projects/{project}/documents",
    "/documents/{document}",
    "/deliveries/{batch}",
    "/operate",
    "/welcome",
)
"""The page's own routes: each answers with the page, which reads the address itself."""

_FOR_PROGRAMS = ("/v1/", "/bytes/")
_INDEX = "index.html"
_ASSETS = "assets/"
_FOREVER = "public, max-age=31536000, immutable"  # a name has its content's hash in it
_ASK_AGAIN = "no-cache"  # keep it, but ask whether it still holds
_MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {
        ".html": "text/html; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".svg": "image/svg+xml",
    }
)
_ALWAYS: Mapping[str, str] = MappingProxyType(
    {
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    }
)
_UNBUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>laydown</title>
<h1>laydown runs, but its console was not built</h1>
<p>The page where people deliver files is made with Node. Where laydown's source is, install Node
20.19 or later with npm, run <code>make setup</code>, and start laydown again. An installed wheel
always has the page.</p>
<p>Everything else works: the command line, and the API that <a href="/docs">/docs</a>
describes.</p></html>
"""
_UNBUILT_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_NO_WEIGHT = re.compile(r"\s*q=0(\.0*)?\s*")  # "not acceptable" (RFC 9110, 12.4.2)

Answerer = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A file of the built console, ready to be sent."""

    body: bytes
    packed: bytes  # by gzip
    media_type: str
    tag: str  # a weak one: it says the same of the bytes packed and as they are

    @classmethod
    def read(cls, path: Path) -> "_File":
        body = path.read_bytes()
        return cls(
            body=body,
            packed=gzip.compress(body, 9, mtime=0),
            media_type=_MEDIA_TYPES[path.suffix],
            tag=f'W/"{hashlib.sha256(body).hexdigest()[:32]}"',
        )

    def answer(self, request: Request, headers: Mapping[str, str]) -> Response:
        """Return the file, or the word that the browser's copy holds."""
        told = {**headers, "ETag": self.tag}
        if not _holds(self.tag, request.headers.get("if-none-match", "")):
            return self.whole(request, told)
        add_header(request.scope, "Vary", "Accept-Encoding")
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=told)

    def whole(
        self, request: Request, headers: Mapping[str, str], status: HTTPStatus = HTTPStatus.OK
    ) -> Response:
        """Return the file, packed for whoever can unpack it."""
        add_header(request.scope, "Vary", "Accept-Encoding")  # beside what the edge says it varies
        body, told = self.body, dict(headers)
        if _takes_gzip(request.headers.get("accept-encoding", "")):
            body, told["Content-Encoding"] = self.packed, "gzip"
        return Response(body, status, told, self.media_type)


class _Elsewhere(Route):
    """Any other address that somebody opens in a browser; programs ask for no HTML."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        is_for_programs = scope["path"].startswith(_FOR_PROGRAMS)
        if is_for_programs or "text/html" not in Headers(scope=scope).get("accept", ""):
            return Match.NONE, {}
        match, matched = super().matches(scope)
        return (match, matched) if match is Match.FULL else (Match.NONE, {})


def routes(built: Path = BUILT, *, stores: Sequence[str] = ()) -> list[BaseRoute]:
    """Return the routes of the console built in a directory, or of a page that says how to build.

    Every file is read now: what is asked for later is looked up by name, and no path is ever made
    of it. *stores* are the origins, such as `https://bucket.s3.amazonaws.com`, to which the page
    sends bytes.
    """
    if not (built / _INDEX).is_file():
        return [Route(path, _unbuilt, methods=["GET"]) for path in PAGES]
    files = {
        path.relative_to(built).as_posix(): _File.read(path)
        for path in sorted(built.rglob("*"))
        if path.suffix in _MEDIA_TYPES and path.is_file()
    }
    # Scripts say it too: a worker is held to what its own answer says, not to the page's.
    headers = {**_ALWAYS, "Content-Security-Policy": policy(stores)}
    index = files.pop(_INDEX)
    page = _serving(index, {**headers, "Cache-Control": _ASK_AGAIN})
    found: list[BaseRoute] = [Route(path, page, methods=["GET"]) for path in PAGES]
    for name, file in files.items():
        kept = _FOREVER if name.startswith(_ASSETS) else _ASK_AGAIN
        answerer = _serving(file, {**headers, "Cache-Control": kept})
        found.append(Route(f"/{name}", answerer, methods=["GET"]))
    found.append(_Elsewhere("/{path:path}", _missing(index, headers), methods=["GET"]))
    return found


def policy(stores: Sequence[str]) -> str:
    """Return what the page may do: run and show what is ours, and talk to us and the stores."""
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "worker-src 'self'",
            " ".join(["connect-src 'self'", *stores]),
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )


def _serving(file: _File, headers: Mapping[str, str]) -> Answerer:
    async def serve(request: Request) -> Response:
        return file.answer(request, headers)

    return serve


def _missing(page: _File, headers: Mapping[str, str]) -> Answerer:
    async def answer(request: Request) -> Response:
        return page.whole(request, headers, HTTPStatus.NOT_FOUND)

    return answer


async def _unbuilt(_request: Request) -> Response:
    headers = {**_ALWAYS, "Content-Security-Policy": _UNBUILT_POLICY}
    return Response(_UNBUILT, media_type="text/html", headers=headers)


def _holds(tag: str, known: str) -> bool:
    """Say whether an `If-None-Match` names a tag, by weak comparison (RFC 9110, 13.1.2)."""
    named = {each.strip().removeprefix("W/") for each in known.split(",")}
    return not named.isdisjoint({tag.removeprefix("W/"), "*"})


def _takes_gzip(accepted: str) -> bool:
    """Say whether an `Accept-Encoding` has gzip, and doesn't have it to refuse it."""
    for each in accepted.split(","):
        coding, _, weight = each.partition(";")
        if coding.strip().lower() == "gzip":
            return _NO_WEIGHT.fullmatch(weight.lower()) is None
    return False
