"""Modules, functions and ports stay small enough to be read in one go."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST_MODULE, LONGEST_FUNCTION, LARGEST_PORT = 400, 50, 7

VAGUE = {"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"}


def modules() -> Iterator[Path]:
    for folder in ("src", "tests", "bench"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not any(part.startswith(".") for part in path.relative_to(ROOT).parts):
                yield path


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_modules_are_short():
    """No module has more than 400 lines."""
    lengths = {name(path): len(path.read_text("utf-8").splitlines()) for path in modules()}
    assert {path: length for path, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_functions_are_short():
    """No function has more than 50 lines, its decorators and docstring apart."""
    long = {}
    for path in modules():
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[1] if ast.get_docstring(node) and node.body[1:] else node.body[0]
                lines = (node.end_lineno or 0) - first.lineno + 1
                if lines > LONGEST_FUNCTION:
                    long[f"{name(path)}:{node.name}"] = lines
    assert long == {}


def test_names_say_what_is_inside():
    """No module and no package has a name that anything could hide behind."""
    vague = [name(path) for path in modules() if VAGUE & {path.stem, *path.parent.parts[-2:]}]
    assert vague == []


def ports() -> Iterator[tuple[str, list[str]]]:
    sources = sorted((ROOT / "src/laydown/ports").glob("*.py"))
    for node in (node for path in sources for node in ast.parse(path.read_bytes()).body):
        bases = [base.id for base in getattr(node, "bases", []) if isinstance(base, ast.Name)]
        if isinstance(node, ast.ClassDef) and "Protocol" in bases:
            methods = [
                each.name
                for each in node.body
                if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
            ]
            yield node.name, methods


# The parts of a transaction, which is one port by necessity: what it does lands together.
TRANSACTION = {
    "ProjectRows",
    "UploadRows",
    "DocumentRows",
    "ScanRows",
    "JobRows",
    "PeopleRows",
    "AuditRows",
    "QuotaRows",
    "LegacyRows",
    "Tx",
}


@pytest.mark.parametrize(("port", "methods"), list(ports()))
def test_ports_are_small(port, methods):
    """A port promises at most seven things, the transaction excepted."""
    assert port in TRANSACTION or len(methods) <= LARGEST_PORT
