"""A folder goes from the drop to the receipt, whatever happens to page, line and server."""

from playwright.async_api import expect

from tests.browser.chromium import IN_BROWSER

pytestmark = IN_BROWSER

_FILES = 300
_SLOW = 150_000  # bytes a second
_MIDDLE = 60  # files


async def test_a_dropped_folder_is_watched_to_its_end(person, project, make_folder):
    """Of 300 files dropped the page says what each will be, and at the end that all are in."""
    folder = make_folder(files=_FILES)
    await person.visit(f"/projects/{project.id}")
    await person.drop(folder.path)
    await expect(person.button("New 300")).to_be_visible()
    await person.send()
    await person.sees_end(_FILES)
    assert await person.numbers() == {"Ready": _FILES}
    totals = person.page.get_by_role("region", name="Totals").get_by_role("paragraph")
    await expect(totals.first).to_have_text("All 300 files are done: 300 ready.")
    assert (await person.recording()).steps_back() == []
