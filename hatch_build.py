"""Refuses to make a wheel that lacks the console: who installs it has no Node to build one with."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ConsoleHook(BuildHookInterface):
    """Looks for the built console before a wheel is made."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Stop unless the console is there; an editable install may do without."""
        del build_data
        page = Path(self.root, "src", "laydown", "console", "index.html")
        if version != "editable" and not page.is_file():
            raise SystemExit(
                "laydown: a wheel has the console in it, and that was not built: "
                "install Node 20.19 or later with npm, and run `make build`"
            )
