"""What a delivery's page says is what the server knows: to everybody, at any moment, to the end."""

import csv
import io

import pytest
from playwright.async_api import expect

from laydown.sample import generate
from tests.browser.chromium import IN_BROWSER

pytestmark = IN_BROWSER

_FILES = 300
_LINE = 150_000  # bytes a second: the whole takes eight
_SAMPLE = 40  # files


@pytest.fixture
def sample(tmp_path):
    """Return a generated delivery with junk, copies and files that must be refused in it."""
    folder = tmp_path / "Riverside"
    return folder, generate(folder, files=_SAMPLE)


async def test_two_browsers_show_the_same_numbers(invite, client, project, make_folder):
    """Whoever watches from elsewhere sees it move, ends with the same numbers, and never less."""
    sender, watcher = await invite(), await invite()
    await sender.has_line(up=_LINE)
    batch = await sender.deliver(project.id, make_folder(files=_FILES, size=4_000).path)
    await watcher.visit(f"/deliveries/{batch}")
    assert await watcher.sees_ready(_FILES // 10) < _FILES
    for each in (sender, watcher):
        await each.sees_end(_FILES)
        assert await each.numbers() == {"Ready": client.batch(batch).counts["ready"]}
        recording = await each.recording()
        assert recording.changes > 3  # it saw it move
        assert recording.steps_back() == []


async def test_a_refused_file_says_why_and_what_to_do(person, project, sample):
    """A refused file's reason and remedy stand on the page, above the list and beside the file."""
    folder, manifest = sample
    await person.deliver(project.id, folder)
    await person.sees_end(_SAMPLE)
    numbers = await person.numbers()
    assert numbers["Refused"] == manifest.expected["rejected"] > 0
    troubles = person.page.get_by_role("region", name="need you")
    await expect(troubles).to_contain_text("The file has no bytes.")
    await expect(troubles).to_contain_text("Export or copy it again")
    await troubles.get_by_role("listitem").filter(has_text="no bytes").get_by_role("button").click()
    await expect(person.rows("Files")).to_have_count(1)
    [path] = await person.paths()
    await person.file(path).click()
    details = person.page.get_by_role("dialog")
    await expect(details).to_contain_text("The file has no bytes.")
    await expect(details).to_contain_text("Export or copy it again")
    await expect(details.get_by_text("What happened")).to_be_visible()


async def test_the_receipt_is_the_servers(person, client, project, sample):
    """The receipt that the page downloads is the API's, and adds up to the numbers shown."""
    folder, _ = sample
    batch = await person.deliver(project.id, folder)
    await person.sees_end(_SAMPLE)
    receipt = await person.fetch(person.link("Receipt (CSV)"))
    assert receipt == b"".join(client.receipt_csv(batch))
    rows = list(csv.DictReader(io.StringIO(receipt.decode("utf-8-sig"))))
    assert len(rows) == sum((await person.numbers()).values()) == _SAMPLE


async def test_the_list_shows_only_what_is_asked_for(person, project, sample):
    """Choosing a state leaves the files in it; a search, those whose path has the words."""
    folder, manifest = sample
    await person.deliver(project.id, folder)
    await person.sees_end(_SAMPLE)
    await person.choose("Refused")
    await expect(person.rows("Files")).to_have_count(manifest.expected["rejected"])
    await person.choose("Refused")
    await person.page.get_by_role("searchbox", name="Find a file").fill(".DS_Store")
    await expect(person.rows("Files")).to_have_count(1)
