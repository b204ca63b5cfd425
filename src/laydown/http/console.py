"""The console: the built page for people, from memory, under a policy that runs nothing else."""

import gzip
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType

from fastapi import Request, Response
from starlette.routing import BaseRoute, Route

BUILT = Path(__file__).parent.parent / "console"
"""Where `make setup` puts the built console, and a wheel has it."""

PAGES = (
    "/",
    "/projects/{project}",
    "/projects/{project}/{view}",
    "/documents/{document}",
    "/deliveries/{batch}",
    "/operate",
    "/welcome",
)
"""The page's own routes: each answers with the page, which reads the address itself."""

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
<p>The page where people drop files is made with Node. Install Node 20.19 or later, run
<code>make setup</code> in the folder laydown was started from, and start it again. A wheel brings
the console along.</p>
<p>Everything else works: the command line, and the API that <a href="/docs">/docs</a>
describes.</p></html>
"""

Answerer = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class _File:
    """A file of the built console, ready to be sent."""

    body: bytes
    packed: bytes  # by gzip
    media_type: str
    tag: str

    @classmethod
    def read(cls, path: Path) -> "_File":
        body = path.read_bytes()
        return cls(
            body=body,
            packed=gzip.compress(body, 9, mtime=0),
            media_type=_MEDIA_TYPES[path.suffix],
            tag=f'"{hashlib.sha256(body).hexdigest()[:32]}"',
        )

    def answer(self, request: Request, headers: Mapping[str, str]) -> Response:
        """Return the file, or the word that the browser's copy holds."""
        told = {**headers, "ETag": self.tag, "Vary": "Accept-Encoding"}
        if self.tag in request.headers.get("if-none-match", ""):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=told)
        body = self.body
        if "gzip" in request.headers.get("accept-encoding", ""):
            body = self.packed
            told["Content-Encoding"] = "gzip"
        return Response(body, headers=told, media_type=self.media_type)


def routes(built: Path = BUILT, *, stores: Sequence[str] = ()) -> list[BaseRoute]:
    """Return the routes of the console built in a directory, or of a page that says how to build.

    Every file is read now: what is asked for later is looked up by name, and no path is ever made
    of it. *stores* are the origins, such as `https://bucket.s3.amazonaws.com`, to which the page
    sends bytes.
    """
    if not (built / _INDEX).is_file():
        return [Route("/", _unbuilt, methods=["GET"])]
    files = {
        path.relative_to(built).as_posix(): _File.read(path)
        for path in sorted(built.rglob("*"))
        if path.suffix in _MEDIA_TYPES and path.is_file()
    }
    page = _serving(files.pop(_INDEX), {"Content-Security-Policy": policy(stores)}, _ASK_AGAIN)
    return [
        *(Route(path, page, methods=["GET"]) for path in PAGES),
        *(
            Route(f"/{name}", _serving(file, {}, _kept(name)), methods=["GET"])
            for name, file in files.items()
        ),
    ]


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


def _kept(name: str) -> str:
    return _FOREVER if name.startswith(_ASSETS) else _ASK_AGAIN


def _serving(file: _File, more: Mapping[str, str], kept: str) -> Answerer:
    headers = {**_ALWAYS, **more, "Cache-Control": kept}

    async def serve(request: Request) -> Response:
        return file.answer(request, headers)

    return serve


async def _unbuilt(_request: Request) -> Response:
    return Response(_UNBUILT, media_type="text/html")
