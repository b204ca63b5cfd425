"""`python -m laydown` is the `laydown` command."""

from laydown.cli.main import run

run()
