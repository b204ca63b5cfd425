"""The console as it is served: the page, what belongs to it, and the policy over both."""

import gzip

import aiohttp
import pytest
from yarl import URL

from laydown.http import console
from tests.api.installation import Installation
from tests.api.talk import Answer
from tests.api.test_sessions import cookie_of, offered

pytestmark = pytest.mark.embedded  # the page is served from memory

HTML = "text/html; charset=utf-8"
SCRIPT = "export {};" * 500
ASSET = "/assets/index-abc.js"
FIRST_LOAD = 150_000  # bytes, compressed: three seconds on a slow 3G line
ADDRESSES = [
    "/",
    "/projects/x",
    "/projects/x/deliveries",
    "/projects/x/documents?path=A%2FB",
    "/documents/x",
    "/deliveries/x",
    "/operate",
    "/welcome?problem=link",
]

STRANGE = [
    "/assets/",
    "/assets",
    "/assets/index-abc.js.map",
    "/assets/index-abc.js/",
    "/assets/INDEX-abc.js",
    "/assets/index-abc.js%00",
    "/assets/none.js",
    "/assets/../index.html",
    "/assets/../../secret.js",
    "/assets/%2e%2e/index.html",
    "/assets/%2e%2e/%2e%2e/secret.js",
    "/assets/..%2f..%2fsecret.js",
    "/assets/..%5c..%5csecret.js",
    "/assets/%252e%252e/secret.js",
    "/assets//index-abc.js",
    "//assets/index-abc.js",
    "/../secret.js",
    "/secret.js",
    "/index.html",
    "/console/index.html",
    "/projects",
    "/projects/x/elsewhere",
    "/projects/x/documents/more",
    "/operate/",
    "/nothing",
]
"""What leads nowhere, or would lead out of the console if paths were made of it."""


@pytest.fixture
def built(tmp_path):
    """A console of a few files, with some beside and outside of it that are none of it."""
    folder = tmp_path / "console"
    (folder / "assets").mkdir(parents=True)
    (tmp_path / "secret.js").write_text("outside")
    (folder / "index.html").write_text("<!doctype html><title>page</title>")
    (folder / "icon.svg").write_text("<svg/>")
    (folder / "assets" / "index-abc.js").write_text(SCRIPT)
    (folder / "assets" / "index-abc.css").write_text("a { color: red }")
    (folder / "assets" / "index-abc.js.map").write_text("{}")
    return folder


class Browser:
    """Asks with the headers of a browser that goes to an address, and follows nothing."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def __call__(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Return the answer as it travelled; without gzip unless that is asked for."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Accept": "text/html,*/*;q=0.8", "Accept-Encoding": "identity", **named}
        url = URL(self._url + path, encoded=True)
        async with self._session.request(
            method, url, headers=sent, allow_redirects=False
        ) as answer:
            body = await answer.read()
            return Answer(status=answer.status, headers=answer.headers, body=body)


@pytest.fixture
async def ask(server: Installation):
    """Ask a whole server as a browser does."""
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        yield Browser(session, server.url)


def directives(answer: Answer) -> dict[str, str]:
    """Return what the policy of an answer says."""
    [policy] = answer.headers.getall("Content-Security-Policy")
    return dict(each.split(" ", 1) for each in policy.split("; "))


async def test_every_address_of_the_page_leads_to_it(ask):
    """Whichever of its addresses is opened or reloaded, signed in or not, the page comes."""
    for path in ADDRESSES:
        answer = await ask(path)
        assert (answer.status, answer.headers["Content-Type"]) == (200, HTML), path
        assert b"<title>page" in answer.body


async def test_the_page_runs_nothing_but_ours(server, ask):
    """Its policy allows no inline script, no other site's, no frame; bytes may go to the store."""
    store = server.settings.store
    origins = [store.partition("endpoint=")[2].partition("&")[0]] if store else []
    for path in ("/", ASSET, "/icon.svg"):  # a worker is held to the policy of its own file
        answer = await ask(path)
        assert directives(answer) == {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self'",
            "img-src": "'self'",
            "worker-src": "'self'",
            "connect-src": " ".join(["'self'", *origins]),
            "base-uri": "'none'",
            "form-action": "'none'",
            "frame-ancestors": "'none'",
        }
        for name, value in {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
        }.items():
            assert answer.headers.getall(name) == [value]
        assert "camera=()" in answer.headers["Permissions-Policy"]
        assert "Set-Cookie" not in answer.headers


