"""Deliveries by keys alone, with pauses and changes of mind, and a hand on the wrong button."""

from playwright.async_api import Locator, expect

from tests.browser.chromium import IN_BROWSER
from tests.browser.person import Person

pytestmark = IN_BROWSER

_FILES = 300
_LINE = 150_000  # bytes a second: the whole takes eight
_MOST_TABS = 60  # to anything on a page


async def tab_to(person: Person, goal: Locator) -> None:
    """Press Tab until something has the focus."""
    for _ in range(_MOST_TABS):
        if await goal.evaluate("each => each === document.activeElement"):
            return
        await person.page.keyboard.press("Tab")
    raise AssertionError(f"{goal} can't be reached by Tab")


async def test_keys_are_enough(person, project, make_folder):
    """A project is opened, a folder picked, looked at, sent and watched without a pointer."""
    keyboard = person.page.keyboard
    await person.visit("/")
    there = person.link(project.code)
    await expect(there).to_be_visible()
    await tab_to(person, there)
    await keyboard.press("Enter")
    await expect(person.picker).to_be_visible()
    await tab_to(person, person.picker)
    async with person.page.expect_file_chooser() as asked:
        await person.picker.press("Enter")
    await (await asked.value).set_files(make_folder(files=30).path)
    await expect(person.send_button).to_be_enabled()
    await tab_to(person, person.send_button)
    await keyboard.press("Enter")
    await person.sees_end(30)
    rows = person.page.get_by_role("list", name="Files").get_by_role("button")
    await tab_to(person, rows.first)
    await keyboard.press("ArrowDown")
    await expect(rows.nth(1)).to_be_focused()
    await keyboard.press("Enter")
    await expect(person.page.get_by_role("dialog")).to_be_visible()
    await keyboard.press("Escape")
    await expect(person.page.get_by_role("dialog")).to_have_count(0)
    await expect(rows.nth(1)).to_be_focused()


async def test_paused_nothing_is_sent(person, project, make_folder):
    """Paused, no file goes; resumed, all go, and none of them twice."""
    await person.has_line(up=_LINE)
    await person.deliver(project.id, make_folder(files=_FILES, size=4_000).path)
    assert await person.sees_ready(_FILES // 10) < _FILES
    await person.button("Pause").click()
    await expect(person.heading("Paused")).to_be_visible()
    await person.is_idle()
    assert len(person.sent) < _FILES
    await person.button("Go on").click()
    await person.sees_end(_FILES)
    assert await person.numbers() == {"Ready": _FILES}
    assert set(person.sent.values()) == {1}


async def test_a_cancelled_delivery_keeps_what_arrived(person, client, project, make_folder):
    """Cancelling asks first; then what has arrived stays, and nothing is left waiting."""
    await person.has_line(up=_LINE)
    batch = await person.deliver(project.id, make_folder(files=_FILES, size=4_000).path)
    ready = await person.sees_ready(_FILES // 10)
    await person.button("Cancel the delivery").first.click()
    question = person.page.get_by_role("dialog", name="Cancel this delivery?")
    await question.get_by_role("button", name="Cancel the delivery").click()
    await person.sees_end(_FILES)
    numbers = await person.numbers()
    assert set(numbers) == {"Ready", "Cancelled"}
    assert numbers["Ready"] >= ready
    counts = client.batch(batch).counts
    assert {"Ready": counts["ready"], "Cancelled": counts["cancelled"]} == numbers


async def test_who_closes_while_sending_is_warned(person, project, make_folder):
    """Leaving the page asks first while it sends, and doesn't once all is in."""
    asked: list[str] = []

    async def stay(dialog):
        asked.append(dialog.type)
        await dialog.dismiss()

    person.page.on("dialog", stay)
    await person.has_line(up=_LINE)
    await person.deliver(project.id, make_folder(files=_FILES, size=4_000).path)
    await person.sees_ready(_FILES // 10)
    await person.page.close(run_before_unload=True)
    await person.sees_end(_FILES)
    assert asked == ["beforeunload"]
    await person.page.close(run_before_unload=True)
    await person.page.wait_for_event("close")
    assert asked == ["beforeunload"]
