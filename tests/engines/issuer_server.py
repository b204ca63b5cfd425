"""An identity provider that misbehaves on demand, run as `python -m tests.engines.issuer_server`.

It publishes itself and its keys, signs people in without asking them, and does what is posted to
`/control`: see `tests/engines/issuer.py`.
"""

import asyncio
import base64
import hashlib
import json
import secrets
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from tests.engines.issuer import CLIENT, DISCOVERY, SECRET
from tests.engines.issuer_signing import Signer

TEXTS = {
    "is no JSON": "<html>",
    "is a list": "[]",
    "is nested": "[" * 100_000,
    "says it twice": '{"issuer": "a", "issuer": "b"}',
    "is huge": " " * (1 << 20) + "{}",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Provider:
    """What the provider knows, and how it behaves."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.signer = Signer()
        self.reset()

    def reset(self) -> None:
        """Behave well from now on; nobody has asked anything."""
        self.signer.reset()
        self.asked: Counter[str] = Counter()
        self.conduct: dict[str, str] = {}
        self.documents: dict[str, Any] = {}
        self.changes: dict[str, Any] = {}  # of the next ID tokens' claims; None takes one away
        self.codes: dict[str, dict[str, str]] = {}
        self.secret: str | None = SECRET

    def control(self, do: str, **what: Any) -> Any:
        """Do what a test wants: one of these methods."""
        orders: dict[str, Callable[..., Any]] = {
            "reset": self.reset,
            "behave": lambda path, how: self.conduct.update({path: how}),
            "say": lambda path, document: self.documents.update({path: document}),
            "change": self.changes.update,
            "public": lambda: setattr(self, "secret", None),
            "rotate": self.signer.rotate,
            "clock": lambda seconds: setattr(self.signer, "offset", seconds),
            "keys": self.signer.published,
            "asked": lambda: dict(self.asked),
            "mint": self.mint,
        }
        return orders[do](**what)

    def mint(self, claims: dict[str, Any], header: dict[str, Any], signed: str, alg: str) -> str:
        """Return a token for the client, with changed claims and header."""
        return self.signer.mint(self.claims(claims), header, signed=signed, alg=alg)

    def claims(self, changes: dict[str, Any]) -> dict[str, Any]:
        """Return the claims of a good token, changed; None takes a claim away."""
        now = self.signer.now()
        good = {
            "iss": self.url,
            "sub": "ann",
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "email": "ann@example.com",
            "email_verified": True,
            "name": "Ann Example",
        }
        return {name: value for name, value in {**good, **changes}.items() if value is not None}

    def configuration(self) -> dict[str, Any]:
        """Return what is published of the provider."""
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/jwks",
            "authorization_endpoint": f"{self.url}/authorize?tenant=1",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
        }


def answering(provider: Provider) -> Callable[[web.Request, Handler], Awaitable[Any]]:
    """Return what counts requests, and answers as a test wants it."""

    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == "/control":
            return await handler(request)
        provider.asked[request.path] += 1
        if request.path in provider.documents:
            return web.json_response(provider.documents[request.path])
        how = provider.conduct.get(request.path)
        return await (handler(request) if how is None else misbehave(request, how))

    return answer


async def misbehave(request: web.Request, how: str) -> web.StreamResponse:
    """Answer as no provider should."""
    match how:
        case "is cut":
            return await cut(request)
        case "drips":
            return await drip(request)
        case "is packed":
            packed = web.Response(text=json.dumps({"keys": []}))
            packed.enable_compression(web.ContentCoding.gzip)
            return packed
        case "redirects":
            return web.Response(status=302, headers={"Location": "/elsewhere"})
        case "fails" | "refuses":
            status = {"fails": 500, "refuses": 403}[how]
            return web.json_response({"error": "access_denied"}, status=status)
        case _:
            return web.Response(text=TEXTS[how])


async def cut(request: web.Request) -> web.StreamResponse:
    """Promise more bytes than come."""
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b"{")
    assert request.transport is not None
    request.transport.close()
    return response


async def drip(request: web.Request) -> web.StreamResponse:
    """Send a byte now and then, for ever: no pause is long."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.02)


def authorize(provider: Provider, request: web.Request) -> web.Response:
    """Sign Ann in, and send the browser back."""
    given = dict(request.query)
    assert given["tenant"] == "1", given
    assert given["response_type"] == "code", given
    assert given["client_id"] == CLIENT, given
    assert given["code_challenge_method"] == "S256", given
    assert "openid" in given["scope"].split(), given
    code = secrets.token_urlsafe(16)
    provider.codes[code] = given
    back = {"code": code, "state": given["state"], "iss": provider.url}
    return web.Response(
        status=302, headers={"Location": f"{given['redirect_uri']}?{urlencode(back)}"}
    )


async def token(provider: Provider, request: web.Request) -> web.Response:
    """Give tokens for a code: once, to our client, which knows the verifier."""
    form = await request.post()
    if not is_client(provider, request.headers.get("Authorization"), form.get("client_id")):
        return web.json_response({"error": "invalid_client"}, status=401)
    given = provider.codes.pop(str(form["code"]), None)
    digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    if (
        given is None
        or given["code_challenge"] != challenge
        or given["redirect_uri"] != form["redirect_uri"]
        or form["grant_type"] != "authorization_code"
    ):
        return web.json_response({"error": "invalid_grant"}, status=400)
    claims = provider.claims({"nonce": given["nonce"], **provider.changes})
    word = provider.signer.mint(claims, {}, signed="well", alg="RS256")
    return web.json_response({"id_token": word, "access_token": "opaque", "token_type": "Bearer"})


def is_client(provider: Provider, authorization: str | None, client: object) -> bool:
    """Say whether a request is of our client, which has a secret or is public (RFC 6749, 2.3.1)."""
    if provider.secret is None:
        return authorization is None and client == CLIENT
    encoded = urlencode({CLIENT: provider.secret}).replace("=", ":").replace("+", "%20")
    basic = base64.b64encode(encoded.encode()).decode()
    return authorization == f"Basic {basic}" and client is None


def application(provider: Provider) -> web.Application:
    """Return the provider as an application."""
    app = web.Application(middlewares=[answering(provider)])

    async def control(request: web.Request) -> web.Response:
        return web.json_response(provider.control(**await request.json()))

    async def discovery(_: web.Request) -> web.Response:
        return web.json_response(provider.configuration())

    async def keys(_: web.Request) -> web.Response:
        return web.json_response(provider.signer.published())

    async def enter(request: web.Request) -> web.Response:
        return authorize(provider, request)

    async def exchange(request: web.Request) -> web.Response:
        return await token(provider, request)

    async def userinfo(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer opaque"
        return web.json_response(provider.claims({}))

    app.router.add_post("/control", control)
    app.router.add_get(DISCOVERY, discovery)
    app.router.add_get("/jwks", keys)
    app.router.add_get("/authorize", enter)
    app.router.add_post("/token", exchange)
    app.router.add_get("/userinfo", userinfo)
    return app


if __name__ == "__main__":
    listening = int(sys.argv[1])
    web.run_app(application(Provider(listening)), host="127.0.0.1", port=listening, print=None)
