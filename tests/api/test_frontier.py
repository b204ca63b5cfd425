"""The frontier on a real server: what every answer says, which pages may call, whom we believe."""

from urllib.parse import urljoin

import aiohttp
import pytest

from laydown.http.cors import EXPOSED
from tests.api.talk import entry

PORTAL, LOCAL, EVIL = "https://portal.example", "http://localhost:5173", "https://evil.example"
SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
CLOSED = "default-src 'none'; frame-ancestors 'none'"


@pytest.fixture
async def raw(server):
    """Ask with these headers and no others of ours; return status and headers."""
    async with aiohttp.ClientSession(server.url) as session:

        async def ask(method, path, body=None, **headers):
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            async with session.request(
                method, path, data=body, headers=named, allow_redirects=False
            ) as answer:
                await answer.read()
                return answer

        yield ask


async def everything(server, talk, project, raw, **headers):
    """Return an answer of every kind, by what it is, asked for with these headers."""
    known = {"Authorization": f"Bearer {talk.token}", **headers}
    batch, _ = await talk.lay(project, {"a.txt": b"a"})
    await server.run_until_quiet()
    version = (await talk.document(project, "a.txt"))["current"]["id"]
    found = {
        "health": await raw("GET", "/livez", **headers),
        "metrics": await raw("GET", "/metrics", **headers),
        "page": await raw("GET", "/docs", **headers),
        "openapi": await raw("GET", "/openapi.json", **headers),
        "list": await raw("GET", "/v1/projects", **known),
        "csv": await raw("GET", f"/v1/batches/{batch}/receipt.csv", **known),
        "events": await raw("GET", f"/v1/batches/{batch}/events", **known),
        "content": await raw("GET", f"/v1/versions/{version}/content", **known),
        "no token": await raw("GET", "/v1/projects", **headers),
        "no path": await raw("GET", "/nothing", **headers),
        "no method": await raw("DELETE", "/v1/projects", **known),
        "bad body": await raw("POST", "/v1/projects", b"{", **known),
        "bad bytes": await raw("PUT", "/bytes/x", b"x", **headers),
        "no bytes": await raw("GET", "/bytes/x", **headers),
    }
    if not server.is_direct:
        declared = await talk.declare(project, entry("b.txt", b"b"), reference="more")
        [granted] = await talk.grants(declared["batch"]["id"])
        url = granted["parts"][0]["url"]
        found["fast lane"] = await raw("PUT", url, b"b", **headers)
        found["common way"] = await raw("PUT", url, b"b", Expect="100-continue", **headers)
    return found


async def test_every_answer_is_safe(server, ours, project, raw):
    """Whatever is asked, and whoever answers: no sniffing, no referrer, nothing run or framed."""
    for what, answer in (await everything(server, ours, project, raw)).items():
        if answer.status == 302:
            continue  # the store's own URL follows
        different = {"content": {"Cache-Control": "private, no-cache"}}.get(what, {})
        for name, value in (SAFE | different).items():
            assert answer.headers.getall(name) == [value], what
        [policy] = answer.headers.getall("Content-Security-Policy")
        assert "default-src 'none'" in policy, what
        assert ("frame-ancestors 'none'" in policy) or what == "content"
        assert len(answer.headers.getall("X-Request-Id")) == 1, what
        assert "Strict-Transport-Security" not in answer.headers, what
        assert not [name for name in answer.headers if name.startswith("Access-Control")], what
        assert "Server" not in answer.headers
        if what != "content":  # in what encoding users write, nobody knows
            has_charset = "charset=utf-8" in answer.headers.get("Content-Type", "")
            assert has_charset == (what in ("csv", "metrics", "page", "events")), what


@pytest.mark.knobs(proxies=("127.0.0.1",))
async def test_what_came_by_tls_stays_there(server, ours, project, raw):
    """Behind a proxy that ends TLS, every answer says that only TLS will do from now on."""
    secure = {"X-Forwarded-Proto": "https"}
    for what, answer in (await everything(server, ours, project, raw, **secure)).items():
        assert answer.headers.getall("Strict-Transport-Security") == ["max-age=31536000"], what
    assert "Strict-Transport-Security" not in (await raw("GET", "/livez")).headers


