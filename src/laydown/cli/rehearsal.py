"""What `laydown demo` does: makes a delivery, receives it, and compares."""

import asyncio
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import typer

from laydown import Client, wire
from laydown.cli.places import DATA_VARIABLE, answers
from laydown.cli.printable import files as files_of
from laydown.cli.printable import size
from laydown.embedded.errors import ConnectionUnknown, DataDirectoryBusy
from laydown.embedded.instance import CONNECTION_FILE, Connection, own, read_connection
from laydown.embedded.postgres import EmbeddedPostgres
from laydown.http.listening import listen
from laydown.sample import PROJECT, PROJECT_CODE, Manifest, SampleError, generate
from laydown.settings import PREFIX, Settings

_LAYDOWN = (sys.executable, "-m", "laydown")
_MARKER = ".laydown-demo"
_START_WITHIN = 60.0  # seconds; a slow disk makes a new Postgres slowly
_GLANCE = 0.1  # seconds


class NotPossible(Exception):
    """Ends the demo with a sentence and an exit code."""

    def __init__(self, sentence: str, *, code: int = 1) -> None:
        super().__init__(sentence)
        self.code = code


def rehearse(folder: Path, *, files: int, is_to_serve_on: bool) -> int:
    """Make a delivery in *folder*, have a laydown receive it, and say what came of it.

    Returns 0 when every file came to the end it was made for, else 1. A serving laydown goes on
    until `KeyboardInterrupt`. Raises `NotPossible`, `EmbeddedError`, `ClientError` and `OSError`.
    """
    delivery, data = folder / PROJECT, folder / "laydown"
    _clear(folder)
    say(f"making a sample delivery of {files_of(files)}")
    try:
        manifest = generate(delivery, files=files)
    except SampleError as error:
        raise NotPossible(str(error), code=2) from error
    say(f"made {_shown(delivery)}: {files_of(manifest.files)}, {size(manifest.bytes)}")
    # An environment that speaks of another laydown must not reach this one.
    env = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    env[DATA_VARIABLE] = str(data)
    env[f"{PREFIX}SCANNER"] = "none"  # one that happens to be installed takes half a minute
    with (
        _serving(data, env) as (server, connection),
        Client(connection.url, connection.token) as client,
    ):
        client.create_project(PROJECT_CODE, name=PROJECT)
        say(f"$ laydown push {_shown(delivery)} --project {PROJECT_CODE}")
        push = [*_LAYDOWN, "push", str(delivery), "--project", PROJECT_CODE]
        subprocess.run(push, env=env, check=False)  # noqa: S603 - ourselves
        receipt = _receipt(client)
        came_as_expected = dict(receipt.batch.counts) == dict(manifest.expected)
        say(_compared(receipt.batch.counts, manifest))
        if receipt.scanner == "none":
            say("scanner: none, so nothing was looked through for malware")
        if is_to_serve_on:
            say(f"still serving at {connection.url}; Ctrl-C stops it")
            say("look around in a browser (the link works once, for 15 minutes):")
            say(_sign_in_link(env))
            say("or in another terminal:")
            say(f"$ {DATA_VARIABLE}={_shown(data)} {_shown(_program())} ls {PROJECT_CODE}")
            with suppress(KeyboardInterrupt):
                server.wait()
    return 0 if came_as_expected else 1


def _clear(folder: Path) -> None:
    """Remove what an earlier demo left in *folder*; refuse to touch anybody else's files."""
    marker = folder / _MARKER
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        if not marker.exists():
            raise NotPossible(
                f"{folder} holds something that is not a demo's: choose another folder with --in",
                code=2,
            )
        data = folder / "laydown"
        try:
            with own(data):  # an earlier demo that still serves is not ours to end
                asyncio.run(EmbeddedPostgres(data).stop())  # one that was killed leaves its own
        except DataDirectoryBusy as busy:
            raise NotPossible(
                f"a demo is running in {folder} already: stop process {busy.pid}, or choose "
                "another folder with --in",
                code=2,
            ) from busy
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    marker.touch()


@contextmanager
def _serving(
    data: Path, env: Mapping[str, str]
) -> Iterator[tuple[subprocess.Popen[bytes], Connection]]:
    """Run a laydown of our own while the block runs; leaving it stops that one."""
    up = [*_LAYDOWN, "up", "--data", str(data), "--port", str(_free_port())]
    server = subprocess.Popen(up, env=env)  # noqa: S603 - ourselves
    try:
        yield server, _connection(data, server)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # impatience would leave processes behind
        server.send_signal(signal.SIGTERM)
        server.wait()


def _connection(data: Path, server: subprocess.Popen[bytes]) -> Connection:
    """Wait until the server answers; return how to reach it."""
    deadline = time.monotonic() + _START_WITHIN
    while time.monotonic() < deadline and server.poll() is None:
        with suppress(ConnectionUnknown):
            connection = read_connection(data / CONNECTION_FILE)
            if answers(connection.url):
                return connection
        time.sleep(_GLANCE)
    raise NotPossible(f"the server did not start; {data / 'logs'} says why")


def _free_port() -> int:
    """Return the usual port, or 0 (any) when somebody listens there already."""
    try:
        with listen("127.0.0.1", Settings.port):
            return Settings.port
    except OSError:
        return 0


def _receipt(client: Client) -> wire.Receipt:
    """Return the receipt of the only delivery there is."""
    for batch in client.batches():
        return client.receipt(batch.id)
    raise NotPossible("nothing was delivered")


def _sign_in_link(env: Mapping[str, str]) -> str:
    """Return a new link to the console; the one that was printed at the start is far above."""
    command = [*_LAYDOWN, "organization", "sign-in"]
    told = subprocess.run(command, env=env, check=False, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ourselves
    if told.returncode:
        raise NotPossible("there is no link to the console")
    return told.stdout.strip()


def _compared(counts: Mapping[wire.UploadState, int], manifest: Manifest) -> str:
    """Say in a sentence whether every file came to the end it was made for."""
    if dict(counts) == dict(manifest.expected):
        largest_first = sorted(counts.items(), key=lambda item: -item[1])
        return "all as expected: " + ", ".join(f"{count} {state}" for state, count in largest_first)
    return f"not as expected: {dict(counts)} instead of {dict(manifest.expected)}"


def _program() -> Path:
    """Return the path of this program, as somebody would type it."""
    return Path(sys.executable).with_name("laydown")


def _shown(path: Path) -> str:
    """Return a path as a shell takes it, from where we are if it lies below."""
    here = Path.cwd()
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))


def say(sentence: str) -> None:
    """Print a sentence of the demo's own, between those of the commands it runs."""
    typer.echo(f"demo: {sentence}")
