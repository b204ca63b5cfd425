"""Migrations since the last release only add, or say whom they cut off, and that is nobody's."""

import re

import pytest

from laydown.postgres.migrate import migrations, released

_COMMENT = re.compile(r"--[^\n]*")
_FLOOR = re.compile(r"UPDATE schema_floor SET least = (\d+)\s*;")
_ADDED_COLUMN = re.compile(r"\bADD COLUMN\b[^,;]*", re.IGNORECASE)
_TAKES = re.compile(
    r"\bDROP\b|\bRENAME\b|\bREVOKE\b|\bTRUNCATE\b|\bDELETE FROM\b|\bSET NOT NULL\b"
    r"|\bALTER COLUMN \w+ (SET DATA )?TYPE\b"
    r"|\bADD CONSTRAINT\b|\bADD (CHECK|UNIQUE|PRIMARY|FOREIGN|EXCLUDE)\b"
    r"|\bADD VALUE\b",  # who reads rows meets a word that it doesn't know
    re.IGNORECASE,
)
_TABLE = re.compile(r"\bCREATE TABLE (\w+)", re.IGNORECASE)
_ON_A_TABLE = re.compile(
    r"\bCREATE (?:UNIQUE INDEX \w+|(?:CONSTRAINT )?TRIGGER \w+[^;]*?) ON (\w+)", re.IGNORECASE
)


def takes(text: str) -> list[str]:
    """Return what a migration does that a program of before may not survive."""
    said = re.sub(r"\s+", " ", _COMMENT.sub("", text))
    made = set(_TABLE.findall(said))
    found = [match[0] for match in _TAKES.finditer(said)]
    found += [match[0] for match in _ON_A_TABLE.finditer(said) if match[1] not in made]
    return found + [
        column
        for column in _ADDED_COLUMN.findall(said)
        if "NOT NULL" in column.upper() and "DEFAULT" not in column.upper()
    ]


def floor(text: str) -> int | None:
    """Return which migration a program must know after this one, if it says so."""
    found = _FLOOR.search(_COMMENT.sub("", text))
    return int(found[1]) if found else None


def test_the_release_before_is_one_of_ours():
    """The mark is the number of a migration that there is."""
    assert released() in {number for number, _ in migrations()}


@pytest.mark.parametrize(("number", "text"), migrations(), ids=lambda value: str(value)[:4])
def test_nothing_is_taken_from_the_release_before(number, text):
    """What the next release changes, programs of this one live with; others are told."""
    if number <= released():
        return  # rolled out: nothing is left to run beside
    least = floor(text)
    assert least is not None or takes(text) == []
    assert (least or 0) <= released()


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE batches;",
        "ALTER TABLE batches RENAME COLUMN name TO title;",
        "ALTER TABLE batches ADD COLUMN colour text NOT NULL;",
        "ALTER TABLE batches ALTER COLUMN name SET NOT NULL;",
        "ALTER TABLE batches ALTER COLUMN name TYPE varchar(9);",
        "ALTER TABLE batches ADD CONSTRAINT named CHECK (name <> '');",
        "ALTER TYPE upload_state ADD VALUE 'lost';",
        "CREATE UNIQUE INDEX one_name ON batches (name);",
        "CREATE TRIGGER told AFTER INSERT ON batches EXECUTE FUNCTION tell();",
        "REVOKE SELECT ON batches FROM laydown_app;",
    ],
)
def test_what_takes_something_away_is_seen(statement):
    """Each of these may break a program that ran a moment ago."""
    assert takes(statement)
    assert floor(statement) is None
    assert floor(f"{statement}\nUPDATE schema_floor SET least = 7;") == 7


@pytest.mark.parametrize(
    "statement",
    [
        "-- DROP TABLE batches;\nCREATE TABLE colours (name text NOT NULL UNIQUE);",
        "CREATE TABLE colours (name text);\nCREATE UNIQUE INDEX one ON colours (name);",
        "ALTER TABLE batches ADD COLUMN colour text, ADD COLUMN size int NOT NULL DEFAULT 0;",
        "CREATE INDEX by_name ON batches (name);",
        "GRANT SELECT ON batches TO laydown_system;",
    ],
)
def test_what_only_adds_passes(statement):
    """Nobody who doesn't know of these notices them."""
    assert takes(statement) == []
