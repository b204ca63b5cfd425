"""Ten thousand files are no burden: the page answers, stays small, and its lists scroll."""

from playwright.async_api import expect

from tests.browser.chromium import IN_BROWSER
from tests.browser.person import Person

pytestmark = IN_BROWSER

_FILES = 10_000
_SIZE = 40  # bytes
_LONGEST_TASK = 200.0  # milliseconds
_HEAP = 300e6  # bytes
_BEGUN = 200  # files
_MOST_ROWS = 60  # that exist of a list, in sight or near it


async def scrolls(person: Person, label: str) -> None:
    """Scroll a list by wheel and by keys, from one end to the other."""
    await expect(person.page.get_by_text("10,000 files", exact=True)).to_be_visible()
    rows = person.rows(label)
    await rows.first.hover()
    await person.page.mouse.wheel(0, 20_000)
    await expect(rows.first).not_to_have_attribute("aria-posinset", "1")
    await person.page.get_by_role("list", name=label).focus()
    await person.page.keyboard.press("End")
    await expect(rows.last).to_have_attribute("aria-posinset", str(_FILES))
    assert await rows.count() < _MOST_ROWS
    await person.page.keyboard.press("Home")
    await expect(rows.first).to_have_attribute("aria-posinset", "1")
    assert await rows.count() < _MOST_ROWS


async def test_ten_thousand_files_are_no_burden(person, project, make_folder):
    """Looking through 10,000 files and sending them never holds the page up, or fills memory."""
    folder = make_folder(files=_FILES, size=_SIZE)
    await person.visit(f"/projects/{project.id}")
    await person.drop(folder.path)
    await expect(person.button("New 10,000")).to_be_visible()
    heaps = [await person.heap()]
    await scrolls(person, "Files of this delivery")
    await person.send()
    await person.sees_ready(_BEGUN)
    heaps.append(await person.heap())
    await scrolls(person, "Files")
    await person.button("Cancel the delivery").first.click()
    question = person.page.get_by_role("dialog", name="Cancel this delivery?")
    await question.get_by_role("button", name="Cancel the delivery").click()
    await person.sees_end(_FILES)
    heaps.append(await person.heap())
    assert max(heaps) < _HEAP
    assert [each for each in await person.tasks() if each > _LONGEST_TASK] == []
