"""Every page is for everybody: any eyes, any hands, day and night, on a desk and on a phone."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from laydown.sample import Manifest, generate
from tests.browser.chromium import IN_BROWSER
from tests.browser.person import MISSING, UNKNOWN, Person

pytestmark = IN_BROWSER

_AXE = Path(__file__).parents[2] / "console" / "node_modules" / "axe-core" / "axe.min.js"
_SAMPLE = 40  # files
_LOOKS: dict[str, dict[str, Any]] = {
    "day, on a desk": {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}},
    "night, on a phone": {"color_scheme": "dark", "viewport": {"width": 360, "height": 740}},
}
_CHECK = """async () => (await axe.run({ resultTypes: ["violations"] })).violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, impact, nodes }) => `${impact}: ${id} at ${nodes.map((n) => n.target)}`)
"""


@pytest.fixture(scope="module")
def sample(tmp_path_factory) -> tuple[Path, Manifest]:
    """Return a generated delivery with everything in it that a page can show."""
    folder = tmp_path_factory.mktemp("pages") / "Riverside"
    return folder, generate(folder, files=_SAMPLE)


@pytest.fixture(scope="module")
def delivered(client, sample) -> dict[str, Any]:
    """Return the ids of what pages are about, once the delivery is over."""
    project = client.create_project("PAGES", name="Riverside Quarter")
    batch = client.push([sample[0]], project="PAGES").batch
    document = next(iter(client.documents(project.id)))
    return {"project": project.id, "batch": batch.id, "document": document.id}


async def check(person: Person, name: str) -> list[str]:
    """Return what is wrong with the page as it stands."""
    if not _AXE.exists():
        pytest.skip("axe-core isn't installed: 'make setup' does it, with Node 20.19 or later")
    await person.page.evaluate(_AXE.read_text())
    faults = [f"{name}: {fault}" for fault in await person.page.evaluate(_CHECK)]
    if (overflow := await person.overflow()) > 0:
        faults.append(f"{name}: {overflow} px wider than the window")
    if not await person.page.title():
        faults.append(f"{name}: no title")
    if await person.page.get_by_role("heading", level=1).count() != 1:
        faults.append(f"{name}: not one main heading")
    return faults


@pytest.mark.parametrize("look", _LOOKS)
async def test_pages_are_for_everybody(invite, delivered, look):
    """No page has a serious fault of accessibility, or is wider than the window."""
    person = await invite(**_LOOKS[look])
    person.expected = (MISSING,)
    project = f"/projects/{delivered['project']}"
    pages = {
        "projects": ("/", person.heading("Projects")),
        "deliver": (project, person.picker),
        "deliveries": (f"{project}/deliveries", person.link(re.compile(f"{_SAMPLE} files"))),
        "delivery": (f"/deliveries/{delivered['batch']}", person.says("Final")),
        "documents": (f"{project}/documents", person.link("01 Drawings")),
        "document": (f"/documents/{delivered['document']}", person.link("Download").first),
        "operations": ("/operate", person.heading("Operations")),
        "not there": (f"/deliveries/{delivered['project']}", person.page.get_by_role("alert")),
    }
    faults = []
    for name, (address, sign) in pages.items():
        await person.visit(address)
        await expect(sign).to_be_visible()
        faults += await check(person, name)
    assert faults == []


@pytest.mark.parametrize("look", _LOOKS)
async def test_what_opens_is_for_everybody(invite, delivered, project, sample, look):
    """Nor has the page of sign-in, a review, a file's details, or a question."""
    person, stranger = await invite(**_LOOKS[look]), await invite(stranger=True, **_LOOKS[look])
    stranger.expected = (UNKNOWN,)
    await stranger.visit("/welcome")
    await expect(stranger.button("Sign in")).to_be_visible()
    faults = await check(stranger, "welcome")
    await person.visit(f"/projects/{project.id}")
    folder, manifest = sample
    await person.pick(folder)
    await expect(person.send_button).to_be_visible()
    faults += await check(person, "review")
    await person.visit(f"/deliveries/{delivered['batch']}")
    await person.choose("Refused")
    await expect(person.rows("Files")).to_have_count(manifest.expected["rejected"])
    await person.file((await person.paths())[0]).click()
    await expect(person.says("What happened")).to_be_visible()
    faults += await check(person, "details")
    assert faults == []