def test_a_bucket_of_amazon_s_may_be_sent_to():
    """The policy names the very origin that it is given, and no other."""
    store = "https://bucket.s3.eu-central-1.amazonaws.com"
    assert f"connect-src 'self' {store};" in console.policy([store])


async def test_each_file_says_what_it_is(ask):
    """Types come from a table of ours, since nothing may be sniffed."""
    for path, media_type in (
        (ASSET, "text/javascript; charset=utf-8"),
        ("/assets/index-abc.css", "text/css; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"),
    ):
        assert (await ask(path)).headers["Content-Type"] == media_type


async def test_what_has_its_hash_in_its_name_is_kept_and_the_page_is_asked_for_again(ask):
    """An asset is kept for good; page and icon only until the server was asked about them."""
    kept = {path: (await ask(path)).headers["Cache-Control"] for path in ("/", ASSET, "/icon.svg")}
    assert kept == {
        "/": "no-cache",
        ASSET: "public, max-age=31536000, immutable",
        "/icon.svg": "no-cache",
    }


@pytest.mark.parametrize("path", ["/", ASSET])
async def test_a_copy_that_holds_is_not_sent_again(ask, path):
    """A tag that still holds is answered 304 without a body, packed or not; others with the file.

    The headers that keep the copy as it is come along.
    """
    first = await ask(path)
    tag = first.headers["ETag"]
    strong = tag.removeprefix("W/")
    for known in (tag, strong, f'"other", {tag}', "*"):
        for encoding in ("identity", "gzip"):
            again = await ask(path, If_None_Match=known, Accept_Encoding=encoding)
            assert (again.status, again.body) == (304, b""), known
            assert again.headers["ETag"] == tag
            assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
    for known in ('"other"', 'W/"other"', strong.strip('"'), strong[:-2] + '"', ""):
        assert (await ask(path, If_None_Match=known)).status == 200, known


async def test_other_files_have_other_tags(ask):
    """A tag is of the bytes: two files never share one."""
    tags = [(await ask(path)).headers["ETag"] for path in ("/", ASSET, "/icon.svg")]
    assert len({*tags}) == 3


async def test_who_can_unpack_gets_it_packed(ask):
    """With gzip the same bytes travel shorter; without it, or against it, as they are."""
    for accepted in ("gzip", "br, GZIP;q=0.5", "deflate, gzip;q=1.0, *;q=0.5"):
        packed = await ask(ASSET, Accept_Encoding=accepted)
        assert packed.headers["Content-Encoding"] == "gzip", accepted
        assert packed.headers["Content-Length"] == str(len(packed.body))
        assert len(packed.body) < 200
        assert gzip.decompress(packed.body) == SCRIPT.encode()
    for accepted in ("identity", "br", "gzip;q=0", "gzip; q=0.000, br", "xgzip", ""):
        plain = await ask(ASSET, Accept_Encoding=accepted)
        assert "Content-Encoding" not in plain.headers, accepted
        assert plain.body == SCRIPT.encode()
        assert plain.headers.getall("Vary") == ["Accept-Encoding"]


@pytest.mark.knobs(origins=("https://portal.example",))
async def test_caches_tell_pages_of_others_apart(ask):
    """Where pages of others may read answers, what is kept depends on who asked for it."""
    answer = await ask(ASSET, Origin="https://portal.example")
    assert {*answer.headers.getall("Vary")} == {"Accept-Encoding", "Origin"}


async def test_head_tells_what_get_would(ask):
    """HEAD has the headers of GET and no body."""
    for path in ("/", ASSET):
        whole, head = await ask(path), await ask(path, "HEAD")
        assert (head.status, head.body) == (200, b"")
        for name in ("Content-Type", "Content-Length", "ETag", "Cache-Control"):
            assert head.headers[name] == whole.headers[name]


