"""Named queries, kept in .sql files beside this module."""

import re
from collections.abc import Mapping
from importlib.resources import files
from typing import LiteralString, cast

_NAMED = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


def load(filename: str) -> Mapping[str, LiteralString]:
    """Return the queries of one file by name; raise `KeyError` for a name used twice."""
    text = (files(__package__) / "queries" / filename).read_text(encoding="utf-8")
    _, *pieces = _NAMED.split(text)
    names, bodies = pieces[::2], pieces[1::2]
    if len(set(names)) != len(names):
        raise KeyError(f"{filename} names a query twice")
    # These files ship with the code, so they are as trusted as literals.
    return {
        name: cast("LiteralString", body.strip().rstrip(";"))
        for name, body in zip(names, bodies, strict=True)
    }
