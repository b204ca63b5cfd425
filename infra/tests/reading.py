"""Reading templates: what of a kind there is, and what statements policies make."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def resources(template: Mapping[str, Any], kind: str) -> Mapping[str, Mapping[str, Any]]:
    """Return a template's resources of a type, by their logical ids."""
    return {
        name: resource["Properties"]
        for name, resource in template.get("Resources", {}).items()
        if resource["Type"] == kind
    }


def only(template: Mapping[str, Any], kind: str, beginning: str = "") -> Mapping[str, Any]:
    """Return the properties of the one resource of a type whose logical id begins so."""
    found = {n: p for n, p in resources(template, kind).items() if n.startswith(beginning)}
    assert len(found) == 1, f"{len(found)} of {kind} {beginning}: {sorted(found)}"
    return next(iter(found.values()))


def statements(
    template: Mapping[str, Any], kind: str, beginning: str
) -> Sequence[Mapping[str, Any]]:
    """Return the statements of one policy."""
    document = only(template, kind, beginning)["PolicyDocument"]
    return [dict(statement) for statement in document["Statement"]]


def actions(statement: Mapping[str, Any]) -> frozenset[str]:
    """Return what a statement is about."""
    found = statement["Action"]
    return frozenset([found] if isinstance(found, str) else found)


def texts(value: object) -> Iterator[str]:
    """Yield every string in a piece of a template."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
