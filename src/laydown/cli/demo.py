"""`laydown demo`: a sample delivery from start to receipt, on a laydown of its own."""

import signal
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

FilesOption = Annotated[int, typer.Option(help="How many files to deliver.")]
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
    """Deliver a generated sample project to a laydown of its own, and show the receipt.

    Without --exit it serves on until Ctrl-C. Exits with 0 when every file came to the end it was
    made for, 1 when one did not, 2 on usage.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code = _rehearsed(folder.absolute(), files=files, is_to_serve_on=not exit_)
    except KeyboardInterrupt:
        code = 0
    raise typer.Exit(code)


def _rehearsed(folder: Path, *, files: int, is_to_serve_on: bool) -> int:
    """Run the demo; return its exit code, errors said as sentences."""
    # As late as can be: every other command does without the pictures and the SDK.
    from laydown import ClientError  # noqa: PLC0415
    from laydown.cli.rehearsal import NotPossible, rehearse, say  # noqa: PLC0415
    from laydown.embedded.errors import EmbeddedError  # noqa: PLC0415

    try:
        return rehearse(folder, files=files, is_to_serve_on=is_to_serve_on)
    except NotPossible as error:
        say(str(error))
        return error.code
    except (EmbeddedError, ClientError, OSError) as error:
        say(str(error))
        return 1


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Let SIGTERM end the demo as Ctrl-C does."""
    del number, frame
    raise KeyboardInterrupt
