"""The command line: one program, many commands."""

import sys
from importlib.metadata import version as installed
from typing import Annotated

import typer

from laydown.cli import demo, legacy, organization, passes, people, quota, serve
from laydown.cli.audit import audit
from laydown.cli.doctor import doctor
from laydown.cli.fetch import get
from laydown.cli.jobs import jobs
from laydown.cli.push import push
from laydown.cli.rescan import rescan
from laydown.cli.sample import sample
from laydown.cli.show import ls, projects, receipt, status


def run() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr] # a terminal may be ASCII
    program()(prog_name="laydown")


def program() -> typer.Typer:
    """Return the program with all its commands."""
    app = typer.Typer(
        name="laydown",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        help="Takes thousands of files at once, loses none, and shows what happened to each.",
    )
    app.callback()(_laydown)
    for command in (push, status, receipt, projects, ls, get, doctor, jobs, rescan, audit, sample):
        app.command()(command)
    people.register(app)
    organization.register(app)
    passes.register(app)
    quota.register(app)
    legacy.register(app)
    serve.register(app)
    demo.register(app)
    return app


def _show_version(*, is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"laydown {installed('laydown')}")
        raise typer.Exit


def _laydown(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=lambda given: _show_version(is_wanted=given), is_eager=True
        ),
    ] = False,
) -> None:
    """Take the options that stand before any command."""