async def test_nothing_is_sent_to_the_page(ask):
    """What only reads says which methods it takes."""
    for path in ("/", "/welcome", ASSET):
        answer = await ask(path, "POST")
        assert (answer.status, answer.code) == (405, "method_not_allowed")
        assert answer.headers["Allow"] == "GET, HEAD"


async def test_nothing_else_is_there(ask):
    """What the build did not make, or lies outside of it, is a problem by any spelling."""
    for path in STRANGE:
        answer = await ask(path, Accept="*/*")
        assert (answer.status, answer.code) == (404, "not_found"), path


async def test_who_mistypes_an_address_is_shown_the_page(ask):
    """A person gets the page, which says that nothing is there; no cache keeps that."""
    for path in (*STRANGE, "/projets", "/documents"):
        answer = await ask(path)
        assert (answer.status, answer.headers["Content-Type"]) == (404, HTML), path
        assert answer.body == (await ask("/")).body
        assert "ETag" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"
        assert (await ask(path, "POST")).code in {"not_found", "method_not_allowed"}


async def test_the_api_s_own_addresses_stay_the_api_s(ask):
    """A browser that opens an unknown id or needs a token is answered in JSON, as before."""
    assert (await ask("/v1/projects")).code == "unauthenticated"
    assert (await ask("/v1/nothing")).code == "not_found"
    assert (await ask("/openapi.json")).json["info"]["title"] == "laydown"
    assert not {"/", "/welcome", ASSET} & (await ask("/openapi.json")).json["paths"].keys()


async def test_from_the_link_to_the_page_and_a_change(server, ask):
    """The one-time link leads to the page, whose cookie reads, and changes things with its word."""
    followed = await ask(f"/signin?code={await offered(server)}")
    assert (followed.status, followed.headers["Location"]) == (303, "/")
    cookie = cookie_of(followed)
    assert b"<title>page" in (await ask("/", Cookie=cookie)).body
    me = (await ask("/v1/me", Cookie=cookie)).json
    for word, status in ((None, 403), ("0" * 64, 403), (me["csrf"], 204)):
        sent = {} if word is None else {"X_CSRF_Token": word}
        answer = await ask("/v1/sessions/current", "DELETE", Cookie=cookie, **sent)
        assert answer.status == status
    assert (await ask("/v1/me", Cookie=cookie)).status == 401


class TestUnbuilt:
    """A server that was started where Node was missing."""

    @pytest.fixture
    def built(self, tmp_path):
        """Where nothing is."""
        return tmp_path / "nothing"

    async def test_it_says_how_to_build_it(self, ask):
        """Each address of the page names what to install and run, and leads to the API's page."""
        for path in ADDRESSES:
            answer = await ask(path)
            assert (answer.status, answer.headers["Content-Type"]) == (200, HTML)
            for told in (b"make setup", b"Node\n20.19", b'href="/docs"'):
                assert told in answer.body
            nothing = ("default-src", "base-uri", "form-action", "frame-ancestors")
            assert directives(answer) == dict.fromkeys(nothing, "'none'")
            assert answer.headers["Cache-Control"] == "no-store"
        assert (await ask(ASSET)).code == "not_found"


class TestAsBuilt:
    """The page that `make setup` built."""

    @pytest.fixture
    def built(self):
        """Where it is."""
        if not (console.BUILT / "index.html").is_file():
            pytest.skip("the console is not built: there is no Node")
        return console.BUILT

    async def test_all_that_it_names_is_there(self, ask):
        """Nothing is inline, every file that it names comes, and they are a quick first load."""
        page = (await ask("/")).body.decode()
        assert "<style" not in page
        assert " style=" not in page
        scripts = page.split("<script")[1:]
        assert scripts
        assert all(" src=" in script.partition(">")[0] for script in scripts)
        named = [
            piece.partition('"')[0] for piece in page.replace('href="', 'src="').split('src="')
        ]
        files = [name for name in named[1:] if name.startswith("/")]
        assert len(files) >= 3
        answers = {name: await ask(name, Accept_Encoding="gzip") for name in files}
        assert {name for name, answer in answers.items() if answer.status != 200} == set()
        assert sum(len(answer.body) for answer in answers.values()) < FIRST_LOAD
