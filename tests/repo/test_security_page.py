"""The page of proofs names tests that exist."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "concepts" / "security.md"
LINES = [*range(26, 38), 47, 48]
CHECKS = range(16, 31)


def test_every_proof_is_a_test():
    """Each `file::test` of the page is a test function, and each file that it names is there."""
    named = re.findall(r"`([a-z0-9_]+/[a-z0-9_]+\.py)(?:::(\w+))?`", PAGE.read_text())
    assert len(named) > 40
    missing = [
        f"{file}::{test}"
        for file, test in named
        if not (TESTS / file).is_file()
        or (test and f"def {test}(" not in (TESTS / file).read_text())
    ]
    assert missing == []


def test_no_line_of_the_specification_is_left_out():
    """Each fault and check that is about security stands at the beginning of a row, or is told."""
    page = PAGE.read_text()
    rows = re.findall(r"^\| ([^|]+) \|", page, re.MULTILINE)
    told = {each.strip() for row in rows for each in row.split(",")}
    told |= set(re.findall(r"^\* \*\*(C\d+)\*\*", page, re.MULTILINE))
    told = {each.partition(" ")[0] for each in told}
    assert {str(number) for number in LINES} <= told
    assert {f"C{number}" for number in CHECKS} <= told
