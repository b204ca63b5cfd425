"""The console as it is served: the page, what belongs to it, and the policy over both."""

import asyncio
import gzip
from collections.abc import Mapping
from typing import NamedTuple

import aiohttp
import pytest
from starlette.applications import Starlette

from laydown.http import console
from laydown.http.context import Limits
from laydown.http.edge import Edge
from laydown.http.listening import listen
from laydown.http.serving import serve


class Got(NamedTuple):
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    content_type: str
    body: bytes


STORE = "https://bucket.s3.eu-central-1.amazonaws.com"


@pytest.fixture
def built(tmp_path):
    """A console of three files, and one that is none of it."""
    (tmp_path / "console" / "assets").mkdir(parents=True)
    (tmp_path / "secret.js").write_text("outside")
    (tmp_path / "console" / "index.html").write_text("<!doctype html><title>page</title>")
    (tmp_path / "console" / "icon.svg").write_text("<svg/>")
    (tmp_path / "console" / "assets" / "index-abc.js").write_text("export {};" * 500)
    (tmp_path / "console" / "assets" / "index-abc.js.map").write_text("{}")
    return tmp_path / "console"


@pytest.fixture
async def ask(built):
    """Ask a server that has nothing but the console."""
    listener = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    app = Edge(
        Starlette(routes=console.routes(built, stores=[STORE])),
        byte_door=None,
        limits=Limits(),
        observe=lambda *_: None,
    )
    stopping = asyncio.Event()

    async def nothing() -> None:
        pass

    serving = asyncio.create_task(
        serve(app, listener, stopping=stopping, drain=nothing, patience=2.0)
    )
    async with aiohttp.ClientSession(url, auto_decompress=False) as session:

        async def asked(path, method="GET", **headers):
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            # Without this aiohttp asks for gzip by itself.
            named.setdefault("Accept-Encoding", "identity")
            async with session.request(method, path, headers=named) as answer:
                return Got(answer.status, answer.headers, answer.content_type, await answer.read())

        yield asked
    stopping.set()
    await serving


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/projects/x",
        "/projects/x/deliveries",
        "/projects/x/documents?path=A%2FB",
        "/documents/x",
        "/deliveries/x",
        "/operate",
        "/welcome?problem=link",
    ],
)
async def test_every_address_of_the_page_leads_to_it(ask, path):
    """Whichever of its addresses is opened or reloaded, the page comes."""
    answer = await ask(path)
    assert (answer.status, answer.content_type) == (200, "text/html")
    assert b"<title>page" in answer.body


async def test_the_page_runs_nothing_but_ours(ask):
    """Its policy allows no inline script, no other site's, no frame; bytes may go to the store."""
    answer = await ask("/")
    policy = dict(
        each.split(" ", 1) for each in answer.headers["Content-Security-Policy"].split("; ")
    )
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "worker-src": "'self'",
        "connect-src": f"'self' {STORE}",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"


async def test_what_has_its_hash_in_its_name_is_kept_and_the_page_is_asked_for_again(ask):
    """An asset may be kept for good; the page only until the server was asked whether it holds."""
    asset, page, icon = await ask("/assets/index-abc.js"), await ask("/"), await ask("/icon.svg")
    assert "immutable" in asset.headers["Cache-Control"]
    assert {page.headers["Cache-Control"], icon.headers["Cache-Control"]} == {"no-cache"}
    for path, answer in (("/", page), ("/assets/index-abc.js", asset)):
        again = await ask(path, If_None_Match=answer.headers["ETag"])
        assert (again.status, again.body) == (304, b"")
        assert (await ask(path, If_None_Match='"other"')).status == 200


async def test_who_can_unpack_gets_it_packed(ask):
    """With gzip the same bytes travel shorter, under the same tag; without, as they are."""
    plain = await ask("/assets/index-abc.js")
    packed = await ask("/assets/index-abc.js", Accept_Encoding="br, gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(packed.body) == plain.body == b"export {};" * 500
    assert len(packed.body) < 200
    assert (await ask("/assets/index-abc.js", method="HEAD")).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/assets/",
        "/assets/index-abc.js.map",
        "/assets/none.js",
        "/assets/../index.html",
        "/assets/%2e%2e/secret.js",
        "/assets/..%2f..%2fsecret.js",
        "/index.html",
        "/projects",
        "/projects/x/documents/more",
        "/console/index.html",
    ],
)
async def test_nothing_else_is_there(ask, path):
    """What the build did not make, or lies outside of it, is not found by any spelling."""
    assert (await ask(path)).status == 404


async def test_a_server_without_the_console_says_how_to_build_it(tmp_path):
    """Where Node was missing, the first page names what to install and run."""
    [route] = console.routes(tmp_path / "nothing")
    answer = await route.endpoint(None)
    assert b"make setup" in answer.body
    assert b"Node 20.19" in answer.body


async def test_a_whole_server_serves_the_console_beside_the_api(server):
    """The built page comes at `/`; what is no page of it is still answered as a problem."""
    if not (console.BUILT / "index.html").is_file():
        pytest.skip("the console is not built: there is no Node")
    async with aiohttp.ClientSession(server.url) as session:
        page = await session.get("/")
        assert (page.status, page.content_type) == (200, "text/html")
        script = (await page.text()).partition('src="')[2].partition('"')[0]
        assert (await session.get(script)).content_type == "text/javascript"
        unknown = await session.get("/nothing")
        assert (unknown.status, unknown.content_type) == (404, "application/problem+json")
