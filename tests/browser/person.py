"""Somebody before a browser, who knows the console by its words alone.

All that these tests know of the console's wording, and of how it is laid out, stands here.
"""

import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import urlsplit
from uuid import UUID

from playwright.async_api import (
    BrowserContext,
    CDPSession,
    ConsoleMessage,
    Download,
    Error,
    Locator,
    Page,
    Request,
    expect,
)

from tests.browser.recorder import RECORDER, Recording

PATIENCE: Final = 30_000.0  # milliseconds; what is awaited takes few seconds on a quiet machine
UNREACHABLE: Final = "Failed to load resource: net::"
"""How Chromium says that a server is gone, or the line."""

_ANSWER: Final = "Failed to load resource: the server responded with a status of "
UNKNOWN: Final = _ANSWER + "401"
"""How Chromium says that nobody is signed in."""

MISSING: Final = _ANSWER + "404"
"""How Chromium says that something isn't there."""

Invite: TypeAlias = Callable[..., Awaitable["Person"]]


@dataclass
class Person:
    """A page in a profile of its own, everything it complained of, and what it sent."""

    page: Page
    line: CDPSession  # to the browser itself
    expected: tuple[str, ...] = ()  # beginnings of complaints that are no fault
    sent: Counter[str] = field(default_factory=Counter)  # uploads whose bytes were acknowledged
    _flying: set[Request] = field(default_factory=set)  # bytes on their way
    _complaints: list[str] = field(default_factory=list)

    @classmethod
    async def at(cls, context: BrowserContext) -> "Person":
        """Seat somebody before an empty page."""
        context.set_default_timeout(PATIENCE)
        await context.add_init_script(path=RECORDER)
        page = await context.new_page()
        person = cls(page, await context.new_cdp_session(page))
        page.on("console", person._hear)
        page.on("pageerror", lambda error: person._complaints.append(f"{error}"))
        page.on("request", person._begin)
        page.on("requestfailed", person._lose)
        page.on("requestfinished", person._count)
        return person

    def complaints(self) -> list[str]:
        """Return what the page complained of and wasn't expected to.

        A breach of its Content-Security-Policy is a complaint of the browser's like any other.
        """
        return [each for each in self._complaints if not each.startswith(self.expected or ("\0",))]

    async def leave(self) -> None:
        """Close the browser's profile, whatever the page says to that."""
        await self.page.context.close()

    # Going about

    async def visit(self, path: str) -> None:
        """Open a page of the console by its address."""
        await self.page.goto(path)

    def button(self, name: str | re.Pattern[str]) -> Locator:
        """Find a button by what it says."""
        return self.page.get_by_role("button", name=name)

    def link(self, name: str | re.Pattern[str]) -> Locator:
        """Find a link by what it says."""
        return self.page.get_by_role("link", name=name)

    def heading(self, name: str | re.Pattern[str]) -> Locator:
        """Find a heading by what it says."""
        return self.page.get_by_role("heading", name=name)

    def says(self, text: str | re.Pattern[str]) -> Locator:
        """Find what the page says."""
        return self.page.get_by_text(text)

    # Delivering

    @property
    def picker(self) -> Locator:
        """What a folder is chosen with; where it is, a folder can be dropped."""
        return self.button("Choose a folder")

    @property
    def send_button(self) -> Locator:
        """What sends a delivery that was looked at."""
        return self.button(re.compile(r"^Send [\d,]+ files?"))

    async def drop(self, folder: Path) -> None:
        """Drop a folder from this machine in the middle of the page, as a file manager does."""
        await expect(self.picker).to_be_visible()
        window = self.page.viewport_size
        assert window is not None
        middle = {"x": window["width"] / 2, "y": window["height"] / 2}
        data = {"items": [], "files": [str(folder)], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            await self.line.send("Input.dispatchDragEvent", {"type": kind, **middle, "data": data})

    async def pick(self, folder: Path) -> None:
        """Choose a folder from this machine with the button, as who can't drag does."""
        async with self.page.expect_file_chooser() as asked:
            await self.picker.click()
        await (await asked.value).set_files(folder)

    async def send(self) -> UUID:
        """Send what was looked at; return the delivery, whose page is then shown."""
        await self.send_button.click()
        await self.page.wait_for_url("**/deliveries/*")
        return UUID(urlsplit(self.page.url).path.rpartition("/")[2])

    async def deliver(self, project: UUID, folder: Path) -> UUID:
        """Drop a folder on a project's page and send it; return the delivery."""
        await self.visit(f"/projects/{project}")
        await self.drop(folder)
        return await self.send()

    # Watching

    async def sees_end(self, files: int) -> None:
        """Wait until the page says what became of so many files, and that nothing will change."""
        await expect(self.page.get_by_text("Final", exact=True)).to_be_visible()
        assert sum((await self.numbers()).values()) == files

    async def numbers(self) -> dict[str, int]:
        """Return how many files the page says are in each group."""
        said = await self._legend.get_by_role("button").all_inner_texts()
        pairs = [re.split(r"\s+(?=[\d,]+$)", each) for each in said]
        return {name: int(number.replace(",", "")) for name, number in pairs}

    async def sees_ready(self, at_least: int) -> int:
        """Wait until the page shows that so many files are ready; return how many it shows."""
        await self.page.wait_for_function(
            "least => (recorder.now().groups.Ready ?? 0) >= least", arg=at_least
        )
        return (await self.numbers())["Ready"]

    async def choose(self, group: str) -> None:
        """Have the list show only files of a group, or all again."""
        await self._legend.get_by_role("button", name=group).click()

    def file(self, path: str) -> Locator:
        """Find the row of a file in a delivery's list."""
        return self.page.get_by_role("list", name="Files").get_by_role(
            "button", name=f"Details of {path}"
        )

    def rows(self, label: str) -> Locator:
        """Find the rows of a list that exist; those far from sight don't."""
        return self.page.get_by_role("list", name=label).get_by_role("listitem")

    async def paths(self) -> list[str]:
        """Return the paths of the files that are in sight in a delivery's list, if any is."""
        rows = await self.page.get_by_role("list", name="Files").get_by_role("button").all()
        return [(await row.get_attribute("title")) or "" for row in rows]

    async def fetch(self, link: Locator) -> bytes:
        """Follow a link that downloads; return what was saved."""
        async with self.page.expect_download() as coming:
            await link.click()
        download: Download = await coming.value
        return (await download.path()).read_bytes()

    async def recording(self) -> Recording:
        """Return all that the page has shown since it was loaded."""
        return Recording(await self.page.evaluate("recorder.frames"))

    # The line

    async def has_line(self, *, up: int = -1, offline: bool = False) -> None:
        """Let no more than *up* bytes a second leave this browser, or nothing in or out."""
        bounds = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": up}
        await self.line.send("Network.enable")
        await self.line.send("Network.emulateNetworkConditions", {"offline": offline, **bounds})

    async def is_idle(self) -> None:
        """Wait until no bytes are on their way any more."""
        while self._flying:
            await self.page.wait_for_event("requestfinished")

    # Looking at the page itself

    async def overflow(self) -> int:
        """Return how many pixels the page is wider than the window."""
        return int(
            await self.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
        )

    @property
    def _legend(self) -> Locator:
        return self.page.get_by_role("group", name="Show only files that are")

    async def heap(self) -> int:
        """Return the bytes of the page's objects, without those that only wait to be freed."""
        await self.line.send("HeapProfiler.collectGarbage")
        usage = await self.line.send("Runtime.getHeapUsage")
        return int(usage["usedSize"])

    async def tasks(self) -> list[float]:
        """Return the milliseconds of every task that held the page up for more than 50."""
        return list(await self.page.evaluate("recorder.tasks"))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self._complaints.append(message.text)

    def _begin(self, request: Request) -> None:
        if request.method == "PUT":
            self._flying.add(request)

    def _lose(self, request: Request) -> None:
        self._flying.discard(request)

    async def _count(self, request: Request) -> None:
        if request not in self._flying:
            return
        self._flying.discard(request)
        try:
            response = await request.response()
        except Error:  # the page has gone meanwhile
            return
        if response is not None and response.ok:
            _, _, _organization, upload, *_ = urlsplit(request.url).path.split("/")
            self.sent[upload] += 1
