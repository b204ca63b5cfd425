"""Errors and reasons: what the code can say is what the reference documents."""

import re
from http import HTTPStatus

import pytest

from laydown.domain.errors import LaydownError
from laydown.domain.reasons import EXPLANATIONS, Reason
from laydown.http import problems
from tests.repo.rendering import PAGES, REFERENCE


def leaves(error=LaydownError):
    """Return the errors of the core that can be raised: those that no other of them refines.

    What adapters refine further is answered as the error of the core that it is.
    """
    core = LaydownError.__module__
    refined = [each for each in error.__subclasses__() if each.__module__ == core]
    return {error} if not refined else set().union(*map(leaves, refined))


def headings(page):
    """Return the second-level headings of a page of the reference."""
    return re.findall(r"^## (.+)$", (REFERENCE / page).read_text("utf-8"), re.MULTILINE)


def codes():
    """Return every code that a problem can have, transport errors included."""
    return [error.code for error in problems.STATUS] + [
        told.code for told in problems.TRANSPORT.values()
    ]


def test_every_error_has_a_status():
    """The table of statuses has the leaves of the error tree, no more and no less."""
    assert leaves() == set(problems.STATUS)


def test_codes_are_unique():
    """No two errors share a code."""
    assert len(set(codes())) == len(codes())


def test_every_error_is_documented():
    """The page of errors has a heading for each code, no more and no less."""
    assert headings("errors.md") == sorted(codes())


def test_every_error_explains_itself():
    """Each error's docstring is one line that ends like a sentence."""
    for error in problems.STATUS:
        assert re.fullmatch(r"[A-Z].+\.|.+`Authorization: Bearer ldn_…`\.", problems.meaning(error))


def test_unavailable_says_when_to_come_back():
    """Every 503 names the seconds after which the request makes sense again."""
    unavailable = {
        error
        for error, status in problems.STATUS.items()
        if status is HTTPStatus.SERVICE_UNAVAILABLE
    }
    assert unavailable <= problems.RETRY_AFTER.keys() <= problems.STATUS.keys()


def test_every_reason_is_documented():
    """The page of reasons has a heading for each reason, in order, and each is explained."""
    assert headings("reasons.md") == [reason.value for reason in Reason]
    assert set(EXPLANATIONS) == set(Reason)


@pytest.mark.parametrize("page", ["errors.md", "reasons.md"])
def test_pages_say_what_the_code_says(page):
    """The page is what `python -m tests.repo.rendering` writes from the code."""
    assert (REFERENCE / page).read_text("utf-8") == PAGES[page]()
