"""The page of the reference for the command line: what every `--help` says, in one place."""

from collections.abc import Iterator, Sequence

import typer.main
from typer.core import TyperGroup
from typer.testing import CliRunner

from laydown.cli.main import program
from laydown.cli.session import TOKEN_VARIABLE, URL_VARIABLE, Exit
from laydown.embedded.instance import CONNECTION_FILE

WIDTH = 80  # columns; the page is read where a terminal's width is not known

PARTS = {
    "For whoever delivers": ("push", "status", "receipt", "projects", "ls", "get", "doctor"),
    "For whoever decides who takes part": ("whoami", "member", "token", "link", "quota", "audit"),
    "For whoever runs it": ("up", "jobs", "rescan", "migrate", "api", "worker", "organization"),
    "To leave another system": ("legacy",),
    "To try it": ("demo", "sample"),
}

ENDINGS = {
    Exit.DONE: "Done. Of a push: every file is ready, duplicate or skipped.",
    Exit.INCOMPLETE: "Some files are not in, or the server refused, or something is wrong here.",
    Exit.USAGE: "Asked for what can't be: an option, a path, a setting, a token.",
    Exit.UNREACHABLE: "The server can't be reached, after retries.",
    Exit.INTERRUPTED: "Ctrl-C. What arrived has arrived; the same push again resumes.",
}


def cli_page() -> str:
    """Return the page of every command."""
    return "\n".join(_page()) + "\n"


def help_of(*command: str) -> str:
    """Return what `laydown COMMAND --help` prints, `WIDTH` columns wide."""
    shown = CliRunner().invoke(
        program(), [*command, "--help"], prog_name="laydown", env={"COLUMNS": str(WIDTH)}
    )
    assert shown.exit_code == 0, shown.output
    lines = (line.rstrip() for line in shown.stdout.strip().splitlines())
    return "\n".join(lines)


def _page() -> Iterator[str]:
    yield "# Command line"
    yield ""
    yield "One program, `laydown`. What follows is what each command says of itself with `--help`."
    yield ""
    yield "Commands that talk to a server find it by `--url` and `--token`, by the variables"
    yield f"`{URL_VARIABLE}` and `{TOKEN_VARIABLE}`, or, on the machine where `laydown up` runs, by"
    yield f"`{CONNECTION_FILE}` in the data directory: then they need neither. `LAYDOWN_DATA` names"
    yield "that directory for all commands. Results go to standard output, everything else to"
    yield "standard error. With `--json` a command prints JSON and nothing else."
    yield ""
    yield "They end with one of these:"
    yield ""
    yield "| Status | Means |"
    yield "|---|---|"
    for ending, meaning in ENDINGS.items():
        yield f"| {ending.value} | {meaning} |"
    for title, commands in PARTS.items():
        yield ""
        yield f"## {title}"
        for command in commands:
            yield from _section(command)
            for part in parts_of(command):
                yield from _section(command, part)


def parts_of(command: str) -> Sequence[str]:
    """Return the commands that a command is made of, none for an ordinary one."""
    found = typer.main.get_group(program()).commands[command]
    return list(found.commands) if isinstance(found, TyperGroup) else []


def _section(*command: str) -> Iterator[str]:
    yield ""
    yield f"###{'#' * (len(command) - 1)} laydown {' '.join(command)}"
    yield ""
    yield "```text"
    yield help_of(*command)
    yield "```"
