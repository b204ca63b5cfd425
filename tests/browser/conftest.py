"""One laydown and one Chromium for all tests here; to each test a project and people of its own."""

import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, StorageState, expect

from laydown import Client, wire
from tests.browser.chromium import running_chromium
from tests.browser.folders import Folder, papers
from tests.browser.person import PATIENCE, Invite, Person
from tests.e2e.yard import Yard, until
from tests.engines.process import EngineMissingError

_LINK = re.compile(r"http://\S+/signin\?code=\S+")
_numbers = count(1)
_PAGE = Path(__file__).parents[2] / "src" / "laydown" / "console" / "index.html"

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def yard() -> Iterator[Yard]:
    """Run one `laydown up` for all tests; whoever kills it starts it again on its port."""
    if not _PAGE.exists():
        pytest.skip("the console isn't built: 'make setup' does it, with Node 20.19 or later")
    folder = Path(tempfile.mkdtemp(prefix="ldb"))  # short: a socket's path has 107 bytes
    yard = Yard(folder / "data", settings={"JOB_LEASE": "2"})  # seconds, for a killed worker's jobs
    try:
        yard.start()
        yield yard
    finally:
        yard.dispose()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def client(yard: Yard) -> Iterator[Client]:
    """Speak to it without a browser."""
    with yard.client() as client:
        yield client


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """Run one Chromium for all tests; each opens profiles of its own."""
    try:
        async with running_chromium() as browser:
            yield browser
    except EngineMissingError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def link(yard: Yard) -> str:
    """Return the one-time link that `laydown up` printed."""
    until(lambda: _LINK.search(yard.log), what="a link is printed")
    [link] = _LINK.findall(yard.log)
    return str(link)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cookies(chromium: Browser, link: str) -> StorageState:
    """Follow the link; return what that browser then keeps."""
    context = await chromium.new_context()
    page = await context.new_page()
    await page.goto(link)
    await page.get_by_role("heading", name="Projects").wait_for()
    kept = await context.storage_state()
    await context.close()
    return kept


@pytest_asyncio.fixture(loop_scope="session")
async def invite(chromium: Browser, yard: Yard, cookies: StorageState) -> AsyncIterator[Invite]:
    """Return what seats somebody before a browser of their own, signed in unless told otherwise.

    Whatever a page of theirs complained of, and the test didn't expect, fails the test.
    """
    people: list[Person] = []

    async def make(*, token: str | None = None, stranger: bool = False, **options: Any) -> Person:
        options.setdefault("viewport", {"width": 1280, "height": 800})
        if token is not None:
            options["extra_http_headers"] = {"Authorization": f"Bearer {token}"}
        elif not stranger:
            options["storage_state"] = cookies
        context = await chromium.new_context(base_url=yard.connection.url, **options)
        people.append(await Person.at(context))
        return people[-1]

    yield make
    for person in people:
        await person.leave()
    for person in people:
        assert person.complaints() == []


@pytest_asyncio.fixture(loop_scope="session")
async def person(invite: Invite) -> Person:
    """Return somebody who is signed in and may do everything."""
    return await invite()


@pytest.fixture
def project(client: Client) -> wire.Project:
    """Return a project that is this test's alone."""
    return client.create_project(f"TRIAL-{next(_numbers)}")


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., Folder]:
    """Return what writes a folder of papers to deliver."""

    def make(name: str = "Riverside", **how: int) -> Folder:
        return papers(tmp_path / name, **how)

    return make
