"""JSON that others wrote: one object, read strictly."""

import json
from collections.abc import Mapping
from typing import Any, NoReturn


def parse_object(raw: bytes) -> Mapping[str, Any]:
    """Return a JSON object; raise `ValueError` for anything else, however it is malformed.

    A name that is there twice is an error: two readers could each take another one for true.
    """
    try:
        found = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_number
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - one error for all that is malformed
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")
