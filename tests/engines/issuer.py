"""A real identity provider, which misbehaves when a test wants it to."""

import asyncio
import http.client
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.engines.process import Process, folder, free_ports

CLIENT: Final = "laydown"
SECRET: Final = "s3cret:/+ %&é"
DISCOVERY: Final = "/.well-known/openid-configuration"
CONDUCT: Final = (
    "fails",
    "redirects",
    "is no JSON",
    "is a list",
    "is nested",
    "says it twice",
    "is huge",
    "is cut",
    "drips",
)
"""What a document of it can be instead of an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """A running provider: how to reach it, what to have it sign, and how to hurt it."""

    port: int
    process: Process = field(repr=False)

    @property
    def url(self) -> str:
        """What it calls itself."""
        return f"http://127.0.0.1:{self.port}"

    def token(
        self,
        *,
        signed: str = "well",
        alg: str = "RS256",
        header: dict[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """Return a token of Ann's, with other *claims* and *header*; None takes one away.

        It is signed by `alg`, well, or in a wrong way: `by an unknown key`, `by another key`,
        `by its own key`, `not`, `with the public key`.
        """
        return str(self._order("mint", claims=claims, header=header or {}, signed=signed, alg=alg))

    def behave(self, path: str, how: str) -> None:
        """Answer requests of *path* in a way of `CONDUCT`, or `refuses` or `is packed`."""
        self._order("behave", path=path, how=how)

    def say(self, path: str, document: Any) -> None:
        """Answer requests of *path* with this document."""
        self._order("say", path=path, document=document)

    def change(self, **claims: Any) -> None:
        """Change the claims of ID tokens; None takes one away."""
        self._order("change", **claims)

    def make_public(self) -> None:
        """Know the client as one without a secret."""
        self._order("public")

    def rotate(self, *, keep: bool) -> None:
        """Sign with a new key from now on; *keep* publishing the old one, too, or not."""
        self._order("rotate", keep=keep)

    def set_clock(self, *, ahead: float) -> None:
        """Have its clock so many seconds ahead of ours."""
        self._order("clock", seconds=ahead)

    def keys(self) -> list[dict[str, Any]]:
        """Return the keys it publishes."""
        found: list[dict[str, Any]] = self._order("keys")["keys"]
        return found

    def asked(self) -> dict[str, int]:
        """Return how often each path was asked for since `reset`."""
        found: dict[str, int] = self._order("asked")
        return found

    def reset(self) -> None:
        """Behave well again."""
        self._order("reset")

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()

    async def start_again(self) -> None:
        """Start it after `kill`, on the same port, with new keys."""
        await asyncio.to_thread(self.start)

    def start(self) -> None:
        """Do what `start_again` does, for a caller that can't await."""
        self.process.start(self._answers)

    def _order(self, do: str, **what: Any) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("POST", "/control", json.dumps({"do": do, **what}))
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        assert answer.status == 200, body
        return json.loads(body)

    def _answers(self) -> bool:
        try:
            self.reset()
        except OSError:
            return False
        return True


@contextmanager
def running_issuer() -> Iterator[Issuer]:
    """Run a provider; end it after. Raises `EngineFailedError` when it won't start."""
    [port] = free_ports(1)
    root = Path(__file__).parents[2]
    with folder("oidc") as place:
        argv = [sys.executable, "-P", "-m", "tests.engines.issuer_server", str(port)]
        env = {"PYTHONPATH": str(root)}
        issuer = Issuer(port=port, process=Process("issuer", argv, folder=place, env=env))
        try:
            issuer.start()
            yield issuer
        finally:
            issuer.kill()
