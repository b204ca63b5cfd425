"""`laydown sample`: a folder to try laydown with."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from laydown.cli.printable import files as files_of
from laydown.cli.printable import printable, size
from laydown.cli.session import Exit, Stop, ended, errors, say


def sample(
    directory: Annotated[Path, typer.Argument(help="Absent, or empty.", show_default=False)],
    *,
    files: Annotated[int, typer.Option(min=1, help="How many.")] = 500,
    seed: Annotated[int, typer.Option(help="Another seed, another delivery.")] = 1,
) -> None:
    """Write a folder that looks like a real construction delivery."""

    def write() -> Exit:
        from laydown.sample import SampleError, generate  # noqa: PLC0415 - `--help` needs no Pillow

        bars = Progress(
            TextColumn("Writing"),
            BarColumn(),
            MofNCompleteColumn(),
            console=errors(),
            transient=True,
            disable=not errors().is_terminal,
        )
        with bars:
            row = bars.add_task("", total=files)
            try:
                made = generate(
                    directory, files=files, seed=seed, on_file=lambda _: bars.advance(row)
                )
            except SampleError as error:
                raise Stop(str(error), Exit.USAGE) from error
        where = printable(str(directory))
        return say(f"{where} has {files_of(made.files)}, {size(made.bytes)}")

    raise typer.Exit(ended(write))
