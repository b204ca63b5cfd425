"""The page of who may do what is the table of the code."""

from laydown.domain.access import Act
from tests.repo.access_page import MEANINGS, access_page
from tests.repo.rendering import REFERENCE


def test_the_page_is_the_table():
    """`docs/reference/access.md` is what the code allows, and every act is explained."""
    assert (REFERENCE / "access.md").read_text("utf-8") == access_page()
    assert MEANINGS.keys() == set(Act)
