"""The pictures of the console in the documentation, taken while a generated delivery is made.

`make docs` takes them where there is a Chromium, by `python -m tests.browser.pictures`.
"""

import asyncio
import re
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from playwright.async_api import expect

from laydown.sample import PROJECT, PROJECT_CODE, generate
from tests.browser.chromium import running_chromium
from tests.browser.person import Person
from tests.e2e.yard import Yard
from tests.engines.process import EngineMissingError

PICTURES: Final = Path(__file__).parents[2] / "docs" / "pictures"
WIDTH, HEIGHT = 1280, 800  # pixels

_FILES = 300
_LINE = 600_000  # bytes a second, which leaves time for a picture
_MIDDLE = 60  # files
_SHOWN = "01 Drawings/Architectural"


async def take(folder: Path) -> None:
    """Write all pictures to *folder*. Raises `EngineMissingError` where there is no Chromium."""
    with tempfile.TemporaryDirectory(prefix="ldp") as place:
        delivery = Path(place) / PROJECT
        generate(delivery, files=_FILES)
        async with _visitor(Path(place) / "data") as (person, yard):
            with yard.client() as client:
                project = client.create_project(PROJECT_CODE, name=PROJECT)
            await person.visit(f"/projects/{project.id}")
            await person.drop(delivery)
            await expect(person.says("All contents are compared.")).to_be_visible()
            await _picture(person, folder / "review.png")
            await person.has_line(up=_LINE)
            await person.send()
            await person.sees_ready(_MIDDLE)
            await _picture(person, folder / "delivery.png")
            await person.has_line()
            await person.sees_end(_FILES)
            query = urlencode({"path": f"{PROJECT}/{_SHOWN}"})
            await person.visit(f"/projects/{project.id}/documents?{query}")
            await expect(person.link(re.compile(r"\.pdf$")).first).to_be_visible()
            await _picture(person, folder / "documents.png")
            await person.visit("/operate")
            await expect(person.heading("Operations")).to_be_visible()
            await expect(person.says("Loading…")).to_have_count(0)
            await _picture(person, folder / "operations.png")


@asynccontextmanager
async def _visitor(data: Path) -> AsyncIterator[tuple[Person, Yard]]:
    """Seat somebody who is signed in before a laydown of their own."""
    async with running_chromium() as chromium:
        yard = Yard(data)
        try:
            yard.start()
            context = await chromium.new_context(
                base_url=yard.connection.url,
                viewport={"width": WIDTH, "height": HEIGHT},
                color_scheme="light",
                reduced_motion="reduce",
                extra_http_headers={"Authorization": f"Bearer {yard.connection.token}"},
            )
            yield await Person.at(context), yard
            await context.close()
        finally:
            yard.dispose()


async def _picture(person: Person, path: Path) -> None:
    await person.page.evaluate("scrollTo(0, 0)")
    await person.page.screenshot(path=path, animations="disabled")


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    try:
        asyncio.run(take(PICTURES))
    except EngineMissingError as missing:
        sys.stderr.write(f"docs: the pictures of the console stay as they are: {missing}\n")