async def test_nobody_but_a_proxy_says_that_there_is_tls(server, ours, project, raw):
    """Without configured proxies, what a client says of how it came changes no answer."""
    forged = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-For": "203.0.113.9",
        "Forwarded": "proto=https;host=evil.example",
    }
    for what, answer in (await everything(server, ours, project, raw, **forged)).items():
        assert "Strict-Transport-Security" not in answer.headers, what
        assert "evil.example" not in str(answer.headers), what


@pytest.mark.knobs(origins=(PORTAL, LOCAL))
async def test_pages_that_are_named_may_read_every_answer(server, ours, project, raw):
    """A page of an allowed origin reads every answer, errors too, and the headers it needs."""
    for what, answer in (await everything(server, ours, project, raw, Origin=PORTAL)).items():
        assert answer.headers.getall("Access-Control-Allow-Origin") == [PORTAL], what
        assert answer.headers["Access-Control-Expose-Headers"] == ", ".join(EXPOSED)
        assert "Origin" in answer.headers.getall("Vary"), what
        assert "Access-Control-Allow-Credentials" not in answer.headers, what
    local = await raw("GET", "/livez", Origin=LOCAL)
    assert local.headers.getall("Access-Control-Allow-Origin") == [LOCAL]


OTHERS = [
    EVIL, "null", "https://portal.example.evil.example", "https://portal.example:444",
    "http://portal.example", "https://PORTAL.example", PORTAL + "/", "*", "",
]  # fmt: skip


@pytest.mark.knobs(origins=(PORTAL,))
@pytest.mark.parametrize("page", OTHERS)
async def test_other_pages_may_read_nothing(raw, page):
    """An origin that isn't named to the letter is allowed nothing, and no cache confuses them."""
    ask = {"Origin": page, "Access-Control-Request-Method": "PUT"}
    for method, path in [
        ("GET", "/v1/projects"), ("GET", "/livez"), ("PUT", "/bytes/x"),
        ("OPTIONS", "/v1/projects"), ("OPTIONS", "/bytes/x"),
    ]:  # fmt: skip
        answer = await raw(method, path, **ask)
        assert not [name for name in answer.headers if name.startswith("Access-Control")]
        assert answer.headers.getall("Vary") == ["Origin"]
        assert answer.status in (200, 401, 403, 404, 405)


@pytest.mark.knobs(origins=(PORTAL,))
@pytest.mark.parametrize("path", ["/v1/projects", "/bytes/x/y/1/1?expires=1", "/nothing", "/livez"])
async def test_a_preflight_is_answered_at_the_door(raw, path):
    """What a page may do needs no token, is the same for every path, and is kept for two hours."""
    answer = await raw(
        "OPTIONS", path, Origin=PORTAL,
        Access_Control_Request_Method="PUT", Access_Control_Request_Headers="x-amz-checksum-sha256",
    )  # fmt: skip
    allowed = answer.headers["Access-Control-Allow-Headers"].lower().split(", ")
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == PORTAL
    assert answer.headers["Access-Control-Max-Age"] == "7200"
    assert {"PUT", "PATCH", "DELETE"} <= {
        *answer.headers["Access-Control-Allow-Methods"].split(", ")
    }
    assert {"authorization", "content-type", "x-amz-checksum-sha256", "upload-offset"} <= {*allowed}
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.knobs(origins=(PORTAL,))
async def test_options_that_is_no_preflight_is_a_method_like_others(raw):
    """Without the question of a browser, OPTIONS answers 405 as before."""
    for headers in ({"Origin": PORTAL}, {"Access_Control_Request_Method": "PUT"}):
        assert (await raw("OPTIONS", "/v1/projects", **headers)).status == 405


@pytest.mark.embedded
@pytest.mark.knobs(proxies=("127.0.0.1",))
async def test_byte_urls_lead_back_the_way_one_came(ours, project):
    """A URL for bytes is at whatever scheme and host the client asked, proxies or none."""
    declared = await ours.declare(project, entry("a.txt", b"a"))
    path = f"/v1/batches/{declared['batch']['id']}/grants"
    behind = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "files.example"}
    answer = await ours.ask("POST", path, {"limit": 1}, headers=behind, expect=200)
    url = answer.json["uploads"][0]["parts"][0]["url"]
    assert urljoin(f"https://files.example{path}", url).startswith("https://files.example/bytes/")
    assert urljoin(f"http://127.0.0.1:1{path}", url).startswith("http://127.0.0.1:1/bytes/")
