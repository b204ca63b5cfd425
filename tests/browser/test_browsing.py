"""What was delivered is found again, and fetched: as it is now, or as it was before."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.chromium import IN_BROWSER

pytestmark = IN_BROWSER

OLD, NEW = b"Level 1, as tendered\n", b"Level 1, as built\n"


@pytest.fixture
def changed(client, project, tmp_path):
    """Deliver a document in a folder, and then another version of it."""
    folder = tmp_path / "Riverside"
    plan = folder / "Plans" / "level 1.txt"
    plan.parent.mkdir(parents=True)
    for text in (OLD, NEW):
        plan.write_bytes(text)
        client.push([folder], project=project.code)


@pytest.mark.usefixtures("changed")
async def test_the_newest_is_fetched_from_its_folder(person, project):
    """A folder opens, and the download beside a document in it is of its newest version."""
    await person.visit(f"/projects/{project.id}/documents")
    await person.link("Plans/").click()
    assert await person.fetch(person.link("Download level 1.txt")) == NEW


@pytest.mark.usefixtures("changed")
async def test_what_it_was_before_is_kept(person, project):
    """A document's page has all its versions, the newest first, and each can be fetched."""
    await person.visit(f"/projects/{project.id}/documents?q=level")
    await person.link(re.compile("^Plans.level 1")).click()
    versions = person.rows("Versions")
    await expect(versions).to_have_count(2)
    fetched = [
        await person.fetch(version.get_by_role("link", name="Download"))
        for version in await versions.all()
    ]
    assert fetched == [NEW, OLD]


@pytest.mark.usefixtures("changed")
async def test_a_delivery_says_whose_it_is(person, project):
    """Who delivered stands beside a delivery in the list, and on its page."""
    await person.visit(f"/projects/{project.id}/deliveries")
    line = person.link("by owner").first
    await expect(line).to_be_visible()
    await line.click()
    await expect(person.says("by owner")).to_be_visible()
