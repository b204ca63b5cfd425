"""Variables of the environment, read by the types of the settings they fill."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

PREFIX = "LAYDOWN_"

_PLACE = re.compile(
    r"(?:\[(?P<literal>[0-9a-fA-F:.]+)\]|(?P<host>[^\s:\[\]]+)):(?P<port>[0-9]{1,5})"
)
_LAST_PORT = 65_535


class BadSettings(Exception):
    """The environment does not describe a process we can run; says which name and why."""


def read(name: str, kind: Any, text: str) -> object:  # noqa: ANN401 - a type
    """Return a variable's value by its field's type; raise `BadSettings` naming the variable."""
    try:
        return _READERS[kind](text)
    except (ValueError, KeyError, OverflowError):
        raise BadSettings(f"{PREFIX}{name.upper()}={text!r} is not {_KINDS[kind]}") from None


def place_of(name: str, text: str) -> tuple[str, int]:
    """Return the host and the port of `HOST:PORT`; raise `BadSettings` naming the variable."""
    found = _PLACE.fullmatch(text)
    if found is None or int(found["port"]) > _LAST_PORT:
        raise BadSettings(f"{PREFIX}{name.upper()}: {text!r}, not as 127.0.0.1:8384")
    return found["literal"] or found["host"], int(found["port"])


def _truth(text: str) -> bool:
    return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[
        text.lower()
    ]


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


_READERS: Mapping[Any, Callable[[str], object]] = {
    Path: Path,
    str: str,
    str | None: str,
    int: int,
    float: float,
    bool: _truth,
    timedelta: lambda text: timedelta(seconds=float(text)),
    tuple[str, ...]: _names,
}

_KINDS: Mapping[Any, str] = {
    Path: "a path",
    str: "text",
    str | None: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    timedelta: "a number of seconds",
    tuple[str, ...]: "names separated by commas",
}
