"""`laydown demo`: a sample delivery from start to receipt, on a laydown of its own."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer

from laydown import Client
from laydown.cli.places import DATA_VARIABLE, answers
from laydown.embedded.errors import ConnectionUnknown
from laydown.embedded.instance import CONNECTION_FILE, Connection, read_connection
from laydown.http.listening import listen
from laydown.settings import Settings

_LAYDOWN = (sys.executable, "-m", "laydown")
_MARKER = ".laydown-demo"
_START_WITHIN = 60.0  # seconds; a slow disk makes a new Postgres slowly
_GLANCE = 0.1  # seconds

FilesOption = Annotated[int, typer.Option(help="About how many files to deliver.")]
ExitOption = Annotated[bool, typer.Option("--exit", help="Stop when the receipt is shown.")]
FolderOption = Annotated[
    Path, typer.Option("--in", help="Where the demo lives; what an earlier demo left goes.")
]


def register(app: typer.Typer) -> None:
    """Add the demo to the program's commands."""
    app.command()(demo)


def demo(
    *, files: FilesOption = 500, exit_: ExitOption = False, folder: FolderOption = Path("demo-data")
) -> None:
    """Deliver a generated sample project to a laydown of its own, and show the receipt."""
    from laydown.sample import generate  # noqa: PLC0415 - no other command draws pictures

    delivery = folder.absolute() / "Riverside House"
    data = folder.absolute() / "laydown"
    _clear(folder.absolute())
    _say(f"making a sample delivery of about {files} files in {delivery}")
    manifest = generate(delivery, files=files)
    env = {**os.environ, DATA_VARIABLE: str(data)}
    with _serving(data, env) as connection:
        _say(f"$ laydown push '{delivery.name}' --project RIVERSIDE")
        push = [*_LAYDOWN, "push", str(delivery), "--project", "RIVERSIDE"]
        subprocess.run(push, env=env, check=False)  # noqa: S603 - ourselves
        counts = _counts(connection)
        came_as_expected = counts == dict(manifest.expected)
        _say(_compared(counts, manifest.expected))
        if not exit_:
            _say(f"still serving at {connection.url}; Ctrl-C stops it")
            _say(f"look around: {DATA_VARIABLE}='{data}' .venv/bin/laydown ls RIVERSIDE")
            _wait_for_ctrl_c()
    raise typer.Exit(0 if came_as_expected else 1)


def _clear(folder: Path) -> None:
    """Remove what an earlier demo left in *folder*; refuse to touch anybody else's files."""
    marker = folder / _MARKER
    if folder.exists() and any(folder.iterdir()) and not marker.exists():
        _say(f"{folder} holds something that is not a demo's: choose another folder with --in")
        raise typer.Exit(2)
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    marker.touch()


@contextmanager
def _serving(data: Path, env: Mapping[str, str]) -> Iterator[Connection]:
    """Run a laydown of our own while the block runs; leaving it stops that one."""
    up = [*_LAYDOWN, "up", "--data", str(data), "--port", str(_free_port())]
    server = subprocess.Popen(up, env=env)  # noqa: S603 - ourselves
    try:
        yield _connection(data, server)
    finally:
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
    _say(f"the server did not start; {data / 'logs'} says why")
    raise typer.Exit(1)


def _free_port() -> int:
    """Return the usual port, or 0 (any) when somebody listens there already."""
    try:
        with listen("127.0.0.1", Settings.port):
            return Settings.port
    except OSError:
        return 0


def _counts(connection: Connection) -> Mapping[str, int]:
    """Return how many files of the delivery are in each state."""
    with Client(connection.url, connection.token) as client:
        return {str(state): count for state, count in next(iter(client.batches())).counts.items()}


def _compared(counts: Mapping[str, int], expected: Mapping[str, int]) -> str:
    """Say in a sentence whether every file came to the end it was made for."""
    if counts == dict(expected):
        ends = ", ".join(f"{count} {state}" for state, count in sorted(expected.items()))
        return f"every file came to the end it was made for: {ends}"
    return f"that is not what was expected: {dict(counts)} instead of {dict(expected)}"


def _wait_for_ctrl_c() -> None:
    signal.sigwait({signal.SIGINT, signal.SIGTERM})


def _say(sentence: str) -> None:
    typer.echo(f"demo: {sentence}")
