"""The command line: one program, many commands."""

import typer

from laydown.cli import serve


def run() -> None:
    """Run the command line."""
    app = typer.Typer(no_args_is_help=True, add_completion=False)
    serve.register(app)
    app()
