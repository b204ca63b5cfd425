"""A delivery comes through reloads, cut lines and killed servers; nothing is sent twice."""

import asyncio
from collections.abc import Callable

import pytest
from playwright.async_api import expect

from tests.browser.chromium import IN_BROWSER
from tests.browser.folders import Folder
from tests.browser.person import UNREACHABLE, Person
from tests.e2e.yard import Yard

pytestmark = IN_BROWSER

_FILES = 300
_SIZE = 4_000  # bytes
_LINE = 150_000  # bytes a second: the whole takes eight
_AWAY = 5_000  # milliseconds

MakeFolder = Callable[..., Folder]


async def begun(person: Person, project, make_folder: MakeFolder) -> tuple[Folder, str]:
    """Deliver over a slow line; return in the middle, with the address of the delivery's page."""
    folder = make_folder(files=_FILES, size=_SIZE)
    await person.has_line(up=_LINE)
    await person.deliver(project.id, folder.path)
    assert await person.sees_ready(_FILES // 10) < _FILES
    return folder, person.page.url


def crash(yard: Yard) -> None:
    """End all of laydown as a power cut would, and start it on the same port."""
    port = yard.port
    yard.crash()
    yard.start(port=port)


async def test_after_a_reload_only_the_rest_is_sent(person, project, make_folder):
    """Reloaded in the middle and dropped again, a folder goes on: no file is sent twice."""
    folder, address = await begun(person, project, make_folder)
    await person.page.reload()
    await person.visit(f"/projects/{project.id}")
    await expect(person.says("Drop the same folder again")).to_be_visible()
    await person.drop(folder.path)
    await person.send()
    assert person.page.url == address
    await person.sees_end(_FILES)
    assert await person.numbers() == {"Ready": _FILES}
    assert max(person.sent.values()) == 1


async def test_another_device_goes_on(invite, project, make_folder):
    """When a device is gone in the middle, another sends what is missing, and nothing more."""
    one, other = await invite(), await invite()
    folder, address = await begun(one, project, make_folder)
    await one.leave()
    await other.deliver(project.id, folder.path)
    assert other.page.url == address
    await other.sees_end(_FILES)
    assert await other.numbers() == {"Ready": _FILES}
    assert sum(other.sent.values()) <= _FILES - len(one.sent)


async def test_a_line_that_is_cut_heals_by_itself(person, project, make_folder):
    """Five seconds offline are told as such, end by themselves, and cost no file."""
    person.expected = (UNREACHABLE,)
    await begun(person, project, make_folder)
    await person.has_line(offline=True)
    await expect(person.heading("No connection")).to_be_visible()
    await person.page.wait_for_function(
        f"begun => performance.now() > begun + {_AWAY}",
        arg=await person.page.evaluate("performance.now()"),
    )
    await person.has_line()
    await person.sees_end(_FILES)
    assert await person.numbers() == {"Ready": _FILES}
    assert (await person.recording()).steps_back() == []


@pytest.mark.parametrize(
    "kill", [lambda yard: yard.kill("api"), crash], ids=["the api", "everything"]
)
async def test_a_killed_server_is_waited_for(person, project, make_folder, yard, kill):
    """`kill -9` in the middle costs no file, and nothing that is shown ever goes backwards."""
    person.expected = (UNREACHABLE,)
    await begun(person, project, make_folder)
    await asyncio.to_thread(kill, yard)
    await person.sees_end(_FILES)
    assert await person.numbers() == {"Ready": _FILES}
    recording = await person.recording()
    assert recording.changes > 3  # it was a recording of something
    assert recording.steps_back() == []
    assert set(person.sent.values()) == {1}
