"""The page of the command line is the command line."""

import typer.main

from laydown.cli.main import program
from laydown.cli.session import Exit
from tests.repo.cli_page import ENDINGS, PARTS, WIDTH, cli_page, help_of, parts_of
from tests.repo.rendering import REFERENCE


def test_the_page_of_commands_is_as_rendered():
    """`docs/reference/cli.md` says what every `--help` says, to the letter."""
    page = (REFERENCE / "cli.md").read_text("utf-8")
    assert page == cli_page(), "python -m tests.repo.rendering"


def test_every_command_and_every_ending_is_on_the_page():
    """No command is left out, none is named that isn't there, and each exit code has a meaning."""
    named = [command for commands in PARTS.values() for command in commands]
    assert sorted(named) == sorted(typer.main.get_group(program()).commands)
    assert list(ENDINGS) == list(Exit)


def test_help_fits_the_page():
    """No line of any help is wider than a small terminal."""
    for commands in PARTS.values():
        for command in commands:
            for part in ((), *((part,) for part in parts_of(command))):
                lines = help_of(command, *part).splitlines()
                assert max(map(len, lines)) <= WIDTH, (command, *part)


def test_help_is_the_same_for_everybody(monkeypatch):
    """What somebody has in their environment doesn't change the page."""
    monkeypatch.setenv("LAYDOWN_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_COLOR", "1")
    assert (REFERENCE / "cli.md").read_text("utf-8") == cli_page()
