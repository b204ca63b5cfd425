"""SQL lives in .sql files, every query has a name and a use, and Python has none of it."""

import ast
import re
from pathlib import Path

import pytest

import laydown
from laydown.postgres import sql

SOURCE = Path(laydown.__file__).parent
QUERIES = SOURCE / "postgres" / "queries"
FILES = sorted(QUERIES.glob("*.sql"))

_STATEMENT = re.compile(
    r"\b(SELECT\s.+\sFROM\s|INSERT\s+INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s"
    r"|CREATE\s+TABLE\s|ALTER\s+TABLE\s|DROP\s+TABLE\s)",
    re.DOTALL,
)


def constants(path):
    """Return the strings of a module that are not docstrings."""
    tree = ast.parse(path.read_bytes())
    documentation = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documentation
    ]


def test_no_python_string_is_a_statement():
    """Nothing in the package's strings reads like SQL."""
    found = {
        str(path.relative_to(SOURCE)): text
        for path in SOURCE.rglob("*.py")
        for text in constants(path)
        if _STATEMENT.search(text)
    }
    assert found == {}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_query_is_used(path):
    """No query is left over: each name is asked for somewhere in the adapter."""
    code = "\n".join(module.read_text("utf-8") for module in path.parents[1].glob("*.py"))
    unused = [name for name in sql.load(path.name) if f'"{name}"' not in code]
    assert unused == []


def test_every_query_is_named_once():
    """No two files give one name to different queries."""
    names = [name for path in FILES for name in sql.load(path.name)]
    assert sorted(names) == sorted(set(names))


# What runs in the system role, for all organizations at once.
SYSTEM = {
    "feed.sql",
    "keyring.sql",
    "leading.sql",
    "legacy_table.sql",
    "limits.sql",
    "migrate.sql",
    "outbox.sql",
    "samples.sql",
    "system.sql",
}
# Of the tail, which serves all organizations, and what sets a transaction up.
ACROSS = {"all_heads", "begin", "read_one_moment", "probe_indexes"}
TENANTS = [path for path in FILES if path.name not in SYSTEM]


@pytest.mark.parametrize("path", TENANTS, ids=lambda path: path.name)
def test_every_tenants_query_names_its_organization(path):
    """What the app role asks is narrowed to the organization in the text, not by policy alone."""
    queries = sql.load(path.name)
    open_ones = {name for name, text in queries.items() if "%(organization)s" not in text}
    assert open_ones <= ACROSS


def test_nothing_is_formatted_into_a_query():
    """Queries take parameters only: no braces, no unnamed percent signs."""
    for path in FILES:
        for name, text in sql.load(path.name).items():
            bare = re.sub(r"%\(\w+\)s", "", text)
            assert "%" not in bare.replace("%%", ""), f"{path.name}: {name}"
            assert "{" not in bare, f"{path.name}: {name}"
